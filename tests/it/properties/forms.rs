//! However a form is escaped, what was meant arrives, through the whole token API.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jws::alg::eddsa::EddsaJwsSigner;
use josekit::jws::{EdDSA, JwsHeader, serialize_compact};
use portvakt::app::{App, open_store};
use portvakt::clock::{Clock as _, Random as _, SystemClock, SystemRandom};
use portvakt::config::Config;
use portvakt::domain::organization::Organization;
use portvakt::domain::scope::{Scope, ScopeAudience};
use portvakt::http::token_router;
use portvakt::keys::SealingKey;
use portvakt::registry::{Actor, NewClient};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

const ISSUER: &str = "https://tokens.example/";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT: &str = "a-client";
const SCOPE: &str = "ab:c";

/// A server without sockets, and a client of it.
struct Server {
    runtime: Runtime,
    router: Router,
    signer: EddsaJwsSigner,
    made: AtomicUsize,
    _folder: TempDir,
}

static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

impl Server {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let mut key = EdKeyPair::generate(EdCurve::Ed25519).unwrap().to_jwk_key_pair();
        key.set_key_id("a-key");
        key.set_algorithm("EdDSA");
        let mut public = key.to_public_key().unwrap();
        public.set_key_id("a-key");
        public.set_algorithm("EdDSA");
        let app = runtime.block_on(app(&folder, public.to_string()));
        Self {
            router: token_router(Arc::new(app)),
            signer: EdDSA.signer_from_jwk(&key).unwrap(),
            made: AtomicUsize::new(0),
            runtime,
            _folder: folder,
        }
    }

    fn assertion(&self) -> String {
        let iat = SystemClock.now().seconds();
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let claims = json!({
            "iss": CLIENT, "aud": ISSUER, "scope": SCOPE,
            "iat": iat, "exp": iat + 100, "jti": number.to_string(),
        });
        let claims = claims.to_string();
        serialize_compact(claims.as_bytes(), &JwsHeader::new(), &self.signer).unwrap()
    }

    /// Status, and the answer without what is random in it.
    fn ask(&self, query: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::post(format!("/token{query}"))
            .header("host", "tokens.example")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len())
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let status = answer.status();
            let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let mut body: Value = serde_json::from_slice(&body).unwrap();
            if let Some(description) = body["error_description"].as_str() {
                let without_trace = description.split("trace").next().unwrap_or("");
                body["error_description"] = json!(without_trace);
            }
            (status, body)
        })
    }
}

async fn app(folder: &TempDir, jwk: String) -> App {
    let sealing_key = SealingKey::generate(&SystemRandom);
    std::fs::write(folder.path().join("key"), sealing_key.as_bytes()).unwrap();
    let file = folder.path().join("portvakt.toml");
    let text = format!(
        "[server]\nissuer = \"{ISSUER}\"\n[keys]\nsealing_key_file = \"key\"\n\
         [token]\nsigning_algorithm = \"EdDSA\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let config = Config::load(&file, std::iter::empty()).unwrap();
    let store = open_store(&config.database).await.unwrap();
    store.migrate().await.unwrap();
    let app = App::build(&config, store, Arc::new(SystemClock), Arc::new(SystemRandom));
    let app = app.await.unwrap();
    let actor = Actor::server("test");
    let number = "310000108".parse().unwrap();
    let organization = Organization::new(number, "A");
    app.registry.create_organization(&actor, &organization).await.unwrap();
    app.registry.assign_prefix(&actor, &"ab".parse().unwrap(), number).await.unwrap();
    let scope = Scope {
        audience: ScopeAudience::AnyOrganization,
        ..Scope::new(SCOPE.parse().unwrap(), number, "A")
    };
    let name = scope.name.clone();
    app.registry.define_scope(&actor, scope).await.unwrap();
    let client = NewClient {
        id: Some(CLIENT.parse().unwrap()),
        scopes: vec![name],
        jwks: vec![jwk],
        ..NewClient::new(number, "A")
    };
    app.registry.register_client(&actor, client).await.unwrap();
    app
}

/// Escapes what must be escaped, and what else `more` says, in small or large digits.
fn escape(text: &str, more: &[u8]) -> String {
    let mut escaped = String::new();
    for (byte, more) in text.bytes().zip(more.iter().cycle()) {
        let plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        match more {
            0..=99 if plain => escaped.push(char::from(byte)),
            100..=127 if byte == b' ' => escaped.push('+'),
            0..=127 => write!(escaped, "%{byte:02X}").unwrap(),
            128.. => write!(escaped, "%{byte:02x}").unwrap(),
        }
    }
    escaped
}

/// The pairs of a form, in an order.
fn form(pairs: &[(&str, &str)], more: &[u8], turn: usize) -> String {
    let mut pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", escape(name, more), escape(value, more)))
        .collect();
    let turn = turn % pairs.len();
    pairs.rotate_left(turn);
    pairs.join("&")
}

/// Random bytes for a default escape, so that two runs do not try the same.
fn plain() -> Vec<u8> {
    let mut bytes = [0; 1];
    SystemRandom.fill(&mut bytes);
    vec![bytes[0] % 100]
}

proptest! {
    #![proptest_config(crate::properties::cases(200))]

    #[test]
    fn a_right_form_is_understood_however_it_is_escaped(
        more in vec(any::<u8>(), 1..40),
        turn in 0..4_usize,
        other in ("[a-z]{3,8}", "\\PC{0,10}"),
        in_query in any::<bool>(),
    ) {
        let assertion = SERVER.assertion();
        let name = format!("x_{}", other.0);
        let value = other.1.replace('\0', "");
        let pairs = [
            ("grant_type", GRANT),
            ("assertion", &*assertion),
            ("client_id", CLIENT),
            (&*name, &*value),
        ];
        let form = form(&pairs, &more, turn);
        let (status, answer) =
            if in_query { SERVER.ask(&format!("?{form}"), "") } else { SERVER.ask("", &form) };
        prop_assert_eq!(status, StatusCode::OK, "{} {}", form, answer);
        prop_assert_eq!(&answer["scope"], SCOPE);
    }

    #[test]
    fn a_wrong_form_is_refused_alike_however_it_is_escaped(
        more in vec(any::<u8>(), 1..40),
        grant in prop_oneof![Just(GRANT.to_owned()), "[a-z:_ åé]{1,20}"],
        assertion in "[A-Za-z0-9._ +/=åé-]{1,60}",
    ) {
        let pairs = [("grant_type", &*grant), ("assertion", &*assertion)];
        let expected = SERVER.ask("", &form(&pairs, &plain(), 0));
        prop_assert_eq!(expected.0, StatusCode::BAD_REQUEST);
        if grant == GRANT {
            prop_assert_eq!(&expected.1["error_uri"], &format!("{ISSUER}errors/MP-011"));
        } else {
            prop_assert_eq!(&expected.1["error"], "unsupported_grant_type");
        }
        prop_assert_eq!(SERVER.ask("", &form(&pairs, &more, 0)), expected.clone());
        prop_assert_eq!(SERVER.ask("", &form(&pairs, &more, 1)), expected);
    }

    #[test]
    fn a_parameter_that_is_there_twice_is_refused(
        more in vec(any::<u8>(), 1..40),
        twice in 0..3_usize,
        turn in 0..4_usize,
    ) {
        let assertion = SERVER.assertion();
        let pairs = [("grant_type", GRANT), ("assertion", &*assertion), ("client_id", CLIENT)];
        let doubled = [pairs[0], pairs[1], pairs[2], pairs[twice]];
        let (status, answer) = SERVER.ask("", &form(&doubled, &more, turn));
        prop_assert_eq!(status, StatusCode::BAD_REQUEST);
        prop_assert_eq!(&answer["error"], "invalid_request");
        // It was refused before it was used.
        prop_assert_eq!(SERVER.ask("", &form(&pairs, &more, turn)).0, StatusCode::OK);
    }

    #[test]
    fn no_bytes_get_anything_but_an_orderly_refusal(body in vec(any::<u8>(), 0..200), raw in any::<bool>()) {
        let body = String::from_utf8_lossy(&body).into_owned();
        let body = if raw { body } else { format!("grant_type={GRANT}&assertion={body}") };
        let (status, answer) = SERVER.ask("", &body);
        prop_assert_eq!(status, StatusCode::BAD_REQUEST, "{} {}", body, answer);
        prop_assert!(answer["error"].is_string());
    }
}
