//! The control plane: everything that can be changed is changed here, by whichever face asks.
//!
//! Each verb takes an [`Actor`] and makes one transaction: the change, its row in the change feed and its row
//! in the audit trail. Before a verb returns, this node has followed the change, so the next token request
//! sees it. Nothing is deleted that an auditor may ask for.

mod accesses;
mod actor;
mod clients;
mod error;
mod organizations;
mod scopes;

use std::sync::Arc;

use serde_json::Value;

use crate::clock::Clock;
use crate::domain::change::ChangedNoun;
use crate::store::{AuditEntry, Store, Transaction};
use crate::token::feed::Feed;

pub use actor::Actor;
pub use clients::NewClient;
pub use error::RegistryError;

/// The verbs of the control plane.
#[derive(Clone)]
pub struct Registry {
    store: Store,
    clock: Arc<dyn Clock>,
    feed: Option<Arc<Feed>>,
}

/// What was done, for the audit trail.
struct Deed {
    action: &'static str,
    noun: ChangedNoun,
    key: String,
    before: Option<Value>,
    after: Option<Value>,
}

impl Registry {
    /// A registry over `store`. `feed` is that of the token path in the same process, if there is one.
    pub fn new(store: Store, clock: Arc<dyn Clock>, feed: Option<Arc<Feed>>) -> Self {
        Self { store, clock, feed }
    }

    /// Records the deed in the transaction, makes both last, and has this node follow.
    async fn finish(
        &self,
        mut transaction: Transaction,
        actor: &Actor,
        deed: Deed,
    ) -> Result<(), RegistryError> {
        let entry = AuditEntry {
            actor: actor.name.clone(),
            by_right: actor.right.clone(),
            action: deed.action,
            noun: deed.noun,
            key: deed.key,
            before: deed.before.map(|value| value.to_string()),
            after: deed.after.map(|value| value.to_string()),
            trace_id: actor.trace_id.clone(),
        };
        transaction.record(&entry, self.clock.now()).await?;
        transaction.commit().await?;
        if let Some(feed) = &self.feed {
            feed.catch_up().await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::domain::organization::Organization;

    #[tokio::test]
    async fn a_change_that_breaks_a_rule_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        let registry = Registry::new(store.clone(), Arc::new(SystemClock), None);
        let actor = Actor { name: "test".into(), right: "test".into(), trace_id: None };
        let number = "991825827".parse().unwrap();
        let organization = Organization { number, name: "A".into() };
        registry.create_organization(&actor, &organization).await.unwrap();
        let before = store.latest_change().await.unwrap();
        let twice = registry.create_organization(&actor, &organization).await;
        assert!(matches!(twice, Err(RegistryError::Conflict { .. })));
        let orphan = registry.assign_prefix(&actor, "x", "310000108".parse().unwrap()).await;
        assert!(matches!(orphan, Err(RegistryError::Conflict { .. })));
        assert_eq!(store.latest_change().await.unwrap(), before);
    }
}
