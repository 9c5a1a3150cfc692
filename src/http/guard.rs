//! What every request passes on its way in and every answer on its way out.

use std::convert::Infallible;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONNECTION, HOST, TRANSFER_ENCODING, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse as _, Response};
use tower::{Service, layer::layer_fn};

use crate::app::App;
use crate::clock::Random;
use crate::http::error::{OAuthError, TraceId};

/// The longest value of one header. Cookies are not used here, and a token sent to the admin API is 2 KiB.
const HEADER_VALUE_BYTES_MAX: usize = 8 * 1024;

/// Puts the guard in front of `routes`.
pub(super) fn protect(routes: Router, app: Arc<App>) -> Router {
    routes.layer(layer_fn(move |routes| {
        let (app, random) = (Some(Arc::clone(&app)), Arc::clone(&app.issuer.random));
        Guard { routes, app, random }
    }))
}

/// The same where there is no server yet, with what trace ids are drawn from.
pub(super) fn protect_with(routes: Router, random: Arc<dyn Random>) -> Router {
    routes.layer(layer_fn(move |routes| Guard { routes, app: None, random: Arc::clone(&random) }))
}

/// Routes with the guard in front of them. What the library has for this would copy each request and its answer more
/// often than everything that is done with them here.
#[derive(Clone)]
struct Guard<S> {
    routes: S,
    app: Option<Arc<App>>,
    random: Arc<dyn Random>,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.routes.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (trace_id, app) = (TraceId::new(&*self.random), self.app.clone());
        if let Some(refusal) = refuse(&request) {
            tracing::info!(%trace_id, error = refusal.error(), "request refused: {refusal:?}");
            let answer = refusal.into_response_with(&trace_id);
            return Box::pin(ready(Ok(with_headers(answer, &trace_id, app.as_deref()))));
        }
        request.extensions_mut().insert(trace_id.clone());
        let answer = self.routes.call(request);
        Box::pin(async move { Ok(with_headers(answer.await?, &trace_id, app.as_deref())) })
    }
}

/// Answers in the form of RFC 6749 where `routes` lead nowhere.
pub(super) fn with_fallbacks(routes: Router) -> Router {
    routes.fallback(not_found).method_not_allowed_fallback(method_not_allowed)
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

fn with_headers(mut response: Response, trace_id: &TraceId, app: Option<&App>) -> Response {
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(value) = HeaderValue::from_str(trace_id.as_str()) {
        headers.insert("trace-id", value);
    }
    if app.is_some_and(App::is_draining) {
        // Whoever keeps the connection would send the next request when there is nobody any more.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
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
