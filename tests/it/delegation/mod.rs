//! Delegation end to end: the table of this server, and a register on another server that is asked over HTTP.

mod answers;
mod memory;
mod register;
mod sources;

use std::net::SocketAddr;
use std::sync::OnceLock;

use portvakt::domain::scope::{Scope, ScopeAudience, ScopeProduct, ScopeStatus};
use portvakt::registry::NewClient;

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
            registry.define_scope(&by, &scope(name, source)).await.unwrap();
            let (name, consumer) = (name.parse().unwrap(), CONSUMER.parse().unwrap());
            registry.grant_access(&by, &name, consumer, None).await.unwrap();
        }
        let client = NewClient {
            id: "agent".parse().unwrap(),
            organization: SUPPLIER.parse().unwrap(),
            name: "agent".to_owned(),
            scopes: SCOPES.iter().chain(&[ELSEWHERE, HERE]).map(|it| it.parse().unwrap()).collect(),
            jwks: vec![key().jwk("agent-key").to_string()],
        };
        registry.register_client(&by, client).await.unwrap();
        Self { server, register }
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
    Scope {
        name: name.parse().unwrap(),
        owner: PROVIDER.parse().unwrap(),
        description: format!("Test scope {name}"),
        status: ScopeStatus::Active,
        audience: ScopeAudience::GrantedOrganizations,
        product: ScopeProduct::Machines,
        token_lifetime_seconds_max: None,
        delegation_source: Some(source.to_owned()),
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
