//! Delegation end to end: the table of this server, and a register on another server that is asked over HTTP.

mod answers;
mod memory;
mod register;
mod sources;

use std::net::SocketAddr;
use std::sync::OnceLock;

use portvakt::domain::access::Delegation;
use portvakt::domain::change::ChangedNoun;
use portvakt::domain::record::Expected;
use portvakt::domain::scope::Scope;
use portvakt::registry::{AccessTerms, NewClient};
use portvakt::store::{AuditEntry, AuditSeal, Transaction};

use crate::delegation::register::TestRegister;
use crate::harness::caller::{Caller, Key};
use crate::harness::http::Reply;
use crate::harness::row::check_refusal;
use crate::harness::server::{TestServer, actor};
use crate::harness::{CONSUMER, ISSUER, PROVIDER, SUPPLIER};

/// What scopes name the register on the other server by. No address of this name is ever asked.
const REGISTER: &str = "https://register.test/";

/// Scopes that are delegated in the register, so that no test is answered with what another has caused to be
/// remembered.
const SCOPES: [&str; 24] = [
    "test:d0", "test:d1", "test:d2", "test:d3", "test:d4", "test:d5", "test:d6", "test:d7",
    "test:d8", "test:d9", "test:d10", "test:d11", "test:d12", "test:d13", "test:d14", "test:d15",
    "test:d16", "test:d17", "test:d18", "test:d19", "test:d20", "test:d21", "test:d22", "test:d23",
];

/// A scope that is delegated in a register that nobody has configured.
const ELSEWHERE: &str = "test:elsewhere";

/// A scope that is delegated in the table of this server.
const HERE: &str = "test:here";

const PATIENT: &str = "timeout_milliseconds = 5000\n";

/// A server that knows one other register.
struct Delegated {
    server: TestServer,
    register: TestRegister,
}

impl Delegated {
    /// With these lines in the section of the register.
    async fn start(more: &str) -> Self {
        let register = TestRegister::start().await;
        Self::with(register.address, register, more).await
    }

    /// With a register that is looked for at another address.
    async fn at(address: SocketAddr, more: &str) -> Self {
        Self::with(address, TestRegister::start().await, more).await
    }

    async fn with(address: SocketAddr, register: TestRegister, more: &str) -> Self {
        // Whoever does not test the time-out has a machine that may be busy.
        let patient = if more.contains("timeout_milliseconds") { "" } else { PATIENT };
        let section = format!(
            "[delegation_register.other]\nissuer = \"{REGISTER}\"\nname = \"The other register\"\n\
             url = \"http://{address}/api/delegations\"\n{patient}{more}\n"
        );
        let server = TestServer::with(&[], &section).await;
        let (registry, by) = (&server.app.registry, actor());
        let elsewhere = [(ELSEWHERE, "https://elsewhere.test/"), (HERE, ISSUER)];
        for (name, source) in SCOPES.map(|name| (name, REGISTER)).into_iter().chain(elsewhere) {
            // A source that nobody has configured cannot be named any more; it may have been before.
            let known = if name == ELSEWHERE { ISSUER } else { source };
            let made = registry.define_scope(&by, scope(name, known)).await.unwrap();
            let (consumer, terms) = (CONSUMER.parse().unwrap(), AccessTerms::default());
            let granted =
                registry.grant_access(&by, &made.value.name, consumer, terms, Expected::Anything);
            granted.await.unwrap();
        }
        let client = NewClient {
            id: Some("agent".parse().unwrap()),
            scopes: SCOPES.iter().chain(&[ELSEWHERE, HERE]).map(|it| it.parse().unwrap()).collect(),
            jwks: vec![key().jwk("agent-key").to_string()],
            ..NewClient::new(SUPPLIER.parse().unwrap(), "agent")
        };
        registry.register_client(&by, client).await.unwrap();
        let delegated = Self { server, register };
        delegated.let_elsewhere_be_elsewhere().await;
        delegated
    }

    async fn let_elsewhere_be_elsewhere(&self) {
        let mut transaction = self.server.store.begin().await.unwrap();
        let found = transaction.scope(&ELSEWHERE.parse().unwrap()).await.unwrap().unwrap();
        let moved = scope(ELSEWHERE, "https://elsewhere.test/");
        transaction.update_scope(&moved, found.version, found.updated_at).await.unwrap();
        self.finish(transaction, ChangedNoun::Scope, ELSEWHERE.to_owned()).await;
    }

    /// Puts a row into the table of this server, whatever its source.
    async fn put(&self, row: &Delegation) {
        let mut transaction = self.server.store.begin().await.unwrap();
        transaction.put_delegation(row, None, row.valid_from).await.unwrap();
        let key = format!("{} {} {}", row.consumer, row.supplier, row.scope);
        self.finish(transaction, ChangedNoun::Delegation, key).await;
    }

    async fn finish(&self, mut transaction: Transaction, noun: ChangedNoun, key: String) {
        let issuer = &self.server.app.issuer;
        let entry = AuditEntry {
            actor: "test".to_owned(),
            actor_organization: None,
            by_right: "test".to_owned(),
            action: "change",
            noun,
            key,
            organization: None,
            before: None,
            after: None,
            trace_id: None,
        };
        transaction.record(&entry, &AuditSeal::new(b"test"), issuer.clock.now()).await.unwrap();
        transaction.commit().await.unwrap();
        issuer.feed.catch_up().await.unwrap();
    }

    /// What comes of asking for `scope` on behalf of `consumer`.
    async fn ask_for(&self, scope: &'static str, consumer: &str) -> Reply {
        let draft = agent().draft().claim("scope", scope).claim("consumer_org", consumer);
        self.server.ask(&draft.sign()).await
    }

    /// What comes of asking for `scope` on behalf of the consumer.
    async fn ask(&self, scope: &'static str) -> Reply {
        self.ask_for(scope, CONSUMER).await
    }
}

fn key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("ES256"))
}

/// A client of the supplier.
fn agent() -> Caller {
    Caller {
        client_id: "agent".to_owned(),
        key: key().clone(),
        hint: ("kid", "agent-key".into()),
        scope: SCOPES[0],
        good: None,
    }
}

fn scope(name: &str, source: &str) -> Scope {
    let description = format!("Test scope {name}");
    Scope {
        delegation_source: Some(source.to_owned()),
        ..Scope::new(name.parse().unwrap(), PROVIDER.parse().unwrap(), &description)
    }
}

fn assert_token(reply: &Reply) {
    assert!(reply.status == 200 && reply.token().is_some(), "{}", reply.text());
}

fn assert_not_delegated(what: &str, reply: &Reply) {
    let checked = check_refusal(reply, 403, "forbidden", "MP-251");
    assert!(checked.is_ok(), "{what}: {}", checked.unwrap_err());
}

fn assert_unavailable(what: &str, reply: &Reply) {
    let checked = check_refusal(reply, 503, "temporarily_unavailable", "");
    assert!(checked.is_ok(), "{what}: {}", checked.unwrap_err());
}
