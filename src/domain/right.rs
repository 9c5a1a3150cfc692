//! Rights: what somebody may do in the control plane.

use crate::domain::names::names;
use crate::domain::scope::{RequestedScopes, ScopeName};

/// One right. A machine has it by the scope of its name, which stands in the token it shows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Register clients for customers.
    ActForCustomers,
    /// Decide who are the people of its own organization on the portal, and what they may do.
    ManageUsers,
    /// Change keys and on-behalf-of objects of its own clients.
    ModifyClients,
    /// Everything, for every organization: the operator of this server.
    Operate,
    /// See its own clients.
    ReadClients,
    /// See its own scopes, and the accesses to them and of its own.
    ReadScopes,
    /// Change the business data of its own organization.
    WriteBusinessData,
    /// Make, change and deactivate its own clients, and decide about its delegations.
    WriteClients,
    /// Change on-behalf-of objects of its own clients.
    WriteOnBehalfOf,
    /// Make and change scopes under its own prefixes, and grant them.
    WriteScopes,
}

names!(Right {
    ActForCustomers = "idporten:dcr.supplier",
    ManageUsers = "portvakt:users.write",
    ModifyClients = "idporten:dcr.modify",
    Operate = "portvakt:admin",
    ReadClients = "idporten:dcr.read",
    ReadScopes = "idporten:scopes.read",
    WriteBusinessData = "portvakt:organization.write",
    WriteClients = "idporten:dcr.write",
    WriteOnBehalfOf = "idporten:dcr/onbehalfof.write",
    WriteScopes = "idporten:scopes.write",
});

impl Right {
    /// Whether scopes under the prefix are those of this server's own APIs, which carry rights.
    pub fn is_prefix(prefix: &str) -> bool {
        Self::ALL
            .iter()
            .any(|right| right.name().split_once(':').is_some_and(|(its, _)| its == prefix))
    }

    /// Whether who has this right may do what `needed` allows: who may change something may see it.
    pub fn implies(self, needed: Self) -> bool {
        use Right::{ModifyClients, Operate, ReadClients, ReadScopes, WriteClients, WriteScopes};
        self == needed
            || match self {
                Operate => true,
                ModifyClients => matches!(needed, ReadClients | Self::WriteOnBehalfOf),
                WriteClients => {
                    matches!(needed, ReadClients | ModifyClients | Self::WriteOnBehalfOf)
                }
                Self::WriteOnBehalfOf => needed == ReadClients,
                WriteScopes => needed == ReadScopes,
                Self::ActForCustomers
                | Self::ManageUsers
                | Self::WriteBusinessData
                | ReadClients
                | ReadScopes => false,
            }
    }
}

/// The rights of somebody.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rights(Vec<Right>);

impl Rights {
    /// These.
    pub fn new(rights: &[Right]) -> Self {
        Self(rights.to_vec())
    }

    /// Those that stand in the scopes of a token.
    pub fn of_scopes(scopes: &RequestedScopes) -> Self {
        let known = scopes.names().iter().map(ScopeName::as_str).filter_map(Right::from_name);
        Self(known.collect())
    }

    /// The right by which somebody who has these may do what `needed` allows, if they may.
    pub fn by_which(&self, needed: Right) -> Option<Right> {
        let exact = self.0.iter().copied().find(|right| *right == needed);
        exact.or_else(|| self.0.iter().copied().find(|right| right.implies(needed)))
    }

    /// The names of the scopes that they stand for.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|right| right.name())
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, right: Right) -> Self {
        if !self.0.contains(&right) {
            self.0.push(right);
        }
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether they are the operator's.
    pub fn operate(&self) -> bool {
        self.0.contains(&Right::Operate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_scopes_of_a_token_and_a_change_implies_a_look() {
        let scopes = "idporten:dcr.write idporten:scopes.read dev:other".parse().unwrap();
        let rights = Rights::of_scopes(&scopes);
        assert_eq!(rights.by_which(Right::ReadClients), Some(Right::WriteClients));
        assert_eq!(rights.by_which(Right::ModifyClients), Some(Right::WriteClients));
        assert_eq!(rights.by_which(Right::ReadScopes), Some(Right::ReadScopes));
        assert_eq!(rights.by_which(Right::WriteScopes), None);
        assert_eq!(rights.by_which(Right::ActForCustomers), None);
        assert_eq!(rights.by_which(Right::Operate), None);
        assert_eq!(rights.by_which(Right::ManageUsers), None);
        assert_eq!(rights.by_which(Right::WriteBusinessData), None);
        for right in Right::ALL {
            assert!(right.name().parse::<ScopeName>().is_ok());
            assert!(Rights::new(&[Right::Operate]).by_which(*right).is_some());
        }
    }
}
