//! `portvakt signing-key`: the keys that the server signs access tokens with.

use clap::Subcommand;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;

/// What can be done with signing keys. It is the operator's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SigningKeyCommand {
    /// Show the signing keys.
    List,
}

const COLUMNS: &[&str] = &["kid", "alg", "state", "signs", "created_at"];

impl Run for SigningKeyCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let Self::List = self;
        let mut api = connection.api_of_operator()?;
        Ok(Report::list(api.whole_list(&Place::of(["signing-keys"])).await?, COLUMNS))
    }
}
