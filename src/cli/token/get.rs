//! `portvakt token get`: an assertion goes to the token endpoint, a token or a refusal comes back.

use clap::{Args, ValueEnum};

use crate::cli::assertion::GrantArgs;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::cli::server::ServerArgs;
use crate::cli::token::request;

/// Fetches an access token.
#[derive(Args, Clone, Debug)]
pub(in crate::cli) struct GetCommand {
    /// How to print it.
    #[arg(short, long, value_name = "FORMAT", default_value = "token")]
    output: TokenOutput,
    #[command(flatten)]
    grant: GrantArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// How a token is printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum TokenOutput {
    /// The token alone.
    Token,
    /// The whole reply.
    Json,
}

impl GetCommand {
    /// Fetches the token and prints it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let settings = self.grant.settings()?;
        let server =
            self.server.server(&settings, |server| server.token_endpoint.is_some()).await?;
        let endpoint = server.token_endpoint.ok_or_else(|| {
            Failure::failed(format!("the metadata of {} names no token_endpoint", server.issuer))
        })?;
        let assertion = self.grant.signed(&settings, &server.issuer)?;
        let web = self.server.web()?;
        let (token, reply) = request::fetch(&web, &endpoint, &assertion).await?;
        match self.output {
            TokenOutput::Token => output::print(&token),
            TokenOutput::Json => output::print_json(&reply),
        }
    }
}
