//! Scopes: one's own, and those that everybody can find.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::record::Recorded;
use crate::domain::scope::{Scope, ScopeAudience, ScopeName, ScopeStatus, ScopeSummary};
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, MayMatch, MayMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part, search};
use crate::http::admin::own::path::ScopePath;
use crate::http::admin::own::problem::{
    ChangeErrors, DecideErrors, EndErrors, LookErrors, MakeErrors,
};
use crate::http::admin::own::scope_body::{NewScope, ScopeEdit};
use crate::http::admin::value::read;
use crate::registry::ScopeFilter;

/// A scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Scope)]
#[expect(clippy::struct_excessive_bools, reason = "the members are those of the API")]
struct ScopeReply {
    /// Its name.
    scope: String,
    prefix: String,
    subscope: String,
    /// The organization that owns it.
    organization: String,
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    long_description: Option<String>,
    /// Whether tokens are issued for it.
    active: bool,
    /// PUBLIC, PRIVATE or INTERNAL.
    visibility: &'static str,
    /// Whether every organization gets tokens for it, without being granted access.
    accessible_for_all: bool,
    /// The products it is meant for; none means every product.
    allowed_integration_types: Vec<&'static str>,
    /// How long a token that carries it lives at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_lifetime_seconds_max: Option<u32>,
    /// The issuer of the register of delegations that counts; if there is none, it cannot be delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    delegation_source: Option<String>,
    /// Whether tokens are issued for it while the database cannot be reached, where the installation does that.
    issued_in_outage: bool,
    /// Whether every European business gets tokens for it by its certificate for electronic seals.
    supports_european_businesses: bool,
    created_at: String,
    updated_at: String,
}

impl From<&Recorded<Scope>> for ScopeReply {
    fn from(found: &Recorded<Scope>) -> Self {
        let scope = &found.value;
        Self {
            scope: scope.name.to_string(),
            prefix: scope.name.prefix().to_owned(),
            subscope: scope.name.subscope().to_owned(),
            organization: scope.owner.to_string(),
            description: scope.description.clone(),
            long_description: scope.details.long_description.clone(),
            active: scope.status == ScopeStatus::Active,
            visibility: scope.visibility.name(),
            accessible_for_all: scope.audience == ScopeAudience::AnyOrganization,
            allowed_integration_types: scope.integration_types.iter().map(|it| it.name()).collect(),
            token_lifetime_seconds_max: scope.token_lifetime_seconds_max,
            delegation_source: scope.delegation_source.clone(),
            issued_in_outage: scope.outage_policy.issues(),
            supports_european_businesses: scope.european_businesses.are_supported(),
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// Of this organization; the operator sees those of all when none is named.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// Under this prefix.
    prefix: Option<String>,
    /// With this text in the name or the description.
    #[param(max_length = 255)]
    q: Option<String>,
    /// Deactivated ones too.
    inactive: Option<bool>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PublicQuery {
    /// With this text in the name or the description.
    #[param(max_length = 255)]
    q: Option<String>,
    /// Under this prefix.
    prefix: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(public))
        .routes(routes!(show, edit, deactivate))
        .routes(routes!(restore))
}

/// Scopes of one's own organization, by name.
#[utoipa::path(
    get,
    path = "/scopes",
    operation_id = "scopes_list",
    tag = "Scopes",
    params(ListQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, body = PageReply<ScopeReply>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<ScopeReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "scopes", &page)?;
    let filter = ScopeFilter {
        owner: query.organization.map(|it| read("organization", &it)).transpose()?,
        prefix: query.prefix,
        text: search(query.q)?,
        inactive: query.inactive.unwrap_or(false),
        after: pages.after(&page)?.map(|parts| part(&parts, 0)).transpose()?,
        ..ScopeFilter::default()
    };
    let found = app.registry.scopes(&actor, filter, pages.limit).await?;
    Ok(Reply(StatusCode::OK, pages.reply(found, key, |found| ScopeReply::from(&found.scope))))
}

/// Scopes that everybody can find, by name.
#[utoipa::path(
    get,
    path = "/scopes/public",
    operation_id = "scopes_public",
    tag = "Scopes",
    params(PublicQuery),
    security(("bearer" = [])),
    responses(LookErrors, (status = 200, body = PageReply<ScopeReply>))
)]
async fn public(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<PublicQuery>,
) -> Result<Reply<PageReply<ScopeReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "public scopes", &page)?;
    let filter = ScopeFilter {
        prefix: query.prefix,
        text: search(query.q)?,
        after: pages.after(&page)?.map(|parts| part(&parts, 0)).transpose()?,
        ..ScopeFilter::default()
    };
    let found = app.registry.public_scopes(filter, pages.limit).await?;
    Ok(Reply(StatusCode::OK, pages.reply(found, key, |found| ScopeReply::from(&found.scope))))
}

/// Defines a scope under a prefix of one's own organization.
#[utoipa::path(
    post,
    path = "/scopes",
    operation_id = "scopes_create",
    tag = "Scopes",
    request_body = NewScope,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(MakeErrors, (status = 201, body = ScopeReply, headers(("ETag" = String))))
)]
async fn create(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(new): JsonBody<NewScope>,
) -> Result<Tagged<ScopeReply>, ApiError> {
    let scope = new.scope(actor.own_organization()?)?;
    let made = app.registry.define_scope(&actor, scope).await?;
    Ok(Tagged(StatusCode::CREATED, made.version, ScopeReply::from(&made)))
}

/// A scope of one's own organization.
#[utoipa::path(
    get,
    path = "/scopes/{scope}",
    operation_id = "scopes_show",
    tag = "Scopes",
    params(ScopePath),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, body = ScopeReply, headers(("ETag" = String))))
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<ScopePath>,
) -> Result<Tagged<ScopeReply>, ApiError> {
    Ok(tagged(&app.registry.scope(&actor, &path.name()?).await?))
}

/// Changes a scope.
#[utoipa::path(
    patch,
    path = "/scopes/{scope}",
    operation_id = "scopes_edit",
    tag = "Scopes",
    params(ScopePath, IfMatchHeader),
    request_body = ScopeEdit,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(ChangeErrors, (status = 200, body = ScopeReply, headers(("ETag" = String))))
)]
async fn edit(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<ScopePath>,
    JsonBody(edit): JsonBody<ScopeEdit>,
) -> Result<Tagged<ScopeReply>, ApiError> {
    let apply = edit.read()?;
    Ok(tagged(&app.registry.change_scope(&actor, &path.name()?, expected, apply).await?))
}

/// Deactivates a scope: nobody gets tokens for it until it is restored. Accesses to it stay.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}",
    operation_id = "scopes_deactivate",
    tag = "Scopes",
    params(ScopePath, IfMatchHeader),
    security(("bearer" = ["idporten:scopes.write"])),
    responses(EndErrors, (status = 200, body = ScopeReply, headers(("ETag" = String))))
)]
async fn deactivate(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<ScopePath>,
) -> Result<Tagged<ScopeReply>, ApiError> {
    let (name, status): (ScopeName, _) = (path.name()?, ScopeStatus::Deactivated);
    Ok(tagged(&app.registry.set_scope_status(&actor, &name, status, expected).await?))
}

/// Restores a scope that was deactivated, with the accesses it had.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/restore",
    operation_id = "scopes_restore",
    tag = "Scopes",
    params(ScopePath, MayMatchHeader),
    security(("bearer" = ["idporten:scopes.write"])),
    responses(DecideErrors, (status = 200, body = ScopeReply, headers(("ETag" = String))))
)]
async fn restore(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    expected: MayMatch,
    PathOf(path): PathOf<ScopePath>,
) -> Result<Tagged<ScopeReply>, ApiError> {
    let (name, status) = (path.name()?, ScopeStatus::Active);
    Ok(tagged(&app.registry.set_scope_status(&actor, &name, status, expected.version()).await?))
}

fn key(found: &ScopeSummary) -> Vec<String> {
    vec![found.scope.value.name.to_string()]
}

fn tagged(found: &Recorded<Scope>) -> Tagged<ScopeReply> {
    Tagged(StatusCode::OK, found.version, ScopeReply::from(found))
}
