//! One register of delegations on another server: where it is, and how it is asked.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::outbound::{Clear, Outbound};
use crate::config::raw::RawDelegationRegister;
use crate::config::{ConfigError, check_address, required};
use crate::domain::remote_url::RemoteUrl;
use crate::domain::scope::ScopeName;

/// A register of delegations on another server.
#[derive(Clone, Debug)]
pub struct DelegationRegister {
    /// The name its operator gave it in the configuration.
    pub section: String,
    /// What scopes name it by.
    pub issuer: String,
    /// Its name for people.
    pub name: String,
    /// Its endpoint.
    pub url: RemoteUrl,
    /// The scope of the tokens that this server proves itself with; `None` is no authentication.
    pub token_scope: Option<ScopeName>,
    /// How long an answer is waited for.
    pub time_max: Duration,
    /// How long an answer counts.
    pub cache_time: Duration,
}

/// How long an answer is waited for when nothing is said, and the most that can be said: clients give up, and
/// what waits here cannot be used for others.
pub(super) const TIMEOUT_MILLISECONDS: u32 = 500;
pub(super) const TIMEOUT_MILLISECONDS_MAX: u32 = 5_000;

/// How long an answer counts when nothing is said, and the most that can be said: so long does a supplier go
/// on acting for a customer who has withdrawn the delegation.
pub(super) const CACHE_SECONDS: u32 = 10;
pub(super) const CACHE_SECONDS_MAX: u32 = 300;

/// The longest name for people, in bytes.
const NAME_BYTES_MAX: usize = 255;

impl DelegationRegister {
    /// Checks all of them: each has an issuer of its own, which is not `own_issuer`.
    pub(super) fn check_all(
        raw: BTreeMap<String, RawDelegationRegister>,
        own_issuer: &str,
        outbound: &Outbound,
    ) -> Result<Vec<Self>, ConfigError> {
        let mut registers: Vec<Self> = Vec::new();
        for (section, raw) in raw {
            let register = Self::check(section, raw, outbound)?;
            let key = format!("delegation_register.{}.issuer", register.section);
            if register.issuer == own_issuer {
                let problem = "is server.issuer, which names the register of this server";
                return Err(ConfigError::key(key, problem));
            }
            if let Some(other) = registers.iter().find(|other| other.issuer == register.issuer) {
                let problem = format!("is that of delegation_register.{} as well", other.section);
                return Err(ConfigError::key(key, problem));
            }
            registers.push(register);
        }
        Ok(registers)
    }

    fn check(
        section: String,
        raw: RawDelegationRegister,
        outbound: &Outbound,
    ) -> Result<Self, ConfigError> {
        let key = |key: &str| format!("delegation_register.{section}.{key}");
        let address = |name: &str, address: Option<String>| {
            let address = required(&key(name), address)?;
            check_address(&address)
                .map_err(|problem| ConfigError::key(key(name), format!("{address:?} {problem}")))?;
            Ok(address)
        };
        let name = required(&key("name"), raw.name)?;
        if name.trim().is_empty() || name.len() > NAME_BYTES_MAX || name.contains(char::is_control)
        {
            let problem = format!("must be a line of 1 to {NAME_BYTES_MAX} bytes");
            return Err(ConfigError::key(key("name"), problem));
        }
        let token_scope = match raw.token_scope.map(|scope| scope.parse()) {
            Some(Err(error)) => {
                let problem = format!("{error}");
                return Err(ConfigError::key(key("token_scope"), problem));
            }
            Some(Ok(scope)) => Some(scope),
            None => None,
        };
        let within = |name: &str, value: u32, most: u32| match value {
            value if (1..=most).contains(&value) => Ok(u64::from(value)),
            value => Err(ConfigError::key(key(name), format!("{value} is not in 1 to {most}"))),
        };
        let timeout = raw.timeout_milliseconds.unwrap_or(TIMEOUT_MILLISECONDS);
        let cache = raw.cache_seconds.unwrap_or(CACHE_SECONDS);
        let time_max = within("timeout_milliseconds", timeout, TIMEOUT_MILLISECONDS_MAX)?;
        let cache_time = within("cache_seconds", cache, CACHE_SECONDS_MAX)?;
        Ok(Self {
            issuer: address("issuer", raw.issuer)?,
            url: outbound.url(&key("url"), &address("url", raw.url)?, Clear::Loopback)?,
            name,
            token_scope,
            time_max: Duration::from_millis(time_max),
            cache_time: Duration::from_secs(cache_time),
            section,
        })
    }
}
