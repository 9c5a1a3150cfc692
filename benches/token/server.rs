//! The server that is measured, without its listeners.

use std::sync::Arc;

use portvakt::app::{App, open_store};
use portvakt::clock::{SystemClock, SystemRandom};
use portvakt::config::Config;
use portvakt::domain::algorithm::Algorithm;
use portvakt::domain::organization::Organization;
use portvakt::domain::record::Expected;
use portvakt::domain::scope::{Scope, ScopeName};
use portvakt::keys::SealingKey;
use portvakt::registry::{AccessTerms, Actor, NewClient};
use portvakt::token::TokenRequest;
use portvakt::token::refusal::Refusal;
use portvakt::token::trail::Trail;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

use crate::client::ClientSide;
use crate::cpu::Cluster;

pub(crate) const ISSUER: &str = "https://bench.example/";

pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    /// Where its database is, if that is processes of its own.
    pub(crate) cluster: Option<Cluster>,
    folder: tempfile::TempDir,
}

/// Where the server that is measured keeps everything.
pub(crate) enum Database {
    /// SQLite, in a file of its own.
    File,
    /// A database of PostgreSQL that is made anew: the URL of the cluster, which ends in `/postgres`.
    Postgres(String),
}

/// The URL of a cluster to measure on; `tests/postgres run` sets it.
const CLUSTER: &str = "PORTVAKT_TEST_POSTGRES";

/// The database that is made in a cluster.
const DATABASE: &str = "portvakt_bench";

impl Database {
    /// PostgreSQL, if there is a cluster for it.
    #[expect(clippy::disallowed_methods, reason = "a bench is told by its environment")]
    pub(crate) fn postgres() -> Option<Self> {
        std::env::var(CLUSTER).ok().map(Self::Postgres)
    }

    /// The processes that work for it, where it is not the server itself.
    async fn cluster(&self) -> Option<Cluster> {
        let Self::Postgres(cluster) = self else { return None };
        let mut connection = PgConnection::connect(cluster).await.expect("a cluster");
        let backend: i32 = sqlx::query_scalar("select pg_backend_pid()")
            .fetch_one(&mut connection)
            .await
            .expect("a process");
        Some(Cluster::of(backend.unsigned_abs()))
    }

    /// The setting that names it.
    async fn setting(&self) -> String {
        let Self::Postgres(cluster) = self else { return "file = \"bench.db\"".to_owned() };
        let mut connection = PgConnection::connect(cluster).await.expect("a cluster");
        for statement in [
            format!("drop database if exists {DATABASE} with (force)"),
            format!("create database {DATABASE} template template0 encoding 'UTF8' locale 'C'"),
        ] {
            connection.execute(AssertSqlSafe(statement)).await.expect("done");
        }
        let start = cluster.strip_suffix("postgres").expect("the URL ends in /postgres");
        format!("url = \"{start}{DATABASE}\"")
    }
}

impl Server {
    pub(crate) async fn new(
        client: &ClientSide,
        algorithm: Algorithm,
        database: &Database,
    ) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("root.pem"), &client.root_pem).expect("written");
        std::fs::write(file("intermediate.pem"), &client.intermediate_pem).expect("written");
        std::fs::write(file("sealing.key"), SealingKey::generate(&SystemRandom).as_bytes())
            .expect("written");
        let (database, cluster) = (database.setting().await, database.cluster().await);
        let text = format!(
            "[database]\n{database}\n[server]\nissuer = \"{ISSUER}\"\n[keys]\nsealing_key_file = \"sealing.key\"\n\
             [token]\nsigning_algorithm = \"{algorithm}\"\n[trust.bench]\nanchors = [\"root.pem\"]\n\
             intermediates = [\"intermediate.pem\"]\npolicies = [\"any\"]\nrevocation = \"not_checked\"\n"
        );
        std::fs::write(file("portvakt.toml"), text).expect("written");
        let config = Config::load(&file("portvakt.toml"), std::iter::empty()).expect("valid");
        let store = open_store(&config.database).await.expect("store");
        store.migrate().await.expect("tables");
        let app = App::build(&config, store, Arc::new(SystemClock), Arc::new(SystemRandom)).await;
        let app = Arc::new(app.expect("app"));
        seed(&app, client).await;
        Self { app, cluster, folder }
    }

    /// Registers so many clients more, each with the key and the scope of the first. They are written to the file at
    /// once: one by one they would take minutes.
    pub(crate) async fn register_more(&self, count: u32) -> Vec<String> {
        let options = SqliteConnectOptions::new().filename(self.folder.path().join("bench.db"));
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the file");
        for statement in MORE_CLIENTS {
            sqlx::query(statement).bind(count).execute(&mut connection).await.expect("written");
        }
        (1..=count).map(|number| format!("more-{count}-{number}")).collect()
    }

    pub(crate) async fn refuses_a_replay(&self, assertion: &str) {
        let request = TokenRequest { assertion, client_id: None };
        let issuer = &self.app.issuer;
        issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await.expect("issued");
        let again = issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await;
        assert_eq!(again.expect_err("spent"), Refusal::Replayed);
    }
}

const MORE_CLIENTS: [&str; 3] = [
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < $1) \
     insert into client (id, organization_number, name, active, token_lifetime_seconds, created_at, updated_at) \
     select 'more-' || $1 || '-' || i, c.organization_number, c.name, c.active, c.token_lifetime_seconds, 0, 0 \
     from n, client c where c.id = 'by-kid'",
    "insert into client_scope (client_id, scope) \
     select c.id, s.scope from client c, client_scope s \
     where c.id like 'more-' || $1 || '-%' and s.client_id = 'by-kid'",
    "insert into client_key (client_id, kid, algorithm, jwk, active, expires_at, created_at) \
     select c.id, k.kid, k.algorithm, k.jwk, k.active, k.expires_at, 0 from client c, client_key k \
     where c.id like 'more-' || $1 || '-%' and k.client_id = 'by-kid'",
];

async fn seed(app: &App, client: &ClientSide) {
    let actor = Actor::server("bench");
    let number = "310000116".parse().expect("number");
    let organization = Organization::new(number, "Bench");
    app.registry.create_organization(&actor, &organization).await.expect("organization");
    app.registry
        .assign_prefix(&actor, &"bench".parse().expect("name"), number)
        .await
        .expect("prefix");
    let name: ScopeName = "bench:it".parse().expect("scope");
    let scope = Scope::new(name.clone(), number, "Bench");
    app.registry.define_scope(&actor, scope).await.expect("scope");
    let terms = AccessTerms::default();
    app.registry
        .grant_access(&actor, &name, number, terms, Expected::Anything)
        .await
        .expect("access");
    let jwk = serde_json::to_string(client.key.jwk()).expect("JWK");
    for (id, jwks) in [("by-kid", vec![jwk]), ("by-x5c", Vec::new())] {
        let id = Some(id.parse().expect("id"));
        let scopes = vec![name.clone()];
        let new = NewClient { id, scopes, jwks, ..NewClient::new(number, "Bench") };
        app.registry.register_client(&actor, new).await.expect("client");
    }
}
