//! `POST /token`: form in, [`Issuer::issue`](crate::token::Issuer::issue), JSON out.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;

use crate::app::App;
use crate::domain::step::Step;
use crate::http::error::{OAuthError, TraceId, json};
use crate::http::oauth::form::TokenForm;
use crate::token::TokenRequest;
use crate::token::explain::{Answer, record};
use crate::token::issue::IssuedToken;
use crate::token::recorder::Recorded;
use crate::token::refusal::{MpCode, Refusal};
use crate::token::trail::{At as _, Trail};

/// The largest body: an assertion with six certificates is 40 KiB.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// How long a client may take to send its body.
const BODY_SECONDS_MAX: u64 = 10;

/// The reply of RFC 6749 section 5.1: these four members and no other, because strict readers refuse a
/// fifth and miss a fourth.
#[derive(Serialize)]
struct TokenReply<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u32,
    scope: String,
}

/// `POST /token`
pub(super) async fn token(
    State(app): State<Arc<App>>,
    Extension(trace_id): Extension<TraceId>,
    request: Request,
) -> Response {
    let began = app.uptime();
    let mut trail = Trail::new(&*app.issuer.clock);
    let outcome = answer(&app, request, &trace_id, &mut trail).await;
    let duration = app.uptime().saturating_sub(began);
    app.metrics.token_steps(&trail);
    match outcome {
        Ok(token) => {
            app.metrics.token_request("issued", "", duration);
            reply(&token)
        }
        Err((error, refusal)) => {
            let code = refusal.as_ref().and_then(Refusal::code).map_or("", MpCode::name);
            app.metrics.token_request(error.error(), code, duration);
            keep(&app, &trail, refusal.as_ref(), &error, &trace_id);
            error.into_response_with(&trace_id)
        }
    }
}

/// The token, or the error to answer with, and what is behind it unless that is the form.
async fn answer(
    app: &App,
    request: Request,
    trace_id: &TraceId,
    trail: &mut Trail<'_>,
) -> Result<IssuedToken, (OAuthError, Option<Refusal>)> {
    let (parts, body) = request.into_parts();
    let form = async {
        let body = read_body(&parts.headers, body).await?;
        TokenForm::read(&parts.headers, parts.uri.query(), &body)
    };
    let form = form.await.at(Step::Form, trail).map_err(|error| {
        tracing::info!(%trace_id, error = error.error(), "token refused: {error:?}");
        (error, None)
    })?;
    let request = TokenRequest { assertion: &form.assertion, client_id: form.client_id.as_deref() };
    app.issuer.issue(&request, trail).await.inspect(|token| {
        tracing::info!(%trace_id, scope = %token.scopes, "token issued");
    }).map_err(|refusal| {
        let error = OAuthError::of_refusal(&refusal, &app.issuer.rules.grant.issuer);
        let code = refusal.code().map_or("", |code| code.name());
        let step = trail.failed_at().map_or("", |step| step.name());
        tracing::info!(%trace_id, error = error.error(), code, step, "token refused: {refusal:?}");
        (error, Some(refusal))
    })
}

/// Keeps the record of a refused request, by which its trace id can be explained later.
fn keep(
    app: &App,
    trail: &Trail<'_>,
    refusal: Option<&Refusal>,
    error: &OAuthError,
    trace_id: &TraceId,
) {
    let (error, description) = (error.error(), error.description());
    let answer = Answer { trace_id: trace_id.as_str(), error, description };
    let now = app.issuer.clock.now();
    let recorded = app.recorder.take(trail, || record(trail, refusal, answer, now));
    if recorded == Recorded::Dropped {
        app.metrics.refusal_unrecorded();
    }
}

async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, OAuthError> {
    let too_large = || {
        let error = OAuthError::request("The body is larger than 64 KiB.");
        error.with_status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|value| value.parse::<u64>().ok());
    if announced.is_some_and(|length| length > u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX)) {
        return Err(too_large());
    }
    let collected = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(OAuthError::request("The body could not be read to its end.")),
        Err(_) => {
            let error = OAuthError::request("The body did not arrive within 10 seconds.");
            Err(error.with_status(StatusCode::REQUEST_TIMEOUT))
        }
    }
}

fn reply(token: &IssuedToken) -> Response {
    let reply = TokenReply {
        access_token: &token.access_token,
        token_type: "Bearer",
        // One second less than the token lives, as Maskinporten says it: who trusts it is never late.
        expires_in: token.lifetime_seconds.saturating_sub(1),
        scope: token.scopes.to_string(),
    };
    json(StatusCode::OK, serde_json::to_string(&reply).unwrap_or_default())
}
