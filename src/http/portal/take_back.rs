//! Taking back what has been asked for and not been answered: the page that asks once more.

use askama::Template;

use crate::domain::record::Version;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::page::Page;

/// What is to be taken back.
#[derive(Template)]
#[template(path = "take_back.html", config = ".askama.toml")]
pub(super) struct TakeBack {
    pub(super) page: Page,
    /// What was asked for. The form sends it in the field `name`.
    pub(super) thing: String,
    /// Whom it was asked, or what it was asked for: a line below it.
    pub(super) about: String,
    /// The version that was looked at.
    pub(super) version: Version,
    /// Whether it waits for an answer still.
    pub(super) waits: bool,
    /// Where the form goes, which is also where the page is.
    pub(super) action: &'static str,
    /// Where what was asked for is listed.
    pub(super) list: &'static str,
    pub(super) errors: FormErrors,
}
