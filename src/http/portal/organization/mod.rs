//! The organization: what it has said about itself, what it should know, what it uses, and what has been done for it;
//! and the names of others.

mod about;
pub(super) mod alerts;
mod business;
mod business_form;
mod history;
mod usage;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde_json::json;

use crate::app::App;
use crate::http::portal::page::SignedIn;
use crate::http::portal::refused::Refused;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/portal/organization", get(about::about))
        .route("/portal/organization/business-data", get(business::form).post(business::save))
        .route("/portal/organization/alerts", get(alerts::list))
        .route("/portal/organization/usage", get(usage::usage))
        .route("/portal/organization/history", get(history::list))
        .route("/portal/organization/history/{seq}", get(history::show_one))
}

/// `GET /portal/lookup/organization/{number}`: the name of an organization, for a page that asks while somebody
/// types; `null` when it is not registered here.
pub(super) async fn look_up(
    _: SignedIn,
    State(app): State<Arc<App>>,
    Path(number): Path<String>,
) -> Result<Response, Refused> {
    let number = number.parse().map_err(|_| Refused::NotFound)?;
    let name = app.registry.organization_name(number).await?;
    let body = json!({ "name": name }).to_string();
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}
