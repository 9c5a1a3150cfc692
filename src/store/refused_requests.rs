//! Refused token requests. Notes, not configuration: no feed, no audit trail, and no harm if some are lost.

use std::collections::BTreeSet;

use sqlx::sqlite::SqliteSynchronous;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, FromRow, SqliteConnection, SqlitePool,
};

use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::excerpt::Excerpt;
use crate::domain::organization::OrganizationNumber;
use crate::domain::refused_request::{NamedClient, RefusedRequest, RefusedRequestPlace};
use crate::domain::step::Step;
use crate::store::{Store, StoreError};

/// The most records of one batch. An insert of so many holds the write lock for a few milliseconds, which
/// the commit of spent assertions behind it does not notice.
pub const REFUSED_REQUESTS_MAX: usize = 64;

/// Records that are deleted to make room at once, for the same reason.
const SLICE_ROWS: u32 = 500;

/// The columns, in the order in which they are read and written.
const COLUMNS: &str = "trace_id, at, client_id, organization_number, signature_verified, error, code, \
     answer, passed, failed, seen, expected, kid, certificate_number, scopes, consumer_number";
const COLUMN_COUNT: usize = 16;

/// Whose records are listed.
#[derive(Clone, Debug)]
pub enum RefusedRequestsOf {
    /// Those of one client.
    Client(ClientId),
    /// Everybody's, and those that belong to nobody: for the operator alone.
    Everybody,
    /// Those of every client of one organization.
    Organization(OrganizationNumber),
}

/// How many records are kept of one sender; the newest.
#[derive(Clone, Copy, Debug)]
pub struct RefusedRequestBounds {
    /// Of one client, with a signature of the client.
    pub signed: u32,
    /// Of one client, with a signature that is not known to be the client's.
    pub unsigned: u32,
    /// Of all clients that do not exist together.
    pub of_nobody: u32,
}

/// Writes and deletes records over a connection of its own, so that changes of configuration do not wait for
/// it. Its commits are not forced to the disk: a power failure may lose the last seconds.
#[derive(Debug)]
pub struct RefusedRequestWriter {
    pool: SqlitePool,
    connection: Option<SqliteConnection>,
}

#[derive(FromRow)]
struct RefusedRequestRow {
    trace_id: String,
    at: i64,
    client_id: Option<String>,
    organization_number: Option<String>,
    signature_verified: bool,
    error: String,
    code: Option<String>,
    answer: String,
    passed: String,
    failed: Option<String>,
    seen: Option<String>,
    expected: Option<String>,
    kid: Option<String>,
    certificate_number: Option<String>,
    scopes: Option<String>,
    consumer_number: Option<String>,
}

impl Store {
    /// The record of that request. Who may see it is decided by [`RefusedRequest::client`].
    pub async fn refused_request(
        &self,
        trace_id: &str,
    ) -> Result<Option<RefusedRequest>, StoreError> {
        let select = format!("select {COLUMNS} from refused_request where trace_id = $1");
        let row: Option<RefusedRequestRow> = sqlx::query_as(AssertSqlSafe(select))
            .bind(trace_id)
            .fetch_optional(&self.readers)
            .await?;
        row.map(RefusedRequest::try_from).transpose()
    }

    /// The records of somebody, newest first, at most `limit`, from behind `after` if that is given.
    pub async fn refused_requests(
        &self,
        of: &RefusedRequestsOf,
        after: Option<&RefusedRequestPlace>,
        limit: u32,
    ) -> Result<Vec<RefusedRequest>, StoreError> {
        let (condition, owner) = match of {
            RefusedRequestsOf::Client(id) => ("client_id = $4", id.as_str()),
            RefusedRequestsOf::Everybody => ("$4 = ''", ""),
            RefusedRequestsOf::Organization(number) => {
                ("organization_number = $4", number.as_str())
            }
        };
        let (at, trace_id) =
            after.map_or((i64::MAX, ""), |place| (place.at.seconds(), &place.trace_id));
        let select = format!(
            "select {COLUMNS} from refused_request where (at, trace_id) < ($1, $2) and {condition} \
             order by at desc, trace_id desc limit $3"
        );
        let rows: Vec<RefusedRequestRow> = sqlx::query_as(AssertSqlSafe(select))
            .bind(at)
            .bind(trace_id)
            .bind(i64::from(limit))
            .bind(owner)
            .fetch_all(&self.readers)
            .await?;
        rows.into_iter().map(RefusedRequest::try_from).collect()
    }

    /// A writer of records; it connects when it is first used.
    pub fn refused_request_writer(&self) -> RefusedRequestWriter {
        RefusedRequestWriter { pool: self.writer.clone(), connection: None }
    }
}

impl RefusedRequestWriter {
    /// Writes records, all in one transaction, and deletes what their senders have too many of. At most
    /// [`REFUSED_REQUESTS_MAX`]. After an error none of them has been written.
    pub async fn write(
        &mut self,
        records: &[RefusedRequest],
        bounds: RefusedRequestBounds,
    ) -> Result<(), StoreError> {
        let mut connection = self.connect().await?;
        let mut transaction =
            connection.begin_with(AssertSqlSafe("begin immediate".to_owned())).await?;
        insert(&mut transaction, records).await?;
        let senders: BTreeSet<(Option<&str>, bool)> = records
            .iter()
            .map(|record| {
                let client = record.client.as_ref().map(|client| client.id.as_str());
                (client, record.signature_verified)
            })
            .collect();
        for (client, signed) in senders {
            keep_newest(&mut transaction, client, signed, bounds).await?;
        }
        transaction.commit().await?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Deletes a slice of the records from before `oldest`, and a slice of those beyond `records_max`, first
    /// those whose signature is not known to be right. Returns whether there may be more to delete.
    pub async fn make_room(
        &mut self,
        oldest: Timestamp,
        records_max: u32,
    ) -> Result<bool, StoreError> {
        let mut connection = self.connect().await?;
        let aged = sqlx::query(
            "delete from refused_request where trace_id in \
             (select trace_id from refused_request where at < $1 order by at, trace_id limit $2)",
        )
        .bind(oldest.seconds())
        .bind(i64::from(SLICE_ROWS))
        .execute(&mut connection)
        .await?
        .rows_affected();
        let count: i64 = sqlx::query_scalar("select count(*) from refused_request")
            .fetch_one(&mut connection)
            .await?;
        let surplus = count - i64::from(records_max);
        if surplus > 0 {
            sqlx::query(
                "delete from refused_request where trace_id in (select trace_id from refused_request \
                 order by signature_verified, at, trace_id limit $1)",
            )
            .bind(surplus.min(i64::from(SLICE_ROWS)))
            .execute(&mut connection)
            .await?;
        }
        self.connection = Some(connection);
        let slice = i64::from(SLICE_ROWS);
        Ok(aged == u64::from(SLICE_ROWS) || surplus > slice)
    }

    /// The connection, taken out: whoever ends well puts it back, and a transaction that does not ends with
    /// its connection. Nothing is written once the store is closed.
    async fn connect(&mut self) -> Result<SqliteConnection, StoreError> {
        if self.pool.is_closed() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => {
                let options = (*self.pool.connect_options()).clone();
                Ok(options.synchronous(SqliteSynchronous::Normal).connect().await?)
            }
        }
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    records: &[RefusedRequest],
) -> Result<(), StoreError> {
    // Only the number of placeholders varies, never text from outside.
    let values = |row: usize| {
        let places = (1..=COLUMN_COUNT).map(|column| format!("${}", row * COLUMN_COUNT + column));
        format!("({})", places.collect::<Vec<_>>().join(", "))
    };
    let values: Vec<String> = (0..records.len()).map(values).collect();
    let insert = format!("insert into refused_request ({COLUMNS}) values {}", values.join(", "));
    // Too many sizes to keep a prepared statement for each.
    let mut insert = sqlx::query(AssertSqlSafe(insert)).persistent(false);
    for record in records {
        let passed: Vec<&str> = record.passed.iter().map(|step| step.name()).collect();
        let client = record.client.as_ref();
        insert = insert
            .bind(&record.trace_id)
            .bind(record.at.seconds())
            .bind(client.map(|client| client.id.as_str()))
            .bind(client.map(|client| client.organization.as_str()))
            .bind(record.signature_verified)
            .bind(&record.error)
            .bind(&record.code)
            .bind(record.answer.as_str())
            .bind(passed.join(" "))
            .bind(record.failed.map(Step::name))
            .bind(record.seen.as_ref().map(Excerpt::as_str))
            .bind(record.expected.as_ref().map(Excerpt::as_str))
            .bind(record.kid.as_ref().map(Excerpt::as_str))
            .bind(record.certificate_organization.as_ref().map(OrganizationNumber::as_str))
            .bind(record.scopes.as_ref().map(Excerpt::as_str))
            .bind(record.consumer.as_ref().map(OrganizationNumber::as_str));
    }
    insert.execute(connection).await?;
    Ok(())
}

/// Deletes all but the newest records of one sender. The limit beside the offset is there because one
/// database wants it; a sender never has more than a batch too many.
async fn keep_newest(
    connection: &mut SqliteConnection,
    client: Option<&str>,
    signed: bool,
    bounds: RefusedRequestBounds,
) -> Result<(), StoreError> {
    let (sender, keep) = match (client, signed) {
        (Some(_), true) => ("client_id = $1", bounds.signed),
        (Some(_), false) => ("client_id = $1", bounds.unsigned),
        (None, _) => ("client_id is null and $1 = ''", bounds.of_nobody),
    };
    let delete = format!(
        "delete from refused_request where trace_id in (select trace_id from refused_request \
         where {sender} and signature_verified = $2 \
         order by at desc, trace_id desc limit $3 offset $4)"
    );
    sqlx::query(AssertSqlSafe(delete))
        .bind(client.unwrap_or_default())
        .bind(signed)
        .bind(i64::from(SLICE_ROWS))
        .bind(i64::from(keep))
        .execute(connection)
        .await?;
    Ok(())
}

impl TryFrom<RefusedRequestRow> for RefusedRequest {
    type Error = StoreError;

    fn try_from(row: RefusedRequestRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("refused_request", problem);
        let step = |name: &str| Step::from_name(name).ok_or_else(|| corrupt(&name));
        let number = |number: Option<String>| {
            number.map(|number| number.parse().map_err(|e| corrupt(&e))).transpose()
        };
        let excerpt = |text: Option<String>| text.map(|text| Excerpt::of(&text));
        let client = match (row.client_id, row.organization_number) {
            (Some(id), Some(organization)) => Some(NamedClient {
                id: id.parse().map_err(|e| corrupt(&e))?,
                organization: organization.parse().map_err(|e| corrupt(&e))?,
            }),
            (None, None) => None,
            _ => return Err(corrupt(&"a client without organization, or the other way round")),
        };
        Ok(Self {
            trace_id: row.trace_id,
            at: Timestamp::from_seconds(row.at),
            client,
            signature_verified: row.signature_verified,
            error: row.error,
            code: row.code,
            answer: Excerpt::of(&row.answer),
            passed: row.passed.split_whitespace().map(step).collect::<Result<_, _>>()?,
            failed: row.failed.as_deref().map(step).transpose()?,
            seen: excerpt(row.seen),
            expected: excerpt(row.expected),
            kid: excerpt(row.kid),
            certificate_organization: number(row.certificate_number)?,
            scopes: excerpt(row.scopes),
            consumer: number(row.consumer_number)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: RefusedRequestBounds =
        RefusedRequestBounds { signed: 3, unsigned: 2, of_nobody: 1 };

    fn record(number: u8, client: Option<&str>, signature_verified: bool) -> RefusedRequest {
        RefusedRequest {
            trace_id: format!("{number:032x}"),
            at: Timestamp::from_seconds(1_000 + i64::from(number) / 2),
            client: client.map(|id| NamedClient {
                id: id.parse().unwrap(),
                organization: "310000116".parse().unwrap(),
            }),
            signature_verified,
            error: "invalid_grant".to_owned(),
            code: Some("MP-110".to_owned()),
            answer: Excerpt::of("Invalid."),
            passed: vec![Step::Form, Step::Parse],
            failed: Some(Step::Client),
            seen: Some(Excerpt::of("a \u{e5}")),
            expected: None,
            kid: Some(Excerpt::of("k")),
            certificate_organization: Some("310000116".parse().unwrap()),
            scopes: Some(Excerpt::of("a:b a:c")),
            consumer: None,
        }
    }

    async fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("a.db")).await.unwrap();
        store.migrate().await.unwrap();
        (folder, store)
    }

    async fn numbers(store: &Store, of: &RefusedRequestsOf) -> Vec<u8> {
        let records = store.refused_requests(of, None, 100).await.unwrap();
        records.iter().map(|record| u8::from_str_radix(&record.trace_id, 16).unwrap()).collect()
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let (_folder, store) = store().await;
        let records = [record(1, Some("a"), true), record(2, None, false)];
        store.refused_request_writer().write(&records, BOUNDS).await.unwrap();
        for record in records {
            assert_eq!(store.refused_request(&record.trace_id).await.unwrap(), Some(record));
        }
        assert_eq!(store.refused_request("x").await.unwrap(), None);
    }

    #[tokio::test]
    async fn each_sender_keeps_its_newest() {
        let (_folder, store) = store().await;
        let mut writer = store.refused_request_writer();
        for number in 0..6 {
            let records = [
                record(10 + number, Some("a"), true),
                record(20 + number, Some("a"), false),
                record(30 + number, Some("b"), false),
                record(40 + number, None, false),
            ];
            writer.write(&records, BOUNDS).await.unwrap();
        }
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert_eq!(numbers(&store, &RefusedRequestsOf::Client(a)).await, [25, 24, 15, 14, 13]);
        assert_eq!(numbers(&store, &RefusedRequestsOf::Client(b)).await, [35, 34]);
        let number = "310000116".parse().unwrap();
        let of_organization = numbers(&store, &RefusedRequestsOf::Organization(number)).await;
        assert_eq!(of_organization, [35, 34, 25, 24, 15, 14, 13]);
        let everybody = numbers(&store, &RefusedRequestsOf::Everybody).await;
        assert_eq!(everybody, [45, 35, 34, 25, 24, 15, 14, 13]);
        let other = RefusedRequestsOf::Organization("310000108".parse().unwrap());
        assert!(numbers(&store, &other).await.is_empty());
    }

    #[tokio::test]
    async fn pages_follow_each_other_without_gap_or_repeat() {
        let (_folder, store) = store().await;
        let mut writer = store.refused_request_writer();
        let bounds = RefusedRequestBounds { signed: 100, ..BOUNDS };
        let records: Vec<_> = (0..7).map(|number| record(number, Some("a"), true)).collect();
        writer.write(&records, bounds).await.unwrap();
        let of = RefusedRequestsOf::Client("a".parse().unwrap());
        let mut seen = Vec::new();
        let mut place = None;
        loop {
            let page = store.refused_requests(&of, place.as_ref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            place = Some(last.place());
            seen.extend(page);
        }
        assert_eq!(seen, records.into_iter().rev().collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn room_is_made_by_age_and_then_by_standing() {
        let (_folder, store) = store().await;
        let mut writer = store.refused_request_writer();
        let records = [
            record(0, Some("a"), true),
            record(20, Some("b"), true),
            record(22, Some("c"), true),
            record(24, Some("d"), false),
        ];
        writer.write(&records, BOUNDS).await.unwrap();
        let oldest = Timestamp::from_seconds(1_001);
        assert!(!writer.make_room(oldest, 100).await.unwrap());
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [24, 22, 20]);
        writer.make_room(oldest, 2).await.unwrap();
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [22, 20]);
        writer.make_room(oldest, 1).await.unwrap();
        assert_eq!(numbers(&store, &RefusedRequestsOf::Everybody).await, [22]);
    }
}
