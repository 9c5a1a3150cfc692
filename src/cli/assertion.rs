//! Assertions (RFC 7523), as a client makes them: claims from options, a signature by josekit.
//!
//! The server's own code takes no part in this, so that a mistake in one does not hide in the other.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use josekit::jws::{self, JwsHeader};
use openssl::rand::rand_bytes;
use serde_json::{Map, Value, json};

use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::key_source::{AssertionKey, KeyArgs, KeyName};
use crate::cli::output;
use crate::cli::server::ServerArgs;
use crate::clock::{Clock as _, SystemClock, Timestamp};

/// Prints a signed assertion, for debugging and for load tests.
#[derive(Args, Clone, Debug)]
pub(super) struct AssertionCommand {
    /// How to print it.
    #[arg(short, long, value_name = "FORMAT", default_value = "assertion")]
    output: AssertionOutput,
    #[command(flatten)]
    grant: GrantArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// How an assertion is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum AssertionOutput {
    /// The assertion alone.
    Assertion,
    /// A JSON object with the member `assertion`.
    Json,
}

impl AssertionCommand {
    /// Makes the assertion and prints it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let settings = self.grant.settings()?;
        let issuer = self.server.issuer(&settings).await?;
        let assertion = self.grant.signed(&settings, &issuer)?;
        match self.output {
            AssertionOutput::Assertion => output::print(&assertion),
            AssertionOutput::Json => output::print_json(&json!({ "assertion": assertion })),
        }
    }
}

/// Seconds from iat to exp of an assertion: what every server accepts.
const LIFETIME_SECONDS: u32 = 120;

/// The `iss` of who is known by a certificate alone: there must be one, and it says nothing.
const UNREGISTERED: &str = "unregistered";

/// The options that say who asks for what.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct GrantArgs {
    /// A file of settings, such as the dev.env that `portvakt dev` writes; they go before the
    /// environment.
    #[arg(long, value_name = "FILE")]
    pub(super) env_file: Option<PathBuf>,
    /// The client [default: `PORTVAKT_CERT_CLIENT_ID` with a certificate, else
    /// `MASKINPORTEN_CLIENT_ID`]. A European business is known by its certificate and needs none.
    #[arg(long, value_name = "ID")]
    pub(super) client_id: Option<String>,
    /// A scope, or several with spaces between them; may be repeated [default:
    /// `MASKINPORTEN_SCOPES`].
    #[arg(long, value_name = "SCOPE")]
    pub(super) scope: Vec<String>,
    /// What the token is to be used at, for its aud; may be repeated.
    #[arg(long, value_name = "URI")]
    pub(super) resource: Vec<String>,
    /// The organization on whose behalf a supplier asks.
    #[arg(long, value_name = "NUMBER")]
    pub(super) consumer_org: Option<String>,
    /// The national identity number that the token is to be bound to.
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<String>,
    /// Seconds from iat to exp of the assertion.
    #[arg(long, value_name = "SECONDS", default_value_t = LIFETIME_SECONDS)]
    pub(super) lifetime_seconds: u32,
    #[command(flatten)]
    key: KeyArgs,
}

impl GrantArgs {
    /// The settings that stand behind the options.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Settings::load(self.env_file.as_deref())
    }

    /// A fresh assertion for the server that calls itself `issuer`.
    pub(super) fn signed(&self, settings: &Settings, issuer: &str) -> Result<String, Failure> {
        let key = self.key.read(settings)?;
        let client_id = self.client_id(settings, &key.name)?;
        let scope = self.scope(settings)?;
        let claims = self.claims(&client_id, &scope, issuer, SystemClock.now(), &fresh_id()?);
        sign(&key, &claims)
    }

    /// The client that the key belongs to, unless another is named.
    fn client_id(&self, settings: &Settings, key: &KeyName) -> Result<String, Failure> {
        let of_certificate = match key {
            KeyName::Certificates(_) => settings.value("PORTVAKT_CERT_CLIENT_ID"),
            KeyName::Registered(_) => None,
        };
        let client_id = self.client_id.clone().or(of_certificate);
        let client_id = client_id.or_else(|| settings.value("MASKINPORTEN_CLIENT_ID"));
        match (client_id, key) {
            (Some(client_id), _) => Ok(client_id),
            (None, KeyName::Certificates(_)) => {
                output::note(
                    "no client is named, so the certificate must be that of a European business; \
                     otherwise give --client-id, or set PORTVAKT_CERT_CLIENT_ID",
                );
                Ok(UNREGISTERED.to_owned())
            }
            (None, KeyName::Registered(_)) => Err(Failure::usage(
                "there is no client: give --client-id, or set MASKINPORTEN_CLIENT_ID",
            )),
        }
    }

    /// What is asked for, by the options or the settings.
    pub(super) fn scope(&self, settings: &Settings) -> Result<String, Failure> {
        if !self.scope.is_empty() {
            return Ok(self.scope.join(" "));
        }
        settings.value("MASKINPORTEN_SCOPES").ok_or_else(|| {
            Failure::usage("there is no scope to ask for: give --scope, or set MASKINPORTEN_SCOPES")
        })
    }

    fn claims(
        &self,
        client_id: &str,
        scope: &str,
        issuer: &str,
        now: Timestamp,
        id: &str,
    ) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut set = |name: &str, value: Value| _ = claims.insert(name.to_owned(), value);
        set("aud", issuer.into());
        set("iss", client_id.into());
        set("scope", scope.into());
        set("iat", now.seconds().into());
        set("exp", now.plus_seconds(self.lifetime_seconds.into()).seconds().into());
        set("jti", id.into());
        match &self.resource[..] {
            [] => {}
            // All clients that are in use send one as a bare string.
            [resource] => set("resource", resource.as_str().into()),
            resources => set("resource", resources.into()),
        }
        if let Some(consumer) = &self.consumer_org {
            set("consumer_org", consumer.as_str().into());
        }
        if let Some(pid) = &self.pid {
            set("pid", pid.as_str().into());
        }
        claims
    }
}

/// A fresh assertion of a client with a key of its own, for a token with `scope`.
pub(super) fn signed_by(
    key: &AssertionKey,
    client_id: &str,
    scope: &str,
    issuer: &str,
) -> Result<String, Failure> {
    let grant = GrantArgs { lifetime_seconds: LIFETIME_SECONDS, ..GrantArgs::default() };
    sign(key, &grant.claims(client_id, scope, issuer, SystemClock.now(), &fresh_id()?))
}

/// An id that no other has: 128 random bits.
pub(super) fn fresh_id() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    rand_bytes(&mut bytes)
        .map_err(|error| Failure::failed(format!("there are no random bytes: {error}")))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn sign(key: &AssertionKey, claims: &Map<String, Value>) -> Result<String, Failure> {
    let mut header = JwsHeader::new();
    match &key.name {
        KeyName::Certificates(chain) => header.set_x509_certificate_chain(chain),
        KeyName::Registered(kid) => header.set_key_id(kid),
    }
    let payload = Value::Object(claims.clone()).to_string();
    jws::serialize_compact(payload.as_bytes(), &header, &*key.signer)
        .map_err(|error| Failure::failed(format!("the assertion cannot be signed: {error}")))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use josekit::jws::{ES256, RS256};
    use openssl::nid::Nid;

    use super::*;
    use crate::cli::test_keys;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        grant: GrantArgs,
    }

    fn claims(options: &[&str]) -> Value {
        let line = [&["portvakt"], options].concat();
        let grant = Line::try_parse_from(line).unwrap().grant;
        let now = Timestamp::from_seconds(1000);
        Value::Object(grant.claims("client", &grant.scope.join(" "), "https://as/", now, "id"))
    }

    #[test]
    fn claims_are_those_that_clients_send() {
        let expected = json!({
            "aud": "https://as/", "iss": "client", "scope": "a:b a:c", "iat": 1000, "exp": 1120,
            "jti": "id",
        });
        assert_eq!(claims(&["--scope", "a:b", "--scope", "a:c"]), expected);
    }

    #[test]
    fn one_resource_is_a_string_and_several_are_an_array() {
        assert_eq!(claims(&["--resource", "urn:a"])["resource"], json!("urn:a"));
        let two = claims(&["--resource", "urn:a", "--resource", "urn:b"]);
        assert_eq!(two["resource"], json!(["urn:a", "urn:b"]));
    }

    #[test]
    fn options_become_claims_of_the_same_name() {
        let claims = claims(&[
            "--consumer-org",
            "910753614",
            "--pid",
            "01010199999",
            "--lifetime-seconds",
            "10",
        ]);
        assert_eq!(claims["consumer_org"], json!("910753614"));
        assert_eq!(claims["pid"], json!("01010199999"));
        assert_eq!(claims["exp"], json!(1010));
    }

    #[test]
    fn a_registered_key_is_named_by_kid_and_nothing_else_stands_in_the_header() {
        let key = test_keys::rsa();
        let signer = RS256.signer_from_der(key.private_key_to_pkcs8().unwrap()).unwrap();
        let name = KeyName::Registered("my-key".to_owned());
        let claims = Map::from_iter([("iss".to_owned(), json!("client"))]);
        let key_for = AssertionKey { signer: Box::new(signer), name };
        let assertion = sign(&key_for, &claims).unwrap();
        let verifier = RS256.verifier_from_der(key.public_key_to_der().unwrap()).unwrap();
        let (payload, header) = jws::deserialize_compact(assertion, &verifier).unwrap();
        assert_eq!(json!(header.claims_set()), json!({"alg": "RS256", "kid": "my-key"}));
        assert_eq!(serde_json::from_slice::<Value>(&payload).unwrap(), json!({"iss": "client"}));
    }

    #[test]
    fn a_certificate_is_sent_in_x5c_as_standard_base64_and_without_kid() {
        let key = test_keys::ec(Nid::X9_62_PRIME256V1);
        let signer = ES256.signer_from_der(key.private_key_to_pkcs8().unwrap()).unwrap();
        let name = KeyName::Certificates(vec![vec![0xfb, 0xff], vec![1]]);
        let key_for = AssertionKey { signer: Box::new(signer), name };
        let assertion = sign(&key_for, &Map::new()).unwrap();
        let verifier = ES256.verifier_from_der(key.public_key_to_der().unwrap()).unwrap();
        let (_, header) = jws::deserialize_compact(assertion, &verifier).unwrap();
        let expected = json!({"alg": "ES256", "x5c": ["+/8=", "AQ=="]});
        assert_eq!(json!(header.claims_set()), expected);
    }

    #[test]
    fn the_client_is_the_one_that_the_key_belongs_to_unless_another_is_named() {
        let settings = "MASKINPORTEN_CLIENT_ID=by-key\nPORTVAKT_CERT_CLIENT_ID=by-certificate";
        let settings = Settings::of(settings);
        let client = |options: &[&str], key: &KeyName| {
            let line = Line::try_parse_from([&["portvakt"], options].concat()).unwrap();
            line.grant.client_id(&settings, key).unwrap()
        };
        let (kid, x5c) = (KeyName::Registered("a".to_owned()), KeyName::Certificates(Vec::new()));
        assert_eq!(client(&[], &kid), "by-key");
        assert_eq!(client(&[], &x5c), "by-certificate");
        assert_eq!(client(&["--client-id", "named"], &x5c), "named");
        let nothing = Settings::of("");
        let bare = Line::try_parse_from(["portvakt"]).unwrap().grant;
        assert!(bare.client_id(&nothing, &kid).is_err());
        assert_eq!(bare.client_id(&nothing, &x5c).unwrap(), UNREGISTERED);
    }

    #[test]
    fn every_assertion_has_an_id_of_its_own() {
        assert_ne!(fresh_id().unwrap(), fresh_id().unwrap());
        assert_eq!(fresh_id().unwrap().len(), 32);
    }
}
