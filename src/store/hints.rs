//! Hints that something has changed. Nothing depends on them: PostgreSQL keeps no notification for a session that is
//! not there, and a pooler may swallow all of them. They only save waiting for the next look at the feed.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool, PgPoolOptions};

use crate::store::database::{Pool, query};
use crate::store::{Store, StoreError, Transaction};

/// The channel; it is one of the database, so that others in the same cluster do not hear it.
pub(super) const CHANNEL: &str = "portvakt_change";

/// Time before a session that has ended is begun again.
const PAUSE: Duration = Duration::from_millis(500);

impl Store {
    /// Calls `heard` whenever another node may have changed something, and whenever that may have been missed, until it
    /// is dropped. On SQLite nobody says anything, and this returns.
    pub async fn hear_changes(&self, heard: impl Fn()) {
        let Pool::Postgres(pool) = &self.readers else { return };
        loop {
            let ended = listen(pool, &heard).await;
            let reason =
                ended.map_or_else(|error| error.to_string(), |()| "it was lost".to_owned());
            tracing::debug!(reason, "no hints of changes for a moment");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Listens in one session, until that ends.
async fn listen(pool: &PgPool, heard: &impl Fn()) -> Result<(), sqlx::Error> {
    let options = (*pool.connect_options()).clone();
    // A pool of its own, because a listener never gives its connection back.
    let own = PgPoolOptions::new().max_connections(1).connect_lazy_with(options);
    let mut listener = PgListener::connect_with(&own).await?;
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    heard();
    while listener.try_recv().await?.is_some() {
        heard();
    }
    Ok(())
}

impl Transaction {
    /// Tells the other nodes when this change is committed.
    pub(super) async fn announce(&mut self) -> Result<(), StoreError> {
        if self.is_heard() {
            query("select pg_notify($1, '')").bind(CHANNEL).execute(self.connection()).await?;
        }
        Ok(())
    }
}
