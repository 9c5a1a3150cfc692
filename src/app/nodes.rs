//! Nodes that share a database say that they are the same server, or else one of them does not start: with another
//! issuer its tokens would be another server's, and its assertions would be meant for somebody else.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::app::AppError;
use crate::clock::{Clock, Random};
use crate::store::{Store, StoreError};

/// How often a node shows that it is there.
const SHOW: Duration = Duration::from_secs(5);

/// A node that has not shown itself for so long has died.
const DEAD_SECONDS: i64 = 20;

/// A node among those of its database.
pub(super) struct Node {
    store: Store,
    id: String,
    /// Shows the node to the others.
    show: JoinHandle<()>,
}

impl Node {
    /// Joins the others. A file is nobody else's, so there is no node then.
    pub(super) async fn join(
        store: &Store,
        issuer: &str,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Option<Self>, AppError> {
        if !store.is_shared() {
            return Ok(None);
        }
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        let id = format!("{:032x}", u128::from_be_bytes(bytes));
        let (now, issuer) = (clock.now(), issuer.to_owned());
        let mut transaction = store.begin().await?;
        let oldest = now.plus_seconds(-DEAD_SECONDS);
        if let Some(other) = transaction.let_node_in(&id, &issuer, oldest, now).await? {
            return Err(AppError::OtherIssuer { other });
        }
        transaction.commit().await?;
        let (its_store, its_id) = (store.clone(), id.clone());
        let show = tokio::spawn(async move {
            loop {
                tokio::time::sleep(SHOW).await;
                if let Err(error) = its_store.node_seen(&its_id, &issuer, clock.now()).await {
                    tracing::debug!(%error, "this node cannot be shown to the others");
                }
            }
        });
        Ok(Some(Self { store: store.clone(), id, show }))
    }

    /// Leaves the others, so that a server with another issuer can start at once.
    pub(super) async fn leave(&self) -> Result<(), StoreError> {
        self.show.abort();
        self.store.node_left(&self.id).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.show.abort();
    }
}
