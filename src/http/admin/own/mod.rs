//! Our own API, for what Digdir's lacks: `/api/portvakt/v1`.
//!
//! Errors are RFC 9457 problems, lists come in pages, and a thing that can be changed has an `ETag` which a change
//! must name in If-Match, so that no change is lost under another. A POST with an Idempotency-Key is done once.

mod access_batch;
mod access_requests;
mod accesses;
mod audit;
mod clients;
mod delegations;
mod etag;
mod idempotency;
mod keys;
mod me;
mod organizations;
mod page;
mod patch;
mod path;
mod prefixes;
mod problem;
mod refusals;
mod scope_body;
mod scopes;
mod signing_keys;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::clock::Timestamp;
use crate::http::admin::error::ApiError;

pub(super) use problem::shape;

/// Where this API is.
const BASE: &str = "/api/portvakt/v1";

/// What the descriptions of operations refer to by name.
#[derive(OpenApi)]
#[openapi(components(schemas(problem::Problem)))]
struct Shared;

/// Every route of our own API.
pub(super) fn routes(app: &Arc<App>) -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::with_openapi(Shared::openapi())
        .merge(me::routes())
        .merge(organizations::routes())
        .merge(prefixes::routes())
        .merge(scopes::routes())
        .merge(accesses::routes())
        .merge(access_batch::routes())
        .merge(access_requests::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(delegations::routes())
        .merge(signing_keys::routes())
        .merge(audit::routes())
        .merge(refusals::routes());
    let once = from_fn_with_state(Arc::clone(app), idempotency::once);
    let mut routes = OpenApiRouter::new().nest(BASE, routes).layer(once);
    idempotency::describe(routes.get_openapi_mut());
    routes
}

/// Reads a value that stands in an address or a body under that name.
fn read<T: std::str::FromStr<Err: ToString>>(
    name: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::parameter(name, error.to_string()))
}

/// Reads one of a few words that stands in an address or a body under that name.
fn word<T: Copy>(
    name: &'static str,
    text: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, ApiError> {
    all.iter().copied().find(|one| name_of(*one) == text).ok_or_else(|| {
        let known: Vec<_> = all.iter().copied().map(name_of).collect();
        ApiError::parameter(name, format!("it must be one of {}", known.join(", ")))
    })
}

const TIME_EXPECTED: &str = "it must be a time as RFC 3339 writes it, such as 2027-01-31T00:00:00Z";

/// Reads a time that stands in an address or a body under that name.
fn time(name: &'static str, text: &str) -> Result<Timestamp, ApiError> {
    Timestamp::from_rfc3339(text).ok_or_else(|| ApiError::parameter(name, TIME_EXPECTED))
}
