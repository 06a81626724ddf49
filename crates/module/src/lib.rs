//! `#[trunkline::module]`: every `pub fn` of a Rust module, callable by other nodes.
//!
//! An attribute must be a crate of its own: the compiler loads it before everything that uses it.

mod function;

use proc_macro::TokenStream;
use proc_macro2::{Span, TokenStream as Tokens};
use quote::quote;
use syn::spanned::Spanned;
use syn::{Item, ItemMod, LitStr, Path, Visibility, parse_macro_input, parse_quote};

use function::Exported;

/// Makes the functions of a module callable: `name::export(&node)` exports every `pub fn` and `pub async fn` in it under the
/// module's name.
///
/// - `#[module(name = "Elixir.Shop")]`: another name for Erlang than the Rust module's.
/// - `#[export(name = "add!")]` on a function: another name for it. `#[export(skip)]`: it is not exported.
/// - `ctx: &mut Ctx` or `ctx: Ctx` as the first parameter: the process in which the function runs.
/// - A function returns what is a term, or a `Result<_, Raise>` to throw, exit or fail on purpose.
///
/// - The documentation stays where it is; that of `export` lists what is exported. `module_info/0,1` answers for every module.
#[proc_macro_attribute]
pub fn module(attribute: TokenStream, item: TokenStream) -> TokenStream {
    let mut options = Options { name: None, krate: parse_quote!(::trunkline) };
    let parser = syn::meta::parser(|meta| options.read(&meta));
    parse_macro_input!(attribute with parser);
    let module = parse_macro_input!(item as ItemMod);
    expand(&options, module).unwrap_or_else(|error| error.to_compile_error()).into()
}

/// What stands in the parentheses of the attribute.
struct Options {
    name: Option<LitStr>,
    /// Where the crate `trunkline` is.
    krate: Path,
}

impl Options {
    fn read(&mut self, meta: &syn::meta::ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse()?);
            return Ok(());
        }
        if meta.path.is_ident("crate") {
            self.krate = meta.value()?.parse::<LitStr>()?.parse()?;
            return Ok(());
        }
        Err(meta.error("`name = \"...\"` is what a module can be given"))
    }
}

fn expand(options: &Options, mut module: ItemMod) -> syn::Result<Tokens> {
    let name = options.name.clone().unwrap_or_else(|| {
        LitStr::new(module.ident.to_string().trim_start_matches("r#"), module.ident.span())
    });
    check_name(&name)?;
    let span = module.span();
    let Some((_, items)) = &mut module.content else {
        let why = "the module must be written here, with its functions in braces: what is in another file is not seen";
        return Err(syn::Error::new(span, why));
    };
    let mut exported: Vec<Exported> = Vec::new();
    let mut errors: Option<syn::Error> = None;
    for item in items.iter_mut() {
        let Item::Fn(function) = item else { continue };
        if !matches!(function.vis, Visibility::Public(_)) {
            continue;
        }
        match Exported::of(function) {
            Ok(Some(function)) => exported.push(function),
            Ok(None) => {}
            Err(error) => match &mut errors {
                Some(errors) => errors.combine(error),
                None => errors = Some(error),
            },
        }
    }
    if let Some(errors) = errors {
        return Err(errors);
    }
    check_twice(&exported)?;
    // Other nodes reach what this crate does not.
    module.attrs.push(parse_quote!(#[allow(unreachable_pub)]));
    let krate = &options.krate;
    let calls = exported.iter().map(|function| function.export(krate, &name));
    let listed: Vec<String> = exported.iter().map(|f| format!("- `{}`", f.signature(&name))).collect();
    let doc = format!(
        "Lets other nodes call the functions of this module as those of `{}`:\n\n{}",
        name.value(),
        listed.join("\n")
    );
    items.push(syn::parse2(quote! {
        #[doc = #doc]
        pub fn export(node: &#krate::rpc::glue::Node) {
            #(#calls)*
        }
    })?);
    Ok(quote!(#module))
}

/// An atom has at most 255 characters.
fn check_name(name: &LitStr) -> syn::Result<()> {
    let length = name.value().chars().count();
    if (1..=255).contains(&length) {
        return Ok(());
    }
    Err(syn::Error::new(name.span(), "a name in Erlang has 1 to 255 characters"))
}

fn check_twice(exported: &[Exported]) -> syn::Result<()> {
    for (index, function) in exported.iter().enumerate() {
        let same = |other: &&Exported| other.name() == function.name() && other.arity() == function.arity();
        if exported[..index].iter().any(|other| same(&other)) {
            let why = "a function of this name and this number of arguments is exported already";
            return Err(syn::Error::new(function.span(), why));
        }
    }
    Ok(())
}

/// Says why, in one line.
fn refused(span: Span, why: &str) -> syn::Error {
    syn::Error::new(span, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(text: &str) -> Vec<String> {
        let item = syn::parse_str(text).expect("a module");
        let options = Options { name: None, krate: parse_quote!(::trunkline) };
        match expand(&options, item) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.into_iter().map(|error| error.to_string()).collect(),
        }
    }

    #[test]
    fn what_cannot_be_exported_is_refused_with_its_reason() {
        let table: [(&str, &str); 12] = [
            ("mod m { pub fn f<T>(_: T) {} }", "type parameters"),
            ("mod m { pub fn f<'a>(_: &'a str) {} }", "lifetimes"),
            ("mod m { pub fn f(_: impl Clone) {} }", "type parameters"),
            ("mod m { pub fn f(_: &str) {} }", "`String` for `&str`"),
            ("mod m { pub fn f(_: &Ctx) {} }", "`&mut Ctx`"),
            ("mod m { pub fn f(_: i64, _: Ctx) {} }", "first parameter"),
            ("mod m { pub unsafe fn f() {} }", "unsafe"),
            ("mod m { pub extern \"C\" fn f() {} }", "extern"),
            ("mod m { pub fn export() {} }", "that this attribute makes"),
            ("mod m { pub fn module_info() {} }", "module_info/0"),
            ("mod m { #[export(nonsense)] pub fn f() {} }", "`skip`"),
            ("mod m;", "in braces"),
        ];
        for (item, words) in table {
            let refused = refusals(item);
            assert!(refused.len() == 1 && refused[0].contains(words), "{refused:?} says nothing of {words}");
        }
        let both = "mod m { pub fn f(_: &str) {} pub unsafe fn g() {} fn private(_: &str) {} }";
        assert_eq!(refusals(both).len(), 2, "all that is wrong is said at once");
        let fine =
            "mod m { pub async fn f(_: &mut Ctx, _: Vec<u8>) {} #[export(skip)] pub fn g(_: &str) {} }";
        assert_eq!(refusals(fine), Vec::<String>::new());
    }
}
