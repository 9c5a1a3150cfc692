//! What API providers and clients fetch: the metadata (RFC 8414) and the key set (RFC 7517).

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::app::App;
use crate::domain::algorithm::Algorithm;
use crate::keys::PublishedDocument;

/// How long caches may keep keys and metadata. A new key signs as soon as it is there; validators that meet an
/// unknown `kid` fetch the set again.
const CACHE: &str = "public, max-age=600";

/// The members of the metadata.
#[derive(Serialize)]
struct Metadata<'a> {
    grant_types_supported: [&'static str; 1],
    issuer: &'a str,
    jwks_uri: String,
    // RFC 8414 section 2 requires the member; the registered value for no authorization endpoint is none.
    response_types_supported: [&'static str; 1],
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 1],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
}

/// The metadata of this server. It never changes while the server runs.
pub(super) fn metadata_of(app: &App) -> PublishedDocument {
    let issuer = &app.issuer.rules.grant.issuer;
    let metadata = Metadata {
        grant_types_supported: ["urn:ietf:params:oauth:grant-type:jwt-bearer"],
        issuer,
        jwks_uri: format!("{issuer}jwk"),
        response_types_supported: ["none"],
        token_endpoint: format!("{issuer}token"),
        token_endpoint_auth_methods_supported: ["private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported: Algorithm::ALL
            .map(Algorithm::name)
            .into(),
    };
    PublishedDocument::new(serde_json::to_string(&metadata).unwrap_or_default())
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn metadata(
    State(metadata): State<PublishedDocument>,
    headers: HeaderMap,
) -> Response {
    publish(&metadata, &headers)
}

/// `GET /jwk`
pub(super) async fn keys(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    publish(&app.issuer.keys.published(), &headers)
}

/// The document, or 304 when the caller has it (RFC 9110 section 13.1.2).
fn publish(document: &PublishedDocument, headers: &HeaderMap) -> Response {
    let etag = &*document.etag;
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let same = known.is_some_and(|known| {
        known
            .split(',')
            .any(|tag| matches!(tag.trim(), "*") || tag.trim().trim_start_matches("W/") == etag)
    });
    let caching = [(CACHE_CONTROL, CACHE), (ETAG, etag)];
    if same {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(CONTENT_TYPE, "application/json")], document.text.to_string()).into_response()
}
