//! Enums: variants without fields are atoms, the others tagged tuples.

use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{DataEnum, Fields, Ident};

use crate::attributes::{Shape, TypeAttributes, variant_tag};
use crate::fields::{atom, pattern, plans};

pub(crate) fn into_term(data: &DataEnum, attributes: &TypeAttributes) -> syn::Result<Tokens> {
    let term = &attributes.path;
    let mut arms = Vec::new();
    for variant in &data.variants {
        let (name, plans) = (&variant.ident, plans(&variant.fields)?);
        let (pattern, tag) = (pattern(&plans), variant_tag(variant)?);
        let terms = plans.iter().map(|plan| plan.writing(term));
        let tag = atom(term, &tag);
        arms.push(match (&variant.fields, &attributes.shape) {
            (Fields::Unit, _) => quote!(Self::#name => #tag,),
            (_, Shape::Untagged) if plans.len() == 1 => quote!(Self::#name #pattern => #(#terms)*,),
            (_, Shape::Untagged) => quote!(Self::#name #pattern => #term::Term::tuple([#(#terms),*]),),
            _ => quote!(Self::#name #pattern => #term::Term::tuple([#tag, #(#terms),*]),),
        });
    }
    Ok(quote!(match self { #(#arms)* }))
}

pub(crate) fn from_term(name: &Ident, data: &DataEnum, attributes: &TypeAttributes) -> syn::Result<Tokens> {
    let term = &attributes.path;
    let expected = format!("a term of {name}");
    let mut tries = Vec::new();
    for variant in &data.variants {
        let (name, plans, tag) = (&variant.ident, plans(&variant.fields)?, variant_tag(variant)?);
        let names: Vec<_> = plans.iter().map(|plan| &plan.name).collect();
        let values = plans.iter().map(|plan| plan.reading(term));
        tries.push(match (&variant.fields, &attributes.shape) {
            (Fields::Unit, _) => quote! {
                if term.is_atom(#tag) {
                    return ::core::result::Result::Ok(Self::#name);
                }
            },
            (_, Shape::Untagged) => {
                let bind = match plans.len() {
                    1 => quote!(let #(#names)* = term;),
                    _ => quote! {
                        let ::core::option::Option::Some([#(#names),*]) = term.as_tuple() else {
                            return ::core::result::Result::Err(#term::Mismatch::expected(#expected));
                        };
                    },
                };
                quote! {
                    let read = || -> ::core::result::Result<Self, #term::Mismatch> {
                        #bind
                        ::core::result::Result::Ok(Self::#name { #(#values),* })
                    };
                    if let ::core::result::Result::Ok(value) = read() {
                        return ::core::result::Result::Ok(value);
                    }
                }
            }
            _ => quote! {
                if let ::core::option::Option::Some([tag, #(#names),*]) = term.as_tuple()
                    && tag.is_atom(#tag)
                {
                    return ::core::result::Result::Ok(Self::#name { #(#values),* });
                }
            },
        });
    }
    Ok(quote! {
        #(#tries)*
        ::core::result::Result::Err(#term::Mismatch::expected(#expected))
    })
}
