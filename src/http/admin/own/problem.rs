//! Errors as RFC 9457 problems.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use utoipa::openapi::response::{Response as Described, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Ref, RefOr};
use utoipa::{IntoResponses, ToSchema};

use crate::app::App;
use crate::http::admin::error::Unshaped;
use crate::http::error::{TraceId, json};

/// The type of a problem's body.
const PROBLEM_JSON: &str = "application/problem+json";

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

/// The control plane names members as Digdir's API does.
fn in_our_words(member: &str) -> &str {
    match member {
        "at_max_age" => "token_lifetime_seconds_max",
        "client_name" => "name",
        other => other,
    }
}

/// Gives errors on their way out their shape.
pub(in crate::http::admin) async fn shape(app: Arc<App>, request: Request, next: Next) -> Response {
    let trace_id = request.extensions().get::<TraceId>().map(ToString::to_string);
    let mut response = next.run(request).await;
    let Some(Unshaped(error)) = response.extensions_mut().remove::<Unshaped>() else {
        return response;
    };
    let status = error.status();
    let detail = error.detail(in_our_words);
    let member = error
        .field()
        .map(in_our_words)
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
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    for name in [WWW_AUTHENTICATE, ALLOW, RETRY_AFTER] {
        if let Some(value) = response.headers_mut().remove(&name) {
            headers.insert(name, value);
        }
    }
    shaped
}

/// Declares a family of operations by the errors that each of them can answer with, for their descriptions.
macro_rules! family {
    ($(#[$meta:meta])* $name:ident [$($status:literal),+]) => {
        $(#[$meta])*
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Described>> {
                [$($status),+].into_iter().map(described).collect()
            }
        }
    };
}

family!(
    /// What the operations that change nothing can be refused with.
    LookErrors [400, 401, 403, 404, 429, 503]
);
family!(
    /// What the operations that make something can be refused with.
    MakeErrors [400, 401, 403, 404, 409, 413, 415, 429, 503]
);
family!(
    /// What the operations that decide about something, whose version need not be named, can be refused with.
    DecideErrors [400, 401, 403, 404, 409, 412, 413, 415, 429, 503]
);
family!(
    /// What the operations that change something can be refused with.
    ChangeErrors [400, 401, 403, 404, 409, 412, 413, 415, 428, 429, 503]
);
family!(
    /// What the operations that end something can be refused with.
    EndErrors [400, 401, 403, 404, 409, 412, 428, 429, 503]
);

/// A problem of that status, for the description of an operation.
pub(super) fn described(status: u16) -> (String, RefOr<Described>) {
    let words = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let problem = Ref::from_schema_name(Problem::name());
    let response = ResponseBuilder::new()
        .description(words.unwrap_or_default())
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(problem)).build())
        .build();
    (status.to_string(), response.into())
}
