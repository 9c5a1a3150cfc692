//! Who is who: organizations, the caller, and the registers of delegations.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::organization::OrganizationNumber;
use crate::http::admin::body::{PathOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::error::{ListErrors, PublicErrors, PublicThingErrors};
use crate::http::admin::compatible::time;
use crate::http::admin::error::ApiError;
use crate::http::admin::value::read;
use crate::registry::RegistryError;

/// An organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::Organization)]
struct OrganizationReply {
    orgnr: String,
    name: String,
}

/// Whom the token stands for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::User)]
struct User {
    authenticated_organization_number: String,
    authenticated_organization_name: String,
    is_synthetic_organization_number: bool,
    has_consented: bool,
}

/// A register of delegations that scopes may name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::DelegationSource)]
struct DelegationSourceReply {
    issuer: String,
    name: String,
    created: String,
    #[serde(rename = "lastUpdated")]
    last_updated: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(show))
        .routes(routes!(user))
        .routes(routes!(delegation_sources))
}

/// The name of an organization that takes part here.
#[utoipa::path(
    get,
    path = "/organizations/{orgnr}",
    operation_id = "digdir_organizations_show",
    tag = "Digdir: organizations",
    params(("orgnr" = String, Path)),
    responses((status = 200, body = OrganizationReply), PublicThingErrors)
)]
async fn show(
    State(app): State<Arc<App>>,
    PathOf(number): PathOf<String>,
) -> Result<Reply<OrganizationReply>, ApiError> {
    let number: OrganizationNumber = read("orgnr", &number)?;
    let name = app.registry.organization_name(number).await?;
    let name = name.ok_or(RegistryError::Absent { noun: "organization" })?;
    Ok(Reply(StatusCode::OK, OrganizationReply { orgnr: number.to_string(), name }))
}

/// The organization that the token stands for.
#[utoipa::path(
    get,
    path = "/auth/user",
    operation_id = "digdir_user_show",
    tag = "Digdir: organizations",
    security(("bearer" = [])),
    responses((status = 200, body = User), ListErrors)
)]
async fn user(State(app): State<Arc<App>>, Caller(actor): Caller) -> Result<Reply<User>, ApiError> {
    let number = actor.own_organization()?;
    let name = app.registry.organization_name(number).await?.unwrap_or_default();
    Ok(Reply(
        StatusCode::OK,
        User {
            authenticated_organization_number: number.to_string(),
            authenticated_organization_name: name,
            is_synthetic_organization_number: number.is_synthetic(),
            // Nobody gets a token here before the operator has admitted their organization.
            has_consented: true,
        },
    ))
}

/// The registers of delegations that the owner of a scope can choose from.
#[utoipa::path(
    get,
    path = "/delegationsources",
    operation_id = "digdir_delegation_sources_list",
    tag = "Digdir: organizations",
    responses((status = 200, body = [DelegationSourceReply]), PublicErrors)
)]
async fn delegation_sources(
    State(app): State<Arc<App>>,
) -> Result<Reply<Vec<DelegationSourceReply>>, ApiError> {
    // They stand in the configuration, which has no history: this process knows them since it began.
    let uptime = i64::try_from(app.uptime().as_secs()).unwrap_or(0);
    let since = time(app.issuer.clock.now().minus_seconds(uptime));
    let known = app.registry.delegation_sources().iter().map(|source| DelegationSourceReply {
        issuer: source.issuer.clone(),
        name: source.name.clone(),
        created: since.clone(),
        last_updated: since.clone(),
    });
    Ok(Reply(StatusCode::OK, known.collect()))
}
