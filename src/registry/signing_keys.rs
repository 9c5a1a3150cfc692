//! A look at our own signing keys, for the operator.

use crate::domain::right::Right;
use crate::domain::signing_key::SigningKeyRecord;
use crate::registry::{Actor, Registry, RegistryError};

impl Registry {
    /// Every signing key there is or was, newest first.
    pub async fn signing_keys(
        &self,
        actor: &Actor,
    ) -> Result<Vec<SigningKeyRecord>, RegistryError> {
        actor.require(Right::Operate)?;
        Ok(self.store.signing_keys().await?)
    }
}
