//! Clients and the scopes on them.

use std::collections::BTreeMap;

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, ClientKey, ClientStatus};
use crate::domain::integration::IntegrationType;
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::registration::{ClientFile, ClientRegistration, ClientSummary};
use crate::domain::scope::ScopeName;
use crate::store::database::{places, query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction, as_json, client_keys, from_json, named};

#[derive(FromRow)]
struct ClientRow {
    id: String,
    organization_number: String,
    customer_number: Option<String>,
    name: String,
    description: String,
    active: bool,
    token_lifetime_seconds: i64,
    integration_type: String,
    details: String,
    created_at: i64,
    updated_at: i64,
    version: i64,
    /// With one space between them; null without any.
    scopes: Option<String>,
    last_used_at: Option<i64>,
}

#[derive(FromRow)]
struct SummaryRow {
    #[sqlx(flatten)]
    client: ClientRow,
    keys: i64,
    first_key_expires_at: Option<i64>,
}

kept! {
    ClientRow: "client", 1;
    SummaryRow: "client", 1;
}

/// Which clients a list is to show, by id unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub struct ClientFilter {
    /// Of this organization.
    pub organization: Option<OrganizationNumber>,
    /// With this scope.
    pub scope: Option<ScopeName>,
    /// Deactivated ones too.
    pub inactive: bool,
    /// With this text in the id, name or description, letter case aside.
    pub text: Option<String>,
    /// After this id.
    pub after: Option<ClientId>,
    /// By name, and those of one name by id: for people, and only those of one organization, whatever their scopes.
    pub by_name: bool,
    /// After this name and the id in `after`.
    pub after_name: Option<String>,
}

/// The clients of one organization that have a scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeUse {
    /// The scope.
    pub scope: ScopeName,
    /// How many active clients have it.
    pub clients: u32,
    /// The name of one of them.
    pub client_name: String,
}

const COLUMNS: &str = "c.id, c.organization_number, c.customer_number, c.name, c.description, c.active, \
     c.token_lifetime_seconds, c.integration_type, c.details, c.created_at, c.updated_at, c.version, \
     (select string_agg(s.scope, ' ') from client_scope s where s.client_id = c.id) as scopes, \
     (select u.used_at from last_use u where u.noun = 'client' and u.key = c.id) as last_used_at";

impl ClientFilter {
    /// The statement that reads a page. A condition that is not asked for does not stand in it, because it would
    /// keep an index from being used; who asks for a scope gets the few clients that have it, not a look at all.
    fn statement(&self) -> String {
        let (clients, id) = match self.scope {
            Some(_) => ("client_scope x cross join client c", "x.client_id"),
            None => ("client c", "c.id"),
        };
        let is_by_name = self.by_name && self.organization.is_some() && self.scope.is_none();
        let (place, order) = if is_by_name {
            ("(c.name, c.id) > ($5, $4)".to_owned(), "c.name, c.id")
        } else {
            (format!("{id} > $4"), id)
        };
        let mut conditions = vec![place];
        if self.scope.is_some() {
            conditions.push("x.scope = $2 and c.id = x.client_id".to_owned());
        }
        if self.organization.is_some() {
            conditions.push("c.organization_number = $1".to_owned());
        }
        if !self.inactive {
            conditions.push("c.active".to_owned());
        }
        if self.text.is_some() {
            let text = super::small("c.id || ' ' || c.name || ' ' || c.description");
            conditions.push(format!("{text} like $3 escape '\\'"));
        }
        format!(
            "select {COLUMNS}, \
             (select count(*) from client_key k where k.client_id = c.id and k.active) as keys, \
             (select min(k.expires_at) from client_key k where k.client_id = c.id and k.active) \
             as first_key_expires_at \
             from {clients} where {} order by {order} limit $6",
            conditions.join(" and ")
        )
    }
}

impl Store {
    /// The client of that id with everything that is kept about it, all as of one moment.
    pub async fn client_file(&self, id: &ClientId) -> Result<Option<ClientFile>, StoreError> {
        let mut snapshot = self.readers.snapshot().await?;
        find(Reading::new(snapshot.on(), &self.unreadable), id).await
    }

    /// Clients by id, at most `limit`.
    pub async fn clients(
        &self,
        filter: &ClientFilter,
        limit: u32,
    ) -> Result<Page<ClientSummary>, StoreError> {
        let list = |rows: i64| {
            query_of(filter.statement())
                .bind(filter.organization.map(|number| number.to_string()))
                .bind(filter.scope.as_ref().map(ScopeName::as_str))
                .bind(filter.text.as_deref().map(super::like))
                .bind(filter.after.as_ref().map_or("", ClientId::as_str))
                .bind(filter.after_name.as_deref().unwrap_or_default())
                .bind(rows)
        };
        self.page::<SummaryRow, _>(limit, list).await
    }

    /// The names of these clients of an organization. At most as many as a page shows.
    pub async fn client_names(
        &self,
        organization: OrganizationNumber,
        clients: &[ClientId],
    ) -> Result<BTreeMap<ClientId, String>, StoreError> {
        if clients.is_empty() {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "select id, name from client where organization_number = $1 and id in ({})",
            places(2, clients.len())
        );
        let mut query = query_of(sql).bind(organization.to_string());
        for client in clients {
            query = query.bind(client.as_str());
        }
        let rows: Vec<(String, String)> = query.fetch_all(&self.readers).await?;
        let read = |(id, name): (String, String)| {
            Ok((id.parse().map_err(|e| StoreError::corrupt("client", &e))?, name))
        };
        rows.into_iter().map(read).collect()
    }

    /// Which of these scopes active clients of an organization have. One look at the clients of the organization,
    /// and at nobody else's: an open scope may be on everybody's. Of very many the first count.
    pub async fn scope_uses(
        &self,
        organization: OrganizationNumber,
        scopes: &[ScopeName],
    ) -> Result<Vec<ScopeUse>, StoreError> {
        if scopes.is_empty() {
            return Ok(Vec::new());
        }
        let sql = scope_uses_statement(scopes.len());
        let mut query = query_of(sql).bind(organization.to_string());
        for scope in scopes {
            query = query.bind(scope.as_str());
        }
        let rows: Vec<(String, i64, String)> = query.fetch_all(&self.readers).await?;
        let read = |(scope, clients, client_name): (String, i64, String)| {
            Ok(ScopeUse {
                scope: scope.parse().map_err(|e| StoreError::corrupt("client_scope", &e))?,
                clients: clients.try_into().map_err(|e| StoreError::corrupt("client_scope", &e))?,
                client_name,
            })
        };
        rows.into_iter().map(read).collect()
    }
}

/// Clients among which the uses of scopes are counted; no page shall wait for more.
const CLIENTS_LOOKED_AT: u32 = 10_000;

fn scope_uses_statement(scopes: usize) -> String {
    format!(
        "select x.scope, count(*), min(c.name) from (select id, name from client \
         where organization_number = $1 and active order by id limit {CLIENTS_LOOKED_AT}) c \
         cross join client_scope x where x.client_id = c.id and x.scope in ({}) group by x.scope",
        places(2, scopes)
    )
}

impl Transaction {
    /// Everything that is kept about a client, as this change sees it.
    pub async fn client_file(&mut self, id: &ClientId) -> Result<Option<ClientFile>, StoreError> {
        find(self.reading(), id).await
    }

    /// Adds a client with its scopes and keys. [`StoreError::Conflict`] when its id is taken, or its
    /// organization or a scope is not there.
    pub async fn insert_client(
        &mut self,
        registration: &ClientRegistration,
        keys: &[ClientKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let client = &registration.client;
        query(
            "insert into client (id, organization_number, customer_number, name, description, active, \
             token_lifetime_seconds, integration_type, details, created_at, updated_at) \
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)",
        )
        .bind(client.id.as_str())
        .bind(client.organization.as_str())
        .bind(client.customer.map(|customer| customer.to_string()))
        .bind(&client.name)
        .bind(&registration.description)
        .bind(client.status == ClientStatus::Active)
        .bind(i64::from(client.token_lifetime_seconds))
        .bind(registration.integration_type.name())
        .bind(as_json(&registration.details))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        for scope in &client.scopes {
            self.insert_client_scope(&client.id, scope).await?;
        }
        for key in keys {
            self.put_client_key(&client.id, key, now).await?;
        }
        Ok(())
    }

    /// Writes what may change of a client, its scopes included and its keys left out. [`StoreError::Absent`]
    /// when its version is not `seen` any more.
    pub async fn update_client(
        &mut self,
        registration: &ClientRegistration,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let client = &registration.client;
        let done = query(
            "update client set name = $2, description = $3, active = $4, token_lifetime_seconds = $5, \
             details = $6, updated_at = $7, version = version + 1 where id = $1 and version = $8",
        )
        .bind(client.id.as_str())
        .bind(&client.name)
        .bind(&registration.description)
        .bind(client.status == ClientStatus::Active)
        .bind(i64::from(client.token_lifetime_seconds))
        .bind(as_json(&registration.details))
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("client", done)?;
        query("delete from client_scope where client_id = $1")
            .bind(client.id.as_str())
            .execute(self.connection())
            .await?;
        for scope in &client.scopes {
            self.insert_client_scope(&client.id, scope).await?;
        }
        Ok(())
    }

    async fn insert_client_scope(
        &mut self,
        client: &ClientId,
        scope: &ScopeName,
    ) -> Result<(), StoreError> {
        query("insert into client_scope (client_id, scope) values ($1, $2)")
            .bind(client.as_str())
            .bind(scope.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }
}

async fn find(mut reading: Reading<'_>, id: &ClientId) -> Result<Option<ClientFile>, StoreError> {
    let sql = format!("select {COLUMNS} from client c where c.id = $1");
    let found = reading.again().one::<ClientRow, _>(query_of(sql).bind(id.as_str())).await?;
    let Some(UsedClient { registration, last_used_at }) = found else { return Ok(None) };
    let keys = client_keys::of_client(reading, id).await?;
    Ok(Some(ClientFile { registration, keys, last_used_at }))
}

/// A client without its keys, and when it was last used.
struct UsedClient {
    registration: Recorded<ClientRegistration>,
    last_used_at: Option<Timestamp>,
}

impl TryFrom<ClientRow> for UsedClient {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let last_used_at = row.last_used_at.map(Timestamp::from_seconds);
        Ok(Self { registration: row.try_into()?, last_used_at })
    }
}

impl TryFrom<ClientRow> for Recorded<ClientRegistration> {
    type Error = StoreError;

    fn try_from(row: ClientRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("client", problem);
        let mut scopes: Vec<ScopeName> = row
            .scopes
            .iter()
            .flat_map(|scopes| scopes.split(' '))
            .map(|scope| scope.parse().map_err(|e| corrupt(&e)))
            .collect::<Result<_, _>>()?;
        scopes.sort_unstable();
        let client = Client {
            id: row.id.parse().map_err(|e| corrupt(&e))?,
            organization: row.organization_number.parse().map_err(|e| corrupt(&e))?,
            customer: row
                .customer_number
                .map(|number| number.parse().map_err(|e| corrupt(&e)))
                .transpose()?,
            name: row.name,
            status: if row.active { ClientStatus::Active } else { ClientStatus::Deactivated },
            token_lifetime_seconds: row
                .token_lifetime_seconds
                .try_into()
                .map_err(|e| corrupt(&e))?,
            scopes,
        };
        Ok(Self {
            value: ClientRegistration {
                client,
                description: row.description,
                integration_type: named(
                    "client",
                    IntegrationType::from_name,
                    &row.integration_type,
                )?,
                details: from_json("client", &row.details)?,
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(row.version),
        })
    }
}

impl TryFrom<SummaryRow> for ClientSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, StoreError> {
        let UsedClient { registration, last_used_at } = row.client.try_into()?;
        Ok(Self {
            registration,
            keys: row.keys.try_into().map_err(|e| StoreError::corrupt("client_key", &e))?,
            first_key_expires_at: row.first_key_expires_at.map(Timestamp::from_seconds),
            last_used_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{assert_indexed, migrated, plan_of};

    #[tokio::test]
    async fn uses_of_scopes_are_found_among_the_clients_of_the_organization() {
        let (store, _folder) = migrated().await;
        let plan = plan_of(&store, &scope_uses_statement(2)).await;
        let first = "SEARCH client USING INDEX client_organization";
        assert!(plan.iter().any(|line| line.starts_with(first)), "{plan:#?}");
        let scans = |line: &&String| line.contains("SCAN") && *line != "SCAN c";
        assert_eq!(plan.iter().find(scans), None, "{plan:#?}");
    }

    #[tokio::test]
    async fn no_list_reads_everything_or_sorts() {
        let (store, _folder) = migrated().await;
        for mask in 0..32_u8 {
            let has = |bit: u8| mask & (1 << bit) != 0;
            let filter = ClientFilter {
                organization: has(0).then(|| "310000108".parse().unwrap()),
                scope: has(1).then(|| "a:b".parse().unwrap()),
                inactive: has(2),
                text: has(3).then(|| "a".to_owned()),
                by_name: has(4),
                ..ClientFilter::default()
            };
            let plan = assert_indexed(&store, &filter.statement(), &format!("{filter:?}")).await;
            let first = match (has(0), has(1)) {
                (_, true) => "SEARCH x USING COVERING INDEX client_scope_scope",
                (true, false) => "SEARCH c USING INDEX client_organization",
                (false, false) => "SEARCH c USING INDEX",
            };
            assert!(plan[0].starts_with(first), "{filter:?}: {plan:#?}");
        }
    }
}
