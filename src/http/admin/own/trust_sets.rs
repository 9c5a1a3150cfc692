//! Whose enterprise certificates count, for the operator to look at, and what the server makes of a chain.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::domain::trust::{OcspResponder, TrustSetSummary, TrustedAuthority};
use crate::http::admin::body::{JsonBody, NoQuery, Reply};
use crate::http::admin::caller::Caller;
use crate::http::admin::error::ApiError;
use crate::http::admin::own::problem::{LookErrors, MakeErrors};
use crate::registry::ChainReport;

/// An authority whose certificates count.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustedAuthority)]
struct AuthorityReply {
    /// `anchor` or `intermediate`.
    role: &'static str,
    subject: String,
    /// SHA-256 over its certificate, in hexadecimal.
    fingerprint: String,
    #[schema(format = DateTime)]
    not_before: String,
    #[schema(format = DateTime)]
    not_after: String,
    /// Its revocation lists.
    revocation_lists: Vec<ListReply>,
}

/// A revocation list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RevocationList)]
struct ListReply {
    #[schema(format = DateTime)]
    this_update: String,
    #[schema(format = DateTime)]
    next_update: Option<String>,
}

/// A responder (OCSP) that is asked about certificates.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OcspResponder)]
struct ResponderReply {
    url: String,
    /// When it was asked last.
    #[schema(format = DateTime)]
    asked_at: Option<String>,
    /// What came of it: `taken`, `unchanged`, `failed` or `refused`.
    result: Option<&'static str>,
    /// What was wrong.
    problem: Option<String>,
    /// Since when it has told nothing.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
}

/// A trust set.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustSet)]
struct TrustSetReply {
    /// Its name in the configuration.
    name: String,
    /// `production` or `test`.
    environment: &'static str,
    /// `hard-fail`, `soft-fail` or `not-checked`.
    revocation: &'static str,
    /// What responders are asked: `alternative`, `fallback` or `not-used`.
    ocsp: &'static str,
    responders: Vec<ResponderReply>,
    /// When the first of its authorities ends.
    #[schema(format = DateTime)]
    first_not_after: Option<String>,
    /// Anchors first. One that had ended when it was read is shown and trusted for nothing.
    authorities: Vec<AuthorityReply>,
    /// What will refuse good clients.
    warnings: Vec<String>,
}

/// The trust sets of this node.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrustSets)]
struct TrustSetsReply {
    /// In the order in which they are tried.
    items: Vec<TrustSetReply>,
}

/// A chain to judge.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ChainToJudge)]
#[serde(deny_unknown_fields)]
struct ChainBody {
    /// One to six certificates in PEM, the client's own first.
    pem: String,
}

/// What one trust set makes of a chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainReport)]
struct ReportReply {
    trust_set: String,
    /// Whether a client could prove itself with it, by this set.
    accepted: bool,
    organization_number: Option<String>,
    /// Every check that the server makes, in its order.
    checks: Vec<CheckReply>,
}

/// The outcome of one check.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainCheck)]
struct CheckReply {
    name: &'static str,
    passed: bool,
    /// What was seen.
    detail: String,
}

/// What each trust set makes of a chain.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainReports)]
struct ReportsReply {
    items: Vec<ReportReply>,
}

pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(judge))
}

/// Whose certificates count on this node, when each authority ends, and how fresh revocation lists are.
#[utoipa::path(
    get,
    path = "/trust-sets",
    operation_id = "trust_sets_list",
    tag = "Operation",
    security(("bearer" = ["portvakt:admin"])),
    responses((status = 200, description = "The trust sets", body = TrustSetsReply), LookErrors)
)]
async fn list(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
) -> Result<Reply<TrustSetsReply>, ApiError> {
    let sets = app.registry.trust_sets(&actor)?;
    let items = sets.into_iter().map(TrustSetReply::from).collect();
    Ok(Reply(StatusCode::OK, TrustSetsReply { items }))
}

/// Judges a chain as of now by every trust set, check by check. Nothing is changed.
#[utoipa::path(
    post,
    path = "/trust-sets/judge",
    operation_id = "trust_sets_judge",
    tag = "Operation",
    security(("bearer" = ["portvakt:admin"])),
    request_body = ChainBody,
    responses((status = 200, description = "The checks", body = ReportsReply), MakeErrors)
)]
async fn judge(
    State(app): State<Arc<App>>,
    Caller(actor): Caller,
    _: NoQuery,
    JsonBody(body): JsonBody<ChainBody>,
) -> Result<Reply<ReportsReply>, ApiError> {
    let reports = app.registry.judge_chain(&actor, body.pem.as_bytes()).await?;
    let items = reports.into_iter().map(ReportReply::from).collect();
    Ok(Reply(StatusCode::OK, ReportsReply { items }))
}

impl From<TrustSetSummary> for TrustSetReply {
    fn from(set: TrustSetSummary) -> Self {
        let first_not_after = set.first_not_after().map(|end| end.to_string());
        Self {
            environment: set.environment.name(),
            revocation: set.revocation.name(),
            ocsp: set.ocsp.name(),
            responders: set.responders.into_iter().map(ResponderReply::from).collect(),
            first_not_after,
            authorities: set.authorities.into_iter().map(AuthorityReply::from).collect(),
            warnings: set.warnings,
            name: set.name,
        }
    }
}

impl From<OcspResponder> for ResponderReply {
    fn from(responder: OcspResponder) -> Self {
        Self {
            url: responder.url,
            asked_at: responder.last.map(|(at, _)| at.to_string()),
            result: responder.last.map(|(_, result)| result),
            problem: responder.problem,
            failing_since: responder.failing_since.map(|since| since.to_string()),
        }
    }
}

impl From<TrustedAuthority> for AuthorityReply {
    fn from(authority: TrustedAuthority) -> Self {
        let lists = authority.lists.iter().map(|list| ListReply {
            this_update: list.this_update.to_string(),
            next_update: list.next_update.map(|due| due.to_string()),
        });
        Self {
            role: authority.role.name(),
            fingerprint: authority.fingerprint,
            not_before: authority.not_before.to_string(),
            not_after: authority.not_after.to_string(),
            revocation_lists: lists.collect(),
            subject: authority.subject,
        }
    }
}

impl From<(String, ChainReport)> for ReportReply {
    fn from((trust_set, report): (String, ChainReport)) -> Self {
        let checks = report.checks.into_iter().map(|check| CheckReply {
            name: check.name,
            passed: check.passed,
            detail: check.detail,
        });
        Self {
            trust_set,
            accepted: report.accepted,
            organization_number: report.organization_number.map(|number| number.to_string()),
            checks: checks.collect(),
        }
    }
}
