//! Callbacks that panic: the behaviour around them goes on, long enough to say what happened.

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use runtime::{Exit, Panic};

/// Runs a callback; a panic becomes the exit reason that a panicking process has.
pub(crate) async fn caught<F: Future>(callback: F) -> Result<F::Output, Exit> {
    let mut callback = pin!(callback);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| callback.as_mut().poll(cx))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(Panic::caught(&*panic).into_exit())),
    })
    .await
}

/// Runs a callback that does not wait.
pub(crate) fn caught_now<T>(callback: impl FnOnce() -> T) -> Result<T, Exit> {
    catch_unwind(AssertUnwindSafe(callback)).map_err(|panic| Panic::caught(&*panic).into_exit())
}
