//! What every request passes on its way in and every answer on its way out.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{HOST, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

use crate::app::App;
use crate::clock::Random;
use crate::http::error::{OAuthError, TraceId};

/// The longest value of one header. Cookies are not used here, and a token sent to the admin API is 2 KiB.
const HEADER_VALUE_BYTES_MAX: usize = 8 * 1024;

/// Puts the guard in front of `routes`.
pub(super) fn protect(routes: Router, app: Arc<App>) -> Router {
    routes.layer(from_fn_with_state(app, guard_app))
}

/// The same where there is no server yet, with what trace ids are drawn from.
pub(super) fn protect_with(routes: Router, random: Arc<dyn Random>) -> Router {
    routes.layer(from_fn_with_state(random, guard_alone))
}

/// Answers in the form of RFC 6749 where `routes` lead nowhere.
pub(super) fn with_fallbacks(routes: Router) -> Router {
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed)
}

async fn guard_app(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    guard(&*app.issuer.random, request, next).await
}

async fn guard_alone(
    State(random): State<Arc<dyn Random>>,
    request: Request,
    next: Next,
) -> Response {
    guard(&*random, request, next).await
}

async fn guard(random: &dyn Random, mut request: Request, next: Next) -> Response {
    let trace_id = TraceId::new(random);
    if let Some(refusal) = refuse(&request) {
        tracing::info!(%trace_id, error = refusal.error(), "request refused: {refusal:?}");
        return with_headers(refusal.into_response_with(&trace_id), &trace_id);
    }
    request.extensions_mut().insert(trace_id.clone());
    with_headers(next.run(request).await, &trace_id)
}

/// RFC 9112 section 3.2: a request has exactly one `Host`; which one is nobody's business here. Section 6.1:
/// a transfer coding that is not understood is refused.
fn refuse(request: &Request) -> Option<OAuthError> {
    let hosts = request.headers().get_all(HOST).iter().count();
    let needed = usize::from(request.version() >= Version::HTTP_11);
    if hosts > 1 || hosts < needed {
        return Some(OAuthError::request("The request must have exactly one Host header."));
    }
    let mut codings = request.headers().get_all(TRANSFER_ENCODING).iter();
    let chunked = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"chunked");
    if !codings.next().is_none_or(chunked) || codings.next().is_some() {
        return Some(OAuthError::request(
            "Transfer-Encoding must be absent, or chunked and nothing else.",
        ));
    }
    if oversized(request.headers()) {
        let error = OAuthError::request("A header of the request is longer than 8 KiB.");
        return Some(error.with_status(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    None
}

fn oversized(headers: &HeaderMap) -> bool {
    headers.values().any(|value| value.len() > HEADER_VALUE_BYTES_MAX)
}

fn with_headers(mut response: Response, trace_id: &TraceId) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(trace_id.as_str()) {
        headers.insert("trace-id", value);
    }
    response
}

async fn not_found(request: Request) -> Response {
    let error = OAuthError::request("There is nothing here. The metadata names the endpoints.");
    answer(error.with_status(StatusCode::NOT_FOUND), &request)
}

async fn method_not_allowed(request: Request) -> Response {
    let error = OAuthError::request("This method is not allowed here; see the Allow header.");
    answer(error.with_status(StatusCode::METHOD_NOT_ALLOWED), &request)
}

fn answer(error: OAuthError, request: &Request) -> Response {
    match request.extensions().get::<TraceId>() {
        Some(trace_id) => error.into_response_with(trace_id),
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
