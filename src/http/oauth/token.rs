//! `POST /token`: form in, [`Issuer::issue`](crate::token::Issuer::issue), JSON out.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_LENGTH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Serialize;

use crate::app::App;
use crate::domain::source::Source;
use crate::domain::step::Step;
use crate::http::error::{OAuthError, TraceId, json};
use crate::http::oauth::form::TokenForm;
use crate::http::origin::of_the_portal;
use crate::token::TokenRequest;
use crate::token::explain::{Answer, record};
use crate::token::issue::IssuedToken;
use crate::token::limit::TooMany;
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
    let portal = of_the_portal(&app, request.headers());
    let portal = portal.and_then(|origin| HeaderValue::from_str(origin).ok());
    let mut response = decide(&app, &trace_id, request).await;
    // The portal's pages try clients in the browser, so they may read the answer (Fetch standard, section 3.2). No
    // other page may, and none may send more than a form does: nothing answers a preflight.
    if let Some(origin) = portal {
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    response
}

async fn decide(app: &App, trace_id: &TraceId, request: Request) -> Response {
    let began = app.uptime();
    let mut trail = Trail::new(&*app.issuer.clock);
    let outcome = answer(app, request, trace_id, &mut trail).await;
    let duration = app.uptime().saturating_sub(began);
    app.metrics.token_steps(&trail);
    match outcome {
        Ok(token) => {
            app.metrics.token_request("issued", "", duration);
            reply(&token)
        }
        Err(Failure { error, cause }) => {
            let refusal = cause.refusal();
            let code = refusal.and_then(Refusal::code).map_or("", MpCode::name);
            app.metrics.token_request(error.error(), code, duration);
            match cause {
                // Nothing about the request itself was wrong, and too many are no reason to write.
                Cause::Limit(limit) => app.metrics.limited(limit),
                Cause::Form | Cause::Refusal(_) => keep(app, &trail, refusal, &error, trace_id),
            }
            error.into_response_with(trace_id)
        }
    }
}

/// The error to answer with, and what is behind it.
struct Failure {
    error: OAuthError,
    cause: Cause,
}

enum Cause {
    Form,
    /// The limit of that name, as metrics have it.
    Limit(&'static str),
    Refusal(Refusal),
}

impl Cause {
    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refusal(refusal) => Some(refusal),
            Self::Form | Self::Limit(_) => None,
        }
    }
}

/// The token, or why there is none.
async fn answer(
    app: &App,
    request: Request,
    trace_id: &TraceId,
    trail: &mut Trail<'_>,
) -> Result<IssuedToken, Failure> {
    let (parts, body) = request.into_parts();
    let source = parts.extensions.get::<Source>();
    let form = async {
        let body = read_body(&parts.headers, body).await?;
        TokenForm::read(&parts.headers, parts.uri.query(), &body)
    };
    let form = form.await.at(Step::Form, trail).map_err(|error| {
        tracing::info!(%trace_id, error = error.error(), "token refused: {error:?}");
        Failure { error, cause: Cause::Form }
    })?;
    if let Some(source) = source {
        app.limits.token_failures.check(source).map_err(|too_many| over(too_many, trace_id))?;
    }
    let request = TokenRequest { assertion: &form.assertion, client_id: form.client_id.as_deref() };
    let issued = app.issuer.issue(&request, trail).await;
    issued.inspect(|token| {
        let scope = &token.scopes;
        if let Some(business) = trail.facts().business() {
            // Nobody has registered it, so this is where it can be seen who it was.
            let (client_id, consumer) = (&business.client_id, &business.identifier);
            tracing::info!(%trace_id, %scope, %client_id, %consumer, "token issued");
        } else {
            tracing::info!(%trace_id, %scope, "token issued");
        }
    }).map_err(|refusal| {
        if let Some(source) = source.filter(|_| was_in_vain(&refusal, trail)) {
            app.limits.token_failures.count(source);
        }
        let error = OAuthError::of_refusal(&refusal, &app.issuer.rules.grant.issuer);
        let code = refusal.code().map_or("", |code| code.name());
        let step = trail.failed_at().map_or("", |step| step.name());
        tracing::info!(%trace_id, error = error.error(), code, step, "token refused: {refusal:?}");
        let cause = match refusal {
            Refusal::TooManyRequests(_) => Cause::Limit("token_client"),
            refusal => Cause::Refusal(refusal),
        };
        Failure { error, cause }
    })
}

/// So much from the source of the request was in vain that nothing from there is judged now.
fn over(too_many: TooMany, trace_id: &TraceId) -> Failure {
    let error = OAuthError::too_many(too_many);
    tracing::info!(%trace_id, error = error.error(), "token refused: {error:?}");
    Failure { error, cause: Cause::Limit("token_source") }
}

/// Whether a request that nobody can be held to has cost an effort: clients that are looked for and not found, keys,
/// certificates and signatures that do not hold, and assertions that have been spent, which whoever has seen one can send
/// again. What else is refused is cheap, or counts against the client that has signed it. What is the server's own fault
/// counts against nobody.
fn was_in_vain(refusal: &Refusal, trail: &Trail<'_>) -> bool {
    match refusal {
        Refusal::Replayed | Refusal::UnknownClient | Refusal::ClientMismatch => true,
        Refusal::Unavailable { .. } => false,
        _ => matches!(trail.failed_at(), Some(Step::Key | Step::Signature)),
    }
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
