//! What commands print: data on standard output, everything else on standard error.

use std::io::{self, IsTerminal as _, Write};

use clap::ValueEnum;
use serde::Serialize;

use crate::cli::failure::Failure;

/// How a command shows what it found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum TextOrJson {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Prints data, and ends it with a line feed.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    write_line(&mut io::stdout().lock(), text)
        .map_err(|error| Failure::failed(format!("standard output cannot be written: {error}")))
}

/// Prints data as JSON.
pub(super) fn print_json(data: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(data).map_err(|error| {
        Failure::failed(format!("the result cannot be written as JSON: {error}"))
    })?;
    print(&text)
}

/// Tells the person at the terminal something that is not data.
pub(super) fn note(text: &str) {
    // Whoever closed standard error does not want to be told. What a server or a file has said may be in the
    // text, and a terminal must not obey it.
    let lines: Vec<String> = text.split('\n').map(printable).collect();
    let _ = write_line(&mut io::stderr().lock(), &lines.join("\n"));
}

/// A line on the terminal that says how long work goes, written over itself; nothing where standard error is no
/// terminal.
pub(super) struct Progress {
    is_terminal: bool,
    is_shown: bool,
}

impl Progress {
    /// Nothing is shown yet.
    pub(super) fn on_terminal() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), is_shown: false }
    }

    /// Puts this text in place of the one before.
    pub(super) fn show(&mut self, text: &str) {
        if self.is_terminal {
            // Whoever closed standard error does not want to be told. The end of a longer line is erased.
            let _ = write!(io::stderr(), "\r{text}\u{1b}[K");
            self.is_shown = true;
        }
    }
}

impl Drop for Progress {
    /// What comes after begins on a line of its own.
    fn drop(&mut self) {
        if self.is_shown {
            let _ = writeln!(io::stderr());
        }
    }
}

/// Text with its control characters escaped.
pub(super) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] })
        .collect()
}

/// A reader that has seen enough, such as `head`, closes the pipe; that is no failure.
fn write_line(to: &mut impl Write, text: &str) -> io::Result<()> {
    match writeln!(to, "{text}").and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
