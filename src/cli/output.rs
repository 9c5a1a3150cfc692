//! What commands print: data on standard output, everything else on standard error.

use std::io::{self, Write};

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
