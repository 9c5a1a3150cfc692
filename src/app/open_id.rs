//! Signing in through an OpenID provider: the question, what waits for the answer in the browser, and the answer.
//!
//! What makes an answer one to a question is sealed into a cookie, under the name of the provider: it opens in the
//! browser that asked, for the provider that was asked, and for ten minutes. An answer counts once, on every node,
//! because its `state` is spent as an assertion is.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::app::AppError;
use crate::app::files::first_line;
use crate::app::rules::portal_url;
use crate::clock::{Clock, Random, Timestamp};
use crate::config::{self, Config};
use crate::domain::scope::OutagePolicy;
use crate::keys::second_factor::SecretSeal;
use crate::registry::OpenIdIdentity;
use crate::remote::open_id::{Provider, ProviderSettings, Secrets};
use crate::remote::outbound::OutboundRules;
use crate::token::assertion::ReplayId;
use crate::token::refusal::Refusal;
use crate::token::replay::Replay;

pub use crate::remote::open_id::{Answer, OpenIdError};

/// Seconds that somebody has at the provider: enough to find a telephone and to type a code.
pub const QUESTION_SECONDS: i64 = 10 * 60;

/// The longest address of the portal that is gone back to, in bytes: browsers keep 4,096 of a cookie, and sealing makes
/// three of four.
const NEXT_BYTES_MAX: usize = 1_000;

/// The providers that people can come from.
pub struct OpenIdProviders {
    providers: Vec<NamedProvider>,
    seal: SecretSeal,
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    replay: Replay,
}

/// A provider, by the name that addresses have for it, with the one that people have.
struct NamedProvider {
    section: String,
    issuer: String,
    name: String,
    provider: Provider,
}

/// A question that a browser is about to ask.
pub struct Question {
    /// Where it goes to.
    pub address: String,
    /// What people call the provider.
    pub provider: String,
    /// What it keeps until it is back.
    pub kept: String,
}

/// Somebody who has come back, and where they wanted to go in the portal.
#[derive(Debug)]
pub struct ComeBack {
    /// Who they are.
    pub identity: OpenIdIdentity,
    /// Where they wanted to go.
    pub next: String,
}

/// What is sealed into the cookie.
#[derive(Deserialize, Serialize)]
struct Kept {
    secrets: Secrets,
    expires_at: i64,
    next: String,
}

impl OpenIdProviders {
    /// Those of the configuration, if people may come from them.
    pub(super) fn new(
        config: &Config,
        rules: &OutboundRules,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
        seal: SecretSeal,
        replay: &Replay,
    ) -> Result<Self, AppError> {
        let configured = config.open_id_providers.iter();
        let used = configured.filter(|_| config.portal.sign_in.open_id());
        let providers = used
            .map(|provider| named(provider, &portal_url(config), clock, rules))
            .collect::<Result<_, _>>()?;
        let (random, clock) = (Arc::clone(random), Arc::clone(clock));
        Ok(Self { providers, seal, random, clock, replay: replay.clone() })
    }

    /// The name of each provider in addresses, and for people.
    pub fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().map(|it| (it.section.as_str(), it.name.as_str()))
    }

    /// A question to that provider by somebody who wants to go to `next`; `None` if there is no such provider.
    pub async fn ask(&self, section: &str, next: &str) -> Option<Result<Question, OpenIdError>> {
        let named = self.named(section)?;
        Some(self.question(named, next).await)
    }

    async fn question(&self, named: &NamedProvider, next: &str) -> Result<Question, OpenIdError> {
        let (address, secrets) = named.provider.ask(&*self.random).await?;
        let next = if next.len() > NEXT_BYTES_MAX { "" } else { next };
        let expires_at = self.clock.now().plus_seconds(QUESTION_SECONDS).seconds();
        let kept = Kept { secrets, expires_at, next: next.to_owned() };
        let unsealed = serde_json::to_vec(&kept).map_err(|error| unavailable(&error))?;
        let owner = owner(&named.section);
        let kept = self.seal.seal(&unsealed, &owner, &*self.random);
        let kept = kept.map_err(|error| unavailable(&error))?;
        Ok(Question { address, provider: named.name.clone(), kept })
    }

    /// Who comes back from that provider with this answer and with what the browser has `kept`; `None` if there is no
    /// such provider.
    pub async fn come_back(
        &self,
        section: &str,
        answer: &Answer,
        kept: Option<&str>,
    ) -> Option<Result<ComeBack, OpenIdError>> {
        let named = self.named(section)?;
        Some(self.identify(named, answer, kept).await)
    }

    async fn identify(
        &self,
        named: &NamedProvider,
        answer: &Answer,
        kept: Option<&str>,
    ) -> Result<ComeBack, OpenIdError> {
        let kept = kept.and_then(|text| self.seal.open(text, &owner(&named.section)).ok());
        let kept: Option<Kept> = kept.and_then(|text| serde_json::from_slice(&text).ok());
        let kept = kept.ok_or(OpenIdError::Stranger)?;
        if kept.secrets.state != answer.state {
            return Err(OpenIdError::Stranger);
        }
        let expires_at = Timestamp::from_seconds(kept.expires_at);
        if self.clock.now() >= expires_at {
            return Err(OpenIdError::Expired);
        }
        let asked_at = expires_at.minus_seconds(QUESTION_SECONDS);
        let spent = self
            .replay
            .spend(ReplayId::of_state(&answer.state), asked_at, expires_at, OutagePolicy::Refuse)
            .await;
        spent.map_err(|refusal| match refusal {
            Refusal::Replayed => OpenIdError::Expired,
            other => OpenIdError::Unavailable(format!("the answer cannot be spent: {other:?}")),
        })?;
        let person = named.provider.identify(answer, &kept.secrets).await?;
        let identity = OpenIdIdentity {
            issuer: named.issuer.clone(),
            subject: person.subject,
            email: person.email,
            name: person.name,
            organization: person.organization,
        };
        Ok(ComeBack { identity, next: kept.next })
    }

    fn named(&self, section: &str) -> Option<&NamedProvider> {
        self.providers.iter().find(|it| it.section == section)
    }
}

/// Under which name what waits for an answer is sealed: that of no user.
fn owner(section: &str) -> String {
    format!("question to the OpenID provider {section}")
}

fn unavailable(error: &dyn std::error::Error) -> OpenIdError {
    OpenIdError::Unavailable(error.to_string())
}

fn named(
    provider: &config::OpenIdProvider,
    portal_url: &str,
    clock: &Arc<dyn Clock>,
    rules: &OutboundRules,
) -> Result<NamedProvider, AppError> {
    let section = provider.section.clone();
    let wrong = |problem: String| AppError::OpenId { name: provider.section.clone(), problem };
    let secret = provider.client_secret_file.as_deref();
    let secret = secret.map(|file| first_line(file, "secret")).transpose().map_err(wrong)?;
    let settings = ProviderSettings {
        issuer: provider.issuer.clone(),
        hosts: provider.hosts.clone(),
        client_id: provider.client_id.clone(),
        client_secret: secret,
        way_back: format!("{portal_url}portal/sign-in/open-id/{section}/callback"),
        scopes: provider.scopes.clone(),
        parameters: provider.parameters.clone(),
        email_verified_claim: provider.email_verified_claim.clone(),
        organization_claim: provider.organization_claim.clone(),
    };
    let (issuer, name) = (provider.issuer.clone(), provider.name.clone());
    let built = Provider::new(settings, Arc::clone(clock), rules);
    let provider = built.map_err(|error| wrong(error.to_string()))?;
    Ok(NamedProvider { section, issuer, name, provider })
}
