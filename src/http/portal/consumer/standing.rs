//! How the scopes of a client stand: which of them it gets tokens for now, and for whom.

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::access::AccessState;
use crate::domain::client::Client;
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::http::portal::consumer::callable::named;
use crate::http::portal::visible::visible;
use crate::registry::{Actor, DelegationFilter, RegistryError, ScopeOfClient};

/// Delegations to one organization that are looked at; no page shall wait for more.
const DELEGATIONS_LOOKED_AT: u32 = 1_000;

/// A customer for whom a supplier fetches tokens.
#[derive(Clone)]
pub(super) struct Customer {
    pub(super) number: OrganizationNumber,
    /// Name and number, for people.
    pub(super) shown: String,
}

/// One scope of a client.
pub(super) struct Standing {
    pub(super) scope: ScopeName,
    pub(super) description: String,
    pub(super) owner: String,
    /// The end of the name of the text of its state, and the kind of its tag.
    pub(super) state: (&'static str, &'static str),
    /// Whether the client gets tokens for it on behalf of its own organization.
    pub(super) is_usable: bool,
    /// Whether asking its owner for access helps.
    pub(super) may_ask: bool,
    /// Those who have delegated it.
    pub(super) customers: Vec<OrganizationNumber>,
}

/// All scopes of a client, and the customers who have delegated any of them.
pub(super) struct Standings {
    pub(super) scopes: Vec<Standing>,
    pub(super) customers: Vec<Customer>,
}

impl Standings {
    /// The scopes that a token can be asked for at once: for that customer, or for the own organization.
    pub(super) fn usable(&self, customer: Option<OrganizationNumber>) -> Vec<&ScopeName> {
        let holds = |it: &&Standing| match customer {
            Some(customer) => it.customers.contains(&customer),
            None => it.is_usable,
        };
        self.scopes.iter().filter(holds).map(|it| &it.scope).collect()
    }

    /// For whom tokens are fetched when nobody says: the own organization, if it may use anything, or else the first
    /// customer.
    pub(super) fn usual_customer(&self) -> Option<&Customer> {
        let own = self.scopes.iter().any(|it| it.is_usable);
        self.customers.first().filter(|_| !own)
    }
}

/// How the scopes of a client stand now.
pub(super) async fn standings(
    app: &App,
    actor: &Actor,
    client: &Client,
) -> Result<Standings, RegistryError> {
    let now = app.issuer.clock.now();
    let scopes = app.registry.scopes_of_client(actor, client).await?;
    // A client for one customer says for whom it asks already, and cannot say so again.
    let delegated = if client.customer.is_some() {
        Vec::new()
    } else {
        delegations(app, actor, client.organization, now).await?
    };
    let scopes: Vec<Standing> =
        scopes.into_iter().map(|scope| standing(scope, &delegated, now)).collect();
    let mut numbers: Vec<_> = scopes.iter().flat_map(|it| it.customers.iter().copied()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let names = app.registry.organization_names(&numbers).await?;
    let customer =
        |number| Customer { number, shown: named(number, names.get(&number).map(String::as_str)) };
    Ok(Standings { scopes, customers: numbers.into_iter().map(customer).collect() })
}

/// What is delegated to an organization now: by whom, and which scope.
async fn delegations(
    app: &App,
    actor: &Actor,
    supplier: OrganizationNumber,
    now: Timestamp,
) -> Result<Vec<(OrganizationNumber, ScopeName)>, RegistryError> {
    let filter = DelegationFilter {
        party: Some(supplier),
        supplier: Some(supplier),
        ..DelegationFilter::default()
    };
    let found = app.registry.delegations(actor, filter, DELEGATIONS_LOOKED_AT).await?;
    let holding =
        found.items.into_iter().map(|it| it.delegation.value).filter(|it| it.holds_at(now));
    Ok(holding.map(|it| (it.consumer, it.scope)).collect())
}

/// Names and numbers of those who have delegated that scope to an organization.
pub(super) async fn delegated_by(
    app: &App,
    actor: &Actor,
    supplier: OrganizationNumber,
    scopes: &[ScopeName],
) -> Result<Vec<String>, RegistryError> {
    let found = delegations(app, actor, supplier, app.issuer.clock.now()).await?;
    let of_these = found.into_iter().filter(|(_, scope)| scopes.contains(scope));
    let mut numbers: Vec<_> = of_these.map(|(consumer, _)| consumer).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let names = app.registry.organization_names(&numbers).await?;
    let shown = |number: &OrganizationNumber| named(*number, names.get(number).map(String::as_str));
    Ok(numbers.iter().map(shown).collect())
}

fn standing(
    it: ScopeOfClient,
    delegated: &[(OrganizationNumber, ScopeName)],
    now: Timestamp,
) -> Standing {
    let holds = it.access.as_ref().is_some_and(|access| access.holds_at(now));
    let works = it.is_active && it.is_for_machines;
    let customers: Vec<_> = delegated
        .iter()
        .filter(|(_, scope)| works && *scope == it.scope)
        .map(|(consumer, _)| *consumer)
        .collect();
    let state = match it.access.as_ref().map(|access| access.state) {
        _ if !it.is_active => ("off", "neutral"),
        _ if !it.is_for_machines => ("login", "neutral"),
        _ if it.is_open => ("open", "success"),
        _ if holds => ("granted", "success"),
        _ if !customers.is_empty() => ("delegated", "success"),
        Some(AccessState::Approved) => ("expired", "danger"),
        Some(AccessState::Denied) => ("denied", "danger"),
        Some(AccessState::Requested) => ("requested", "info"),
        None => ("none", "warning"),
    };
    Standing {
        description: visible(&it.description),
        owner: named(it.owner, it.owner_name.as_deref()),
        is_usable: works && (it.is_open || holds),
        may_ask: matches!(state.0, "expired" | "denied" | "none"),
        state,
        customers,
        scope: it.scope,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::access::Access;

    #[test]
    fn a_scope_is_usable_when_it_is_active_and_open_or_granted_now() {
        let now = Timestamp::from_seconds(1_000);
        let own: OrganizationNumber = "310000116".parse().unwrap();
        let access = |state, end: Option<i64>| Access {
            scope: "a:b".parse().unwrap(),
            consumer: own,
            state,
            expires_at: end.map(Timestamp::from_seconds),
        };
        let scope = |is_active, is_open, access| ScopeOfClient {
            scope: "a:b".parse().unwrap(),
            description: String::new(),
            owner: own,
            owner_name: None,
            is_active,
            is_for_machines: true,
            is_open,
            access,
        };
        let login = ScopeOfClient { is_for_machines: false, ..scope(true, true, None) };
        let found = standing(login, &[], now);
        assert_eq!((found.state.0, found.is_usable), ("login", false));
        let approved = |end| Some(access(AccessState::Approved, end));
        for (scope, state, is_usable) in [
            (scope(true, false, approved(None)), "granted", true),
            (scope(true, true, None), "open", true),
            (scope(false, true, approved(None)), "off", false),
            (scope(true, false, approved(Some(1_000))), "expired", false),
            (scope(true, false, Some(access(AccessState::Denied, None))), "denied", false),
            (scope(true, false, Some(access(AccessState::Requested, None))), "requested", false),
            (scope(true, false, None), "none", false),
        ] {
            let found = standing(scope, &[], now);
            assert_eq!((found.state.0, found.is_usable), (state, is_usable));
        }
        let customer = "310000108".parse().unwrap();
        let by_customer = [(customer, "a:b".parse().unwrap()), (own, "c:d".parse().unwrap())];
        let found = standing(scope(true, false, None), &by_customer, now);
        assert_eq!((found.state.0, found.is_usable), ("delegated", false));
        assert_eq!(found.customers, [customer]);
        let all = Standings {
            customers: vec![Customer { number: customer, shown: String::new() }],
            scopes: vec![found],
        };
        assert!(all.usable(None).is_empty());
        assert_eq!(all.usable(Some(customer)).len(), 1);
        assert_eq!(all.usual_customer().unwrap().number, customer);
    }
}
