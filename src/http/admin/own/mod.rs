//! Our own API, for what Digdir's lacks: `/api/portvakt/v1`.
//!
//! Errors are RFC 9457 problems, lists come in pages, and a thing that can be changed has an ETag which a change
//! must name in If-Match, so that no change is lost under another.

mod etag;
mod page;
mod prefixes;
mod problem;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::http::admin::error::ApiError;

pub(super) use problem::shape;

/// Where this API is.
const BASE: &str = "/api/portvakt/v1";

/// Every route of our own API.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    let routes = OpenApiRouter::new().merge(prefixes::routes());
    OpenApiRouter::new().nest(BASE, routes)
}

/// Reads a value that stands in an address or a body under that name.
fn read<T: std::str::FromStr<Err: ToString>>(
    name: &'static str,
    text: &str,
) -> Result<T, ApiError> {
    text.parse().map_err(|error: T::Err| ApiError::parameter(name, error.to_string()))
}
