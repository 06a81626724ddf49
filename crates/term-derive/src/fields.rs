//! Fields to terms and back.

use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use syn::{Fields, Ident, Member, Path};

use crate::attributes::FieldAttributes;

pub(crate) struct FieldPlan {
    pub(crate) member: Member,
    /// The variable that holds the field, or its term.
    pub(crate) name: Ident,
    pub(crate) attributes: FieldAttributes,
}

pub(crate) fn plans(fields: &Fields) -> syn::Result<Vec<FieldPlan>> {
    let plan = |(at, (field, member)): (usize, (&syn::Field, Member))| {
        let name = Ident::new(&format!("field_{at}"), Span::call_site());
        Ok(FieldPlan { member, name, attributes: FieldAttributes::of(field)? })
    };
    fields.iter().zip(fields.members()).enumerate().map(plan).collect()
}

/// `{ a: field_0, 0: field_1 }`, a pattern for structs and variants of all kinds.
pub(crate) fn pattern(plans: &[FieldPlan]) -> Tokens {
    let parts = plans.iter().map(|FieldPlan { member, name, .. }| quote!(#member: #name));
    quote!({ #(#parts),* })
}

/// A constant atom, made when the program is compiled.
pub(crate) fn atom(term: &Path, text: &str) -> Tokens {
    quote!({
        const ATOM: #term::Atom = #term::Atom::constant(&#text);
        #term::Term::Atom(ATOM)
    })
}

impl FieldPlan {
    /// The key of the field in a map.
    pub(crate) fn key(&self) -> String {
        match (&self.attributes.key, &self.member) {
            (Some(key), _) => key.clone(),
            (None, Member::Named(name)) => name.to_string().trim_start_matches("r#").to_owned(),
            (None, Member::Unnamed(at)) => at.index.to_string(),
        }
    }

    /// The expression for the field's term.
    pub(crate) fn writing(&self, term: &Path) -> Tokens {
        let name = &self.name;
        let write = |value: Tokens| match self.attributes.with_string {
            true => quote!(#term::Term::string(::core::convert::AsRef::<str>::as_ref(&#value))),
            false => quote!(#term::IntoTerm::into_term(#value)),
        };
        if !self.attributes.nil {
            return write(quote!(#name));
        }
        let (some, nil) = (write(quote!(value)), atom(term, "nil"));
        quote!(match #name {
            ::core::option::Option::Some(value) => #some,
            ::core::option::Option::None => #nil,
        })
    }

    /// `member: expression`, the expression reading the term in the field's variable.
    pub(crate) fn reading(&self, term: &Path) -> Tokens {
        let (member, value) = (&self.member, self.reading_value(term));
        quote!(#member: #value)
    }

    /// The same from a map, where the key can be absent.
    pub(crate) fn reading_key(&self, term: &Path) -> Tokens {
        let (member, name, value) = (&self.member, &self.name, self.reading_value(term));
        let expected = format!("a map with the key {}", self.key());
        let absent = match self.attributes.nil || self.attributes.default {
            true => quote!(::core::default::Default::default()),
            false => quote!(return ::core::result::Result::Err(#term::Mismatch::expected(#expected))),
        };
        let key = atom(term, &self.key());
        quote!(#member: match map.get(&#key) {
            ::core::option::Option::Some(#name) => #value,
            ::core::option::Option::None => #absent,
        })
    }

    /// The expression that reads the term in the field's variable.
    pub(crate) fn reading_value(&self, term: &Path) -> Tokens {
        let name = &self.name;
        let read = quote!(#term::FromTerm::from_term(#name)?);
        if self.attributes.nil {
            return quote!(if #name.is_atom("nil") {
                ::core::option::Option::None
            } else {
                ::core::option::Option::Some(#read)
            });
        }
        if self.attributes.default {
            return quote!(if #name.is_atom("undefined") {
                ::core::default::Default::default()
            } else {
                #read
            });
        }
        read
    }
}

/// What a row of fields looks like, for error messages: `, Name, Age`.
pub(crate) fn shape(plans: &[FieldPlan]) -> String {
    plans.iter().map(|plan| format!(", {}", capital(&plan.key()))).collect()
}

fn capital(key: &str) -> String {
    match key.chars().next() {
        Some(first) if first.is_alphabetic() => key
            .split('_')
            .map(|word| {
                word.chars()
                    .take(1)
                    .flat_map(char::to_uppercase)
                    .chain(word.chars().skip(1))
                    .collect::<String>()
            })
            .collect(),
        _ => String::from("_"),
    }
}
