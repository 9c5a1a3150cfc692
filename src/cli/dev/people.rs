//! The people of a test server, who can sign in at once.

use crate::cli::dev::identities::{
    CONSUMER, CONSUMER_USER, OPERATOR_USER, PASSWORD, PROVIDER, PROVIDER_USER, READER_USER,
    SUPPLIER, SUPPLIER_USER, TestOrganization,
};
use crate::domain::language::Language;
use crate::domain::user::Role;
use crate::registry::{Actor, NewUser, Registry, UserFilter};

/// Who is there, and as what.
const PEOPLE: [(&str, &str, &TestOrganization, &[Role]); 5] = [
    (OPERATOR_USER, "Oda Operator", &PROVIDER, &[Role::Operator]),
    (PROVIDER_USER, "Per Provider", &PROVIDER, &[Role::Administrator, Role::Provider]),
    (READER_USER, "Rita Reader", &PROVIDER, &[Role::Reader]),
    (CONSUMER_USER, "Kari Consumer", &CONSUMER, &[Role::Administrator, Role::Consumer]),
    (SUPPLIER_USER, "Siri Supplier", &SUPPLIER, &[Role::Administrator, Role::Consumer]),
];

/// Gives the organizations their e-mail domains and makes the people, unless there are any.
pub(super) async fn provide(registry: &Registry) -> anyhow::Result<()> {
    let actor = Actor::server("portvakt dev");
    if !registry.users(&actor, UserFilter::default(), 1).await?.items.is_empty() {
        return Ok(());
    }
    for organization in [&PROVIDER, &CONSUMER, &SUPPLIER] {
        let (number, domain) = (organization.number.parse()?, organization.email_domain.parse()?);
        registry.add_email_domain(&actor, number, &domain).await?;
    }
    for (email, name, organization, roles) in PEOPLE {
        let new = NewUser {
            email: email.parse()?,
            name: name.to_owned(),
            organization: organization.number.parse()?,
            language: Language::Bokmal,
            roles: roles.to_vec(),
        };
        registry.provide_user(&actor, new, PASSWORD).await?;
    }
    Ok(())
}
