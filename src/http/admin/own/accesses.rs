//! Accesses: what the caller's organization has granted, and what it has been granted.

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
use crate::domain::record::{Recorded, Version};
use crate::http::admin::body::{JsonBody, NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::etag::{IfMatch, IfMatchHeader, MayMatch, MayMatchHeader, Tagged};
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::path::{AccessPath, ScopePath};
use crate::http::admin::own::problem::{ChangeErrors, DecideErrors, EndErrors, LookErrors};
use crate::http::admin::value::{read, read_time, word};
use crate::registry::{AccessFilter, AccessSide, AccessTerms, Actor};

/// An access of an organization to a scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Access)]
pub(super) struct AccessReply {
    scope: String,
    /// The organization that has it.
    consumer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer_name: Option<String>,
    /// The organization that owns the scope.
    owner: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_name: Option<String>,
    /// APPROVED, DENIED or REQUESTED.
    state: &'static str,
    /// From this moment on it no longer holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// The owner's own note, which only the owner sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// What the consumer wrote when it asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// True where the consumer has taken back what it asked for: the state is DENIED then, and the owner has not decided
    /// that.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_back: Option<bool>,
    /// What the owner answered when it denied or withdrew.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    created_at: String,
    updated_at: String,
    /// When a token was last issued by it, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

impl From<&Recorded<AccessCase>> for AccessReply {
    fn from(found: &Recorded<AccessCase>) -> Self {
        let case = &found.value;
        let time = |moment: Option<Timestamp>| moment.map(|moment| moment.to_string());
        Self {
            scope: case.access.scope.to_string(),
            consumer: case.access.consumer.to_string(),
            consumer_name: case.consumer_name.clone(),
            owner: case.owner.to_string(),
            owner_name: case.owner_name.clone(),
            state: case.access.state.name(),
            expires_at: time(case.access.expires_at),
            note: case.note.clone(),
            message: case.message.clone(),
            taken_back: case.taken_back.then_some(true),
            reason: case.reason.clone(),
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
            last_used_at: time(case.last_used_at),
        }
    }
}

/// On what terms an access is granted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Terms {
    /// From this moment on it no longer holds; if it is not said, it has no end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// A note that only the owner sees.
    #[schema(max_length = 1023)]
    note: Option<String>,
}

/// A refusal of what was asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Denial {
    /// What the consumer is told.
    #[schema(max_length = 1023)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// `owned`: to scopes that the organization owns, which is what is shown when nothing is said. `given`: those that
    /// it has.
    #[param(pattern = "^(owned|given)$")]
    side: Option<String>,
    /// To this scope.
    scope: Option<String>,
    /// Of this organization.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    consumer: Option<String>,
    /// In this state only.
    #[param(pattern = "^(APPROVED|DENIED|REQUESTED)$")]
    state: Option<String>,
    /// Whose side is looked at; the operator sees those of all when none is named.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// Those to deactivated scopes too.
    inactive: Option<bool>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OfScopeQuery {
    /// In this state only.
    #[param(pattern = "^(APPROVED|DENIED|REQUESTED)$")]
    state: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WithdrawQuery {
    /// What the consumer is told.
    #[param(max_length = 1023)]
    reason: Option<String>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_of_scope))
        .routes(routes!(show, grant, withdraw))
        .routes(routes!(approve))
        .routes(routes!(deny))
}

/// Accesses by scope and consumer: those to one's own scopes, or those that one's own organization has.
#[utoipa::path(
    get,
    path = "/accesses",
    operation_id = "accesses_list",
    tag = "Accesses",
    params(ListQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, body = PageReply<AccessReply>))
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<AccessReply>>, ApiError> {
    let organization = query.organization.map(|it| read("organization", &it)).transpose()?;
    let consumer = query.consumer.map(|it| read("consumer", &it)).transpose()?;
    let (side, owner, consumer) = match query.side.as_deref() {
        None | Some("owned") => (AccessSide::Owned, organization, consumer),
        Some("given") if organization.is_some() && consumer.is_some() => {
            let problem = "with side=given, organization says already whose accesses are shown";
            return Err(ApiError::parameter("consumer", problem));
        }
        Some("given") => (AccessSide::Given, None, organization.or(consumer)),
        Some(_) => return Err(ApiError::parameter("side", "it must be owned or given")),
    };
    let filter = AccessFilter {
        owner,
        consumer,
        scope: query.scope.map(|it| read("scope", &it)).transpose()?,
        state: query.state.as_deref().map(read_state).transpose()?,
        inactive: query.inactive.unwrap_or(false),
        text: None,
        after: None,
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    answer_page(&app, &actor, side, filter, &page).await
}

/// Accesses to one of one's own scopes, by consumer.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/accesses",
    operation_id = "scope_accesses_list",
    tag = "Accesses",
    params(ScopePath, OfScopeQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, body = PageReply<AccessReply>))
)]
async fn list_of_scope(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    PathOf(path): PathOf<ScopePath>,
    QueryOf(query): QueryOf<OfScopeQuery>,
) -> Result<Reply<PageReply<AccessReply>>, ApiError> {
    let name = path.name()?;
    let filter = AccessFilter {
        scope: Some(name.clone()),
        state: query.state.as_deref().map(read_state).transpose()?,
        inactive: true,
        ..AccessFilter::default()
    };
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let reply = answer_page(&app, &actor, AccessSide::Owned, filter, &page).await?;
    if reply.1.items.is_empty() {
        // Whoever may not see a scope finds nothing either, and is told so.
        app.registry.scope(&actor, &name).await?;
    }
    Ok(reply)
}

async fn answer_page(
    app: &App,
    actor: &Actor,
    side: AccessSide,
    mut filter: AccessFilter,
    page: &PageQuery,
) -> Result<Reply<PageReply<AccessReply>>, ApiError> {
    let pages = Pages::new(app, actor, "accesses", page)?;
    if let Some(parts) = pages.after(page)? {
        filter.after = Some((part(&parts, 0)?, part(&parts, 1)?));
    }
    let found = app.registry.accesses(actor, side, filter, pages.limit).await?;
    let key = |found: &Recorded<AccessCase>| {
        let access = &found.value.access;
        vec![access.scope.to_string(), access.consumer.to_string()]
    };
    Ok(Reply(StatusCode::OK, pages.reply(found, key, |found| AccessReply::from(&found))))
}

/// An access that one's own organization has granted or been granted.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/accesses/{consumer}",
    operation_id = "accesses_show",
    tag = "Accesses",
    params(AccessPath),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, body = AccessReply, headers(("ETag" = String))))
)]
async fn show(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(path): PathOf<AccessPath>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let (scope, consumer) = path.key()?;
    Ok(tagged(StatusCode::OK, &app.registry.access(&actor, &scope, consumer).await?))
}

/// Grants an organization access to a scope, or approves what it has asked for. Terms that are not said are none.
#[utoipa::path(
    put,
    path = "/scopes/{scope}/accesses/{consumer}",
    operation_id = "accesses_grant",
    tag = "Accesses",
    params(AccessPath, MayMatchHeader),
    request_body = Terms,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(
        ChangeErrors,
        (status = 200, body = AccessReply, headers(("ETag" = String))),
        (status = 201, body = AccessReply, headers(("ETag" = String))),
    )
)]
async fn grant(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    MayMatch(expected): MayMatch,
    PathOf(path): PathOf<AccessPath>,
    JsonBody(terms): JsonBody<Terms>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let (scope, consumer) = path.key()?;
    let terms = terms.read()?;
    let found = app.registry.grant_access(&actor, &scope, consumer, terms, expected).await?;
    let first = found.version == Version(1);
    Ok(tagged(if first { StatusCode::CREATED } else { StatusCode::OK }, &found))
}

/// Withdraws the access of an organization to a scope, or denies what it has asked for.
#[utoipa::path(
    delete,
    path = "/scopes/{scope}/accesses/{consumer}",
    operation_id = "accesses_withdraw",
    tag = "Accesses",
    params(AccessPath, WithdrawQuery, IfMatchHeader),
    security(("bearer" = ["idporten:scopes.write"])),
    responses(EndErrors, (status = 200, body = AccessReply, headers(("ETag" = String))))
)]
async fn withdraw(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<WithdrawQuery>,
    IfMatch(expected): IfMatch,
    PathOf(path): PathOf<AccessPath>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let (scope, consumer) = path.key()?;
    let done = app.registry.withdraw_access(&actor, &scope, consumer, query.reason, expected);
    Ok(tagged(StatusCode::OK, &done.await?))
}

/// Approves what an organization has asked for.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/accesses/{consumer}/approve",
    operation_id = "accesses_approve",
    tag = "Accesses",
    params(AccessPath, MayMatchHeader),
    request_body = Terms,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(DecideErrors, (status = 200, body = AccessReply, headers(("ETag" = String))))
)]
async fn approve(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    expected: MayMatch,
    PathOf(path): PathOf<AccessPath>,
    JsonBody(terms): JsonBody<Terms>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let (scope, consumer) = path.key()?;
    let (terms, expected) = (terms.read()?, expected.version());
    let done = app.registry.approve_request(&actor, &scope, consumer, terms, expected);
    Ok(tagged(StatusCode::OK, &done.await?))
}

/// Denies what an organization has asked for.
#[utoipa::path(
    post,
    path = "/scopes/{scope}/accesses/{consumer}/deny",
    operation_id = "accesses_deny",
    tag = "Accesses",
    params(AccessPath, MayMatchHeader),
    request_body = Denial,
    security(("bearer" = ["idporten:scopes.write"])),
    responses(DecideErrors, (status = 200, body = AccessReply, headers(("ETag" = String))))
)]
async fn deny(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    expected: MayMatch,
    PathOf(path): PathOf<AccessPath>,
    JsonBody(denial): JsonBody<Denial>,
) -> Result<Tagged<AccessReply>, ApiError> {
    let (scope, consumer) = path.key()?;
    let (reason, expected) = (denial.reason, expected.version());
    let done = app.registry.deny_request(&actor, &scope, consumer, reason, expected);
    Ok(tagged(StatusCode::OK, &done.await?))
}

impl Terms {
    fn read(self) -> Result<AccessTerms, ApiError> {
        let expires_at = self.expires_at.map(|text| read_time("expires_at", &text)).transpose()?;
        Ok(AccessTerms { expires_at, note: self.note })
    }
}

fn read_state(text: &str) -> Result<AccessState, ApiError> {
    word("state", text, AccessState::ALL, AccessState::name)
}

pub(super) fn tagged(status: StatusCode, found: &Recorded<AccessCase>) -> Tagged<AccessReply> {
    Tagged(status, found.version, AccessReply::from(found))
}
