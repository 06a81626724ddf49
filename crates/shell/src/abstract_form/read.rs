//! Terms as trees. Whatever a peer sends: a tree, or a reason, never a crash.

use std::sync::Arc;

use trunkline::term::{Atom, Term};

use crate::ast::{
    BinElement, Clause, Expr, Generator, Kind, Loc, MapField, Over, Qualifier, RecordField, Try,
};
use crate::limits::NESTING_LEVELS_MAX;

/// What is no abstract format.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("no abstract format: {0}")]
pub struct Unreadable(pub Term);

type Read<T> = Result<T, Unreadable>;

/// A body.
///
/// # Errors
/// When the term is no list of abstract expressions.
pub fn exprs(term: &Term) -> Read<Vec<Expr>> {
    Reader { depth: 0 }.exprs(term)
}

/// Clauses.
///
/// # Errors
/// When the term is no list of abstract clauses.
pub fn clauses(term: &Term) -> Read<Vec<Clause>> {
    Reader { depth: 0 }.clauses(term)
}

/// A place: `Line`, `{Line,Column}`, or a list with a `location` in it.
pub fn loc(term: &Term) -> Loc {
    let number = |term: &Term| term.as_int().and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    match term {
        Term::Tuple(pair) if pair.len() == 2 => Loc::new(number(&pair[0]), number(&pair[1])),
        Term::List(options) => options
            .iter()
            .find_map(|option| match option.as_tuple() {
                Some([key, value]) if key.is_atom("location") && !matches!(value, Term::List(_)) => {
                    Some(loc(value))
                }
                _ => None,
            })
            .unwrap_or_default(),
        other => Loc::new(number(other), 0),
    }
}

struct Reader {
    depth: usize,
}

fn bad<T>(term: &Term) -> Read<T> {
    Err(Unreadable(term.clone()))
}

fn atom(term: &Term) -> Read<Atom> {
    term.as_atom().cloned().ok_or_else(|| Unreadable(term.clone()))
}

/// The elements of a proper list.
fn items(term: &Term) -> Read<Vec<Term>> {
    match term {
        Term::List(list) if list.improper_tail().is_none() => Ok(list.iter().collect()),
        _ => bad(term),
    }
}

fn text(term: &Term) -> Read<Vec<u32>> {
    items(term)?
        .iter()
        .map(|c| c.as_int().and_then(|c| u32::try_from(c).ok()).ok_or_else(|| Unreadable(term.clone())))
        .collect()
}

/// The operator, as one of ours.
fn operator(term: &Term) -> Read<&'static str> {
    const ALL: [&str; 31] = [
        "!", "orelse", "andalso", "==", "/=", "=<", "<", ">=", ">", "=:=", "=/=", "++", "--", "+", "-",
        "bor", "bxor", "bsl", "bsr", "or", "xor", "/", "*", "div", "rem", "band", "and", "bnot", "not", "=",
        "?=",
    ];
    let name = atom(term)?;
    ALL.iter().copied().find(|op| name == **op).ok_or_else(|| Unreadable(term.clone()))
}

impl Reader {
    fn exprs(&mut self, term: &Term) -> Read<Vec<Expr>> {
        items(term)?.iter().map(|item| self.expr(item)).collect()
    }

    fn boxed(&mut self, term: &Term) -> Read<Box<Expr>> {
        Ok(Box::new(self.expr(term)?))
    }

    fn clauses(&mut self, term: &Term) -> Read<Vec<Clause>> {
        items(term)?
            .iter()
            .map(|clause| match clause.as_tuple() {
                Some([tag, at, patterns, guards, body]) if tag.is_atom("clause") => Ok(Clause {
                    loc: loc(at),
                    patterns: self.exprs(patterns)?,
                    guards: self.guards(guards)?,
                    body: self.exprs(body)?,
                }),
                _ => bad(clause),
            })
            .collect()
    }

    /// Lists of tests; before R14 a single list of tests.
    fn guards(&mut self, term: &Term) -> Read<Vec<Vec<Expr>>> {
        let all = items(term)?;
        if all.first().is_some_and(|first| first.as_tuple().is_some()) {
            return Ok(vec![self.exprs(term)?]);
        }
        all.iter().map(|tests| self.exprs(tests)).collect()
    }

    fn expr(&mut self, term: &Term) -> Read<Expr> {
        if self.depth >= NESTING_LEVELS_MAX {
            return bad(&Term::atom("too_deep"));
        }
        self.depth += 1;
        let read = self.tuple(term);
        self.depth -= 1;
        read
    }

    fn tuple(&mut self, term: &Term) -> Read<Expr> {
        let Some([tag, at, rest @ ..]) = term.as_tuple() else { return bad(term) };
        let Some(tag) = tag.as_atom() else { return bad(term) };
        let kind = match (tag.as_str(), rest) {
            ("var", [name]) => Kind::Var(atom(name)?),
            ("integer", [number @ (Term::Int(_) | Term::Big(_))]) => Kind::Integer(number.clone()),
            ("float", [Term::Float(number)]) => Kind::Float(*number),
            ("char", [Term::Int(c)]) if (0..0x11_0000).contains(c) => Kind::Char(*c as u32),
            ("atom", [name]) => Kind::Atom(atom(name)?),
            ("string", [chars]) => Kind::String(text(chars)?),
            ("nil", []) => Kind::Nil,
            ("cons", [_, _]) => return self.list(term),
            ("tuple", [elements]) => Kind::Tuple(self.exprs(elements)?),
            ("block", [body]) => Kind::Block(self.exprs(body)?),
            ("match", [left, right]) => Kind::Match(self.boxed(left)?, self.boxed(right)?),
            ("maybe_match", [left, right]) => Kind::MaybeMatch(self.boxed(left)?, self.boxed(right)?),
            ("op", [op, inner]) => Kind::Op1(operator(op)?, self.boxed(inner)?),
            ("op", [op, left, right]) => Kind::Op2(operator(op)?, self.boxed(left)?, self.boxed(right)?),
            ("call", [function, arguments]) => Kind::Call(self.boxed(function)?, self.exprs(arguments)?),
            ("remote", [m, f]) => Kind::Remote(self.boxed(m)?, self.boxed(f)?),
            ("catch", [inner]) => Kind::Catch(self.boxed(inner)?),
            ("value", [value]) => Kind::Value(value.clone()),
            (tag, rest) => self.structured(tag, rest, term)?,
        };
        Ok(Expr::new(loc(at), kind))
    }

    /// `cons` cells, in a loop: lists are long.
    fn list(&mut self, term: &Term) -> Read<Expr> {
        let mut cells = Vec::new();
        let mut rest = term.clone();
        loop {
            let next = match rest.as_tuple() {
                Some([tag, at, head, tail]) if tag.is_atom("cons") => {
                    cells.push((loc(at), self.expr(head)?));
                    tail.clone()
                }
                _ => break,
            };
            rest = next;
        }
        let tail = self.boxed(&rest)?;
        let first = cells.first().map_or_else(Loc::default, |cell| cell.0);
        Ok(Expr::new(first, Kind::List(cells, tail)))
    }

    fn structured(&mut self, tag: &str, rest: &[Term], term: &Term) -> Read<Kind> {
        Ok(match (tag, rest) {
            ("map", [fields]) => Kind::Map(None, self.map_fields(fields)?),
            ("map", [on, fields]) => Kind::Map(Some(self.boxed(on)?), self.map_fields(fields)?),
            ("record", [name, fields]) => Kind::Record(None, atom(name)?, self.record_fields(fields)?),
            ("record", [on, name, fields]) => {
                Kind::Record(Some(self.boxed(on)?), atom(name)?, self.record_fields(fields)?)
            }
            ("record_index", [name, field]) => Kind::RecordIndex(atom(name)?, self.boxed(field)?),
            ("record_field", [on, name, field]) => {
                Kind::RecordField(self.boxed(on)?, atom(name)?, self.boxed(field)?)
            }
            ("bin", [elements]) => {
                Kind::Bin(items(elements)?.iter().map(|e| self.bin_element(e)).collect::<Read<_>>()?)
            }
            ("lc", [template, parts]) => Kind::Lc(self.boxed(template)?, self.qualifiers(parts)?),
            ("bc", [template, parts]) => Kind::Bc(self.boxed(template)?, self.qualifiers(parts)?),
            ("mc", [template, parts]) => {
                Kind::Mc(Box::new(self.map_field(template)?), self.qualifiers(parts)?)
            }
            ("if", [branches]) => Kind::If(self.clauses(branches)?),
            ("case", [value, branches]) => Kind::Case(self.boxed(value)?, self.clauses(branches)?),
            ("receive", [branches]) => Kind::Receive(self.clauses(branches)?, None),
            ("receive", [branches, time, body]) => {
                let after = (self.boxed(time)?, self.exprs(body)?);
                Kind::Receive(self.clauses(branches)?, Some(after))
            }
            ("try", [body, of, catch, after]) => Kind::Try(Box::new(Try {
                body: self.exprs(body)?,
                of: self.clauses(of)?,
                catch: self.clauses(catch)?,
                after: self.exprs(after)?,
            })),
            ("maybe", [body]) => Kind::Maybe(self.exprs(body)?, None),
            ("maybe", [body, otherwise]) => match otherwise.as_tuple() {
                Some([tag, at, branches]) if tag.is_atom("else") => {
                    Kind::Maybe(self.exprs(body)?, Some((loc(at), self.clauses(branches)?)))
                }
                _ => return bad(otherwise),
            },
            ("fun", [what]) => self.fun(what)?,
            ("named_fun", [name, branches]) => {
                Kind::NamedFun(atom(name)?, Arc::new(self.fun_clauses(branches)?))
            }
            _ => return bad(term),
        })
    }

    fn fun(&mut self, what: &Term) -> Read<Kind> {
        Ok(match what.as_tuple() {
            Some([tag, branches]) if tag.is_atom("clauses") => {
                Kind::Fun(Arc::new(self.fun_clauses(branches)?))
            }
            Some([tag, name, Term::Int(arity)]) if tag.is_atom("function") => {
                Kind::FunLocal(atom(name)?, u32::try_from(*arity).unwrap_or(u32::MAX))
            }
            Some([tag, m, f, a]) if tag.is_atom("function") => {
                Kind::FunRemote(self.boxed(m)?, self.boxed(f)?, self.boxed(a)?)
            }
            _ => return bad(what),
        })
    }

    /// Clauses of one arity, at least one.
    fn fun_clauses(&mut self, term: &Term) -> Read<Vec<Clause>> {
        let clauses = self.clauses(term)?;
        let Some(first) = clauses.first() else { return bad(term) };
        let arity = first.patterns.len();
        if clauses.iter().any(|clause| clause.patterns.len() != arity) { bad(term) } else { Ok(clauses) }
    }

    fn map_fields(&mut self, term: &Term) -> Read<Vec<MapField>> {
        items(term)?.iter().map(|field| self.map_field(field)).collect()
    }

    fn map_field(&mut self, term: &Term) -> Read<MapField> {
        let Some([tag, at, key, value]) = term.as_tuple() else { return bad(term) };
        let exact = tag.is_atom("map_field_exact");
        if !exact && !tag.is_atom("map_field_assoc") {
            return bad(term);
        }
        Ok(MapField { loc: loc(at), exact, key: self.expr(key)?, value: self.expr(value)? })
    }

    fn record_fields(&mut self, term: &Term) -> Read<Vec<RecordField>> {
        items(term)?
            .iter()
            .map(|field| match field.as_tuple() {
                Some([tag, at, name, value]) if tag.is_atom("record_field") => {
                    Ok(RecordField { loc: loc(at), name: self.expr(name)?, value: self.expr(value)? })
                }
                _ => bad(field),
            })
            .collect()
    }

    fn bin_element(&mut self, term: &Term) -> Read<BinElement> {
        let Some([tag, at, value, size, types]) = term.as_tuple() else { return bad(term) };
        if !tag.is_atom("bin_element") {
            return bad(term);
        }
        let size = if size.is_atom("default") { None } else { Some(self.expr(size)?) };
        let types = if types.is_atom("default") {
            None
        } else {
            Some(items(types)?.iter().map(bit_type).collect::<Read<_>>()?)
        };
        Ok(BinElement { loc: loc(at), value: self.expr(value)?, size, types })
    }

    fn qualifiers(&mut self, term: &Term) -> Read<Vec<Qualifier>> {
        items(term)?
            .iter()
            .map(|part| match part.as_tuple() {
                Some([tag, at, these]) if tag.is_atom("zip") => {
                    let these = items(these)?;
                    let these = these.iter().map(|this| match self.generator(this) {
                        Some(generator) => generator,
                        None => bad(this),
                    });
                    Ok(Qualifier::Zip(loc(at), these.collect::<Read<_>>()?))
                }
                _ => match self.generator(part) {
                    Some(generator) => Ok(Qualifier::Generate(generator?)),
                    None => Ok(Qualifier::Filter(self.expr(part)?)),
                },
            })
            .collect()
    }

    fn generator(&mut self, term: &Term) -> Option<Read<Generator>> {
        let [tag, at, pattern, from] = term.as_tuple()? else { return None };
        let (over, strict) = match tag.as_atom()?.as_str() {
            "generate" => (Over::List, false),
            "generate_strict" => (Over::List, true),
            "b_generate" => (Over::Bits, false),
            "b_generate_strict" => (Over::Bits, true),
            "m_generate" => (Over::Map, false),
            "m_generate_strict" => (Over::Map, true),
            _ => return None,
        };
        Some(self.generate(loc(at), over, strict, pattern, from))
    }

    fn generate(
        &mut self,
        loc: Loc,
        over: Over,
        strict: bool,
        pattern: &Term,
        from: &Term,
    ) -> Read<Generator> {
        let (pattern, value) = if over == Over::Map {
            let field = self.map_field(pattern)?;
            (field.key, Some(field.value))
        } else {
            (self.expr(pattern)?, None)
        };
        Ok(Generator { loc, over, strict, pattern, value, from: self.expr(from)? })
    }
}

fn bit_type(term: &Term) -> Read<(Atom, Option<i64>)> {
    match term {
        Term::Atom(name) => Ok((name.clone(), None)),
        Term::Tuple(pair) => match &**pair {
            [name, Term::Int(unit)] => Ok((atom(name)?, Some(*unit))),
            _ => bad(term),
        },
        _ => bad(term),
    }
}
