//! Errors of the admin listener: what went wrong, before either API gives it its shape.
//!
//! A handler returns an [`ApiError`]. Its response has the right status and carries the error along; the API
//! that the request came to writes the body ([`super::compatible`], [`super::own`]).

use std::sync::Arc;

use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

use crate::http::error::RETRY_AFTER_SECONDS;
use crate::registry::RegistryError;
use crate::token::bearer::BearerRefusal;
use crate::token::limit::TooMany;

/// What went wrong.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The token does not count.
    Bearer(BearerRefusal),
    /// The body cannot be read.
    Body {
        status: StatusCode,
        /// The member that is wrong, as a path, if one is.
        field: Option<String>,
        problem: String,
    },
    /// There is no token, or more than one.
    NoToken(&'static str),
    /// There is nothing at this address, or nothing that takes this method.
    Nowhere(StatusCode),
    /// A part of the address cannot be read.
    Parameter { name: &'static str, problem: String },
    /// If-Match is missing (428), or names no version of ours (412).
    Precondition { status: StatusCode, problem: &'static str },
    /// The control plane refuses.
    Registry(RegistryError),
    /// The Idempotency-Key was used for something else (422), is in use (409) or cannot be read (400).
    Repeated { status: StatusCode, problem: &'static str },
    /// The caller asks too often.
    TooMany(TooMany),
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        Self::Registry(error)
    }
}

impl ApiError {
    /// A part of the address that cannot be read.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "errors and texts are made where they are passed"
    )]
    pub(super) fn parameter(name: &'static str, problem: impl ToString) -> Self {
        Self::Parameter { name, problem: problem.to_string() }
    }

    /// The status that both APIs answer with.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Bearer(BearerRefusal::Unavailable { .. })
            | Self::Registry(RegistryError::Store(_) | RegistryError::Unfollowed(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Registry(RegistryError::NoMail) => StatusCode::NOT_IMPLEMENTED,
            Self::Bearer(_) | Self::NoToken(_) => StatusCode::UNAUTHORIZED,
            Self::Body { status, .. }
            | Self::Nowhere(status)
            | Self::Precondition { status, .. }
            | Self::Repeated { status, .. } => *status,
            Self::Parameter { .. }
            | Self::Registry(RegistryError::Invalid { .. } | RegistryError::Key(_)) => {
                StatusCode::BAD_REQUEST
            }
            Self::Registry(RegistryError::Conflict { .. }) => StatusCode::CONFLICT,
            Self::Registry(RegistryError::Forbidden { .. }) => StatusCode::FORBIDDEN,
            Self::Registry(RegistryError::NotYours { noun }) if is_public(noun) => {
                StatusCode::FORBIDDEN
            }
            Self::Registry(RegistryError::Absent { .. } | RegistryError::NotYours { .. }) => {
                StatusCode::NOT_FOUND
            }
            Self::Registry(RegistryError::Stale) => StatusCode::PRECONDITION_FAILED,
            Self::Registry(RegistryError::Unseen) => StatusCode::PRECONDITION_REQUIRED,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// What kind of error it is, in words that programs may rely on.
    pub(super) fn code(&self) -> &'static str {
        match self {
            Self::Bearer(BearerRefusal::Unavailable { .. })
            | Self::Registry(RegistryError::Store(_) | RegistryError::Unfollowed(_)) => {
                "temporarily_unavailable"
            }
            Self::Registry(RegistryError::NoMail) => "no_mail",
            Self::Bearer(_) | Self::NoToken(_) => "invalid_token",
            Self::Body { .. } | Self::Parameter { .. } => "invalid_request",
            Self::Nowhere(_) => "no_such_address",
            Self::Precondition { status: StatusCode::PRECONDITION_FAILED, .. }
            | Self::Registry(RegistryError::Stale) => "stale",
            Self::Precondition { .. } | Self::Registry(RegistryError::Unseen) => {
                "precondition_required"
            }
            Self::Registry(RegistryError::Invalid { .. } | RegistryError::Key(_)) => {
                "invalid_value"
            }
            Self::Registry(RegistryError::Conflict { .. }) => "conflict",
            Self::Registry(RegistryError::Forbidden { .. }) => "insufficient_scope",
            Self::Registry(RegistryError::NotYours { noun }) if is_public(noun) => "not_yours",
            Self::Registry(RegistryError::Absent { .. } | RegistryError::NotYours { .. }) => {
                "not_found"
            }
            Self::Repeated { .. } => "idempotency_key",
            Self::TooMany(_) => "too_many_requests",
        }
    }

    /// What a person needs to know; `word` says how an API calls a member that the control plane names.
    pub(super) fn detail(&self, word: fn(&str) -> &str) -> String {
        match self {
            Self::Bearer(BearerRefusal::Unavailable { .. })
            | Self::Registry(RegistryError::Store(_) | RegistryError::Unfollowed(_)) => {
                "the server cannot do this at the moment; try again".to_owned()
            }
            Self::Bearer(refusal) => refusal.to_string(),
            Self::Body { problem, .. } => problem.clone(),
            Self::NoToken(problem)
            | Self::Precondition { problem, .. }
            | Self::Repeated { problem, .. } => (*problem).to_owned(),
            Self::Nowhere(StatusCode::METHOD_NOT_ALLOWED) => {
                "this method is not allowed here; see the Allow header".to_owned()
            }
            Self::Nowhere(_) => {
                "there is nothing here; /openapi.json names every address".to_owned()
            }
            Self::Parameter { name, problem } => format!("{name}: {problem}"),
            // What belongs to somebody else must look like what is not there.
            Self::Registry(RegistryError::NotYours { noun }) if !is_public(noun) => {
                RegistryError::Absent { noun }.to_string()
            }
            Self::Registry(RegistryError::Invalid { field, problem }) => {
                format!("{}: {problem}", word(field))
            }
            Self::Registry(error) => error.to_string(),
            Self::TooMany(too_many) => too_many.to_string(),
        }
    }

    /// The member or parameter that is wrong, if one is.
    pub(super) fn field(&self) -> Option<&str> {
        match self {
            Self::Body { field, .. } => field.as_deref(),
            Self::Parameter { name, .. } => Some(name),
            Self::Registry(RegistryError::Invalid { field, .. }) => Some(field),
            _ => None,
        }
    }
}

/// Whether everybody may know that such a thing is there.
fn is_public(noun: &str) -> bool {
    matches!(noun, "scope" | "prefix" | "organization")
}

/// An error on its way to the API that gives it its shape.
#[derive(Clone)]
pub(super) struct Unshaped(pub(super) Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // RFC 6750 section 3: what the caller can do about it.
        let challenge = match &self {
            Self::NoToken(_) => Some("Bearer"),
            Self::Bearer(BearerRefusal::Unavailable { .. }) => None,
            Self::Bearer(_) => Some("Bearer error=\"invalid_token\""),
            Self::Registry(RegistryError::Forbidden { .. }) => {
                Some("Bearer error=\"insufficient_scope\"")
            }
            _ => None,
        };
        let status = self.status();
        let mut response = status.into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if let Some(challenge) = challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        if let Self::TooMany(TooMany { retry_after_seconds }) = &self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*retry_after_seconds));
        }
        if let Self::Registry(RegistryError::Store(cause)) = &self {
            tracing::error!(%cause, "the database failed an administrative request");
        }
        response.extensions_mut().insert(Unshaped(Arc::new(self)));
        response
    }
}
