//! What consumers do: they ask for access.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::admin::body::{JsonBody, NoQuery};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::accesses::{AccessReply, tagged};
use crate::http::admin::own::etag::Tagged;
use crate::http::admin::own::problem::MakeErrors;
use crate::http::admin::value::read;

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

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(create))
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
    let consumer = match new.organization {
        Some(organization) => read("organization", &organization)?,
        None => actor.own_organization()?,
    };
    let scope = read("scope", &new.scope)?;
    let asked = app.registry.request_access(&actor, &scope, consumer, new.message).await?;
    Ok(tagged(StatusCode::CREATED, &asked))
}
