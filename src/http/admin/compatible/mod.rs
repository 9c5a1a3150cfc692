//! Digdir's self-service API, for the tools that operators already have: same addresses, bodies and statuses.
//!
//! Members that this server has no use for are accepted, `null` counts as absent, and lists are plain arrays.

mod error;
mod prefixes;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::clock::Timestamp;

/// The most things in one list: these lists have no pages, and tools expect all of it.
const LIST_MAX: u32 = 1_000_000;

/// Every route of the compatible API: under `/api/v1`, and without it as older tools have it.
pub(super) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let routes = || OpenApiRouter::new().merge(prefixes::routes());
    let shape = from_fn_with_state(Arc::clone(app), error::shape);
    OpenApiRouter::new().nest("/api/v1", routes()).merge(routes()).layer(shape)
}

/// A time as this API writes it: RFC 3339 with an offset.
fn time(moment: Timestamp) -> String {
    moment.to_string()
}
