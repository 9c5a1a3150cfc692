//! The self-service portal: pages in which an organization does by itself what the admin API does.
//!
//! Plain HTML that works without script, made from templates (`templates/`), with every word in three languages
//! (`texts/`) and one stylesheet of our own (`assets/`). What a page shows and changes goes through
//! [`crate::registry`] with the rights of whoever is signed in: there is no other way in.
//!
//! A request passes [`visit`], which finds out who comes and holds that a form is ours; then its handler; and
//! where that refuses, [`refused`] makes the page that says so.

mod acts;
mod assets;
mod chart;
mod consumer;
mod cookies;
mod csv;
mod fields;
mod form_errors;
mod help;
mod markup;
mod notice;
mod numbers;
mod operator;
mod organization;
mod outbox;
mod overview;
mod page;
mod people;
mod preferences;
mod provider;
mod query;
mod refused;
mod rules;
mod take_back;
mod texts;
mod times;
mod visible;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::{get, post};

use crate::app::App;
use crate::http::portal::refused::Refused;

/// Every page of the portal, under `/portal`, and the way to it from `/`.
pub(super) fn routes(app: &Arc<App>) -> Router {
    let pages = Router::new()
        .route("/portal", get(overview::overview))
        .route("/portal/preferences", post(preferences::choose))
        .route("/portal/lookup/organization/{number}", get(organization::look_up))
        .route("/portal/assets/{version}/{name}", get(assets::asset))
        .merge(consumer::routes())
        .merge(help::routes())
        .merge(operator::routes())
        .merge(organization::routes())
        .merge(outbox::routes())
        .merge(people::routes())
        .merge(provider::routes())
        .route("/portal/{*rest}", get(nothing_here).post(nothing_here))
        .method_not_allowed_fallback(nothing_here)
        .layer(from_fn_with_state(visit::Door::of(app), visit::visit))
        .with_state(Arc::clone(app));
    Router::new().route("/", get(|| async { Redirect::to("/portal") })).merge(pages)
}

async fn nothing_here() -> Refused {
    Refused::NotFound
}
