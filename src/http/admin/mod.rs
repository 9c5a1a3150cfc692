//! The admin listener: two APIs over one control plane.
//!
//! * [`compatible`]: Digdir's self-service API, as existing tools of operators use it. `/api/v1`, `/api/v2`, and
//!   the same without them.
//! * [`own`]: ours, for what theirs lacks. `/api/portvakt/v1`.
//!
//! Both read a request, ours more strictly, turn it into a verb of [`crate::registry`], which holds who may do what, and
//! give the outcome their shape. Neither decides anything itself.

mod body;
mod caller;
#[expect(unused_qualifications, reason = "the macros of utoipa write paths out")]
mod compatible;
mod error;
mod limit;
mod openapi;
#[expect(unused_qualifications, reason = "the macros of utoipa write paths out")]
mod own;
mod value;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::admin::error::ApiError;

/// Every address that begins so is ours; every other one is Digdir's.
const OWN: &str = "/api/portvakt";

/// Every route of the admin listener, and the answers where there is none.
pub(super) fn routes(app: &Arc<App>) -> Router {
    let (own, own_document) = own::routes(app).split_for_parts();
    let (compatible, compatible_document) = compatible::routes().split_for_parts();
    let documents = openapi::routes(app, own_document, compatible_document);
    let known = own
        .merge(compatible)
        .merge(documents)
        .with_state(Arc::clone(app))
        .method_not_allowed_fallback(|| async {
            ApiError::Nowhere(StatusCode::METHOD_NOT_ALLOWED)
        });
    let known = known.fallback(|| async { ApiError::Nowhere(StatusCode::NOT_FOUND) });
    let inner = known.clone();
    known
        .fallback(move |request| without_last_slash(inner, request))
        .layer(from_fn_with_state(Arc::clone(app), limit::limit))
        .layer(from_fn_with_state(Arc::clone(app), shape))
        .layer(from_fn_with_state(Arc::clone(app), number))
}

/// Tools write `/clients/` as well as `/clients`: an address of Digdir's that leads nowhere is tried without the
/// slash at its end.
async fn without_last_slash(routes: Router, mut request: Request) -> Response {
    let shorter = shortened(request.uri());
    let Some(shorter) = shorter.filter(|_| !is_own(&request)) else {
        return ApiError::Nowhere(StatusCode::NOT_FOUND).into_response();
    };
    *request.uri_mut() = shorter;
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn shortened(address: &Uri) -> Option<Uri> {
    let path = address.path().strip_suffix('/')?;
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

/// The header that says which change holds on the node that answers, and all before it.
const CHANGE_SEQ: HeaderName = HeaderName::from_static("portvakt-change-seq");

/// Says which change holds here: to whoever has made one, at least theirs, because it holds before it is answered.
async fn number(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let seq = app.issuer.feed.applied();
    response.headers_mut().insert(CHANGE_SEQ, HeaderValue::from(seq.0));
    response
}

/// Gives errors the shape of the API that the request came to.
async fn shape(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if is_own(&request) {
        own::shape(app, request, next).await
    } else {
        compatible::shape(app, request, next).await
    }
}

fn is_own(request: &Request) -> bool {
    let rest = request.uri().path().strip_prefix(OWN);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
