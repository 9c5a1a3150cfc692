//! What the configuration names: the database, and files with keys and addresses.

use std::path::{Path, PathBuf};

use crate::app::registers::remote_register;
use crate::app::rules::outbound_rules;
use crate::app::{AppError, authorities, post};
use crate::clock::Clock;
use crate::config::{Config, DatabaseSource, SealingKeySource};
use crate::domain::organization::Organization;
use crate::keys::{KeyKeeperError, SealingKey};
use crate::registry::Operator;
use crate::store::{self, Store};

/// Opens the database that the configuration names. Migrations are not applied.
pub async fn open_store(database: &DatabaseSource) -> Result<Store, AppError> {
    Ok(match database {
        DatabaseSource::File(file) => Store::open(file).await?,
        DatabaseSource::UrlFile(_) | DatabaseSource::Url(_) => {
            Store::connect(&database_url(database)?.unwrap_or_default()).await?
        }
    })
}

/// The URL of the database, if it has one.
fn database_url(database: &DatabaseSource) -> Result<Option<String>, AppError> {
    match database {
        DatabaseSource::File(_) => Ok(None),
        DatabaseSource::Url(url) => Ok(Some(url.clone())),
        DatabaseSource::UrlFile(file) => {
            first_line(file, "URL of a database").map(Some).map_err(AppError::DatabaseUrl)
        }
    }
}

/// Reads every file that the configuration names, to see whether the server could be built from them.
///
/// What is no reason not to start, and will refuse good clients, comes back as text.
pub fn check_files(config: &Config, clock: &dyn Clock) -> Result<Vec<String>, AppError> {
    if let Some(url) = database_url(&config.database)? {
        store::check_url(&url)?;
    }
    let now = clock.now();
    let sets = authorities::load(config, now)?;
    let warnings = sets.iter().flat_map(|set| {
        let name = set.name().to_owned();
        set.warnings(now).into_iter().map(move |warning| format!("trust set {name}: {warning}"))
    });
    let warnings = warnings.collect();
    load_operator(config)?;
    let rules = outbound_rules(config)?;
    for register in &config.delegation_registers {
        remote_register(register, None, &rules)?;
    }
    config.mail.as_ref().map(post::mailer).transpose()?;
    load_sealing_key(&config.sealing_key)?;
    Ok(warnings)
}

/// Who runs the server, with the public key of their client.
pub fn load_operator(config: &Config) -> Result<Option<Operator>, AppError> {
    let Some(operator) = &config.operator else { return Ok(None) };
    let client = match &operator.client {
        Some((id, file)) => {
            let jwk = String::from_utf8(read(file)?).unwrap_or_default();
            Some((id.clone(), jwk))
        }
        None => None,
    };
    let organization = Organization::new(operator.organization, &operator.name);
    Ok(Some(Operator { organization, client }))
}

/// The sealing key that the configuration names.
pub fn load_sealing_key(source: &SealingKeySource) -> Result<SealingKey, AppError> {
    let text = match source {
        SealingKeySource::File(file) => {
            read(file).map(|bytes| String::from_utf8(bytes).unwrap_or_default())?
        }
        SealingKeySource::Text(text) => text.clone(),
    };
    let key = SealingKey::from_base64(&text);
    key.map_err(|error| AppError::Keys(KeyKeeperError::Key(error)))
}

/// The first line of a file with a secret, which is `what`.
pub(super) fn first_line(file: &Path, what: &str) -> Result<String, String> {
    let text = read(file).map_err(|error| error.to_string())?;
    let text = String::from_utf8(text).unwrap_or_default();
    let line = text.lines().next().filter(|line| !line.is_empty()).map(ToOwned::to_owned);
    line.ok_or_else(|| format!("{} has no {what} in its first line", file.display()))
}

pub(super) fn read(file: impl Into<PathBuf>) -> Result<Vec<u8>, AppError> {
    let file = file.into();
    std::fs::read(&file).map_err(|problem| AppError::File { file, problem })
}
