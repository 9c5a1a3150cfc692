//! Digdir's self-service API, for the tools that operators already have: same addresses, bodies and statuses.
//!
//! Members that this server has no use for are accepted, `null` counts as absent, and lists are plain arrays.

mod accesses;
mod client_body;
mod client_keys;
mod clients;
mod error;
mod on_behalf_of;
mod organizations;
mod prefixes;
mod scope_body;
mod scopes;

use std::sync::Arc;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::clock::Timestamp;

pub(super) use error::shape;

/// The most things in one list: these lists have no pages, and tools expect all of it.
const LIST_MAX: u32 = 1_000_000;

/// Every route of the compatible API: under `/api/v1`, and without it as older tools have it.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    // The older addresses do the same: the document need not say everything twice.
    let (older, _): (Router<Arc<App>>, _) = version_1().split_for_parts();
    OpenApiRouter::new()
        .nest("/api/v1", version_1())
        .nest("/api/v2", client_keys::version_2())
        .merge(OpenApiRouter::from(older))
}

fn version_1() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .merge(accesses::routes())
        .merge(client_keys::routes())
        .merge(clients::routes())
        .merge(on_behalf_of::routes())
        .merge(organizations::routes())
        .merge(prefixes::routes())
        .merge(scopes::routes())
}

/// A time as this API writes it: RFC 3339 with an offset.
fn time(moment: Timestamp) -> String {
    moment.to_string()
}

/// A text that says something: tools send empty ones for what they leave open.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
