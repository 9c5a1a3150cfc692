//! The folder of a test server: what lies where, and what is written into it.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use josekit::jwk::Jwk;

use crate::cli::dev::Dev;
use crate::cli::dev::identities::{
    ADMIN_CLIENT, CERTIFICATE_CLIENT, CONSUMER, CONSUMER_USER, Identities, KEY_CLIENT,
    OPERATOR_USER, PASSWORD, PROVIDER, PROVIDER_USER, SUPPLIER, SUPPLIER_CLIENT, SUPPLIER_USER,
    public_half,
};
use crate::cli::dev::seed::{DELEGATED, GRANTED};
use crate::cli::dev::test_pki::{P12_PASSWORD, POLICY, TestPki};
use crate::cli::serve::Addresses;
use crate::clock::Random;
use crate::keys::SealingKey;

/// What may be in the folder: ours to replace. Anything else stops a reset.
const ENTRIES: [&str; 10] = [
    "clients",
    "dev.env",
    "dev.env.new",
    "outbox",
    "pki",
    "portvakt.db",
    "portvakt.db-shm",
    "portvakt.db-wal",
    "portvakt.toml",
    "revocation-lists",
];

/// Beside them, the sealing key, and what is written first: the mark of a folder that is ours to remove.
const SEALING_KEY: &str = "sealing.key";
const ADMIN_PUBLIC_KEY: &str = "clients/dev-admin-client-public.jwk";
const MARK: &str = ".portvakt-dev";

/// The folder of a test server.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()))
    }

    /// Whether everything has been written: `dev.env` is last.
    pub(super) fn is_complete(&self) -> bool {
        self.environment().exists()
    }

    /// Removes what we have put there. A folder that does not bear our mark, or has anything else in it, is
    /// not ours and is left alone.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Ok(()) };
        let mut entries = entries.peekable();
        if entries.peek().is_none() {
            return Ok(());
        }
        if !self.0.join(MARK).exists() {
            bail!(
                "{} holds files that are not of a test server; give another --dir",
                self.0.display()
            );
        }
        for entry in entries {
            let name = entry?.file_name();
            if !ENTRIES.iter().chain(&[SEALING_KEY, MARK]).any(|known| name == *known) {
                bail!(
                    "{} holds {}, which is not of a test server; give another --dir",
                    self.0.display(),
                    name.display()
                );
            }
        }
        fs::remove_dir_all(&self.0).with_context(|| format!("removing {}", self.0.display()))
    }

    pub(super) fn create(&self) -> anyhow::Result<()> {
        for folder in [self.0.clone(), self.pki(""), self.0.join("clients")] {
            let mut private = DirBuilder::new();
            let made = private.recursive(true).mode(0o700).create(&folder);
            made.with_context(|| format!("making {}", folder.display()))?;
        }
        write(&self.0.join(MARK), b"Made by `portvakt dev`, which may remove this folder.\n")
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join("portvakt.db")
    }

    pub(super) fn configuration(&self) -> PathBuf {
        self.0.join("portvakt.toml")
    }

    pub(super) fn environment(&self) -> PathBuf {
        self.0.join("dev.env")
    }

    pub(super) fn consumer_p12(&self) -> PathBuf {
        self.pki("consumer.p12")
    }

    fn pki(&self, name: &str) -> PathBuf {
        self.0.join("pki").join(name)
    }

    fn jwk(&self, client: &str) -> PathBuf {
        self.0.join("clients").join(format!("{client}.jwk"))
    }

    pub(super) fn write_pki(&self, pki: &TestPki) -> anyhow::Result<()> {
        write(&self.pki("root.pem"), pki.root.as_bytes())?;
        write(&self.pki("intermediate.pem"), pki.intermediate.as_bytes())?;
        write(&self.pki("intermediate-key.pem"), pki.intermediate_key.as_bytes())?;
        write(&self.pki("revoked.crl"), pki.crls.as_bytes())?;
        for (name, certificate) in [("consumer", &pki.consumer), ("supplier", &pki.supplier)] {
            write(&self.pki(&format!("{name}.pem")), certificate.chain.as_bytes())?;
            write(&self.pki(&format!("{name}-key.pem")), certificate.key.as_bytes())?;
            write(&self.pki(&format!("{name}.p12")), &certificate.p12)?;
        }
        Ok(())
    }

    pub(super) fn write_identities(&self, identities: &Identities) -> anyhow::Result<()> {
        write(&self.jwk(KEY_CLIENT), identities.key_client.to_string().as_bytes())?;
        write(&self.jwk(ADMIN_CLIENT), identities.admin_client.to_string().as_bytes())
    }

    /// Writes the public half of the operator's key beside the whole.
    pub(super) fn write_operator_key(&self) -> anyhow::Result<()> {
        let key = Jwk::from_bytes(fs::read(self.jwk(ADMIN_CLIENT))?)?;
        write(&self.0.join(ADMIN_PUBLIC_KEY), public_half(&key)?.to_string().as_bytes())
    }

    pub(super) fn write_sealing_key(&self, random: &dyn Random) -> anyhow::Result<()> {
        write(&self.0.join(SEALING_KEY), SealingKey::generate(random).as_bytes())
    }

    pub(super) fn write_configuration(&self, text: &str) -> anyhow::Result<()> {
        write(&self.configuration(), text.as_bytes())
    }

    /// Writes `dev.env` so that whoever reads it sees all of it or none.
    pub(super) fn write_environment(&self, text: &str) -> anyhow::Result<()> {
        let new = self.0.join("dev.env.new");
        write(&new, text.as_bytes())?;
        fs::rename(&new, self.environment()).context("dev.env")
    }
}

/// Writes a file that only its owner can read.
fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(file).and_then(|mut file| file.write_all(content));
    written.with_context(|| format!("writing {}", file.display()))
}

/// The configuration that the server of this folder starts with; `portvakt serve` takes it too.
pub(super) fn configuration(dev: &Dev, issuer: &str) -> String {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let listener = |name, address| {
        let behind_proxy = if dev.allow_remote { "behind_proxy = true\n" } else { "" };
        format!("\n[{name}]\naddress = \"{address}\"\n{behind_proxy}")
    };
    // A port that the machine chooses is not known yet, and from elsewhere the address is another.
    let portal = match dev.admin_listen {
        address if address.port() != 0 && !dev.allow_remote => {
            format!("admin_url = \"http://{address}/\"\n")
        }
        _ => String::new(),
    };
    format!(
        "# Written by `portvakt dev` at every start.\n\
         [server]\nissuer = {issuer}\n{portal}drain_seconds = 0\n\n\
         [operator]\norganization_number = \"{operator}\"\norganization_name = {operator_name}\n\
         client_id = \"{ADMIN_CLIENT}\"\nclient_jwk_file = \"{ADMIN_PUBLIC_KEY}\"\n\
         [environment]\nname = \"Dev\"\ncolour = \"orange\"\nself_service = \"open\"\n\
         {token}{admin}{management}\n\
         [database]\nfile = \"portvakt.db\"\n\n\
         [keys]\nsealing_key_file = \"{SEALING_KEY}\"\n\n\
         [mail]\ntransport = \"folder\"\nfolder = \"outbox\"\nfolder_shown = true\nfrom = \"portvakt@dev.example\"\n\n\
         [log]\nformat = \"text\"\n\n\
         [outbound]\nallowed_networks = [\"127.0.0.0/8\", \"::1/128\"]\n\n\
         [trust.dev]\nenvironment = \"test\"\n\
         anchors = [\"pki/root.pem\"]\n\
         intermediates = [\"pki/intermediate.pem\"]\n\
         crls = [\"pki/revoked.crl\"]\n\
         policies = [\"{POLICY}\"]\n",
        issuer = quoted(issuer),
        operator = PROVIDER.number,
        operator_name = quoted(PROVIDER.name),
        token = listener("token_listener", dev.listen),
        admin = listener("admin_listener", dev.admin_listen),
        management = listener("management_listener", dev.management_listen),
    )
}

/// The text of `dev.env`: the names that Norwegian platforms already use, and ours.
pub(super) fn environment(
    folder: &Folder,
    issuer: &str,
    addresses: &Addresses,
) -> anyhow::Result<String> {
    let jwk = |client| {
        let file = folder.jwk(client);
        fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
    };
    let path = |name: &str| folder.pki(name).display().to_string();
    let variables = [
        ("MASKINPORTEN_CLIENT_ID", KEY_CLIENT.to_owned()),
        ("MASKINPORTEN_CLIENT_JWK", jwk(KEY_CLIENT)?),
        ("MASKINPORTEN_SCOPES", GRANTED.join(" ")),
        ("MASKINPORTEN_WELL_KNOWN_URL", format!("{issuer}.well-known/oauth-authorization-server")),
        ("MASKINPORTEN_ISSUER", issuer.to_owned()),
        ("MASKINPORTEN_JWKS_URI", format!("{issuer}jwk")),
        ("MASKINPORTEN_TOKEN_ENDPOINT", format!("{issuer}token")),
        ("PORTVAKT_ADMIN_URL", format!("http://{}/", addresses.admin)),
        ("PORTVAKT_PORTAL_URL", format!("http://{}/", addresses.admin)),
        ("PORTVAKT_MANAGEMENT_URL", format!("http://{}/", addresses.management)),
        ("PORTVAKT_CERT_CLIENT_ID", CERTIFICATE_CLIENT.to_owned()),
        ("PORTVAKT_CERT_PEM", path("consumer.pem")),
        ("PORTVAKT_CERT_KEY_PEM", path("consumer-key.pem")),
        ("PORTVAKT_CERT_P12", path("consumer.p12")),
        ("PORTVAKT_CERT_P12_PASSWORD", P12_PASSWORD.to_owned()),
        ("PORTVAKT_TRUST_ANCHORS", path("root.pem")),
        ("PORTVAKT_ADMIN_CLIENT_ID", ADMIN_CLIENT.to_owned()),
        ("PORTVAKT_ADMIN_CLIENT_JWK", jwk(ADMIN_CLIENT)?),
        ("PORTVAKT_ADMIN_OPERATOR", "true".to_owned()),
        ("PORTVAKT_PROVIDER_ORGNO", PROVIDER.number.to_owned()),
        ("PORTVAKT_CONSUMER_ORGNO", CONSUMER.number.to_owned()),
        ("PORTVAKT_SUPPLIER_ORGNO", SUPPLIER.number.to_owned()),
        ("PORTVAKT_SUPPLIER_CLIENT_ID", SUPPLIER_CLIENT.to_owned()),
        ("PORTVAKT_SUPPLIER_CERT_PEM", path("supplier.pem")),
        ("PORTVAKT_SUPPLIER_CERT_KEY_PEM", path("supplier-key.pem")),
        ("PORTVAKT_DELEGATED_SCOPE", DELEGATED.to_owned()),
        ("PORTVAKT_USER_OPERATOR", OPERATOR_USER.to_owned()),
        ("PORTVAKT_USER_PROVIDER", PROVIDER_USER.to_owned()),
        ("PORTVAKT_USER_CONSUMER", CONSUMER_USER.to_owned()),
        ("PORTVAKT_USER_SUPPLIER", SUPPLIER_USER.to_owned()),
        ("PORTVAKT_USER_PASSWORD", PASSWORD.to_owned()),
    ];
    let mut text =
        "# Written by `portvakt dev` at every start. For the shell: . dev.env\n".to_owned();
    for (name, value) in variables {
        writeln!(text, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    Ok(text)
}
