//! What one token costs, in CPU time of the whole process, and how far that is from the floor.
//!
//! * `floor/...`: one verification and one signature with keys already parsed. No server that checks and
//!   signs with these algorithms can be cheaper.
//! * `issue/<assertion key>-><token key>/<client key>`: the whole of `Issuer::issue` on SQLite with everything
//!   on, by a registered key (`kid`) and by an enterprise certificate (`x5c`, a chain of three that is cached,
//!   as it is from the second request on). 32 requests are under way at a time, so commits are shared as they
//!   are under load. Divide by the floor of the same run: that is the figure that lasts.
//! * `part/...`: the steps, to see where the difference goes.
//!
//! Assertions are signed before the clock starts, and each is used once: before each measurement one is used
//! twice, and the second use must be refused.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cpu_time::ProcessTime;
use criterion::measurement::{Measurement, ValueFormatter, WallTime};
use criterion::{Criterion, criterion_group, criterion_main};
use portvakt::app::{App, open_store};
use portvakt::clock::{Clock, SystemRandom, Timestamp};
use portvakt::config::Config;
use portvakt::domain::algorithm::Algorithm;
use portvakt::domain::organization::Organization;
use portvakt::domain::record::Expected;
use portvakt::domain::scope::{Scope, ScopeName};
use portvakt::keys::client_jwk::ClientJwk;
use portvakt::keys::{SealingKey, SigningKey, TokenType};
use portvakt::registry::{AccessTerms, Actor, NewClient};
use portvakt::store::{SpentId, Store};
use portvakt::token::TokenRequest;
use portvakt::token::jws::UnverifiedAssertion;
use portvakt::token::refusal::Refusal;
use portvakt::token::trail::Trail;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

/// The allocator of the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ISSUER: &str = "https://bench.example/";
const NOW: i64 = 1_800_000_000;

/// Requests under way at a time.
const CONCURRENCY: usize = 32;

fn benches(criterion: &mut Criterion<CpuTime>) {
    let runtime = Runtime::new().expect("threads");
    floor(criterion);
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        issue(criterion, &runtime, algorithm);
    }
    parts(criterion, &runtime);
}

fn floor(criterion: &mut Criterion<CpuTime>) {
    let client = ClientSide::new();
    let assertion = client.assertion(&client.kid_header);
    let (signed, signature) = assertion.rsplit_once('.').expect("three parts");
    let signature =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(signature).expect("base64");
    let public = client.public();
    let mut group = criterion.benchmark_group("floor");
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let (token_key, _) = SigningKey::generate(algorithm, 2048).expect("key");
        let header = token_key.header(TokenType::Unsaid);
        let payload = [b'x'; 350];
        group.bench_function(format!("RS256->{algorithm}"), |bencher| {
            bencher.iter(|| {
                public.verify(black_box(signed.as_bytes()), &signature).expect("right");
                token_key.sign(&header, black_box(&payload)).expect("signed")
            });
        });
    }
    group.bench_function("verify RS256", |bencher| {
        bencher.iter(|| public.verify(black_box(signed.as_bytes()), &signature).expect("right"));
    });
}

fn issue(criterion: &mut Criterion<CpuTime>, runtime: &Runtime, algorithm: Algorithm) {
    let client = ClientSide::new();
    let server = runtime.block_on(Server::new(&client, algorithm));
    let mut group = criterion.benchmark_group("issue");
    for (name, header) in [("kid", &client.kid_header), ("x5c", &client.x5c_header)] {
        runtime.block_on(server.refuses_a_replay(&client.assertion(header)));
        group.bench_function(format!("RS256->{algorithm}/{name}"), |bencher| {
            bencher.iter_custom(|iterations| {
                let assertions = (0..iterations).map(|_| client.assertion(header)).collect();
                let began = ProcessTime::now();
                runtime.block_on(server.issue_all(assertions));
                began.elapsed()
            });
        });
    }
}

fn parts(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let client = ClientSide::new();
    let mut group = criterion.benchmark_group("part");
    for (name, header) in [("kid", &client.kid_header), ("x5c", &client.x5c_header)] {
        let assertion = client.assertion(header);
        group.bench_function(format!("parse an assertion with {name}"), |bencher| {
            bencher
                .iter(|| UnverifiedAssertion::parse(black_box(&assertion)).expect("well formed"));
        });
    }
    let folder = tempfile::tempdir().expect("folder");
    let store = runtime.block_on(Store::open(&folder.path().join("a.db"))).expect("store");
    runtime.block_on(store.migrate()).expect("tables");
    let mut log = store.replay_log();
    let next = AtomicU64::new(0);
    for count in [1, 32] {
        group.bench_function(format!("commit of {count} spent assertions"), |bencher| {
            bencher.iter(|| {
                let id = |_| {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let mut id = [0; 32];
                    id[..8].copy_from_slice(&number.to_be_bytes());
                    id
                };
                let ids: Vec<SpentId> = (0..count).map(id).collect();
                let keep_until = Timestamp::from_seconds(NOW);
                runtime.block_on(log.append(&ids, keep_until)).expect("spent")
            });
        });
    }
}

/// What the client has: an RSA key that is registered on one client, and an enterprise certificate for it.
struct ClientSide {
    key: SigningKey,
    kid_header: String,
    x5c_header: String,
    root_pem: String,
    intermediate_pem: String,
    next: AtomicU64,
}

impl ClientSide {
    fn new() -> Self {
        let (key, pkcs8) = SigningKey::generate(Algorithm::Rs256, 2048).expect("key");
        let ca = |name: &str| {
            let mut params = CertificateParams::default();
            params.distinguished_name.push(DnType::CommonName, name);
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
            params
        };
        let root_key = KeyPair::generate().expect("key");
        let root = ca("root").self_signed(&root_key).expect("root");
        let root_issuer = Issuer::new(ca("root"), root_key);
        let intermediate_key = KeyPair::generate().expect("key");
        let intermediate =
            ca("intermediate").signed_by(&intermediate_key, &root_issuer).expect("intermediate");
        let intermediate_issuer = Issuer::new(ca("intermediate"), intermediate_key);
        let leaf_key = KeyPair::try_from(pkcs8.as_slice()).expect("the same key");
        let mut leaf = CertificateParams::default();
        let identifier = DnValue::Utf8String("NTRNO-310000116".to_owned());
        leaf.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), identifier);
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        let leaf = leaf.signed_by(&leaf_key, &intermediate_issuer).expect("leaf");
        let x5c = [leaf.der(), intermediate.der()].map(|der| STANDARD.encode(der));
        let encode = |header: serde_json::Value| {
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header.to_string()) + "."
        };
        Self {
            kid_header: encode(serde_json::json!({ "alg": "RS256", "kid": key.kid() })),
            x5c_header: encode(serde_json::json!({ "alg": "RS256", "x5c": x5c })),
            root_pem: root.pem(),
            intermediate_pem: intermediate.pem(),
            key,
            next: AtomicU64::new(0),
        }
    }

    fn public(&self) -> portvakt::pki::public_key::PublicKey {
        let jwk = serde_json::to_string(self.key.jwk()).expect("JWK");
        ClientJwk::parse(jwk.as_bytes()).expect("fit to register").key
    }

    fn assertion(&self, header: &str) -> String {
        let client = if *header == self.kid_header { "by-kid" } else { "by-x5c" };
        let claims = serde_json::json!({
            "aud": ISSUER, "iss": client, "scope": "bench:it", "iat": NOW, "exp": NOW + 120,
            "jti": format!("bench-{}", self.next.fetch_add(1, Ordering::Relaxed)),
        });
        self.key.sign(header, claims.to_string().as_bytes()).expect("signed")
    }
}

struct Server {
    app: Arc<App>,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn new(client: &ClientSide, algorithm: Algorithm) -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("root.pem"), &client.root_pem).expect("written");
        std::fs::write(file("intermediate.pem"), &client.intermediate_pem).expect("written");
        std::fs::write(file("sealing.key"), SealingKey::generate(&SystemRandom).as_bytes())
            .expect("written");
        let text = format!(
            "[server]\nissuer = \"{ISSUER}\"\n[keys]\nsealing_key_file = \"sealing.key\"\n\
             [token]\nsigning_algorithm = \"{algorithm}\"\n[trust.bench]\nanchors = [\"root.pem\"]\n\
             intermediates = [\"intermediate.pem\"]\npolicies = [\"any\"]\nrevocation = \"not_checked\"\n"
        );
        std::fs::write(file("portvakt.toml"), text).expect("written");
        let config = Config::load(&file("portvakt.toml"), std::iter::empty()).expect("valid");
        let store = open_store(&config.database).await.expect("store");
        store.migrate().await.expect("tables");
        let app = App::build(&config, store, Arc::new(StoppedClock), Arc::new(SystemRandom)).await;
        let app = Arc::new(app.expect("app"));
        seed(&app, client).await;
        Self { app, _folder: folder }
    }

    async fn refuses_a_replay(&self, assertion: &str) {
        let request = TokenRequest { assertion, client_id: None };
        let issuer = &self.app.issuer;
        issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await.expect("issued");
        let again = issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await;
        assert_eq!(again.expect_err("spent"), Refusal::Replayed);
    }

    async fn issue_all(&self, assertions: Vec<String>) {
        let mut share = vec![Vec::new(); CONCURRENCY];
        for (at, assertion) in assertions.into_iter().enumerate() {
            share[at % CONCURRENCY].push(assertion);
        }
        let mut tasks = JoinSet::new();
        for share in share {
            let app = Arc::clone(&self.app);
            tasks.spawn(async move {
                for assertion in share {
                    let request = TokenRequest { assertion: &assertion, client_id: None };
                    let mut trail = Trail::new(&*app.issuer.clock);
                    app.issuer.issue(&request, &mut trail).await.expect("issued");
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            done.expect("no panic");
        }
    }
}

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

/// A clock whose time of day stands still, so that assertions stay valid, and whose uptime goes on.
struct StoppedClock;

impl Clock for StoppedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(NOW)
    }

    fn uptime(&self) -> Duration {
        portvakt::clock::SystemClock.uptime()
    }
}

/// CPU time of the process, user and system, all threads: what a token costs, whatever else the machine
/// does and however long the disk takes.
struct CpuTime;

impl Measurement for CpuTime {
    type Intermediate = ProcessTime;
    type Value = Duration;

    fn start(&self) -> ProcessTime {
        ProcessTime::now()
    }

    fn end(&self, began: ProcessTime) -> Duration {
        began.elapsed()
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}

criterion_group! {
    name = all;
    config = Criterion::default().with_measurement(CpuTime).sample_size(20);
    targets = benches
}
criterion_main!(all);
