//! `portvakt org`: organizations, and the e-mail domains of their people.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// What can be done with organizations. All but `show` of one's own is the operator's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum OrgCommand {
    /// Show all organizations.
    List {
        /// Only those with this in their number or name.
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// How many, at most.
        #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
        limit: Option<usize>,
    },
    /// Show an organization.
    Show {
        /// Its number.
        organization: String,
    },
    /// Register an organization.
    Create {
        /// Its number.
        organization: String,
        /// Its name.
        name: String,
        /// A domain of its people's e-mail addresses; may be repeated.
        #[arg(long, value_name = "DOMAIN")]
        email_domain: Vec<String>,
    },
    /// Change an organization.
    Change {
        /// Its number.
        organization: String,
        /// Call it this.
        #[arg(long)]
        name: Option<String>,
        /// Whether it takes part: without, none of its clients gets a token.
        #[arg(long, value_name = "BOOL", required_unless_present = "name")]
        active: Option<bool>,
    },
    /// Let people with addresses of a domain act for an organization.
    AddDomain {
        /// Its number.
        organization: String,
        /// The domain.
        domain: String,
    },
    /// Let them no longer.
    RemoveDomain {
        /// Its number.
        organization: String,
        /// The domain.
        domain: String,
    },
}

const COLUMNS: &[&str] = &["organization", "name", "active", "created_at"];
const FIRST: &[&str] = &["organization", "name", "active", "email_domains"];

impl Run for OrgCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let thing = match self {
            Self::List { search, limit } => {
                let mut api = connection.api_of_operator()?;
                let place = Place::of(["organizations"]).with("q", search);
                return Ok(Report::list(api.list(&place, limit).await?, COLUMNS));
            }
            Self::Show { organization } => {
                let mut api = connection.api(Right::ReadScopes)?;
                api.read(&place(&organization)).await?.thing
            }
            Self::Create { organization, name, email_domain } => {
                let mut new = json!({ "organization": organization, "name": name });
                if !email_domain.is_empty() {
                    new["email_domains"] = email_domain.into();
                }
                let mut api = connection.api_of_operator()?;
                api.make(&Place::of(["organizations"]), &new).await?
            }
            Self::Change { organization, name, active } => {
                let edit = super::members([
                    ("name", name.map(Value::from)),
                    ("active", active.map(Value::from)),
                ]);
                let mut api = connection.api_of_operator()?;
                api.change(&place(&organization), &edit).await?
            }
            Self::AddDomain { organization, domain } => {
                let mut api = connection.api_of_operator()?;
                api.switch(&domain_of(&organization, &domain), true).await?
            }
            Self::RemoveDomain { organization, domain } => {
                let mut api = connection.api_of_operator()?;
                api.switch(&domain_of(&organization, &domain), false).await?
            }
        };
        Ok(Report::thing(thing, FIRST))
    }
}

fn place(organization: &str) -> Place {
    Place::of(["organizations", organization])
}

fn domain_of(organization: &str, domain: &str) -> Place {
    Place::of(["organizations", organization, "email-domains", domain])
}
