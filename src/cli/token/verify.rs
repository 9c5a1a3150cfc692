//! `portvakt token verify`: checks a token as an API that receives it does (RFC 9068 section 4, and
//! what the validators in use ask for).

use std::path::PathBuf;

use clap::Args;
use josekit::JoseError;
use josekit::jwk::Jwk;
use josekit::jws::{
    self, ES256, ES384, EdDSA, JwsVerifier, PS256, PS384, PS512, RS256, RS384, RS512,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::output::{self, TextOrJson};
use crate::cli::server::ServerArgs;
use crate::cli::token::decoded::{DecodedToken, time};
use crate::clock::{Clock as _, SystemClock, Timestamp};
use crate::domain::algorithm::Algorithm;

/// Checks a token as an API does.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct VerifyCommand {
    /// The token, or - for standard input.
    token: String,
    /// A file of settings, such as the dev.env that `portvakt dev` writes.
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
    /// Where the keys of the issuer are [default: `MASKINPORTEN_JWKS_URI`, or what the metadata says].
    #[arg(long, value_name = "URL", conflicts_with = "jwks_file")]
    jwks_uri: Option<String>,
    /// The keys of the issuer, in a file.
    #[arg(long, value_name = "FILE")]
    jwks_file: Option<PathBuf>,
    /// A scope that the token must have.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// What must be in the token's aud.
    #[arg(long, value_name = "AUD")]
    audience: Option<String>,
    /// How to print the outcome.
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: TextOrJson,
    #[command(flatten)]
    server: ServerArgs,
}

/// A published key set; keys of kinds that are not known here do no harm.
#[derive(Debug, Deserialize)]
struct KeySet {
    keys: Vec<Map<String, Value>>,
}

/// What a token must say.
struct Expected<'a> {
    issuer: &'a str,
    scope: Option<&'a str>,
    audience: Option<&'a str>,
    now: Timestamp,
}

impl VerifyCommand {
    /// Checks the token and prints the outcome.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let settings = Settings::load(self.env_file.as_deref())?;
        let token = input::read_token(&self.token)?;
        let (issuer, keys) = self.issuer_and_keys(&settings).await?;
        let expected = Expected {
            issuer: &issuer,
            scope: self.scope.as_deref(),
            audience: self.audience.as_deref(),
            now: SystemClock.now(),
        };
        let outcome = verified_claims(&token, &keys)
            .and_then(|claims| check_claims(&claims, &expected).map(|()| claims));
        if let (Ok(claims), None) = (&outcome, &self.audience)
            && let Some(audience) = claims.get("aud")
        {
            output::note(&format!("not checked without --audience: the token is for {audience}"));
        }
        match (&outcome, self.output) {
            (Ok(claims), TextOrJson::Text) => output::print(&summary(claims, expected.now))?,
            (Ok(claims), TextOrJson::Json) => {
                output::print_json(&json!({ "valid": true, "claims": claims }))?;
            }
            (Err(_), TextOrJson::Text) => {}
            (Err(reason), TextOrJson::Json) => {
                output::print_json(&json!({ "valid": false, "reason": reason }))?;
            }
        }
        outcome.map(|_| ()).map_err(|reason| Failure::failed(format!("not valid: {reason}")))
    }

    async fn issuer_and_keys(&self, settings: &Settings) -> Result<(String, KeySet), Failure> {
        if let Some(file) = &self.jwks_file {
            let keys = serde_json::from_slice(&input::read_file(file)?).map_err(|error| {
                Failure::usage(format!("{} is not a JWK set: {error}", file.display()))
            })?;
            return Ok((self.server.issuer(settings).await?, keys));
        }
        if let Some(address) = &self.jwks_uri {
            let issuer = self.server.issuer(settings).await?;
            return Ok((issuer, self.server.web()?.json(address).await?));
        }
        let server = self.server.server(settings, |server| server.jwks_uri.is_some()).await?;
        let address = server.jwks_uri.ok_or_else(|| {
            Failure::failed(format!("the metadata of {} names no jwks_uri", server.issuer))
        })?;
        Ok((server.issuer, self.server.web()?.json(&address).await?))
    }
}

/// Checks the signature, and gives what was signed.
fn verified_claims(token: &str, keys: &KeySet) -> Result<Map<String, Value>, String> {
    let decoded = DecodedToken::read(token).map_err(|failure| failure.message)?;
    let algorithm = decoded.header_text("alg").unwrap_or_default();
    let algorithm: Algorithm =
        algorithm.parse().map_err(|_| format!("its alg \"{algorithm}\" is not accepted"))?;
    let kid = decoded.header_text("kid").ok_or("its header has no kid")?;
    let named = |key: &&Map<String, Value>| key.get("kid").and_then(Value::as_str) == Some(kid);
    let key = keys.keys.iter().find(named).ok_or_else(|| {
        format!("its key \"{kid}\" is not among the {} of the issuer", keys.keys.len())
    })?;
    let verifier = Jwk::from_map(key.clone())
        .and_then(|key| verifier(algorithm, &key))
        .map_err(|error| format!("the key \"{kid}\" is not for {algorithm}: {error}"))?;
    let (payload, _) =
        jws::deserialize_compact(token, &*verifier).map_err(|error| match error {
            JoseError::InvalidSignature(_) => {
                format!("its signature was not made with the key \"{kid}\"")
            }
            other => format!("its signature cannot be read: {other}"),
        })?;
    serde_json::from_slice(&payload).map_err(|_| "its claims are not a JSON object".to_owned())
}

fn verifier(algorithm: Algorithm, key: &Jwk) -> Result<Box<dyn JwsVerifier>, JoseError> {
    match algorithm {
        Algorithm::EdDsa => boxed(EdDSA.verifier_from_jwk(key)),
        Algorithm::Es256 => boxed(ES256.verifier_from_jwk(key)),
        Algorithm::Es384 => boxed(ES384.verifier_from_jwk(key)),
        Algorithm::Ps256 => boxed(PS256.verifier_from_jwk(key)),
        Algorithm::Ps384 => boxed(PS384.verifier_from_jwk(key)),
        Algorithm::Ps512 => boxed(PS512.verifier_from_jwk(key)),
        Algorithm::Rs256 => boxed(RS256.verifier_from_jwk(key)),
        Algorithm::Rs384 => boxed(RS384.verifier_from_jwk(key)),
        Algorithm::Rs512 => boxed(RS512.verifier_from_jwk(key)),
    }
}

fn boxed<V: JwsVerifier + 'static>(
    verifier: Result<V, JoseError>,
) -> Result<Box<dyn JwsVerifier>, JoseError> {
    verifier.map(|verifier| -> Box<dyn JwsVerifier> { Box::new(verifier) })
}

/// Seconds by which the issuer's clock may be ahead of ours.
const SKEW_SECONDS: i64 = 10;

fn check_claims(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), String> {
    let text = |name| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or("it has no iss")?;
    if issuer != expected.issuer {
        return Err(format!("its iss is {issuer}, and {} was expected", expected.issuer));
    }
    let expires = time(claims, "exp").ok_or("it has no exp")?;
    // RFC 7519 section 4.1.4: at `exp` a token has expired.
    if expected.now >= expires {
        return Err(format!("it expired at {expires}, and it is {}", expected.now));
    }
    let begins = time(claims, "iat").ok_or("it has no iat")?;
    let begins = time(claims, "nbf").map_or(begins, |not_before| not_before.max(begins));
    if begins > expected.now.plus_seconds(SKEW_SECONDS) {
        return Err(format!("it begins at {begins}, and it is {}", expected.now));
    }
    if let Some(scope) = expected.scope {
        let scopes = text("scope").unwrap_or_default();
        if !scopes.split(' ').any(|found| found == scope) {
            return Err(format!("its scope is \"{scopes}\", without {scope}"));
        }
    }
    match (expected.audience, claims.get("aud")) {
        (None, _) => Ok(()),
        (Some(wanted), None) => Err(format!("it has no aud, and {wanted} was expected")),
        (Some(wanted), Some(found)) if is_for(found, wanted) => Ok(()),
        (Some(wanted), Some(found)) => Err(format!("its aud is {found}, without {wanted}")),
    }
}

/// RFC 7519 section 4.1.3: `aud` is one text or an array of them.
fn is_for(audience: &Value, wanted: &str) -> bool {
    match audience {
        Value::Array(audiences) => audiences.iter().any(|one| one.as_str() == Some(wanted)),
        one => one.as_str() == Some(wanted),
    }
}

fn summary(claims: &Map<String, Value>, now: Timestamp) -> String {
    let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or("nothing");
    let left = time(claims, "exp").map_or(0, |expires| expires.seconds() - now.seconds());
    format!(
        "valid: issued by {} to client {} for {}, {left} seconds left",
        text("iss"),
        text("client_id"),
        text("scope")
    )
}

#[cfg(test)]
mod tests {
    use josekit::jws::JwsHeader;
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};

    use super::*;
    use crate::cli::test_keys;

    fn key_set(keys: &[(&PKey<Private>, &str)]) -> KeySet {
        let public = |(key, kid): &(&PKey<Private>, &str)| {
            let mut jwk = test_keys::jwk(key).to_public_key().unwrap();
            jwk.set_key_id(*kid);
            jwk.as_ref().clone()
        };
        KeySet { keys: keys.iter().map(public).collect() }
    }

    fn signed(key: &PKey<Private>, kid: &str, claims: &Value) -> String {
        let mut header = JwsHeader::new();
        header.set_key_id(kid);
        let signer = ES256.signer_from_der(key.private_key_to_pkcs8().unwrap()).unwrap();
        jws::serialize_compact(claims.to_string().as_bytes(), &header, &signer).unwrap()
    }

    #[test]
    fn a_token_is_checked_with_the_key_that_its_kid_names() {
        let (a, b) = (test_keys::ec(Nid::X9_62_PRIME256V1), test_keys::ec(Nid::X9_62_PRIME256V1));
        let rsa = test_keys::rsa();
        let mut keys = key_set(&[(&a, "a"), (&b, "b"), (&rsa, "rsa")]);
        // A key of an unknown kind among them does no harm.
        keys.keys.insert(0, Map::from_iter([("kty".to_owned(), json!("new"))]));
        let token = signed(&b, "b", &json!({"iss": "x"}));
        assert_eq!(verified_claims(&token, &keys).unwrap()["iss"], json!("x"));
        for (token, problem) in [
            (signed(&b, "a", &json!({})), "its signature was not made with the key \"a\""),
            (signed(&b, "c", &json!({})), "is not among the 4 of the issuer"),
            (signed(&b, "rsa", &json!({})), "the key \"rsa\" is not for ES256"),
            (token.replace("eyJ", "eyK"), "this is not a signed token"),
            (format!("{token}="), "signature cannot be read"),
            ("eyJhbGciOiJub25lIn0.e30.".to_owned(), "its alg \"none\" is not accepted"),
            ("eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.e30.AAAA".to_owned(), "\"HS256\""),
            ("eyJhbGciOiJFUzI1NiJ9.e30.AAAA".to_owned(), "no kid"),
        ] {
            let reason = verified_claims(&token, &keys).unwrap_err();
            assert!(reason.contains(problem), "{reason}");
        }
    }

    #[test]
    fn claims_must_say_what_is_expected() {
        let good = json!({
            "iss": "https://as/", "iat": 1000, "exp": 1120, "scope": "a:b a:c", "aud": ["x", "y"],
        });
        let refusal = |changes: Value, now| {
            let mut claims = good.as_object().unwrap().clone();
            claims.extend(changes.as_object().unwrap().clone());
            claims.retain(|_, value| !value.is_null());
            let now = Timestamp::from_seconds(now);
            let (scope, audience) = (Some("a:c"), Some("y"));
            let expected = Expected { issuer: "https://as/", scope, audience, now };
            check_claims(&claims, &expected).err().unwrap_or_default()
        };
        for (changes, now, problem) in [
            (json!({}), 1000, ""),
            (json!({}), 990, ""),
            (json!({}), 1119, ""),
            (json!({"aud": "y"}), 1000, ""),
            (json!({}), 1120, "it expired"),
            (json!({}), 989, "it begins"),
            (json!({"nbf": 1050}), 1000, "it begins"),
            (json!({"exp": null}), 1000, "it has no exp"),
            (json!({"exp": "1120"}), 1000, "it has no exp"),
            (json!({"iat": null}), 1000, "it has no iat"),
            (json!({"iss": null}), 1000, "it has no iss"),
            (json!({"iss": "https://as"}), 1000, "its iss is https://as, and https://as/"),
            (json!({"scope": "a:b a:cc"}), 1000, "its scope is \"a:b a:cc\", without a:c"),
            (json!({"scope": null}), 1000, "its scope is"),
            (json!({"aud": null}), 1000, "it has no aud"),
            (json!({"aud": ["x"]}), 1000, "its aud is [\"x\"], without y"),
        ] {
            let refusal = refusal(changes.clone(), now);
            assert_eq!(refusal.is_empty(), problem.is_empty(), "{changes}: {refusal}");
            assert!(refusal.starts_with(problem), "{changes}: {refusal}");
        }
    }
}
