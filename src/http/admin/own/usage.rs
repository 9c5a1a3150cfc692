//! Usage: how many tokens were issued with a scope, and to a client.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::usage::{ConsumerTokens, DayTokens, ScopeTokens};
use crate::http::admin::body::{PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::path::ScopePath;
use crate::http::admin::own::problem::LookErrors;
use crate::http::admin::value::read_client_id;

/// Days that are looked at when nobody says how many: a month.
const DAYS_USUAL: u32 = 30;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UsageQuery {
    /// How many days, up to and with today.
    #[param(minimum = 1, maximum = 400, default = 30)]
    days: Option<u32>,
}

impl UsageQuery {
    fn days(&self) -> u32 {
        self.days.unwrap_or(DAYS_USUAL)
    }
}

/// Who uses a scope. A token with several scopes counts once for each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScopeUsage)]
struct ScopeUsageReply {
    scope: String,
    /// The first day, in UTC.
    #[schema(format = Date)]
    from: String,
    /// The last day.
    #[schema(format = Date)]
    to: String,
    /// How many tokens were issued.
    tokens: u64,
    /// The consumers with the most tokens, at most 50, the most first.
    consumers: Vec<ConsumerReply>,
    /// How many tokens the other consumers have together.
    other_consumers: u64,
    /// Tokens of all consumers, day by day; days without any are left out.
    days: Vec<DayReply>,
}

/// Tokens that stand for one organization or European business, whoever fetched them.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConsumerUsage)]
struct ConsumerReply {
    /// The number of the organization; of a European business, the organization identifier of its certificate.
    #[schema(pattern = "^([0-9]{9}|(NTR|VAT|PSD|LEI)[A-Z]{2}-[0-9A-Za-z._/&+:-]{1,64})$")]
    consumer: String,
    /// Its name, if it is registered here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    consumer_name: Option<String>,
    tokens: u64,
}

/// What a client uses. A token with several scopes counts once for each.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientUsage)]
struct ClientUsageReply {
    client_id: String,
    /// The first day, in UTC.
    #[schema(format = Date)]
    from: String,
    /// The last day.
    #[schema(format = Date)]
    to: String,
    /// How many tokens were issued, with each of their scopes.
    tokens: u64,
    /// The scopes with the most tokens, at most 50, the most first.
    scopes: Vec<ScopeReply>,
    /// How many tokens there are with the other scopes together.
    other_scopes: u64,
    /// Tokens with all scopes, day by day; days without any are left out.
    days: Vec<DayReply>,
}

/// Tokens with one scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientScopeUsage)]
struct ScopeReply {
    scope: String,
    tokens: u64,
    /// Day by day; days without any are left out.
    days: Vec<DayReply>,
}

/// Tokens of one day.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DayUsage)]
struct DayReply {
    /// The day, in UTC.
    #[schema(format = Date)]
    day: String,
    tokens: u64,
}

impl From<ConsumerTokens> for ConsumerReply {
    fn from(it: ConsumerTokens) -> Self {
        Self { consumer: it.consumer.to_string(), consumer_name: it.name, tokens: it.tokens }
    }
}

impl From<ScopeTokens> for ScopeReply {
    fn from(it: ScopeTokens) -> Self {
        Self { scope: it.scope.to_string(), tokens: it.tokens, days: each(it.days) }
    }
}

impl From<DayTokens> for DayReply {
    fn from(it: DayTokens) -> Self {
        Self { day: it.day.to_string(), tokens: it.tokens }
    }
}

fn each<T, S: From<T>>(all: Vec<T>) -> Vec<S> {
    all.into_iter().map(S::from).collect()
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(of_scope)).routes(routes!(of_client))
}

/// Who uses a scope of one's own organization: tokens per consumer and per day.
#[utoipa::path(
    get,
    path = "/scopes/{scope}/usage",
    operation_id = "scopes_usage",
    tag = "Scopes",
    params(ScopePath, UsageQuery),
    security(("bearer" = ["idporten:scopes.read"])),
    responses(LookErrors, (status = 200, description = "The usage", body = ScopeUsageReply))
)]
async fn of_scope(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<UsageQuery>,
    PathOf(path): PathOf<ScopePath>,
) -> Result<Reply<ScopeUsageReply>, ApiError> {
    let scope = path.name()?;
    let usage = app.registry.usage_of_scope(&actor, &scope, query.days()).await?;
    let reply = ScopeUsageReply {
        scope: scope.to_string(),
        from: usage.period.first.to_string(),
        to: usage.period.last.to_string(),
        tokens: usage.tokens,
        consumers: each(usage.consumers),
        other_consumers: usage.others,
        days: each(usage.days),
    };
    Ok(Reply(StatusCode::OK, reply))
}

/// What a client of one's own organization uses: tokens per scope and per day.
#[utoipa::path(
    get,
    path = "/clients/{client_id}/usage",
    operation_id = "clients_usage",
    tag = "Clients",
    params(("client_id" = String, Path), UsageQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(LookErrors, (status = 200, description = "The usage", body = ClientUsageReply))
)]
async fn of_client(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<UsageQuery>,
    PathOf(id): PathOf<String>,
) -> Result<Reply<ClientUsageReply>, ApiError> {
    let client = read_client_id(&id)?;
    let usage = app.registry.usage_of_client(&actor, &client, query.days()).await?;
    let reply = ClientUsageReply {
        client_id: client.to_string(),
        from: usage.period.first.to_string(),
        to: usage.period.last.to_string(),
        tokens: usage.scopes.tokens,
        scopes: each(usage.scopes.scopes),
        other_scopes: usage.scopes.others,
        days: each(usage.days),
    };
    Ok(Reply(StatusCode::OK, reply))
}
