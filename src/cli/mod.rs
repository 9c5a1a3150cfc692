//! The command line. The only place with `anyhow` and with printing.
//!
//! Data goes to standard output and everything else to standard error, so that output can be piped. The exit
//! codes are in [`failure`].

mod admin;
mod assertion;
mod backup;
mod cert;
mod check_config;
mod completions;
mod dev;
mod env_file;
pub mod failure;
mod input;
mod key_source;
mod load;
mod migrate;
mod operator_link;
mod output;
mod pkcs12;
mod private_key;
mod serve;
mod server;
#[cfg(test)]
mod test_keys;
mod token;

use std::future::Future;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use failure::Failure;

/// An authorization server for organization-to-organization APIs.
#[derive(Debug, Parser)]
#[command(name = "portvakt", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make and run a test server, with everything in it to try.
    Dev(dev::Dev),
    /// Run the server.
    Serve(serve::Serve),
    /// Bring the database up to this version.
    Migrate(migrate::Migrate),
    Backup(backup::Backup),
    Restore(backup::Restore),
    /// Print a link with which an operator gets into the portal for the first time.
    OperatorLink(operator_link::OperatorLink),
    /// Say whether a configuration file is fit to start with.
    CheckConfig(check_config::CheckConfig),
    /// Get, look into and verify access tokens, as a client and an API would.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Sign an assertion and print it, for debugging.
    Assertion(Box<assertion::AssertionCommand>),
    /// Send a token endpoint many real requests, and report how it bears them.
    Load(Box<load::LoadCommand>),
    /// Look into certificates, and judge them as the server does.
    #[command(subcommand)]
    Cert(cert::CertCommand),
    #[command(flatten)]
    Admin(Box<admin::AdminCommand>),
    /// Print a script with which a shell completes the command line.
    Completions(completions::Completions),
}

/// Runs the command that the program was started with.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Dev(dev) => block_on(dev.run()),
        Command::Serve(serve) => block_on(serve.run()),
        Command::Migrate(migrate) => block_on(migrate.run()),
        Command::Backup(backup) => block_on(backup.run()),
        Command::Restore(restore) => block_on(restore.run()),
        Command::OperatorLink(link) => block_on(link.run()),
        Command::CheckConfig(check) => check.run(),
        Command::Token(token) => block_on(token.run()),
        Command::Assertion(assertion) => block_on(assertion.run()),
        Command::Load(load) => block_on(load.run()),
        Command::Cert(cert) => cert.run(),
        Command::Admin(admin) => block_on(admin.run()),
        Command::Completions(completions) => completions.run(Cli::command()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(&failure.message);
            failure.exit.into()
        }
    }
}

fn block_on(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::failed(format!("no threads: {error}")))?;
    runtime.block_on(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
