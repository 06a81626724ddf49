//! The group leader of calls whose caller wants to have what they print: `send_stdout_to_caller`.

use runtime::{Ctx, Node, SpawnOptions};
use term::{Pid, Term};

use super::server::{Ran, apply_terms};
use crate::limits::STDOUT_REQUESTS_MAX;

/// Starts a group leader that sends what is printed to `caller`, as `{rex_stdout, Utf8Binary}`. It ends with `{stop, From}`,
/// which it answers with `stopped`: everything printed before is on its way then. It does not outlive `owner`, who runs the
/// call. (The manual's 8.3.)
pub(crate) fn forward_output(node: &Node, owner: Pid, caller: Pid) -> Pid {
    let options = SpawnOptions { label: Some("rex: forwards output"), ..SpawnOptions::default() };
    node.spawn_with(options, |mut ctx: Ctx| async move {
        let monitor = ctx.monitor(&owner);
        loop {
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([tag, Term::Pid(from), reply_as, request]) if tag.is_atom("io_request") => {
                    let reply = serve(&mut ctx, &caller, request).await;
                    ctx.answer(from, Term::tuple([Term::atom("io_reply"), reply_as.clone(), reply]));
                }
                Some([word, Term::Pid(from)]) if word.is_atom("stop") => {
                    ctx.send(from, Term::atom("stopped"));
                    return;
                }
                Some([_, Term::Ref(reference), ..]) if *reference == monitor => return,
                _ => {}
            }
        }
    })
}

/// Requests one by one: those of a list of requests wait in line, and the first that fails is the last.
async fn serve(ctx: &mut Ctx, caller: &Pid, request: &Term) -> Term {
    let mut waiting = vec![request.clone()];
    let mut served = 0;
    let mut reply = Term::atom("ok");
    while let Some(request) = waiting.pop() {
        served += 1;
        if served > STDOUT_REQUESTS_MAX {
            return error(Term::atom("request"));
        }
        if let Some([word, Term::List(list)]) = request.as_tuple()
            && word.is_atom("requests")
            && list.improper_tail().is_none()
        {
            let mut inner: Vec<Term> = list.iter().collect();
            inner.reverse();
            waiting.append(&mut inner);
            continue;
        }
        match put(ctx, caller, &request).await {
            Ok(()) => reply = Term::atom("ok"),
            Err(refused) => return refused,
        }
    }
    reply
}

async fn put(ctx: &mut Ctx, caller: &Pid, request: &Term) -> Result<(), Term> {
    let parts = request.as_tuple().unwrap_or_default();
    let (encoding, characters) = match parts {
        [word, encoding, characters] if word.is_atom("put_chars") => (encoding, characters.clone()),
        [word, encoding, module, function, arguments] if word.is_atom("put_chars") => {
            match call(ctx, [module, function, arguments].map(Term::clone)).await {
                Some(characters) => (encoding, characters),
                None => return Err(error(function.clone())),
            }
        }
        [word, ..]
            if ["get_until", "get_chars", "get_line", "get_geometry", "setopts"]
                .iter()
                .any(|known| word.is_atom(known)) =>
        {
            return Err(error(Term::atom("enotsup")));
        }
        _ if request.is_atom("getopts") => return Err(error(Term::atom("enotsup"))),
        _ => return Err(error(Term::atom("request"))),
    };
    let latin1 = encoding.is_atom("latin1");
    let text = text_of(&characters, latin1).filter(|_| latin1 || encoding.is_atom("unicode"));
    let text = text.ok_or_else(|| error(Term::atom("badarg")))?;
    ctx.send(caller, Term::tuple([Term::atom("rex_stdout"), Term::binary(&text)]));
    Ok(())
}

/// Calls a function of this node, in a process of its own: it may end, this one may not.
async fn call(ctx: &mut Ctx, [module, function, arguments]: [Term; 3]) -> Option<Term> {
    let (give, take) = tokio::sync::oneshot::channel();
    ctx.spawn(|inner: Ctx| async move {
        let _ = give.send(apply_terms(inner, &module, &function, &arguments).await);
    });
    match take.await {
        Ok(Ran::Return(value)) => Some(value),
        _ => None,
    }
}

/// The text of characters, binaries and lists of them, however deep: bytes of binaries are Latin-1 or UTF-8.
fn text_of(characters: &Term, latin1: bool) -> Option<String> {
    let mut text = String::new();
    let mut waiting = vec![characters.clone()];
    while let Some(term) = waiting.pop() {
        match &term {
            Term::Int(code) if latin1 => text.push(char::from(u8::try_from(*code).ok()?)),
            Term::Int(code) => text.push(u32::try_from(*code).ok().and_then(char::from_u32)?),
            Term::Binary(binary) if latin1 => {
                text.extend(binary.as_slice().iter().map(|byte| char::from(*byte)));
            }
            Term::Binary(binary) => text.push_str(std::str::from_utf8(binary.as_slice()).ok()?),
            Term::List(list) => {
                if let Some((head, tail)) = list.uncons() {
                    waiting.push(tail);
                    waiting.push(head);
                }
            }
            _ => return None,
        }
    }
    Some(text)
}

fn error(why: Term) -> Term {
    Term::tuple([Term::atom("error"), why])
}
