//! Changes of configuration, made by another process on the same database just before the server dies.

use std::path::PathBuf;
use std::sync::Arc;

use josekit::jwk::Jwk;
use portvakt::clock::{SystemClock, SystemRandom};
use portvakt::domain::client::ClientStatus;
use portvakt::keys::SealingKey;
use portvakt::registry::{Actor, NewClient, Registry, RegistryRules};
use portvakt::store::Store;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// A scope that is open to every organization.
pub(crate) const SCOPE: &str = "dev:weather.read";

/// Makes changes, one process's worth at a time.
pub(crate) struct Changes {
    pub(crate) database: PathBuf,
    pub(crate) organization: String,
    /// The public key that every new client gets.
    pub(crate) public_jwk: String,
}

/// The client that round `round` registers.
pub(crate) fn client(round: usize) -> String {
    format!("crash-client-{round}")
}

/// The half of a key that is registered.
pub(crate) fn public_half(private_jwk: &str) -> String {
    let private = Jwk::from_bytes(private_jwk).unwrap();
    let mut public = private.to_public_key().unwrap();
    public.set_key_id(private.key_id().unwrap());
    public.set_algorithm(private.algorithm().unwrap());
    public.set_key_use("sig");
    public.to_string()
}

impl Changes {
    /// Registers the client of this round and switches that of the round before off. Returns when both have
    /// been acknowledged. The database is closed then, so that after the kill nobody has it open.
    pub(crate) async fn make(&self, round: usize) {
        let actor = Actor::server("test");
        let store = Store::open(&self.database).await.unwrap();
        let sealing_key = self.database.with_file_name("sealing.key");
        let sealing_key = std::fs::read_to_string(sealing_key).unwrap();
        let seal = SealingKey::from_base64(&sealing_key).unwrap().audit_seal();
        let (clock, random) = (Arc::new(SystemClock), Arc::new(SystemRandom));
        let rules = RegistryRules::new("https://as.test/", 7_200);
        let registry = Registry::alone(store.clone(), clock, random, seal, rules);
        let new = NewClient {
            id: Some(client(round).parse().unwrap()),
            scopes: vec![SCOPE.parse().unwrap()],
            jwks: vec![self.public_jwk.clone()],
            ..NewClient::new(self.organization.parse().unwrap(), &client(round))
        };
        registry.register_client(&actor, new).await.unwrap();
        if let Some(before) = round.checked_sub(1) {
            let before = client(before).parse().unwrap();
            let off = ClientStatus::Deactivated;
            registry.set_client_status(&actor, &before, off, None).await.unwrap();
        }
        store.close().await;
    }

    /// What the database says about itself; `ok` when nothing is wrong.
    pub(crate) async fn integrity(&self) -> String {
        let options = SqliteConnectOptions::new().filename(&self.database);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let check = sqlx::query_scalar("pragma integrity_check");
        let said: Vec<String> = check.fetch_all(&mut connection).await.unwrap();
        let foreign = sqlx::query("pragma foreign_key_check").fetch_all(&mut connection).await;
        assert_eq!(foreign.unwrap().len(), 0);
        connection.close().await.unwrap();
        said.join("; ")
    }
}
