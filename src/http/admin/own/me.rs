//! Who the caller is.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::http::admin::body::{NoQuery, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::problem::LookErrors;

/// Whom the token stands for, and what it allows here.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
struct MeReply {
    client_id: String,
    organization: String,
    organization_name: Option<String>,
    /// Scopes in the token that this API knows and that still hold.
    rights: Vec<&'static str>,
    /// Who this server is.
    issuer: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(me))
}

/// Whom the token stands for, and what it allows here.
#[utoipa::path(
    get,
    path = "/me",
    operation_id = "me",
    tag = "Me",
    security(("bearer" = [])),
    responses(LookErrors, (status = 200, body = MeReply))
)]
async fn me(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
) -> Result<Reply<MeReply>, ApiError> {
    let organization = actor.own_organization()?;
    let reply = MeReply {
        organization: organization.to_string(),
        organization_name: app.registry.organization_name(organization).await?,
        rights: actor.rights.names().collect(),
        issuer: app.issuer.rules.grant.issuer.clone(),
        client_id: actor.name,
    };
    Ok(Reply(StatusCode::OK, reply))
}
