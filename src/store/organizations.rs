//! Organizations, their e-mail domains and their prefixes.

use std::collections::{BTreeMap, HashSet};

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::organization::{
    EmailDomain, Organization, OrganizationNumber, OrganizationStatus,
};
use crate::domain::prefix::{Prefix, PrefixName, PrefixStatus};
use crate::domain::record::{Page, Recorded, Version};
use crate::store::database::{places, query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction};

/// Those that take part say so.
const INACTIVE: &str = "select number from organization where active is not true";

#[derive(FromRow)]
struct OrganizationRow {
    number: String,
    name: String,
    active: bool,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[derive(FromRow)]
struct PrefixRow {
    prefix: String,
    owner_number: String,
    active: bool,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

/// A prefix and the name of its owner.
#[derive(FromRow)]
struct OwnedPrefixRow {
    #[sqlx(flatten)]
    prefix: PrefixRow,
    owner_name: String,
}

kept! {
    OrganizationRow: "organization", 1;
    OwnedPrefixRow: "prefix", 1;
    PrefixRow: "prefix", 1;
}

/// Which prefixes a list is to show, by name.
#[derive(Clone, Debug, Default)]
pub struct PrefixFilter {
    /// Of this owner.
    pub owner: Option<OrganizationNumber>,
    /// Retired ones too.
    pub inactive: bool,
    /// After this name.
    pub after: Option<PrefixName>,
}

impl Store {
    /// The organization of that number.
    pub async fn organization(
        &self,
        number: OrganizationNumber,
    ) -> Result<Option<Recorded<Organization>>, StoreError> {
        find_organization(self.reading(), number).await
    }

    /// The names of these organizations, as far as they are registered here.
    pub async fn organization_names(
        &self,
        numbers: &[OrganizationNumber],
    ) -> Result<BTreeMap<OrganizationNumber, String>, StoreError> {
        if numbers.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "select number, name from organization where number in ({})",
            places(1, numbers.len())
        );
        let mut query = query_of(sql);
        for number in numbers {
            query = query.bind(number.to_string());
        }
        let rows: Vec<(String, String)> = query.fetch_all(&self.readers).await?;
        let read = |(number, name): (String, String)| {
            Ok((number.parse().map_err(|e| StoreError::corrupt("organization", &e))?, name))
        };
        rows.into_iter().map(read).collect()
    }

    /// Whether the organization of that number takes part; `None` when it is not registered here.
    pub async fn organization_status(
        &self,
        number: OrganizationNumber,
    ) -> Result<Option<OrganizationStatus>, StoreError> {
        let found = self.organization(number).await?;
        Ok(found.map(|organization| organization.value.status))
    }

    /// The numbers of all organizations but those that say that they take part.
    pub async fn inactive_organizations(&self) -> Result<HashSet<OrganizationNumber>, StoreError> {
        let rows: Vec<(String,)> = query(INACTIVE).fetch_all(&self.readers).await?;
        // Under what is no number, nobody is looked for.
        Ok(rows.into_iter().filter_map(|(number,)| number.parse().ok()).collect())
    }

    /// Organizations by number, at most `limit`, after `after`; with `text` only those whose name or number
    /// holds it.
    pub async fn organizations(
        &self,
        after: Option<OrganizationNumber>,
        text: Option<&str>,
        limit: u32,
    ) -> Result<Page<Recorded<Organization>>, StoreError> {
        let searched = super::small("number || ' ' || name");
        let sql = format!(
            "select number, name, active, created_at, updated_at, version from organization \
             where number > $1 and ($2 is null or {searched} like $2 escape '\\') \
             order by number limit $3"
        );
        let list = |rows: i64| {
            query_of(sql.clone())
                .bind(after.map_or_else(String::new, |number| number.to_string()))
                .bind(text.map(super::like))
                .bind(rows)
        };
        self.page::<OrganizationRow, _>(limit, list).await
    }

    /// The e-mail domains of an organization.
    pub async fn email_domains(
        &self,
        organization: OrganizationNumber,
    ) -> Result<Vec<EmailDomain>, StoreError> {
        let rows: Vec<(String,)> =
            query("select domain from email_domain where organization_number = $1 order by domain")
                .bind(organization.as_str())
                .fetch_all(&self.readers)
                .await?;
        let read =
            |(text,): (String,)| text.parse().map_err(|e| StoreError::corrupt("email_domain", &e));
        rows.into_iter().map(read).collect()
    }

    /// The prefix of that name.
    pub async fn prefix(&self, name: &PrefixName) -> Result<Option<Recorded<Prefix>>, StoreError> {
        find_prefix(self.reading(), name).await
    }

    /// Prefixes by name with their owners' names, at most `limit`.
    pub async fn prefixes(
        &self,
        filter: &PrefixFilter,
        limit: u32,
    ) -> Result<Page<(Recorded<Prefix>, String)>, StoreError> {
        let list = |rows: i64| {
            query(
                "select p.prefix, p.owner_number, p.active, p.created_at, p.updated_at, p.version, \
                 o.name as owner_name from prefix p join organization o on o.number = p.owner_number \
                 where ($1 is null or p.owner_number = $1) and ($2 or p.active) \
                 and ($3 is null or p.prefix > $3) order by p.prefix limit $4",
            )
            .bind(filter.owner.map(|owner| owner.to_string()))
            .bind(filter.inactive)
            .bind(filter.after.as_ref().map(PrefixName::as_str))
            .bind(rows)
        };
        self.page::<OwnedPrefixRow, _>(limit, list).await
    }
}

impl Transaction {
    /// The organization of that number, as this change sees it.
    pub async fn organization(
        &mut self,
        number: OrganizationNumber,
    ) -> Result<Option<Recorded<Organization>>, StoreError> {
        find_organization(self.reading(), number).await
    }

    /// Adds an organization. [`StoreError::Conflict`] when its number is taken.
    pub async fn insert_organization(
        &mut self,
        organization: &Organization,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into organization (number, name, active, created_at, updated_at) \
             values ($1, $2, $3, $4, $4)",
        )
        .bind(organization.number.as_str())
        .bind(&organization.name)
        .bind(organization.status == OrganizationStatus::Active)
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of an organization. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_organization(
        &mut self,
        organization: &Organization,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update organization set name = $2, active = $3, updated_at = $4, version = version + 1 \
             where number = $1 and version = $5",
        )
        .bind(organization.number.as_str())
        .bind(&organization.name)
        .bind(organization.status == OrganizationStatus::Active)
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("organization", done)
    }

    /// Gives an e-mail domain to an organization. [`StoreError::Conflict`] when it is taken.
    pub async fn insert_email_domain(
        &mut self,
        domain: &EmailDomain,
        organization: OrganizationNumber,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into email_domain (domain, organization_number, created_at) values ($1, $2, $3)",
        )
        .bind(domain.as_str())
        .bind(organization.as_str())
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes an e-mail domain from an organization; the audit trail keeps that it was there.
    pub async fn remove_email_domain(
        &mut self,
        domain: &EmailDomain,
        organization: OrganizationNumber,
    ) -> Result<(), StoreError> {
        let remove = "delete from email_domain where domain = $1 and organization_number = $2";
        let done = query(remove)
            .bind(domain.as_str())
            .bind(organization.as_str())
            .execute(self.connection())
            .await?;
        Self::met_one_row("email_domain", done)
    }

    /// The prefix of that name, as this change sees it.
    pub async fn prefix(
        &mut self,
        name: &PrefixName,
    ) -> Result<Option<Recorded<Prefix>>, StoreError> {
        find_prefix(self.reading(), name).await
    }

    /// Assigns a prefix. [`StoreError::Conflict`] when it is taken or its owner is not there.
    pub async fn insert_prefix(
        &mut self,
        prefix: &Prefix,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into prefix (prefix, owner_number, active, created_at, updated_at) \
             values ($1, $2, $3, $4, $4)",
        )
        .bind(prefix.name.as_str())
        .bind(prefix.owner.as_str())
        .bind(prefix.status == PrefixStatus::Active)
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of a prefix. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_prefix(
        &mut self,
        prefix: &Prefix,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update prefix set owner_number = $2, active = $3, updated_at = $4, version = version + 1 \
             where prefix = $1 and version = $5",
        )
        .bind(prefix.name.as_str())
        .bind(prefix.owner.as_str())
        .bind(prefix.status == PrefixStatus::Active)
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("prefix", done)
    }
}

async fn find_organization(
    reading: Reading<'_>,
    number: OrganizationNumber,
) -> Result<Option<Recorded<Organization>>, StoreError> {
    let find = query(
        "select number, name, active, created_at, updated_at, version from organization \
         where number = $1",
    );
    reading.one::<OrganizationRow, _>(find.bind(number.as_str())).await
}

async fn find_prefix(
    reading: Reading<'_>,
    name: &PrefixName,
) -> Result<Option<Recorded<Prefix>>, StoreError> {
    let find = query(
        "select prefix, owner_number, active, created_at, updated_at, version from prefix \
         where prefix = $1",
    );
    reading.one::<PrefixRow, _>(find.bind(name.as_str())).await
}

fn status(active: bool) -> OrganizationStatus {
    if active { OrganizationStatus::Active } else { OrganizationStatus::Deactivated }
}

impl TryFrom<OrganizationRow> for Recorded<Organization> {
    type Error = StoreError;

    fn try_from(row: OrganizationRow) -> Result<Self, StoreError> {
        let number = row.number.parse().map_err(|e| StoreError::corrupt("organization", &e))?;
        Ok(Self {
            value: Organization { number, name: row.name, status: status(row.active) },
            created_at: Timestamp::from_seconds(row.created_at),
            // Rows of before this column was there.
            updated_at: Timestamp::from_seconds(row.updated_at.max(row.created_at)),
            version: Version(row.version),
        })
    }
}

impl TryFrom<OwnedPrefixRow> for (Recorded<Prefix>, String) {
    type Error = StoreError;

    fn try_from(row: OwnedPrefixRow) -> Result<Self, StoreError> {
        Ok((row.prefix.try_into()?, row.owner_name))
    }
}

impl TryFrom<PrefixRow> for Recorded<Prefix> {
    type Error = StoreError;

    fn try_from(row: PrefixRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("prefix", problem);
        let status = if row.active { PrefixStatus::Active } else { PrefixStatus::Retired };
        Ok(Self {
            value: Prefix {
                name: row.prefix.parse().map_err(|e| corrupt(&e))?,
                owner: row.owner_number.parse().map_err(|e| corrupt(&e))?,
                status,
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at.max(row.created_at)),
            version: Version(row.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{migrated, plan_of, stores};

    #[tokio::test]
    async fn an_organization_takes_part_if_it_says_so_and_only_then() {
        for (store, _kept) in stores().await {
            let mut transaction = store.begin().await.unwrap();
            let with = |number: &str, status| Organization {
                number: number.parse().unwrap(),
                name: "N".to_owned(),
                status,
            };
            let (active, inactive) = (OrganizationStatus::Active, OrganizationStatus::Deactivated);
            for it in [with("310000108", active), with("310000116", inactive)] {
                transaction.insert_organization(&it, Timestamp::from_seconds(0)).await.unwrap();
            }
            transaction.commit().await.unwrap();
            let found = store.inactive_organizations().await.unwrap();
            assert_eq!(found, HashSet::from(["310000116".parse().unwrap()]));
        }
        let (store, _folder) = migrated().await;
        let spoilt = "insert into organization (number, name, active, created_at) \
                      values ('310000108', 'N', 'nonsense', 0)";
        query(spoilt).execute(&store.writer).await.unwrap();
        let found = store.inactive_organizations().await.unwrap();
        assert_eq!(found, HashSet::from(["310000108".parse().unwrap()]));
        let plan = plan_of(&store, INACTIVE).await;
        assert!(plan.iter().all(|line| line.contains("INDEX organization_inactive")), "{plan:?}");
    }
}
