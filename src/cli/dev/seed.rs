//! What a test server begins with: organizations, scopes, accesses, a delegation and clients.

use josekit::jwk::Jwk;

use crate::cli::dev::identities::{
    CERTIFICATE_CLIENT, CONSUMER, Identities, KEY_CLIENT, PROVIDER, SUPPLIER, SUPPLIER_CLIENT,
    TestOrganization, public_half,
};
use crate::domain::organization::{Organization, OrganizationNumber};
use crate::domain::record::Expected;
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeAudience};
use crate::registry::{AccessTerms, Actor, NewClient, NewDelegation, Operator, Registry};

/// The scopes that the consumer has been granted, for `MASKINPORTEN_SCOPES`.
pub(super) const GRANTED: [&str; 2] = ["dev:greetings.read", "dev:greetings.write"];

/// Open to every organization.
const OPEN: &str = "dev:weather.read";

/// Granted to the consumer, and delegated to the supplier.
pub(super) const DELEGATED: &str = "dev:reports.write";

/// Not granted to anybody, to see what a refusal looks like.
const CLOSED: &str = "dev:secrets.read";

/// What the consumer's client may do in the admin API for its own organization.
const SELF_SERVICE: [Right; 7] = [
    Right::ReadClients,
    Right::ModifyClients,
    Right::WriteClients,
    Right::ReadScopes,
    Right::WriteScopes,
    Right::WriteBusinessData,
    Right::ManageUsers,
];

/// Fills the database of a new test server.
pub(super) async fn seed(
    registry: &Registry,
    operator: &Operator,
    identities: &Identities,
    issuer: &str,
) -> anyhow::Result<()> {
    let actor = Actor::server("portvakt dev");
    registry.first_start(operator).await?;
    for organization in [CONSUMER, SUPPLIER] {
        let organization = Organization::new(number(&organization)?, organization.name);
        registry.create_organization(&actor, &organization).await?;
    }
    registry.assign_prefix(&actor, &"dev".parse()?, number(&PROVIDER)?).await?;
    for name in GRANTED.iter().chain(&[OPEN, DELEGATED, CLOSED]) {
        registry.define_scope(&actor, scope(name, issuer)?).await?;
    }
    let self_service = SELF_SERVICE.map(Right::name);
    for name in GRANTED.iter().chain(&[DELEGATED, CLOSED]).chain(&self_service) {
        let (name, consumer) = (name.parse()?, number(&CONSUMER)?);
        registry
            .grant_access(&actor, &name, consumer, AccessTerms::default(), Expected::Anything)
            .await?;
    }
    let act_for_customers = Right::ActForCustomers.name().parse()?;
    let terms = AccessTerms::default();
    registry
        .grant_access(&actor, &act_for_customers, number(&SUPPLIER)?, terms, Expected::Anything)
        .await?;
    let delegation = NewDelegation {
        consumer: number(&CONSUMER)?,
        supplier: number(&SUPPLIER)?,
        scope: DELEGATED.parse()?,
        valid_from: None,
        valid_to: None,
    };
    registry.put_delegation(&actor, delegation, Expected::Anything).await?;
    for client in clients(identities)? {
        registry.register_client(&actor, client).await?;
    }
    // Put on the clients while it was granted, and withdrawn since.
    let closed = (CLOSED.parse()?, number(&CONSUMER)?);
    let reason = Some("Never granted, to see what a refusal looks like".to_owned());
    registry.withdraw_access(&actor, &closed.0, closed.1, reason, None).await?;
    Ok(())
}

fn scope(name: &str, issuer: &str) -> anyhow::Result<Scope> {
    let audience = if name == OPEN {
        ScopeAudience::AnyOrganization
    } else {
        ScopeAudience::GrantedOrganizations
    };
    let description = format!("Test scope {name}");
    Ok(Scope {
        audience,
        delegation_source: (name == DELEGATED).then(|| issuer.to_owned()),
        ..Scope::new(name.parse()?, number(&PROVIDER)?, &description)
    })
}

fn clients(identities: &Identities) -> anyhow::Result<[NewClient; 3]> {
    let consumer = [GRANTED[0], GRANTED[1], OPEN, DELEGATED, CLOSED];
    let with_self_service = [&consumer[..], &SELF_SERVICE.map(Right::name)].concat();
    Ok([
        client(KEY_CLIENT, &CONSUMER, &with_self_service, Some(&identities.key_client))?,
        client(CERTIFICATE_CLIENT, &CONSUMER, &consumer, None)?,
        client(SUPPLIER_CLIENT, &SUPPLIER, &[DELEGATED, OPEN], None)?,
    ])
}

fn client(
    id: &str,
    organization: &TestOrganization,
    scopes: &[&str],
    key: Option<&Jwk>,
) -> anyhow::Result<NewClient> {
    let jwk = key.map(public_half).transpose()?;
    Ok(NewClient {
        id: Some(id.parse()?),
        scopes: scopes.iter().map(|scope| scope.parse()).collect::<Result<_, _>>()?,
        jwks: jwk.iter().map(ToString::to_string).collect(),
        ..NewClient::new(number(organization)?, id)
    })
}

fn number(organization: &TestOrganization) -> anyhow::Result<OrganizationNumber> {
    Ok(organization.number.parse()?)
}
