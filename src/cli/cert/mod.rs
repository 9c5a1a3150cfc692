//! `portvakt cert`: what is in certificates, and whether the server would accept them.
//!
//! Outside suites run these commands by the thousand, so nothing is started here that is not needed:
//! no runtime, no database, no configuration.

mod inspect;
mod verify;

use clap::Subcommand;

use crate::cli::cert::inspect::InspectCommand;
use crate::cli::cert::verify::VerifyCommand;
use crate::cli::failure::Failure;

/// The tag of SEQUENCE, with which a certificate in DER begins and no PEM text does.
const DER_SEQUENCE: u8 = 0x30;

/// What can be done with certificates.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum CertCommand {
    /// Show what certificates say, without judging them.
    Inspect(InspectCommand),
    /// Judge a chain as the server does, check by check.
    Verify(Box<VerifyCommand>),
}

impl CertCommand {
    /// Does it.
    pub(super) fn run(self) -> Result<(), Failure> {
        match self {
            Self::Inspect(command) => command.run(),
            Self::Verify(command) => command.run(),
        }
    }
}
