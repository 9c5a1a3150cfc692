//! Pages of an API consumer: what may be called, clients, their keys, refusals.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
}
