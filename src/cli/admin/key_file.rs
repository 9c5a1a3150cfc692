//! Key pairs that are made here: the private half goes into a file, the public half to the server.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, ValueEnum};
use josekit::JoseError;
use josekit::jwk::alg::ec::{EcCurve, EcKeyPair};
use josekit::jwk::alg::ed::{EdCurve, EdKeyPair};
use josekit::jwk::alg::rsa::RsaKeyPair;
use josekit::jwk::{Jwk, KeyPair as _};
use openssl::hash::{MessageDigest, hash};
use openssl::pkey::PKey;
use serde_json::{Map, Value, json};

use crate::cli::failure::Failure;
use crate::cli::input;

/// What a new key pair is like.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct PairArgs {
    /// The algorithm that it signs with.
    #[arg(long, value_name = "ALG", default_value = "RS256", ignore_case = true)]
    alg: PairAlgorithm,
    /// The id that it is registered under [default: its thumbprint, RFC 7638].
    #[arg(long, value_name = "KID")]
    kid: Option<String>,
}

/// The algorithms of new key pairs: one for each kind of key.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PairAlgorithm {
    /// RSA with 2048 bits, which every client library knows.
    #[value(name = "RS256")]
    Rs256,
    /// P-256.
    #[value(name = "ES256")]
    Es256,
    /// P-384.
    #[value(name = "ES384")]
    Es384,
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
}

/// Bits of new RSA keys: the least that is accepted, and what servers of the field expect.
const RSA_BITS: u32 = 2048;

/// Members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A file with a private key that has just been made.
pub(super) struct NewKeyFile {
    path: PathBuf,
    /// The public half as a JWK.
    pub(super) public: Value,
}

impl PairArgs {
    /// Makes a key pair, and writes its private half as a JWK into a new file that only its owner can read.
    pub(super) fn make(&self, path: &Path) -> Result<NewKeyFile, Failure> {
        // Before the key is made, so that nobody waits for one that has nowhere to go.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let mut file = file.map_err(|error| {
            let hint = match error.kind() {
                ErrorKind::AlreadyExists => "; keys are not overwritten, name another file",
                _ => "",
            };
            Failure::usage(format!("{} cannot be made: {error}{hint}", path.display()))
        })?;
        let written = self.pair().and_then(|(private, public)| {
            writeln!(file, "{private}").and_then(|()| file.sync_all()).map_err(|error| {
                Failure::failed(format!("{} cannot be written: {error}", path.display()))
            })?;
            Ok(public)
        });
        match written {
            Ok(public) => Ok(NewKeyFile { path: path.to_owned(), public }),
            Err(failure) => {
                let _ = fs::remove_file(path);
                Err(failure)
            }
        }
    }

    /// The id that was given.
    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// A private JWK as text, and its public half.
    fn pair(&self) -> Result<(String, Value), Failure> {
        let (mut jwk, algorithm) = self
            .alg
            .generate()
            .map_err(|error| Failure::failed(format!("no key can be made: {error}")))?;
        jwk.set_algorithm(algorithm);
        jwk.set_key_use("sig");
        let kid = self.kid.clone().map_or_else(|| thumbprint(jwk.as_ref()), Ok)?;
        jwk.set_key_id(kid);
        let public = public_members(jwk.as_ref());
        Ok((jwk.to_string(), public))
    }
}

impl PairAlgorithm {
    fn generate(self) -> Result<(Jwk, &'static str), JoseError> {
        Ok(match self {
            Self::Rs256 => (RsaKeyPair::generate(RSA_BITS)?.to_jwk_key_pair(), "RS256"),
            Self::Es256 => (EcKeyPair::generate(EcCurve::P256)?.to_jwk_key_pair(), "ES256"),
            Self::Es384 => (EcKeyPair::generate(EcCurve::P384)?.to_jwk_key_pair(), "ES384"),
            Self::EdDsa => (EdKeyPair::generate(EdCurve::Ed25519)?.to_jwk_key_pair(), "EdDSA"),
        })
    }
}

impl NewKeyFile {
    /// Takes the file away again, because nobody has registered its key.
    pub(super) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// What is sent of a file with a key: `jwk` or `pem` with the public half alone.
pub(super) fn public_half(path: &Path) -> Result<Value, Failure> {
    let name = path.display();
    let text = input::read_text(path)?;
    if text.trim_start().starts_with('{') {
        let jwk: Map<String, Value> = serde_json::from_str(&text)
            .map_err(|_| Failure::usage(format!("{name} is not one JSON object")))?;
        return Ok(json!({ "jwk": public_members(&jwk) }));
    }
    if text.contains("PRIVATE KEY-----") {
        // Without a callback OpenSSL would ask at the terminal for a password.
        let key = PKey::private_key_from_pem_callback(text.as_bytes(), |_| Ok(0));
        let public = key.and_then(|key| key.public_key_to_pem()).map_err(|_| {
            Failure::usage(format!("{name} holds a private key that cannot be read"))
        })?;
        return Ok(json!({ "pem": String::from_utf8_lossy(&public) }));
    }
    Ok(json!({ "pem": text }))
}

fn public_members(jwk: &Map<String, Value>) -> Value {
    let is_public = |(name, _): &(&String, &Value)| !PRIVATE_MEMBERS.contains(&name.as_str());
    let public = jwk.iter().filter(is_public);
    Value::Object(public.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The thumbprint of a key (RFC 7638): the hash of its required members, in their order, without white space.
fn thumbprint(jwk: &Map<String, Value>) -> Result<String, Failure> {
    let required = ["crv", "e", "kty", "n", "x", "y"];
    let members =
        required.iter().filter_map(|name| Some(((*name).to_owned(), jwk.get(*name)?.clone())));
    let text = Value::Object(members.collect()).to_string();
    let digest = hash(MessageDigest::sha256(), text.as_bytes())
        .map_err(|error| Failure::failed(format!("no thumbprint can be made: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(digest))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::cli::private_key::PrivateKey;

    fn pair(alg: PairAlgorithm) -> PairArgs {
        PairArgs { alg, kid: None }
    }

    #[test]
    fn the_private_half_is_for_its_owner_alone_and_the_public_half_has_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        for (alg, name) in [
            (PairAlgorithm::Rs256, "RS256"),
            (PairAlgorithm::Es256, "ES256"),
            (PairAlgorithm::Es384, "ES384"),
            (PairAlgorithm::EdDsa, "EdDSA"),
        ] {
            let path = folder.path().join(name);
            let made = pair(alg).make(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let text = fs::read(&path).unwrap();
            let key = PrivateKey::read(&text, "the key").unwrap();
            assert_eq!(key.kid.as_deref(), made.public["kid"].as_str());
            assert_eq!(key.signer().unwrap().algorithm().name(), name);
            assert_eq!(made.public["alg"], name);
            for member in PRIVATE_MEMBERS {
                assert!(made.public.get(member).is_none(), "{member}");
            }
            assert_eq!(public_half(&path).unwrap(), json!({ "jwk": made.public }));
        }
    }

    #[test]
    fn a_file_that_is_there_is_left_as_it_is() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "precious").unwrap();
        let failure = pair(PairAlgorithm::Es256).make(file.path()).err().unwrap();
        assert_eq!(failure.exit.code(), 2);
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "precious");
    }

    #[test]
    fn of_a_private_key_in_pem_only_the_public_half_is_sent() {
        let key = crate::cli::test_keys::rsa();
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let expected = String::from_utf8(key.public_key_to_pem().unwrap()).unwrap();
        assert_eq!(public_half(file.path()).unwrap(), json!({ "pem": expected }));
        fs::write(file.path(), "-----BEGIN PRIVATE KEY-----\nAAAA\n").unwrap();
        assert!(public_half(file.path()).is_err());
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_7638_section_3_1() {
        let jwk = json!({
            "kty": "RSA", "alg": "RS256", "kid": "2011-04-29", "e": "AQAB",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        });
        let thumbprint = thumbprint(jwk.as_object().unwrap()).unwrap();
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
