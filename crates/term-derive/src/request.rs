//! Questions: enums whose variants carry a `Reply<T>`, which is not on the wire.

use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Data, DeriveInput, Error, Path, Type, Variant, parse_quote};

use crate::attributes::variant_tag;
use crate::fields::{FieldPlan, atom, pattern, plans};

pub(crate) fn request(input: &DeriveInput) -> syn::Result<Tokens> {
    let Data::Enum(data) = &input.data else {
        return Err(Error::new_spanned(&input.ident, "questions are an enum: one variant for each"));
    };
    let otp = path(input)?;
    let questions: Vec<Question<'_>> = data.variants.iter().map(Question::of).collect::<syn::Result<_>>()?;
    let reading = questions.iter().map(|question| question.reading(&otp));
    let writing = questions.iter().map(|question| question.writing(&otp));
    let replies = questions.iter().map(Question::reply_to);
    let name = &input.ident;
    let (generics, types, bounds) = input.generics.split_for_impl();
    Ok(quote! {
        impl #generics #otp::Request for #name #types #bounds {
            fn from_question(
                question: &#otp::__term::Term,
                reply: #otp::ReplyTo,
            ) -> ::core::result::Result<Self, #otp::ReplyTo> {
                #(#reading)*
                ::core::result::Result::Err(reply)
            }

            fn into_question(self) -> (#otp::__term::Term, #otp::ReplyTo) {
                match self { #(#writing)* }
            }

            fn reply_to(&mut self) -> &mut #otp::ReplyTo {
                match self { #(#replies)* }
            }
        }
    })
}

struct Question<'a> {
    variant: &'a Variant,
    tag: String,
    fields: Vec<FieldPlan>,
    reply: FieldPlan,
}

impl<'a> Question<'a> {
    fn of(variant: &'a Variant) -> syn::Result<Question<'a>> {
        let tag = variant_tag(variant)?;
        let planned = plans(&variant.fields)?.into_iter().zip(&variant.fields);
        let (replies, fields): (Vec<_>, Vec<_>) = planned.partition(|(_, field)| is_reply(&field.ty));
        let mut replies = replies.into_iter().map(|(plan, _)| plan);
        let (Some(reply), None) = (replies.next(), replies.next()) else {
            return Err(Error::new_spanned(variant, "a question has exactly one field of type Reply<T>"));
        };
        Ok(Question { variant, tag, fields: fields.into_iter().map(|(plan, _)| plan).collect(), reply })
    }

    fn reading(&self, otp: &Path) -> Tokens {
        let (variant, tag, term) = (&self.variant.ident, &self.tag, quote!(#otp::__term));
        let reply = &self.reply.member;
        let make = |fields: Tokens| quote!(return ::core::result::Result::Ok(Self::#variant { #fields #reply: #otp::Reply::from(reply) }););
        if self.fields.is_empty() {
            let make = make(Tokens::new());
            return quote!(if question.is_atom(#tag) { #make });
        }
        let path: Path = parse_quote!(#term);
        let names: Vec<_> = self.fields.iter().map(|plan| &plan.name).collect();
        let members = self.fields.iter().map(|plan| &plan.member);
        let values = self.fields.iter().map(|plan| plan.reading_value(&path));
        let make = make(quote!(#(#members: #names,)*));
        quote! {
            if let ::core::option::Option::Some([tag, #(#names),*]) = question.as_tuple()
                && tag.is_atom(#tag)
            {
                let read = || ::core::result::Result::<_, #term::Mismatch>::Ok((#(#values,)*));
                if let ::core::result::Result::Ok((#(#names,)*)) = read() {
                    #make
                }
            }
        }
    }

    fn writing(&self, otp: &Path) -> Tokens {
        let variant = &self.variant.ident;
        let path: Path = parse_quote!(#otp::__term);
        let (fields, reply, name) = (pattern(&self.fields), &self.reply.member, &self.reply.name);
        let fields = inside(fields);
        let tag = atom(&path, &self.tag);
        let terms = self.fields.iter().map(|plan| plan.writing(&path));
        let question = match self.fields.is_empty() {
            true => tag,
            false => quote!(#path::Term::tuple([#tag, #(#terms),*])),
        };
        quote!(Self::#variant { #reply: #name, #fields } => (#question, #otp::ReplyTo::from(#name)),)
    }

    fn reply_to(&self) -> Tokens {
        let (variant, reply, name) = (&self.variant.ident, &self.reply.member, &self.reply.name);
        quote!(Self::#variant { #reply: #name, .. } => #name.as_mut(),)
    }
}

/// What stands between the braces of a pattern.
fn inside(pattern: Tokens) -> Tokens {
    let mut trees = pattern.into_iter();
    match trees.next() {
        Some(proc_macro2::TokenTree::Group(group)) => group.stream(),
        _ => Tokens::new(),
    }
}

fn is_reply(of: &Type) -> bool {
    let Type::Path(path) = of else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Reply")
}

fn path(input: &DeriveInput) -> syn::Result<Path> {
    let mut path = parse_quote!(::trunkline::otp);
    for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("request")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("crate") {
                return Err(meta.error("expected crate"));
            }
            path = meta.value()?.parse::<syn::LitStr>()?.parse()?;
            Ok(())
        })?;
    }
    Ok(path)
}
