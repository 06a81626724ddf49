//! A program on a terminal of its own: keys in, what the screen is told out.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Running, until};

/// A program on a terminal.
pub(crate) struct Terminal {
    pub(crate) keys: File,
    pub(crate) said: Arc<Mutex<String>>,
    seen: usize,
    pub(crate) running: Running,
}

impl Terminal {
    pub(crate) fn start(command: Command) -> Terminal {
        Terminal::start_sized(command, 0, 0)
    }

    /// On a terminal of so many rows and columns.
    pub(crate) fn start_sized(mut command: Command, rows: u16, columns: u16) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&theirs, size).unwrap();
        let side = || Stdio::from(OwnedFd::from(theirs.try_clone().unwrap()));
        let running = Running(
            command.stdin(side()).stdout(side()).stderr(side()).env("TERM", "xterm").spawn().unwrap(),
        );
        drop(command);
        let keys = File::from(ours);
        let said = Arc::new(Mutex::new(String::new()));
        let (heard, mut screen) = (said.clone(), keys.try_clone().unwrap());
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                heard.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        Terminal { keys, said, seen: 0, running }
    }

    /// Waits for this on the screen, behind what was waited for before.
    #[track_caller]
    pub(crate) fn shows(&mut self, what: &str) {
        let mut end = 0;
        let (said, seen) = (&self.said, self.seen);
        until(what, || {
            let said = said.lock().unwrap();
            let found = said[seen..].find(what);
            end = found.map_or(0, |at| seen + at + what.len());
            found.is_some()
        });
        self.seen = end;
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }
}
