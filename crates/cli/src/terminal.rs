//! The terminal while a live picture is on it: its own screen, keys without Enter, all given back at the end.

use std::io::{self, IsTerminal, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc;

/// Holds the terminal; dropping it gives the terminal back, after a panic too.
pub(crate) struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Whether there is a terminal to draw on and to read keys from.
    pub(crate) fn is_there() -> bool {
        io::stdin().is_terminal() && io::stdout().is_terminal()
    }

    /// Takes the terminal: another screen, no cursor, keys at once and unseen. Ctrl-C still is a signal.
    pub(crate) fn take() -> io::Result<Terminal> {
        let before = tcgetattr(io::stdin())?;
        let mut during = before.clone();
        during.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Now, &during)?;
        let terminal = Terminal { before };
        terminal.write(OTHER_SCREEN)?;
        Ok(terminal)
    }

    /// Draws over what was there. Lines that are too long or too many are cut, so that nothing scrolls.
    pub(crate) fn draw(&self, lines: &[String]) -> io::Result<()> {
        let size = tcgetwinsize(io::stdout()).ok();
        let columns = size.map(|size| usize::from(size.ws_col)).filter(|&columns| columns > 0).unwrap_or(80);
        let rows = size.map(|size| usize::from(size.ws_row)).filter(|&rows| rows > 1).unwrap_or(24);
        let mut text = String::from(HOME);
        for (index, line) in lines.iter().take(rows).enumerate() {
            text.push_str(if index == 0 { "" } else { "\r\n" });
            text.extend(line.chars().take(columns));
            text.push_str(ERASE_LINE);
        }
        text.push_str(ERASE_BELOW);
        self.write(&text)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing better can be done about a terminal that has gone away.
        let _ = self.write(FIRST_SCREEN);
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Keys as they are pressed. The thread that reads them ends with the program.
pub(crate) fn keys() -> mpsc::Receiver<u8> {
    let (sender, receiver) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut key = [0];
        while io::Read::read_exact(&mut io::stdin(), &mut key).is_ok() {
            if sender.blocking_send(key[0]).is_err() {
                return;
            }
        }
    });
    receiver
}

// ECMA-48 control sequences, and xterm's alternate screen.
const OTHER_SCREEN: &str = "\x1b[?1049h\x1b[?25l\x1b[2J";
const FIRST_SCREEN: &str = "\x1b[?25h\x1b[?1049l";
const HOME: &str = "\x1b[H";
const ERASE_LINE: &str = "\x1b[K";
const ERASE_BELOW: &str = "\x1b[J";
