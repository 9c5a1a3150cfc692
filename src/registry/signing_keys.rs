//! A look at our own signing keys, and at those whose certificates count here, for the operator.

use crate::domain::right::Right;
use crate::domain::signing_key::SigningKeyRecord;
use crate::domain::trust::TrustSetSummary;
use crate::registry::{Actor, Registry, RegistryError};

pub use crate::token::client_key::ChainReport;

impl Registry {
    /// Every signing key there is or was, newest first.
    pub async fn signing_keys(
        &self,
        actor: &Actor,
    ) -> Result<Vec<SigningKeyRecord>, RegistryError> {
        actor.require(Right::Operate)?;
        Ok(self.store.signing_keys().await?)
    }

    /// The authorities whose enterprise certificates count, and how their revocation lists stand just now.
    pub fn trust_sets(&self, actor: &Actor) -> Result<Vec<TrustSetSummary>, RegistryError> {
        actor.require(Right::Operate)?;
        let now = self.clock.now();
        Ok(self.certificates.sets().iter().map(|set| set.summary(now)).collect())
    }

    /// What each trust set makes of a chain in PEM, leaf first, just now: its name, and every check.
    pub fn judge_chain(
        &self,
        actor: &Actor,
        pem: &[u8],
    ) -> Result<Vec<(String, ChainReport)>, RegistryError> {
        actor.require(Right::Operate)?;
        let judged = self.certificates.reports(pem, self.clock.now());
        judged.map_err(|problem| RegistryError::invalid("pem", problem))
    }
}
