//! What the listeners answer while there is no database to be a server on: that there is life, and no work is taken.
//! Nothing is served of what a server before this one has known.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;
use tokio::sync::watch;

use crate::clock::Random;
use crate::http::error::{OAuthError, TraceId};
use crate::http::guard;
use crate::http::management::{OPEN_METRICS, alive};
use crate::token::refusal::Refusal;

/// A server that is not there yet.
#[derive(Clone)]
pub struct Waiting {
    issuer: Arc<str>,
    random: Arc<dyn Random>,
    /// What it waits for.
    reason: Arc<watch::Sender<String>>,
}

impl Waiting {
    /// One that will be this issuer, and waits for this reason.
    pub fn new(issuer: &str, random: Arc<dyn Random>, reason: String) -> Self {
        Self { issuer: issuer.into(), random, reason: Arc::new(watch::Sender::new(reason)) }
    }

    /// What it waits for now. Says whether that is something else than before.
    pub fn wait_for(&self, reason: String) -> bool {
        self.reason.send_if_modified(|known| {
            let is_new = *known != reason;
            *known = reason;
            is_new
        })
    }

    /// The APIs: whoever asks is told to come again.
    pub fn api_router(&self) -> Router {
        let routes = Router::new().fallback(unavailable).with_state(self.clone());
        guard::protect_with(routes, Arc::clone(&self.random))
    }

    /// Liveness, and why there is no readiness.
    pub fn management_router(&self) -> Router {
        let routes = Router::new()
            .route("/livez", get(alive))
            .route("/readyz", get(ready))
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .with_state(self.clone());
        guard::protect_with(guard::with_fallbacks(routes), Arc::clone(&self.random))
    }
}

async fn unavailable(
    State(waiting): State<Waiting>,
    Extension(trace_id): Extension<TraceId>,
) -> Response {
    let refusal = Refusal::Unavailable { cause: waiting.reason.borrow().clone() };
    tracing::info!(%trace_id, "request refused: {refusal:?}");
    OAuthError::of_refusal(&refusal, &waiting.issuer).into_response_with(&trace_id)
}

async fn ready(State(waiting): State<Waiting>) -> Response {
    let reason = waiting.reason.borrow().clone();
    (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")).into_response()
}

async fn health(State(waiting): State<Waiting>) -> Response {
    let reason = waiting.reason.borrow().clone();
    let text = json!({ "status": "unavailable", "reason": reason }).to_string();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// The one measure that there is; everything else begins with the server.
async fn metrics() -> Response {
    let text = "# HELP portvakt_ready Whether the server takes work\n\
                # TYPE portvakt_ready gauge\nportvakt_ready 0\n# EOF\n";
    ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
}
