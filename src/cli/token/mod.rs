//! `portvakt token`: fetch an access token, look into one, check one. All of it is done as a client or
//! an API would do it, with nothing but what is published.

mod decoded;
mod get;
mod inspect;
pub(super) mod request;
mod verify;

use clap::Subcommand;

use crate::cli::failure::Failure;
use crate::cli::token::get::GetCommand;
use crate::cli::token::inspect::InspectCommand;
use crate::cli::token::verify::VerifyCommand;

/// What can be done with tokens.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Fetch an access token.
    Get(Box<GetCommand>),
    /// Show what a token says, without checking it.
    Inspect(InspectCommand),
    /// Check a token as an API does.
    Verify(VerifyCommand),
}

impl TokenCommand {
    /// Does it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Get(command) => command.run().await,
            Self::Inspect(command) => command.run(),
            Self::Verify(command) => command.run().await,
        }
    }
}
