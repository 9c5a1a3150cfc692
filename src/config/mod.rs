//! The configuration: defaults, then a file, then the environment, read once into checked values.
//!
//! `config/default.toml` is both the manual and the lowest layer, so the manual cannot lie. What comes
//! out of [`Config::load`] has been checked; nothing later asks whether a setting makes sense. Only `app`
//! and `cli` know this layer: everybody else is handed plain values.

mod database;
mod delegation_register;
mod environment;
mod error;
mod limits;
mod listener;
mod mail;
mod ocsp;
mod open_id;
mod operator;
mod outage;
mod outbound;
mod raw;
mod trust;
mod trust_profile;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::domain::algorithm::Algorithm;
use crate::domain::environment::Environment;

pub use database::DatabaseSource;
pub use delegation_register::DelegationRegister;
pub use environment::Portal;
pub use error::ConfigError;
pub use limits::Limits;
pub use listener::{Listener, TlsFiles};
pub use mail::{Mail, MailTls, MailTransport, SmtpServer};
pub use ocsp::{Ocsp, OcspNonce};
pub use open_id::OpenIdProvider;
pub use operator::Operator;
pub use outage::Outage;
pub use outbound::{Outbound, RevocationLists};
pub use trust::{Revocation, TrustSet};
pub use trust_profile::{EXTENDED_KEY_USAGES, OrganizationAttribute, TrustProfile};

use raw::Raw;

/// The lowest layer and the manual.
const DEFAULT: &str = include_str!("../../config/default.toml");

/// What an environment variable must begin with to be a setting.
const ENVIRONMENT_PREFIX: &str = "PORTVAKT__";

/// Everything the server is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Who this server is; ends in a slash.
    pub issuer: String,
    /// Where the admin API is reached from outside; ends in a slash.
    pub admin_url: Option<String>,
    /// Time between the order to stop and the moment from which no connection is taken.
    pub drain: Duration,
    /// Which environment this server is, as people see it.
    pub environment: Environment,
    /// What holds for the people who use the portal.
    pub portal: Portal,
    /// Who runs the server.
    pub operator: Option<Operator>,
    /// Where the token API listens.
    pub token_listener: Listener,
    /// Where the admin API listens.
    pub admin_listener: Listener,
    /// Where health and metrics are served.
    pub management_listener: Listener,
    /// How often callers may ask.
    pub limits: Limits,
    /// Where the database is.
    pub database: DatabaseSource,
    /// The rules for assertions and tokens.
    pub token: Token,
    /// Where the sealing key is.
    pub sealing_key: SealingKeySource,
    /// How signing keys take turns.
    pub signing: Signing,
    /// What a node does whose settings are not those of the others.
    pub differing_settings: DifferingSettings,
    /// How the change feed is followed.
    pub feed: Feed,
    /// What is done while the database cannot be reached.
    pub outage: Outage,
    /// What is kept of refused requests.
    pub explain: Explain,
    /// How e-mail leaves the server; `None` when it does not.
    pub mail: Option<Mail>,
    /// How logs look.
    pub log: Log,
    /// What holds for every request to another server.
    pub outbound: Outbound,
    /// How revocation lists are fetched.
    pub revocation_lists: RevocationLists,
    /// How responders are asked about certificates.
    pub ocsp: Ocsp,
    /// Which certificate authorities count.
    pub trust: Vec<TrustSet>,
    /// Which registers of delegations are asked beside our own.
    pub delegation_registers: Vec<DelegationRegister>,
    /// Who else says who somebody is.
    pub open_id_providers: Vec<OpenIdProvider>,
}

/// The rules for assertions and tokens.
#[derive(Clone, Debug)]
pub struct Token {
    /// Seconds from `iat` to `exp` of an assertion, at most.
    pub assertion_lifetime_seconds_max: i64,
    /// Seconds by which clocks may differ.
    pub clock_skew_seconds: i64,
    /// Seconds an access token lives, at most.
    pub lifetime_seconds_max: u32,
    /// What access tokens look like.
    pub profile: TokenProfile,
    /// What access tokens are signed with.
    pub signing_algorithm: Algorithm,
    /// Bits of new RSA signing keys.
    pub rsa_key_bits: u32,
}

/// What access tokens look like.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenProfile {
    /// As Maskinporten makes them.
    Maskinporten,
    /// As RFC 9068 wants them.
    Rfc9068,
}

/// How signing keys take turns.
#[derive(Clone, Copy, Debug)]
pub struct Signing {
    /// Hours for which a key is published before it signs, and after its last token has died.
    pub announce_hours: u32,
    /// Days after which a key that signs is replaced; `None` for never.
    pub rotate_days: Option<u32>,
}

/// Where the sealing key is.
#[derive(Clone)]
pub enum SealingKeySource {
    /// In this file.
    File(PathBuf),
    /// In the environment: the text itself.
    Text(String),
}

/// What a node does whose settings are not those of the others, where they must be the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DifferingSettings {
    /// It does not start.
    Refuse,
    /// It starts, and says so.
    Warn,
}

/// How the change feed is followed.
#[derive(Clone, Copy, Debug)]
pub struct Feed {
    /// Time between two looks.
    pub poll: Duration,
    /// Age of the last look at which no token is issued any more.
    pub stale_max: Duration,
}

/// What is kept of refused requests.
#[derive(Clone, Copy, Debug)]
pub struct Explain {
    /// Days after which a record is deleted.
    pub retention_days: u32,
    /// Records that are kept, at most.
    pub records_max: u32,
}

/// How logs look.
#[derive(Clone, Debug)]
pub struct Log {
    /// For whom they are.
    pub format: LogFormat,
    /// What is logged.
    pub filter: String,
}

/// For whom logs are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// For machines.
    Json,
    /// For people.
    Text,
}

impl Config {
    /// Reads `file` over the defaults, and the variables of `environment` over both.
    pub fn load(
        file: &Path,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file)
            .map_err(|problem| ConfigError::Unreadable { file: file.to_owned(), problem })?;
        let mut raw = read_layer(Path::new("config/default.toml"), DEFAULT)?;
        raw.overlay(read_layer(file, &text)?);
        for (variable, value) in environment {
            if let Some(path) = variable.strip_prefix(ENVIRONMENT_PREFIX) {
                raw.overlay(read_variable(&variable, path, &value)?);
            }
        }
        let folder = file.parent().unwrap_or_else(|| Path::new("."));
        Self::check(raw, folder)
    }

    fn check(raw: Raw, folder: &Path) -> Result<Self, ConfigError> {
        let issuer = check_issuer(required("server.issuer", raw.server.issuer)?)?;
        let outbound = Outbound::check(raw.outbound, folder)?;
        let open_id_providers = OpenIdProvider::check_all(raw.open_id, folder, &outbound)?;
        let database = DatabaseSource::check(raw.database, folder)?;
        let config = Self {
            environment: environment::check_environment(raw.environment)?,
            portal: Portal::check(&raw.portal, !open_id_providers.is_empty())?,
            open_id_providers,
            admin_url: raw.server.admin_url.map(check_admin_url).transpose()?,
            drain: Duration::from_secs(drain_seconds(raw.server.drain_seconds)?.into()),
            operator: Operator::check(raw.operator, folder)?,
            delegation_registers: DelegationRegister::check_all(
                raw.delegation_register,
                &issuer,
                &outbound,
            )?,
            issuer,
            token_listener: Listener::check("token_listener", raw.token_listener, folder)?,
            admin_listener: Listener::check("admin_listener", raw.admin_listener, folder)?,
            management_listener: Listener::check(
                "management_listener",
                raw.management_listener,
                folder,
            )?,
            limits: Limits::check(&raw.limits)?,
            revocation_lists: RevocationLists::check(raw.revocation_lists, folder, &database)?,
            ocsp: Ocsp::check(raw.ocsp)?,
            database,
            token: check_token(raw.token)?,
            signing: check_signing(&raw.keys)?,
            sealing_key: check_sealing_key(raw.keys, folder)?,
            differing_settings: choose(
                "nodes.differing_settings",
                required("nodes.differing_settings", raw.nodes.differing_settings)?.as_str(),
                &[("refuse", DifferingSettings::Refuse), ("warn", DifferingSettings::Warn)],
            )?,
            feed: Feed {
                poll: Duration::from_millis(
                    positive("feed.poll_milliseconds", raw.feed.poll_milliseconds)?.into(),
                ),
                stale_max: Duration::from_secs(
                    positive("feed.stale_seconds_max", raw.feed.stale_seconds_max)?.into(),
                ),
            },
            outage: Outage::check(&raw.outage, raw.feed.stale_seconds_max)?,
            explain: Explain {
                retention_days: positive("explain.retention_days", raw.explain.retention_days)?,
                records_max: positive("explain.records_max", raw.explain.records_max)?,
            },
            mail: Mail::check(raw.mail, folder)?,
            log: Log {
                format: choose(
                    "log.format",
                    required("log.format", raw.log.format)?.as_str(),
                    &[("json", LogFormat::Json), ("text", LogFormat::Text)],
                )?,
                filter: required("log.filter", raw.log.filter)?,
            },
            trust: raw
                .trust
                .into_iter()
                .map(|(name, trust)| TrustSet::check(name, trust, folder, &outbound))
                .collect::<Result<_, _>>()?,
            outbound,
        };
        TrustSet::check_environments(&config.trust)?;
        config.check_way_back()?;
        Ok(config)
    }

    /// Holds that a provider can be told where to send people back to.
    fn check_way_back(&self) -> Result<(), ConfigError> {
        let address = self.admin_listener.address;
        let is_known = self.admin_url.is_some() || address.ip().is_loopback();
        if is_known || !self.portal.sign_in.open_id() {
            return Ok(());
        }
        let problem = "is not set; a provider of [open_id.NAME] sends people back to this address";
        Err(ConfigError::key("server.admin_url", problem))
    }
}

impl std::fmt::Debug for SealingKeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Text(_) => f.write_str("Text(not shown)"),
        }
    }
}

fn read_layer(file: &Path, text: &str) -> Result<Raw, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = 1 + text.bytes().take(start).filter(|byte| *byte == b'\n').count();
        ConfigError::File { file: file.to_owned(), line, problem: error.message().to_owned() }
    })
}

/// Reads one variable as a layer of its own: `A__B=1` is `a.b = 1`, and what is no TOML value is text.
fn read_variable(variable: &str, path: &str, value: &str) -> Result<Raw, ConfigError> {
    let problem = |problem: String| ConfigError::Environment { variable: variable.into(), problem };
    let key: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
    let words = |part: &String| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if value.contains(['\n', '\r']) {
        return Err(problem("holds a line break, which no setting has".to_owned()));
    }
    if !key.iter().all(words) {
        return Err(problem("names no key; write PORTVAKT__SECTION__KEY".to_owned()));
    }
    let quoted = toml::Value::String(value.to_owned()).to_string();
    let as_it_is = toml::from_str(&format!("{} = {value}", key.join(".")));
    let as_text = || toml::from_str(&format!("{} = {quoted}", key.join(".")));
    as_it_is.or_else(|_| as_text()).map_err(|error| problem(error.message().to_owned()))
}

/// The longest time in which a load balancer can be expected to notice; supervisors kill after 90 seconds.
const DRAIN_SECONDS_MAX: u32 = 60;

fn drain_seconds(seconds: Option<u32>) -> Result<u32, ConfigError> {
    let key = "server.drain_seconds";
    at_most(key, required(key, seconds)?, DRAIN_SECONDS_MAX)
}

/// A number of seconds that is no more than that.
fn at_most(key: &str, seconds: u32, most: u32) -> Result<u32, ConfigError> {
    if seconds <= most {
        return Ok(seconds);
    }
    Err(ConfigError::key(key, format!("{seconds} is more than {most}")))
}

/// A number that is there and not zero: zero seconds, connections or milliseconds would stop everything.
fn positive(key: &str, value: Option<u32>) -> Result<u32, ConfigError> {
    match required(key, value)? {
        0 => Err(ConfigError::key(key, "must be at least 1")),
        number => Ok(number),
    }
}

fn required<T>(key: &str, value: Option<T>) -> Result<T, ConfigError> {
    value.ok_or_else(|| ConfigError::Missing { key: key.to_owned() })
}

/// Finds the word that a key holds among those it takes.
fn choose<T: Copy>(key: &str, word: &str, words: &[(&str, T)]) -> Result<T, ConfigError> {
    let found = words.iter().find(|(known, _)| *known == word);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
        ConfigError::key(key, format!("{word:?} is none of {}", known.join(", ")))
    })
}

/// An issuer is an https URL without query and fragment (RFC 8414 section 2) that ends in a slash, or
/// an http URL of a loopback host.
pub(crate) fn check_issuer(issuer: String) -> Result<String, ConfigError> {
    let refuse = |problem| Err(ConfigError::key("server.issuer", format!("{issuer:?} {problem}")));
    let rest = match check_address(&issuer) {
        Ok(rest) => rest,
        Err(problem) => return refuse(problem),
    };
    if !rest.ends_with('/') {
        return refuse("must be a host, perhaps a path, and end in a slash");
    }
    let mut segments = rest.trim_end_matches('/').split('/').skip(1);
    let odd = |part: &str| {
        matches!(part, "" | "." | ".." | ".well-known" | "errors") || part.contains(':')
    };
    if rest.ends_with("//") || segments.any(odd) {
        return refuse("has a path that addresses cannot be built from");
    }
    Ok(issuer)
}

/// Looks like an issuer, but for the last slash, which is added where it is left out.
fn check_admin_url(mut url: String) -> Result<String, ConfigError> {
    if !url.ends_with('/') {
        url.push('/');
    }
    check_issuer(url).map_err(|error| ConfigError::key("server.admin_url", error.to_string()))
}

/// The host and path of an https URL, or of an http URL of a loopback host, without query and fragment.
fn check_address(address: &str) -> Result<&str, &'static str> {
    let rest = match (address.strip_prefix("https://"), address.strip_prefix("http://")) {
        (Some(rest), _) => rest,
        (None, Some(rest)) if host_is_loopback(rest) => rest,
        (None, Some(_)) => return Err("is http, which only a loopback host may be"),
        (None, None) => return Err("does not begin with https://"),
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/%[]".contains(&b);
    if !rest.bytes().all(allowed) {
        return Err("has a query, a fragment or a character that does not belong");
    }
    let authority = rest.split('/').next().unwrap_or("");
    let port =
        authority.rsplit_once(':').filter(|_| !authority.ends_with(']')).map(|(_, port)| port);
    let no_host = authority.is_empty() || authority.starts_with(':');
    if no_host || port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return Err("has no host, or a port that is none");
    }
    Ok(rest)
}

fn host_is_loopback(rest: &str) -> bool {
    let authority = rest.split('/').next().unwrap_or("");
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn check_token(raw: raw::RawToken) -> Result<Token, ConfigError> {
    let algorithms = [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa];
    let algorithms = algorithms.map(|algorithm| (algorithm.name(), algorithm));
    let rsa_key_bits = required("token.rsa_key_bits", raw.rsa_key_bits)?;
    if ![2048, 3072, 4096].contains(&rsa_key_bits) {
        let problem = format!("{rsa_key_bits} is none of 2048, 3072, 4096");
        return Err(ConfigError::key("token.rsa_key_bits", problem));
    }
    let lifetime_seconds_max = positive("token.lifetime_seconds_max", raw.lifetime_seconds_max)?;
    Ok(Token {
        assertion_lifetime_seconds_max: assertion_seconds(raw.assertion_lifetime_seconds_max)?
            .into(),
        clock_skew_seconds: skew_seconds(raw.clock_skew_seconds)?.into(),
        lifetime_seconds_max,
        profile: choose(
            "token.profile",
            required("token.profile", raw.profile)?.as_str(),
            &[("maskinporten", TokenProfile::Maskinporten), ("rfc9068", TokenProfile::Rfc9068)],
        )?,
        signing_algorithm: choose(
            "token.signing_algorithm",
            required("token.signing_algorithm", raw.signing_algorithm)?.as_str(),
            &algorithms,
        )?,
        rsa_key_bits,
    })
}

/// The longest that an assertion may live. What is spent is remembered for as long, and a clock that has stepped forward
/// is not believed for longer than that.
const ASSERTION_LIFETIME_SECONDS_MAX: u32 = 300;

fn assertion_seconds(seconds: Option<u32>) -> Result<u32, ConfigError> {
    let key = "token.assertion_lifetime_seconds_max";
    at_most(key, positive(key, seconds)?, ASSERTION_LIFETIME_SECONDS_MAX)
}

/// The most by which clocks may differ: more would make expiry meaningless.
const CLOCK_SKEW_SECONDS_MAX: u32 = 300;

fn skew_seconds(seconds: Option<u32>) -> Result<u32, ConfigError> {
    let key = "token.clock_skew_seconds";
    at_most(key, required(key, seconds)?, CLOCK_SKEW_SECONDS_MAX)
}

fn check_signing(raw: &raw::RawKeys) -> Result<Signing, ConfigError> {
    let announce_hours = positive("keys.announce_hours", raw.announce_hours)?;
    let days = required("keys.rotate_days", raw.rotate_days)?;
    let rotate_days = (days > 0).then_some(days);
    if rotate_days.is_some_and(|days| days.saturating_mul(24) <= announce_hours) {
        let problem = "must be longer than keys.announce_hours, or 0 for never";
        return Err(ConfigError::key("keys.rotate_days", problem));
    }
    Ok(Signing { announce_hours, rotate_days })
}

fn check_sealing_key(raw: raw::RawKeys, folder: &Path) -> Result<SealingKeySource, ConfigError> {
    match (raw.sealing_key_file, raw.sealing_key) {
        (Some(file), None) => Ok(SealingKeySource::File(folder.join(file))),
        (None, Some(text)) => Ok(SealingKeySource::Text(text)),
        (Some(_), Some(_)) => Err(ConfigError::key(
            "keys.sealing_key_file",
            "keys.sealing_key is set as well; set one of them",
        )),
        (None, None) => Err(ConfigError::Missing { key: "keys.sealing_key_file".to_owned() }),
    }
}

#[cfg(test)]
mod tests;
