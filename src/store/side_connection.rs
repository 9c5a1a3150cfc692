//! A connection beside the pool, for notes that are written off the path of requests.

use sqlx::sqlite::SqliteSynchronous;
use sqlx::{ConnectOptions as _, SqliteConnection, SqlitePool};

use crate::store::StoreError;

/// A connection of its own, so that changes of configuration do not wait for notes. Its commits are not forced to
/// the disk: a power failure may lose the last seconds. It connects when it is first used.
#[derive(Debug)]
pub(super) struct SideConnection {
    pool: SqlitePool,
    connection: Option<SqliteConnection>,
}

impl SideConnection {
    pub(super) fn new(pool: SqlitePool) -> Self {
        Self { pool, connection: None }
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
        Ok(options.synchronous(SqliteSynchronous::Normal).connect().await?)
    }

    /// Puts the connection back.
    pub(super) fn put_back(&mut self, connection: SqliteConnection) {
        self.connection = Some(connection);
    }
}
