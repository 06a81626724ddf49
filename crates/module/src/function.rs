//! One function of a module: whether it can be exported, and how.

use proc_macro2::{Span, TokenStream as Tokens};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ItemFn, LitStr, Pat, Path, ReturnType, Type};

use crate::{check_name, refused};

/// A function that other nodes will call.
pub(crate) struct Exported {
    rust: Ident,
    name: LitStr,
    is_async: bool,
    context: Context,
    /// The parameters that come from terms.
    parameters: Vec<(String, Type)>,
    returns: String,
}

/// Whether the function takes the process it runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    None,
    Owned,
    Borrowed,
}

impl Exported {
    /// Reads a function and takes the attribute `export` off it; nothing when it shall be skipped.
    pub(crate) fn of(function: &mut ItemFn) -> syn::Result<Option<Exported>> {
        let Some(name) = take_name(function)? else { return Ok(None) };
        let signature = &function.sig;
        let rust = signature.ident.clone();
        let name =
            name.unwrap_or_else(|| LitStr::new(rust.to_string().trim_start_matches("r#"), rust.span()));
        check_name(&name)?;
        if rust == "export" {
            return Err(refused(rust.span(), "`export` is the function that this attribute makes"));
        }
        if let Some(parameter) = signature.generics.params.first() {
            let why = "a function with type parameters or lifetimes cannot be exported: its arguments are terms, which say \
                       nothing about types. Take a `Term`, or mark the function #[export(skip)]";
            return Err(refused(parameter.span(), why));
        }
        if let syn::Safety::Unsafe(word) = &signature.safety {
            return Err(refused(
                word.span(),
                "an unsafe function cannot be exported: nobody afar can keep its promises",
            ));
        }
        if let Some(abi) = &signature.abi {
            return Err(refused(abi.span(), "an extern function cannot be exported"));
        }
        let mut context = Context::None;
        let mut parameters = Vec::new();
        for (index, input) in signature.inputs.iter().enumerate() {
            let FnArg::Typed(parameter) = input else {
                return Err(refused(input.span(), "a method cannot be exported: nobody afar has its `self`"));
            };
            match context_of(&parameter.ty) {
                Context::None => {
                    check_type(&parameter.ty)?;
                    parameters.push((name_of(&parameter.pat), (*parameter.ty).clone()));
                }
                known if index == 0 => context = known,
                _ => return Err(refused(parameter.ty.span(), "the Ctx must be the first parameter")),
            }
        }
        if parameters.len() > 255 {
            return Err(refused(signature.inputs.span(), "a function in Erlang has at most 255 arguments"));
        }
        if name.value() == "module_info" && parameters.len() < 2 {
            return Err(refused(name.span(), "every module has module_info/0 and module_info/1 already"));
        }
        let returns = match &signature.output {
            ReturnType::Default => "ok".to_owned(),
            ReturnType::Type(_, ty) => text_of(ty),
        };
        let is_async = signature.asyncness.is_some();
        Ok(Some(Exported { rust, name, is_async, context, parameters, returns }))
    }

    pub(crate) fn name(&self) -> String {
        self.name.value()
    }

    pub(crate) fn arity(&self) -> usize {
        self.parameters.len()
    }

    pub(crate) fn span(&self) -> Span {
        self.rust.span()
    }

    /// `shop:add(a: i64, b: i64) -> i64`, for the documentation.
    pub(crate) fn signature(&self, module: &LitStr) -> String {
        let parameters: Vec<String> =
            self.parameters.iter().map(|(name, ty)| format!("{name}: {}", text_of(ty))).collect();
        format!("{}:{}({}) -> {}", module.value(), self.name.value(), parameters.join(", "), self.returns)
    }

    /// The statement that exports it.
    pub(crate) fn export(&self, krate: &Path, module: &LitStr) -> Tokens {
        let glue = quote!(#krate::rpc::glue);
        let (rust, name, arity) = (&self.rust, &self.name, self.parameters.len() as u8);
        let variables: Vec<Ident> =
            (0..self.parameters.len()).map(|index| format_ident!("__argument_{index}")).collect();
        let reads = self.parameters.iter().enumerate().map(|(index, (_, ty))| {
            let variable = &variables[index];
            quote!(let #variable: #ty = #glue::read::<#ty>(&__arguments, #index)?;)
        });
        let (bind, context) = match self.context {
            Context::None => (quote!(let _ctx = __ctx;), quote!()),
            Context::Owned => (quote!(), quote!(__ctx,)),
            Context::Borrowed => (quote!(let mut __ctx = __ctx;), quote!(&mut __ctx,)),
        };
        let wait = if self.is_async { quote!(.await) } else { quote!() };
        quote! {
            #glue::export_running(node, #module, #name, #arity, |__ctx: #glue::Ctx, __arguments| -> #glue::Running {
                ::std::boxed::Box::pin(async move {
                    #(#reads)*
                    #bind
                    #glue::answer(#rust(#context #(#variables),*) #wait)
                })
            });
        }
    }
}

/// The name that `#[export(name = "...")]` gives; nothing at all for `#[export(skip)]`.
fn take_name(function: &mut ItemFn) -> syn::Result<Option<Option<LitStr>>> {
    let mut name = None;
    let mut skip = false;
    let mut failed = None;
    function.attrs.retain(|attribute| {
        if !attribute.path().is_ident("export") {
            return true;
        }
        let read = attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = Some(meta.value()?.parse()?);
                Ok(())
            } else if meta.path.is_ident("skip") {
                skip = true;
                Ok(())
            } else {
                Err(meta.error("`name = \"...\"` or `skip` is what a function can be given"))
            }
        });
        failed = failed.take().or(read.err());
        false
    });
    match failed {
        Some(error) => Err(error),
        None if skip => Ok(None),
        None => Ok(Some(name)),
    }
}

fn context_of(ty: &Type) -> Context {
    match ty {
        Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "Ctx") => {
            Context::Owned
        }
        Type::Reference(reference) if reference.mutability.is_some() => match context_of(&reference.elem) {
            Context::Owned => Context::Borrowed,
            _ => Context::None,
        },
        _ => Context::None,
    }
}

fn check_type(ty: &Type) -> syn::Result<()> {
    let why = match ty {
        Type::Reference(reference) if context_of(&reference.elem) == Context::Owned => {
            "the Ctx is taken as `Ctx` or as `&mut Ctx`"
        }
        Type::Reference(_) => {
            "a reference cannot come from another node: take the value itself (`String` for `&str`, `Vec<T>` for `&[T]`)"
        }
        Type::ImplTrait(_) => {
            "a function with type parameters cannot be exported: its arguments are terms, which say nothing about types"
        }
        Type::Ptr(_) | Type::FnPtr(_) => "this type is no term",
        _ => return Ok(()),
    };
    Err(refused(ty.span(), why))
}

fn name_of(pattern: &Pat) -> String {
    match pattern {
        Pat::Ident(name) => name.ident.to_string(),
        _ => "_".to_owned(),
    }
}

fn text_of(ty: &Type) -> String {
    let text = ty.to_token_stream().to_string();
    text.replace(" < ", "<")
        .replace(" <", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace(":: ", "::")
        .replace(" ::", "::")
}
