//! `logger_proxy`: log events of far processes whose output comes here.

use runtime::{Ctx, Node};
use term::Term;

use super::start_registered;

pub(super) fn start(node: &Node) {
    start_registered(node, "logger_proxy", |mut ctx: Ctx| async move {
        loop {
            let message: Term = ctx.receive().await;
            match message.as_tuple() {
                Some([log, level, format, arguments, _])
                    if log.is_atom("log") && level.as_atom().is_some() =>
                {
                    say(level, &crate::io::format_terms(ctx.node(), format, arguments));
                }
                Some([log, level, report, _]) if log.is_atom("log") && level.as_atom().is_some() => {
                    say(level, &report.to_string());
                }
                _ => {}
            }
        }
    });
}

fn say(level: &Term, text: &str) {
    let level = level.as_atom().map_or("", term::Atom::as_str);
    match level {
        "emergency" | "alert" | "critical" | "error" => tracing::error!("{text}"),
        "warning" => tracing::warn!("{text}"),
        "notice" | "info" => tracing::info!("{text}"),
        _ => tracing::debug!("{text}"),
    }
}
