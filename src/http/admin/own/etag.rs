//! Versions of things as entity tags (RFC 9110 section 8.8.3), and what a change must say about them.

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::IntoParams;

use crate::domain::record::{Expected, Version};
use crate::http::admin::body::Reply;
use crate::http::admin::error::ApiError;

/// Which version a change is meant for: `If-Match` with an entity tag, or `*` for whatever is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct IfMatch(pub(super) Option<Version>);

/// The same for a change that may make the thing: without `If-Match` it must not be there yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct MayMatch(pub(super) Expected);

/// The header of [`IfMatch`], for the description of an operation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is only described; the extractor reads the header")]
pub(super) struct IfMatchHeader {
    /// The `ETag` that has been seen, or `*` for whatever is there.
    #[param(rename = "If-Match", example = "\"1\"")]
    if_match: String,
}

/// The header of [`MayMatch`], for the description of an operation.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it is only described; the extractor reads the header")]
pub(super) struct MayMatchHeader {
    /// The `ETag` that has been seen, or `*` for whatever is there.
    #[param(rename = "If-Match", example = "\"1\"")]
    if_match: Option<String>,
}

impl MayMatch {
    /// The version that the change is meant for, if it says one.
    pub(super) fn version(self) -> Option<Version> {
        match self.0 {
            Expected::At(version) => Some(version),
            Expected::Anything | Expected::Nothing => None,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        match read(parts)? {
            Expected::Nothing => Err(ApiError::Precondition {
                status: StatusCode::PRECONDITION_REQUIRED,
                problem: "send If-Match with the ETag that you have seen, or * for whatever is there",
            }),
            Expected::Anything => Ok(Self(None)),
            Expected::At(version) => Ok(Self(Some(version))),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MayMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        read(parts).map(Self)
    }
}

fn read(parts: &Parts) -> Result<Expected, ApiError> {
    let mut values = parts.headers.get_all(IF_MATCH).iter();
    let Some(value) = values.next() else { return Ok(Expected::Nothing) };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" && values.next().is_none() {
        return Ok(Expected::Anything);
    }
    let number = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let number = number.filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    match number.and_then(|number| number.parse().ok()).filter(|_| values.next().is_none()) {
        Some(version) => Ok(Expected::At(Version(version))),
        // A tag that is none of ours matches nothing.
        None => Err(ApiError::Precondition {
            status: StatusCode::PRECONDITION_FAILED,
            problem: "If-Match holds no ETag of this API",
        }),
    }
}

/// A thing with its entity tag.
#[derive(Debug)]
pub(super) struct Tagged<T>(pub(super) StatusCode, pub(super) Version, pub(super) T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = Reply(self.0, self.2).into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.1.0)) {
            response.headers_mut().insert(ETAG, tag);
        }
        response
    }
}
