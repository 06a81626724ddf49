//! A process lends its handle to a function, and has everything back when that is done or given up.

use std::time::Duration;

use runtime::{Ctx, Node};
use term::{Atom, Term};
use trunkline_runtime as runtime;

#[tokio::test]
async fn what_a_borrower_leaves_unread_stays_and_no_reference_is_made_twice() {
    let node = Node::alone();
    let done = node.run(|mut ctx: Ctx| async move {
        let me = ctx.pid();
        for number in 1..=3_i64 {
            ctx.send(&me, number);
        }
        let first = ctx.make_ref();
        let (taken, lent, who) = ctx
            .lend(|mut lent: Ctx| async move {
                let taken = lent.select(|message| (*message == Term::Int(2)).then_some(2)).await;
                (taken, lent.make_ref(), lent.pid())
            })
            .await;
        let last = ctx.make_ref();
        assert_eq!((taken, who), (2, me));
        assert!(first != lent && lent != last && first != last);
        let rest = [ctx.receive::<i64>().await, ctx.receive::<i64>().await];
        assert_eq!(rest, [1, 3]);
    });
    done.await;
}

#[tokio::test]
async fn a_loan_that_is_given_up_loses_nothing() {
    let node = Node::alone();
    let done = node.run(|mut ctx: Ctx| async move {
        let me = ctx.pid();
        ctx.send(&me, 7_i64);
        let never = ctx.lend(|mut lent: Ctx| async move {
            // It looks at what there is, and waits for what never comes.
            lent.receive::<Atom>().await
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), never).await.is_err());
        assert_eq!(ctx.receive::<i64>().await, 7);
    });
    done.await;
}
