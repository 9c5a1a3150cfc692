//! Delegations in our own register, and the registers that scopes may name.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::access::{Delegation, DelegationSummary};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Recorded, Version};
use crate::domain::scope::ScopeName;
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, MayMatch, MayMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::problem::{ChangeErrors, EndErrors, LookErrors};
use crate::http::admin::value::{read, read_time};
use crate::registry::{DelegationFilter, NewDelegation};

/// A consumer's decision that a supplier may fetch tokens for a scope on its behalf.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delegation)]
struct DelegationReply {
    /// The organization that has the access.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$")]
    consumer: String,
    /// The organization that may use it.
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$")]
    supplier: String,
    scope: String,
    /// The issuer of the register in which it stands.
    source: String,
    #[schema(format = DateTime)]
    valid_from: String,
    /// From this moment on it does not hold; not there when it has no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    valid_to: Option<String>,
    /// When it was withdrawn, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    revoked_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// When a delegation is to hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DelegationTimes {
    /// From now on when nothing is said.
    #[schema(format = DateTime)]
    valid_from: Option<String>,
    /// Without end when nothing is said.
    #[schema(format = DateTime)]
    valid_to: Option<String>,
}

/// The registers that the scopes of this server may name.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationSources)]
struct SourcesReply {
    items: Vec<SourceReply>,
}

/// A register of delegations.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DelegationSource)]
struct SourceReply {
    /// What scopes name it by.
    issuer: String,
    name: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// From this organization.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    consumer: Option<String>,
    /// To this organization.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    supplier: Option<String>,
    /// Of this scope.
    scope: Option<String>,
    /// From or to this organization; the operator may ask for any.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// Withdrawn ones too.
    inactive: Option<bool>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<&Recorded<Delegation>> for DelegationReply {
    fn from(found: &Recorded<Delegation>) -> Self {
        let it = &found.value;
        Self {
            consumer: it.consumer.to_string(),
            supplier: it.supplier.to_string(),
            scope: it.scope.to_string(),
            source: it.source.clone(),
            valid_from: it.valid_from.to_string(),
            valid_to: it.valid_to.map(|moment| moment.to_string()),
            revoked_at: it.revoked_at.map(|moment| moment.to_string()),
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, put, withdraw))
        .routes(routes!(sources))
}

/// Delegations from and to the caller's organization, by consumer, supplier and scope.
#[utoipa::path(
    get,
    path = "/delegations",
    operation_id = "delegations_list",
    tag = "Delegations",
    params(ListQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(
        (status = 200, description = "A page of delegations", body = PageReply<DelegationReply>),
        LookErrors,
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<DelegationReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "delegations", &page)?;
    let after = pages
        .after(&page)?
        .map(|parts| Ok::<_, ApiError>((part(&parts, 0)?, part(&parts, 1)?, part(&parts, 2)?)))
        .transpose()?;
    let filter = DelegationFilter {
        party: query.organization.map(|it| read("organization", &it)).transpose()?,
        consumer: query.consumer.map(|it| read("consumer", &it)).transpose()?,
        supplier: query.supplier.map(|it| read("supplier", &it)).transpose()?,
        scope: query.scope.map(|it| read("scope", &it)).transpose()?,
        inactive: query.inactive.unwrap_or(false),
        after,
    };
    let found = app.registry.delegations(&actor, filter, pages.limit).await?;
    let place = |found: &DelegationSummary| {
        let it = &found.delegation.value;
        vec![it.consumer.to_string(), it.supplier.to_string(), it.scope.to_string()]
    };
    Ok(Reply(
        StatusCode::OK,
        pages.reply(found, place, |found| DelegationReply::from(&found.delegation)),
    ))
}

/// A delegation from or to the caller's organization.
#[utoipa::path(
    get,
    path = "/delegations/{consumer}/{supplier}/{scope}",
    operation_id = "delegations_show",
    tag = "Delegations",
    params(Triple),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(
        (status = 200, description = "The delegation", body = DelegationReply,
            headers(("ETag" = String))),
        LookErrors,
    )
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(triple): PathOf<Triple>,
) -> Result<Tagged<DelegationReply>, ApiError> {
    let (consumer, supplier, scope) = triple.read()?;
    let found = app.registry.delegation(&actor, consumer, supplier, &scope).await?;
    Ok(answer(StatusCode::OK, &found))
}

/// Lets a supplier fetch tokens for a scope on behalf of the consumer, or sets another time for that.
#[utoipa::path(
    put,
    path = "/delegations/{consumer}/{supplier}/{scope}",
    operation_id = "delegations_put",
    tag = "Delegations",
    params(Triple, MayMatchHeader),
    request_body = DelegationTimes,
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The delegation", body = DelegationReply,
            headers(("ETag" = String))),
        (status = 201, description = "The new delegation", body = DelegationReply,
            headers(("ETag" = String))),
        ChangeErrors,
    )
)]
async fn put(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    MayMatch(expected): MayMatch,
    PathOf(triple): PathOf<Triple>,
    JsonBody(times): JsonBody<DelegationTimes>,
) -> Result<Tagged<DelegationReply>, ApiError> {
    let (consumer, supplier, scope) = triple.read()?;
    let new = NewDelegation {
        consumer,
        supplier,
        scope,
        valid_from: times.valid_from.map(|it| read_time("valid_from", &it)).transpose()?,
        valid_to: times.valid_to.map(|it| read_time("valid_to", &it)).transpose()?,
    };
    let found = app.registry.put_delegation(&actor, new, expected).await?;
    let is_new = found.version == Version(1);
    Ok(answer(if is_new { StatusCode::CREATED } else { StatusCode::OK }, &found))
}

/// Withdraws a delegation: from now on the supplier gets no more tokens by it.
#[utoipa::path(
    delete,
    path = "/delegations/{consumer}/{supplier}/{scope}",
    operation_id = "delegations_withdraw",
    tag = "Delegations",
    params(Triple, IfMatchHeader),
    security(("bearer" = ["idporten:dcr.write"])),
    responses(
        (status = 200, description = "The delegation", body = DelegationReply,
            headers(("ETag" = String))),
        EndErrors,
    )
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    IfMatch(expected): IfMatch,
    PathOf(triple): PathOf<Triple>,
) -> Result<Tagged<DelegationReply>, ApiError> {
    let (consumer, supplier, scope) = triple.read()?;
    let found = app.registry.withdraw_delegation(&actor, consumer, supplier, &scope, expected);
    Ok(answer(StatusCode::OK, &found.await?))
}

/// The registers of delegations that a scope may name.
#[utoipa::path(
    get,
    path = "/delegation-sources",
    operation_id = "delegation_sources_list",
    tag = "Delegations",
    security(("bearer" = [])),
    responses((status = 200, description = "The registers", body = SourcesReply), LookErrors)
)]
async fn sources(
    State(app): State<Arc<App>>,
    Caller(_): Caller,
    _: NoQuery,
) -> Reply<SourcesReply> {
    let sources = app.registry.delegation_sources().iter();
    let reply = |source: &crate::token::delegation::DelegationSource| SourceReply {
        issuer: source.issuer.clone(),
        name: source.name.clone(),
    };
    Reply(StatusCode::OK, SourcesReply { items: sources.map(reply).collect() })
}

/// What tells one delegation from all others.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct Triple {
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    consumer: String,
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    supplier: String,
    scope: String,
}

impl Triple {
    fn read(&self) -> Result<(OrganizationNumber, OrganizationNumber, ScopeName), ApiError> {
        Ok((
            read("consumer", &self.consumer)?,
            read("supplier", &self.supplier)?,
            read("scope", &self.scope)?,
        ))
    }
}

fn answer(status: StatusCode, found: &Recorded<Delegation>) -> Tagged<DelegationReply> {
    Tagged(status, found.version, DelegationReply::from(found))
}
