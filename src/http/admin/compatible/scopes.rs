//! Scopes: one's own, and the public list.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::scope::{Scope, ScopeName, ScopeStatus};
use crate::http::admin::body::{JsonBody, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::compatible::LIST_MAX;
use crate::http::admin::compatible::error::{BodyErrors, ChangeErrors, PublicErrors, ThingErrors};
use crate::http::admin::compatible::scope_body::{ScopeBody, ScopeReply};
use crate::http::admin::error::ApiError;
use crate::http::admin::value::{read, read_product};
use crate::registry::{Actor, ScopeFilter};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Deactivated ones too.
    inactive: Option<bool>,
    /// This one only, which the answer then is by itself.
    scope: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OneQuery {
    /// The name of the scope.
    scope: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct AllQuery {
    /// Under this prefix only.
    prefix: Option<String>,
    /// Deactivated ones too.
    inactive: Option<bool>,
    /// Only those that can be delegated, or only those that cannot.
    delegated_sources: Option<bool>,
    /// Only those that are open to every organization, or only those that are not.
    accessible_for_all: Option<bool>,
    /// Only those that clients of this product may ask for.
    integration_type: Option<String>,
}

/// The caller's own scopes, or one of them.
#[derive(ToSchema)]
#[schema(as = compatible::ScopesOrScope)]
#[serde(untagged)]
#[expect(dead_code, reason = "it stands in the OpenAPI document only")]
enum ScopesOrScope {
    Many(Vec<ScopeReply>),
    One(Box<ScopeReply>),
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create, replace, deactivate))
        .routes(routes!(show))
        .routes(routes!(list_all))
}

/// The scopes of the caller's organization; with `scope` that one.
#[utoipa::path(
    get,
    path = "/scopes",
    operation_id = "digdir_scopes_list",
    tag = "Digdir: scopes",
    params(ListQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses((status = 200, body = ScopesOrScope), ThingErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Response, ApiError> {
    if let Some(name) = query.scope {
        return Ok(one(&app, &actor, &name).await?.into_response());
    }
    let filter = ScopeFilter {
        owner: Some(actor.own_organization()?),
        inactive: query.inactive.unwrap_or(false),
        ..ScopeFilter::default()
    };
    let page = app.registry.scopes(&actor, filter, LIST_MAX).await?;
    let shown: Vec<_> = page.items.into_iter().map(|it| ScopeReply::from(it.scope)).collect();
    Ok(Reply(StatusCode::OK, shown).into_response())
}

/// A scope of the caller's organization.
#[utoipa::path(
    get,
    path = "/scopes/scope",
    operation_id = "digdir_scopes_show",
    tag = "Digdir: scopes",
    params(OneQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses((status = 200, body = ScopeReply), ThingErrors)
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<OneQuery>,
) -> Result<Reply<ScopeReply>, ApiError> {
    one(&app, &actor, &query.scope).await
}

async fn one(app: &App, actor: &Actor, name: &str) -> Result<Reply<ScopeReply>, ApiError> {
    let found = app.registry.scope(actor, &read("scope", name)?).await?;
    Ok(Reply(StatusCode::OK, found.into()))
}

/// Makes a scope under a prefix of the caller's organization.
#[utoipa::path(
    post,
    path = "/scopes",
    operation_id = "digdir_scopes_create",
    tag = "Digdir: scopes",
    request_body = ScopeBody,
    security(("bearer" = ["idporten:scopes.write"])),
    responses((status = 201, body = ScopeReply), BodyErrors)
)]
async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    JsonBody(body): JsonBody<ScopeBody>,
) -> Result<Reply<ScopeReply>, ApiError> {
    let name = body.name()?;
    let name = name.ok_or_else(|| ApiError::parameter("prefix", "say prefix and subscope"))?;
    let status = body.status().unwrap_or(ScopeStatus::Active);
    let european_businesses = body.european_businesses().unwrap_or_default();
    let scope = body.into_scope(name, actor.own_organization()?)?;
    let scope = Scope { status, european_businesses, ..scope };
    let made = app.registry.define_scope(&actor, scope).await?;
    Ok(Reply(StatusCode::CREATED, made.into()))
}

/// Puts a description of a scope in the place of the one it has. With `active: true` it also restores the scope.
#[utoipa::path(
    put,
    path = "/scopes",
    operation_id = "digdir_scopes_replace",
    tag = "Digdir: scopes",
    params(OneQuery),
    request_body = ScopeBody,
    security(("bearer" = ["idporten:scopes.write"])),
    responses((status = 200, body = ScopeReply), BodyErrors)
)]
async fn replace(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<OneQuery>,
    JsonBody(body): JsonBody<ScopeBody>,
) -> Result<Reply<ScopeReply>, ApiError> {
    let name: ScopeName = read("scope", &query.scope)?;
    if body.name()?.is_some_and(|said| said != name) {
        let problem = "it must be the scope in the address; the name of a scope never changes";
        return Err(ApiError::parameter("name", problem));
    }
    let (status, european) = (body.status(), body.european_businesses());
    let new = body.into_scope(name.clone(), actor.own_organization()?)?;
    let edit = |scope: &mut Scope| {
        let status = status.unwrap_or(scope.status);
        let european_businesses = european.unwrap_or(scope.european_businesses);
        // Their API knows nothing of outages, so what our own has set stays.
        *scope = Scope { status, european_businesses, outage_policy: scope.outage_policy, ..new };
    };
    let changed = app.registry.change_scope(&actor, &name, None, edit).await?;
    Ok(Reply(StatusCode::OK, changed.into()))
}

/// Deactivates a scope. Accesses to it stay, and hold again when it is restored.
#[utoipa::path(
    delete,
    path = "/scopes",
    operation_id = "digdir_scopes_deactivate",
    tag = "Digdir: scopes",
    params(OneQuery),
    security(("bearer" = ["idporten:scopes.write"])),
    responses((status = 200, body = ScopeReply), ChangeErrors)
)]
async fn deactivate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<OneQuery>,
) -> Result<Reply<ScopeReply>, ApiError> {
    let name: ScopeName = read("scope", &query.scope)?;
    let status = ScopeStatus::Deactivated;
    let changed = app.registry.set_scope_status(&actor, &name, status, None).await?;
    Ok(Reply(StatusCode::OK, changed.into()))
}

/// Every scope that everybody can find.
#[utoipa::path(
    get,
    path = "/scopes/all",
    operation_id = "digdir_scopes_list_all",
    tag = "Digdir: scopes",
    params(AllQuery),
    responses((status = 200, body = [ScopeReply]), PublicErrors)
)]
async fn list_all(
    State(app): State<Arc<App>>,
    QueryOf(query): QueryOf<AllQuery>,
) -> Result<Reply<Vec<ScopeReply>>, ApiError> {
    let product = query.integration_type.map(|word| read_product("integration_type", &word));
    let filter = ScopeFilter {
        prefix: query.prefix,
        inactive: query.inactive.unwrap_or(false),
        delegated: query.delegated_sources,
        accessible_for_all: query.accessible_for_all,
        product: product.transpose()?,
        ..ScopeFilter::default()
    };
    let page = app.registry.public_scopes(filter, LIST_MAX).await?;
    Ok(Reply(StatusCode::OK, page.items.into_iter().map(|it| it.scope.into()).collect()))
}
