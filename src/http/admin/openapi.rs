//! The OpenAPI document of the admin listener, made from the routes themselves.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;

use crate::app::App;
use crate::http::error::json;

#[derive(OpenApi)]
#[openapi(info(
    title = "Portvakt admin API",
    description = "Prefixes, scopes, accesses, clients, keys and delegations. The addresses under \
        /api/portvakt are Portvakt's own; the others are those of Digdir's self-service API.",
))]
struct Head;

/// `/openapi.json`.
pub(super) fn routes(own: Document, compatible: Document) -> Router<Arc<App>> {
    let mut document = Head::openapi();
    document.merge(own);
    document.merge(compatible);
    let text = serde_json::to_string(&document).unwrap_or_default();
    Router::new().route("/openapi.json", get(move || async move { json(StatusCode::OK, text) }))
}
