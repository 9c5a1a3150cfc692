//! The environment that this server is, and what holds for the people in it.

use crate::config::error::ConfigError;
use crate::config::raw::{RawEnvironment, RawPortal};
use crate::config::{check_address, required};
use crate::domain::email_address::EmailAddressError;
use crate::domain::environment::{About, Environment, EnvironmentColour, SelfService, Sister};
use crate::domain::sign_in::SignInWays;

/// The longest name of an environment, in characters: it stands in one line with the names of others.
const NAME_CHARACTERS_MAX: usize = 40;

/// The longest time without doing anything, in minutes: a working day.
const IDLE_MINUTES_MAX: u32 = 8 * 60;

/// The longest session, in hours: a day and a night.
const SESSION_HOURS_MAX: u32 = 24;

/// The shortest password that NIST SP 800-63B accepts beside a second factor, in characters, and the longest that can
/// be asked for: more drives people to write it down.
const PASSWORD_CHARACTERS: std::ops::RangeInclusive<u32> = 8..=64;

/// The longest wait after attempts that have failed, in seconds: whoever makes others wait should not make them for
/// longer than a day.
const WAIT_SECONDS_MAX: u32 = 24 * 60 * 60;

/// The most attempts that may fail before anybody waits: a hundred is what NIST SP 800-63B allows in all.
const ATTEMPTS_MAX: u32 = 100;

/// What holds for the people who use the portal.
#[derive(Clone, Copy, Debug)]
pub struct Portal {
    /// By which ways they sign in.
    pub sign_in: SignInWays,
    /// Seconds after which somebody who does nothing is signed out.
    pub idle_seconds: i64,
    /// Seconds after which everybody is signed out.
    pub session_seconds: i64,
    /// Characters of a password, at least.
    pub password_characters_min: u32,
    /// How many attempts to sign in may fail before the next has to wait.
    pub attempts_free: u32,
    /// Seconds of the first wait.
    pub wait_seconds: i64,
    /// Seconds of a wait, at most.
    pub wait_seconds_max: i64,
}

/// The environment.
pub(super) fn check_environment(raw: RawEnvironment) -> Result<Environment, ConfigError> {
    let mut sisters = Vec::new();
    for (section, sister) in raw.sister.unwrap_or_default() {
        let key = |key: &str| format!("environment.sister.{section}.{key}");
        let name = check_name(&key("name"), required(&key("name"), sister.name)?)?;
        let url = required(&key("url"), sister.url)?;
        sisters.push(Sister { name, url: check_link(&key("url"), url)? });
    }
    let link = |key: &str, url: Option<String>| url.map(|url| check_link(key, url)).transpose();
    let support = raw.support_email.map(|address| {
        let parsed = address.parse();
        parsed.map_err(|error: EmailAddressError| {
            ConfigError::key("environment.support_email", error.to_string())
        })
    });
    let about = About {
        accessibility_statement_url: link(
            "environment.accessibility_statement_url",
            raw.accessibility_statement_url,
        )?,
        privacy_statement_url: link(
            "environment.privacy_statement_url",
            raw.privacy_statement_url,
        )?,
        support_email: support.transpose()?,
    };
    Ok(Environment {
        name: check_name("environment.name", required("environment.name", raw.name)?)?,
        colour: word(
            "environment.colour",
            &required("environment.colour", raw.colour)?,
            EnvironmentColour::from_name,
            EnvironmentColour::ALL.iter().map(|colour| colour.name()),
        )?,
        self_service: word(
            "environment.self_service",
            &required("environment.self_service", raw.self_service)?,
            SelfService::from_name,
            SelfService::ALL.iter().map(|it| it.name()),
        )?,
        sisters,
        about,
    })
}

/// The address of a page that every page leads to.
fn check_link(key: &str, url: String) -> Result<String, ConfigError> {
    match check_address(&url) {
        Ok(_) => Ok(url),
        Err(problem) => Err(ConfigError::key(key, format!("{url:?} {problem}"))),
    }
}

impl Portal {
    /// What holds for people; `has_providers` says whether they can come from an OpenID provider.
    pub(super) fn check(raw: &RawPortal, has_providers: bool) -> Result<Self, ConfigError> {
        let sign_in = word(
            "portal.sign_in",
            required("portal.sign_in", raw.sign_in.as_deref())?,
            SignInWays::from_name,
            SignInWays::ALL.iter().map(|ways| ways.name()),
        )?;
        if sign_in.open_id() && !has_providers {
            let problem = format!(
                "is {:?}, and there is no provider; describe one in [open_id.NAME]",
                sign_in.name()
            );
            return Err(ConfigError::key("portal.sign_in", problem));
        }
        let within = |key: &str, value: Option<u32>, range: std::ops::RangeInclusive<u32>| {
            let (least, most) = (range.start(), range.end());
            match required(key, value)? {
                value if range.contains(&value) => Ok(value),
                value => Err(ConfigError::key(key, format!("{value} is not in {least} to {most}"))),
            }
        };
        let idle = within("portal.idle_minutes", raw.idle_minutes, 1..=IDLE_MINUTES_MAX)?;
        let session = within("portal.session_hours", raw.session_hours, 1..=SESSION_HOURS_MAX)?;
        let wait_max = "portal.sign_in_wait_seconds_max";
        let wait_max = within(wait_max, raw.sign_in_wait_seconds_max, 1..=WAIT_SECONDS_MAX)?;
        let wait = "portal.sign_in_wait_seconds";
        Ok(Self {
            sign_in,
            idle_seconds: i64::from(idle) * 60,
            session_seconds: i64::from(session) * 60 * 60,
            password_characters_min: within(
                "portal.password_characters_min",
                raw.password_characters_min,
                PASSWORD_CHARACTERS,
            )?,
            attempts_free: within(
                "portal.sign_in_attempts",
                raw.sign_in_attempts,
                1..=ATTEMPTS_MAX,
            )?,
            wait_seconds: within(wait, raw.sign_in_wait_seconds, 1..=wait_max)?.into(),
            wait_seconds_max: wait_max.into(),
        })
    }
}

fn check_name(key: &str, name: String) -> Result<String, ConfigError> {
    let characters = name.chars().count();
    let fits = (1..=NAME_CHARACTERS_MAX).contains(&characters)
        && !name.trim().is_empty()
        && !name.contains(char::is_control);
    if fits {
        return Ok(name);
    }
    let problem = format!("must be a line of 1 to {NAME_CHARACTERS_MAX} characters");
    Err(ConfigError::key(key, problem))
}

/// The variant of that word.
fn word<T>(
    key: &str,
    said: &str,
    from_name: impl Fn(&str) -> Option<T>,
    known: impl Iterator<Item = &'static str>,
) -> Result<T, ConfigError> {
    from_name(said).ok_or_else(|| {
        let known = known.collect::<Vec<_>>().join(", ");
        ConfigError::key(key, format!("{said:?} is none of {known}"))
    })
}
