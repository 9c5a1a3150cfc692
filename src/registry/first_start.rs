//! What a server needs before anybody can change anything: its operator, and the scopes of its own APIs.

use crate::domain::client::ClientId;
use crate::domain::organization::Organization;
use crate::domain::prefix::PrefixName;
use crate::domain::record::Expected;
use crate::domain::right::Right;
use crate::domain::scope::{Scope, ScopeName, Visibility};
use crate::registry::{AccessTerms, Actor, NewClient, Registry, RegistryError};

/// Who runs the server.
#[derive(Clone, Debug)]
pub struct Operator {
    /// The operator's organization.
    pub organization: Organization,
    /// The client with which it uses the admin API for the first time, and that client's public key.
    pub client: Option<(ClientId, String)>,
}

/// How often a node begins again when others that start at the same time have been quicker with something: more often
/// than there are things to make.
const ATTEMPTS: usize = 50;

impl Registry {
    /// Makes what is missing of the operator's organization, the prefixes and scopes of the server's own APIs, and
    /// the operator's client. What is there is not touched: it may have been changed on purpose.
    pub async fn first_start(&self, operator: &Operator) -> Result<(), RegistryError> {
        let mut attempts = 1;
        loop {
            match self.provide(operator).await {
                // What another node has made is found the next time.
                Err(
                    RegistryError::Conflict { .. } | RegistryError::Stale | RegistryError::Unseen,
                ) if attempts < ATTEMPTS => attempts += 1,
                done => return done,
            }
        }
    }

    async fn provide(&self, operator: &Operator) -> Result<(), RegistryError> {
        let server = Actor::server("first start");
        let organization = &operator.organization;
        if self.store.organization(organization.number).await?.is_none() {
            self.create_organization(&server, organization).await?;
        }
        for right in Right::ALL {
            self.provide_scope(&server, *right, organization).await?;
        }
        let Some((id, jwk)) = &operator.client else { return Ok(()) };
        if self.store.client_file(id).await?.is_none() {
            let client = NewClient {
                id: Some(id.clone()),
                description: "The operator's client for the admin API".to_owned(),
                scopes: Right::ALL.iter().filter_map(|right| scope_of(*right)).collect(),
                jwks: vec![jwk.clone()],
                ..NewClient::new(organization.number, "Operator")
            };
            self.register_client(&server, client).await?;
        }
        Ok(())
    }

    /// The scope of a right, which its operator may use.
    async fn provide_scope(
        &self,
        server: &Actor,
        right: Right,
        operator: &Organization,
    ) -> Result<(), RegistryError> {
        let Some(name) = scope_of(right) else { return Ok(()) };
        let Ok(prefix) = name.prefix().parse::<PrefixName>() else { return Ok(()) };
        if self.store.prefix(&prefix).await?.is_none() {
            self.assign_prefix(server, &prefix, operator.number).await?;
        }
        if self.store.scope(&name).await?.is_none() {
            let visibility =
                if right == Right::Operate { Visibility::Internal } else { Visibility::Public };
            let scope =
                Scope { visibility, ..Scope::new(name.clone(), operator.number, describe(right)) };
            self.define_scope(server, scope).await?;
        }
        if self.store.access_case(&name, operator.number).await?.is_none() {
            let terms = AccessTerms::default();
            self.grant_access(server, &name, operator.number, terms, Expected::Anything).await?;
        }
        Ok(())
    }
}

fn scope_of(right: Right) -> Option<ScopeName> {
    right.name().parse().ok()
}

fn describe(right: Right) -> &'static str {
    match right {
        Right::ActForCustomers => "Register clients for customers",
        Right::ManageUsers => "Manage the people of the own organization",
        Right::ModifyClients => "Change keys of own clients",
        Right::Operate => "Operate this server",
        Right::ReadClients => "See own clients",
        Right::ReadScopes => "See own scopes and accesses",
        Right::WriteBusinessData => "Change business data of the own organization",
        Right::WriteClients => "Register and change own clients, and delegate",
        Right::WriteOnBehalfOf => "Change on-behalf-of objects of own clients",
        Right::WriteScopes => "Make and change own scopes, and grant them",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_right_has_a_scope_under_a_prefix_that_can_be_assigned() {
        for right in Right::ALL {
            let name = scope_of(*right).unwrap();
            assert!(name.prefix().parse::<PrefixName>().is_ok());
        }
    }
}
