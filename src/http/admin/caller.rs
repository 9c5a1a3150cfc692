//! Who calls the admin listener: whoever the bearer token stands for (RFC 6750 section 2.1).

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::app::App;
use crate::domain::right::Rights;
use crate::http::admin::error::ApiError;
use crate::http::error::TraceId;
use crate::registry::Actor;

/// The caller, as the one who acts. Once it is known, the request carries it along.
#[derive(Clone, Debug)]
pub(super) struct Caller(pub(super) Actor);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let token = bearer_token(parts)?;
        let bearer = app.issuer.read_bearer(token, app.admin_url.as_deref()).await;
        let bearer = bearer.map_err(ApiError::Bearer)?;
        let trace_id = parts.extensions.get::<TraceId>().map(ToString::to_string);
        let caller = Self(Actor {
            name: bearer.client.to_string(),
            organization: Some(bearer.organization),
            rights: bearer.scopes.as_ref().map(Rights::of_scopes).unwrap_or_default(),
            trace_id,
        });
        parts.extensions.insert(caller.clone());
        Ok(caller)
    }
}

fn bearer_token(parts: &Parts) -> Result<&str, ApiError> {
    let in_query = |query: &str| query.split('&').any(|one| one.starts_with("access_token="));
    if parts.uri.query().is_some_and(in_query) {
        return Err(ApiError::NoToken(
            "a token in the address ends up in logs; send it in the Authorization header",
        ));
    }
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    let value = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok());
    let token = value.and_then(|value| value.split_once(' ')).and_then(|(scheme, token)| {
        scheme.eq_ignore_ascii_case("bearer").then_some(token.trim_start_matches(' '))
    });
    token.filter(|token| !token.is_empty()).ok_or(ApiError::NoToken(
        "send one Authorization header with an access token: Authorization: Bearer <token>",
    ))
}
