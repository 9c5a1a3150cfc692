//! Scopes.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::prefix::PrefixName;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::scope::{
    EuropeanBusinesses, OutagePolicy, Scope, ScopeAudience, ScopeName, ScopeStatus, ScopeSummary,
};
use crate::domain::usage::Day;
use crate::store::database::{query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction, as_json, from_json, named};

#[derive(FromRow)]
#[expect(clippy::struct_excessive_bools, reason = "the members are the columns")]
struct ScopeRow {
    name: String,
    owner_number: String,
    description: String,
    active: bool,
    accessible_for_all: bool,
    visibility: String,
    allowed_integration_types: String,
    token_lifetime_seconds_max: i64,
    delegation_source: Option<String>,
    issued_in_outage: bool,
    supports_european_businesses: bool,
    details: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
}

#[derive(FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    scope: ScopeRow,
    owner_name: Option<String>,
    tokens: Option<i64>,
}

kept! {
    ScopeRow: "scope", 1;
    SummaryRow: "scope", 1;
}

/// Which scopes a list is to show, by name.
#[derive(Clone, Debug, Default)]
pub struct ScopeFilter {
    /// Of this owner.
    pub owner: Option<OrganizationNumber>,
    /// Under this prefix.
    pub prefix: Option<String>,
    /// That are in the public list.
    pub public_only: bool,
    /// Open to every organization, or not.
    pub accessible_for_all: Option<bool>,
    /// With a delegation source, or without.
    pub delegated: Option<bool>,
    /// That clients of this product may ask for.
    pub product: Option<IntegrationType>,
    /// Deactivated ones too.
    pub inactive: bool,
    /// With this text in the name or the description, letter case aside.
    pub text: Option<String>,
    /// After this name.
    pub after: Option<ScopeName>,
    /// With how many tokens there were from this day on.
    pub tokens_from: Option<Day>,
}

const COLUMNS: &str = "s.name, s.owner_number, s.description, s.active, s.accessible_for_all, s.visibility, \
     s.allowed_integration_types, s.token_lifetime_seconds_max, s.delegation_source, s.issued_in_outage, \
     s.supports_european_businesses, s.details, s.created_at, s.updated_at, s.version";

/// How many tokens there were with a scope; the primary keys have the days of each together.
const TOKENS: &str = "(select cast(coalesce(sum(u.tokens), 0) as bigint) from token_use u \
     where u.scope = s.name and u.day >= $9) + \
     (select cast(coalesce(sum(b.tokens), 0) as bigint) from business_token_use b \
     where b.scope = s.name and b.day >= $9)";

impl ScopeFilter {
    /// The statement that reads a page. A condition that is not asked for does not stand in it, because it would
    /// keep an index from being used.
    fn statement(&self) -> String {
        let text =
            format!("{} like $5 escape '\\'", super::small("s.name || ' ' || s.description"));
        let mut conditions = vec!["s.name > $6"];
        if self.owner.is_some() {
            conditions.push("s.owner_number = $1");
        }
        if self.prefix.is_some() {
            conditions.push("s.prefix = $2");
        }
        if self.public_only {
            conditions.push("s.visibility = 'PUBLIC'");
        }
        if self.accessible_for_all.is_some() {
            conditions.push("s.accessible_for_all = $3");
        }
        if self.delegated.is_some() {
            conditions.push("(s.delegation_source is not null) = $4");
        }
        if !self.inactive {
            conditions.push("s.active");
        }
        if self.text.is_some() {
            conditions.push(&text);
        }
        if self.product.is_some() {
            conditions.push(
                "(s.allowed_integration_types = '' \
                 or (' ' || s.allowed_integration_types || ' ') like $7 escape '\\')",
            );
        }
        let tokens = if self.tokens_from.is_some() { TOKENS } else { "cast(null as bigint)" };
        format!(
            "select {COLUMNS}, o.name as owner_name, {tokens} as tokens from scope s \
             left join organization o on o.number = s.owner_number where {} order by s.name limit $8",
            conditions.join(" and ")
        )
    }
}

impl Store {
    /// The scope of that name.
    pub async fn scope_by_name(&self, name: &ScopeName) -> Result<Option<Scope>, StoreError> {
        Ok(self.scope(name).await?.map(|scope| scope.value))
    }

    /// The scope of that name, with its history.
    pub async fn scope(&self, name: &ScopeName) -> Result<Option<Recorded<Scope>>, StoreError> {
        find(self.reading(), name).await
    }

    /// Scopes by name, at most `limit`.
    pub async fn scopes(
        &self,
        filter: &ScopeFilter,
        limit: u32,
    ) -> Result<Page<ScopeSummary>, StoreError> {
        let after = filter.after.as_ref().map_or("", ScopeName::as_str);
        let product = |product: IntegrationType| super::like(&format!(" {} ", product.name()));
        let list = |rows: i64| {
            query_of(filter.statement())
                .bind(filter.owner.map(|owner| owner.to_string()))
                .bind(&filter.prefix)
                .bind(filter.accessible_for_all)
                .bind(filter.delegated)
                .bind(filter.text.as_deref().map(super::like))
                .bind(after)
                .bind(filter.product.map(product))
                .bind(rows)
                .bind(filter.tokens_from.map(Day::number))
        };
        self.page::<SummaryRow, _>(limit, list).await
    }
}

impl Transaction {
    /// The scope of that name, as this change sees it.
    pub async fn scope(&mut self, name: &ScopeName) -> Result<Option<Recorded<Scope>>, StoreError> {
        find(self.reading(), name).await
    }

    /// Adds a scope. [`StoreError::Conflict`] when its name is taken.
    pub async fn insert_scope(&mut self, scope: &Scope, now: Timestamp) -> Result<(), StoreError> {
        query(
            "insert into scope (name, prefix, owner_number, description, active, accessible_for_all, \
             visibility, allowed_integration_types, token_lifetime_seconds_max, delegation_source, \
             details, created_at, updated_at, issued_in_outage, supports_european_businesses) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14)",
        )
        .bind(scope.name.as_str())
        .bind(scope.name.prefix())
        .bind(scope.owner.as_str())
        .bind(&scope.description)
        .bind(scope.status == ScopeStatus::Active)
        .bind(scope.audience == ScopeAudience::AnyOrganization)
        .bind(scope.visibility.name())
        .bind(type_names(&scope.integration_types))
        .bind(i64::from(scope.token_lifetime_seconds_max.unwrap_or(0)))
        .bind(&scope.delegation_source)
        .bind(as_json(&scope.details))
        .bind(now.seconds())
        .bind(scope.outage_policy.issues())
        .bind(scope.european_businesses.are_supported())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Hands every scope under a prefix over to another owner.
    pub async fn transfer_scopes(
        &mut self,
        prefix: &PrefixName,
        to: OrganizationNumber,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "update scope set owner_number = $2, updated_at = $3, version = version + 1 \
             where prefix = $1",
        )
        .bind(prefix.as_str())
        .bind(to.as_str())
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Writes what may change of a scope. [`StoreError::Absent`] when its version is not `seen` any more.
    pub async fn update_scope(
        &mut self,
        scope: &Scope,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update scope set description = $2, active = $3, accessible_for_all = $4, visibility = $5, \
             allowed_integration_types = $6, token_lifetime_seconds_max = $7, delegation_source = $8, \
             details = $9, owner_number = $10, updated_at = $11, issued_in_outage = $13, \
             supports_european_businesses = $14, version = version + 1 \
             where name = $1 and version = $12",
        )
        .bind(scope.name.as_str())
        .bind(&scope.description)
        .bind(scope.status == ScopeStatus::Active)
        .bind(scope.audience == ScopeAudience::AnyOrganization)
        .bind(scope.visibility.name())
        .bind(type_names(&scope.integration_types))
        .bind(i64::from(scope.token_lifetime_seconds_max.unwrap_or(0)))
        .bind(&scope.delegation_source)
        .bind(as_json(&scope.details))
        .bind(scope.owner.as_str())
        .bind(now.seconds())
        .bind(seen.0)
        .bind(scope.outage_policy.issues())
        .bind(scope.european_businesses.are_supported())
        .execute(self.connection())
        .await?;
        Self::met_one_row("scope", done)
    }
}

async fn find(
    reading: Reading<'_>,
    name: &ScopeName,
) -> Result<Option<Recorded<Scope>>, StoreError> {
    let sql = format!("select {COLUMNS} from scope s where s.name = $1");
    reading.one::<ScopeRow, _>(query_of(sql).bind(name.as_str())).await
}

fn type_names(types: &[IntegrationType]) -> String {
    types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(" ")
}

impl TryFrom<SummaryRow> for ScopeSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, StoreError> {
        let count = |it: i64| it.try_into().map_err(|e| StoreError::corrupt("token_use", &e));
        Ok(Self {
            scope: row.scope.try_into()?,
            owner_name: row.owner_name,
            tokens: row.tokens.map(count).transpose()?,
        })
    }
}

impl TryFrom<ScopeRow> for Recorded<Scope> {
    type Error = StoreError;

    fn try_from(row: ScopeRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("scope", problem);
        let types = row.allowed_integration_types.split_ascii_whitespace();
        let lifetime = u32::try_from(row.token_lifetime_seconds_max).map_err(|e| corrupt(&e))?;
        let scope = Scope {
            name: row.name.parse().map_err(|e| corrupt(&e))?,
            owner: row.owner_number.parse().map_err(|e| corrupt(&e))?,
            description: row.description,
            status: if row.active { ScopeStatus::Active } else { ScopeStatus::Deactivated },
            audience: if row.accessible_for_all {
                ScopeAudience::AnyOrganization
            } else {
                ScopeAudience::GrantedOrganizations
            },
            visibility: named(
                "scope",
                crate::domain::scope::Visibility::from_name,
                &row.visibility,
            )?,
            integration_types: types
                .map(|word| named("scope", IntegrationType::from_name, word))
                .collect::<Result<_, _>>()?,
            token_lifetime_seconds_max: (lifetime > 0).then_some(lifetime),
            delegation_source: row.delegation_source,
            outage_policy: OutagePolicy::new(row.issued_in_outage),
            european_businesses: EuropeanBusinesses::of(row.supports_european_businesses),
            details: from_json("scope", &row.details)?,
        };
        Ok(Self {
            value: scope,
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(row.version),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated};

    #[tokio::test]
    async fn no_list_reads_everything_or_sorts() {
        let (store, _folder) = migrated().await;
        for mask in 0..512_u16 {
            let has = |bit: u8| mask & (1 << bit) != 0;
            let filter = ScopeFilter {
                owner: has(0).then(|| "310000108".parse().unwrap()),
                prefix: has(1).then(|| "a".to_owned()),
                public_only: has(2),
                accessible_for_all: has(3).then_some(true),
                delegated: has(4).then_some(true),
                inactive: has(5),
                text: has(6).then(|| "b".to_owned()),
                product: has(7).then_some(IntegrationType::Maskinporten),
                after: None,
                tokens_from: has(8).then(|| Day::from_number(1)),
            };
            let plan = assert_indexed(&store, &filter.statement(), &format!("{filter:?}")).await;
            assert!(plan[0].contains("name>?"), "{filter:?}: {plan:#?}");
            let counts = plan.iter().any(|line| line.ends_with("(scope=? AND day>?)"));
            assert_eq!(counts, has(8), "{filter:?}: {plan:#?}");
        }
    }
}
