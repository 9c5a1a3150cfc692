//! Reading the audit trail, and finding out whether anybody has touched it.

use serde_json::Value;

use crate::domain::audit::{AuditFilter, AuditRow, Outcome};
use crate::domain::record::Page;
use crate::domain::right::Right;
use crate::registry::{Actor, Registry, RegistryError};
use crate::store::{AuditSeal, Store, StoreError};

/// Rows that are read at once when the seals are checked.
const ROWS_READ: u32 = 1_000;

/// What came of checking the seals.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuditVerdict {
    /// Every row is as it was written.
    Whole {
        /// How many rows are sealed.
        rows: u64,
        /// How many rows are older than the seal.
        unsealed: u64,
        /// The number and the seal of the newest row, worth writing down elsewhere: rows that are missing from
        /// the end show only in comparison with it.
        newest: Option<(i64, String)>,
    },
    /// From this row on something has been edited, removed or inserted.
    Broken {
        /// The first row that does not fit.
        seq: i64,
        /// What does not fit.
        problem: &'static str,
    },
}

impl Registry {
    /// Rows about things of the actor's own organization, or done by it; all of them for the operator. Newest
    /// first, at most `limit`, before the row `before`.
    pub async fn audit_rows(
        &self,
        actor: &Actor,
        mut filter: AuditFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Page<AuditRow>, RegistryError> {
        if actor.require(Right::ReadScopes).is_err() {
            actor.require(Right::ReadClients)?;
        }
        filter.organization = actor.organization_to_list(filter.organization)?;
        let mut page = self.store.audit_rows(&filter, before, limit).await?;
        for row in &mut page.items {
            if row.organization.is_some_and(|owner| !actor.owns(owner)) {
                hide_what_is_the_owners(row);
            }
        }
        Ok(page)
    }

    /// Checks every seal, for the operator.
    pub async fn verify_audit(&self, actor: &Actor) -> Result<AuditVerdict, RegistryError> {
        actor.require(Right::Operate)?;
        Ok(verify_audit(&self.store, &self.seal).await?)
    }
}

/// Takes out of a row what whoever acted on somebody else's thing is not to learn: whose it is, or that it is there
/// at all, when they were refused, and the owner's note on an access that they asked for.
fn hide_what_is_the_owners(row: &mut AuditRow) {
    if row.outcome == Outcome::Refused {
        row.organization = None;
    }
    for view in [&mut row.before, &mut row.after] {
        let read = view.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
        if let Some(Value::Object(mut members)) = read
            && members.remove("note").is_some()
        {
            *view = Some(Value::Object(members).to_string());
        }
    }
}

/// Checks every seal of the audit trail, oldest first.
pub async fn verify_audit(store: &Store, seal: &AuditSeal) -> Result<AuditVerdict, StoreError> {
    let (mut last, mut previous) = (0, String::new());
    let (mut rows, mut unsealed) = (0, 0);
    loop {
        let batch = store.audit_rows_after(last, ROWS_READ).await?;
        if batch.is_empty() {
            let newest = (rows > 0).then_some((last, previous));
            return Ok(AuditVerdict::Whole { rows, unsealed, newest });
        }
        for row in batch {
            let broken = |problem| Ok(AuditVerdict::Broken { seq: row.seq, problem });
            if row.seq != last + 1 {
                return broken("a row before it is missing, or it has been inserted");
            }
            if row.hash.is_empty() && rows == 0 {
                unsealed += 1;
            } else if row.hash == seal.of(&previous, &row) {
                rows += 1;
            } else {
                return broken(
                    "it has been edited or inserted, or the row before it is another one",
                );
            }
            (last, previous) = (row.seq, row.hash);
        }
    }
}
