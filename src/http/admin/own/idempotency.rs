//! Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): a POST that comes twice is done once.
//!
//! Whoever has not heard the answer sends the request again with the same key, and is answered what it would have
//! been answered, for a day. An answer that says that the server has failed is not kept.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::header::{CONTENT_TYPE, ETAG};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{ObjectBuilder, OpenApi as Document, Required};

use crate::app::App;
use crate::http::admin::body::whole;
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::problem;
use crate::http::error::json;
use crate::registry::{FirstTime, KeptAnswer, Once};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest key; a UUID has 36 characters.
const KEY_CHARACTERS_MAX: usize = 255;

/// The headers of an answer that are kept.
const KEPT_HEADERS: [HeaderName; 2] = [CONTENT_TYPE, ETAG];

/// Stands in front of every operation.
pub(super) async fn once(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    if request.method() != Method::POST || !request.headers().contains_key(KEY) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    // Who may not ask is told so by the operation.
    match Caller::from_request_parts(&mut parts, &app).await {
        // Nor is anything kept of what whoever has no right here asks: any client has a token to show.
        Ok(Caller(actor)) if actor.rights.is_empty() => {
            next.run(Request::from_parts(parts, body)).await
        }
        Ok(caller) => match do_once(&app, &caller, parts, body, next).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        },
        Err(_) => next.run(Request::from_parts(parts, body)).await,
    }
}

async fn do_once(
    app: &Arc<App>,
    Caller(actor): &Caller,
    parts: Parts,
    body: Body,
    next: Next,
) -> Result<Response, ApiError> {
    let key = key_of(&parts.headers)?;
    let body = whole(&parts.headers, body).await?;
    let target = parts.uri.to_string();
    let known = app.registry.begin_once(actor, key, parts.method.as_str(), &target, &body).await?;
    let repeated = |status, problem| Err(ApiError::Repeated { status, problem });
    let first = match known {
        Once::Answered(answer) => return Ok(again(&answer)),
        Once::Different => {
            let problem = "the Idempotency-Key has been used for another request; take a new one";
            return repeated(StatusCode::UNPROCESSABLE_ENTITY, problem);
        }
        Once::UnderWay => {
            let problem = "the request with this Idempotency-Key is being done; ask again";
            return repeated(StatusCode::CONFLICT, problem);
        }
        Once::First(first) => first,
    };
    let request = Request::from_parts(parts, Body::from(body));
    let app = Arc::clone(app);
    // In a task of its own, so that it comes to its end when the caller hangs up.
    let task = tokio::spawn(async move {
        let response = problem::shape(Arc::clone(&app), request, next).await;
        keep(&app, &first, response).await
    });
    Ok(task.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()))
}

/// One key of 1 to 255 visible ASCII characters, quotes included if there are any.
fn key_of(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(KEY).iter();
    let (first, second) = (values.next(), values.next());
    let key = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok());
    let is_key = |key: &&str| {
        (1..=KEY_CHARACTERS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
    };
    key.filter(is_key).ok_or(ApiError::Repeated {
        status: StatusCode::BAD_REQUEST,
        problem: "send one Idempotency-Key of 1 to 255 visible ASCII characters",
    })
}

/// Keeps an answer, unless it says that the server has failed.
async fn keep(app: &App, first: &FirstTime, response: Response) -> Response {
    let (parts, body) = response.into_parts();
    let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let done = match String::from_utf8(body.to_vec()) {
        Ok(text) if !parts.status.is_server_error() => {
            let header = |name: HeaderName| {
                let value = parts.headers.get(&name)?.to_str().ok()?.to_owned();
                Some((name.as_str().to_owned(), value.into()))
            };
            let headers: serde_json::Map<_, _> =
                KEPT_HEADERS.into_iter().filter_map(header).collect();
            let headers = serde_json::Value::Object(headers).to_string();
            let answer = KeptAnswer { status: parts.status.as_u16(), headers, body: text };
            app.registry.answer_once(first, &answer).await
        }
        _ => app.registry.forget_once(first).await,
    };
    if let Err(error) = done {
        tracing::warn!(%error, "the answer to a request with an Idempotency-Key could not be kept");
    }
    Response::from_parts(parts, Body::from(body))
}

fn again(answer: &KeptAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, answer.body.clone());
    let headers: serde_json::Map<_, _> = serde_json::from_str(&answer.headers).unwrap_or_default();
    for name in KEPT_HEADERS {
        let value = headers.get(name.as_str()).and_then(serde_json::Value::as_str);
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// Describes the header, and what else it can be answered with, on every operation that takes it.
pub(super) fn describe(document: &mut Document) {
    let posts = document.paths.paths.values_mut().filter_map(|item| item.post.as_mut());
    for operation in posts {
        let text = "What the request is known by: sent again with the same key, it is answered as before \
             and not done again, for a day.";
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(KEY_CHARACTERS_MAX))
            .pattern(Some("^[!-~]+$"));
        let header = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(text))
            .schema(Some(schema));
        operation.parameters.get_or_insert_default().push(header.build().into());
        for status in [409, 413, 422] {
            let (status, response) = problem::described(status);
            operation.responses.responses.entry(status).or_insert(response);
        }
    }
}
