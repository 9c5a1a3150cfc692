//! Signing up and in, and one's own account.

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// The pages.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
}
