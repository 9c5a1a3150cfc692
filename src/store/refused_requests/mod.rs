//! Refused token requests. Notes, not configuration: no feed, no audit trail, and no harm if some are lost.

use std::collections::BTreeSet;

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::excerpt::Excerpt;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Page;
use crate::domain::refused_request::{
    NamedBusiness, NamedClient, RefusedRequest, RefusedRequestPlace,
};
use crate::domain::step::Step;
use crate::store::database::{On, Turn, places_of_rows, query, query_of};
use crate::store::reading::kept;
use crate::store::side_connection::{Durability, SideConnection};
use crate::store::{Store, StoreError};

/// The most records of one batch. An insert of so many holds the write lock for a few milliseconds, which
/// the commit of spent assertions behind it does not notice.
pub const REFUSED_REQUESTS_MAX: usize = 64;

/// Records that are deleted to make room at once, for the same reason.
const SLICE_ROWS: u32 = 500;

/// The columns, in the order in which they are read and written.
const COLUMNS: &str = "trace_id, at, client_id, organization_number, signature_verified, error, code, \
     answer, passed, failed, seen, expected, kid, certificate_number, scopes, consumer_number, business_identifier, \
     business_client_id";
const COLUMN_COUNT: usize = 18;

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

/// Writes and deletes records over a connection of its own.
#[derive(Debug)]
pub struct RefusedRequestWriter(SideConnection);

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
    business_identifier: Option<String>,
    business_client_id: Option<String>,
}

kept! {
    RefusedRequestRow: "refused_request", 1;
}

impl Store {
    /// The record of that request. Who may see it is decided by [`RefusedRequest::client`].
    pub async fn refused_request(
        &self,
        trace_id: &str,
    ) -> Result<Option<RefusedRequest>, StoreError> {
        let select = format!("select {COLUMNS} from refused_request where trace_id = $1");
        self.reading().one::<RefusedRequestRow, _>(query_of(select).bind(trace_id)).await
    }

    /// A page of the records of somebody, newest first, from behind `after` if that is given.
    pub async fn refused_requests(
        &self,
        of: &RefusedRequestsOf,
        after: Option<&RefusedRequestPlace>,
        limit: u32,
    ) -> Result<Page<RefusedRequest>, StoreError> {
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
        let list = |limit| query_of(select.clone()).bind(at).bind(trace_id).bind(limit).bind(owner);
        self.page::<RefusedRequestRow, _>(limit, list).await
    }

    /// A writer of records; it connects when it is first used.
    pub fn refused_request_writer(&self) -> RefusedRequestWriter {
        RefusedRequestWriter(SideConnection::new(self, Durability::Lazy))
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
        let mut connection = self.0.take().await?;
        let mut transaction = connection.begin(Turn::RefusedRequest).await?;
        insert(transaction.on(), records).await?;
        let senders: BTreeSet<(Option<&str>, bool)> = records
            .iter()
            .map(|record| {
                let client = record.client.as_ref().map(|client| client.id.as_str());
                (client, record.signature_verified)
            })
            .collect();
        for (client, signed) in senders {
            keep_newest(transaction.on(), client, signed, bounds).await?;
        }
        transaction.commit().await?;
        self.0.put_back(connection);
        Ok(())
    }

    /// Deletes a slice of the records from before `oldest`, and a slice of those beyond `records_max`, first
    /// those whose signature is not known to be right. Returns whether there may be more to delete.
    pub async fn make_room(
        &mut self,
        oldest: Timestamp,
        records_max: u32,
    ) -> Result<bool, StoreError> {
        let mut connection = self.0.take().await?;
        let aged = connection
            .execute_alone(
                Turn::RefusedRequest,
                query(
                    "delete from refused_request where trace_id in \
             (select trace_id from refused_request where at < $1 order by at, trace_id limit $2)",
                )
                .bind(oldest.seconds())
                .bind(i64::from(SLICE_ROWS)),
            )
            .await?;
        // Others write between two of these, each of which takes some milliseconds.
        self.0.put_back(connection);
        let mut connection = self.0.take().await?;
        let (count,): (i64,) =
            query("select count(*) from refused_request").fetch_one(&mut *connection).await?;
        self.0.put_back(connection);
        let surplus = count - i64::from(records_max);
        if surplus > 0 {
            let beyond = query(
                "delete from refused_request where trace_id in (select trace_id from refused_request \
                 order by signature_verified, at, trace_id limit $1)",
            )
            .bind(surplus.min(i64::from(SLICE_ROWS)));
            let mut connection = self.0.take().await?;
            connection.execute_alone(Turn::RefusedRequest, beyond).await?;
            self.0.put_back(connection);
        }
        let slice = i64::from(SLICE_ROWS);
        Ok(aged == u64::from(SLICE_ROWS) || surplus > slice)
    }
}

async fn insert(connection: On<'_>, records: &[RefusedRequest]) -> Result<(), StoreError> {
    let places = places_of_rows(1, records.len(), COLUMN_COUNT);
    let insert = format!("insert into refused_request ({COLUMNS}) values {places}");
    // Too many sizes to keep a prepared statement for each.
    let mut insert = query_of(insert).persistent(false);
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
            .bind(record.consumer.as_ref().map(OrganizationNumber::as_str))
            .bind(record.business.as_ref().map(|business| business.identifier.as_str()))
            .bind(record.business.as_ref().map(|business| business.client.as_str()));
    }
    insert.execute(connection).await?;
    Ok(())
}

/// Deletes all but the newest records of one sender. The limit beside the offset is there because one
/// database wants it; a sender never has more than a batch too many.
async fn keep_newest(
    connection: On<'_>,
    client: Option<&str>,
    signed: bool,
    bounds: RefusedRequestBounds,
) -> Result<(), StoreError> {
    let (delete, keep) = match (client, signed) {
        (Some(_), true) => (delete_beyond("client_id = $1"), bounds.signed),
        (Some(_), false) => (delete_beyond("client_id = $1"), bounds.unsigned),
        (None, _) => (delete_beyond("client_id is null and $1 = ''"), bounds.of_nobody),
    };
    query_of(delete)
        .bind(client.unwrap_or_default())
        .bind(signed)
        .bind(i64::from(SLICE_ROWS))
        .bind(i64::from(keep))
        .execute(connection)
        .await?;
    Ok(())
}

fn delete_beyond(sender: &'static str) -> String {
    format!(
        "delete from refused_request where trace_id in (select trace_id from refused_request \
         where {sender} and signature_verified = $2 \
         order by at desc, trace_id desc limit $3 offset $4)"
    )
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
        let business = match (row.business_identifier, row.business_client_id) {
            (Some(identifier), Some(client)) => Some(NamedBusiness {
                identifier: identifier.parse().map_err(|e| corrupt(&e))?,
                client: client.parse().map_err(|e| corrupt(&e))?,
            }),
            (None, None) => None,
            _ => return Err(corrupt(&"half of a European business")),
        };
        Ok(Self {
            trace_id: row.trace_id,
            at: Timestamp::from_seconds(row.at),
            client,
            business,
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
mod tests;
