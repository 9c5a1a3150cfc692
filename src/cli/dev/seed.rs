//! What a test server begins with: organizations, scopes, accesses, a delegation and clients.

use josekit::jwk::Jwk;

use crate::cli::dev::identities::{
    ADMIN_CLIENT, CERTIFICATE_CLIENT, CONSUMER, Identities, KEY_CLIENT, PROVIDER, SUPPLIER,
    SUPPLIER_CLIENT, TestOrganization, public_half,
};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::access::Delegation;
use crate::domain::organization::{Organization, OrganizationNumber};
use crate::domain::scope::{Scope, ScopeAudience, ScopeProduct, ScopeStatus};
use crate::registry::{Actor, NewClient, Registry};

/// The scopes that the consumer has been granted, for `MASKINPORTEN_SCOPES`.
pub(super) const GRANTED: [&str; 2] = ["dev:greetings.read", "dev:greetings.write"];

/// Open to every organization.
const OPEN: &str = "dev:weather.read";

/// Granted to the consumer, and delegated to the supplier.
pub(super) const DELEGATED: &str = "dev:reports.write";

/// Not granted to anybody, to see what a refusal looks like.
const CLOSED: &str = "dev:secrets.read";

/// For the admin API.
const ADMIN: &str = "portvakt:admin";

/// Fills the database of a new test server.
pub(super) async fn seed(
    registry: &Registry,
    identities: &Identities,
    issuer: &str,
) -> anyhow::Result<()> {
    let actor = Actor { name: "portvakt dev".into(), right: "first start".into(), trace_id: None };
    for organization in [PROVIDER, CONSUMER, SUPPLIER] {
        let name = organization.name.to_owned();
        let organization = Organization { number: number(&organization)?, name };
        registry.create_organization(&actor, &organization).await?;
    }
    for prefix in ["dev", "portvakt"] {
        registry.assign_prefix(&actor, prefix, number(&PROVIDER)?).await?;
    }
    for name in GRANTED.iter().chain(&[OPEN, DELEGATED, CLOSED, ADMIN]) {
        registry.define_scope(&actor, &scope(name, issuer)?).await?;
    }
    for name in GRANTED.iter().chain(&[DELEGATED]) {
        registry.grant_access(&actor, &name.parse()?, number(&CONSUMER)?, None).await?;
    }
    registry.grant_access(&actor, &ADMIN.parse()?, number(&PROVIDER)?, None).await?;
    let delegation = Delegation {
        consumer: number(&CONSUMER)?,
        supplier: number(&SUPPLIER)?,
        scope: DELEGATED.parse()?,
        source: issuer.to_owned(),
        valid_from: SystemClock.now(),
        valid_to: None,
        revoked_at: None,
    };
    registry.put_delegation(&actor, &delegation).await?;
    for client in clients(identities)? {
        registry.register_client(&actor, client).await?;
    }
    Ok(())
}

fn scope(name: &str, issuer: &str) -> anyhow::Result<Scope> {
    Ok(Scope {
        name: name.parse()?,
        owner: number(&PROVIDER)?,
        description: format!("Test scope {name}"),
        status: ScopeStatus::Active,
        audience: if name == OPEN {
            ScopeAudience::AnyOrganization
        } else {
            ScopeAudience::GrantedOrganizations
        },
        product: ScopeProduct::Machines,
        token_lifetime_seconds_max: None,
        delegation_source: (name == DELEGATED).then(|| issuer.to_owned()),
    })
}

fn clients(identities: &Identities) -> anyhow::Result<[NewClient; 4]> {
    let consumer = [GRANTED[0], GRANTED[1], OPEN, DELEGATED, CLOSED];
    Ok([
        client(KEY_CLIENT, &CONSUMER, &consumer, Some(&identities.key_client))?,
        client(CERTIFICATE_CLIENT, &CONSUMER, &consumer, None)?,
        client(SUPPLIER_CLIENT, &SUPPLIER, &[DELEGATED, OPEN], None)?,
        client(ADMIN_CLIENT, &PROVIDER, &[ADMIN], Some(&identities.admin_client))?,
    ])
}

fn client(
    id: &str,
    organization: &TestOrganization,
    scopes: &[&str],
    key: Option<&Jwk>,
) -> anyhow::Result<NewClient> {
    Ok(NewClient {
        id: id.parse()?,
        organization: number(organization)?,
        name: id.to_owned(),
        scopes: scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?,
        jwks: key
            .map(|key| Ok::<_, anyhow::Error>(public_half(key)?.to_string()))
            .transpose()?
            .into_iter()
            .collect(),
    })
}

fn number(organization: &TestOrganization) -> anyhow::Result<OrganizationNumber> {
    Ok(organization.number.parse()?)
}
