//! `portvakt scope`: what the owner of a prefix lets others ask for.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::admin::usage::{self, Days};
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// What can be done with scopes.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ScopeCommand {
    /// Show one's own scopes.
    List {
        /// Those of this organization (operator).
        #[arg(long, value_name = "NUMBER")]
        organization: Option<String>,
        #[command(flatten)]
        found: Search,
        /// Deactivated ones too.
        #[arg(long)]
        inactive: bool,
    },
    /// Show the scopes that every organization can find.
    Public(Search),
    /// Show a scope.
    Show {
        /// Its name.
        scope: String,
    },
    /// Show who uses a scope: how many tokens were issued with it, per consumer.
    Usage {
        /// Its name.
        scope: String,
        #[command(flatten)]
        days: Days,
    },
    /// Define a scope under one of one's own prefixes.
    Create {
        /// Its name: prefix:subscope.
        scope: String,
        /// What it lets the caller do.
        #[arg(long, value_name = "TEXT")]
        description: String,
        #[command(flatten)]
        settings: ScopeSettings,
    },
    /// Change a scope.
    Change {
        /// Its name.
        scope: String,
        /// What it lets the caller do.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        #[command(flatten)]
        settings: ScopeSettings,
    },
    /// Let nobody get tokens for a scope any more.
    Deactivate {
        /// Its name.
        scope: String,
    },
    /// Take a deactivated scope into use again.
    Restore {
        /// Its name.
        scope: String,
    },
}

/// Which scopes.
#[derive(Args, Debug)]
pub(in crate::cli) struct Search {
    /// Only those under this prefix.
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Only those with this in their name or description.
    #[arg(long = "search", value_name = "TEXT")]
    text: Option<String>,
    /// How many, at most.
    #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
    limit: Option<usize>,
}

/// What the owner decides about a scope. Of a text, an empty one clears it.
#[derive(Args, Debug)]
pub(in crate::cli) struct ScopeSettings {
    /// A longer description.
    #[arg(long, value_name = "TEXT")]
    long_description: Option<String>,
    /// Who can find it.
    #[arg(long, value_name = "WHO")]
    visibility: Option<Visibility>,
    /// Whether every organization may use it, without being granted access.
    #[arg(long, value_name = "BOOL")]
    accessible_for_all: Option<bool>,
    /// A product that it is meant for; may be repeated. Without any it is meant for all.
    #[arg(long, value_name = "TYPE")]
    integration_type: Option<Vec<String>>,
    /// Seconds that tokens with it live, at most; 0 leaves it to the client.
    #[arg(long, value_name = "SECONDS")]
    token_lifetime_max: Option<u32>,
    /// The register in which it is delegated: the issuer's address.
    #[arg(long, value_name = "ISSUER")]
    delegation_source: Option<String>,
    /// Whether tokens are issued for it while the database cannot be reached, where the server does that.
    #[arg(long, value_name = "BOOL")]
    issued_in_outage: Option<bool>,
    /// Whether every European business gets tokens for it by its certificate for electronic seals; the API must then
    /// decide what each may.
    #[arg(long, value_name = "BOOL")]
    supports_european_businesses: Option<bool>,
}

/// Who can find a scope.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Visibility {
    /// The operator's own staff.
    Internal,
    /// Its owner, and the organizations that it is granted to.
    Private,
    /// Everybody.
    Public,
}

const COLUMNS: &[&str] =
    &["scope", "description", "organization", "visibility", "accessible_for_all", "active"];
const FIRST: &[&str] =
    &["scope", "description", "organization", "active", "visibility", "accessible_for_all"];

impl ScopeSettings {
    fn edit(self, description: Option<String>) -> Value {
        let or_null = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        let visibility = self.visibility.map(|it| match it {
            Visibility::Internal => "INTERNAL",
            Visibility::Private => "PRIVATE",
            Visibility::Public => "PUBLIC",
        });
        let lifetime = |seconds| if seconds == 0 { Value::Null } else { Value::from(seconds) };
        super::members([
            ("description", description.map(Value::from)),
            ("long_description", self.long_description.map(or_null)),
            ("visibility", visibility.map(Value::from)),
            ("accessible_for_all", self.accessible_for_all.map(Value::from)),
            ("allowed_integration_types", self.integration_type.map(Value::from)),
            ("token_lifetime_seconds_max", self.token_lifetime_max.map(lifetime)),
            ("delegation_source", self.delegation_source.map(or_null)),
            ("issued_in_outage", self.issued_in_outage.map(Value::from)),
            ("supports_european_businesses", self.supports_european_businesses.map(Value::from)),
        ])
    }
}

impl Run for ScopeCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let thing = match self {
            Self::List { organization, found, inactive } => {
                let mut api = connection.api_at(organization.as_ref(), Right::ReadScopes)?;
                let place = found
                    .at(Place::of(["scopes"]))
                    .with("organization", organization)
                    .with_flag("inactive", inactive);
                return Ok(Report::list(api.list(&place, found.limit).await?, COLUMNS));
            }
            Self::Public(found) => {
                let mut api = connection.api(Right::ReadScopes)?;
                let place = found.at(Place::of(["scopes", "public"]));
                return Ok(Report::list(api.list(&place, found.limit).await?, COLUMNS));
            }
            Self::Show { scope } => {
                connection.api(Right::ReadScopes)?.read(&place(&scope)).await?.thing
            }
            Self::Usage { scope, days } => {
                let place = days.of(Place::of(["scopes", &scope, "usage"]));
                let usage = connection.api(Right::ReadScopes)?.read(&place).await?.thing;
                return Ok(usage::report(
                    usage,
                    "consumers",
                    &["consumer", "consumer_name", "tokens"],
                ));
            }
            Self::Create { scope, description, settings } => {
                let mut new = settings.edit(Some(description));
                new["scope"] = scope.into();
                let mut api = connection.api(Right::WriteScopes)?;
                api.make(&Place::of(["scopes"]), &new).await?
            }
            Self::Change { scope, description, settings } => {
                let edit = super::something(settings.edit(description))?;
                connection.api(Right::WriteScopes)?.change(&place(&scope), &edit).await?
            }
            Self::Deactivate { scope } => {
                connection.api(Right::WriteScopes)?.remove(&place(&scope)).await?
            }
            Self::Restore { scope } => {
                let mut api = connection.api(Right::WriteScopes)?;
                api.act(&Place::of(["scopes", &scope, "restore"])).await?
            }
        };
        Ok(Report::thing(thing, FIRST))
    }
}

impl Search {
    fn at(&self, place: Place) -> Place {
        place.with("prefix", self.prefix.as_ref()).with("q", self.text.as_ref())
    }
}

fn place(scope: &str) -> Place {
    Place::of(["scopes", scope])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edit_holds_what_was_said_and_clears_with_an_empty_text() {
        let settings = ScopeSettings {
            long_description: Some(String::new()),
            visibility: Some(Visibility::Private),
            accessible_for_all: Some(false),
            integration_type: None,
            token_lifetime_max: Some(0),
            delegation_source: None,
            issued_in_outage: None,
            supports_european_businesses: Some(true),
        };
        let expected = json!({
            "long_description": null, "visibility": "PRIVATE", "accessible_for_all": false,
            "token_lifetime_seconds_max": null, "supports_european_businesses": true,
        });
        assert_eq!(settings.edit(None), expected);
    }
}
