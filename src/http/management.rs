//! Liveness, readiness, health and metrics, for machines that watch this one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use serde::Serialize;

use crate::app::App;
use crate::domain::trust::TrustSetSummary;

/// Every route of the management API.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
}

/// 200 when the server takes work, 503 with the reason when it does not.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, format)], app.metrics.to_text()).into_response()
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
    trust_sets: Vec<TrustSetHealth>,
}

#[derive(Serialize)]
struct TrustSetHealth {
    name: String,
    environment: &'static str,
    authorities: Vec<AuthorityHealth>,
    warnings: Vec<String>,
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
    let warned = trust_sets.iter().any(|set| !set.warnings.is_empty());
    let status = match (&reason, warned) {
        (Some(_), _) => "unavailable",
        (None, true) => "warning",
        (None, false) => "ok",
    };
    let health = Health { status, reason, trust_sets };
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
        Self {
            environment: set.environment.name(),
            authorities: authorities.collect(),
            warnings: set.warnings,
            name: set.name,
        }
    }
}
