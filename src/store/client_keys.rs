//! Registered keys of clients, and on-behalf-of objects.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::client::{ClientId, ClientKey, KeyId};
use crate::domain::organization::OrganizationNumber;
use crate::domain::record::{Page, Recorded, Version};
use crate::domain::registration::{OnBehalfOf, OnBehalfOfId, RegisteredKey};
use crate::store::database::{query, query_of};
use crate::store::reading::{Reading, kept};
use crate::store::{Store, StoreError, Transaction};

#[derive(FromRow)]
struct ClientKeyRow {
    client_id: String,
    kid: String,
    algorithm: String,
    jwk: String,
    expires_at: i64,
    created_at: i64,
    updated_at: i64,
    active: bool,
    last_used_at: Option<i64>,
}

#[derive(FromRow)]
struct OnBehalfOfRow {
    id: String,
    name: String,
    organization_number: String,
    description: Option<String>,
    uri: Option<String>,
    logo_uri: Option<String>,
    created_at: i64,
    updated_at: i64,
}

kept! {
    ClientKeyRow: "client_key", 2;
    OnBehalfOfRow: "on_behalf_of", 1;
}

const SELECT: &str = "select k.client_id, k.kid, k.algorithm, k.jwk, k.expires_at, k.created_at, \
     k.updated_at, k.active, (select u.used_at from last_use u where u.noun = 'client_key' \
     and u.key = k.client_id || ' ' || k.kid) as last_used_at from client_key k";

/// The keys of a client that are not withdrawn, oldest first.
pub(super) async fn of_client(
    reading: Reading<'_>,
    client: &ClientId,
) -> Result<Vec<RegisteredKey>, StoreError> {
    let sql = format!(
        "{SELECT} where k.client_id = $1 and k.active <> false order by k.created_at, k.kid"
    );
    // One that is left out, or whose `active` is nonsense and so not true, would make a client with a key one without, which may prove itself otherwise.
    reading.all::<ClientKeyRow, _>(query_of(sql).bind(client.as_str())).await
}

impl Store {
    /// Keys in use by when they end, first to end first, at most `limit`: of one organization or of all, ending
    /// before `before`, after the key `after`.
    pub async fn keys_by_expiry(
        &self,
        organization: Option<OrganizationNumber>,
        before: Option<Timestamp>,
        after: Option<(Timestamp, &ClientId, &KeyId)>,
        limit: u32,
    ) -> Result<Page<RegisteredKey>, StoreError> {
        let mut conditions = vec!["k.active and c.active"];
        if organization.is_some() {
            conditions.push("c.organization_number = $1");
        }
        if before.is_some() {
            conditions.push("k.expires_at < $2");
        }
        if after.is_some() {
            conditions.push("(k.expires_at, k.client_id, k.kid) > ($3, $4, $5)");
        }
        let sql = format!(
            "{SELECT} join client c on c.id = k.client_id where {} \
             order by k.expires_at, k.client_id, k.kid limit $6",
            conditions.join(" and ")
        );
        let list = |rows: i64| {
            query_of(sql.clone())
                .bind(organization.map(|number| number.to_string()))
                .bind(before.map(Timestamp::seconds))
                .bind(after.map(|(end, ..)| end.seconds()))
                .bind(after.map(|(_, client, _)| client.as_str()))
                .bind(after.map(|(_, _, kid)| kid.as_str()))
                .bind(rows)
        };
        self.page::<ClientKeyRow, _>(limit, list).await
    }

    /// The on-behalf-of objects of a client.
    pub async fn on_behalf_of(
        &self,
        client: &ClientId,
    ) -> Result<Vec<Recorded<OnBehalfOf>>, StoreError> {
        let list = query(
            "select id, name, organization_number, description, uri, logo_uri, created_at, updated_at \
             from on_behalf_of where client_id = $1 order by id",
        );
        self.reading().readable::<OnBehalfOfRow, _>(list.bind(client.as_str())).await
    }
}

impl Transaction {
    /// Registers a key, or puts it in the place of the one of that id, withdrawn or not.
    pub async fn put_client_key(
        &mut self,
        client: &ClientId,
        key: &ClientKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into client_key (client_id, kid, algorithm, jwk, active, expires_at, created_at, \
             updated_at) values ($1, $2, $3, $4, true, $5, $6, $6) \
             on conflict (client_id, kid) do update set algorithm = excluded.algorithm, \
             jwk = excluded.jwk, active = true, expires_at = excluded.expires_at, \
             updated_at = excluded.updated_at",
        )
        .bind(client.as_str())
        .bind(key.id.as_str())
        .bind(key.algorithm.name())
        .bind(&key.jwk)
        .bind(key.expires_at.seconds())
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Withdraws a key; its row is kept. [`StoreError::Absent`] when there is none to withdraw.
    pub async fn withdraw_client_key(
        &mut self,
        client: &ClientId,
        key: &KeyId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let withdraw = "update client_key set active = false, updated_at = $3 \
             where client_id = $1 and kid = $2 and active";
        let done = query(withdraw)
            .bind(client.as_str())
            .bind(key.as_str())
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Self::met_one_row("client_key", done)
    }

    /// Counts a change of something that belongs to a client as a change of the client. [`StoreError::Absent`]
    /// when its version is not `seen` any more.
    pub async fn touch_client(
        &mut self,
        client: &ClientId,
        seen: Version,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = query(
            "update client set updated_at = $2, version = version + 1 where id = $1 and version = $3",
        )
        .bind(client.as_str())
        .bind(now.seconds())
        .bind(seen.0)
        .execute(self.connection())
        .await?;
        Self::met_one_row("client", done)
    }

    /// Adds an on-behalf-of object to a client, or replaces the one of its id.
    pub async fn put_on_behalf_of(
        &mut self,
        client: &ClientId,
        object: &OnBehalfOf,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        query(
            "insert into on_behalf_of (client_id, id, name, organization_number, description, uri, \
             logo_uri, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
             on conflict (client_id, id) do update set name = excluded.name, \
             organization_number = excluded.organization_number, description = excluded.description, \
             uri = excluded.uri, logo_uri = excluded.logo_uri, updated_at = excluded.updated_at",
        )
        .bind(client.as_str())
        .bind(object.id.as_str())
        .bind(&object.name)
        .bind(object.organization.as_str())
        .bind(&object.description)
        .bind(&object.uri)
        .bind(&object.logo_uri)
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes an on-behalf-of object from a client; the audit trail keeps what it was.
    pub async fn remove_on_behalf_of(
        &mut self,
        client: &ClientId,
        id: &OnBehalfOfId,
    ) -> Result<(), StoreError> {
        let done = query("delete from on_behalf_of where client_id = $1 and id = $2")
            .bind(client.as_str())
            .bind(id.as_str())
            .execute(self.connection())
            .await?;
        Self::met_one_row("on_behalf_of", done)
    }
}

impl TryFrom<ClientKeyRow> for RegisteredKey {
    type Error = StoreError;

    fn try_from(row: ClientKeyRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("client_key", problem);
        if !row.active {
            return Err(corrupt(&"a key that is not in use was read as one that is"));
        }
        Ok(Self {
            client: row.client_id.parse().map_err(|e| corrupt(&e))?,
            key: ClientKey {
                id: row.kid.parse().map_err(|e| corrupt(&e))?,
                algorithm: row.algorithm.parse().map_err(|e| corrupt(&e))?,
                jwk: row.jwk,
                expires_at: Timestamp::from_seconds(row.expires_at),
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at.max(row.created_at)),
            last_used_at: row.last_used_at.map(Timestamp::from_seconds),
        })
    }
}

impl TryFrom<OnBehalfOfRow> for Recorded<OnBehalfOf> {
    type Error = StoreError;

    fn try_from(row: OnBehalfOfRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("on_behalf_of", problem);
        Ok(Self {
            value: OnBehalfOf {
                id: row.id.parse().map_err(|e| corrupt(&e))?,
                name: row.name,
                organization: row.organization_number.parse().map_err(|e| corrupt(&e))?,
                description: row.description,
                uri: row.uri,
                logo_uri: row.logo_uri,
            },
            created_at: Timestamp::from_seconds(row.created_at),
            updated_at: Timestamp::from_seconds(row.updated_at),
            version: Version(1),
        })
    }
}
