//! Where a client's private key comes from, and by which name the server knows it: a registered key
//! by its `kid`, an enterprise certificate by the chain itself in `x5c`.

use std::cmp::Ordering;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::Args;
use josekit::jws::JwsSigner;
use openssl::x509::{X509, X509NameRef};

use crate::cli::env_file::Settings;
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::cli::pkcs12;
use crate::cli::private_key::PrivateKey;

/// The options that say what assertions are signed with.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Key")]
pub(super) struct KeyArgs {
    /// Private key: PEM (PKCS#8, PKCS#1 or SEC1) or a private JWK.
    ///
    /// Without --key, --certificate and --p12 the key is what the first of these that is set names:
    /// `MASKINPORTEN_CLIENT_JWK`, `PORTVAKT_CERT_P12`, `PORTVAKT_CERT_PEM` with
    /// `PORTVAKT_CERT_KEY_PEM`.
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
    /// The id that the key is registered under, if it is not in the JWK.
    #[arg(long, value_name = "KID", conflicts_with = "certificate")]
    pub(super) kid: Option<String>,
    /// Enterprise certificate in PEM, with those above it, sent as x5c.
    ///
    /// Its key is --key, or `PORTVAKT_CERT_KEY_PEM`.
    #[arg(long, value_name = "FILE")]
    pub(super) certificate: Option<PathBuf>,
    /// Enterprise certificate and key in PKCS#12, sent as x5c.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key", "certificate"])]
    pub(super) p12: Option<PathBuf>,
    /// The variable that holds the password of --p12 [default: `PORTVAKT_CERT_P12_PASSWORD`].
    #[arg(long, value_name = "VAR", conflicts_with = "p12_password_file")]
    pub(super) p12_password_env: Option<String>,
    /// A file with the password of --p12 on its first line.
    #[arg(long, value_name = "FILE")]
    pub(super) p12_password_file: Option<PathBuf>,
}

/// What assertions are signed with.
pub(super) struct AssertionKey {
    /// Makes the signatures.
    pub(super) signer: Box<dyn JwsSigner>,
    /// How the server finds the public half.
    pub(super) name: KeyName,
}

/// How a server finds the key that an assertion is signed with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum KeyName {
    /// By these certificates in DER, the client's own first.
    Certificates(Vec<Vec<u8>>),
    /// By the `kid` it is registered under.
    Registered(String),
}

impl fmt::Debug for AssertionKey {
    /// Shows how the key is found, never the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey").field("name", &self.name).finish_non_exhaustive()
    }
}

impl KeyArgs {
    /// Reads the key that the options name, or else the one that the settings name.
    pub(super) fn read(&self, settings: &Settings) -> Result<AssertionKey, Failure> {
        if let Some(file) = &self.p12 {
            return self.key_from_pkcs12(file, settings);
        }
        if let Some(file) = &self.certificate {
            let key = match &self.key {
                Some(file) => read_key(file)?,
                None => key_of_setting("PORTVAKT_CERT_KEY_PEM", settings)?.ok_or_else(|| {
                    Failure::usage("--certificate needs --key, or PORTVAKT_CERT_KEY_PEM")
                })?,
            };
            return with_certificates(&key, &input::read_file(file)?, &file.display().to_string());
        }
        if let Some(file) = &self.key {
            return self.registered(&read_key(file)?);
        }
        self.key_from_settings(settings)
    }

    fn key_from_settings(&self, settings: &Settings) -> Result<AssertionKey, Failure> {
        if let Some(key) = key_of_setting("MASKINPORTEN_CLIENT_JWK", settings)? {
            return self.registered(&key);
        }
        self.certified_by_settings(settings)?.ok_or_else(|| {
            Failure::usage(
                "there is no key to sign with: give --key, --certificate or --p12, or set \
                 MASKINPORTEN_CLIENT_JWK (in the environment, or in a file with --env-file)",
            )
        })
    }

    /// The enterprise certificate that the settings name, with its key.
    fn certified_by_settings(&self, settings: &Settings) -> Result<Option<AssertionKey>, Failure> {
        if let Some(file) = settings.value("PORTVAKT_CERT_P12") {
            return self.key_from_pkcs12(Path::new(&file), settings).map(Some);
        }
        let certificates = text_of_setting("PORTVAKT_CERT_PEM", settings)?;
        let key = key_of_setting("PORTVAKT_CERT_KEY_PEM", settings)?;
        let both = certificates.zip(key);
        both.map(|(pem, key)| with_certificates(&key, &pem, "PORTVAKT_CERT_PEM")).transpose()
    }

    fn registered(&self, key: &PrivateKey) -> Result<AssertionKey, Failure> {
        let kid = self.kid.as_ref().or(key.kid.as_ref()).ok_or_else(|| {
            Failure::usage(
                "the key has no id: give --kid for a registered key, or --certificate for an \
                 enterprise certificate",
            )
        })?;
        Ok(AssertionKey { signer: key.signer()?, name: KeyName::Registered(kid.clone()) })
    }

    fn key_from_pkcs12(&self, file: &Path, settings: &Settings) -> Result<AssertionKey, Failure> {
        let name = file.display().to_string();
        let password = self.pkcs12_password(settings)?;
        let bundle = pkcs12::open(&input::read_file(file)?, &password, &name)?;
        let key = PrivateKey::from_key(bundle.key, &name)?;
        // A key that was delivered with a certificate may also be registered by itself.
        if self.kid.is_some() {
            return self.registered(&key);
        }
        let chain = chain_above(&key, bundle.certificates, &name)?;
        Ok(AssertionKey { signer: key.signer()?, name: KeyName::Certificates(chain) })
    }

    fn pkcs12_password(&self, settings: &Settings) -> Result<String, Failure> {
        if let Some(file) = &self.p12_password_file {
            let text = input::read_text(file)?;
            return Ok(text.lines().next().unwrap_or_default().to_owned());
        }
        match &self.p12_password_env {
            Some(name) => settings
                .value(name)
                .ok_or_else(|| Failure::usage(format!("the variable {name} is not set"))),
            // Some files have no password.
            None => Ok(settings.value("PORTVAKT_CERT_P12_PASSWORD").unwrap_or_default()),
        }
    }
}

/// The registered key that a setting holds, or that stands in the file it names.
pub(super) fn registered_key_of_setting(
    name: &str,
    settings: &Settings,
) -> Result<Option<AssertionKey>, Failure> {
    let key = key_of_setting(name, settings)?;
    key.map(|key| KeyArgs::default().registered(&key)).transpose()
}

/// The enterprise certificate that the settings name, with its key.
pub(super) fn certified_key_of_settings(settings: &Settings) -> Result<AssertionKey, Failure> {
    KeyArgs::default().certified_by_settings(settings)?.ok_or_else(|| {
        Failure::usage(
            "there is no enterprise certificate: set PORTVAKT_CERT_P12, or PORTVAKT_CERT_PEM and \
             PORTVAKT_CERT_KEY_PEM (in the environment, or in a file with --env-file)",
        )
    })
}

fn read_key(file: &Path) -> Result<PrivateKey, Failure> {
    PrivateKey::read(&input::read_file(file)?, &file.display().to_string())
}

fn key_of_setting(name: &str, settings: &Settings) -> Result<Option<PrivateKey>, Failure> {
    let text = text_of_setting(name, settings)?;
    text.map(|text| PrivateKey::read(&text, name)).transpose()
}

/// What a setting holds, or the content of the file that it names.
fn text_of_setting(name: &str, settings: &Settings) -> Result<Option<Vec<u8>>, Failure> {
    match settings.value(name) {
        None => Ok(None),
        Some(text) if text.trim_start().starts_with(['{', '-']) => Ok(Some(text.into_bytes())),
        Some(file) => input::read_file(Path::new(&file)).map(Some),
    }
}

fn with_certificates(key: &PrivateKey, pem: &[u8], name: &str) -> Result<AssertionKey, Failure> {
    let certificates = X509::stack_from_pem(pem)
        .map_err(|error| Failure::usage(format!("{name} is not certificates in PEM: {error}")))?;
    let chain = chain_above(key, certificates, name)?;
    Ok(AssertionKey { signer: key.signer()?, name: KeyName::Certificates(chain) })
}

/// The certificate of the key and those above it, each the issuer of the one before, in DER. Files
/// hold them in any order. The root is left out: a server has it already, or does not trust it.
fn chain_above(
    key: &PrivateKey,
    mut certificates: Vec<X509>,
    name: &str,
) -> Result<Vec<Vec<u8>>, Failure> {
    let leaf = certificates.iter().position(|certificate| key.belongs_to(certificate));
    let mut next = leaf.ok_or_else(|| {
        Failure::usage(format!("{name} holds no certificate that belongs to the private key"))
    })?;
    let mut chain = Vec::new();
    loop {
        let certificate = certificates.swap_remove(next);
        let der = certificate.to_der().map_err(|error| {
            Failure::usage(format!("{name} holds a certificate that cannot be written: {error}"))
        })?;
        chain.push(der);
        let above = certificates.iter().position(|candidate| {
            is_same(candidate.subject_name(), certificate.issuer_name())
                && !is_same(candidate.subject_name(), candidate.issuer_name())
        });
        match above {
            Some(above) => next = above,
            None => return Ok(chain),
        }
    }
}

fn is_same(one: &X509NameRef, other: &X509NameRef) -> bool {
    one.try_cmp(other).is_ok_and(|ordering| ordering == Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use openssl::nid::Nid;
    use openssl::pkey::{PKey, Private};

    use super::*;
    use crate::cli::test_keys;

    fn private_key(key: &PKey<Private>) -> PrivateKey {
        PrivateKey::from_key(key.clone(), "the key").unwrap()
    }

    #[test]
    fn certificates_are_sent_from_the_leaf_up_whatever_their_order_in_the_file() {
        let (key, other) =
            (test_keys::ec(Nid::X9_62_PRIME256V1), test_keys::ec(Nid::X9_62_PRIME256V1));
        let root = test_keys::certificate("root", &other, "root", &other);
        let upper = test_keys::certificate("upper", &other, "root", &other);
        let lower = test_keys::certificate("lower", &other, "upper", &other);
        let stray = test_keys::certificate("stray", &other, "upper", &other);
        let leaf = test_keys::certificate("leaf", &key, "lower", &other);
        let expected = [&leaf, &lower, &upper].map(|certificate| certificate.to_der().unwrap());
        let file = vec![root, upper, stray, leaf, lower];
        assert_eq!(chain_above(&private_key(&key), file, "the file").unwrap(), expected);
    }

    #[test]
    fn refuses_certificates_of_another_key() {
        let (key, other) =
            (test_keys::ec(Nid::X9_62_PRIME256V1), test_keys::ec(Nid::X9_62_PRIME256V1));
        let leaf = test_keys::certificate("leaf", &other, "issuer", &other);
        let pem = leaf.to_pem().unwrap();
        let failure = with_certificates(&private_key(&key), &pem, "the file").unwrap_err();
        assert!(failure.message.contains("belongs to the private key"), "{failure}");
    }

    #[test]
    fn an_option_goes_before_the_settings_and_the_registered_key_before_the_certificate() {
        let (key, folder) = (test_keys::ec(Nid::X9_62_PRIME256V1), tempfile::tempdir().unwrap());
        let leaf = test_keys::certificate("leaf", &key, "issuer", &key);
        let mut jwk = test_keys::jwk(&key);
        jwk.set_key_id("own");
        let files = [
            ("leaf.pem", leaf.to_pem().unwrap()),
            ("key.pem", key.private_key_to_pem_pkcs8().unwrap()),
            ("password", b"hemmelig\n".to_vec()),
            ("leaf.p12", {
                let mut file = openssl::pkcs12::Pkcs12::builder();
                file.pkey(&key).cert(&leaf).build2("hemmelig").unwrap().to_der().unwrap()
            }),
        ];
        let path = |name: &str| folder.path().join(name);
        for (name, content) in files {
            std::fs::write(path(name), content).unwrap();
        }
        let settings = Settings::of(&format!(
            "MASKINPORTEN_CLIENT_JWK='{jwk}'\nPORTVAKT_CERT_KEY_PEM='{}'\nPASSWORD=hemmelig",
            path("key.pem").display()
        ));
        let certificate = KeyName::Certificates(vec![leaf.to_der().unwrap()]);
        let name = |args: KeyArgs| args.read(&settings).unwrap().name;
        assert_eq!(name(KeyArgs::default()), KeyName::Registered("own".to_owned()));
        let pem = KeyArgs { certificate: Some(path("leaf.pem")), ..KeyArgs::default() };
        assert_eq!(name(pem), certificate);
        let p12 = KeyArgs { p12: Some(path("leaf.p12")), ..KeyArgs::default() };
        let by_file = KeyArgs { p12_password_file: Some(path("password")), ..p12.clone() };
        assert_eq!(name(by_file), certificate);
        let by_variable = KeyArgs { p12_password_env: Some("PASSWORD".to_owned()), ..p12.clone() };
        assert_eq!(name(by_variable.clone()), certificate);
        let registered = KeyArgs { kid: Some("a".to_owned()), ..by_variable };
        assert_eq!(name(registered), KeyName::Registered("a".to_owned()));
        let unset = KeyArgs { p12_password_env: Some("NO_SUCH_VARIABLE".to_owned()), ..p12 };
        assert!(unset.read(&settings).unwrap_err().message.contains("NO_SUCH_VARIABLE"));
    }

    #[test]
    fn a_key_is_known_by_the_kid_of_its_jwk_unless_another_is_given() {
        let mut jwk = test_keys::jwk(&test_keys::ec(Nid::X9_62_PRIME256V1));
        let read = |jwk: &str| PrivateKey::read(jwk.as_bytes(), "the key").unwrap();
        let failure = KeyArgs::default().registered(&read(&jwk.to_string())).unwrap_err();
        assert!(failure.message.contains("--kid"), "{failure}");
        jwk.set_key_id("own");
        let key = read(&jwk.to_string());
        let name = |args: &KeyArgs| args.registered(&key).unwrap().name;
        assert_eq!(name(&KeyArgs::default()), KeyName::Registered("own".to_owned()));
        let given = KeyArgs { kid: Some("given".to_owned()), ..KeyArgs::default() };
        assert_eq!(name(&given), KeyName::Registered("given".to_owned()));
    }
}
