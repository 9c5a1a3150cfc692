//! Refused token requests, explained.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::refused_request::{
    ExplainedStep, RefusedRequest, RefusedRequestPlace, StepOutcome,
};
use crate::http::admin::body::{NoQuery, PathOf, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::problem::LookErrors;
use crate::http::admin::value::read_client_id;
use crate::http::oauth::what_to_do;

/// A refused token request.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Refusal)]
struct RefusalReply {
    /// What the answer was known by.
    trace_id: String,
    #[schema(format = DateTime)]
    at: String,
    /// The client that the assertion named, if there is one, or what tokens would call that of a European business.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// The organization of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", nullable = false)]
    organization: Option<String>,
    /// The organization identifier of the European business whose certificate it came with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    business: Option<String>,
    /// The MP code of the answer, if it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The `error` of the answer.
    error: String,
    /// The sentence of the answer.
    message: String,
    /// Whether the client itself had signed the assertion. If not, anybody may have sent it.
    signature_verified: bool,
}

/// A refused token request, step by step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationReply {
    #[serde(flatten)]
    refusal: RefusalReply,
    /// The steps of a token request, in order.
    steps: Vec<StepReply>,
    /// What to do, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    what_to_do: Option<String>,
}

/// What became of one step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExplainedStep)]
struct StepReply {
    step: &'static str,
    /// `passed`, `failed` or `not_reached`.
    outcome: &'static str,
    /// What the failed step saw.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seen: Option<String>,
    /// What it expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expected: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// That named this client.
    client_id: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<&RefusedRequest> for RefusalReply {
    fn from(it: &RefusedRequest) -> Self {
        Self {
            trace_id: it.trace_id.clone(),
            at: it.at.to_string(),
            client_id: it.client_id().map(ToString::to_string),
            organization: it.client.as_ref().map(|client| client.organization.to_string()),
            business: it.business.as_ref().map(|business| business.identifier.to_string()),
            code: it.code.clone(),
            error: it.error.clone(),
            message: it.answer.to_string(),
            signature_verified: it.signature_verified,
        }
    }
}

impl From<ExplainedStep<'_>> for StepReply {
    fn from(it: ExplainedStep<'_>) -> Self {
        Self {
            step: it.step.name(),
            outcome: match it.outcome {
                StepOutcome::Passed => "passed",
                StepOutcome::Failed => "failed",
                StepOutcome::NotReached => "not_reached",
            },
            seen: it.seen.map(ToString::to_string),
            expected: it.expected.map(ToString::to_string),
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(explain)).routes(routes!(list))
}

/// Why a token request was refused that named a client of the caller's organization.
#[utoipa::path(
    get,
    path = "/explain/{trace_id}",
    operation_id = "refusals_explain",
    tag = "Refusals",
    params(("trace_id" = String, Path, description = "It stands at the end of the error_description")),
    security(("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, description = "The explanation", body = ExplanationReply), LookErrors)
)]
async fn explain(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    PathOf(trace_id): PathOf<String>,
) -> Result<Reply<ExplanationReply>, ApiError> {
    let found = app.registry.refused_request(&actor, &trace_id).await?;
    let reply = ExplanationReply {
        refusal: RefusalReply::from(&found),
        steps: found.steps().map(StepReply::from).into(),
        what_to_do: found.code.as_deref().and_then(what_to_do),
    };
    Ok(Reply(StatusCode::OK, reply))
}

/// Refused token requests that named clients of the caller's organization, newest first.
#[utoipa::path(
    get,
    path = "/refusals",
    operation_id = "refusals_list",
    tag = "Refusals",
    params(ListQuery),
    security(("bearer" = ["idporten:dcr.read"])),
    responses(
        (status = 200, description = "A page of refusals", body = PageReply<RefusalReply>),
        LookErrors,
    )
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<RefusalReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "refusals", &page)?;
    let client: Option<ClientId> = query.client_id.map(|it| read_client_id(&it)).transpose()?;
    let after = pages
        .after(&page)?
        .map(|parts| {
            let at = Timestamp::from_seconds(part(&parts, 0)?);
            Ok::<_, ApiError>(RefusedRequestPlace { at, trace_id: part(&parts, 1)? })
        })
        .transpose()?;
    let (client, limit) = (client.as_ref(), pages.limit);
    let found = app.registry.refused_requests(&actor, client, after.as_ref(), limit).await?;
    let place = |it: &RefusedRequest| vec![it.at.seconds().to_string(), it.trace_id.clone()];
    let reply = pages.reply(found, place, |it| RefusalReply::from(&it));
    Ok(Reply(StatusCode::OK, reply))
}
