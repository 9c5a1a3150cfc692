//! Accesses: those that the caller's organization has given, and those that it has been given.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::{AccessCase, AccessState};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Recorded;
use crate::domain::scope::ScopeName;
use crate::http::admin::body::{PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::error::{ChangeErrors, ListErrors, ThingErrors};
use crate::http::admin::compatible::{LIST_MAX, time};
use crate::http::admin::error::ApiError;
use crate::http::admin::value::read;
use crate::registry::{AccessFilter, AccessSide, Actor};

/// An access.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = compatible::ScopeAccess)]
struct ScopeAccess {
    scope: String,
    /// `APPROVED`, `DENIED` or `REQUESTED`.
    state: &'static str,
    consumer_orgno: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_organization_name: Option<String>,
    owner_orgno: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_organization_name: Option<String>,
    created: String,
    last_updated: String,
}

impl ScopeAccess {
    fn new(found: Recorded<AccessCase>, now: Timestamp) -> Self {
        let case = found.value;
        // These tools know no end of an access: one that is over must not look as if it held.
        let state = match case.access.state {
            AccessState::Approved if !case.access.holds_at(now) => AccessState::Denied,
            state => state,
        };
        Self {
            scope: case.access.scope.to_string(),
            state: state.name(),
            consumer_orgno: case.access.consumer.to_string(),
            consumer_organization_name: case.consumer_name,
            owner_orgno: case.owner.to_string(),
            owner_organization_name: case.owner_name,
            created: time(found.created_at),
            last_updated: time(found.updated_at),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OwnedQuery {
    /// To this scope only.
    scope: Option<String>,
    /// Of this organization only.
    #[param(format = "organization-number")]
    consumer_orgno: Option<String>,
    /// To deactivated scopes too.
    inactive: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GivenQuery {
    /// To deactivated scopes too.
    inactive: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ScopeQuery {
    /// The name of the scope.
    scope: String,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list_owned))
        .routes(routes!(list_given))
        .routes(routes!(grant, withdraw))
}

/// The accesses to scopes of the caller's organization, refused and withdrawn ones too.
#[utoipa::path(
    get,
    path = "/scopes/access",
    operation_id = "digdir_accesses_list",
    tag = "Digdir: accesses",
    params(OwnedQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses((status = 200, body = [ScopeAccess]), ThingErrors)
)]
async fn list_owned(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<OwnedQuery>,
) -> Result<Reply<Vec<ScopeAccess>>, ApiError> {
    let scope = match &query.scope {
        // Whoever misspells the name, or asks about a scope of somebody else, hears so.
        Some(name) => Some(app.registry.scope(&actor, &read("scope", name)?).await?.value),
        None => None,
    };
    let own = || actor.own_organization();
    let filter = AccessFilter {
        owner: Some(scope.as_ref().map_or_else(own, |scope| Ok(scope.owner))?),
        scope: scope.map(|scope| scope.name),
        consumer: query.consumer_orgno.map(|it| read("consumer_orgno", &it)).transpose()?,
        inactive: query.inactive.unwrap_or(false),
        ..AccessFilter::default()
    };
    list(&app, &actor, AccessSide::Owned, filter).await
}

/// The accesses of the caller's organization, refused and withdrawn ones too.
#[utoipa::path(
    get,
    path = "/scopes/access/all",
    operation_id = "digdir_accesses_list_given",
    tag = "Digdir: accesses",
    params(GivenQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses((status = 200, body = [ScopeAccess]), ListErrors)
)]
async fn list_given(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<GivenQuery>,
) -> Result<Reply<Vec<ScopeAccess>>, ApiError> {
    let filter = AccessFilter {
        consumer: Some(actor.own_organization()?),
        inactive: query.inactive.unwrap_or(false),
        ..AccessFilter::default()
    };
    list(&app, &actor, AccessSide::Given, filter).await
}

async fn list(
    app: &App,
    actor: &Actor,
    side: AccessSide,
    filter: AccessFilter,
) -> Result<Reply<Vec<ScopeAccess>>, ApiError> {
    let page = app.registry.accesses(actor, side, filter, LIST_MAX).await?;
    let now = app.issuer.clock.now();
    let shown = page.items.into_iter().map(|found| ScopeAccess::new(found, now));
    Ok(Reply(StatusCode::OK, shown.collect()))
}

/// Grants an organization access to a scope, once more if it has been withdrawn.
#[utoipa::path(
    put,
    path = "/scopes/access/{consumer_orgno}",
    operation_id = "digdir_accesses_grant",
    tag = "Digdir: accesses",
    params(("consumer_orgno" = String, Path), ScopeQuery),
    security(("bearer" = ["idporten:scopes.write"])),
    responses((status = 200, body = ScopeAccess), ChangeErrors)
)]
async fn grant(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(consumer): PathOf<String>,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Reply<ScopeAccess>, ApiError> {
    let (scope, consumer) = read_key(&query.scope, &consumer)?;
    let granted = app.registry.keep_access(&actor, &scope, consumer).await?;
    Ok(Reply(StatusCode::OK, ScopeAccess::new(granted, app.issuer.clock.now())))
}

/// Withdraws the access of an organization to a scope.
#[utoipa::path(
    delete,
    path = "/scopes/access/{consumer_orgno}",
    operation_id = "digdir_accesses_withdraw",
    tag = "Digdir: accesses",
    params(("consumer_orgno" = String, Path), ScopeQuery),
    security(("bearer" = ["idporten:scopes.write"])),
    responses((status = 200, body = ScopeAccess), ChangeErrors)
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(consumer): PathOf<String>,
    QueryOf(query): QueryOf<ScopeQuery>,
) -> Result<Reply<ScopeAccess>, ApiError> {
    let (scope, consumer) = read_key(&query.scope, &consumer)?;
    let withdrawn = app.registry.withdraw_access(&actor, &scope, consumer, None, None).await?;
    Ok(Reply(StatusCode::OK, ScopeAccess::new(withdrawn, app.issuer.clock.now())))
}

fn read_key(scope: &str, consumer: &str) -> Result<(ScopeName, OrganizationNumber), ApiError> {
    Ok((read("scope", scope)?, read("consumer_orgno", consumer)?))
}
