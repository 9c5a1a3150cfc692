//! What a provider says of itself, and its keys: asked for when they are needed, and kept for a while.
//!
//! One request at a time asks a provider; the others wait for what it finds. A provider that did not answer is not asked
//! again at once, so that those who wait do not each wait for it in turn.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm,
    CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::http::header::CONTENT_TYPE;
use openidconnect::{
    AdditionalProviderMetadata, DiscoveryError, HttpRequest, HttpResponse, IssuerUrl,
    ProviderMetadata,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::domain::remote_url::RemoteUrl;
use crate::remote::open_id::{OpenIdError, ProviderSetupError};
use crate::remote::outbound::{Outbound, Question};

/// How long what a provider says of itself counts: so long may a key be used that it has withdrawn.
const KEPT: Duration = Duration::from_mins(10);

/// How long a provider is left alone after an answer, even when a token names a key that is not known: whoever makes
/// up key ids makes no traffic.
const LEFT_ALONE: Duration = Duration::from_mins(1);

/// The same after it did not answer.
const LEFT_ALONE_FAILED: Duration = Duration::from_secs(5);

/// What RFC 9207 and RFC 8414 add to what a provider says of itself.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct More {
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
    #[serde(default)]
    code_challenge_methods_supported: Option<Vec<String>>,
}

impl AdditionalProviderMetadata for More {}

type Metadata = ProviderMetadata<
    More,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What a provider says of itself, with its keys.
pub(super) struct Known {
    pub(super) metadata: Metadata,
    asked_at: Duration,
}

impl Known {
    /// Whether its answers say whose they are.
    pub(super) fn names_itself(&self) -> bool {
        self.metadata.additional_metadata().authorization_response_iss_parameter_supported
    }

    /// Whether a secret is sent in the header, as it is when the provider says nothing (OpenID Connect Discovery
    /// section 3).
    pub(super) fn takes_basic_authentication(&self) -> bool {
        let methods = self.metadata.token_endpoint_auth_methods_supported();
        methods.is_none_or(|methods| methods.contains(&CoreClientAuthMethod::ClientSecretBasic))
    }
}

/// What is remembered of a provider.
pub(super) struct Memory {
    issuer: IssuerUrl,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Arc<Known>>,
    /// When it last did not answer, and why.
    failed: Option<(Duration, String)>,
}

impl Memory {
    pub(super) fn new(issuer: &str) -> Result<Self, ProviderSetupError> {
        let issuer = IssuerUrl::new(issuer.to_owned())
            .map_err(|error| ProviderSetupError(format!("{issuer:?}: {error}")))?;
        Ok(Self { issuer, state: Mutex::default() })
    }

    /// What the provider says of itself.
    pub(super) async fn known(
        &self,
        http: &Arc<Outbound>,
        clock: &dyn Clock,
    ) -> Result<Arc<Known>, OpenIdError> {
        let mut state = self.state.lock().await;
        if let Some(known) = &state.known
            && clock.uptime() < known.asked_at + KEPT
        {
            return Ok(Arc::clone(known));
        }
        self.ask(&mut state, http, clock).await
    }

    /// The same, newer than `old` if that was not asked for just now.
    pub(super) async fn refreshed(
        &self,
        old: &Arc<Known>,
        http: &Arc<Outbound>,
        clock: &dyn Clock,
    ) -> Result<Arc<Known>, OpenIdError> {
        let mut state = self.state.lock().await;
        if let Some(known) = &state.known
            && (!Arc::ptr_eq(known, old) || clock.uptime() < known.asked_at + LEFT_ALONE)
        {
            return Ok(Arc::clone(known));
        }
        self.ask(&mut state, http, clock).await
    }

    async fn ask(
        &self,
        state: &mut State,
        http: &Arc<Outbound>,
        clock: &dyn Clock,
    ) -> Result<Arc<Known>, OpenIdError> {
        if let Some((at, problem)) = &state.failed
            && clock.uptime() < *at + LEFT_ALONE_FAILED
        {
            return Err(OpenIdError::Unavailable(problem.clone()));
        }
        let send = |request| send(Arc::clone(http), request);
        let found = Metadata::discover_async(self.issuer.clone(), &send).await;
        let found = found.map_err(|error| discovery_problem(&error)).and_then(check);
        match found {
            Ok(metadata) => {
                let known = Arc::new(Known { metadata, asked_at: clock.uptime() });
                *state = State { known: Some(Arc::clone(&known)), failed: None };
                Ok(known)
            }
            Err(problem) => {
                state.failed = Some((clock.uptime(), problem.clone()));
                Err(OpenIdError::Unavailable(problem))
            }
        }
    }
}

/// Holds that the browser and the code are not sent where others listen, and that nobody else can redeem a code.
fn check(metadata: Metadata) -> Result<Metadata, String> {
    let scheme = metadata.issuer().url().scheme().to_owned();
    let token = metadata.token_endpoint().map(|it| it.url().clone());
    let token = token.ok_or("discovery: there is no token_endpoint")?;
    for address in [metadata.authorization_endpoint().url(), &token, metadata.jwks_uri().url()] {
        if address.scheme() != "https" && address.scheme() != scheme {
            return Err(format!("discovery: {address} is not https"));
        }
    }
    match &metadata.additional_metadata().code_challenge_methods_supported {
        Some(methods) if !methods.iter().any(|method| method == "S256") => {
            Err("discovery: the provider does not support PKCE with S256".to_owned())
        }
        Some(_) | None => Ok(metadata),
    }
}

fn discovery_problem(error: &DiscoveryError<WebError>) -> String {
    match error {
        DiscoveryError::Parse(error) => {
            format!("discovery: the answer cannot be read at {}", error.path())
        }
        DiscoveryError::Request(error) => format!("discovery: {error}"),
        DiscoveryError::Response(status, ..) => {
            format!(
                "discovery: the provider answers with status {}, or with no JSON",
                status.as_u16()
            )
        }
        other => format!("discovery: {other}"),
    }
}

/// What went wrong between here and the provider.
#[derive(Debug, Error)]
#[error("{0}")]
pub(super) struct WebError(String);

/// Sends one request. Of the answer only what is read is kept: status, kind and body.
pub(super) async fn send(
    http: Arc<Outbound>,
    request: HttpRequest,
) -> Result<HttpResponse, WebError> {
    let (head, body) = request.into_parts();
    let address = head.uri.to_string();
    let url: RemoteUrl =
        address.parse().map_err(|error| WebError(format!("{address:?} {error}")))?;
    let question = Question { method: head.method, url, headers: head.headers, body };
    let found = http.ask(question).await.map_err(|error| WebError(error.to_string()))?;
    let mut answer = openidconnect::http::Response::builder().status(found.status);
    if let Some(kind) = found.headers.get(CONTENT_TYPE) {
        answer = answer.header(CONTENT_TYPE, kind);
    }
    answer.body(found.body).map_err(|error| WebError(error.to_string()))
}
