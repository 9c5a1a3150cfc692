//! The server that is measured, without its listeners.

use std::sync::Arc;
use std::time::Duration;

use portvakt::app::{App, open_store};
use portvakt::clock::{Clock, SystemRandom, Timestamp};
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

use crate::client::ClientSide;

pub(crate) const ISSUER: &str = "https://bench.example/";
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) struct Server {
    pub(crate) app: Arc<App>,
    _folder: tempfile::TempDir,
}

impl Server {
    pub(crate) async fn new(client: &ClientSide, algorithm: Algorithm) -> Self {
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

    pub(crate) async fn refuses_a_replay(&self, assertion: &str) {
        let request = TokenRequest { assertion, client_id: None };
        let issuer = &self.app.issuer;
        issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await.expect("issued");
        let again = issuer.issue(&request, &mut Trail::new(&*issuer.clock)).await;
        assert_eq!(again.expect_err("spent"), Refusal::Replayed);
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
