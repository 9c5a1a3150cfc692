//! What consumers do: they ask for access, and take back what they have not been answered.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::http::admin::body::{JsonBody, NoQuery};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::accesses::{AccessReply, tagged};
use crate::http::admin::own::etag::{MayMatch, MayMatchHeader, Tagged};
use crate::http::admin::own::problem::{DecideErrors, MakeErrors};
use crate::http::admin::value::read;
use crate::registry::Actor;

/// A request for access.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccessRequest {
    #[schema(
        pattern = "^[a-z0-9][a-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_./:-]*$",
        max_length = 255,
        example = "nav:arbeid.read"
    )]
    scope: String,
    /// What the owner is told.
    #[schema(max_length = 1023)]
    message: Option<String>,
    /// For whom the operator asks.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
}

/// A request for access that is to be taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TakenBackAccessRequest {
    #[schema(
        pattern = "^[a-z0-9][a-z0-9_.-]*:[A-Za-z0-9][A-Za-z0-9_./:-]*$",
        max_length = 255,
        example = "nav:arbeid.read"
    )]
    scope: String,
    /// For whom the operator takes it back.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(create)).routes(routes!(take_back))
}

/// Asks for access to a scope, for one's own organization.
#[utoipa::path(
    post,
    path = "/access-requests",
    operation_id = "access_requests_create",
    tag = "Accesses",
    request_body = NewAccessRequest,
    security(("bearer" = ["idporten:dcr.write"])),
    responses(MakeErrors, (status = 201, body = AccessReply, headers(("ETag" = String))))
)]
async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(new): JsonBody<NewAccessRequest>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let consumer = consumer(&actor, new.organization)?;
    let scope = read("scope", &new.scope)?;
    let asked = app.registry.request_access(&actor, &scope, consumer, new.message).await?;
    Ok(tagged(StatusCode::CREATED, &asked))
}

/// Takes back what one's own organization has asked for and not been answered.
#[utoipa::path(
    post,
    path = "/access-requests/take-back",
    operation_id = "access_requests_take_back",
    tag = "Accesses",
    params(MayMatchHeader),
    request_body = TakenBackAccessRequest,
    security(("bearer" = ["idporten:dcr.write"])),
    responses(DecideErrors, (status = 200, body = AccessReply, headers(("ETag" = String))))
)]
async fn take_back(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    expected: MayMatch,
    JsonBody(request): JsonBody<TakenBackAccessRequest>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let consumer = consumer(&actor, request.organization)?;
    let (scope, expected) = (read("scope", &request.scope)?, expected.version());
    let done = app.registry.take_back_request(&actor, &scope, consumer, expected).await?;
    Ok(tagged(StatusCode::OK, &done))
}

/// The organization that a request is of: the caller's own, unless it says another.
fn consumer(actor: &Actor, said: Option<String>) -> Result<OrganizationNumber, ApiError> {
    match said {
        Some(organization) => read("organization", &organization),
        None => Ok(actor.own_organization()?),
    }
}
