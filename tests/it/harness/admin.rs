//! The admin listener of a test server, and tokens to call it with.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use portvakt::domain::record::Expected;
use portvakt::domain::right::Right;
use portvakt::http::listen::Listener;
use portvakt::http::{SourceRule, admin_router};
use portvakt::registry::{AccessTerms, NewClient};
use serde_json::Value;

use crate::harness::PROVIDER;
use crate::harness::caller::{Caller, Draft, Key};
use crate::harness::chain::Trust;
use crate::harness::http::{Reply, exchange, request};
use crate::harness::server::{TestServer, actor, pki};

/// A running server with its admin listener. The provider operates it and owns the prefix `test`.
pub(crate) struct AdminServer {
    pub(crate) server: TestServer,
    pub(crate) address: SocketAddr,
}

/// The key of every client that is made for a test of the admin API.
pub(crate) fn admin_key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("ES256"))
}

/// The lines of a configuration by which the provider operates a server.
pub(crate) fn operator() -> String {
    format!("[operator]\norganization_number = \"{PROVIDER}\"\norganization_name = \"Operator\"\n")
}

impl AdminServer {
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// The same with these lines at the end of its configuration. It stands behind a proxy that sets
    /// `X-Forwarded-For`.
    pub(crate) async fn with(configuration: &str) -> Self {
        Self::trusting(&[Trust::of(pki())], configuration).await
    }

    /// The same with these trust sets.
    pub(crate) async fn trusting(trust: &[Trust], configuration: &str) -> Self {
        let configuration = format!("{}{configuration}", operator());
        let server = TestServer::with(trust, &configuration).await;
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), None, 1_000).await.unwrap();
        let listener = listener.with_sources(SourceRule::new(true, Some("X-Forwarded-For")));
        let address = listener.address().unwrap();
        let router = admin_router(server.app.clone());
        tokio::spawn(async move { listener.serve(router, std::future::pending()).await });
        Self { server, address }
    }

    /// A new client of that organization with these scopes on it, which the organization is granted.
    pub(crate) async fn client(&self, organization: &str, scopes: &str) -> Caller {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!("admin-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (by, number) = (actor(), organization.parse().unwrap());
        let registry = &self.server.app.registry;
        let names = scopes.split(' ').map(|name| name.parse().unwrap()).collect::<Vec<_>>();
        for name in &names {
            let terms = AccessTerms::default();
            registry.grant_access(&by, name, number, terms, Expected::Anything).await.unwrap();
        }
        let client = NewClient {
            id: Some(id.parse().unwrap()),
            scopes: names,
            jwks: vec![admin_key().jwk("admin-key").to_string()],
            ..NewClient::new(number, &id)
        };
        registry.register_client(&by, client).await.unwrap();
        Caller {
            client_id: id,
            key: admin_key().clone(),
            hint: ("kid", "admin-key".into()),
            scope: scopes.to_owned().leak(),
            good: None,
        }
    }

    /// An access token of a new client of that organization with these scopes.
    pub(crate) async fn token(&self, organization: &str, scopes: &str) -> String {
        let client = self.client(organization, scopes).await;
        self.token_of(&client.draft()).await
    }

    /// An access token of a new client of that organization with every right but the operator's.
    pub(crate) async fn full_token(&self, organization: &str) -> String {
        let rights = Right::ALL.iter().filter(|right| **right != Right::Operate);
        let scopes: Vec<&str> = rights.map(|right| right.name()).collect();
        self.token(organization, &scopes.join(" ")).await
    }

    /// The access token for this assertion; or, as a disk that is shared may stand still for longer than a server lets
    /// anybody wait, for another like it.
    pub(crate) async fn token_of(&self, draft: &Draft) -> String {
        let mut reply = self.server.ask(&draft.sign()).await;
        for _ in 0..3 {
            if reply.status == 503 && reply.header("retry-after").is_some() {
                reply = self.server.ask(&draft.clone().anew().sign()).await;
            }
        }
        reply.token().unwrap_or_else(|| panic!("no token: {}", reply.text()))
    }

    /// Sends a request with JSON, or with none if `body` is null. `line` is the method and the address.
    pub(crate) async fn call(&self, token: Option<&str>, line: &str, body: Value) -> Reply {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(token, line, &[("Content-Type", "application/json")], body.as_bytes()).await
    }

    /// Sends a request with these headers and this body.
    pub(crate) async fn send(
        &self,
        token: Option<&str>,
        line: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let authorization = token.map(|token| format!("Bearer {token}"));
        let mut all = headers.to_vec();
        all.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        exchange(self.address, &request(line, &all, body)).await.unwrap()
    }
}
