//! Our own API, for what Digdir's lacks: `/api/portvakt/v1`.
//!
//! Errors are RFC 9457 problems, lists come in pages, and a thing that can be changed has an ETag which a change
//! must name in If-Match, so that no change is lost under another.

mod answers;
mod audit;
mod clients;
mod delegations;
mod etag;
mod idempotency;
mod keys;
mod page;
mod prefixes;
mod problem;
mod refusals;
mod signing_keys;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::clock::Timestamp;
use crate::http::admin::error::ApiError;

/// Where this API is.
const BASE: &str = "/api/portvakt/v1";

/// Every route of our own API.
pub(super) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::new()
        .merge(prefixes::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(delegations::routes())
        .merge(signing_keys::routes())
        .merge(audit::routes())
        .merge(refusals::routes());
    let shape = from_fn_with_state(Arc::clone(app), problem::shape);
    let once = from_fn_with_state(Arc::clone(app), idempotency::once);
    OpenApiRouter::new().nest(BASE, routes).layer(once).layer(shape)
}

/// Reads a value that stands in an address or a body under that name.
fn read<T: std::str::FromStr<Err: ToString>>(
    name: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::parameter(name, error.to_string()))
}

/// Reads a time that stands in an address or a body under that name.
fn read_time(name: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::from_rfc3339(text).ok_or_else(|| {
        ApiError::parameter(name, "it must be a time as in 2027-01-31T12:00:00Z (RFC 3339)")
    })
}
