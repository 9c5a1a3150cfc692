//! Rows as they are read, and which of them cannot be.
//!
//! A row that holds something this program never writes, because a hand or a disk has changed it, does not take with it
//! what stands beside it: a list leaves it out. Whoever asks for that very row is refused, and so is everything that
//! depends on it, because what is half read could be worth more than the whole: a client whose key is overlooked is one
//! without a key. Either way it is told: the log says so when such a row is met, and it counts as unreadable until it
//! has been read.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use crate::domain::record::{Page, RowName};
use crate::store::database::{On, Query, Row};
use crate::store::{Store, StoreError};

/// Unreadable rows that are remembered. More than that is no longer about rows, and the log says so.
const REMEMBERED_MAX: usize = 1_000;

/// Rows that are read for one page, however few of them can be read: enough for the largest page, and to find the end of
/// a stretch of unreadable ones.
const READ_MAX: i64 = 10_000;

/// What stands for a part of a key that cannot be read either.
const UNKNOWN: &str = "?";

/// Rows of one table, whose first columns are the key.
pub(super) trait Kept: Row {
    /// The table.
    const TABLE: &'static str;
    /// How many columns its key has.
    const KEY_COLUMNS: usize;
}

/// The rows that could not be read when they were last met.
#[derive(Clone, Debug, Default)]
pub struct UnreadableRows(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    rows: Mutex<BTreeSet<RowName>>,
    /// Whether there are any, so that those who read what they should need not wait for each other.
    any: AtomicBool,
}

/// Where rows are read.
pub(super) struct Reading<'c> {
    on: On<'c>,
    unreadable: &'c UnreadableRows,
}

/// A row as far as its columns have the right types, and its key.
struct Attempt<R> {
    key: String,
    row: Result<R, String>,
}

impl UnreadableRows {
    /// All of them, by table and key.
    pub fn list(&self) -> Vec<RowName> {
        self.rows(|rows| rows.iter().cloned().collect())
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows(|rows| rows.len())
    }

    /// Notes whether a row can be read, or why not. Whoever reads more into a row than the store does says so with a
    /// name of its own for the table.
    pub fn note(&self, table: &'static str, key: &str, read: Result<(), &str>) {
        match read {
            Ok(()) if !self.0.any.load(Ordering::Acquire) => {}
            Ok(()) => self.rows(|rows| {
                if rows.remove(&RowName { table, key: key.to_owned() }) {
                    tracing::info!(table, key, "a row can be read again");
                }
                self.0.any.store(!rows.is_empty(), Ordering::Release);
            }),
            Err(problem) => self.rows(|rows| {
                let name = RowName { table, key: key.to_owned() };
                if rows.len() < REMEMBERED_MAX && rows.insert(name) {
                    self.0.any.store(true, Ordering::Release);
                    tracing::error!(
                        table,
                        key,
                        problem,
                        "a row cannot be read: what depends on it is refused, and lists lack it"
                    );
                    if rows.len() == REMEMBERED_MAX {
                        tracing::error!(
                            rows = REMEMBERED_MAX,
                            "no more unreadable rows are told of"
                        );
                    }
                }
            }),
        }
    }

    fn rows<T>(&self, look: impl FnOnce(&mut BTreeSet<RowName>) -> T) -> T {
        look(&mut self.0.rows.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn read<R: Kept, T: TryFrom<R, Error = StoreError>>(
        &self,
        Attempt { key, row }: Attempt<R>,
    ) -> Result<T, StoreError> {
        let corrupt = |problem: String| StoreError::Corrupt { table: R::TABLE, problem };
        let read = row.map_err(corrupt).and_then(T::try_from);
        if let Err(StoreError::Corrupt { problem, .. }) = &read {
            self.note(R::TABLE, &key, Err(problem));
            return Err(corrupt(format!("{key}: {problem}")));
        }
        self.note(R::TABLE, &key, Ok(()));
        read
    }
}

impl<'c> Reading<'c> {
    pub(super) fn new(on: impl Into<On<'c>>, unreadable: &'c UnreadableRows) -> Self {
        Self { on: on.into(), unreadable }
    }

    /// The same, for the first of two statements.
    pub(super) fn again(&mut self) -> Reading<'_> {
        Reading { on: self.on.again(), unreadable: self.unreadable }
    }

    /// The first row of a statement, if it has one.
    pub(super) async fn one<R: Kept, T: TryFrom<R, Error = StoreError>>(
        self,
        statement: Query<'_>,
    ) -> Result<Option<T>, StoreError> {
        let found: Option<Attempt<R>> = statement.fetch_optional(self.on).await?;
        found.map(|attempt| self.unreadable.read(attempt)).transpose()
    }

    /// The rows of a statement, all of them or an error: for what is decided by.
    pub(super) async fn all<R: Kept, T: TryFrom<R, Error = StoreError>>(
        self,
        statement: Query<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let found: Vec<Attempt<R>> = statement.fetch_all(self.on).await?;
        found.into_iter().map(|attempt| self.unreadable.read(attempt)).collect()
    }

    /// The rows of a statement that can be read: for what is shown.
    pub(super) async fn readable<R: Kept, T: TryFrom<R, Error = StoreError>>(
        self,
        statement: Query<'_>,
    ) -> Result<Vec<T>, StoreError> {
        let found: Vec<Attempt<R>> = statement.fetch_all(self.on).await?;
        Ok(found.into_iter().filter_map(|attempt| self.unreadable.read(attempt).ok()).collect())
    }
}

impl Store {
    /// The rows that could not be read when they were last met.
    pub fn unreadable_rows(&self) -> &UnreadableRows {
        &self.unreadable
    }

    /// Reads what everybody may see who is not changing anything.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading::new(&self.readers, &self.unreadable)
    }

    /// A page of at most `limit` of those rows that can be read. `list` makes the statement that reads so many rows.
    pub(super) async fn page<'q, R: Kept, T: TryFrom<R, Error = StoreError>>(
        &self,
        limit: u32,
        list: impl Fn(i64) -> Query<'q>,
    ) -> Result<Page<T>, StoreError> {
        let mut wanted = i64::from(limit) + 1;
        loop {
            let found: Vec<Attempt<R>> = list(wanted).fetch_all(&self.readers).await?;
            let is_end = i64::try_from(found.len()).is_ok_and(|found| found < wanted);
            let readable = found.into_iter().filter_map(|it| self.unreadable.read(it).ok());
            let page = Page::of(readable.collect(), limit);
            if is_end || page.has_more {
                return Ok(page);
            }
            // Some could not be read. Were the page as short as it is, nobody would look behind it.
            if wanted >= READ_MAX {
                let problem = format!("{READ_MAX} rows in one place hold too few that can be");
                return Err(StoreError::Corrupt { table: R::TABLE, problem });
            }
            wanted = (2 * wanted).min(READ_MAX);
        }
    }
}

/// How a row of one database is read.
macro_rules! attempt {
    ($row:ty) => {
        impl<'r, R: Kept> FromRow<'r, $row> for Attempt<R> {
            fn from_row(row: &'r $row) -> Result<Self, sqlx::Error> {
                let part = |column: usize| {
                    let text = row.try_get::<String, _>(column);
                    let number = |_| row.try_get::<i64, _>(column).map(|number| number.to_string());
                    text.or_else(number).unwrap_or_else(|_| UNKNOWN.to_owned())
                };
                let key = (0..R::KEY_COLUMNS).map(part).collect::<Vec<_>>().join(" ");
                let read = <R as FromRow<'r, $row>>::from_row(row);
                Ok(Self { key, row: read.map_err(|error| error.to_string()) })
            }
        }
    };
}

attempt!(SqliteRow);
attempt!(PgRow);

/// Says of which table rows are, and how many of their first columns are its key.
macro_rules! kept {
    ($($row:ty: $table:literal, $columns:literal;)+) => {
        $(impl $crate::store::reading::Kept for $row {
            const TABLE: &'static str = $table;
            const KEY_COLUMNS: usize = $columns;
        })+
    };
}

pub(super) use kept;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::domain::organization::{Organization, OrganizationNumber, OrganizationStatus};
    use crate::store::database::query_of;
    use crate::store::tests::migrated;

    /// Makes so many organizations, by number before all others, that are neither active nor not.
    async fn spoil(store: &Store, count: i64) {
        let spoilt = format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
             insert into organization (number, name, active, created_at) \
             select printf('1%08d', i), 'spoilt', 'nonsense', 0 from n"
        );
        query_of(spoilt).execute(&store.writer).await.unwrap();
    }

    async fn first(store: &Store) -> Result<Vec<OrganizationNumber>, StoreError> {
        let page = store.organizations(None, None, 1).await?;
        assert!(!page.has_more);
        Ok(page.items.into_iter().map(|organization| organization.value.number).collect())
    }

    #[tokio::test]
    async fn a_page_goes_on_behind_rows_that_cannot_be_read_and_does_not_end_among_too_many() {
        let (store, _folder) = migrated().await;
        let good: OrganizationNumber = "310000108".parse().unwrap();
        let organization = Organization {
            number: good,
            name: "good".to_owned(),
            status: OrganizationStatus::Active,
        };
        let mut transaction = store.begin().await.unwrap();
        let now = Timestamp::from_seconds(0);
        transaction.insert_organization(&organization, now).await.unwrap();
        transaction.commit().await.unwrap();

        spoil(&store, 50).await;
        assert_eq!(first(&store).await.unwrap(), [good]);
        assert_eq!(store.unreadable_rows().count(), 50);
        let one = &store.unreadable_rows().list()[0];
        assert_eq!((one.table, one.key.as_str()), ("organization", "100000001"));

        let mend = "delete from organization where name = 'spoilt'".to_owned();
        query_of(mend).execute(&store.writer).await.unwrap();
        spoil(&store, READ_MAX).await;
        assert!(matches!(first(&store).await, Err(StoreError::Corrupt { .. })), "the page ended");
        assert_eq!(store.unreadable_rows().count(), REMEMBERED_MAX);
    }
}
