//! The token API: `POST /token`, the published keys, the metadata, and a page for every error code.

mod error_pages;
mod form;
mod published;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

use crate::app::App;

/// Every route of the token API.
pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let metadata = published::Metadata::of(app);
    let metadata = move || get(published::metadata).with_state(metadata.clone());
    let keys = || get(published::keys);
    Router::new()
        .route("/token", post(token::token))
        // Documents in use name three paths for the keys.
        .route("/jwk", keys())
        .route("/jwks", keys())
        .route("/.well-known/jwks.json", keys())
        // Clients join the issuer, which ends in a slash, and the path in every way there is.
        .route("/.well-known/oauth-authorization-server", metadata())
        .route("/.well-known/oauth-authorization-server/", metadata())
        .route("//.well-known/oauth-authorization-server", metadata())
        .route("/.well-known/openid-configuration", metadata())
        .route("/.well-known/openid-configuration/", metadata())
        .route("/errors/", get(error_pages::index))
        .route("/errors/style.css", get(error_pages::style))
        .route("/errors/{code}", get(error_pages::page))
}
