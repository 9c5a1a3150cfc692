//! What is wrong with a configuration, said so that it can be mended at once.

use std::path::PathBuf;

use thiserror::Error;

/// Why a configuration is refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// An environment variable names no key, or holds what its key does not take.
    #[error("environment variable {variable}: {problem}")]
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong with it; never its value.
        problem: String,
    },
    /// A file holds a key that is unknown, or a value of the wrong kind.
    #[error("{file}, line {line}: {problem}", file = file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The line, counted from one.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A key has a value that cannot be used.
    #[error("key {key}: {problem}")]
    Key {
        /// The key, with its section.
        key: String,
        /// What was seen and what is expected.
        problem: String,
    },
    /// A key that has no default is not set.
    #[error("key {key} is not set, and it has no default")]
    Missing {
        /// The key, with its section.
        key: String,
    },
    /// A file cannot be read.
    #[error("{file} cannot be read: {problem}", file = file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        problem: std::io::Error,
    },
}

impl ConfigError {
    /// A key whose value cannot be used.
    pub(super) fn key(key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Key { key: key.into(), problem: problem.into() }
    }
}
