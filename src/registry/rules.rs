//! Rules for what people write: names, descriptions, notes.

use crate::registry::RegistryError;

/// The longest name or description, in characters, as in Digdir's self-service.
pub(super) const LINE_CHARACTERS_MAX: usize = 255;

/// The longest text: long descriptions, messages, reasons and notes.
pub(super) const TEXT_CHARACTERS_MAX: usize = 1_023;

/// The longest life of anything that can be given one, in seconds: a year, as long as a key lives.
const LIFETIME_SECONDS_MAX: u32 = 365 * 24 * 60 * 60;

/// What is wrong with a text that is needed and empty.
const SAY_SOMETHING: &str = "it must say something";

/// Holds that a life has an end that somebody will see.
pub(super) fn check_lifetime(
    field: &'static str,
    seconds: Option<u32>,
) -> Result<(), RegistryError> {
    if seconds.is_none_or(|seconds| seconds <= LIFETIME_SECONDS_MAX) {
        return Ok(());
    }
    let problem = format!("it may be at most {LIFETIME_SECONDS_MAX} seconds, a year");
    Err(RegistryError::invalid(field, problem))
}
/// The longest address that is kept for the tools that set it, in characters: what browsers and servers agree on.
const KEPT_CHARACTERS_MAX: usize = 2_000;

/// The most such addresses in one list. Every list of clients shows all of them.
const KEPT_TEXTS_MAX: usize = 50;

/// Holds that a text is one line that people can read and that is not too long.
pub(super) fn check_line(field: &'static str, text: &str) -> Result<(), RegistryError> {
    check(field, text, LINE_CHARACTERS_MAX, char::is_control)
}

/// The same for a line that must say something.
pub(super) fn check_needed_line(field: &'static str, text: &str) -> Result<(), RegistryError> {
    if text.trim().is_empty() {
        return Err(RegistryError::invalid(field, SAY_SOMETHING));
    }
    check_line(field, text)
}

/// The same for an address or a word that is kept for the tools that set it, if there is one.
pub(super) fn check_kept(field: &'static str, text: Option<&String>) -> Result<(), RegistryError> {
    match text {
        Some(text) => check(field, text, KEPT_CHARACTERS_MAX, char::is_control),
        None => Ok(()),
    }
}

/// The same for addresses in a list.
pub(super) fn check_kept_list(
    field: &'static str,
    texts: Option<&Vec<String>>,
) -> Result<(), RegistryError> {
    let texts = texts.map(Vec::as_slice).unwrap_or_default();
    if texts.len() > KEPT_TEXTS_MAX {
        let problem = format!("there may be at most {KEPT_TEXTS_MAX} of them");
        return Err(RegistryError::invalid(field, problem));
    }
    texts.iter().try_for_each(|text| check_kept(field, Some(text)))
}

/// The same for a text of several lines.
pub(super) fn check_text(field: &'static str, text: &str) -> Result<(), RegistryError> {
    check(field, text, TEXT_CHARACTERS_MAX, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// The same for a text that must say something.
pub(super) fn check_needed_text(field: &'static str, text: &str) -> Result<(), RegistryError> {
    if text.trim().is_empty() {
        return Err(RegistryError::invalid(field, SAY_SOMETHING));
    }
    check_text(field, text)
}

fn check(
    field: &'static str,
    text: &str,
    characters_max: usize,
    is_refused: impl Fn(char) -> bool,
) -> Result<(), RegistryError> {
    if text.chars().count() > characters_max {
        let problem = format!("it may have at most {characters_max} characters");
        return Err(RegistryError::invalid(field, problem));
    }
    // Characters that turn the direction of writing make a name look like another.
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.chars().any(|c| is_refused(c) || turns(c)) {
        let problem =
            "it may have no control characters and none that turn the direction of writing";
        return Err(RegistryError::invalid(field, problem));
    }
    Ok(())
}
