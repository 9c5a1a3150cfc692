//! Liveness, readiness and metrics, for machines that watch this one.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use serde_json::{Value, json};

use crate::app::{App, ListStatus};
use crate::clock::Timestamp;

/// Every route of the management API.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/revocation-lists", get(revocation_lists))
}

/// 200 when the server takes work, 503 with the reason when it does not.
async fn ready(State(app): State<Arc<App>>) -> Response {
    match app.ready() {
        Ok(()) => "ready\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response(),
    }
}

/// Every revocation list that is in use or should be: how old it is, until when it holds, what has come of the last
/// fetch, and what will refuse good clients.
async fn revocation_lists(State(app): State<Arc<App>>) -> Response {
    let lists: Vec<Value> = app.revocation_lists.status().iter().map(list).collect();
    let warnings = app.revocation_lists.warnings().into_iter();
    let warnings: Vec<Value> = warnings
        .map(|(trust_set, warning)| json!({ "trust_set": trust_set, "warning": warning }))
        .collect();
    let now = app.revocation_lists.now().to_string();
    let text = json!({ "at": now, "lists": lists, "warnings": warnings }).to_string();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
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
    app.measure_lists();
    let format = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, format)], app.metrics.to_text()).into_response()
}
