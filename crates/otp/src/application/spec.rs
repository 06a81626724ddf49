//! What others know of an application: the keys of OTP's `.app` files.

use term::{Atom, Term, term};

/// A specification. (`{application, Name, Keys}`.)
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub(super) name: Atom,
    pub(super) description: String,
    pub(super) vsn: String,
    pub(super) modules: Vec<Atom>,
    pub(super) registered: Vec<Atom>,
    pub(super) needs: Vec<Atom>,
    pub(super) optional: Vec<Atom>,
    pub(super) env: Vec<(Atom, Term)>,
    pub(super) start_phases: Option<Vec<(Atom, Term)>>,
    pub(super) included: Vec<Atom>,
    /// `mod`: the callback module and its arguments.
    pub(super) module: Option<(Atom, Term)>,
}

impl Spec {
    /// One that needs `kernel` and `stdlib`, as every application does.
    pub fn new(name: impl Into<Atom>) -> Spec {
        Spec {
            name: name.into(),
            description: String::new(),
            vsn: String::new(),
            modules: Vec::new(),
            registered: Vec::new(),
            needs: vec![Atom::new("kernel"), Atom::new("stdlib")],
            optional: Vec::new(),
            env: Vec::new(),
            start_phases: None,
            included: Vec::new(),
            module: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &Atom {
        &self.name
    }

    /// What it does, in a few words.
    pub fn describe(mut self, description: &str) -> Spec {
        self.description = description.to_owned();
        self
    }

    /// Its version.
    pub fn vsn(mut self, vsn: &str) -> Spec {
        self.vsn = vsn.to_owned();
        self
    }

    /// The applications that must be started before it. (`applications`.)
    pub fn needs(mut self, applications: impl IntoIterator<Item = impl Into<Atom>>) -> Spec {
        self.needs = applications.into_iter().map(Into::into).collect();
        self
    }

    /// Those of its needs that may be missing. (`optional_applications`.)
    pub fn optional(mut self, applications: impl IntoIterator<Item = impl Into<Atom>>) -> Spec {
        self.optional = applications.into_iter().map(Into::into).collect();
        self
    }

    /// The names that its processes register.
    pub fn registered(mut self, names: impl IntoIterator<Item = impl Into<Atom>>) -> Spec {
        self.registered = names.into_iter().map(Into::into).collect();
        self
    }

    /// The modules it consists of, for those who ask.
    pub fn modules(mut self, modules: impl IntoIterator<Item = impl Into<Atom>>) -> Spec {
        self.modules = modules.into_iter().map(Into::into).collect();
        self
    }

    /// A parameter, until the configuration says otherwise.
    pub fn env(mut self, key: impl Into<Atom>, value: Term) -> Spec {
        self.env.push((key.into(), value));
        self
    }

    /// One more start phase, and its arguments.
    pub fn phase(mut self, phase: impl Into<Atom>, arguments: Term) -> Spec {
        self.start_phases.get_or_insert_default().push((phase.into(), arguments));
        self
    }

    /// Reads `{application, Name, Keys}`; nothing when it is none.
    pub fn from_term(term: &Term) -> Option<Spec> {
        let [tag, Term::Atom(name), Term::List(keys)] = term.as_tuple()? else { return None };
        if !tag.is_atom("application") || keys.improper_tail().is_some() {
            return None;
        }
        let mut spec = Spec { needs: Vec::new(), ..Spec::new(name.clone()) };
        for key in keys.iter() {
            let [Term::Atom(key), value] = key.as_tuple()? else { return None };
            match key.as_str() {
                "description" => spec.description = text(value)?,
                "vsn" => spec.vsn = text(value)?,
                "modules" => spec.modules = atoms(value)?,
                "registered" => spec.registered = atoms(value)?,
                "applications" => spec.needs = atoms(value)?,
                "optional_applications" => spec.optional = atoms(value)?,
                "env" => spec.env = pairs(value)?,
                "start_phases" => spec.start_phases = Some(pairs(value)?),
                "included_applications" => spec.included = atoms(value)?,
                "mod" => spec.module = callback(value)?,
                _ => {}
            }
        }
        Some(spec)
    }

    /// The value of a key of the `.app` file; nothing for a key that there is not.
    pub fn key(&self, key: &str) -> Option<Term> {
        let list = |atoms: &[Atom]| Term::list(atoms.iter().cloned().map(Term::Atom));
        let pairs = |pairs: &[(Atom, Term)]| {
            Term::list(pairs.iter().map(|(key, value)| term!({(key.clone()), (value.clone())})))
        };
        Some(match key {
            "description" => Term::string(&self.description),
            "id" => Term::NIL,
            "vsn" => Term::string(&self.vsn),
            "modules" => list(&self.modules),
            "maxP" | "maxT" => Term::atom("infinity"),
            "registered" => list(&self.registered),
            "included_applications" => list(&self.included),
            "optional_applications" => list(&self.optional),
            "applications" => list(&self.needs),
            "env" => pairs(&self.env),
            "mod" => {
                let pair =
                    |(module, arguments): &(Atom, Term)| term!({(module.clone()), (arguments.clone())});
                self.module.as_ref().map_or(Term::NIL, pair)
            }
            "start_phases" => self.start_phases.as_deref().map_or(Term::atom("undefined"), pairs),
            _ => return None,
        })
    }
}

/// The keys in the order in which `application:get_all_key/1` has them.
pub(super) const KEYS: [&str; 12] = [
    "description",
    "id",
    "vsn",
    "modules",
    "maxP",
    "maxT",
    "registered",
    "included_applications",
    "optional_applications",
    "applications",
    "env",
    "mod",
];

pub(super) fn atoms(term: &Term) -> Option<Vec<Atom>> {
    let list = term.as_list().filter(|list| list.improper_tail().is_none())?;
    list.iter().map(|item| item.as_atom().cloned()).collect()
}

pub(super) fn pairs(term: &Term) -> Option<Vec<(Atom, Term)>> {
    let list = term.as_list().filter(|list| list.improper_tail().is_none())?;
    let pair = |item: Term| match item.as_tuple()? {
        [Term::Atom(key), value] => Some((key.clone(), value.clone())),
        _ => None,
    };
    list.iter().map(pair).collect()
}

/// `{Module, Arguments}`; `[]` is none.
fn callback(term: &Term) -> Option<Option<(Atom, Term)>> {
    match term {
        Term::List(list) if list.is_nil() => Some(None),
        other => match other.as_tuple()? {
            [Term::Atom(module), arguments] => Some(Some((module.clone(), arguments.clone()))),
            _ => None,
        },
    }
}

fn text(term: &Term) -> Option<String> {
    term.as_list().and_then(term::convert::text_of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use term::read::read_term;

    #[test]
    fn a_spec_is_read_as_an_app_file_has_it() {
        let text = "{application, shop, [{description, \"sells\"}, {vsn, \"1.0\"}, {applications, [kernel]}, \
                    {registered, [till]}, {env, [{a, 1}]}, {start_phases, [{go, []}]}, {mod, {shop_app, []}}]}";
        let spec = Spec::from_term(&read_term(text).unwrap()).unwrap();
        let built = Spec::new("shop").describe("sells").vsn("1.0").needs(["kernel"]).registered(["till"]);
        let module = Some((Atom::new("shop_app"), Term::NIL));
        let built = Spec { module, ..built.env("a", Term::Int(1)).phase("go", Term::NIL) };
        assert_eq!(spec, built);
        assert_eq!(spec.key("applications"), Some(term!([kernel])));
        assert_eq!(spec.key("colour"), None);
    }

    #[test]
    fn what_is_no_spec_is_refused() {
        for text in [
            "shop",
            "{application, shop}",
            "{application, \"shop\", []}",
            "{application, shop, [{vsn}]}",
            "{application, shop, [{env, [a]}]}",
            "{application, shop, [{applications, kernel}]}",
            "{application, shop, [a|b]}",
        ] {
            assert_eq!(Spec::from_term(&read_term(text).unwrap()), None, "{text}");
        }
    }
}
