//! One request, top to bottom: every check the server makes is one line of [`Issuer::issue`].
//!
//! The numbers are the steps of the module documentation of [`crate::token`]. No SQL, no JSON, no status
//! codes and no logging here; when the caches are warm, every line but the eighth is memory and arithmetic. Before the
//! fourth a certificate that responders are asked about may be waited for, once.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::domain::client::ClientStatus;
use crate::domain::scope::{OutagePolicy, RequestedScopes};
use crate::domain::step::Step;
use crate::token::access::decide;
use crate::token::access_token::{AccessToken, Issuance, new_jti};
use crate::token::assertion::ReplayId;
use crate::token::caller::{Caller, Claimed};
use crate::token::claims::Grant;
use crate::token::client_key::KeyedClient;
use crate::token::feed::Freshness;
use crate::token::jws::UnverifiedAssertion;
use crate::token::limit::TooMany;
use crate::token::refusal::Refusal;
use crate::token::trail::{At as _, Trail};
use crate::token::{Issuer, TokenRequest};

/// An access token and what the reply says about it.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// The token.
    pub access_token: String,
    /// Seconds it lives.
    pub lifetime_seconds: u32,
    /// The scopes it carries.
    pub scopes: RequestedScopes,
}

impl Issuer {
    /// Issues one access token, or says why not.
    pub async fn issue(
        &self,
        request: &TokenRequest<'_>,
        trail: &mut Trail<'_>,
    ) -> Result<IssuedToken, Refusal> {
        let now = self.clock.now();
        let freshness = self.feed.freshness(now, self.rules.outage_max)?;

        let unverified = UnverifiedAssertion::parse(request.assertion).at(Step::Parse, trail)?; // 2
        let claimed = self.claimed(request, &unverified, trail).await;
        let claimed = claimed.at(Step::Client, trail)?; // 3
        let proven = claimed.prove(&unverified, &self.certificates, now).await;
        let (caller, key) = proven.at(Step::Key, trail)?; // 4
        trail.note_caller(&caller);
        let assertion = unverified.verify(&key).at(Step::Signature, trail)?; // 5
        let grant = assertion.check(&self.rules.grant, now).at(Step::Claims, trail)?; // 6
        self.allow(&caller)?;
        let most = self.rules.lifetime_seconds_max;
        let decision = decide(&self.caches, &self.registers, &caller, &grant, most, now);
        let decision = decision.await.at(Step::Access, trail)?; // 7
        let replay_id = assertion.replay_id(&caller, &grant);
        let spent = self.spend(replay_id, &grant, decision.terms.outage_policy, &freshness).await;
        let spent = spent.inspect_err(|_| self.give_back(&caller));
        spent.at(Step::Spend, trail)?; // 8

        let jti = new_jti(&*self.random);
        let issuance = Issuance {
            issuer: &self.rules.grant.issuer,
            profile: self.rules.profile,
            jti: &jti,
            now,
        };
        let token = AccessToken::new(issuance, &grant, &decision);
        let access_token = self.sign(&token, now).at(Step::Sign, trail)?; // 9
        self.token_uses.count(&decision.parties, &grant.scopes, now);
        self.last_uses.note(decision.parties, now);
        Ok(IssuedToken {
            access_token,
            lifetime_seconds: decision.terms.lifetime_seconds,
            scopes: grant.scopes,
        })
    }

    /// Whom the assertion claims to be from. What it claims is proved later.
    async fn claimed(
        &self,
        request: &TokenRequest<'_>,
        assertion: &UnverifiedAssertion<'_>,
        trail: &mut Trail<'_>,
    ) -> Result<Claimed, Refusal> {
        trail.note_said(&assertion.said);
        let claimed = assertion.claimed_client()?;
        let found = match claimed.parse() {
            Ok(id) => self.caches.client(&id).await,
            Err(_) => Ok(None),
        };
        trail.note_client(found.as_ref().ok().and_then(Option::as_ref));
        if request.client_id.is_some_and(|client_id| client_id != claimed) {
            return Err(Refusal::ClientMismatch);
        }
        let active = match found {
            Ok(Some(client)) => self.require_active(client).await,
            Ok(None) => Err(Refusal::UnknownClient),
            Err(refusal) => Err(refusal),
        };
        match active {
            Ok(client) => Ok(Claimed::Client(client)),
            // Then a certificate may still say who it is from, if such certificates count.
            Err(refusal) if assertion.is_certified() && self.certificates.take_businesses() => {
                Ok(Claimed::Nobody(refusal))
            }
            Err(refusal) => Err(refusal),
        }
    }

    /// Holds that a client and its organization take part.
    async fn require_active(&self, client: Arc<KeyedClient>) -> Result<Arc<KeyedClient>, Refusal> {
        let it = &client.client;
        if it.status == ClientStatus::Active && self.caches.takes_part(it.organization).await? {
            Ok(client)
        } else {
            Err(Refusal::UnknownClient)
        }
    }

    /// Counts a request against the limit of its caller.
    fn allow(&self, caller: &Caller) -> Result<(), TooMany> {
        match caller {
            Caller::Business(business) => self.business_requests.allow(&business.certificate),
            Caller::Client(proven) => self.requests.allow(&proven.client.client.id),
        }
    }

    fn give_back(&self, caller: &Caller) {
        match caller {
            Caller::Business(business) => self.business_requests.give_back(&business.certificate),
            Caller::Client(proven) => self.requests.give_back(&proven.client.client.id),
        }
    }

    /// Spends an assertion, if that is worth anything by what is known.
    async fn spend(
        &self,
        id: ReplayId,
        grant: &Grant,
        policy: OutagePolicy,
        freshness: &Freshness,
    ) -> Result<(), Refusal> {
        freshness.allow(policy)?;
        self.replay.spend(id, grant.issued_at, grant.expires_at, policy).await?;
        // If the database has taken it, what is cached should have been right.
        let now = self.clock.now();
        freshness.require(self.replay.outage().is_some_and(|outage| outage.is_felt_at(now)))
    }

    fn sign(&self, token: &AccessToken<'_>, now: Timestamp) -> Result<String, Refusal> {
        let unavailable = |cause: &dyn ToString| Refusal::Unavailable { cause: cause.to_string() };
        let claims = token.to_json().map_err(|error| unavailable(&error))?;
        self.keys.sign(&claims, now).map_err(|error| unavailable(&error))
    }
}
