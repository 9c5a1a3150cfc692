//! Users: the people of an organization who use the portal, and what their roles allow.

use std::fmt;
use std::str::FromStr;

use crate::domain::client::{ClientId, IdError};
use crate::domain::email_address::EmailAddress;
use crate::domain::environment::SelfService;
use crate::domain::language::Language;
use crate::domain::names::names;
use crate::domain::organization::OrganizationNumber;
use crate::domain::right::{Right, Rights};

/// The identifier of a user: a UUID that means nothing.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct UserId(String);

impl UserId {
    /// The text of a UUID.
    pub fn from_uuid(bytes: [u8; 16]) -> Self {
        Self(ClientId::from_uuid(bytes).to_string())
    }

    /// The identifier as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The same letters and length as other identifiers.
        text.parse::<ClientId>().map(|_| Self(text.to_owned()))
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What somebody may do for their organization.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Gives the users of the organization their roles. The operator appoints them.
    Administrator,
    /// Makes and changes clients and their keys, asks for access, delegates, and maintains business data.
    Consumer,
    /// Runs this server. Only for users of the operator's organization.
    Operator,
    /// Makes and changes scopes, grants them, and maintains business data.
    Provider,
    /// Sees what the organization has.
    Reader,
}

names!(Role {
    Administrator = "administrator",
    Consumer = "consumer",
    Operator = "operator",
    Provider = "provider",
    Reader = "reader",
});

impl Role {
    /// The rights that the role brings.
    pub fn rights(self) -> &'static [Right] {
        match self {
            Self::Administrator => &[Right::ManageUsers, Right::ReadClients, Right::ReadScopes],
            Self::Consumer => &[Right::WriteClients, Right::ReadScopes, Right::WriteBusinessData],
            Self::Operator => &[Right::Operate],
            Self::Provider => &[Right::WriteScopes, Right::ReadClients, Right::WriteBusinessData],
            Self::Reader => &[Right::ReadClients, Right::ReadScopes],
        }
    }
}

/// Whether somebody can sign in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UserStatus {
    /// They can.
    Active,
    /// They could until they were switched off; they are kept for the audit trail and can be restored.
    Deactivated,
    /// They have not followed the link that was sent to their address yet.
    Unconfirmed,
}

names!(UserStatus {
    Active = "active",
    Deactivated = "deactivated",
    Unconfirmed = "unconfirmed",
});

/// A user of the portal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct User {
    /// Their identifier.
    pub id: UserId,
    /// Their address; its domain tells the organization.
    pub email: EmailAddress,
    /// What they are called.
    pub name: String,
    /// The organization they belong to.
    pub organization: OrganizationNumber,
    /// In which language they are spoken to.
    pub language: Language,
    /// Whether they can sign in.
    pub status: UserStatus,
    /// The roles they have been given, in order, none twice.
    pub roles: Vec<Role>,
}

impl User {
    /// The roles they have in an environment: those they have been given, and where everybody may serve
    /// themselves those of a provider and a consumer.
    pub fn roles_in(&self, self_service: SelfService) -> Vec<Role> {
        let mut roles = self.roles.clone();
        if self_service == SelfService::Open {
            roles.extend([Role::Consumer, Role::Provider, Role::Reader]);
        }
        roles.sort_unstable();
        roles.dedup();
        roles
    }

    /// The rights that these roles bring together.
    pub fn rights_of(roles: &[Role]) -> Rights {
        let mut rights: Vec<Right> = Vec::new();
        for right in roles.iter().flat_map(|role| role.rights()) {
            if !rights.contains(right) {
                rights.push(*right);
            }
        }
        Rights::new(&rights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(roles: &[Role]) -> User {
        User {
            id: UserId::from_uuid([7; 16]),
            email: "kari@etat.example".parse().unwrap(),
            name: "Kari".to_owned(),
            organization: "991825827".parse().unwrap(),
            language: Language::Bokmal,
            status: UserStatus::Active,
            roles: roles.to_vec(),
        }
    }

    #[test]
    fn everybody_serves_themselves_where_that_is_open_and_nobody_unasked_where_it_is_not() {
        let open = user(&[]).roles_in(SelfService::Open);
        let rights = User::rights_of(&open);
        for right in [Right::WriteClients, Right::WriteScopes, Right::WriteBusinessData] {
            assert!(rights.by_which(right).is_some(), "{right:?}");
        }
        for right in [Right::Operate, Right::ManageUsers, Right::ActForCustomers] {
            assert!(rights.by_which(right).is_none(), "{right:?}");
        }
        assert!(user(&[]).roles_in(SelfService::Restricted).is_empty());
        let provider = user(&[Role::Provider]).roles_in(SelfService::Restricted);
        let rights = User::rights_of(&provider);
        assert!(rights.by_which(Right::WriteScopes).is_some());
        assert!(rights.by_which(Right::WriteClients).is_none());
    }
}
