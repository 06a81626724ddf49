//! derive(IntoTerm, FromTerm, Request): Rust types as Erlang terms.
//!
//! | Rust | Erlang |
//! |---|---|
//! | `struct Ping { from: Pid, n: i64 }` | `{ping, From, N}` |
//! | `struct Stop;` | `stop` |
//! | `enum Request { Stop, Add(i64), Move { x: i64, y: i64 } }` | `stop`, `{add, N}`, `{move, X, Y}` |
//!
//! On a struct, `#[term(...)]` takes
//! - `tag = "ping"`: another tag than the type's name in snake case (also on a variant);
//! - `untagged`: a plain tuple of the fields;
//! - `transparent`: the term of the one field there is;
//! - `map`: a map from field names to values; other keys of a map that is read don't matter;
//! - `elixir = "Elixir.My.Module"`: such a map, with `'__struct__' => 'Elixir.My.Module'`.
//!
//! On any type `crate = "path"` says where the crate of terms is, `::trunkline::term` unless told.
//!
//! On a field
//! - `nil`: an `Option` whose `None` is `nil`, as Elixir has it, not `undefined`;
//! - `default`: reads `undefined`, and an absent key of a map, as the default;
//! - `with_string`: a text that is written as a list of characters, not as a binary (both are read);
//! - `key = "name"`: another key than the field's name, in maps.

//!
//! `derive(Request)` is for the questions that a generic server answers: an enum in which every variant has one field of
//! type `Reply<T>`, which is not on the wire. `Get(Reply<i64>)` is the question `get`, `Add(i64, Reply<i64>)` is `{add, N}`.
//! `#[request(crate = "path")]` says where the crate of behaviours is, `::trunkline::otp` unless told.

mod attributes;
mod enums;
mod fields;
mod request;
mod structs;

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Data, DeriveInput, parse_macro_input, parse_quote};

use attributes::TypeAttributes;

/// Makes a type an Erlang term. See the crate's page for the attributes.
#[proc_macro_derive(IntoTerm, attributes(term))]
pub fn derive_into_term(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    into_term(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Reads a type from an Erlang term. See the crate's page for the attributes.
#[proc_macro_derive(FromTerm, attributes(term))]
pub fn derive_from_term(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    from_term(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// Makes an enum the questions of a generic server. See the crate's page.
#[proc_macro_derive(Request, attributes(term, request))]
pub fn derive_request(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    request::request(&input).unwrap_or_else(|error| error.to_compile_error()).into()
}

fn into_term(input: &DeriveInput) -> syn::Result<Tokens> {
    let attributes = TypeAttributes::of(input)?;
    let body = match &input.data {
        Data::Struct(data) => structs::into_term(&input.ident, &data.fields, &attributes)?,
        Data::Enum(data) => enums::into_term(data, &attributes)?,
        Data::Union(_) => return Err(syn::Error::new_spanned(input, "a union is no term")),
    };
    let term = &attributes.path;
    let generics = bounded(input, parse_quote!(#term::IntoTerm));
    let (of, (own, _, bounds)) = (&input.ident, generics.split_for_impl());
    let (_, own_types, _) = input.generics.split_for_impl();
    Ok(quote! {
        impl #own #term::IntoTerm for #of #own_types #bounds {
            fn into_term(self) -> #term::Term {
                #body
            }
        }
    })
}

fn from_term(input: &DeriveInput) -> syn::Result<Tokens> {
    let attributes = TypeAttributes::of(input)?;
    let body = match &input.data {
        Data::Struct(data) => structs::from_term(&input.ident, &data.fields, &attributes)?,
        Data::Enum(data) => enums::from_term(&input.ident, data, &attributes)?,
        Data::Union(_) => return Err(syn::Error::new_spanned(input, "a union is no term")),
    };
    let term = &attributes.path;
    let generics = bounded(input, parse_quote!(#term::FromTerm));
    let (of, (own, _, bounds)) = (&input.ident, generics.split_for_impl());
    let (_, own_types, _) = input.generics.split_for_impl();
    Ok(quote! {
        impl #own #term::FromTerm for #of #own_types #bounds {
            fn from_term(term: &#term::Term) -> ::core::result::Result<Self, #term::Mismatch> {
                #body
            }
        }
    })
}

/// The type's generics, every type parameter bound to the trait.
fn bounded(input: &DeriveInput, bound: syn::TypeParamBound) -> syn::Generics {
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(bound.clone());
    }
    generics
}
