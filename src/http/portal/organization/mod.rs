//! The organization: its business data and its users, and the names of others.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use crate::app::App;
use crate::http::portal::page::SignedIn;
use crate::http::portal::refused::Refused;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
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
