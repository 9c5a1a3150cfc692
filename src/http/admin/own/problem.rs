//! Errors as RFC 9457 problems.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{ALLOW, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::http::admin::error::Unshaped;
use crate::http::error::{TraceId, json};

/// An error (RFC 9457 section 3).
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// What kind of error it is, as an address with an explanation.
    #[serde(rename = "type")]
    kind: String,
    /// The HTTP status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// What a person needs to know.
    detail: String,
    /// What kind of error it is, in a word that programs may rely on.
    code: &'static str,
    /// What logs and the operator know the request by.
    trace_id: String,
    /// Which members are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<MemberError>,
}

/// What is wrong with one member.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MemberError {
    /// The member or parameter.
    pointer: String,
    /// What a person needs to know.
    detail: String,
}

/// Gives errors on their way out their shape.
pub(in crate::http::admin) async fn shape(app: Arc<App>, request: Request, next: Next) -> Response {
    let trace_id = request.extensions().get::<TraceId>().map(ToString::to_string);
    let mut response = next.run(request).await;
    let Some(Unshaped(error)) = response.extensions_mut().remove::<Unshaped>() else {
        return response;
    };
    let status = error.status();
    let detail = error.detail();
    let member = error
        .field()
        .map(|field| MemberError { pointer: field.to_owned(), detail: detail.clone() });
    let problem = Problem {
        kind: format!("{}errors/admin#{}", app.issuer.rules.grant.issuer, error.code()),
        title: status.canonical_reason().unwrap_or_default().to_owned(),
        status: status.as_u16(),
        detail,
        code: error.code(),
        trace_id: trace_id.unwrap_or_default(),
        errors: member.into_iter().collect(),
    };
    let mut shaped = json(status, serde_json::to_string(&problem).unwrap_or_default());
    let headers = shaped.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    for name in [WWW_AUTHENTICATE, ALLOW] {
        if let Some(value) = response.headers_mut().remove(&name) {
            headers.insert(name, value);
        }
    }
    shaped
}
