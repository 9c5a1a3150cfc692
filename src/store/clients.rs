//! Clients, the scopes on them and their registered keys.

use sqlx::FromRow;

use crate::clock::Timestamp;
use crate::domain::client::{Client, ClientId, ClientKey, ClientStatus, KeyId};
use crate::domain::scope::ScopeName;
use crate::store::{Store, StoreError, Transaction};

#[derive(FromRow)]
struct ClientRow {
    id: String,
    organization_number: String,
    name: String,
    active: bool,
    token_lifetime_seconds: i64,
}

#[derive(FromRow)]
struct ClientKeyRow {
    kid: String,
    algorithm: String,
    jwk: String,
    expires_at: i64,
}

impl Store {
    /// The client of that id with its scopes and keys, all as of one moment.
    pub async fn client_by_id(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let mut snapshot = self.readers.begin().await?;
        let row: Option<ClientRow> = sqlx::query_as(
            "select id, organization_number, name, active, token_lifetime_seconds \
             from client where id = $1",
        )
        .bind(id.as_str())
        .fetch_optional(&mut *snapshot)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let scopes: Vec<String> = sqlx::query_scalar(
            "select scope from client_scope where client_id = $1 order by scope",
        )
        .bind(id.as_str())
        .fetch_all(&mut *snapshot)
        .await?;
        let keys: Vec<ClientKeyRow> = sqlx::query_as(
            "select kid, algorithm, jwk, expires_at from client_key \
             where client_id = $1 and active order by created_at, kid",
        )
        .bind(id.as_str())
        .fetch_all(&mut *snapshot)
        .await?;
        client_from_rows(row, &scopes, keys).map(Some)
    }
}

impl Transaction {
    /// Adds a client with its scopes and keys. [`StoreError::Conflict`] when its id is taken, or its
    /// organization or a scope is not there.
    pub async fn insert_client(
        &mut self,
        client: &Client,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into client (id, organization_number, name, active, token_lifetime_seconds, \
             created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6)",
        )
        .bind(client.id.as_str())
        .bind(client.organization.as_str())
        .bind(&client.name)
        .bind(client.status == ClientStatus::Active)
        .bind(i64::from(client.token_lifetime_seconds))
        .bind(now.seconds())
        .execute(self.connection())
        .await?;
        for scope in &client.scopes {
            self.insert_client_scope(&client.id, scope).await?;
        }
        for key in &client.keys {
            self.insert_client_key(&client.id, key, now).await?;
        }
        Ok(())
    }

    async fn insert_client_scope(
        &mut self,
        client: &ClientId,
        scope: &ScopeName,
    ) -> Result<(), StoreError> {
        sqlx::query("insert into client_scope (client_id, scope) values ($1, $2)")
            .bind(client.as_str())
            .bind(scope.as_str())
            .execute(self.connection())
            .await?;
        Ok(())
    }

    /// Registers a key. [`StoreError::Conflict`] when the client has one of that id.
    pub async fn insert_client_key(
        &mut self,
        client: &ClientId,
        key: &ClientKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "insert into client_key (client_id, kid, algorithm, jwk, active, expires_at, created_at) \
             values ($1, $2, $3, $4, true, $5, $6)",
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
    ) -> Result<(), StoreError> {
        let withdraw = "update client_key set active = false \
             where client_id = $1 and kid = $2 and active";
        let done = sqlx::query(withdraw)
            .bind(client.as_str())
            .bind(key.as_str())
            .execute(self.connection())
            .await?;
        Self::met_one_row("client_key", done.rows_affected())
    }

    /// Switches a client on or off. [`StoreError::Absent`] when there is none.
    pub async fn set_client_status(
        &mut self,
        client: &ClientId,
        status: ClientStatus,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let done = sqlx::query("update client set active = $2, updated_at = $3 where id = $1")
            .bind(client.as_str())
            .bind(status == ClientStatus::Active)
            .bind(now.seconds())
            .execute(self.connection())
            .await?;
        Self::met_one_row("client", done.rows_affected())
    }
}

fn client_from_rows(
    row: ClientRow,
    scopes: &[String],
    keys: Vec<ClientKeyRow>,
) -> Result<Client, StoreError> {
    let corrupt = |problem: &dyn ToString| StoreError::corrupt("client", problem);
    Ok(Client {
        id: row.id.parse().map_err(|e| corrupt(&e))?,
        organization: row.organization_number.parse().map_err(|e| corrupt(&e))?,
        name: row.name,
        status: if row.active { ClientStatus::Active } else { ClientStatus::Deactivated },
        token_lifetime_seconds: row.token_lifetime_seconds.try_into().map_err(|e| corrupt(&e))?,
        scopes: scopes
            .iter()
            .map(|scope| scope.parse().map_err(|e| corrupt(&e)))
            .collect::<Result<_, _>>()?,
        keys: keys.into_iter().map(ClientKey::try_from).collect::<Result<_, _>>()?,
    })
}

impl TryFrom<ClientKeyRow> for ClientKey {
    type Error = StoreError;

    fn try_from(row: ClientKeyRow) -> Result<Self, StoreError> {
        let corrupt = |problem: &dyn ToString| StoreError::corrupt("client_key", problem);
        Ok(Self {
            id: row.kid.parse().map_err(|e| corrupt(&e))?,
            algorithm: row.algorithm.parse().map_err(|e| corrupt(&e))?,
            jwk: row.jwk,
            expires_at: Timestamp::from_seconds(row.expires_at),
        })
    }
}
