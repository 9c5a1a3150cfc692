//! `portvakt signing-key`: the keys that the server signs access tokens with.

use clap::Subcommand;
use serde_json::json;

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
    /// Announce the next signing key; it signs when every API has fetched it.
    Rotate {
        /// Let it sign at once, because the one before may be in wrong hands. APIs that keep the key set refuse its
        /// tokens until they fetch it again.
        #[arg(long)]
        now: bool,
    },
    /// Retire a key that does not sign: it leaves the key set, and its private half is destroyed.
    Retire {
        /// Its id.
        kid: String,
    },
}

const COLUMNS: &[&str] = &["kid", "alg", "state", "signs_from", "created_at"];

impl Run for SigningKeyCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let mut api = connection.api_of_operator()?;
        let keys = Place::of(["signing-keys"]);
        match self {
            Self::List => Ok(Report::list(api.whole_list(&keys).await?, COLUMNS)),
            Self::Rotate { now } => {
                Ok(Report::thing(api.make(&keys, &json!({ "now": now })).await?, COLUMNS))
            }
            Self::Retire { kid } => {
                let gone = api.remove_whatever(&Place::of(["signing-keys", &kid])).await?;
                Ok(Report::thing(gone, COLUMNS))
            }
        }
    }
}
