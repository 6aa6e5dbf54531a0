//! How far it is, on standard error, if that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Nothing is said about work that takes less than this, and nothing more often.
const PAUSE: Duration = Duration::from_millis(200);

/// A line that overwrites itself and goes away at the end.
pub struct Progress {
    last: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self {
            last: io::stderr().is_terminal().then(Instant::now),
            shown: false,
        }
    }

    /// Says it, if somebody watches and it is time again.
    pub fn show(&mut self, text: impl FnOnce() -> String) {
        let Some(last) = &mut self.last else { return };
        if last.elapsed() >= PAUSE {
            *last = Instant::now();
            self.shown = true;
            let _ = write!(io::stderr(), "\r\x1b[K{}", text());
        }
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
