//! Callbacks that panic: the behaviour around them goes on, long enough to say what happened.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use runtime::Exit;
use term::Term;

/// Runs a callback; a panic becomes the exit reason that a panicking process has.
pub(crate) async fn caught<F: Future>(callback: F) -> Result<F::Output, Exit> {
    let mut callback = pin!(callback);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| callback.as_mut().poll(cx))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(reason(&*panic))),
    })
    .await
}

/// Runs a callback that does not wait.
pub(crate) fn caught_now<T>(callback: impl FnOnce() -> T) -> Result<T, Exit> {
    catch_unwind(AssertUnwindSafe(callback)).map_err(|panic| reason(&*panic))
}

/// `{panic, <<"message">>}`, as the runtime has it for every process.
fn reason(panic: &(dyn Any + Send)) -> Exit {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Exit(Term::tuple([Term::atom("panic"), Term::binary(text.unwrap_or("not a text"))]))
}
