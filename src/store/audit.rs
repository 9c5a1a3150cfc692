//! The audit trail, sealed row by row.
//!
//! Each row's seal is an HMAC over the seal of the row before and over every field of its own. Who can write
//! to the database, but does not have the key, can neither change a row nor take one out nor put one in without
//! breaking the seals after it. Rows taken from the end leave whole seals behind: the newest seal is worth
//! writing down elsewhere.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::audit::{AuditFilter, AuditRow, Outcome};
use crate::domain::change::{ChangeSeq, ChangedNoun};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::Page;
use crate::domain::scope::ScopeName;
use crate::store::database::{query, query_of};
use crate::store::reading::kept;
use crate::store::{Store, StoreError, Transaction, named};

/// The key with which rows of the audit trail are sealed.
#[derive(Clone)]
pub struct AuditSeal(Key);

/// What the audit trail keeps of an act.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Who acted.
    pub actor: String,
    /// The organization they acted for; `None` for the server itself.
    pub actor_organization: Option<OrganizationNumber>,
    /// The right by which they acted, or which they would have needed.
    pub by_right: String,
    /// What was done, as a verb: `create`, `change`, `deactivate` and so on.
    pub action: &'static str,
    /// What kind of thing it was done to.
    pub noun: ChangedNoun,
    /// Which one.
    pub key: String,
    /// The organization that the thing belongs to.
    pub organization: Option<OrganizationNumber>,
    /// The thing before, as JSON.
    pub before: Option<String>,
    /// The thing after, as JSON.
    pub after: Option<String>,
    /// The request that did it.
    pub trace_id: Option<String>,
}

#[derive(FromRow)]
struct Row {
    seq: i64,
    at: i64,
    actor: String,
    actor_organization: Option<String>,
    by_right: String,
    action: String,
    outcome: String,
    noun: String,
    key: String,
    organization: Option<String>,
    before: Option<String>,
    after: Option<String>,
    trace_id: Option<String>,
    hash: String,
}

kept! {
    Row: "audit", 1;
}

const SELECT: &str = "select seq, at, actor, actor_organization, by_right, action, outcome, noun, key, \
     organization, before, after, trace_id, hash from audit";

/// Acts on a scope and on the accesses to it, which have the scope, a space and the consumer as their key. The range is
/// for the index; a database that sorts texts as people do finds others in it too.
const OF_SCOPE: &str = "seq in (select seq from audit where noun = 'scope' and key = $7 union all \
     select seq from audit where noun = 'access' and key between $7 || ' ' and $7 || ' 999999999' \
     and substr(key, 1, length($7) + 1) = $7 || ' ')";

impl AuditSeal {
    /// Seals with this secret.
    pub fn new(secret: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, secret))
    }

    /// The seal of a row that stands after one with the seal `previous`. Every field is framed by its length,
    /// so that no two rows look the same; one that is not there differs from one that is empty.
    pub fn of(&self, previous: &str, row: &AuditRow) -> String {
        let mut seal = Context::with_key(&self.0);
        let (seq, at) = (row.seq.to_string(), row.at.seconds().to_string());
        let fields = [
            Some(previous),
            Some(&seq),
            Some(&at),
            Some(&row.actor),
            row.actor_organization.as_ref().map(OrganizationNumber::as_str),
            Some(&row.by_right),
            Some(&row.action),
            Some(row.outcome.name()),
            Some(&row.noun),
            Some(&row.key),
            row.organization.as_ref().map(OrganizationNumber::as_str),
            row.before.as_deref(),
            row.after.as_deref(),
            row.trace_id.as_deref(),
        ];
        for field in fields {
            match field {
                Some(text) => {
                    seal.update(format!("{}:", text.len()).as_bytes());
                    seal.update(text.as_bytes());
                }
                None => seal.update(b"-"),
            }
        }
        URL_SAFE_NO_PAD.encode(seal.sign())
    }
}

impl Store {
    /// Rows of the audit trail, newest first, at most `limit`, before the row `before`.
    pub async fn audit_rows(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Page<AuditRow>, StoreError> {
        let mut conditions = vec!["($5 is null or seq < $5)", "($4 is null or actor = $4)"];
        if filter.organization.is_some() {
            conditions.push("(organization = $1 or actor_organization = $1)");
        }
        if filter.noun.is_some() {
            conditions.push("noun = $2");
        }
        if filter.key.is_some() {
            conditions.push("key = $3");
        }
        if filter.scope.is_some() {
            conditions.push(OF_SCOPE);
        }
        let conditions = conditions.join(" and ");
        let sql = format!("{SELECT} where {conditions} order by seq desc limit $6");
        let list = |rows: i64| {
            query_of(sql.clone())
                .bind(filter.organization.map(|number| number.to_string()))
                .bind(&filter.noun)
                .bind(&filter.key)
                .bind(&filter.actor)
                .bind(before)
                .bind(rows)
                .bind(filter.scope.as_ref().map(ScopeName::as_str))
        };
        self.page::<Row, _>(limit, list).await
    }

    /// Rows of the audit trail, oldest first, after the row `after`, at most `limit`.
    pub async fn audit_rows_after(
        &self,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let sql = format!("{SELECT} where seq > $1 order by seq limit $2");
        let rows = query_of(sql).bind(after).bind(i64::from(limit));
        self.reading().all::<Row, _>(rows).await
    }
}

impl Transaction {
    /// Writes a change to the feed and to the audit trail, and returns its number.
    pub async fn record(
        &mut self,
        entry: &AuditEntry,
        seal: &AuditSeal,
        now: Timestamp,
    ) -> Result<ChangeSeq, StoreError> {
        self.audit(entry, Outcome::Done, seal, now).await?;
        let (seq,) = query(
            "insert into change (seq, noun, key, changed_at) \
             select coalesce(max(seq), 0) + 1, $1, $2, $3 from change returning seq",
        )
        .bind(entry.noun.name())
        .bind(&entry.key)
        .bind(now.seconds())
        .fetch_one(self.connection())
        .await?;
        self.announce().await?;
        Ok(ChangeSeq(seq))
    }

    /// Writes an act to the audit trail that changes nothing which a cache could hold, and so is no news for the feed.
    pub async fn record_act(
        &mut self,
        entry: &AuditEntry,
        seal: &AuditSeal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.audit(entry, Outcome::Done, seal, now).await
    }

    /// Writes to the audit trail that an act was refused, which changes nothing.
    pub async fn record_refusal(
        &mut self,
        entry: &AuditEntry,
        seal: &AuditSeal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.audit(entry, Outcome::Refused, seal, now).await
    }

    async fn audit(
        &mut self,
        entry: &AuditEntry,
        outcome: Outcome,
        seal: &AuditSeal,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let last: Option<(i64, String)> =
            query("select seq, hash from audit order by seq desc limit 1")
                .fetch_optional(self.connection())
                .await?;
        let (last, previous) = last.unwrap_or_default();
        let mut row = AuditRow {
            seq: last + 1,
            at: now,
            actor: entry.actor.clone(),
            actor_organization: entry.actor_organization,
            by_right: entry.by_right.clone(),
            action: entry.action.to_owned(),
            outcome,
            noun: entry.noun.name().to_owned(),
            key: entry.key.clone(),
            organization: entry.organization,
            before: entry.before.clone(),
            after: entry.after.clone(),
            trace_id: entry.trace_id.clone(),
            hash: String::new(),
        };
        row.hash = seal.of(&previous, &row);
        query(
            "insert into audit (seq, at, actor, actor_organization, by_right, action, outcome, noun, \
             key, organization, before, after, trace_id, hash) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(row.seq)
        .bind(row.at.seconds())
        .bind(row.actor)
        .bind(row.actor_organization.map(|number| number.to_string()))
        .bind(row.by_right)
        .bind(row.action)
        .bind(row.outcome.name())
        .bind(row.noun)
        .bind(row.key)
        .bind(row.organization.map(|number| number.to_string()))
        .bind(row.before)
        .bind(row.after)
        .bind(row.trace_id)
        .bind(row.hash)
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl TryFrom<Row> for AuditRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let number = |text: Option<String>| {
            text.map(|text| text.parse().map_err(|e| StoreError::corrupt("audit", &e))).transpose()
        };
        Ok(Self {
            seq: row.seq,
            at: Timestamp::from_seconds(row.at),
            actor: row.actor,
            actor_organization: number(row.actor_organization)?,
            by_right: row.by_right,
            action: row.action,
            outcome: named("audit", Outcome::from_name, &row.outcome)?,
            noun: row.noun,
            key: row.key,
            organization: number(row.organization)?,
            before: row.before,
            after: row.after,
            trace_id: row.trace_id,
            hash: row.hash,
        })
    }
}
