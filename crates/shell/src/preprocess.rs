//! Macros, includes, conditions: from the text of a file to the tokens of its forms, as `epp` does.

use std::collections::BTreeMap;

use trunkline::Atom;
use trunkline::term::Term;

use crate::lexer::{self, Loc, Scan, Tok, Token};
use crate::limits::{INCLUDES_DEEP_MAX, TOKENS_MAX};
use crate::module::{ModuleError, wrong};

/// Who gives the files that are included.
pub trait Files {
    /// The text of a file, by the name that stands in `-include` or (with `true`) `-include_lib`.
    fn read(&mut self, name: &str, library: bool) -> Option<String>;
}

/// No files at all.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&mut self, _: &str, _: bool) -> Option<String> {
        None
    }
}

/// A macro: its parameters, if it takes some, and what stands for it.
#[derive(Clone)]
struct Macro {
    parameters: Option<Vec<Atom>>,
    tokens: Vec<Token>,
}

struct Preprocessor<'a> {
    files: &'a mut dyn Files,
    name: &'a str,
    macros: BTreeMap<String, Vec<Macro>>,
    /// For each open `-ifdef`: whether its lines count, and whether one of its ways was taken.
    conditions: Vec<(bool, bool)>,
    forms: Vec<Vec<Token>>,
    wrongs: Vec<ModuleError>,
    tokens: usize,
    function: (String, usize),
}

/// Where source comes from, and what is defined before its first line.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// What `?FILE` says.
    pub file: String,
    /// Macros without parameters, with what stands for them: `{d, Name, Value}` of `c/2`.
    pub macros: Vec<(Atom, Term)>,
}

/// The tokens of each form.
///
/// # Errors
/// At the first thing that is wrong.
pub fn forms(source: &str, files: &mut dyn Files) -> Result<Vec<Vec<Token>>, ModuleError> {
    let origin = Origin { file: "nofile".to_owned(), macros: Vec::new() };
    let (forms, wrongs) = forms_of(source, &origin, files);
    match wrongs.into_iter().next() {
        Some(wrong) => Err(wrong),
        None => Ok(forms),
    }
}

/// The tokens of each form, and all that is wrong.
pub fn forms_of(source: &str, origin: &Origin, files: &mut dyn Files) -> (Vec<Vec<Token>>, Vec<ModuleError>) {
    let mut this = Preprocessor {
        files,
        name: &origin.file,
        macros: BTreeMap::new(),
        conditions: Vec::new(),
        forms: Vec::new(),
        wrongs: Vec::new(),
        tokens: 0,
        function: Default::default(),
    };
    let at = Loc::new(1, 1);
    for (name, tok) in
        [("MACHINE", Tok::Atom(Atom::new("TRUNKLINE"))), ("OTP_RELEASE", Tok::Integer(Term::Int(25)))]
    {
        let tokens = vec![Token { loc: at, end: at, tok }];
        this.macros.insert(name.to_owned(), vec![Macro { parameters: None, tokens }]);
    }
    for (name, value) in &origin.macros {
        let tokens = lexer::tokens(&value.to_string(), at).unwrap_or_default();
        this.macros.insert(name.as_str().to_owned(), vec![Macro { parameters: None, tokens }]);
    }
    this.file(source, 0);
    if !this.conditions.is_empty() {
        this.wrongs.push(wrong(at, "unterminated -ifdef"));
    }
    (this.forms, this.wrongs)
}

impl Preprocessor<'_> {
    fn file(&mut self, source: &str, depth: usize) {
        if depth > INCLUDES_DEEP_MAX {
            self.wrongs.push(wrong(Loc::new(1, 1), "files include one another too deep"));
            return;
        }
        let mut rest = source;
        let mut loc = Loc::new(1, 1);
        loop {
            let (tokens, count) = match lexer::form(rest, loc, true) {
                Ok(Scan::Form(tokens, count)) => (tokens, count),
                Ok(Scan::Empty | Scan::More) => return,
                Err(error) => {
                    self.wrongs.push(wrong(error.loc, error.what));
                    return;
                }
            };
            let cut = rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at);
            loc = tokens.last().map_or(loc, |token| token.end);
            rest = &rest[cut..];
            // What comes behind something wrong is looked at too.
            if let Err(wrong) = self.form(tokens, depth) {
                self.wrongs.push(wrong);
            }
        }
    }

    fn form(&mut self, tokens: Vec<Token>, depth: usize) -> Result<(), ModuleError> {
        let word = directive(&tokens);
        let on = self.conditions.iter().all(|(on, _)| *on);
        match word.as_deref() {
            Some("ifdef" | "ifndef" | "if" | "else" | "elif" | "endif") => {
                self.condition(word.as_deref().unwrap_or_default(), &tokens, on)
            }
            _ if !on => Ok(()),
            Some("define") => self.define(tokens),
            Some("undef") => {
                if let Some(name) = tokens.get(3).and_then(name_of) {
                    self.macros.remove(&name);
                }
                Ok(())
            }
            Some("include" | "include_lib") => {
                let loc = tokens[0].loc;
                let library = word.as_deref() == Some("include_lib");
                let Some(Tok::Str(text)) = tokens.get(3).map(|token| &token.tok) else {
                    return Err(wrong(loc, "badly formed 'include'"));
                };
                let name: String = text.iter().filter_map(|c| char::from_u32(*c)).collect();
                match self.files.read(&name, library) {
                    Some(source) => {
                        self.file(&source, depth + 1);
                        Ok(())
                    }
                    None => {
                        let what = if library { "include lib" } else { "include file" };
                        Err(wrong(tokens[3].loc, format!("can't find {what} \"{name}\"")))
                    }
                }
            }
            Some("error") => Err(wrong(tokens[0].loc, "-error")),
            Some("warning" | "feature" | "doc" | "moduledoc") => Ok(()),
            _ => {
                self.note_function(&tokens);
                let expanded = self.expand(&tokens, &mut Vec::new())?;
                if let (Some("module"), Some(Tok::Atom(name))) =
                    (word.as_deref(), expanded.get(3).map(|token| &token.tok))
                {
                    self.define_module(name.clone(), expanded[0].loc);
                }
                self.forms.push(expanded);
                Ok(())
            }
        }
    }

    fn define_module(&mut self, name: Atom, loc: Loc) {
        let text = name.as_str().chars().map(|c| c as u32).collect();
        for (key, tok) in [("MODULE", Tok::Atom(name)), ("MODULE_STRING", Tok::Str(text))] {
            let tokens = vec![Token { loc, end: loc, tok }];
            self.macros.insert(key.to_owned(), vec![Macro { parameters: None, tokens }]);
        }
    }

    /// For `?FUNCTION_NAME` and `?FUNCTION_ARITY`.
    fn note_function(&mut self, tokens: &[Token]) {
        if let (Some(Tok::Atom(name)), Some(next)) = (tokens.first().map(|token| &token.tok), tokens.get(1))
            && next.is("(")
        {
            self.function = (name.as_str().to_owned(), arguments(tokens, 1).map_or(0, |(all, _)| all.len()));
        }
    }

    fn condition(&mut self, word: &str, tokens: &[Token], on: bool) -> Result<(), ModuleError> {
        let loc = tokens[0].loc;
        match word {
            "ifdef" | "ifndef" => {
                let name = tokens.get(3).and_then(name_of);
                let defined = name.is_some_and(|name| self.macros.contains_key(&name));
                let holds = defined == (word == "ifdef");
                self.conditions.push((on && holds, holds || !on));
            }
            "if" => {
                // Only constants are understood.
                let holds = self.constant(tokens)?;
                self.conditions.push((on && holds, holds || !on));
            }
            "else" => match self.conditions.last_mut() {
                Some((now, taken)) => {
                    *now = !*taken;
                    *taken = true;
                }
                None => return Err(wrong(loc, "unexpected -else")),
            },
            "elif" => {
                let holds = self.constant(tokens)?;
                match self.conditions.last_mut() {
                    Some((now, taken)) => {
                        *now = !*taken && holds;
                        *taken |= holds;
                    }
                    None => return Err(wrong(loc, "unexpected -elif")),
                }
            }
            _ => {
                if self.conditions.pop().is_none() {
                    return Err(wrong(loc, "unexpected -endif"));
                }
            }
        }
        Ok(())
    }

    /// `true`, `false`, or a comparison of numbers such as `?OTP_RELEASE >= 26`.
    fn constant(&mut self, tokens: &[Token]) -> Result<bool, ModuleError> {
        let end = tokens.len().saturating_sub(2);
        let inner = self.expand(tokens.get(3..end).unwrap_or(&[]), &mut Vec::new())?;
        let toks: Vec<&Tok> = inner.iter().map(|token| &token.tok).collect();
        Ok(match toks.as_slice() {
            [Tok::Atom(atom)] => *atom == *"true",
            [Tok::Integer(left), Tok::Word(op), Tok::Integer(right)] => match *op {
                ">=" => left >= right,
                ">" => left > right,
                "=<" => left <= right,
                "<" => left < right,
                "==" | "=:=" => left == right,
                _ => false,
            },
            _ => false,
        })
    }

    /// `-define(NAME, Tokens).` and `-define(NAME(A, B), Tokens).`
    fn define(&mut self, tokens: Vec<Token>) -> Result<(), ModuleError> {
        let loc = tokens[0].loc;
        let bad = || wrong(loc, "badly formed 'define'");
        let name = tokens.get(3).and_then(name_of).ok_or_else(bad)?;
        let (parameters, from) = match tokens.get(4) {
            Some(token) if token.is("(") => {
                let (all, next) = arguments(&tokens, 4).ok_or_else(bad)?;
                let names = all.into_iter().map(|argument| match argument {
                    [Token { tok: Tok::Var(name), .. }] => Some(name.clone()),
                    _ => None,
                });
                (Some(names.collect::<Option<Vec<_>>>().ok_or_else(bad)?), next)
            }
            _ => (None, 4),
        };
        if !tokens.get(from).is_some_and(|token| token.is(",")) || tokens.len() < from + 3 {
            return Err(bad());
        }
        let body = tokens[from + 1..tokens.len() - 2].to_vec();
        let all = self.macros.entry(name).or_default();
        let count = parameters.as_ref().map(Vec::len);
        all.retain(|one| one.parameters.as_ref().map(Vec::len) != count);
        all.push(Macro { parameters, tokens: body });
        Ok(())
    }

    /// The tokens with all macros replaced.
    fn expand(&mut self, tokens: &[Token], within: &mut Vec<String>) -> Result<Vec<Token>, ModuleError> {
        let mut out = Vec::new();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            if !token.is("?") {
                out.push(token.clone());
                at += 1;
                continue;
            }
            if tokens.get(at + 1).is_some_and(|next| next.is("?")) {
                out.push(token.clone());
                at += 1;
                continue;
            }
            let Some(name) = tokens.get(at + 1).and_then(name_of) else {
                return Err(wrong(token.loc, "badly formed macro call"));
            };
            let (expanded, next) = self.call(&name, tokens, at, within)?;
            self.tokens += expanded.len();
            if self.tokens > TOKENS_MAX {
                return Err(wrong(token.loc, "macros make too many tokens"));
            }
            out.extend(expanded);
            at = next;
        }
        Ok(out)
    }

    fn call(
        &mut self,
        name: &str,
        tokens: &[Token],
        at: usize,
        within: &mut Vec<String>,
    ) -> Result<(Vec<Token>, usize), ModuleError> {
        let loc = tokens[at].loc;
        let one = |tok| Ok((vec![Token { loc, end: loc, tok }], at + 2));
        match name {
            "LINE" => return one(Tok::Integer(Term::Int(loc.line.into()))),
            "FILE" => return one(Tok::Str(self.name.chars().map(|c| c as u32).collect())),
            "FUNCTION_NAME" => return one(Tok::Atom(Atom::new(&self.function.0))),
            "FUNCTION_ARITY" => return one(Tok::Integer(Term::Int(self.function.1 as i64))),
            _ => {}
        }
        let Some(all) = self.macros.get(name).cloned() else {
            return Err(wrong(tokens[at + 1].loc, format!("undefined macro '{name}'")));
        };
        if within.iter().any(|outer| outer == name) || within.len() > INCLUDES_DEEP_MAX {
            return Err(wrong(loc, format!("circular macro '{name}'")));
        }
        within.push(name.to_owned());
        let given = match tokens.get(at + 2) {
            Some(token) if token.is("(") => arguments(tokens, at + 2),
            _ => None,
        };
        let with = given.and_then(|(given, next)| {
            let fits = |one: &&Macro| one.parameters.as_ref().is_some_and(|names| names.len() == given.len());
            all.iter().find(fits).map(|one| (one.clone(), given, next))
        });
        let replaced = match with {
            Some((one, given, next)) => {
                let given: Vec<Vec<Token>> = given
                    .into_iter()
                    .map(|argument| self.expand(argument, &mut Vec::new()))
                    .collect::<Result<_, _>>()?;
                let body = substitute(&one, &given, loc);
                (self.expand(&body, within)?, next)
            }
            None => {
                let Some(one) = all.iter().find(|one| one.parameters.is_none()) else {
                    return Err(wrong(loc, format!("argument mismatch for macro '{name}'")));
                };
                let body: Vec<Token> =
                    one.tokens.iter().map(|token| Token { loc, end: loc, tok: token.tok.clone() }).collect();
                (self.expand(&body, within)?, at + 2)
            }
        };
        within.pop();
        Ok(replaced)
    }
}

/// The body of a macro with its parameters replaced; `??Param` by the text of the argument.
fn substitute(one: &Macro, given: &[Vec<Token>], loc: Loc) -> Vec<Token> {
    let names = one.parameters.as_deref().unwrap_or(&[]);
    let place = |token: &Token| match &token.tok {
        Tok::Var(name) => names.iter().position(|this| this == name),
        _ => None,
    };
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(token) = one.tokens.get(at) {
        let quoted = token.is("?") && one.tokens.get(at + 1).is_some_and(|next| next.is("?"));
        if let (true, Some(which)) = (quoted, one.tokens.get(at + 2).and_then(place)) {
            let text: Vec<String> = given[which].iter().map(Token::show).collect();
            let text = text.join(" ").chars().map(|c| c as u32).collect();
            out.push(Token { loc, end: loc, tok: Tok::Str(text) });
            at += 3;
            continue;
        }
        match place(token) {
            Some(which) => out.extend(given[which].iter().cloned()),
            None => out.push(Token { loc, end: loc, tok: token.tok.clone() }),
        }
        at += 1;
    }
    out
}

/// The name of a directive: of a form that begins with `-name(` or is `-name.`
fn directive(tokens: &[Token]) -> Option<String> {
    let first = tokens.first().filter(|token| token.is("-"))?;
    let _ = first;
    match &tokens.get(1)?.tok {
        Tok::Atom(name) => Some(name.as_str().to_owned()),
        Tok::Word(word) => Some((*word).to_owned()),
        _ => None,
    }
}

/// The name of a macro: an atom or a variable.
fn name_of(token: &Token) -> Option<String> {
    match &token.tok {
        Tok::Atom(name) | Tok::Var(name) => Some(name.as_str().to_owned()),
        Tok::Word(word) if word.chars().all(|c| c.is_ascii_alphabetic()) => Some((*word).to_owned()),
        _ => None,
    }
}

/// The arguments between the parentheses that open at `at`, and what comes behind them.
fn arguments(tokens: &[Token], at: usize) -> Option<(Vec<&[Token]>, usize)> {
    let (mut open, mut all, mut from) = (0usize, Vec::new(), at + 1);
    for (here, token) in tokens.iter().enumerate().skip(at) {
        match token.tok {
            Tok::Word("(" | "[" | "{" | "<<" | "begin" | "case" | "if" | "receive" | "try" | "maybe") => {
                open += 1
            }
            Tok::Word("fun") if tokens.get(here + 1).is_some_and(|next| next.is("(")) => open += 1,
            Tok::Word(")" | "]" | "}" | ">>" | "end") => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    if here > from || !all.is_empty() {
                        all.push(&tokens[from..here]);
                    }
                    return Some((all, here + 1));
                }
            }
            Tok::Word(",") if open == 1 => {
                all.push(&tokens[from..here]);
                from = here + 1;
            }
            Tok::Dot => return None,
            _ => {}
        }
    }
    None
}
