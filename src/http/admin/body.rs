//! Bodies, queries and paths, read strictly.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::json::JsonObject;
use crate::http::admin::error::ApiError;
use crate::http::error::json;

/// The largest body: a batch of a thousand organization numbers with a short note each, or five keys with their
/// certificates.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// A JSON body (RFC 8259): one object with each member once. What is not declared as JSON is refused, because
/// that is what a page of another site can make a browser send.
#[derive(Clone, Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !has_type(&request, "application/json") {
            return Err(wrong_type("send application/json"));
        }
        let (parts, body) = request.into_parts();
        let bytes = whole(&parts.headers, body).await?;
        let problem = |field: Option<String>, problem: String| ApiError::Body {
            status: StatusCode::BAD_REQUEST,
            field,
            problem,
        };
        // First strictly, because the second reader would take the last of two members of one name.
        JsonObject::parse(&bytes).map_err(|error| problem(None, format!("the body is {error}")))?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            // Positions in the text mean nothing to whoever has not typed it.
            let text = error.into_inner().to_string();
            let text = text.split(" at line ").next().unwrap_or_default().to_owned();
            problem((path != ".").then_some(path), text)
        })?;
        Ok(Self(value))
    }
}

/// A body of plain text.
#[derive(Clone, Debug)]
pub(super) struct TextBody(pub(super) String);

impl<S: Send + Sync> FromRequest<S> for TextBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        if !has_type(&request, "text/plain") {
            return Err(wrong_type("send text/plain"));
        }
        let (parts, body) = request.into_parts();
        let bytes = whole(&parts.headers, body).await?;
        String::from_utf8(bytes.to_vec()).map(Self).map_err(|_| ApiError::Body {
            status: StatusCode::BAD_REQUEST,
            field: None,
            problem: "the body is not text in UTF-8".to_owned(),
        })
    }
}

/// The query of an address, in which every parameter is known and stands once.
#[derive(Clone, Debug)]
pub(super) struct QueryOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = Query::<T>::from_request_parts(parts, state).await;
        read.map(|Query(query)| Self(query)).map_err(|error| {
            let text = error.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            ApiError::parameter("query", text)
        })
    }
}

/// The query of an address that takes none.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match parts.uri.query() {
            None | Some("") => Ok(Self),
            Some(_) => Err(ApiError::parameter("query", "this address takes no parameters")),
        }
    }
}

/// The variable parts of an address.
#[derive(Clone, Debug)]
pub(super) struct PathOf<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let read = Path::<T>::from_request_parts(parts, state).await;
        read.map(|Path(path)| Self(path)).map_err(|_| ApiError::Nowhere(StatusCode::NOT_FOUND))
    }
}

/// An answer in JSON that nobody may keep.
#[derive(Clone, Debug)]
pub(super) struct Reply<T>(pub(super) StatusCode, pub(super) T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        match serde_json::to_string(&self.1) {
            Ok(body) => json(self.0, body),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}

fn has_type(request: &Request, wanted: &str) -> bool {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.map(|value| value.split(';').next().unwrap_or_default().trim());
    essence.is_some_and(|essence| essence.eq_ignore_ascii_case(wanted))
}

fn wrong_type(problem: &str) -> ApiError {
    ApiError::Body {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        field: None,
        problem: problem.to_owned(),
    }
}

/// The bytes of a body, if they are not too many and not encoded.
pub(super) async fn whole(headers: &HeaderMap, body: Body) -> Result<Bytes, ApiError> {
    if headers.contains_key(CONTENT_ENCODING) {
        return Err(wrong_type("send the body without Content-Encoding"));
    }
    let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| {
        let (status, problem) = if error.is::<LengthLimitError>() {
            (StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 256 KiB")
        } else {
            (StatusCode::BAD_REQUEST, "the body did not arrive whole")
        };
        ApiError::Body { status, field: None, problem: problem.to_owned() }
    })
}
