//! Our own API, for what Digdir's lacks: `/api/portvakt/v1`.
//!
//! Errors are RFC 9457 problems, lists come in pages, and a thing that can be changed has an `ETag` which a change
//! must name in If-Match, so that no change is lost under another. A POST with an Idempotency-Key is done once.

mod access_batch;
mod access_requests;
mod accesses;
mod audit;
mod business_data;
mod clients;
mod delegations;
mod effective;
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
mod trust_sets;
mod usage;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;

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
        .merge(effective::routes())
        .merge(organizations::routes())
        .merge(business_data::routes())
        .merge(prefixes::routes())
        .merge(scopes::routes())
        .merge(accesses::routes())
        .merge(access_batch::routes())
        .merge(access_requests::routes())
        .merge(clients::routes())
        .merge(keys::routes())
        .merge(delegations::routes())
        .merge(signing_keys::routes())
        .merge(trust_sets::routes())
        .merge(audit::routes())
        .merge(refusals::routes())
        .merge(usage::routes());
    let once = from_fn_with_state(Arc::clone(app), idempotency::once);
    let mut routes = OpenApiRouter::new().nest(BASE, routes).layer(once);
    idempotency::describe(routes.get_openapi_mut());
    routes
}
