//! A server with all its parts, on a real socket: the database is a file or, in `tests/postgres run`, one of PostgreSQL;
//! only the clock is the test's.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portvakt::app::{App, open_store};
use portvakt::clock::{SystemRandom, Timestamp};
use portvakt::config::{Config, DatabaseSource};
use portvakt::domain::algorithm::Algorithm;
use portvakt::domain::change::ChangedNoun;
use portvakt::domain::client::ClientStatus;
use portvakt::domain::integration::IntegrationType;
use portvakt::domain::organization::Organization;
use portvakt::domain::record::Expected;
use portvakt::domain::scope::{Scope, ScopeAudience, ScopeStatus};
use portvakt::http::listen::Listener;
use portvakt::http::{SourceRule, management_router, token_router};
use portvakt::keys::{SealingKey, SigningKey};
use portvakt::registry::{AccessTerms, Actor, NewClient, NewDelegation, Registry, RegistryRules};
use portvakt::store::{AuditEntry, SigningKeyRow, Store};

use crate::harness::caller::{Caller, Key};
use crate::harness::chain::{Leaf, Pki, Trust};
use crate::harness::clock::{NOW, TestClock};
use crate::harness::http::{Reply, exchange, form, post, request};
use crate::harness::place::Place;
use crate::harness::random::TestRandom;
use crate::harness::sql::Sql;
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER, logs};

/// A running server.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) store: Store,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) random: Arc<TestRandom>,
    pub(crate) place: Place,
}

/// The scopes of a test server.
const SCOPES: [&str; 10] = [
    "test:read",
    "test:write",
    "test:open",
    "test:delegated",
    "test:undelegated",
    "test:closed",
    "test:deactivated",
    "test:login",
    "test:short",
    "test:unlisted",
];

/// Clients with a registered key: their names, which are also the beginning of their `kid`, their keys'
/// algorithms and their organizations.
const KEY_CLIENTS: [(&str, &str, &str); 11] = [
    ("rs256", "RS256", CONSUMER),
    ("rs512", "RS512", CONSUMER),
    ("ps256", "PS256", CONSUMER),
    ("es256", "ES256", CONSUMER),
    ("es384", "ES384", CONSUMER),
    ("eddsa", "EdDSA", CONSUMER),
    ("other", "ES256", PROVIDER),
    ("supplier", "ES256", SUPPLIER),
    ("deactivated", "ES256", CONSUMER),
    ("withdrawn", "ES256", CONSUMER),
    ("expired", "ES256", CONSUMER),
];

/// The client without a registered key, which must send its certificate.
const CERTIFICATE_CLIENT: &str = "certificate";

/// When those keys expire that have not yet: 2100-01-01T00:00:00Z.
const KEYS_EXPIRE_AT: i64 = 4_102_444_800;

/// The keys of the clients, in their order.
fn keys() -> &'static [Key] {
    static KEYS: OnceLock<Vec<Key>> = OnceLock::new();
    KEYS.get_or_init(|| KEY_CLIENTS.map(|(_, algorithm, _)| Key::generate(algorithm)).into())
}

/// The PKI whose certificates count on a server that is told nothing else.
pub(crate) fn pki() -> &'static Pki {
    static PKI: OnceLock<Pki> = OnceLock::new();
    PKI.get_or_init(|| Pki::new("Test"))
}

/// The key that the servers sign with, to see what it is good for in the wrong hands.
pub(crate) fn server_key() -> &'static (String, Vec<u8>) {
    static KEY: OnceLock<(String, Vec<u8>)> = OnceLock::new();
    KEY.get_or_init(|| {
        let (key, pkcs8) = SigningKey::generate(Algorithm::Rs256, 2048).unwrap();
        (key.kid().to_owned(), pkcs8.to_vec())
    })
}

/// The client of that name.
pub(crate) fn caller(name: &str) -> Caller {
    let at = KEY_CLIENTS.iter().position(|(known, ..)| *known == name).unwrap();
    let scope = match KEY_CLIENTS[at].2 {
        CONSUMER => "test:read",
        _ => "test:open",
    };
    Caller {
        client_id: name.to_owned(),
        key: keys()[at].clone(),
        hint: ("kid", format!("{name}-key").into()),
        scope,
        good: None,
    }
}

/// The client that sends these certificates, leaf first, and signs with this key.
pub(crate) fn certified(key: &Key, chain: &[&[u8]]) -> Caller {
    static LEAF: OnceLock<Leaf> = OnceLock::new();
    let leaf = LEAF.get_or_init(|| pki().ca.leaf(|_| {}));
    let good = certified_once(&leaf.key, &[&leaf.der]);
    Caller { good: Some(Box::new(good)), ..certified_once(key, chain) }
}

fn certified_once(key: &Key, chain: &[&[u8]]) -> Caller {
    let x5c: Vec<String> = chain.iter().map(|der| STANDARD.encode(der)).collect();
    Caller {
        client_id: CERTIFICATE_CLIENT.to_owned(),
        key: key.clone(),
        hint: ("x5c", x5c.into()),
        scope: "test:read",
        good: None,
    }
}

impl TestServer {
    /// A server that trusts the test PKI, without looking at revocation.
    pub(crate) async fn start() -> Self {
        Self::with(&[Trust::of(pki())], "").await
    }

    /// A server with these trust sets and these lines at the end of its configuration.
    pub(crate) async fn with(trust: &[Trust], configuration: &str) -> Self {
        Self::on(Place::new().await, trust, configuration).await
    }

    /// Another server on the database of this one, with a clock of its own.
    pub(crate) async fn beside(&self) -> Self {
        self.beside_with("").await
    }

    /// The same with these lines at the end of its configuration.
    pub(crate) async fn beside_with(&self, configuration: &str) -> Self {
        Self::on(self.place.clone(), &[Trust::of(pki())], configuration).await
    }

    /// A server there.
    pub(crate) async fn on(place: Place, trust: &[Trust], configuration: &str) -> Self {
        logs::capture();
        let (clock, random) = (Arc::new(TestClock::new()), Arc::new(TestRandom::new()));
        let mut config = write_configuration(place.folder.path(), trust, configuration);
        if let Some(database) = &place.database {
            config.database = DatabaseSource::Url(database.url());
        }
        let store = open_store(&config.database).await.unwrap();
        let its_clock = Arc::<TestClock>::clone(&clock);
        let its_random = Arc::<TestRandom>::clone(&random);
        let app = App::build(&config, store.clone(), its_clock, its_random).await;
        let app = Arc::new(app.unwrap());
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, 10_000).await.unwrap();
        let its = &config.token_listener;
        let sources = SourceRule::new(its.behind_proxy, its.source_address_header.as_deref());
        let listener = listener.with_sources(sources);
        let address = listener.address().unwrap();
        let router = token_router(Arc::clone(&app));
        tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
        Self { address, app, store, clock, random, place }
    }

    /// The file of the database, if it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        self.place.file()
    }

    /// The folder with its configuration.
    pub(crate) fn folder(&self) -> &Path {
        self.place.folder.path()
    }

    /// Everything that is in the database, as whoever steals it would have it.
    pub(crate) fn stolen(&self) -> Vec<u8> {
        match (&self.place.database, self.file()) {
            (Some(database), _) => database.dump(),
            (None, Some(file)) => {
                let log = file.with_extension("db-wal");
                let log = if log.exists() { std::fs::read(log).unwrap() } else { Vec::new() };
                [std::fs::read(file).unwrap(), log].concat()
            }
            (None, None) => unreachable!("a server has a database"),
        }
    }

    /// The database, behind the back of the server.
    pub(crate) async fn sql(&self) -> Sql {
        self.place.sql().await
    }

    /// The database as another process would open it.
    pub(crate) async fn other_store(&self) -> Store {
        match &self.place.database {
            None => Store::open(&self.folder().join("portvakt.db")).await.unwrap(),
            Some(database) => Store::connect(&database.url()).await.unwrap(),
        }
    }

    /// Asks for a page of its management listener, which stands for as long as that takes.
    pub(crate) async fn manage(&self, path: &str) -> Reply {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, 10).await.unwrap();
        let (address, router) =
            (listener.address().unwrap(), management_router(Arc::clone(&self.app)));
        let serving =
            tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
        let reply = exchange(address, &request(&format!("GET {path}"), &[], b"")).await;
        serving.abort();
        reply.unwrap()
    }

    /// Posts an assertion.
    pub(crate) async fn ask(&self, assertion: &str) -> Reply {
        exchange(self.address, &post(&form(assertion))).await.unwrap()
    }
}

/// Who acts in the tests.
pub(crate) fn actor() -> Actor {
    Actor::server("test")
}

/// Writes the configuration of a server.
pub(crate) fn write_configuration(folder: &Path, trust: &[Trust], more: &str) -> Config {
    let feed = if more.contains("[feed]") { "" } else { "[feed]\npoll_milliseconds = 50\n" };
    // The other servers of tests are on this machine.
    let outbound = "[outbound]\nallowed_networks = [\"127.0.0.0/8\"]\n";
    let mut text = format!(
        "[server]\nissuer = \"{ISSUER}\"\n[database]\nfile = \"portvakt.db\"\n\
         [keys]\nsealing_key = \"{}\"\n{feed}{outbound}{more}\n",
        sealing_key()
    );
    for (index, trust) in trust.iter().enumerate() {
        text += &trust.write(folder, index);
    }
    let file = folder.join("portvakt.toml");
    put(&file, text.as_bytes());
    Config::load(&file, std::iter::empty()).unwrap()
}

/// Writes a whole file at once: servers that start together write the same, and nobody reads half of it.
pub(crate) fn put(file: &Path, bytes: &[u8]) {
    let mut whole = tempfile::NamedTempFile::new_in(file.parent().unwrap()).unwrap();
    std::io::Write::write_all(&mut whole, bytes).unwrap();
    whole.persist(file).unwrap();
}

pub(crate) fn sealing_key() -> String {
    STANDARD.encode([7; 32])
}

/// Puts everything into an empty database that test servers have, and closes it.
pub(crate) async fn fill(store: &Store, sql: Sql) {
    store.migrate().await.unwrap();
    seed(store).await;
    insert_signing_key(store).await;
    store.close().await;
    // A key lives for a year, and processes have the real clock.
    let statement =
        format!("update client_key set expires_at = {KEYS_EXPIRE_AT} where expires_at > {NOW}");
    assert!(sql.execute(&statement).await > 0);
    sql.close().await;
}

async fn insert_signing_key(store: &Store) {
    let (kid, pkcs8) = server_key();
    let key = SigningKey::from_pkcs8(Algorithm::Rs256, pkcs8).unwrap();
    let sealing_key = SealingKey::from_base64(&sealing_key()).unwrap();
    let row = SigningKeyRow {
        kid: kid.clone(),
        algorithm: Algorithm::Rs256,
        jwk: serde_json::to_string(key.jwk()).unwrap(),
        sealed_private: Some(sealing_key.seal(pkcs8, kid, &SystemRandom).unwrap()),
        created_at: Timestamp::from_seconds(NOW - 60),
        signs_from: Timestamp::from_seconds(NOW - 60),
        follows: Some("RS256".to_owned()),
    };
    let entry = AuditEntry {
        actor: "test".to_owned(),
        actor_organization: None,
        by_right: "test".to_owned(),
        action: "create",
        noun: ChangedNoun::SigningKey,
        key: kid.clone(),
        organization: None,
        before: None,
        after: None,
        trace_id: None,
    };
    let mut transaction = store.begin().await.unwrap();
    assert!(transaction.insert_signing_key(&row).await.unwrap());
    transaction.record(&entry, &sealing_key.audit_seal(), row.created_at).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn seed(store: &Store) {
    let clock = Arc::new(TestClock::new());
    let its_clock = Arc::<TestClock>::clone(&clock);
    let seal = SealingKey::from_base64(&sealing_key()).unwrap().audit_seal();
    let rules = RegistryRules::new(ISSUER, 7_200);
    let random = Arc::new(SystemRandom);
    let registry = Registry::alone(store.clone(), its_clock, random, seal, rules);
    let by = actor();
    for number in [PROVIDER, CONSUMER, SUPPLIER] {
        let organization = Organization::new(number.parse().unwrap(), number);
        registry.create_organization(&by, &organization).await.unwrap();
    }
    registry.assign_prefix(&by, &"test".parse().unwrap(), PROVIDER.parse().unwrap()).await.unwrap();
    for name in SCOPES {
        registry.define_scope(&by, scope(name)).await.unwrap();
        for consumer in [PROVIDER, CONSUMER, SUPPLIER] {
            let (scope, consumer) = (name.parse().unwrap(), consumer.parse().unwrap());
            let terms = AccessTerms::default();
            registry.grant_access(&by, &scope, consumer, terms, Expected::Anything).await.unwrap();
        }
    }
    registry.put_delegation(&by, delegation(), Expected::Anything).await.unwrap();
    for (index, (name, _, organization)) in KEY_CLIENTS.into_iter().enumerate() {
        // A key lives for a year from the moment it is registered.
        let age = if name == "expired" { 366 * 24 * 60 * 60 } else { 60 };
        clock.set(NOW - age);
        let jwk = keys()[index].jwk(&format!("{name}-key")).to_string();
        let client = new_client(name, organization, vec![jwk]);
        registry.register_client(&by, client).await.unwrap();
    }
    let client = new_client(CERTIFICATE_CLIENT, CONSUMER, Vec::new());
    registry.register_client(&by, client).await.unwrap();
    close(&registry, &by).await;
}

/// Takes away again what clients could only be registered with.
async fn close(registry: &Registry, by: &Actor) {
    for name in SCOPES {
        let kept = if name == "test:closed" { &[][..] } else { &[CONSUMER][..] };
        for consumer in [PROVIDER, CONSUMER, SUPPLIER] {
            if !kept.contains(&consumer) {
                let (scope, consumer) = (name.parse().unwrap(), consumer.parse().unwrap());
                registry.withdraw_access(by, &scope, consumer, None, None).await.unwrap();
            }
        }
    }
    let login = |scope: &mut Scope| scope.integration_types = vec![IntegrationType::IdPorten];
    registry.change_scope(by, &"test:login".parse().unwrap(), None, login).await.unwrap();
    let name = "test:deactivated".parse().unwrap();
    registry.set_scope_status(by, &name, ScopeStatus::Deactivated, None).await.unwrap();
    let id = "deactivated".parse().unwrap();
    registry.set_client_status(by, &id, ClientStatus::Deactivated, None).await.unwrap();
    let spare = Key::generate("ES256").jwk("spare-key").to_string();
    let id = "withdrawn".parse().unwrap();
    registry.add_client_key(by, &id, &spare, None).await.unwrap();
    let kid = "withdrawn-key".parse().unwrap();
    registry.withdraw_client_key(by, &id, &kid, None).await.unwrap();
}

fn scope(name: &str) -> Scope {
    let audience = if name == "test:open" {
        ScopeAudience::AnyOrganization
    } else {
        ScopeAudience::GrantedOrganizations
    };
    let description = format!("Test scope {name}");
    Scope {
        audience,
        token_lifetime_seconds_max: (name == "test:short").then_some(30),
        delegation_source: name.ends_with("delegated").then(|| ISSUER.to_owned()),
        ..Scope::new(name.parse().unwrap(), PROVIDER.parse().unwrap(), &description)
    }
}

/// The supplier acts for the consumer.
pub(crate) fn delegation() -> NewDelegation {
    NewDelegation {
        consumer: CONSUMER.parse().unwrap(),
        supplier: SUPPLIER.parse().unwrap(),
        scope: "test:delegated".parse().unwrap(),
        valid_from: None,
        valid_to: None,
    }
}

fn new_client(name: &str, organization: &str, jwks: Vec<String>) -> NewClient {
    let listed = SCOPES.iter().filter(|scope| **scope != "test:unlisted");
    NewClient {
        id: Some(name.parse().unwrap()),
        scopes: listed.map(|scope| scope.parse().unwrap()).collect(),
        jwks,
        ..NewClient::new(organization.parse().unwrap(), name)
    }
}
