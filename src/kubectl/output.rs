//! The terminal, or what stands in its place.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use indicatif::{ProgressBar, ProgressStyle};

use super::error::CommandError;
use super::page::{Look, Page, safe};

/// The widest that running text is comfortable to read, in columns.
const WIDEST: usize = 100;

/// Writes `page` to standard output.
///
/// # Errors
/// What is wrong with standard output; that nobody reads on (`| head`) is nothing wrong.
pub fn show(page: &Page) -> Result<(), CommandError> {
    write(&page.render(look()))
}

/// Writes `text` to standard output as it is.
///
/// # Errors
/// As [`show`].
pub fn write(text: &str) -> Result<(), CommandError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CommandError::Failed(
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(()),
    }
}

/// Writes to standard error; its lines are kept, other control characters are not.
pub fn complain(text: &str) {
    let lines: Vec<String> = text.lines().map(safe).collect();
    // There is nowhere left to say that this failed.
    drop(writeln!(io::stderr(), "{}", lines.join("\n")));
}

fn look() -> Look {
    let out = io::stdout();
    Look {
        styled: AutoStream::choice(&out) != ColorChoice::Never,
        width: out
            .is_terminal()
            .then(|| textwrap::termwidth().clamp(40, WIDEST)),
    }
}

/// Whether standard error is a terminal on which a line can change.
pub fn is_terminal() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// What is being waited for: a live line on a terminal, else a line for each change.
pub struct Progress {
    line: Option<ProgressBar>,
    last: RefCell<String>,
}

impl Progress {
    /// Begins on standard error, so that standard output has the result alone.
    pub fn start() -> Self {
        let line = is_terminal().then(|| {
            let line = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                line.set_style(style);
            }
            line.enable_steady_tick(Duration::from_millis(120));
            line
        });
        Self {
            line,
            last: RefCell::default(),
        }
    }

    /// Says what is being waited for now.
    pub fn waiting(&self, text: &str) {
        let text = safe(text);
        if text == *self.last.borrow() {
            return;
        }
        match &self.line {
            Some(line) => line.set_message(text.clone()),
            None => complain(&text),
        }
        self.last.replace(text);
    }

    /// Says what is done, which stays.
    pub fn done(&self, text: &str) {
        match &self.line {
            Some(line) => line.println(safe(text)),
            None => complain(text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.finish_and_clear();
        }
    }
}
