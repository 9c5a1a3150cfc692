//! Alerts of organizations. Notes beside the configuration: no feed and no audit trail of their own.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::alert::{Alert, AlertDetails, AlertKind};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Page;
use crate::domain::scope::ScopeName;
use crate::store::database::{query, query_of};
use crate::store::reading::kept;
use crate::store::{Store, StoreError, Transaction, as_json, from_json, named};

/// Rows that are deleted at once, so that changes do not wait for long.
const SLICE_ROWS: i64 = 500;

/// An alert to be kept.
#[derive(Clone, Debug)]
pub struct NewAlert {
    /// Who should know.
    pub organization: OrganizationNumber,
    /// What it is about.
    pub kind: AlertKind,
    /// What it tells of, and which time: of two with the same subject the second is none.
    pub subject: String,
    /// What there is to say.
    pub details: AlertDetails,
}

/// A key that ends, of which nobody has been told at this threshold.
#[derive(Clone, Debug)]
pub struct EndingKey {
    /// Whose it is.
    pub organization: OrganizationNumber,
    /// What the alert about it is to have as its subject.
    pub subject: String,
    /// The client it is registered on, and that client's name.
    pub client: (String, String),
    /// Its id.
    pub kid: String,
    /// Its document.
    pub jwk: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(FromRow)]
struct AlertRow {
    id: i64,
    organization_number: String,
    kind: String,
    details: String,
    created_at: i64,
}

#[derive(FromRow)]
struct KeyRow {
    organization_number: String,
    subject: String,
    client_id: String,
    client_name: String,
    kid: String,
    jwk: String,
    expires_at: i64,
}

kept! {
    AlertRow: "alert", 1;
    KeyRow: "client_key", 2;
}

const COLUMNS: &str = "id, organization_number, kind, details, created_at";

const UNMAILED: &str = "select organization_number from alert \
     where mailed_at is null and organization_number > $1 and created_at > $2 \
     order by organization_number limit 1";

const CLAIM: &str = "update alert set mailed_at = $4 where id in (select id from alert \
     where mailed_at is null and organization_number = $1 and created_at > $2 \
     order by created_at limit $3) returning id, organization_number, kind, details, created_at";

const FORGET: &str = "delete from alert where id in \
     (select id from alert where created_at < $1 order by created_at, id limit $2)";

/// Keys that were as they are now when the threshold came: one that has been given so short a life is on purpose.
const ENDING: &str = "select k.client_id, k.kid, c.organization_number, \
     k.client_id || ' ' || k.kid || ' ' || k.expires_at || ' ' || $4 as subject, \
     c.name as client_name, k.jwk, k.expires_at \
     from client_key k cross join client c \
     where c.id = k.client_id and k.expires_at > $1 and k.expires_at <= $2 and k.updated_at <= k.expires_at - $3 \
     and k.active and c.active and not exists (select 1 from alert a \
     where a.organization_number = c.organization_number \
     and a.subject = k.client_id || ' ' || k.kid || ' ' || k.expires_at || ' ' || $4) \
     order by k.expires_at, k.client_id, k.kid limit $5";

impl Store {
    /// Alerts of an organization, newest first, at most `limit`, before the alert `before`.
    pub async fn alerts(
        &self,
        organization: OrganizationNumber,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Page<Alert>, StoreError> {
        let list = |rows: i64| {
            query_of(list()).bind(organization.as_str()).bind(before.unwrap_or(i64::MAX)).bind(rows)
        };
        self.page::<AlertRow, _>(limit, list).await
    }

    /// The first organization, after that one, with alerts from after `oldest` that have not been mailed.
    pub async fn organization_to_mail(
        &self,
        after: Option<OrganizationNumber>,
        oldest: Timestamp,
    ) -> Result<Option<OrganizationNumber>, StoreError> {
        let found: Option<(String,)> = query(UNMAILED)
            .bind(after.map_or_else(String::new, String::from))
            .bind(oldest.seconds())
            .fetch_optional(&self.readers)
            .await?;
        found.map(|(text,)| text.parse().map_err(|e| StoreError::corrupt("alert", &e))).transpose()
    }

    /// Keys in use that end after `after` and at `until` or before, were not touched in the `days` before their end,
    /// and have no alert for that many days; at most `limit`.
    pub async fn ending_keys(
        &self,
        after: Timestamp,
        until: Timestamp,
        days: i64,
        limit: u32,
    ) -> Result<Vec<EndingKey>, StoreError> {
        let list = query(ENDING)
            .bind(after.seconds())
            .bind(until.seconds())
            .bind(days * 24 * 60 * 60)
            .bind(days.to_string())
            .bind(i64::from(limit));
        self.reading().readable::<KeyRow, _>(list).await
    }

    /// Deletes a slice of the alerts from before `oldest`. Returns whether there may be more.
    pub async fn forget_alerts(&self, oldest: Timestamp) -> Result<bool, StoreError> {
        let done =
            query(FORGET).bind(oldest.seconds()).bind(SLICE_ROWS).execute(&self.writer).await?;
        Ok(done == SLICE_ROWS.unsigned_abs())
    }
}

impl Transaction {
    /// Keeps an alert, unless there is one of its subject, or the organization is not registered here and so has nobody
    /// to read it.
    pub async fn insert_alert(&mut self, new: &NewAlert, now: Timestamp) -> Result<(), StoreError> {
        query(
            "insert into alert (id, organization_number, kind, subject, details, created_at) \
             select (select coalesce(max(id), 0) + 1 from alert), o.number, $2, $3, $4, $5 \
             from organization o where o.number = $1 \
             on conflict (organization_number, subject, kind) do nothing",
        )
        .bind(new.organization.as_str())
        .bind(new.kind.name())
        .bind(&new.subject)
        .bind(as_json(&new.details))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Keeps the same alert for every organization that has access to a scope, other than its owner.
    pub async fn alert_consumers(
        &mut self,
        scope: &ScopeName,
        new: &NewAlert,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(ALERT_CONSUMERS)
            .bind(scope.as_str())
            .bind(new.organization.as_str())
            .bind(new.kind.name())
            .bind(&new.subject)
            .bind(as_json(&new.details))
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Takes on alerts of an organization from after `oldest` that have not been mailed, oldest first, at most `limit`:
    /// they count as mailed.
    pub async fn claim_alerts(
        &mut self,
        organization: OrganizationNumber,
        oldest: Timestamp,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<Alert>, StoreError> {
        let claim = query(CLAIM)
            .bind(organization.as_str())
            .bind(oldest.seconds())
            .bind(i64::from(limit))
            .bind(now.seconds());
        let mut all: Vec<Alert> = self.reading().readable::<AlertRow, _>(claim).await?;
        // What is returned has no order.
        all.sort_by_key(|alert| alert.id);
        Ok(all)
    }
}

/// Organizations that the access does not name as registered here are left out: nobody reads their alerts.
const ALERT_CONSUMERS: &str = "insert into alert (id, organization_number, kind, subject, details, created_at) \
     select (select coalesce(max(id), 0) from alert) + row_number() over (order by a.consumer_number), \
     a.consumer_number, $3, $4, $5, $6 from access a join organization o on o.number = a.consumer_number \
     where a.state = 'APPROVED' and a.scope = $1 and (a.expires_at is null or a.expires_at > $6) \
     and a.consumer_number <> $2 on conflict (organization_number, subject, kind) do nothing";

fn list() -> String {
    format!(
        "select {COLUMNS} from alert where organization_number = $1 and id < $2 order by id desc limit $3"
    )
}

impl TryFrom<KeyRow> for EndingKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> Result<Self, StoreError> {
        let organization = row.organization_number.parse();
        Ok(Self {
            organization: organization.map_err(|e| StoreError::corrupt("client", &e))?,
            subject: row.subject,
            client: (row.client_id, row.client_name),
            kid: row.kid,
            jwk: row.jwk,
            expires_at: Timestamp::from_seconds(row.expires_at),
        })
    }
}

impl TryFrom<AlertRow> for Alert {
    type Error = StoreError;

    fn try_from(row: AlertRow) -> Result<Self, StoreError> {
        let organization = row.organization_number.parse();
        Ok(Self {
            id: row.id,
            organization: organization.map_err(|e| StoreError::corrupt("alert", &e))?,
            kind: named("alert", AlertKind::from_name, &row.kind)?,
            details: from_json("alert", &row.details)?,
            created_at: Timestamp::from_seconds(row.created_at),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated, plan_of};

    #[tokio::test]
    async fn no_statement_reads_everything_or_sorts() {
        let (store, _folder) = migrated().await;
        for statement in [UNMAILED, FORGET, ENDING, &list()] {
            assert_indexed(&store, statement, statement).await;
        }
        // How few there are at once bounds what is sorted here.
        for statement in [CLAIM, ALERT_CONSUMERS] {
            let lines = plan_of(&store, statement).await;
            let scans = lines.iter().any(|line| {
                line.starts_with("SCAN") && !line.contains("subquery") && !line.contains("INDEX")
            });
            assert!(!scans, "{statement}: {lines:#?}");
        }
    }
}
