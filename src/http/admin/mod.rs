//! The admin listener: two APIs over one control plane.
//!
//! * [`compatible`]: Digdir's self-service API, as existing tools of operators use it. `/api/v1`, `/api/v2`, and
//!   the same without them.
//! * [`own`]: ours, for what theirs lacks. `/api/portvakt/v1`.
//!
//! Both read a request strictly, turn it into a verb of [`crate::registry`], which holds who may do what, and
//! give the outcome their shape. Neither decides anything itself.

mod body;
mod caller;
#[expect(unused_qualifications, reason = "the macros of utoipa write paths out")]
mod compatible;
mod error;
mod openapi;
#[expect(unused_qualifications, reason = "the macros of utoipa write paths out")]
mod own;

use std::sync::Arc;

use axum::Router;

use crate::app::App;

/// Every route of the admin listener.
pub(super) fn routes(app: &Arc<App>) -> Router<Arc<App>> {
    let (own, own_document) = own::routes(app).split_for_parts();
    let (compatible, compatible_document) = compatible::routes(app).split_for_parts();
    own.merge(compatible).merge(openapi::routes(app, own_document, compatible_document))
}
