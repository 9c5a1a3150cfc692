//! Errors in the shape that Digdir's self-service API gives them.

use axum::extract::Request;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;
use utoipa::openapi::{Ref, RefOr, Response as Described, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::App;
use crate::http::admin::compatible::time;
use crate::http::admin::error::{ApiError, Unshaped};
use crate::http::error::{TraceId, json};
use crate::registry::RegistryError;

/// An error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::ApiErrorResponse)]
pub(super) struct ApiErrorResponse {
    /// The HTTP status.
    status: u16,
    /// When it happened, RFC 3339.
    timestamp: String,
    /// What logs and the operator know the request by: 32 hexadecimal digits.
    correlation_id: String,
    /// What is wrong with single members.
    errors: Vec<FieldError>,
    /// What kind of error it is.
    error: &'static str,
    /// What a person needs to know.
    error_description: String,
}

/// What is wrong with one member, or with all of them together.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::FieldError)]
pub(super) struct FieldError {
    #[serde(rename = "errorMessage")]
    message: String,
    #[serde(rename = "isFieldError")]
    concerns_field: bool,
    #[serde(rename = "objectName")]
    object_name: String,
    #[serde(rename = "fieldIdentifier")]
    field_identifier: String,
}

/// Gives errors on their way out their shape.
pub(in crate::http::admin) async fn shape(app: Arc<App>, request: Request, next: Next) -> Response {
    let trace_id = request.extensions().get::<TraceId>().cloned();
    let mut response = next.run(request).await;
    let Some(Unshaped(error)) = response.extensions_mut().remove::<Unshaped>() else {
        return response;
    };
    // There are no preconditions here: whoever was slower than another has met a conflict.
    let status = match &*error {
        ApiError::Registry(RegistryError::Stale) => axum::http::StatusCode::CONFLICT,
        other => other.status(),
    };
    let field = error.field().unwrap_or_default().to_owned();
    let detail = error.detail(|word| word);
    let body = ApiErrorResponse {
        status: status.as_u16(),
        timestamp: time(app.issuer.clock.now()),
        correlation_id: trace_id.map(|id| id.to_string()).unwrap_or_default(),
        errors: vec![FieldError {
            message: detail.clone(),
            concerns_field: !field.is_empty(),
            object_name: String::new(),
            field_identifier: field,
        }],
        error: error.code(),
        error_description: detail,
    };
    let mut shaped = json(status, serde_json::to_string(&body).unwrap_or_default());
    for (name, value) in response.headers() {
        if [WWW_AUTHENTICATE, ALLOW, RETRY_AFTER].contains(name) {
            shaped.headers_mut().insert(name, value.clone());
        }
    }
    shaped.into_response()
}

/// Names the statuses of errors that a kind of operation can answer, for the `OpenAPI` document.
macro_rules! errors {
    ($(#[doc = $what:literal] $name:ident: $($status:literal)+;)+) => {$(
        #[doc = $what]
        pub(super) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Described>> {
                [$($status),+].into_iter().map(described).collect()
            }
        }
    )+};
}

errors! {
    /// Errors of a look that needs no token.
    PublicErrors: 400 429 503;
    /// Errors of a look at one thing that needs no token.
    PublicThingErrors: 400 404 429 503;
    /// Errors of a look at a list.
    ListErrors: 400 401 403 429 503;
    /// Errors of a look at one thing.
    ThingErrors: 400 401 403 404 429 503;
    /// Errors of a change without a body.
    ChangeErrors: 400 401 403 404 409 429 503;
    /// Errors of a change with a body.
    BodyErrors: 400 401 403 404 409 413 415 429 503;
}

fn described(status: u16) -> (String, RefOr<Described>) {
    let reason = axum::http::StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
    let schema = Ref::from_schema_name("compatible.ApiErrorResponse");
    let content = utoipa::openapi::Content::new(Some(schema));
    let response = ResponseBuilder::new().description(reason).content("application/json", content);
    (status.to_string(), response.build().into())
}
