//! Outages of the database in which tokens were issued, for the audit trail.

use serde_json::json;

use crate::clock::Timestamp;
use crate::domain::change::ChangedNoun;
use crate::domain::right::Right;
use crate::registry::change::Act;
use crate::registry::{Actor, Registry, RegistryError};

impl Registry {
    /// Writes down that a node has issued so many tokens while it could not reach the database.
    pub async fn note_outage(
        &self,
        node: &str,
        since: Timestamp,
        until: Timestamp,
        tokens: u64,
    ) -> Result<(), RegistryError> {
        let actor = Actor::server("outage");
        let act = Act { verb: "issue in outage", noun: ChangedNoun::Node, key: node.to_owned() };
        let change = self.begin(&actor, Right::Operate, act).await?;
        let after = json!({
            "since": since.to_string(),
            "until": until.to_string(),
            "tokens": tokens,
        });
        change.finish_own(Some(after)).await
    }
}
