//! How a command ends: the exit codes of the command line, which scripts build on.

use std::fmt;
use std::process::ExitCode;

/// The exit codes. They are a contract: a number never changes its meaning.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitStatus {
    /// What was asked for is there already, was changed by somebody else, or differs from what is declared.
    Conflict,
    /// It went wrong in a way that has no code of its own.
    Failure,
    /// The caller is known, but may not do this.
    NotAllowed,
    /// The caller is not known.
    NotAuthenticated,
    /// There is no such thing.
    NotFound,
    /// The token endpoint refused to issue a token.
    RefusedToken,
    /// The server could not be reached; trying again may help.
    Unreachable,
    /// The command itself is wrong: its options, or a file that they name.
    Usage,
}

impl ExitStatus {
    /// The number that the shell sees.
    pub const fn code(self) -> u8 {
        match self {
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::NotAuthenticated => 4,
            Self::NotAllowed => 5,
            Self::Conflict => 6,
            Self::RefusedToken => 7,
            Self::Unreachable => 9,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// Why a command did not do what was asked, for the person who asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What the shell sees.
    pub exit: ExitStatus,
    /// What the person sees. It never holds a key, a password or a token.
    pub message: String,
}

impl Failure {
    /// A failure without an exit code of its own.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Failure, message: message.into() }
    }

    /// The server could not be reached.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Unreachable, message: message.into() }
    }

    /// The command itself is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: ExitStatus::Usage, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    /// The error with all that led to it, on one line.
    fn from(error: anyhow::Error) -> Self {
        Self::failed(format!("{error:#}"))
    }
}
