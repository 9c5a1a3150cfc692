//! Pages of the operator: organizations, users, prefixes, signing keys, trust, audit.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
}
