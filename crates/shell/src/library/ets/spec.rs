//! Match specifications: patterns for objects, guards, and what becomes of an object that passes.

use std::sync::Arc;

use trunkline::term::{List, Map, Term};
use trunkline::{Atom, Pid};

use crate::library::{guard_bif, operator};
use crate::limits::MATCH_SPEC_LEVELS_MAX;
use crate::machine::code::PureFn;

/// What `self()` and `node()` are in a match specification.
#[derive(Clone)]
pub(super) struct Here {
    pub(super) pid: Pid,
    pub(super) node: Atom,
}

/// A match specification, understood.
#[derive(Clone)]
pub(crate) struct Spec {
    clauses: Arc<Vec<Clause>>,
}

struct Clause {
    head: Pattern,
    guards: Vec<Value>,
    body: Vec<Value>,
}

/// A pattern of a head. Variables are `'$0'`, `'$1'` …, each with its place among those of its clause.
enum Pattern {
    Any,
    Var(usize),
    Const(Term),
    Tuple(Vec<Pattern>),
    List(Vec<Pattern>, Box<Pattern>),
    Map(Vec<(Term, Pattern)>),
}

/// An expression of a guard or a body.
enum Value {
    Const(Term),
    Var(usize),
    /// `'$_'`.
    Object,
    /// `'$$'`.
    All,
    Me,
    Node,
    Tuple(Vec<Value>),
    List(Vec<Value>, Box<Value>),
    Map(Vec<(Value, Value)>),
    Call(PureFn, Vec<Value>),
    And(Vec<Value>),
    Or(Vec<Value>),
}

/// Why a specification is none.
pub(super) type Wrong = String;

impl Spec {
    /// Understands a match specification.
    pub(super) fn read(term: &Term) -> Result<Spec, Wrong> {
        let clauses = proper(term).ok_or("a match specification is a list")?;
        let clauses: Result<Vec<Clause>, Wrong> = clauses.iter().map(clause).collect();
        Ok(Spec { clauses: Arc::new(clauses?) })
    }

    /// The specification of `match/2` (`'$$'`), `match_object/2` (`'$_'`), `match_delete/2` (`true`).
    pub(super) fn of_pattern(pattern: &Term, result: &str) -> Result<Spec, Wrong> {
        let clause = Term::tuple([pattern.clone(), Term::NIL, Term::list([Term::atom(result)])]);
        Spec::read(&Term::list([clause]))
    }

    /// What becomes of this object; nothing when no clause fits.
    pub(super) fn run(&self, object: &Term, here: &Here) -> Option<Term> {
        self.clauses.iter().find_map(|clause| clause.run(object, here))
    }

    /// The key that every object has that fits, when there is but one.
    pub(super) fn key(&self, keypos: usize) -> Option<&Term> {
        let [Clause { head: Pattern::Tuple(parts), .. }] = self.clauses.as_slice() else {
            return self.constant(keypos);
        };
        match parts.get(keypos - 1)? {
            Pattern::Const(key) => Some(key),
            _ => None,
        }
    }

    /// The key of a head that is a constant altogether.
    fn constant(&self, keypos: usize) -> Option<&Term> {
        match self.clauses.as_slice() {
            [Clause { head: Pattern::Const(object), .. }] => object.as_tuple()?.get(keypos - 1),
            _ => None,
        }
    }
}

impl Clause {
    fn run(&self, object: &Term, here: &Here) -> Option<Term> {
        let mut bound = Bound::default();
        if !fits(&self.head, object, &mut bound) {
            return None;
        }
        let scene = Scene { object, bound: &bound, here };
        for guard in &self.guards {
            if !guard.evaluate(&scene).is_some_and(|value| value.is_atom("true")) {
                return None;
            }
        }
        let mut last = Term::NIL;
        for value in &self.body {
            last = value.evaluate(&scene).unwrap_or_else(|| Term::atom("EXIT"));
        }
        Some(last)
    }
}

/// Variables by number.
#[derive(Default)]
struct Bound(Vec<(usize, Term)>);

impl Bound {
    fn get(&self, name: usize) -> Option<&Term> {
        self.0.binary_search_by_key(&name, |(name, _)| *name).ok().map(|at| &self.0[at].1)
    }

    /// Whether the variable has this value from now on.
    fn bind(&mut self, name: usize, value: &Term) -> bool {
        match self.0.binary_search_by_key(&name, |(name, _)| *name) {
            Ok(at) => self.0[at].1 == *value,
            Err(at) => {
                self.0.insert(at, (name, value.clone()));
                true
            }
        }
    }
}

fn fits(pattern: &Pattern, value: &Term, bound: &mut Bound) -> bool {
    match (pattern, value) {
        (Pattern::Any, _) => true,
        (Pattern::Var(name), value) => bound.bind(*name, value),
        (Pattern::Const(constant), value) => constant == value,
        (Pattern::Tuple(parts), Term::Tuple(items)) => {
            parts.len() == items.len() && parts.iter().zip(items.iter()).all(|(p, v)| fits(p, v, bound))
        }
        (Pattern::List(parts, tail), Term::List(_)) => {
            let mut rest = value.clone();
            for part in parts {
                let Term::List(list) = &rest else { return false };
                let Some((first, more)) = list.uncons() else { return false };
                if !fits(part, &first, bound) {
                    return false;
                }
                rest = more;
            }
            fits(tail, &rest, bound)
        }
        (Pattern::Map(pairs), Term::Map(map)) => {
            pairs.iter().all(|(key, part)| map.get(key).is_some_and(|value| fits(part, value, bound)))
        }
        _ => false,
    }
}

struct Scene<'a> {
    object: &'a Term,
    bound: &'a Bound,
    here: &'a Here,
}

impl Value {
    fn evaluate(&self, scene: &Scene<'_>) -> Option<Term> {
        Some(match self {
            Value::Const(term) => term.clone(),
            Value::Var(name) => scene.bound.get(*name)?.clone(),
            Value::Object => scene.object.clone(),
            Value::All => Term::list(scene.bound.0.iter().map(|(_, value)| value.clone())),
            Value::Me => Term::Pid(scene.here.pid.clone()),
            Value::Node => Term::Atom(scene.here.node.clone()),
            Value::Tuple(parts) => Term::Tuple(all(parts, scene)?.into()),
            Value::List(parts, tail) => List::with_tail(all(parts, scene)?, tail.evaluate(scene)?),
            Value::Map(pairs) => {
                let mut map = Map::default();
                for (key, value) in pairs {
                    map.insert(key.evaluate(scene)?, value.evaluate(scene)?);
                }
                Term::Map(map)
            }
            Value::Call(function, arguments) => return function(&all(arguments, scene)?).ok(),
            Value::And(parts) => return shortcut(parts, "false", scene),
            Value::Or(parts) => return shortcut(parts, "true", scene),
        })
    }
}

fn all(parts: &[Value], scene: &Scene<'_>) -> Option<Vec<Term>> {
    parts.iter().map(|part| part.evaluate(scene)).collect()
}

/// `andalso` and `orelse` of any number of parts: ends with the first that decides.
fn shortcut(parts: &[Value], decides: &str, scene: &Scene<'_>) -> Option<Term> {
    let mut last = Term::atom(if decides == "true" { "false" } else { "true" });
    for part in parts {
        last = part.evaluate(scene)?;
        if last.is_atom(decides) {
            return Some(last);
        }
        if !(last.is_atom("true") || last.is_atom("false")) {
            return None;
        }
    }
    Some(last)
}

fn proper(term: &Term) -> Option<Vec<Term>> {
    match term {
        Term::List(list) if list.improper_tail().is_none() => Some(list.iter().collect()),
        _ => None,
    }
}

fn clause(term: &Term) -> Result<Clause, Wrong> {
    let Some([head, guards, body]) = term.as_tuple() else {
        return Err("Match head, guards and body are a tuple of three.".to_owned());
    };
    let mut names = Vec::new();
    let head = pattern(head, &mut names, 0)?;
    let guards = proper(guards).ok_or("The guards are no list.")?;
    let body = proper(body).filter(|body| !body.is_empty()).ok_or("The body is no list, or empty.")?;
    let reader = Reader { names: &names };
    let guards = guards.iter().map(|guard| reader.value(guard, 0)).collect::<Result<_, _>>()?;
    let body = body.iter().map(|value| reader.value(value, 0)).collect::<Result<_, _>>()?;
    Ok(Clause { head, guards, body })
}

/// `'$7'` is the variable 7.
fn variable(term: &Term) -> Option<usize> {
    let digits = term.as_atom()?.as_str().strip_prefix('$')?;
    let number = !digits.is_empty() && digits.len() < 10 && digits.bytes().all(|b| b.is_ascii_digit());
    if number { digits.parse().ok() } else { None }
}

fn too_deep() -> Wrong {
    "The match specification is nested too deep.".to_owned()
}

fn pattern(term: &Term, names: &mut Vec<usize>, level: usize) -> Result<Pattern, Wrong> {
    if level > MATCH_SPEC_LEVELS_MAX {
        return Err(too_deep());
    }
    if term.is_atom("_") {
        return Ok(Pattern::Any);
    }
    if let Some(name) = variable(term) {
        names.push(name);
        return Ok(Pattern::Var(name));
    }
    let constant = |part: &Pattern| matches!(part, Pattern::Const(_));
    Ok(match term {
        Term::Tuple(items) => {
            let parts = items.iter().map(|item| pattern(item, names, level + 1));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            if parts.iter().all(constant) { Pattern::Const(term.clone()) } else { Pattern::Tuple(parts) }
        }
        Term::List(list) if !list.is_nil() => {
            let parts = list.iter().map(|item| pattern(&item, names, level + 1));
            let parts = parts.collect::<Result<Vec<_>, _>>()?;
            let tail = pattern(list.improper_tail().unwrap_or(&Term::NIL), names, level + 1)?;
            let whole = parts.iter().all(constant) && constant(&tail);
            if whole { Pattern::Const(term.clone()) } else { Pattern::List(parts, Box::new(tail)) }
        }
        Term::Map(map) => {
            let pairs = map.pairs().iter().map(|(key, value)| {
                if variable(key).is_some() || key.is_atom("_") {
                    return Err("A key of a map in a head is no variable.".to_owned());
                }
                Ok((key.clone(), pattern(value, names, level + 1)?))
            });
            Pattern::Map(pairs.collect::<Result<_, _>>()?)
        }
        other => Pattern::Const(other.clone()),
    })
}

struct Reader<'a> {
    names: &'a [usize],
}

impl Reader<'_> {
    fn value(&self, term: &Term, level: usize) -> Result<Value, Wrong> {
        if level > MATCH_SPEC_LEVELS_MAX {
            return Err(too_deep());
        }
        if let Some(name) = variable(term) {
            return match self.names.contains(&name) {
                true => Ok(Value::Var(name)),
                false => Err(format!("Variable ${name} is unbound.")),
            };
        }
        Ok(match term {
            Term::Atom(atom) if *atom == *"$_" => Value::Object,
            Term::Atom(atom) if *atom == *"$$" => Value::All,
            Term::Tuple(items) => return self.tuple(items, level + 1),
            Term::List(list) if !list.is_nil() => {
                let parts = list.iter().map(|part| self.value(&part, level + 1));
                let parts = parts.collect::<Result<_, _>>()?;
                let tail = self.value(list.improper_tail().unwrap_or(&Term::NIL), level + 1)?;
                Value::List(parts, Box::new(tail))
            }
            Term::Map(map) => {
                let pairs = map.pairs().iter().map(|(key, value)| {
                    Ok::<_, Wrong>((self.value(key, level + 1)?, self.value(value, level + 1)?))
                });
                Value::Map(pairs.collect::<Result<_, _>>()?)
            }
            other => Value::Const(other.clone()),
        })
    }

    fn values(&self, terms: &[Term], level: usize) -> Result<Vec<Value>, Wrong> {
        terms.iter().map(|term| self.value(term, level)).collect()
    }

    /// `{{…}}` makes a tuple, `{const, Term}` is a constant, everything else is a call.
    fn tuple(&self, items: &[Term], level: usize) -> Result<Value, Wrong> {
        match items {
            [Term::Tuple(inner)] => Ok(Value::Tuple(self.values(inner, level)?)),
            [tag, constant] if tag.is_atom("const") => Ok(Value::Const(constant.clone())),
            [Term::Atom(function), arguments @ ..] => self.call(function, arguments, level),
            _ => Err(format!("Function {} does_not_exist.", Term::Tuple(items.to_vec().into()))),
        }
    }

    fn call(&self, function: &Atom, terms: &[Term], level: usize) -> Result<Value, Wrong> {
        let name = function.as_str();
        let arguments = self.values(terms, level)?;
        let count = arguments.len();
        match (name, count) {
            ("self", 0) => return Ok(Value::Me),
            ("node", 0) => return Ok(Value::Node),
            ("andalso", 1..) => return Ok(Value::And(arguments)),
            ("orelse", 1..) => return Ok(Value::Or(arguments)),
            ("and" | "or", 1..) if count != 2 => return Ok(chain(name, arguments)),
            // Only with atoms for name and size.
            ("is_record", 2 | 3) if !matches!(terms[1], Term::Atom(_)) => {
                return Err("is_record called with something that is no name.".to_owned());
            }
            ("++" | "--", _) => return Err(format!("Function {name}/{count} does_not_exist.")),
            _ => {}
        }
        match guard_bif(name, count).or_else(|| operator(name, count)) {
            Some(function) => Ok(Value::Call(function, arguments)),
            None => Err(format!("Function {name}/{count} does_not_exist.")),
        }
    }
}

/// `{'and', A, B, C}`: one after the other.
fn chain(name: &str, arguments: Vec<Value>) -> Value {
    let mut arguments = arguments.into_iter();
    let first = arguments.next().unwrap_or(Value::Const(Term::atom("true")));
    let Some(function) = operator(name, 2) else { return first };
    let neutral = Value::Const(Term::atom(if name == "and" { "true" } else { "false" }));
    let first = Value::Call(function, vec![neutral, first]);
    arguments.fold(first, |left, right| Value::Call(function, vec![left, right]))
}
