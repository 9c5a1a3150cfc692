//! Where the database is.

use std::path::{Path, PathBuf};

use crate::config::raw::RawDatabase;
use crate::config::{ConfigError, required};

/// Where the database is.
#[derive(Clone)]
pub enum DatabaseSource {
    /// SQLite, in this file.
    File(PathBuf),
    /// PostgreSQL, at the URL that is in this file.
    UrlFile(PathBuf),
    /// PostgreSQL, at this URL, which may hold a password.
    Url(String),
}

impl DatabaseSource {
    /// A URL takes the place of the file, which has a default.
    pub(super) fn check(raw: RawDatabase, folder: &Path) -> Result<Self, ConfigError> {
        match (raw.url, raw.url_file) {
            (None, None) => Ok(Self::File(folder.join(required("database.file", raw.file)?))),
            (None, Some(file)) => Ok(Self::UrlFile(folder.join(file))),
            (Some(url), None) => Ok(Self::Url(url)),
            (Some(_), Some(_)) => Err(ConfigError::key(
                "database.url_file",
                "database.url is set as well; set one of them",
            )),
        }
    }
}

impl DatabaseSource {
    /// The folder of the SQLite file.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::File(file) => file.parent(),
            Self::UrlFile(_) | Self::Url(_) => None,
        }
    }

    /// Whether it is another process, which may come later than this one.
    pub fn is_server(&self) -> bool {
        match self {
            Self::File(_) => false,
            Self::UrlFile(_) | Self::Url(_) => true,
        }
    }

    /// The SQLite file that should be there and is not.
    pub fn missing_file(&self) -> Option<&Path> {
        match self {
            Self::File(file) if !file.exists() => Some(file),
            Self::File(_) | Self::UrlFile(_) | Self::Url(_) => None,
        }
    }
}

impl std::fmt::Debug for DatabaseSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::UrlFile(file) => f.debug_tuple("UrlFile").field(file).finish(),
            Self::Url(_) => f.write_str("Url(not shown)"),
        }
    }
}
