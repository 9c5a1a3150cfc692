//! A connection beside the pool, for what is written in batches by one task.

use sqlx::sqlite::SqliteSynchronous;
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};

use crate::store::StoreError;

/// A connection of its own, so that changes of configuration do not wait for it; nor is it tested before and after
/// each use, as one of the pool would be. It connects when it is first used.
#[derive(Debug)]
pub(super) struct SideConnection {
    pool: SqlitePool,
    /// Whether commits are forced to the disk (`Full`), or a power failure may lose the last seconds (`Normal`).
    synchronous: SqliteSynchronous,
    connection: Option<SqliteConnection>,
}

impl SideConnection {
    pub(super) fn new(pool: SqlitePool, synchronous: SqliteSynchronous) -> Self {
        Self { pool, synchronous, connection: None }
    }

    /// The connection, taken out: whoever ends well puts it back, and a transaction that does not ends with
    /// its connection. Nothing is written once the store is closed.
    pub(super) async fn take(&mut self) -> Result<SqliteConnection, StoreError> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let options = (*self.pool.connect_options()).clone();
        Ok(options.synchronous(self.synchronous).connect().await?)
    }

    /// Puts the connection back.
    pub(super) fn put_back(&mut self, connection: SqliteConnection) {
        self.connection = Some(connection);
    }
}
