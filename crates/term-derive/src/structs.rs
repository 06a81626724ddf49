//! Structs: tagged tuples, plain tuples, maps, Elixir structs.

use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Fields, Ident};

use crate::attributes::{Shape, TypeAttributes, snake};
use crate::fields::{FieldPlan, atom, pattern, plans, shape};

pub(crate) fn into_term(name: &Ident, fields: &Fields, attributes: &TypeAttributes) -> syn::Result<Tokens> {
    let (term, plans) = (&attributes.path, plans(fields)?);
    let pattern = pattern(&plans);
    let terms = plans.iter().map(|plan| plan.writing(term));
    let body = match &attributes.shape {
        Shape::Tagged if matches!(fields, Fields::Unit) => atom(term, &tag(name, attributes)),
        Shape::Tagged => {
            let tag = atom(term, &tag(name, attributes));
            quote!(#term::Term::tuple([#tag, #(#terms),*]))
        }
        Shape::Untagged => quote!(#term::Term::tuple([#(#terms),*])),
        Shape::Transparent => only(name, &plans)?.writing(term),
        Shape::Map | Shape::Elixir(_) => {
            let keys = plans.iter().map(|plan| atom(term, &plan.key()));
            let kind = elixir_pair(attributes);
            quote!(#term::Term::Map(::core::iter::FromIterator::<(#term::Term, #term::Term)>::from_iter(
                [#kind #((#keys, #terms)),*]
            )))
        }
    };
    Ok(quote!(let Self #pattern = self; #body))
}

pub(crate) fn from_term(name: &Ident, fields: &Fields, attributes: &TypeAttributes) -> syn::Result<Tokens> {
    let (term, plans) = (&attributes.path, plans(fields)?);
    let names: Vec<_> = plans.iter().map(|plan| &plan.name).collect();
    let values = plans.iter().map(|plan| plan.reading(term));
    let refuse = |expected: &str| quote!(::core::result::Result::Err(#term::Mismatch::expected(#expected)));
    Ok(match &attributes.shape {
        Shape::Tagged if matches!(fields, Fields::Unit) => {
            let tag = tag(name, attributes);
            let refuse = refuse(&tag);
            quote!(if term.is_atom(#tag) { ::core::result::Result::Ok(Self) } else { #refuse })
        }
        Shape::Tagged => {
            let tag = tag(name, attributes);
            let refuse = refuse(&format!("{{{tag}{}}}", shape(&plans)));
            quote!(match term.as_tuple() {
                ::core::option::Option::Some([tag, #(#names),*]) if tag.is_atom(#tag) => {
                    ::core::result::Result::Ok(Self { #(#values),* })
                }
                _ => #refuse,
            })
        }
        Shape::Untagged => {
            let refuse = refuse(&format!("{{{}}}", shape(&plans).trim_start_matches(", ")));
            quote!(match term.as_tuple() {
                ::core::option::Option::Some([#(#names),*]) => {
                    ::core::result::Result::Ok(Self { #(#values),* })
                }
                _ => #refuse,
            })
        }
        Shape::Transparent => {
            let FieldPlan { name, .. } = only(name, &plans)?;
            quote!(let #name = term; ::core::result::Result::Ok(Self { #(#values),* }))
        }
        Shape::Map | Shape::Elixir(_) => {
            let values = plans.iter().map(|plan| plan.reading_key(term));
            let refuse_map = refuse("a map");
            let check = elixir_check(attributes);
            quote! {
                let ::core::option::Option::Some(map) = term.as_map() else { return #refuse_map };
                #check
                ::core::result::Result::Ok(Self { #(#values),* })
            }
        }
    })
}

fn tag(name: &Ident, attributes: &TypeAttributes) -> String {
    attributes.tag.clone().unwrap_or_else(|| snake(name))
}

fn only<'a>(name: &Ident, plans: &'a [FieldPlan]) -> syn::Result<&'a FieldPlan> {
    match plans {
        [plan] => Ok(plan),
        _ => Err(syn::Error::new_spanned(name, "a transparent struct has exactly one field")),
    }
}

fn elixir_pair(attributes: &TypeAttributes) -> Tokens {
    let Shape::Elixir(module) = &attributes.shape else { return Tokens::new() };
    let (key, module) = (atom(&attributes.path, "__struct__"), atom(&attributes.path, &module.value()));
    quote!((#key, #module),)
}

fn elixir_check(attributes: &TypeAttributes) -> Tokens {
    let Shape::Elixir(module) = &attributes.shape else { return Tokens::new() };
    let (term, key) = (&attributes.path, atom(&attributes.path, "__struct__"));
    let expected = format!("a struct of {}", module.value());
    quote! {
        if !map.get(&#key).is_some_and(|module| module.is_atom(#module)) {
            return ::core::result::Result::Err(#term::Mismatch::expected(#expected));
        }
    }
}
