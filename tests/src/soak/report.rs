//! Who disagreed, with whom, and what had happened before.

use std::fmt::Write as _;

use super::Soak;

/// The whole story of the round, and what each node thinks now.
pub(super) fn report(soak: &mut Soak, why: &str) -> String {
    let mut text = format!("{why}\n\nthe round:\n");
    for line in &soak.story {
        let _ = writeln!(text, "  {line}");
    }
    for member in &mut soak.members {
        let Some(life) = &mut member.life else {
            let _ = writeln!(text, "{}: killed", member.name);
            continue;
        };
        let _ = writeln!(text, "\n{} thinks\n  {}", member.name, life.eval("soaker:state()"));
        let _ = writeln!(text, "  and has\n  {}", life.eval("soaker:troubles()"));
        for line in life
            .printed
            .iter()
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            .take(30)
            .rev()
        {
            let _ = writeln!(text, "  printed: {line}");
        }
    }
    text
}
