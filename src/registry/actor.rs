//! Who acts in the control plane.

use crate::domain::organization::OrganizationNumber;
use crate::domain::right::{Right, Rights};
use crate::registry::RegistryError;

/// Who acts, for whom, and what they may do.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The client or user.
    pub name: String,
    /// The organization they act for; `None` for the server itself.
    pub organization: Option<OrganizationNumber>,
    /// What they may do.
    pub rights: Rights,
    /// The request in which they act.
    pub trace_id: Option<String>,
}

impl Actor {
    /// The server itself, which may do everything; `name` says on what occasion it acts.
    pub fn server(name: &str) -> Self {
        let rights = Rights::new(&[Right::Operate]);
        Self { name: name.to_owned(), organization: None, rights, trace_id: None }
    }

    /// Holds that the actor may do what `needed` allows.
    pub fn require(&self, needed: Right) -> Result<Right, RegistryError> {
        self.rights.by_which(needed).ok_or(RegistryError::Forbidden { needed })
    }

    /// Whether what belongs to `owner` is the actor's to see and change: its own, or everything for the
    /// operator.
    pub fn owns(&self, owner: OrganizationNumber) -> bool {
        self.rights.operate() || self.organization == Some(owner)
    }

    /// The organization whose things a list shows: the one that is asked for, which must then be the actor's, or
    /// else its own. Only for the operator `None` comes back: all of them.
    pub fn organization_to_list(
        &self,
        asked: Option<OrganizationNumber>,
    ) -> Result<Option<OrganizationNumber>, RegistryError> {
        match asked {
            Some(organization) if self.owns(organization) => Ok(Some(organization)),
            Some(_) => Err(RegistryError::NotYours { noun: "organization" }),
            None if self.rights.operate() => Ok(None),
            None => Ok(self.organization),
        }
    }

    /// The organization that the actor acts for. The server itself must say which it means.
    pub fn own_organization(&self) -> Result<OrganizationNumber, RegistryError> {
        self.organization.ok_or_else(|| RegistryError::Invalid {
            field: "organization",
            problem: "it must be said, because whoever asks acts for none".to_owned(),
        })
    }
}
