//! `portvakt prefix`: who may define scopes under which prefix.

use clap::Subcommand;
use serde_json::json;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// What can be done with prefixes. Changes are the operator's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PrefixCommand {
    /// Show prefixes.
    List {
        /// Only those of this organization.
        #[arg(long, value_name = "NUMBER")]
        organization: Option<String>,
        /// Retired ones too.
        #[arg(long)]
        inactive: bool,
        /// How many, at most.
        #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
        limit: Option<usize>,
    },
    /// Assign a prefix to an organization.
    Assign {
        /// The prefix.
        prefix: String,
        /// The number of the organization.
        organization: String,
    },
    /// Hand a prefix over to another organization, with every scope under it.
    Transfer {
        /// The prefix.
        prefix: String,
        /// The number of the organization that gets it.
        organization: String,
    },
    /// Let no new scopes be made under a prefix.
    Retire {
        /// The prefix.
        prefix: String,
    },
    /// Take a retired prefix into use again.
    Restore {
        /// The prefix.
        prefix: String,
    },
}

const COLUMNS: &[&str] = &["prefix", "organization", "active", "created_at"];

impl Run for PrefixCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let (prefix, edit) = match self {
            Self::List { organization, inactive, limit } => {
                let mut api = connection.api(Right::ReadScopes)?;
                let place = Place::of(["prefixes"])
                    .with("organization", organization)
                    .with_flag("inactive", inactive);
                return Ok(Report::list(api.list(&place, limit).await?, COLUMNS));
            }
            Self::Assign { prefix, organization } => {
                let new = json!({ "prefix": prefix, "organization": organization });
                let mut api = connection.api_of_operator()?;
                let made = api.make(&Place::of(["prefixes"]), &new).await?;
                return Ok(Report::thing(made, COLUMNS));
            }
            Self::Transfer { prefix, organization } => {
                (prefix, json!({ "organization": organization }))
            }
            Self::Retire { prefix } => (prefix, json!({ "active": false })),
            Self::Restore { prefix } => (prefix, json!({ "active": true })),
        };
        let mut api = connection.api_of_operator()?;
        let changed = api.change(&Place::of(["prefixes", &prefix]), &edit).await?;
        Ok(Report::thing(changed, COLUMNS))
    }
}
