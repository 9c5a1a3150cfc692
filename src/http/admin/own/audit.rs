//! The audit trail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::audit::{AuditFilter, AuditRow};
use crate::http::admin::body::{NoQuery, QueryOf, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::page::{PageQuery, PageReply, Pages, part};
use crate::http::admin::own::problem::LookErrors;
use crate::http::admin::value::read;
use crate::registry::AuditVerdict;

/// One act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRow)]
struct AuditReply {
    /// Acts are numbered without gaps.
    seq: i64,
    #[schema(format = DateTime)]
    at: String,
    /// Who acted: a client, a user or the server itself.
    actor: String,
    /// The organization that they acted for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", nullable = false)]
    actor_organization: Option<String>,
    /// The right that they acted by, or would have needed.
    by_right: String,
    /// What was done, as a verb.
    action: String,
    /// `done`, or `refused` when the one who tried was not allowed to.
    outcome: &'static str,
    /// What kind of thing it was done to.
    noun: String,
    /// Which one.
    key: String,
    /// The organization that the thing belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = "organization-number", pattern = "^[0-9]{9}$", nullable = false)]
    organization: Option<String>,
    /// The thing before; not there when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    before: Option<Value>,
    /// The thing after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Object)]
    after: Option<Value>,
    /// The request that did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trace_id: Option<String>,
    /// What seals this row and every row before it; empty in rows older than the seal.
    hash: String,
}

/// Whether anybody has touched the audit trail.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditVerdict)]
struct VerdictReply {
    /// Whether every row is as it was written.
    whole: bool,
    /// How many rows are sealed; not there when one is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rows: Option<u64>,
    /// How many rows are older than the seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    unsealed: Option<u64>,
    /// The newest row, worth writing down elsewhere: rows that are missing from the end show only in comparison
    /// with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    newest: Option<NewestReply>,
    /// The first row that does not fit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    broken: Option<BrokenReply>,
}

/// A row and its seal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SealedAuditRow)]
struct NewestReply {
    seq: i64,
    hash: String,
}

/// A row that does not fit.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BrokenAuditRow)]
struct BrokenReply {
    seq: i64,
    /// What does not fit.
    problem: &'static str,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// What belongs to this organization or was done by it; the operator may ask for any.
    #[param(format = "organization-number", pattern = "^[0-9]{9}$")]
    organization: Option<String>,
    /// What was done to this kind of thing: `access`, `client`, `delegation`, `organization`, `prefix`, `scope` or
    /// `signing_key`.
    noun: Option<String>,
    /// What was done to this one.
    key: Option<String>,
    /// What was done by this client or user.
    actor: Option<String>,
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    cursor: Option<String>,
}

impl From<AuditRow> for AuditReply {
    fn from(row: AuditRow) -> Self {
        let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::String(text));
        Self {
            seq: row.seq,
            at: row.at.to_string(),
            actor: row.actor,
            actor_organization: row.actor_organization.map(|number| number.to_string()),
            by_right: row.by_right,
            action: row.action,
            outcome: row.outcome.name(),
            noun: row.noun,
            key: row.key,
            organization: row.organization.map(|number| number.to_string()),
            before: row.before.map(json),
            after: row.after.map(json),
            trace_id: row.trace_id,
            hash: row.hash,
        }
    }
}

impl From<AuditVerdict> for VerdictReply {
    fn from(verdict: AuditVerdict) -> Self {
        match verdict {
            AuditVerdict::Whole { rows, unsealed, newest } => Self {
                whole: true,
                rows: Some(rows),
                unsealed: Some(unsealed),
                newest: newest.map(|(seq, hash)| NewestReply { seq, hash }),
                broken: None,
            },
            AuditVerdict::Broken { seq, problem } => Self {
                whole: false,
                rows: None,
                unsealed: None,
                newest: None,
                broken: Some(BrokenReply { seq, problem }),
            },
        }
    }
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verify))
}

/// What was done to things of the caller's organization, or by it, newest first.
#[utoipa::path(
    get,
    path = "/audit",
    operation_id = "audit_list",
    tag = "Audit",
    params(ListQuery),
    security(("bearer" = ["idporten:scopes.read"]), ("bearer" = ["idporten:dcr.read"])),
    responses((status = 200, description = "A page of acts", body = PageReply<AuditReply>), LookErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    QueryOf(query): QueryOf<ListQuery>,
) -> Result<Reply<PageReply<AuditReply>>, ApiError> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let pages = Pages::new(&app, &actor, "audit", &page)?;
    let filter = AuditFilter {
        organization: query.organization.map(|it| read("organization", &it)).transpose()?,
        noun: query.noun,
        key: query.key,
        actor: query.actor,
        scope: None,
    };
    let before = pages.after(&page)?.map(|parts| part(&parts, 0)).transpose()?;
    let found = app.registry.audit_rows(&actor, filter, before, pages.limit).await?;
    let reply = pages.reply(found, |row| vec![row.seq.to_string()], AuditReply::from);
    Ok(Reply(StatusCode::OK, reply))
}

/// Checks the seal of every row.
#[utoipa::path(
    get,
    path = "/audit/verify",
    operation_id = "audit_verify",
    tag = "Audit",
    security(("bearer" = ["portvakt:admin"])),
    responses((status = 200, description = "The verdict", body = VerdictReply), LookErrors)
)]
async fn verify(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
) -> Result<Reply<VerdictReply>, ApiError> {
    let verdict = app.registry.verify_audit(&actor).await?;
    Ok(Reply(StatusCode::OK, VerdictReply::from(verdict)))
}
