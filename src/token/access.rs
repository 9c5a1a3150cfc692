//! Step 7: who may have a token for what.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::domain::client::Client;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::domain::scope::{OutagePolicy, Scope, ScopeAudience, ScopeName, ScopeStatus};
use crate::token::cache::{Caches, KnownAccess};
use crate::token::claims::Grant;
use crate::token::delegation::DelegationRegisters;
use crate::token::refusal::Refusal;

/// What has been decided: every scope asked for is granted, on these terms. There is no partial grant.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The organization whose access it is.
    pub consumer: OrganizationNumber,
    /// The register of the delegation, when a supplier acts for the consumer.
    pub delegation_source: Option<String>,
    /// How long the token lives.
    pub lifetime_seconds: u32,
    /// Whether it is issued while the database cannot be reached: only if every scope allows it.
    pub outage_policy: OutagePolicy,
    /// The accesses by which it is so and whose use has not been noted lately.
    pub unnoted: Vec<Arc<KnownAccess>>,
}

impl Decision {
    /// The organization that the token stands for: the consumer, unless the client was made for a customer.
    pub fn stands_for(&self, client: &Client) -> OrganizationNumber {
        client.customer.unwrap_or(self.consumer)
    }
}

/// Decides about every scope that `grant` asks for. A scope must be on the client, active and meant for
/// machines; the consumer must have access to it, unless it is open to all; and where a supplier asks for a
/// consumer, the consumer must have delegated it in the register that the scope's owner accepts, one register
/// for all of them.
///
/// Access comes before delegation (MP-250, then MP-251), as at Maskinporten, whose clients tell the two
/// apart: so whoever may ask for a scope learns whether an organization has access to it, without any delegation
/// from it. A register is asked when all scopes have passed, so nobody makes us ask one in vain.
pub async fn decide(
    caches: &Caches,
    registers: &DelegationRegisters,
    client: &Client,
    grant: &Grant,
    lifetime_seconds_max: u32,
    now: Timestamp,
) -> Result<Decision, Refusal> {
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
    let mut decision = Decision {
        consumer,
        delegation_source: None,
        lifetime_seconds: client.token_lifetime_seconds.clamp(1, lifetime_seconds_max),
        outage_policy: OutagePolicy::Issue,
        unnoted: Vec::new(),
    };
    // That the client's own organization takes part has been seen to.
    let takes_part = match grant.consumer.or(client.customer) {
        Some(other) => caches.takes_part(other).await?,
        None => true,
    };
    let mut to_be_delegated = Vec::new();
    for name in grant.scopes.names() {
        let scope = scope_of_client(caches, client, name).await?;
        if scope.audience == ScopeAudience::GrantedOrganizations {
            let access = check_access(caches, name, consumer, now).await?;
            if access.noted.is_due(now) {
                decision.unnoted.push(access);
            }
        }
        if !takes_part {
            return Err(Refusal::NoAccess { scope: name.clone() });
        }
        if scope.outage_policy == OutagePolicy::Refuse {
            decision.outage_policy = OutagePolicy::Refuse;
        }
        if let Some(most) = scope.token_lifetime_seconds_max {
            decision.lifetime_seconds = decision.lifetime_seconds.min(most);
        }
        if grant.consumer.is_some() {
            to_be_delegated.push(scope);
        }
    }
    if grant.consumer.is_some() {
        let check = registers.check(consumer, client.organization, &to_be_delegated, now);
        decision.delegation_source = Some(check.await?.issuer.clone());
    }
    Ok(decision)
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
    if !scope.is_for_machines() {
        return Err(Refusal::ScopeProduct { scope: name.clone() });
    }
    Ok(scope)
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
