//! Clients and their keys.

use serde_json::json;

use crate::domain::change::ChangedNoun;
use crate::domain::client::{Client, ClientId, ClientKey, ClientStatus, KeyId};
use crate::domain::organization::OrganizationNumber;
use crate::domain::scope::ScopeName;
use crate::keys::client_jwk::ClientJwk;
use crate::registry::{Actor, Deed, Registry, RegistryError};

/// Days that a registered key lives, as in Maskinporten.
const KEY_DAYS: i64 = 365;

/// Seconds that tokens of a new client live, as in Maskinporten.
const TOKEN_LIFETIME_SECONDS: u32 = 120;

/// A client to be registered.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// Its identifier.
    pub id: ClientId,
    /// The organization whose machines use it.
    pub organization: OrganizationNumber,
    /// What people call it.
    pub name: String,
    /// The scopes it may ask for.
    pub scopes: Vec<ScopeName>,
    /// The public keys it brings, as JWK documents.
    pub jwks: Vec<String>,
}

impl Registry {
    /// Registers a client with its scopes and keys.
    pub async fn register_client(
        &self,
        actor: &Actor,
        new: NewClient,
    ) -> Result<(), RegistryError> {
        let now = self.clock.now();
        let keys = new.jwks.into_iter().map(|jwk| self.read_key(jwk)).collect::<Result<_, _>>()?;
        let client = Client {
            id: new.id,
            organization: new.organization,
            name: new.name,
            status: ClientStatus::Active,
            token_lifetime_seconds: TOKEN_LIFETIME_SECONDS,
            scopes: new.scopes,
            keys,
        };
        let mut transaction = self.store.begin().await?;
        transaction.insert_client(&client, now).await?;
        let scopes: Vec<&str> = client.scopes.iter().map(ScopeName::as_str).collect();
        let after =
            json!({ "organization": client.organization, "name": client.name, "scopes": scopes });
        let deed = deed("create", &client.id, Some(after));
        self.finish(transaction, actor, deed).await
    }

    /// Registers one more key on a client.
    pub async fn add_client_key(
        &self,
        actor: &Actor,
        client: &ClientId,
        jwk: String,
    ) -> Result<(), RegistryError> {
        let key = self.read_key(jwk)?;
        let mut transaction = self.store.begin().await?;
        transaction.insert_client_key(client, &key, self.clock.now()).await?;
        let after = json!({ "kid": key.id.as_str(), "expires_at": key.expires_at.to_string() });
        self.finish(transaction, actor, deed("add key", client, Some(after))).await
    }

    /// Withdraws a key of a client.
    pub async fn withdraw_client_key(
        &self,
        actor: &Actor,
        client: &ClientId,
        key: &KeyId,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.withdraw_client_key(client, key).await?;
        let after = json!({ "kid": key.as_str() });
        self.finish(transaction, actor, deed("withdraw key", client, Some(after))).await
    }

    /// Switches a client off, or on again.
    pub async fn set_client_status(
        &self,
        actor: &Actor,
        client: &ClientId,
        status: ClientStatus,
    ) -> Result<(), RegistryError> {
        let mut transaction = self.store.begin().await?;
        transaction.set_client_status(client, status, self.clock.now()).await?;
        let action = match status {
            ClientStatus::Active => "restore",
            ClientStatus::Deactivated => "deactivate",
        };
        self.finish(transaction, actor, deed(action, client, None)).await
    }

    fn read_key(&self, jwk: String) -> Result<ClientKey, RegistryError> {
        let read = ClientJwk::parse(jwk.as_bytes())?;
        let expires_at = self.clock.now().plus_seconds(KEY_DAYS * 24 * 60 * 60);
        Ok(ClientKey { id: read.id, algorithm: read.key.algorithm(), jwk, expires_at })
    }
}

fn deed(action: &'static str, client: &ClientId, after: Option<serde_json::Value>) -> Deed {
    Deed { action, noun: ChangedNoun::Client, key: client.to_string(), before: None, after }
}
