//! A private home for one run: a folder that nobody else can enter, with a cookie that is on no command line.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The folder; it is removed when dropped.
pub(super) struct Home {
    path: PathBuf,
}

impl Home {
    /// Makes the folder (0700) and the cookie file in it (0400), as a node expects them in `$HOME`.
    pub(super) fn make() -> io::Result<Home> {
        let path = std::env::temp_dir().join(format!("trunkline-{}", letters(12)?.to_lowercase()));
        DirBuilder::new().mode(0o700).create(&path)?;
        let home = Home { path };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o400);
        options.open(home.path.join(".erlang.cookie"))?.write_all(letters(20)?.as_bytes())?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // A folder that stays behind is private and useless; there is nobody to tell.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Random capital letters, as Erlang makes its cookies.
fn letters(count: usize) -> io::Result<String> {
    let mut source = File::open("/dev/urandom")?;
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut dice = [0; 32];
        source.read_exact(&mut dice)?;
        // 234 is the largest multiple of 26 in a byte: what is above would favour the first letters.
        let fair = dice.into_iter().filter(|byte| *byte < 234);
        text.extend(fair.take(count - text.len()).map(|byte| char::from(b'A' + byte % 26)));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nobody_else_can_read_the_cookie_and_nothing_stays_behind() {
        let home = Home::make().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let cookie = home.path().join(".erlang.cookie");
        assert_eq!((mode(home.path()), mode(&cookie)), (0o700, 0o400));
        assert_eq!(fs::read_to_string(&cookie).unwrap().len(), 20);
        let path = home.path().to_owned();
        drop(home);
        assert!(!path.exists());
    }
}
