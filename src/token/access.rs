//! Step 7: who may have a token for what.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::domain::client::{Client, TOKEN_LIFETIME_SECONDS};
use crate::domain::european_business::EuropeanBusiness;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::domain::scope::{OutagePolicy, Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::token::cache::{Caches, KnownAccess};
use crate::token::caller::{Caller, ProvenClient};
use crate::token::claims::Grant;
use crate::token::delegation::DelegationRegisters;
use crate::token::refusal::Refusal;

/// What has been decided: every scope asked for is granted, on these terms. There is no partial grant.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    /// For whom.
    pub parties: Parties<'a>,
    /// On which terms.
    pub terms: Terms,
}

/// What the owners of scopes want of a token that carries them all.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// How long it lives.
    pub lifetime_seconds: u32,
    /// Whether it is issued while the database cannot be reached: only if every scope allows it.
    pub outage_policy: OutagePolicy,
}

/// Whom a token stands for, and who fetches it.
#[derive(Clone, Debug)]
pub enum Parties<'a> {
    /// A European business, which fetches it for itself.
    Business(&'a Arc<EuropeanBusiness>),
    /// A client that is registered here, and the organization that it fetches it for.
    Client(ClientParties<'a>),
}

/// A client and whom it fetches a token for.
#[derive(Clone, Debug)]
pub struct ClientParties<'a> {
    /// The client.
    pub proven: &'a ProvenClient,
    /// The organization whose access it is.
    pub consumer: OrganizationNumber,
    /// The register of the delegation, when a supplier acts for the consumer.
    pub delegation_source: Option<String>,
    /// The accesses by which it is so and whose use has not been noted lately.
    pub unnoted: Vec<Arc<KnownAccess>>,
}

impl ClientParties<'_> {
    /// The client.
    pub fn client(&self) -> &Client {
        &self.proven.client.client
    }

    /// The organization that the token stands for: the consumer, unless the client was made for a customer.
    pub fn stands_for(&self) -> OrganizationNumber {
        self.client().customer.unwrap_or(self.consumer)
    }
}

impl Terms {
    /// Those of a token that lives for so long, and here no longer than that.
    fn new(lifetime_seconds: u32, lifetime_seconds_max: u32) -> Self {
        let lifetime_seconds = lifetime_seconds.clamp(1, lifetime_seconds_max);
        Self { lifetime_seconds, outage_policy: OutagePolicy::Issue }
    }

    /// Takes in what the owner of one more scope wants.
    fn add(&mut self, scope: &Scope) {
        if scope.outage_policy == OutagePolicy::Refuse {
            self.outage_policy = OutagePolicy::Refuse;
        }
        if let Some(most) = scope.token_lifetime_seconds_max {
            self.lifetime_seconds = self.lifetime_seconds.min(most);
        }
    }
}

/// Decides about every scope that `grant` asks for.
pub async fn decide<'a>(
    caches: &Caches,
    registers: &DelegationRegisters,
    caller: &'a Caller,
    grant: &Grant,
    lifetime_seconds_max: u32,
    now: Timestamp,
) -> Result<Decision<'a>, Refusal> {
    match caller {
        Caller::Business(business) => {
            decide_for_business(caches, business, grant, lifetime_seconds_max).await
        }
        Caller::Client(proven) => {
            decide_for_client(caches, registers, proven, grant, lifetime_seconds_max, now).await
        }
    }
}

/// A European business has no access here that could be looked up, and nobody can have delegated anything to it: every
/// scope must be one whose owner lets all of them in, and the API decides what each may.
async fn decide_for_business<'a>(
    caches: &Caches,
    business: &'a Arc<EuropeanBusiness>,
    grant: &Grant,
    lifetime_seconds_max: u32,
) -> Result<Decision<'a>, Refusal> {
    if grant.consumer.is_some() {
        let expected = "it must be absent, because a European business asks for itself";
        return Err(Refusal::Claim { name: "consumer_org", expected });
    }
    let mut terms = Terms::new(TOKEN_LIFETIME_SECONDS, lifetime_seconds_max);
    for name in grant.scopes.names() {
        let refusal = || Refusal::ScopeOfBusiness { scope: name.clone() };
        let scope = caches.scope(name).await?.ok_or_else(refusal)?;
        if scope.status != ScopeStatus::Active || !scope.european_businesses.are_supported() {
            return Err(refusal());
        }
        require_for_machines(&scope)?;
        terms.add(&scope);
    }
    Ok(Decision { parties: Parties::Business(business), terms })
}

/// A scope must be on the client, active and meant for
/// machines; the consumer must have access to it, unless it is open to all; and where a supplier asks for a
/// consumer, the consumer must have delegated it in the register that the scope's owner accepts, one register
/// for all of them.
///
/// Access comes before delegation (MP-250, then MP-251), as at Maskinporten, whose clients tell the two
/// apart: so whoever may ask for a scope learns whether an organization has access to it, without any delegation
/// from it. A register is asked when all scopes have passed, so nobody makes us ask one in vain.
async fn decide_for_client<'a>(
    caches: &Caches,
    registers: &DelegationRegisters,
    proven: &'a ProvenClient,
    grant: &Grant,
    lifetime_seconds_max: u32,
    now: Timestamp,
) -> Result<Decision<'a>, Refusal> {
    let client = &proven.client.client;
    // A client for one customer has said already for whom it asks.
    if grant.consumer.is_some_and(|it| it == client.organization || client.customer.is_some()) {
        return Err(Refusal::OwnConsumer);
    }
    if client.customer.is_some() {
        // The operator lets suppliers act for customers, and may have changed its mind.
        let name = Right::ActForCustomers.name().parse();
        let name = name.map_err(|_| Refusal::Unavailable { cause: "no such right".to_owned() })?;
        check_access(caches, &name, client.organization, now).await?;
    }
    let consumer = grant.consumer.unwrap_or(client.organization);
    let mut terms = Terms::new(client.token_lifetime_seconds, lifetime_seconds_max);
    // That the client's own organization takes part has been seen to.
    let takes_part = match grant.consumer.or(client.customer) {
        Some(other) => caches.takes_part(other).await?,
        None => true,
    };
    let (mut unnoted, mut to_be_delegated) = (Vec::new(), Vec::new());
    for name in grant.scopes.names() {
        let scope = scope_of_client(caches, client, name).await?;
        if scope.audience == ScopeAudience::GrantedOrganizations {
            let access = check_access(caches, name, consumer, now).await?;
            if access.noted.is_due(now) {
                unnoted.push(access);
            }
        }
        if !takes_part {
            return Err(Refusal::NoAccess { scope: name.clone() });
        }
        terms.add(&scope);
        if grant.consumer.is_some() {
            to_be_delegated.push(scope);
        }
    }
    let mut delegation_source = None;
    if grant.consumer.is_some() {
        let check = registers.check(consumer, client.organization, &to_be_delegated, now);
        delegation_source = Some(check.await?.issuer.clone());
    }
    let parties = ClientParties { proven, consumer, delegation_source, unnoted };
    Ok(Decision { parties: Parties::Client(parties), terms })
}

/// Whether a client could have a token for that scope now, for itself.
pub(super) async fn may_still_use(
    caches: &Caches,
    client: &Client,
    name: &ScopeName,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let allowed = match scope_of_client(caches, client, name).await {
        Ok(scope) if scope.audience == ScopeAudience::AnyOrganization => Ok(()),
        Ok(_) => check_access(caches, name, client.organization, now).await.map(|_| ()),
        Err(refusal) => Err(refusal),
    };
    match allowed {
        Ok(()) => Ok(true),
        Err(unknown @ Refusal::Unavailable { .. }) => Err(unknown),
        Err(_) => Ok(false),
    }
}

async fn scope_of_client(
    caches: &Caches,
    client: &Client,
    name: &ScopeName,
) -> Result<Arc<Scope>, Refusal> {
    let refusal = || Refusal::ScopeOfClient { scope: name.clone() };
    if !client.scopes.contains(name) {
        return Err(refusal());
    }
    let scope = caches.scope(name).await?.ok_or_else(refusal)?;
    if scope.status != ScopeStatus::Active {
        return Err(refusal());
    }
    require_for_machines(&scope)?;
    Ok(scope)
}

fn require_for_machines(scope: &Scope) -> Result<(), Refusal> {
    if scope.is_for_machines() {
        Ok(())
    } else {
        Err(Refusal::ScopeProduct { scope: scope.name.clone() })
    }
}

async fn check_access(
    caches: &Caches,
    scope: &ScopeName,
    consumer: OrganizationNumber,
    now: Timestamp,
) -> Result<Arc<KnownAccess>, Refusal> {
    let access = caches.access(scope, consumer).await?;
    let holding = access.filter(|known| known.access.holds_at(now));
    holding.ok_or_else(|| Refusal::NoAccess { scope: scope.clone() })
}
