//! Changes of configuration, made by another process on the same database just before the server dies.

use std::path::PathBuf;
use std::sync::Arc;

use josekit::jwk::Jwk;
use portvakt::clock::SystemClock;
use portvakt::domain::client::ClientStatus;
use portvakt::registry::{Actor, NewClient, Registry};
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
        let actor = Actor { name: "test".into(), right: "test".into(), trace_id: None };
        let store = Store::open(&self.database).await.unwrap();
        let registry = Registry::new(store.clone(), Arc::new(SystemClock), None);
        let new = NewClient {
            id: client(round).parse().unwrap(),
            organization: self.organization.parse().unwrap(),
            name: client(round),
            scopes: vec![SCOPE.parse().unwrap()],
            jwks: vec![self.public_jwk.clone()],
        };
        registry.register_client(&actor, new).await.unwrap();
        if let Some(before) = round.checked_sub(1) {
            let before = client(before).parse().unwrap();
            let off = ClientStatus::Deactivated;
            registry.set_client_status(&actor, &before, off).await.unwrap();
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
