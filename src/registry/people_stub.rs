//! Stub.
use crate::domain::organization::Organization;
use crate::domain::user::{Role, User};
use crate::registry::{Actor, Registry, RegistryError};
use std::str::FromStr;
/// Stub.
pub struct SessionToken(String);
impl FromStr for SessionToken {
    type Err = ();
    fn from_str(t: &str) -> Result<Self, ()> {
        Ok(Self(t.to_owned()))
    }
}
/// Stub.
#[derive(Clone, Debug)]
pub struct Session {
    /// a
    pub user: User,
    /// a
    pub organization: Organization,
    /// a
    pub roles: Vec<Role>,
}
impl Session {
    /// a
    pub fn actor(&self, trace_id: Option<String>) -> Actor {
        Actor {
            name: self.user.email.to_string(),
            organization: Some(self.organization.number),
            rights: User::rights_of(&self.roles),
            trace_id,
        }
    }
}
impl Registry {
    /// a
    pub async fn session(&self, token: &SessionToken) -> Result<Option<Session>, RegistryError> {
        let _ = token.0.len();
        Ok(None)
    }
}
