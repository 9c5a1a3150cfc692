//! `portvakt client`: the machines of an organization, and the scopes on them.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::admin::usage::{self, Days};
use crate::cli::failure::Failure;
use crate::domain::right::Right;

/// What can be done with clients.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum ClientCommand {
    /// Show one's own clients.
    List(List),
    /// Show a client.
    Show {
        /// Its id.
        client: String,
    },
    /// Show what a client uses: how many tokens were issued to it, per scope.
    Usage {
        /// Its id.
        client: String,
        #[command(flatten)]
        days: Days,
    },
    /// Register a client.
    Create(Create),
    /// Change a client.
    Change {
        /// Its id.
        client: String,
        /// Call it this.
        #[arg(long)]
        name: Option<String>,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Seconds that its tokens live.
        #[arg(long, value_name = "SECONDS")]
        token_lifetime: Option<u32>,
    },
    /// Let a client get no tokens any more.
    Deactivate {
        /// Its id.
        client: String,
    },
    /// Take a deactivated client into use again.
    Restore {
        /// Its id.
        client: String,
    },
    /// Let a client ask for scopes.
    AddScope {
        /// Its id.
        client: String,
        /// The scopes.
        #[arg(required = true)]
        scope: Vec<String>,
    },
    /// Let it no longer.
    RemoveScope {
        /// Its id.
        client: String,
        /// The scopes.
        #[arg(required = true)]
        scope: Vec<String>,
    },
}

/// Which clients.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Those of this organization (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
    /// Only those that may ask for this scope.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Only those with this in their id, name or description.
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    /// Deactivated ones too.
    #[arg(long)]
    inactive: bool,
    /// How many, at most.
    #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
    limit: Option<usize>,
}

/// A new client.
#[derive(Args, Debug)]
pub(in crate::cli) struct Create {
    /// What people call it.
    name: String,
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// For this organization (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
    /// A scope that it may ask for; may be repeated.
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// Seconds that its tokens live.
    #[arg(long, value_name = "SECONDS")]
    token_lifetime: Option<u32>,
    /// The product it uses.
    #[arg(long, value_name = "TYPE")]
    integration_type: Option<String>,
}

const COLUMNS: &[&str] = &[
    "client_id",
    "name",
    "organization",
    "active",
    "keys",
    "first_key_expires_at",
    "last_used_at",
];
const FIRST: &[&str] =
    &["client_id", "name", "description", "organization", "active", "scopes", "keys"];

impl Run for ClientCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let thing = match self {
            Self::List(list) => return list.run(connection).await,
            Self::Show { client } => {
                connection.api(Right::ReadClients)?.read(&place(&client)).await?.thing
            }
            Self::Usage { client, days } => {
                let place = days.of(Place::of(["clients", &client, "usage"]));
                let usage = connection.api(Right::ReadClients)?.read(&place).await?.thing;
                return Ok(usage::report(usage, "scopes", &["scope", "tokens"]));
            }
            Self::Create(new) => new.run(connection).await?,
            Self::Change { client, name, description, token_lifetime } => {
                let edit = super::something(super::members([
                    ("name", name.map(Value::from)),
                    ("description", description.map(Value::from)),
                    ("access_token_lifetime", token_lifetime.map(Value::from)),
                ]))?;
                connection.api(Right::WriteClients)?.change(&place(&client), &edit).await?
            }
            Self::Deactivate { client } => {
                connection.api(Right::WriteClients)?.remove(&place(&client)).await?
            }
            Self::Restore { client } => {
                let mut api = connection.api(Right::WriteClients)?;
                api.act(&Place::of(["clients", &client, "restore"])).await?
            }
            Self::AddScope { client, scope } => switch(connection, &client, &scope, true).await?,
            Self::RemoveScope { client, scope } => {
                switch(connection, &client, &scope, false).await?
            }
        };
        Ok(Report::thing(thing, FIRST))
    }
}

impl List {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let mut api = connection.api_at(self.organization.as_ref(), Right::ReadClients)?;
        let place = Place::of(["clients"])
            .with("organization", self.organization)
            .with("scope", self.scope)
            .with("q", self.search)
            .with_flag("inactive", self.inactive);
        Ok(Report::list(api.list(&place, self.limit).await?, COLUMNS))
    }
}

impl Create {
    async fn run(self, connection: &ConnectionArgs) -> Result<Value, Failure> {
        let scopes = (!self.scope.is_empty()).then_some(self.scope);
        let new = super::members([
            ("name", Some(self.name.into())),
            ("description", self.description.map(Value::from)),
            ("organization", self.organization.clone().map(Value::from)),
            ("scopes", scopes.map(Value::from)),
            ("access_token_lifetime", self.token_lifetime.map(Value::from)),
            ("integration_type", self.integration_type.map(Value::from)),
        ]);
        let right = Right::WriteClients;
        let mut api = connection.api_at(self.organization.as_ref(), right)?;
        api.make(&Place::of(["clients"]), &new).await
    }
}

/// Puts scopes on a client, or takes them off, one after the other, and gives the client after the last.
async fn switch(
    connection: &ConnectionArgs,
    client: &str,
    scopes: &[String],
    on: bool,
) -> Result<Value, Failure> {
    let mut api = connection.api(Right::WriteClients)?;
    let mut changed = Value::Null;
    for scope in scopes {
        changed = api.switch(&Place::of(["clients", client, "scopes", scope]), on).await?;
    }
    Ok(changed)
}

fn place(client: &str) -> Place {
    Place::of(["clients", client])
}
