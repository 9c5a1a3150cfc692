//! An OpenID provider, asked who somebody is: the authorization code flow of OpenID Connect Core section 3.1 with PKCE
//! (RFC 7636), a nonce, and the issuer of each answer (RFC 9207).
//!
//! A question is a redirect of the browser. What makes the answer one to it, the [`Secrets`], waits with the browser,
//! sealed by whoever keeps it. The answer brings a code, which this server redeems at the provider itself; the
//! `id_token` that comes for it is judged in `claims`, with the keys of `known`.

mod claims;
mod known;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenFields,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::{Clock, Random};
use crate::domain::email_address::EmailAddress;
use crate::domain::organization::OrganizationNumber;
use crate::domain::remote_url::Host;
use crate::remote::open_id::claims::{AllClaims, Expected};
use crate::remote::open_id::known::{Known, Memory, WebError, send};
use crate::remote::outbound::{ClearText, Outbound, OutboundRules, Purpose, Redirects};

/// Bytes of each of state, nonce and verifier: too many to guess, and as many as RFC 7636 section 7.1 wants.
const SECRET_BYTES: usize = 32;

/// The longest code and the longest `state` of an answer that are looked at, in bytes: those of all known providers
/// are shorter.
const ANSWER_BYTES_MAX: usize = 4_096;

/// How long one answer of a provider is waited for: people wait with it.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);

/// The largest answer that is read. Key sets with certificates take some 20 KiB.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// What one has to know of a provider to ask it.
pub struct ProviderSettings {
    /// Who it is, byte for byte as it says itself.
    pub issuer: String,
    /// The hosts that it may be asked at.
    pub hosts: Vec<Host>,
    /// Who we are to it.
    pub client_id: String,
    /// Our secret, unless we are a public client.
    pub client_secret: Option<String>,
    /// Where it sends people back to.
    pub way_back: String,
    /// What we ask for beside `openid`.
    pub scopes: Vec<String>,
    /// What else we send with the question.
    pub parameters: Vec<(String, String)>,
    /// The claim that says that an address is verified.
    pub email_verified_claim: String,
    /// The claim that names an organization, or the path to it.
    pub organization_claim: Option<String>,
}

/// An OpenID provider.
pub struct Provider {
    settings: ProviderSettings,
    http: Arc<Outbound>,
    way_back: RedirectUrl,
    memory: Memory,
    clock: Arc<dyn Clock>,
}

/// What makes an answer one to a question; it stays with the browser that asks.
#[derive(Deserialize, Serialize)]
pub struct Secrets {
    /// What the answer must bring back.
    pub state: String,
    nonce: String,
    verifier: String,
}

/// What the browser brings back.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// For a token.
    pub code: String,
    /// Which question is answered.
    pub state: String,
    /// Who answers, if the provider says.
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

/// Who somebody is, by the word of a provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Person {
    /// By what the provider knows them, for ever.
    pub subject: String,
    /// Their address, which the provider has verified.
    pub email: EmailAddress,
    /// What they are called, if the provider says.
    pub name: Option<String>,
    /// Their organization, if the provider is asked for it.
    pub organization: Option<OrganizationNumber>,
}

/// Why nobody is signed in.
#[derive(Debug, Error)]
pub enum OpenIdError {
    /// The person, or the provider for them, has said no.
    #[error("the provider says access_denied")]
    Denied,
    /// The address is not verified, or there is none.
    #[error(
        "the id_token has no e-mail address that the provider has verified; see that it holds email, and {claim} that is true"
    )]
    Email {
        /// The claim that must be true.
        claim: String,
    },
    /// The answer comes too late, or for the second time.
    #[error("the answer comes too late, or has come already")]
    Expired,
    /// The `id_token` names no organization.
    #[error("the id_token names no organization by its number in {claim}")]
    Organization {
        /// The claim, or the path to it.
        claim: String,
    },
    /// The answer is not one to a question of this browser.
    #[error("the answer is not one to a question of this browser")]
    Stranger,
    /// The provider does not answer, or not as it must.
    #[error("{0}")]
    Unavailable(String),
    /// What the provider says cannot be believed.
    #[error("{0}")]
    Unbelievable(String),
}

/// Why a provider cannot be asked at all.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct ProviderSetupError(String);

type Token =
    IdToken<AllClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    AllClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type TokenAnswer = StandardTokenResponse<Fields, CoreTokenType>;
type TokenRefusal = StandardErrorResponse<CoreErrorResponseType>;
type RelyingParty = openidconnect::Client<
    AllClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    TokenRefusal,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// A provider that has not been asked anything yet.
    pub fn new(
        settings: ProviderSettings,
        clock: Arc<dyn Clock>,
        rules: &OutboundRules,
    ) -> Result<Self, ProviderSetupError> {
        let way_back = RedirectUrl::new(settings.way_back.clone())
            .map_err(|error| ProviderSetupError(format!("{:?}: {error}", settings.way_back)))?;
        let purpose = Purpose {
            clear: ClearText::Loopback,
            bytes_max: BODY_BYTES_MAX,
            time_max: ANSWER_TIME_MAX,
            redirects: Redirects::Never,
        };
        let tls = settings.issuer.starts_with("https://");
        let http = Outbound::new(rules, purpose, settings.hosts.clone(), tls);
        let http = Arc::new(http.map_err(ProviderSetupError)?);
        let memory = Memory::new(&settings.issuer)?;
        Ok(Self { settings, http, way_back, memory, clock })
    }

    /// A question: where the browser is to go, and what has to be kept until it is back.
    pub async fn ask(&self, random: &dyn Random) -> Result<(String, Secrets), OpenIdError> {
        let known = self.memory.known(&self.http, &*self.clock).await?;
        let secret = || {
            let mut bytes = [0; SECRET_BYTES];
            random.fill(&mut bytes);
            URL_SAFE_NO_PAD.encode(bytes)
        };
        let secrets = Secrets { state: secret(), nonce: secret(), verifier: secret() };
        let (state, nonce) =
            (CsrfToken::new(secrets.state.clone()), Nonce::new(secrets.nonce.clone()));
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let relying_party = self.relying_party(&known);
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = relying_party
            .authorize_url(flow, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new));
        for (name, value) in &self.settings.parameters {
            request = request.add_extra_param(name, value);
        }
        let (address, ..) = request.url();
        Ok((address.into(), secrets))
    }

    /// Who is named by an answer to the question with these secrets.
    pub async fn identify(
        &self,
        answer: &Answer,
        secrets: &Secrets,
    ) -> Result<Person, OpenIdError> {
        let known = self.memory.known(&self.http, &*self.clock).await?;
        self.check_answer(answer, &known)?;
        let token = self.redeem(answer, secrets, &known).await?;
        let expected = Expected {
            client_id: &self.settings.client_id,
            nonce: &Nonce::new(secrets.nonce.clone()),
            now: self.clock.now(),
            email_verified_claim: &self.settings.email_verified_claim,
            organization_claim: self.settings.organization_claim.as_deref(),
        };
        match claims::judge(&token, &known, &expected) {
            // The provider may have new keys since it was last asked.
            Err(claims::Judgement::UnknownKey) => {
                let known = self.memory.refreshed(&known, &self.http, &*self.clock).await?;
                claims::judge(&token, &known, &expected).map_err(OpenIdError::from)
            }
            judged => judged.map_err(OpenIdError::from),
        }
    }

    /// Holds that an answer is this provider's and brings a code.
    fn check_answer(&self, answer: &Answer, known: &Known) -> Result<(), OpenIdError> {
        let unbelievable = |problem: &str| Err(OpenIdError::Unbelievable(problem.to_owned()));
        match answer.issuer.as_deref() {
            Some(issuer) if issuer != self.settings.issuer => {
                return unbelievable("another issuer has answered (iss)");
            }
            None if known.names_itself() => {
                return unbelievable(
                    "the answer does not say whose it is (iss), as the provider promises",
                );
            }
            Some(_) | None => {}
        }
        match answer.error.as_deref() {
            None if answer.code.is_empty() || answer.code.len() > ANSWER_BYTES_MAX => {
                unbelievable("the answer brings neither a code nor an error")
            }
            None => Ok(()),
            Some("access_denied") => Err(OpenIdError::Denied),
            // One of RFC 6749 section 4.1.2.1 or OpenID Connect Core section 3.1.2.6; what else stands there is nobody's.
            Some(code) => {
                let code: String =
                    code.chars().filter(|c| c.is_ascii_lowercase() || *c == '_').take(40).collect();
                Err(OpenIdError::Unavailable(format!("the provider says {code}")))
            }
        }
    }

    /// Gives the code for an `id_token`.
    async fn redeem(
        &self,
        answer: &Answer,
        secrets: &Secrets,
        known: &Known,
    ) -> Result<Token, OpenIdError> {
        let relying_party = self.relying_party(known);
        let code = AuthorizationCode::new(answer.code.clone());
        let request = relying_party
            .exchange_code(code)
            .map_err(|_| OpenIdError::Unavailable("the provider has no token endpoint".to_owned()))?
            .set_pkce_verifier(PkceCodeVerifier::new(secrets.verifier.clone()));
        let http = |request| send(Arc::clone(&self.http), request);
        let tokens: TokenAnswer = request.request_async(&http).await.map_err(refused)?;
        let token = tokens.id_token().cloned();
        token.ok_or_else(|| OpenIdError::Unbelievable("the provider gives no id_token".to_owned()))
    }

    fn relying_party(&self, known: &Known) -> RelyingParty {
        let settings = &self.settings;
        let secret = settings.client_secret.clone().map(ClientSecret::new);
        let client_id = ClientId::new(settings.client_id.clone());
        let by_basic = known.takes_basic_authentication();
        RelyingParty::from_provider_metadata(known.metadata.clone(), client_id, secret)
            .set_redirect_uri(self.way_back.clone())
            .set_auth_type(if by_basic { AuthType::BasicAuth } else { AuthType::RequestBody })
    }
}

/// Why there is no `id_token`, without what a provider has written in free text, or tokens.
fn refused(error: RequestTokenError<WebError, TokenRefusal>) -> OpenIdError {
    OpenIdError::Unavailable(match error {
        RequestTokenError::ServerResponse(refusal) => match refusal.error() {
            CoreErrorResponseType::InvalidGrant => return OpenIdError::Expired,
            CoreErrorResponseType::InvalidClient => {
                "the provider does not take client_id and client_secret (invalid_client)".to_owned()
            }
            _ => "the provider gives no tokens for the code".to_owned(),
        },
        RequestTokenError::Request(error) => format!("token endpoint: {error}"),
        RequestTokenError::Parse(error, _) => {
            let place = error.path().to_string();
            return OpenIdError::Unbelievable(format!(
                "token endpoint: the answer cannot be read at {place}"
            ));
        }
        RequestTokenError::Other(problem) => format!("token endpoint: {problem}"),
    })
}
