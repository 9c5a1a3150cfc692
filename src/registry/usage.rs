//! Usage: how many tokens were issued. It says how business goes, so the owner of a scope sees how many each consumer
//! has, a consumer sees what its own clients have, and nobody else sees anything but the operator.
//!
//! Every look is at the last `days`, 1 to [`USAGE_DAYS_MAX`], today included, in UTC. What has been issued stands in
//! it a second later, or within some minutes where much is used.

use std::collections::BTreeMap;

use crate::domain::client::ClientId;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::Right;
use crate::domain::scope::ScopeName;
use crate::domain::usage::{
    ClientUsage, Day, DayTokens, OrganizationUsage, Period, ScopeTokens, ScopeUsage, TokensByScope,
    USAGE_DAYS_MAX, USAGE_SHOWN_MAX,
};
use crate::registry::{Actor, Registry, RegistryError};

impl Registry {
    /// Who uses a scope of the actor's own organization, or any scope for the operator; not with which clients.
    pub async fn usage_of_scope(
        &self,
        actor: &Actor,
        scope: &ScopeName,
        days: u32,
    ) -> Result<ScopeUsage, RegistryError> {
        self.scope(actor, scope).await?;
        let period = self.last(days)?;
        let first = period.first;
        let most = self.store.usage_of_scope_by_consumer(scope, first, USAGE_SHOWN_MAX).await?;
        let days = self.store.usage_of_scope_by_day(scope, first).await?;
        // What is counted between the two looks is with the others for a moment.
        let tokens: u64 = days.iter().map(|it| it.tokens).sum();
        let others = tokens.saturating_sub(most.iter().map(|it| it.tokens).sum());
        Ok(ScopeUsage { period, tokens, consumers: most, others, days })
    }

    /// What a client of the actor's own organization uses, or any client for the operator.
    pub async fn usage_of_client(
        &self,
        actor: &Actor,
        client: &ClientId,
        days: u32,
    ) -> Result<ClientUsage, RegistryError> {
        self.client(actor, client).await?;
        let period = self.last(days)?;
        let (mut scopes, mut days) = (BTreeMap::new(), BTreeMap::new());
        for (scope, of_day) in self.store.usage_of_client(client, period.first).await? {
            *days.entry(of_day.day).or_insert(0) += of_day.tokens;
            let nothing = || ScopeTokens { scope: scope.clone(), tokens: 0, days: Vec::new() };
            let of_scope = scopes.entry(scope.clone()).or_insert_with(nothing);
            of_scope.tokens += of_day.tokens;
            of_scope.days.push(of_day);
        }
        let scopes = TokensByScope::of(scopes.into_values().collect());
        let days = days.into_iter().map(|(day, tokens)| DayTokens { day, tokens }).collect();
        Ok(ClientUsage { period, scopes, days })
    }

    /// What the actor's own organization uses, and what others use of it; of any for the operator.
    pub async fn usage_of_organization(
        &self,
        actor: &Actor,
        organization: OrganizationNumber,
        days: u32,
    ) -> Result<OrganizationUsage, RegistryError> {
        actor.require(Right::ReadScopes)?;
        actor.organization_to_list(Some(organization))?;
        let period = self.last(days)?;
        let consumed = self.store.usage_of_consumer(organization, period.first).await?;
        let provided = self.store.usage_of_owner(organization, period.first).await?;
        let (consumed, provided) = (TokensByScope::of(consumed), TokensByScope::of(provided));
        Ok(OrganizationUsage { period, consumed, provided })
    }

    /// How many tokens were issued to each of these clients, for a list of them. Those that are not the actor's are
    /// left out.
    pub async fn tokens_of_clients(
        &self,
        actor: &Actor,
        clients: &[ClientId],
        days: u32,
    ) -> Result<BTreeMap<ClientId, u64>, RegistryError> {
        actor.require(Right::ReadClients)?;
        let (organization, first) = (actor.organization_to_list(None)?, self.last(days)?.first);
        Ok(self.store.tokens_of_clients(clients, organization, first).await?)
    }

    /// The same by each of these accesses. Those of which the actor's organization is neither
    /// the consumer nor the owner of the scope are left out.
    pub async fn tokens_of_accesses(
        &self,
        actor: &Actor,
        accesses: &[(ScopeName, OrganizationNumber)],
        days: u32,
    ) -> Result<BTreeMap<(ScopeName, OrganizationNumber), u64>, RegistryError> {
        actor.require(Right::ReadScopes)?;
        let (party, first) = (actor.organization_to_list(None)?, self.last(days)?.first);
        Ok(self.store.tokens_of_accesses(accesses, party, first).await?)
    }

    fn last(&self, days: u32) -> Result<Period, RegistryError> {
        let problem = || format!("it must be 1 to {USAGE_DAYS_MAX}");
        Period::ending(Day::of(self.clock.now()), days)
            .ok_or_else(|| RegistryError::invalid("days", problem()))
    }
}
