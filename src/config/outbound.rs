//! What holds for every request to another server: where it may go, and how fresh revocation lists are kept by it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::DatabaseSource;
use crate::config::error::ConfigError;
use crate::config::raw::{RawOutbound, RawRevocationLists};
use crate::config::required;
use crate::domain::network::Reach;
use crate::domain::remote_url::{Host, RemoteUrl};

/// What holds for every request to another server.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Which addresses are connected to.
    pub reach: Reach,
    /// PEM files of authorities that count for TLS beside those of the operating system.
    pub tls_authorities: Vec<PathBuf>,
}

/// How revocation lists are fetched.
#[derive(Clone, Debug)]
pub struct RevocationLists {
    /// The longest time between two looks for a newer list.
    pub refresh: Duration,
    /// The longest that one fetch takes.
    pub fetch_time_max: Duration,
    /// Where what was fetched lies for the next start.
    pub folder: PathBuf,
}

/// The longest time between two looks: a day. Whoever is revoked has so long.
const REFRESH_SECONDS_MAX: u32 = 24 * 60 * 60;

/// The longest that a fetch may be allowed: five minutes, for a list of 64 MiB over a slow line.
const FETCH_SECONDS_MAX: u32 = 300;

/// The folder of lists, beside the database.
const FOLDER: &str = "revocation-lists";

/// Whether an address without TLS may name any host, or only this machine.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Clear {
    Anything,
    Loopback,
}

impl Outbound {
    pub(super) fn check(raw: RawOutbound, folder: &Path) -> Result<Self, ConfigError> {
        let key = "outbound.allowed_networks";
        let allowed = required(key, raw.allowed_networks)?
            .iter()
            .map(|network| network.parse())
            .collect::<Result<_, _>>()
            .map_err(|error| ConfigError::key(key, error_text(&error)))?;
        let files = raw.tls_authorities.unwrap_or_default();
        Ok(Self {
            reach: Reach::with(allowed),
            tls_authorities: files.iter().map(|file| folder.join(file)).collect(),
        })
    }

    /// Reads the address that `key` holds. An address that names its host by number is held against the reach at
    /// once, so that a server that could never ask does not start.
    pub(super) fn url(
        &self,
        key: &str,
        text: &str,
        clear: Clear,
    ) -> Result<RemoteUrl, ConfigError> {
        let refuse = |problem: String| ConfigError::key(key, format!("{text:?} {problem}"));
        let url: RemoteUrl = text.parse().map_err(|error| refuse(error_text(&error)))?;
        if clear == Clear::Loopback && !url.is_https() && !url.host().is_loopback() {
            return Err(refuse("is http, which only a loopback host may be".to_owned()));
        }
        if let Host::Address(address) = url.host() {
            let admitted = self.reach.admit(*address);
            admitted.map_err(|error| refuse(format!("cannot be asked: {error}")))?;
        }
        Ok(url)
    }
}

impl RevocationLists {
    pub(super) fn check(
        raw: RawRevocationLists,
        folder: &Path,
        database: &DatabaseSource,
    ) -> Result<Self, ConfigError> {
        let seconds = |name: &str, value: Option<u32>, most: u32| {
            let key = format!("revocation_lists.{name}");
            match required(&key, value)? {
                value if (1..=most).contains(&value) => Ok(Duration::from_secs(value.into())),
                value => Err(ConfigError::key(key, format!("{value} is not in 1 to {most}"))),
            }
        };
        let beside = database.folder().unwrap_or(folder).join(FOLDER);
        Ok(Self {
            refresh: seconds("refresh_seconds", raw.refresh_seconds, REFRESH_SECONDS_MAX)?,
            fetch_time_max: seconds("fetch_seconds_max", raw.fetch_seconds_max, FETCH_SECONDS_MAX)?,
            folder: raw.folder.map_or(beside, |it| folder.join(it)),
        })
    }
}

fn error_text(error: &impl std::error::Error) -> String {
    error.to_string()
}
