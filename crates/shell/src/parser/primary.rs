//! Expressions that need no operator: values, lists, bit strings, maps, records, calls.

use trunkline::Atom;

use super::{Parsed, Parser};
use crate::ast::{BinElement, Expr, Generator, Kind, MapField, Over, Qualifier, RecordField};
use crate::lexer::{Loc, Tok};

impl Parser<'_> {
    /// A value, a call, what stands behind `#`.
    pub(crate) fn primary(&mut self) -> Parsed<Expr> {
        if self.is("#") {
            let loc = self.expect("#")?;
            let first = self.hash(None, loc)?;
            return self.hashes(first, false);
        }
        let first = self.max()?;
        if self.is(":") && !self.colon_ends {
            let loc = self.expect(":")?;
            let second = self.max()?;
            let remote = Expr::new(loc, Kind::Remote(Box::new(first), Box::new(second)));
            return if self.is("(") { self.call(remote) } else { Ok(remote) };
        }
        if self.is("(") {
            return self.call(first);
        }
        self.hashes(first, true)
    }

    fn call(&mut self, function: Expr) -> Parsed<Expr> {
        let loc = function.first();
        let arguments = self.arguments()?;
        Ok(Expr::new(loc, Kind::Call(Box::new(function), arguments)))
    }

    /// `(A, B)`.
    pub(crate) fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.expect("(")?;
        if self.eat(")") {
            return Ok(Vec::new());
        }
        let arguments = self.body()?;
        self.expect(")")?;
        Ok(arguments)
    }

    fn hashes(&mut self, mut on: Expr, mut first: bool) -> Parsed<Expr> {
        let level = self.level();
        while self.is("#") {
            // A map may not be changed as a record in one go, nor a record as a map.
            let map = matches!(on.kind, Kind::Map(..));
            let next_map = self.peek_at(1).is_some_and(|token| token.is("{"));
            if !first && map != next_map {
                return Err(self.unexpected());
            }
            first = false;
            let loc = self.expect("#")?;
            self.deepen()?;
            on = self.hash(Some(Box::new(on)), loc)?;
        }
        self.set_level(level);
        Ok(on)
    }

    /// What stands behind `#`.
    fn hash(&mut self, on: Option<Box<Expr>>, loc: Loc) -> Parsed<Expr> {
        if self.is("{") {
            return self.map(on, loc);
        }
        let name = self.atom()?.1;
        if self.eat(".") {
            let (at, field) = self.atom()?;
            let field = Box::new(Expr::new(at, Kind::Atom(field)));
            let kind = match on {
                Some(on) => Kind::RecordField(on, name, field),
                None => Kind::RecordIndex(name, field),
            };
            return Ok(Expr::new(loc, kind));
        }
        let fields = self.record_fields()?;
        Ok(Expr::new(loc, Kind::Record(on, name, fields)))
    }

    pub(crate) fn atom(&mut self) -> Parsed<(Loc, Atom)> {
        match self.peek() {
            Some(token) => match &token.tok {
                Tok::Atom(atom) => {
                    self.next();
                    Ok((token.loc, atom.clone()))
                }
                _ => Err(self.unexpected()),
            },
            None => Err(self.unexpected()),
        }
    }

    fn map(&mut self, on: Option<Box<Expr>>, loc: Loc) -> Parsed<Expr> {
        self.expect("{")?;
        let mut fields = Vec::new();
        if self.eat("}") {
            return Ok(Expr::new(loc, Kind::Map(on, fields)));
        }
        loop {
            let key = self.expr()?;
            let field = self.map_field(key)?;
            if on.is_none() && fields.is_empty() && !field.exact && self.is("||") {
                return self.map_comprehension(loc, field);
            }
            fields.push(field);
            if !self.eat(",") {
                self.expect("}")?;
                return Ok(Expr::new(loc, Kind::Map(on, fields)));
            }
        }
    }

    fn map_field(&mut self, key: Expr) -> Parsed<MapField> {
        let exact = self.is(":=");
        if !exact && !self.is("=>") {
            return Err(self.unexpected());
        }
        let loc = self.loc();
        self.next();
        let value = self.expr()?;
        Ok(MapField { loc, exact, key, value })
    }

    fn record_fields(&mut self) -> Parsed<Vec<RecordField>> {
        self.expect("{")?;
        let mut fields = Vec::new();
        if self.eat("}") {
            return Ok(fields);
        }
        loop {
            let Some(token) = self.peek() else { return Err(self.unexpected()) };
            let kind = match &token.tok {
                Tok::Atom(atom) => Kind::Atom(atom.clone()),
                Tok::Var(name) => Kind::Var(name.clone()),
                _ => return Err(self.unexpected()),
            };
            self.next();
            self.expect("=")?;
            let value = self.expr()?;
            fields.push(RecordField { loc: token.loc, name: Expr::new(token.loc, kind), value });
            if !self.eat(",") {
                self.expect("}")?;
                return Ok(fields);
            }
        }
    }

    /// What binds tightest.
    fn max(&mut self) -> Parsed<Expr> {
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let loc = token.loc;
        let kind = match &token.tok {
            Tok::Var(name) => Kind::Var(name.clone()),
            Tok::Atom(atom) => Kind::Atom(atom.clone()),
            Tok::Integer(number) => Kind::Integer(number.clone()),
            Tok::Float(number) => Kind::Float(*number),
            Tok::Char(c) => Kind::Char(*c),
            Tok::Str(text) => return Ok(self.strings(loc, text)),
            Tok::Sigil(name, text, _) => {
                self.next();
                return Ok(sigil(loc, name, text));
            }
            Tok::Word(word) => return self.deeper(|parser| parser.worded(word, loc)),
            Tok::Dot => return Err(self.unexpected()),
        };
        self.next();
        Ok(Expr::new(loc, kind))
    }

    fn strings(&mut self, loc: Loc, text: &[u32]) -> Expr {
        let mut all = text.to_vec();
        self.next();
        while let Some(Tok::Str(text)) = self.peek().map(|token| &token.tok) {
            all.extend(text);
            self.next();
        }
        Expr::new(loc, Kind::String(all))
    }

    fn worded(&mut self, word: &str, loc: Loc) -> Parsed<Expr> {
        match word {
            "(" => {
                self.next();
                let inner = self.expr()?;
                self.expect(")")?;
                Ok(inner)
            }
            "[" => self.list(loc),
            "{" => {
                self.next();
                let mut items = Vec::new();
                if !self.eat("}") {
                    items = self.body()?;
                    self.expect("}")?;
                }
                Ok(Expr::new(loc, Kind::Tuple(items)))
            }
            "<<" => self.bits(loc),
            _ => self.keyword(word, loc),
        }
    }

    fn list(&mut self, loc: Loc) -> Parsed<Expr> {
        self.next();
        if self.eat("]") {
            return Ok(Expr::new(loc, Kind::Nil));
        }
        let first = self.expr()?;
        if self.eat("||") {
            let qualifiers = self.qualifiers()?;
            self.expect("]")?;
            return Ok(Expr::new(loc, Kind::Lc(Box::new(first), qualifiers)));
        }
        let mut items = vec![(loc, first)];
        loop {
            if self.eat(",") {
                let item = self.expr()?;
                items.push((item.first(), item));
                continue;
            }
            if self.eat("|") {
                let tail = self.expr()?;
                self.expect("]")?;
                return Ok(cons(items, tail));
            }
            let end = self.expect("]")?;
            return Ok(cons(items, Expr::new(end, Kind::Nil)));
        }
    }

    fn bits(&mut self, loc: Loc) -> Parsed<Expr> {
        self.next();
        if self.eat(">>") {
            return Ok(Expr::new(loc, Kind::Bin(Vec::new())));
        }
        let first = self.bin_element()?;
        if self.is("||") && first.size.is_none() && first.types.is_none() {
            if matches!(first.value.kind, Kind::Op1(..)) {
                return Err(self.unexpected());
            }
            self.next();
            let qualifiers = self.qualifiers()?;
            self.expect(">>")?;
            return Ok(Expr::new(loc, Kind::Bc(Box::new(first.value), qualifiers)));
        }
        let mut elements = vec![first];
        while self.eat(",") {
            elements.push(self.bin_element()?);
        }
        self.expect(">>")?;
        Ok(Expr::new(loc, Kind::Bin(elements)))
    }

    fn bin_element(&mut self) -> Parsed<BinElement> {
        let value = match self.peek().map(|token| (&token.tok, token.loc)) {
            Some((Tok::Word(word @ ("+" | "-" | "bnot" | "not")), loc)) => {
                self.next();
                Expr::new(loc, Kind::Op1(word, Box::new(self.max()?)))
            }
            _ => self.max()?,
        };
        let size = if self.eat(":") { Some(self.max()?) } else { None };
        let types = if self.eat("/") { Some(self.bit_types()?) } else { None };
        Ok(BinElement { loc: value.first(), value, size, types })
    }

    fn bit_types(&mut self) -> Parsed<Vec<(Atom, Option<i64>)>> {
        let mut types = Vec::new();
        loop {
            let (_, name) = self.atom()?;
            let unit = if self.eat(":") {
                match self.peek().map(|token| &token.tok) {
                    Some(Tok::Integer(number)) => {
                        self.next();
                        Some(number.as_int().unwrap_or(i64::MAX))
                    }
                    _ => return Err(self.unexpected()),
                }
            } else {
                None
            };
            types.push((name, unit));
            if !self.eat("-") {
                return Ok(types);
            }
        }
    }

    /// The parts of a comprehension.
    fn qualifiers(&mut self) -> Parsed<Vec<Qualifier>> {
        let mut qualifiers = Vec::new();
        loop {
            let first = self.qualifier()?;
            if self.is("&&") {
                let loc = self.loc();
                let mut zipped = Vec::new();
                let mut next = first;
                loop {
                    match next {
                        Qualifier::Generate(generator) => zipped.push(generator),
                        _ => return Err(self.unexpected()),
                    }
                    if !self.eat("&&") {
                        break;
                    }
                    next = self.qualifier()?;
                }
                qualifiers.push(Qualifier::Zip(loc, zipped));
            } else {
                qualifiers.push(first);
            }
            if !self.eat(",") {
                return Ok(qualifiers);
            }
        }
    }

    fn qualifier(&mut self) -> Parsed<Qualifier> {
        let pattern = self.expr()?;
        let Some(token) = self.peek() else { return Err(self.unexpected()) };
        let Tok::Word(word) = token.tok else { return Ok(Qualifier::Filter(pattern)) };
        let loc = token.loc;
        match word {
            "<-" | "<:-" => {
                self.next();
                let (from, strict) = (self.expr()?, word == "<:-");
                let over = Over::List;
                Ok(Qualifier::Generate(Generator { loc, over, strict, pattern, value: None, from }))
            }
            "<=" | "<:=" if matches!(pattern.kind, Kind::Bin(_)) => {
                self.next();
                let (from, strict) = (self.expr()?, word == "<:=");
                let over = Over::Bits;
                Ok(Qualifier::Generate(Generator { loc, over, strict, pattern, value: None, from }))
            }
            ":=" => {
                self.next();
                let value = self.expr()?;
                let strict = self.is("<:-");
                if !strict && !self.is("<-") {
                    return Err(self.unexpected());
                }
                let loc = self.loc();
                self.next();
                let (from, over) = (self.expr()?, Over::Map);
                Ok(Qualifier::Generate(Generator { loc, over, strict, pattern, value: Some(value), from }))
            }
            _ => Ok(Qualifier::Filter(pattern)),
        }
    }

    fn map_comprehension(&mut self, loc: Loc, field: MapField) -> Parsed<Expr> {
        self.expect("||")?;
        let qualifiers = self.qualifiers()?;
        self.expect("}")?;
        Ok(Expr::new(loc, Kind::Mc(Box::new(field), qualifiers)))
    }
}

fn cons(items: Vec<(Loc, Expr)>, tail: Expr) -> Expr {
    let loc = items[0].0;
    // `[A | [B | C]]` and `[A, B | C]` are the same tree.
    match tail.kind {
        Kind::List(more, end) => {
            let mut items = items;
            items.extend(more);
            Expr::new(loc, Kind::List(items, end))
        }
        _ => Expr::new(loc, Kind::List(items, Box::new(tail))),
    }
}

/// `~"text"` is a binary in UTF-8, `~s"text"` a string.
fn sigil(loc: Loc, name: &str, text: &[u32]) -> Expr {
    let string = Expr::new(loc, Kind::String(text.to_vec()));
    if matches!(name, "s" | "S") {
        return string;
    }
    let types = Some(vec![(Atom::new("utf8"), None)]);
    Expr::new(loc, Kind::Bin(vec![BinElement { loc, value: string, size: None, types }]))
}
