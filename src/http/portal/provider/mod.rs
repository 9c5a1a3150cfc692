//! Pages of an API provider: scopes, accesses, requests, prefixes, usage.

mod access;
mod accesses;
mod batch;
mod batch_lines;
mod history;
mod prefixes;
mod requests;
mod scope;
mod scope_form;
mod scopes;
mod status;
mod usage;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;
use crate::domain::scope::ScopeName;
use crate::http::portal::form_errors::FormErrors;
use crate::http::portal::page::Page;
use crate::http::portal::query::encoded;

/// The longest text that the registry takes, in characters.
const TEXT_CHARACTERS_MAX: usize = 1_023;

/// The longest line that it takes.
const LINE_CHARACTERS_MAX: usize = 255;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/portal/scopes", get(scopes::list))
        .route("/portal/scopes/new", get(scope_form::new).post(scope_form::create))
        .route("/portal/scopes/{scope}", get(accesses::list))
        .route("/portal/scopes/{scope}/edit", get(scope_form::edit).post(scope_form::save))
        .route("/portal/scopes/{scope}/about", get(scope::about))
        .route("/portal/scopes/{scope}/usage", get(usage::usage))
        .route("/portal/scopes/{scope}/usage/export", get(usage::export))
        .route("/portal/scopes/{scope}/history", get(history::list))
        .route("/portal/scopes/{scope}/history/{seq}", get(history::show_one))
        .route("/portal/scopes/{scope}/deactivate", get(status::form).post(status::deactivate))
        .route("/portal/scopes/{scope}/restore", post(status::restore))
        .route("/portal/scopes/{scope}/requests", get(requests::of_scope))
        .route(
            "/portal/scopes/{scope}/requests/{number}",
            get(requests::form).post(requests::decide),
        )
        .route("/portal/scopes/{scope}/accesses/new", get(access::new).post(access::give))
        .route("/portal/scopes/{scope}/accesses/batch", get(batch::form).post(batch::give))
        .route("/portal/scopes/{scope}/accesses/export", get(accesses::export))
        .route("/portal/scopes/{scope}/accesses/{number}", get(access::edit).post(access::save))
        .route(
            "/portal/scopes/{scope}/accesses/{number}/withdraw",
            get(access::ask).post(access::withdraw),
        )
        .route("/portal/requests", get(requests::inbox))
        .route("/portal/prefixes", get(prefixes::list))
        .route("/portal/prefixes/new", get(prefixes::form).post(prefixes::ask))
        .route(
            "/portal/prefixes/take-back",
            get(prefixes::ask_to_take_back).post(prefixes::take_back),
        )
}

/// Where the pages of a scope are. Its name may hold what has a meaning in addresses.
fn address(scope: &ScopeName) -> String {
    format!("/portal/scopes/{}", encoded(scope.as_str()))
}

/// Adds what is wrong with a text of several lines, if anything is.
fn check_text(page: &Page, field: &str, text: &str, errors: &mut FormErrors) {
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.chars().count() > TEXT_CHARACTERS_MAX || text.contains(is_odd) {
        errors.add(field, page.say("provider-text-wrong"));
    }
}
