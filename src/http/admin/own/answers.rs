//! What an operation can answer when it does not do what it is asked, for its description.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

/// Of an operation that shows something: the request cannot be read, the token does not count or does not
/// suffice, the database does not answer.
pub(super) struct LookErrors;

/// The same of one thing, which may not be there.
pub(super) struct FindErrors;

/// Of an operation that makes something with an Idempotency-Key.
pub(super) struct MakeErrors;

/// Of an operation that changes something which must be at a version.
pub(super) struct ChangeErrors;

/// The same without a body.
pub(super) struct WithdrawErrors;

const LOOK: [u16; 4] = [400, 401, 403, 503];

impl IntoResponses for LookErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[])
    }
}

impl IntoResponses for FindErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[404])
    }
}

impl IntoResponses for MakeErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[404, 409, 413, 415, 422])
    }
}

impl IntoResponses for ChangeErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[404, 409, 412, 413, 415, 428])
    }
}

impl IntoResponses for WithdrawErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[404, 409, 412, 428])
    }
}

fn problems(more: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    LOOK.iter().chain(more).map(|status| (status.to_string(), problem(*status).into())).collect()
}

fn problem(status: u16) -> Response {
    let words = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let schema = Ref::from_schema_name("Problem");
    ResponseBuilder::new()
        .description(words.unwrap_or_default())
        .content("application/problem+json", ContentBuilder::new().schema(Some(schema)).build())
        .build()
}
