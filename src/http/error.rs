//! Errors of the token API (RFC 6749 section 5.2), and answers in JSON. Those of the admin listener are in
//! [`crate::http::admin`].

use std::fmt;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::clock::Random;
use crate::token::limit::TooMany;
use crate::token::refusal::{ErrorKind, Refusal};

/// The identifier of one request: 32 hexadecimal digits that its answer and its log lines share.
#[derive(Clone, Debug)]
pub(super) struct TraceId(String);

impl TraceId {
    /// A new one. What a client sends along is not used: two requests must never share one.
    pub(super) fn new(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error in the shape of RFC 6749 section 5.2.
#[derive(Debug)]
pub struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: String,
    error_uri: Option<String>,
    /// The scheme of a challenge, for 401 (RFC 9110 section 11.6.1).
    challenge: Option<&'static str>,
    /// Seconds after which it may be tried again, when that is known.
    retry_after_seconds: Option<u64>,
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'static str,
    error_description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_uri: Option<&'a str>,
}

/// The `error` of what may be tried again, of RFC 6749 section 4.1.2.1, which has none for the token endpoint.
const TEMPORARILY_UNAVAILABLE: &str = "temporarily_unavailable";

/// Seconds after which a client that was told 503 may try again.
pub(super) const RETRY_AFTER_SECONDS: u64 = 1;

impl OAuthError {
    /// `invalid_request` with status 400.
    pub(super) fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// An error with status 400.
    pub(super) fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            description: description.into(),
            error_uri: None,
            challenge: None,
            retry_after_seconds: None,
        }
    }

    /// `temporarily_unavailable` with status 503, for a fault of the server's own.
    pub(super) fn broken() -> Self {
        let description = "This server has met a fault of its own with this request. Try again; if it stays so, give its operator the trace id.";
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            retry_after_seconds: Some(RETRY_AFTER_SECONDS),
            ..Self::new(TEMPORARILY_UNAVAILABLE, description)
        }
    }

    /// `temporarily_unavailable` with status 429 (RFC 6585 section 4), for where the request comes from.
    pub(super) fn too_many(TooMany { retry_after_seconds }: TooMany) -> Self {
        let description = format!(
            "Too many requests from here have failed. Mend what fails, and try again in {retry_after_seconds} s."
        );
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            retry_after_seconds: Some(retry_after_seconds),
            ..Self::new(TEMPORARILY_UNAVAILABLE, description)
        }
    }

    /// A refusal of the token path, with the page that explains it.
    pub(super) fn of_refusal(refusal: &Refusal, issuer: &str) -> Self {
        let (status, error) = match refusal.kind() {
            ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            ErrorKind::InvalidAuthorizationDetails => {
                (StatusCode::BAD_REQUEST, "invalid_authorization_details")
            }
            ErrorKind::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
            ErrorKind::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            ErrorKind::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope"),
            ErrorKind::InvalidTarget => (StatusCode::BAD_REQUEST, "invalid_target"),
            ErrorKind::TemporarilyUnavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, TEMPORARILY_UNAVAILABLE)
            }
            ErrorKind::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, TEMPORARILY_UNAVAILABLE),
        };
        Self {
            status,
            error,
            description: refusal.to_string(),
            error_uri: refusal.code().map(|code| format!("{issuer}errors/{}", code.name())),
            challenge: None,
            retry_after_seconds: match refusal {
                Refusal::TooManyRequests(TooMany { retry_after_seconds }) => {
                    Some(*retry_after_seconds)
                }
                Refusal::Fenced { retry_after_seconds, .. } => Some(*retry_after_seconds),
                Refusal::Unavailable { .. } => Some(RETRY_AFTER_SECONDS),
                _ => None,
            },
        }
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Status 401 with a challenge, of the scheme that the client has used if it is known.
    pub(super) fn with_challenge(mut self, scheme: &'static str) -> Self {
        self.status = StatusCode::UNAUTHORIZED;
        self.challenge = Some(scheme);
        self
    }

    /// The `error`.
    pub(super) fn error(&self) -> &'static str {
        self.error
    }

    /// The description, without the trace id.
    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The answer, with the trace id at the end of the description.
    pub(super) fn into_response_with(self, trace_id: &TraceId) -> Response {
        let description = format!("{} (trace_id: {trace_id})", allowed(&self.description));
        let body = Body {
            error: self.error,
            error_description: &description,
            error_uri: self.error_uri.as_deref(),
        };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = json(self.status, body);
        let headers = response.headers_mut();
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(scheme) = self.challenge {
            headers.insert("www-authenticate", HeaderValue::from_static(scheme));
        }
        response
    }
}

/// A JSON answer that nobody may keep (RFC 6749 section 5.1).
pub(super) fn json(status: StatusCode, body: String) -> Response {
    const HEADERS: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")];
    (status, HEADERS, body).into_response()
}

/// What a description may consist of (RFC 6749 section 5.2). Our texts keep to it; this holds the line.
fn allowed(description: &str) -> String {
    let keep = |c: char| matches!(c, ' '..='!' | '#'..='[' | ']'..='~');
    description.chars().map(|c| if keep(c) { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_keep_to_the_characters_of_rfc_6749() {
        assert_eq!(allowed("a \"b\" \\ \r\n\u{1b}[0m \u{e5}"), "a 'b' ' '''[0m '");
    }
}
