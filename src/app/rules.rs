//! The rules of every layer, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use crate::app::AppError;
use crate::app::files::read;
use crate::clock::{DAY_SECONDS, HOUR_SECONDS};
use crate::config::{self, Config, DatabaseSource};
use crate::domain::signing_key::SigningTurns;
use crate::keys::{KeyRules, TokenType};
use crate::registry::{PeopleRules, RegistryRules};
use crate::remote::outbound::{OutboundRules, SystemNames};
use crate::token::IssueRules;
use crate::token::access_token::TokenProfile;
use crate::token::claims::GrantRules;
use crate::token::delegation::DelegationSource;
use crate::token::recorder::KeepRules;

pub(super) fn key_rules(config: &Config) -> KeyRules {
    let signing = config.signing;
    KeyRules {
        turns: SigningTurns {
            algorithm: config.token.signing_algorithm,
            announce_seconds: i64::from(signing.announce_hours) * HOUR_SECONDS,
            rotate_seconds: signing.rotate_days.map(|days| i64::from(days) * DAY_SECONDS),
            token_seconds_max: i64::from(config.token.lifetime_seconds_max),
        },
        rsa_bits: config.token.rsa_key_bits,
        token_type: match config.token.profile {
            config::TokenProfile::Maskinporten => TokenType::Unsaid,
            config::TokenProfile::Rfc9068 => TokenType::AccessToken,
        },
    }
}

pub(super) fn keep_rules(explain: config::Explain) -> KeepRules {
    KeepRules {
        retention_seconds: i64::from(explain.retention_days) * DAY_SECONDS,
        records_max: explain.records_max,
    }
}

/// How long the database may be away while tokens are issued all the same. A file is never away: what happens to it
/// happens to the node.
pub(super) fn outage_max(config: &Config) -> Duration {
    match config.database {
        DatabaseSource::File(_) => Duration::ZERO,
        DatabaseSource::Url(_) | DatabaseSource::UrlFile(_) => config.outage.issue,
    }
}

pub(super) fn issue_rules(config: &Config) -> IssueRules {
    IssueRules {
        grant: GrantRules {
            issuer: config.issuer.clone(),
            lifetime_seconds_max: config.token.assertion_lifetime_seconds_max,
            clock_skew_seconds: config.token.clock_skew_seconds,
        },
        lifetime_seconds_max: config.token.lifetime_seconds_max,
        profile: match config.token.profile {
            config::TokenProfile::Maskinporten => TokenProfile::Maskinporten,
            config::TokenProfile::Rfc9068 => TokenProfile::Rfc9068,
        },
        outage_max: outage_max(config),
    }
}

/// What the operator has decided about everything that can be registered.
pub fn registry_rules(config: &Config) -> RegistryRules {
    let mut rules = RegistryRules::new(&config.issuer, config.token.lifetime_seconds_max);
    let configured = config.delegation_registers.iter();
    rules.delegation_sources.extend(configured.map(|register| DelegationSource {
        issuer: register.issuer.clone(),
        name: register.name.clone(),
    }));
    rules.people = people_rules(config);
    rules
}

fn people_rules(config: &Config) -> PeopleRules {
    let portal = config.portal;
    PeopleRules {
        environment: config.environment.clone(),
        operator: config.operator.as_ref().map(|operator| operator.organization),
        portal_url: portal_url(config),
        sign_in: portal.sign_in,
        idle_seconds: portal.idle_seconds,
        session_seconds: portal.session_seconds,
        password_characters_min: usize::try_from(portal.password_characters_min)
            .unwrap_or(usize::MAX),
        attempts_free: portal.attempts_free,
        wait_seconds: portal.wait_seconds,
        wait_seconds_max: portal.wait_seconds_max,
    }
}

/// Where people reach the portal: as the configuration says, or else at the listener.
pub(super) fn portal_url(config: &Config) -> String {
    config.admin_url.clone().unwrap_or_else(|| {
        let scheme = if config.admin_listener.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/", config.admin_listener.address)
    })
}

/// Whether browsers reach the portal over TLS: as the configuration says, or else when the listener speaks it.
pub(super) fn is_https(config: &Config) -> bool {
    match config.admin_url.as_deref() {
        Some(url) => url.starts_with("https://"),
        None => config.admin_listener.tls.is_some(),
    }
}

/// What holds for everything that goes out.
pub(super) fn outbound_rules(config: &Config) -> Result<OutboundRules, AppError> {
    let files = config.outbound.tls_authorities.iter();
    Ok(OutboundRules {
        reach: config.outbound.reach.clone(),
        authorities_pem: files.map(read).collect::<Result<_, _>>()?,
        names: Arc::new(SystemNames),
    })
}
