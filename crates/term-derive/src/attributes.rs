//! What stands in `#[term(...)]`.

use syn::{DeriveInput, Field, Ident, LitStr, Path, Variant, parse_quote};

/// How a struct looks as a term.
pub(crate) enum Shape {
    Tagged,
    Untagged,
    Transparent,
    Map,
    Elixir(LitStr),
}

pub(crate) struct TypeAttributes {
    pub(crate) path: Path,
    pub(crate) shape: Shape,
    pub(crate) tag: Option<String>,
}

impl TypeAttributes {
    pub(crate) fn of(input: &DeriveInput) -> syn::Result<TypeAttributes> {
        let mut all =
            TypeAttributes { path: parse_quote!(::trunkline::term), shape: Shape::Tagged, tag: None };
        for attribute in input.attrs.iter().filter(|attribute| attribute.path().is_ident("term")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("crate") {
                    all.path = meta.value()?.parse::<LitStr>()?.parse()?;
                } else if meta.path.is_ident("tag") {
                    all.tag = Some(atom(&meta.value()?.parse::<LitStr>()?)?);
                } else if meta.path.is_ident("untagged") {
                    all.shape = Shape::Untagged;
                } else if meta.path.is_ident("transparent") {
                    all.shape = Shape::Transparent;
                } else if meta.path.is_ident("map") {
                    all.shape = Shape::Map;
                } else if meta.path.is_ident("elixir") {
                    let module: LitStr = meta.value()?.parse()?;
                    atom(&module)?;
                    all.shape = Shape::Elixir(module);
                } else {
                    return Err(meta.error("expected crate, tag, untagged, transparent, map or elixir"));
                }
                Ok(())
            })?;
        }
        Ok(all)
    }
}

/// The tag of a variant: said by `#[term(tag = "...")]`, or its name in snake case.
pub(crate) fn variant_tag(variant: &Variant) -> syn::Result<String> {
    let mut tag = snake(&variant.ident);
    for attribute in variant.attrs.iter().filter(|attribute| attribute.path().is_ident("term")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("tag") {
                return Err(meta.error("expected tag"));
            }
            tag = atom(&meta.value()?.parse::<LitStr>()?)?;
            Ok(())
        })?;
    }
    Ok(tag)
}

#[derive(Default)]
pub(crate) struct FieldAttributes {
    pub(crate) nil: bool,
    pub(crate) default: bool,
    pub(crate) with_string: bool,
    pub(crate) key: Option<String>,
}

impl FieldAttributes {
    pub(crate) fn of(field: &Field) -> syn::Result<FieldAttributes> {
        let mut all = FieldAttributes::default();
        for attribute in field.attrs.iter().filter(|attribute| attribute.path().is_ident("term")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("nil") {
                    all.nil = true;
                } else if meta.path.is_ident("default") {
                    all.default = true;
                } else if meta.path.is_ident("with_string") {
                    all.with_string = true;
                } else if meta.path.is_ident("key") {
                    all.key = Some(atom(&meta.value()?.parse::<LitStr>()?)?);
                } else {
                    return Err(meta.error("expected nil, default, with_string or key"));
                }
                Ok(())
            })?;
        }
        Ok(all)
    }
}

fn atom(text: &LitStr) -> syn::Result<String> {
    if text.value().len() > 255 {
        return Err(syn::Error::new_spanned(text, "an atom has at most 255 characters"));
    }
    Ok(text.value())
}

/// `GetUser` as `get_user`, `HTTPReply` as `http_reply`.
pub(crate) fn snake(name: &Ident) -> String {
    let name = name.to_string();
    let letters: Vec<char> = name.trim_start_matches("r#").chars().collect();
    let mut snake = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let after_small = at > 0 && !letters[at - 1].is_uppercase() && letters[at - 1] != '_';
        let before_small =
            at > 0 && letters[at - 1].is_uppercase() && letters.get(at + 1).is_some_and(|c| c.is_lowercase());
        if letter.is_uppercase() && (after_small || before_small) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}
