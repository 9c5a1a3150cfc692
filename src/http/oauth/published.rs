//! What API providers and clients fetch: the metadata (RFC 8414) and the key set (RFC 7517).

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::app::App;
use crate::domain::algorithm::Algorithm;

/// How long caches may keep keys and metadata. A new key is published long before it is used, so this only
/// bounds how long a withdrawn one lives on.
const CACHE: &str = "public, max-age=600";

/// The metadata document, ready to be sent.
#[derive(Clone)]
pub(super) struct Metadata {
    document: Arc<str>,
    etag: Arc<str>,
}

#[derive(Serialize)]
struct Document<'a> {
    grant_types_supported: [&'static str; 1],
    issuer: &'a str,
    jwks_uri: String,
    // RFC 8414 section 2 requires the member; the registered value for no authorization endpoint is none.
    response_types_supported: [&'static str; 1],
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 1],
    token_endpoint_auth_signing_alg_values_supported: Vec<&'static str>,
}

impl Metadata {
    /// The document of this server. It never changes while the server runs.
    pub(super) fn of(app: &App) -> Self {
        let issuer = &app.issuer.rules.grant.issuer;
        let document = Document {
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
        let document = serde_json::to_string(&document).unwrap_or_default();
        let hash = digest(&SHA256, document.as_bytes());
        let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16]));
        Self { document: document.into(), etag: etag.into() }
    }
}

/// `GET /.well-known/oauth-authorization-server`
pub(super) async fn metadata(State(metadata): State<Metadata>, headers: HeaderMap) -> Response {
    document(&metadata.document, &metadata.etag, &headers)
}

/// `GET /jwk`
pub(super) async fn keys(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let keys = app.issuer.keys.published();
    document(&keys.document, &keys.etag, &headers)
}

/// The document, or 304 when the caller has it (RFC 9110 section 13.1.2).
fn document(document: &str, etag: &str, headers: &HeaderMap) -> Response {
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
    (caching, [(CONTENT_TYPE, "application/json")], document.to_owned()).into_response()
}
