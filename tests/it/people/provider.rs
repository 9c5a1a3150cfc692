//! An OpenID provider that lies when it is told to: discovery, keys and a token endpoint that holds PKCE.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Url;
use serde_json::{Value, json};

use crate::harness::caller::{Key, hmac, new_jti};
use crate::harness::clock::NOW;

/// Who the server is to the provider.
pub(super) const CLIENT: &str = "portvakt";

/// Whom it names when it does not lie.
pub(super) const EMAIL: &str = "kari@consumer.example";

/// What an ID token is signed with.
#[derive(Clone, Copy)]
pub(super) enum Signature {
    /// The key that the provider publishes.
    Right,
    /// Another key.
    Wrong,
    /// The published key, taken for the secret of an HMAC.
    PublicKeyAsSecret,
    /// Our own secret.
    ClientSecret,
    /// None.
    Missing,
}

/// An ID token that is being written.
pub(super) struct Draft {
    pub(super) header: Value,
    pub(super) claims: Value,
    pub(super) signature: Signature,
}

/// What a token is spoilt with.
pub(super) type Spoil = fn(&mut Draft);

struct State {
    issuer: String,
    methods: Vec<&'static str>,
    key: (String, Key),
    /// Challenge and nonce of each question, by the code that answers it. A lenient provider takes a code twice.
    codes: HashMap<String, (String, String)>,
    spoil: Spoil,
}

/// A provider that listens on a socket.
pub(super) struct Provider {
    pub(super) issuer: String,
    state: Arc<Mutex<State>>,
}

/// Another key, of the same kind.
fn wrong_key() -> &'static Key {
    static KEY: OnceLock<Key> = OnceLock::new();
    KEY.get_or_init(|| Key::generate("ES256"))
}

impl Provider {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = State {
            issuer: issuer.clone(),
            methods: vec!["plain", "S256"],
            key: ("k1".to_owned(), Key::generate("ES256")),
            codes: HashMap::new(),
            spoil: |_| {},
        };
        let state = Arc::new(Mutex::new(state));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&state));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { issuer, state }
    }

    /// The lines of a configuration that names it.
    pub(super) fn section(&self, name: &str) -> String {
        format!(
            "[open_id.{name}]\nissuer = \"{}\"\nname = \"Sign-in {name}\"\nclient_id = \"{CLIENT}\"\n",
            self.issuer
        )
    }

    /// Spoils the tokens from now on.
    pub(super) fn spoil(&self, spoil: Spoil) {
        self.state.lock().unwrap().spoil = spoil;
    }

    /// Takes another key into use.
    pub(super) fn rotate(&self, kid: &str) {
        self.state.lock().unwrap().key = (kid.to_owned(), Key::generate("ES256"));
    }

    /// Supports no PKCE but this.
    pub(super) fn support(&self, method: &'static str) {
        self.state.lock().unwrap().methods = vec![method];
    }

    /// Lets somebody sign in who was sent with this question; the answer that their browser takes back.
    pub(super) fn answer(&self, question: &Url) -> Vec<(&'static str, String)> {
        let asked: HashMap<_, _> = question.query_pairs().into_owned().collect();
        assert_eq!(asked["response_type"], "code");
        assert_eq!(asked["client_id"], CLIENT);
        assert_eq!(asked["code_challenge_method"], "S256", "PKCE is missing");
        for long in ["state", "nonce", "code_challenge"] {
            assert_eq!(asked[long].len(), 43, "{long}");
        }
        assert!(asked["scope"].split(' ').any(|scope| scope == "openid"));
        assert!(!asked.contains_key("code_verifier"));
        let code = new_jti();
        let kept = (asked["code_challenge"].clone(), asked["nonce"].clone());
        self.state.lock().unwrap().codes.insert(code.clone(), kept);
        vec![("code", code), ("state", asked["state"].clone()), ("iss", self.issuer.clone())]
    }
}

/// A body of JSON, with its type.
type Json = ([(&'static str, &'static str); 1], String);

fn as_json(value: &Value) -> Json {
    ([("content-type", "application/json")], value.to_string())
}

async fn discovery(Shared(state): Shared<Arc<Mutex<State>>>) -> Json {
    let state = state.lock().unwrap();
    let issuer = &state.issuer;
    as_json(&json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "HS256", "none"],
        "code_challenge_methods_supported": state.methods,
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(Shared(state): Shared<Arc<Mutex<State>>>) -> Json {
    let state = state.lock().unwrap();
    let (kid, key) = &state.key;
    as_json(&json!({ "keys": [key.jwk(kid)] }))
}

async fn token(Shared(state): Shared<Arc<Mutex<State>>>, body: String) -> (StatusCode, Json) {
    let form = Url::parse(&format!("http://form/?{body}")).unwrap();
    let form: HashMap<_, _> = form.query_pairs().into_owned().collect();
    let state = state.lock().unwrap();
    let text = |name: &str| form.get(name).cloned().unwrap_or_default();
    let verifier = text("code_verifier");
    let challenge = openssl::sha::sha256(verifier.as_bytes());
    let challenge = URL_SAFE_NO_PAD.encode(challenge);
    let found = state.codes.get(&text("code"));
    let Some((_, nonce)) = found.filter(|(known, _)| *known == challenge) else {
        return (StatusCode::BAD_REQUEST, as_json(&json!({ "error": "invalid_grant" })));
    };
    let id_token = id_token(&state, nonce);
    let tokens = json!({ "access_token": "a", "token_type": "Bearer", "id_token": id_token });
    (StatusCode::OK, as_json(&tokens))
}

fn id_token(state: &State, nonce: &str) -> String {
    let (kid, key) = &state.key;
    let mut draft = Draft {
        header: json!({ "alg": "ES256", "kid": kid, "typ": "JWT" }),
        claims: json!({
            "iss": state.issuer, "aud": CLIENT, "sub": "kari", "nonce": nonce, "iat": NOW, "exp": NOW + 300,
            "email": EMAIL, "email_verified": true, "name": "Kari Nordmann",
        }),
        signature: Signature::Right,
    };
    (state.spoil)(&mut draft);
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", text(&draft.header), text(&draft.claims));
    let signature = match draft.signature {
        Signature::Right => key.sign(message.as_bytes()),
        Signature::Wrong => wrong_key().sign(message.as_bytes()),
        Signature::PublicKeyAsSecret => {
            hmac(&key.pair.public_key_to_pem().unwrap(), message.as_bytes())
        }
        Signature::ClientSecret => hmac(SECRET.as_bytes(), message.as_bytes()),
        Signature::Missing => Vec::new(),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The secret of the server at the provider, where it has one.
pub(super) const SECRET: &str = "a secret of two: 0123456789abcdef0123456789";
