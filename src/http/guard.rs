//! What every request passes on its way in and every answer on its way out.

use std::convert::Infallible;
use std::future::{poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
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
        Box::pin(async move {
            let answer = match unless_it_panics(answer).await {
                Some(answer) => answer?,
                None => broken(&trace_id, app.as_deref()),
            };
            Ok(with_headers(answer, &trace_id, app.as_deref()))
        })
    }
}

/// What comes of something; nothing, if it panics. A fault of ours is to be heard of by the one who has met it, and by
/// nobody whose request shares the connection or comes later.
async fn unless_it_panics<T>(something: impl Future<Output = T>) -> Option<T> {
    let mut something = pin!(something);
    let polled = poll_fn(|context| {
        // What it has left half done is dropped with it; locks that it held are known to be worth no less.
        match catch_unwind(AssertUnwindSafe(|| something.as_mut().poll(context))) {
            Ok(Poll::Ready(it)) => Poll::Ready(Some(it)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(None),
        }
    });
    polled.await
}

/// The answer to a request that has met a fault of ours. What it was is in the log, where the panic was told.
fn broken(trace_id: &TraceId, app: Option<&App>) -> Response {
    tracing::error!(%trace_id, "a request has met a fault of the server; please report what is said above");
    if let Some(app) = app {
        app.metrics.panicked();
    }
    OAuthError::broken().into_response_with(trace_id)
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::clock::SystemRandom;

    #[tokio::test]
    async fn of_a_panic_only_the_request_hears_that_has_met_it() {
        let broken = async || -> &'static str { panic!("a secret") };
        let late = async || -> &'static str {
            tokio::task::yield_now().await;
            panic!("a secret")
        };
        let routes = Router::new()
            .route("/broken", get(broken))
            .route("/late", get(late))
            .route("/whole", get(async || "whole"));
        let routes = protect_with(routes, Arc::new(SystemRandom));
        for (path, status) in [("/broken", 503), ("/whole", 200), ("/late", 503), ("/whole", 200)] {
            let request = Request::get(path).header(HOST, "as.test").body(Body::empty()).unwrap();
            let answer = routes.clone().oneshot(request).await.unwrap();
            assert_eq!(answer.status(), status, "{path}");
            assert!(answer.headers().contains_key("trace-id"));
            let text = to_bytes(answer.into_body(), 10_000).await.unwrap();
            let text = String::from_utf8(text.to_vec()).unwrap();
            assert_eq!(text.contains("temporarily_unavailable"), status == 503, "{text}");
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
