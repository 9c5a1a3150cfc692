//! A connection beside the pool, for what is written in batches by one task.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteSynchronous;

use crate::store::database::{Connection, Pool, ROWS_AT_ONCE_POSTGRES, ROWS_AT_ONCE_SQLITE};
use crate::store::database_file::{DatabaseFile, FirstPlace};
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

/// A connection that has been taken, first in the line of those of this program to the same file.
#[derive(Debug)]
pub(super) struct Taken {
    connection: Connection,
    /// `None` where there is no line, or somebody takes long.
    place: Option<FirstPlace>,
}

impl Deref for Taken {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Taken {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl SideConnection {
    pub(super) fn new(store: &Store, durability: Durability) -> Self {
        let (pool, file) = (store.writer.clone(), store.file.clone());
        Self { pool, file, durability, connection: None, fenced_at: 0 }
    }

    /// The connection, taken out when those before it are done: whoever ends well puts it back, and a transaction that does not
    /// ends with its connection. Nothing is written once the store is closed.
    pub(super) async fn take(&mut self) -> Result<Taken, StoreError> {
        let place = match &self.file {
            Some(file) => file.line_up().await,
            None => None,
        };
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect_anew().await?,
        };
        Ok(Taken { connection, place })
    }

    async fn connect_anew(&mut self) -> Result<Connection, StoreError> {
        let mut connection = self.connect().await?;
        if matches!(self.durability, Durability::Full) {
            self.fenced_at = fence::set_at(&mut connection).await?;
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        match &self.pool {
            Pool::Sqlite(pool) => {
                let options = sqlite::batches((*pool.connect_options()).clone());
                let options = match self.durability {
                    Durability::Full => {
                        sqlite::prompt(options.synchronous(SqliteSynchronous::Full))
                    }
                    Durability::Lazy => options.synchronous(SqliteSynchronous::Normal),
                };
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

    /// Puts the connection back, and leaves the line.
    pub(super) fn put_back(&mut self, Taken { connection, place }: Taken) {
        self.connection = Some(connection);
        drop(place);
    }

    /// Rows that a statement writes where many are to be written. One that always has the same size can stay prepared.
    pub(super) fn rows_at_once(&self) -> usize {
        match self.pool {
            Pool::Sqlite(_) => ROWS_AT_ONCE_SQLITE,
            Pool::Postgres(_) => ROWS_AT_ONCE_POSTGRES,
        }
    }

    /// Whether answers come from another process, so that they can fail to come.
    pub(super) fn is_remote(&self) -> bool {
        matches!(self.pool, Pool::Postgres(_))
    }
}
