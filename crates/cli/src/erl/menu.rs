//! The menu behind Ctrl-G: what is typed there, read. Pure.

/// What is wanted.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Order {
    Connect(Option<u32>),
    Interrupt(Option<u32>),
    Kill(Option<u32>),
    List,
    /// A shell here.
    Start,
    /// A shell on this node.
    Remote(String),
    Quit,
    Help,
    Nothing,
    /// This is to be said.
    Wrong(&'static str),
}

pub(super) const HELP: &str = "  c [nn]            - connect to job
  i [nn]            - interrupt job
  k [nn]            - kill job
  j                 - list all jobs
  s [shell]         - start local shell
  r [node [shell]]  - start remote shell
  q                 - quit erlang
  ? | h             - this message
";

/// Reads a line of the menu.
pub(super) fn read(line: &str) -> Order {
    let mut words = line.split_whitespace();
    let Some(word) = words.next() else { return Order::Nothing };
    let number = words.clone().next().map(|word| word.parse::<u32>());
    let job = |order: fn(Option<u32>) -> Order| match number {
        None => order(None),
        Some(Ok(number)) => order(Some(number)),
        Some(Err(_)) => Order::Wrong("Unknown job"),
    };
    match word {
        "c" => job(Order::Connect),
        "i" => job(Order::Interrupt),
        "k" => job(Order::Kill),
        "j" => Order::List,
        "s" => Order::Start,
        "r" => match words.next().map(name) {
            Some(Some(node)) => Order::Remote(node),
            Some(None) => Order::Wrong("Illegal input"),
            None => Order::Wrong("a node is needed: r 'name@host'"),
        },
        "q" => Order::Quit,
        "?" | "h" => Order::Help,
        _ => Order::Wrong("Unknown command"),
    }
}

/// An atom as it is typed: quoted or not.
fn name(word: &str) -> Option<String> {
    let word = word.trim_end_matches('.');
    let inner = match word.strip_prefix('\'') {
        Some(rest) => rest.strip_suffix('\'')?,
        None => word,
    };
    (!inner.is_empty() && !inner.contains('\'')).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_as_erl_reads_them() {
        for (line, order) in [
            ("", Order::Nothing),
            ("h", Order::Help),
            ("?", Order::Help),
            ("c", Order::Connect(None)),
            (" c 2 ", Order::Connect(Some(2))),
            ("i 1", Order::Interrupt(Some(1))),
            ("k", Order::Kill(None)),
            ("j", Order::List),
            ("s", Order::Start),
            ("r 'a@b'", Order::Remote("a@b".to_owned())),
            ("r a@b", Order::Remote("a@b".to_owned())),
            ("r 'a@b", Order::Wrong("Illegal input")),
            ("q", Order::Quit),
            ("c x", Order::Wrong("Unknown job")),
            ("zz", Order::Wrong("Unknown command")),
        ] {
            assert_eq!(read(line), order, "{line}");
        }
    }
}
