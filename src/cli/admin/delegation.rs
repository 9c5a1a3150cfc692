//! `portvakt delegation`: a consumer lets a supplier fetch tokens on its behalf.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// What can be done with delegations.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum DelegationCommand {
    /// Show delegations from and to one's own organization.
    List(List),
    /// Show the registers in which scopes can be delegated.
    Sources,
    /// Let a supplier fetch tokens for a scope on behalf of a consumer.
    Grant {
        #[command(flatten)]
        parties: Parties,
        /// When it begins: RFC 3339, or a date [default: now].
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// When it ends: RFC 3339, or a date, of which it is the end in UTC.
        #[arg(long, value_name = "TIME")]
        to: Option<String>,
    },
    /// Let it no longer.
    Withdraw(Parties),
}

/// Which delegations.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Only those of this consumer.
    #[arg(long, value_name = "NUMBER")]
    consumer: Option<String>,
    /// Only those to this supplier.
    #[arg(long, value_name = "NUMBER")]
    supplier: Option<String>,
    /// Only those of this scope.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// From and to this organization (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
    /// Withdrawn ones too.
    #[arg(long)]
    inactive: bool,
    /// How many, at most.
    #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
    limit: Option<usize>,
}

/// Who lets whom use what.
#[derive(Args, Debug)]
pub(in crate::cli) struct Parties {
    /// The number of the organization that has the access.
    consumer: String,
    /// The number of the organization that may use it.
    supplier: String,
    /// The scope.
    scope: String,
}

const COLUMNS: &[&str] =
    &["consumer", "supplier", "scope", "source", "valid_from", "valid_to", "revoked_at"];
const SOURCE_COLUMNS: &[&str] = &["issuer", "name"];

impl Run for DelegationCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let thing = match self {
            Self::List(list) => {
                let right = Right::ReadClients;
                let mut api = connection.api_at(list.organization.as_ref(), right)?;
                let place = Place::of(["delegations"])
                    .with("consumer", list.consumer)
                    .with("supplier", list.supplier)
                    .with("scope", list.scope)
                    .with("organization", list.organization)
                    .with_flag("inactive", list.inactive);
                return Ok(Report::list(api.list(&place, list.limit).await?, COLUMNS));
            }
            Self::Sources => {
                let mut api = connection.api(Right::ReadClients)?;
                let listed = api.whole_list(&Place::of(["delegation-sources"])).await?;
                return Ok(Report::list(listed, SOURCE_COLUMNS));
            }
            Self::Grant { parties, from, to } => {
                let terms = super::members([
                    ("valid_from", from.as_deref().map(super::begin_of_day).map(Value::from)),
                    ("valid_to", to.as_deref().map(super::end_of_day).map(Value::from)),
                ]);
                let mut api = connection.api(Right::WriteClients)?;
                api.put(&parties.place(), &terms).await?
            }
            Self::Withdraw(parties) => {
                connection.api(Right::WriteClients)?.remove(&parties.place()).await?
            }
        };
        Ok(Report::thing(thing, COLUMNS))
    }
}

impl Parties {
    fn place(&self) -> Place {
        Place::of(["delegations", &self.consumer, &self.supplier, &self.scope])
    }
}
