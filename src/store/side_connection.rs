//! A connection beside the pool, for what is written in batches by one task.

use std::sync::Arc;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteSynchronous;

use crate::store::database::{Connection, Pool};
use crate::store::database_file::DatabaseFile;
use crate::store::{Store, StoreError, fence, postgres, sqlite};

/// What a commit survives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Durability {
    /// A power failure: a commit is on the disk when it is told of.
    Full,
    /// The end of this program; a power failure may lose the last seconds.
    Lazy,
}

/// A connection of its own, so that changes of configuration do not wait for it; nor is it tested before and after
/// each use, as one of the pool would be. It connects when it is first used.
#[derive(Debug)]
pub(super) struct SideConnection {
    pool: Pool,
    file: Option<Arc<DatabaseFile>>,
    durability: Durability,
    connection: Option<Connection>,
    fenced_at: i64,
}

impl SideConnection {
    pub(super) fn new(store: &Store, durability: Durability) -> Self {
        let (pool, file) = (store.writer.clone(), store.file.clone());
        Self { pool, file, durability, connection: None, fenced_at: 0 }
    }

    /// The connection, taken out: whoever ends well puts it back, and a transaction that does not ends with
    /// its connection. Nothing is written once the store is closed.
    pub(super) async fn take(&mut self) -> Result<Connection, StoreError> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut connection = self.connect().await?;
        if matches!(self.durability, Durability::Full) {
            self.fenced_at = fence::set_at(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let synchronous = match self.durability {
                    Durability::Full => SqliteSynchronous::Full,
                    Durability::Lazy => SqliteSynchronous::Normal,
                };
                let options = (*pool.connect_options()).clone().synchronous(synchronous);
                let options = sqlite::batches(options);
                // A log that is not there would be made anew; and which file was opened, its name shows.
                let require = || self.file.as_ref().map_or(Ok(()), |file| file.require());
                require()?;
                let connection = options.connect().await?;
                require()?;
                Ok(Connection::Sqlite(connection))
            }
            Pool::Postgres(pool) => {
                let connection = postgres::connect_beside(pool, self.durability).await?;
                Ok(Connection::Postgres(connection))
            }
        }
    }

    /// Whether there is a connection already.
    pub(super) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Notes when the fence was set, as it was found over the connection.
    pub(super) fn note_fence(&mut self, set_at: i64) {
        self.fenced_at = set_at;
    }

    /// When the fence had been set last when a connection was made that lasts, or as it was found since, in seconds since
    /// 1970; zero if never.
    pub(super) fn fenced_at(&self) -> i64 {
        self.fenced_at
    }

    /// Puts the connection back.
    pub(super) fn put_back(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// Whether answers come from another process, so that they can fail to come.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }
}
