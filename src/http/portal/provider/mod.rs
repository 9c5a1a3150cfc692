//! Pages of an API provider: scopes, accesses, requests, prefixes, usage.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
}
