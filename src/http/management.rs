//! Liveness, readiness, health and metrics, for machines that watch this one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;

use serde_json::{Value, json};

use crate::app::{App, ListStatus};
use crate::clock::Timestamp;
use crate::domain::record::RowName;
use crate::domain::trust::{OcspResponder, TrustSetSummary};

/// Every route of the management API.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/revocation-lists", get(revocation_lists))
}

/// The media type of `/metrics`.
pub(super) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The process answers, whatever it is doing.
pub(super) async fn alive() -> &'static str {
    "alive\n"
}

/// 200 when the server takes work, 503 with the reason when it does not.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready() {
        Ok(()) => match app.outage() {
            None => "ready\n".into_response(),
            Some(amiss) => format!("ready; {amiss}\n").into_response(),
        },
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Every revocation list that is in use or should be: how old it is, until when it holds, what has come of the last
/// fetch; every responder that is asked, and what has come of that; and what will refuse good clients.
async fn revocation_lists(State(app): State<Arc<App>>) -> Response {
    let lists: Vec<Value> = app.revocation_lists.status().iter().map(list).collect();
    let at = app.revocation_lists.now();
    let sets = app.issuer.certificates.sets().iter().map(|set| set.summary(at));
    let responders: Vec<Value> = sets.flat_map(|set| responders(&set)).collect();
    let warnings = app.revocation_lists.warnings().into_iter();
    let warnings: Vec<Value> = warnings
        .map(|(trust_set, warning)| json!({ "trust_set": trust_set, "warning": warning }))
        .collect();
    let all = json!({
        "at": at.to_string(),
        "lists": lists,
        "responders": responders,
        "warnings": warnings,
    });
    let text = all.to_string();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

fn responders(set: &TrustSetSummary) -> Vec<Value> {
    let of = |it: &OcspResponder| {
        json!({
            "trust_set": set.name,
            "url": it.url,
            "certificates": set.ocsp_certificates,
            "question": it.last.map(|(at, result)| json!({
                "at": at.to_string(),
                "result": result,
                "problem": it.problem,
                "failing_since": it.failing_since.map(|since| since.to_string()),
            })),
        })
    };
    set.responders.iter().map(of).collect()
}

fn list(status: &ListStatus) -> Value {
    let moment = |it: Timestamp| it.to_string();
    json!({
        "trust_set": status.trust_set,
        "url": status.url,
        "list": status.list.as_ref().map(|it| json!({
            "issuer": it.issuer,
            "number": it.number,
            "this_update": moment(it.this_update),
            "next_update": it.next_update.map(moment),
            "age_seconds": it.age_seconds,
            "entries": it.entries,
        })),
        "fetch": status.fetch.as_ref().map(|it| json!({
            "at": moment(it.at),
            "result": it.result,
            "problem": it.problem,
            "failing_since": it.failing_since.map(moment),
        })),
    })
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    app.measure();
    ([(CONTENT_TYPE, OPEN_METRICS)], app.metrics.to_text()).into_response()
}

/// How the server is, for people and alarms. It is 200 whether or not something is wrong: whether work may be sent here
/// is what `/readyz` says.
#[derive(Serialize)]
struct Health {
    /// `ok`; `warning`, when something will refuse good clients; `unavailable`, when no work is taken.
    status: &'static str,
    /// Why no work is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What is amiss with the database while work is taken all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    outage: Option<String>,
    /// What should be the same on all nodes and is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    differing_setting: Option<String>,
    /// Rows of the database that could not be read when they were last met, by table and key: what depends on them is
    /// refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable_rows: Vec<RowName>,
    trust_sets: Vec<TrustSetHealth>,
}

#[derive(Serialize)]
struct TrustSetHealth {
    name: String,
    environment: &'static str,
    authorities: Vec<AuthorityHealth>,
    /// What responders (OCSP) are asked, and how they are.
    ocsp: &'static str,
    responders: Vec<ResponderHealth>,
    warnings: Vec<String>,
}

#[derive(Serialize)]
struct ResponderHealth {
    url: String,
    /// What came of the last question, if one was asked: taken, unchanged, failed, refused, or the status that came in
    /// place of an answer, such as tryLater.
    result: Option<&'static str>,
    failing_since: Option<String>,
}

#[derive(Serialize)]
struct AuthorityHealth {
    role: &'static str,
    subject: String,
    not_after: String,
}

async fn health(State(app): State<Arc<App>>) -> Response {
    let now = app.issuer.clock.now();
    let sets = app.issuer.certificates.sets().iter();
    let trust_sets: Vec<TrustSetHealth> = sets.map(|set| set.summary(now).into()).collect();
    let reason = app.ready().err();
    let differing_setting = app.differing_setting().map(|it| it.to_string());
    let outage = app.outage();
    let unreadable_rows = app.unreadable_rows();
    let warned = outage.is_some()
        || !unreadable_rows.is_empty()
        || differing_setting.is_some()
        || trust_sets.iter().any(|set| !set.warnings.is_empty());
    let status = match (&reason, warned) {
        (Some(_), _) => "unavailable",
        (None, true) => "warning",
        (None, false) => "ok",
    };
    let health = Health { status, reason, outage, differing_setting, unreadable_rows, trust_sets };
    match serde_json::to_vec(&health) {
        Ok(text) => ([(CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl From<TrustSetSummary> for TrustSetHealth {
    fn from(set: TrustSetSummary) -> Self {
        let authorities = set.authorities.into_iter().map(|authority| AuthorityHealth {
            role: authority.role.name(),
            not_after: authority.not_after.to_string(),
            subject: authority.subject,
        });
        let responders = set.responders.into_iter().map(|responder| ResponderHealth {
            url: responder.url,
            result: responder.last.map(|(_, result)| result),
            failing_since: responder.failing_since.map(|since| since.to_string()),
        });
        Self {
            environment: set.environment.name(),
            authorities: authorities.collect(),
            ocsp: set.ocsp.name(),
            responders: responders.collect(),
            warnings: set.warnings,
            name: set.name,
        }
    }
}
