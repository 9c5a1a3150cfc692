//! A look at the authorities whose certificates count here, and at what they make of a chain; for the operator.

use crate::domain::right::Right;
use crate::domain::trust::TrustSetSummary;
use crate::registry::{Actor, Registry, RegistryError};

pub use crate::token::client_key::ChainReport;

impl Registry {
    /// The authorities whose enterprise certificates count, and how their revocation lists stand just now.
    pub fn trust_sets(&self, actor: &Actor) -> Result<Vec<TrustSetSummary>, RegistryError> {
        actor.require(Right::Operate)?;
        let now = self.clock.now();
        Ok(self.certificates.sets().iter().map(|set| set.summary(now)).collect())
    }

    /// What each trust set makes of a chain in PEM, leaf first, just now: its name, and every check.
    pub async fn judge_chain(
        &self,
        actor: &Actor,
        pem: &[u8],
    ) -> Result<Vec<(String, ChainReport)>, RegistryError> {
        actor.require(Right::Operate)?;
        let judged = self.certificates.reports(pem, self.clock.now()).await;
        judged.map_err(|problem| RegistryError::invalid("pem", problem))
    }
}
