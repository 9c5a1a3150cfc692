//! The control plane from the shell: commands over our own admin API.
//!
//! A file holds the commands of one noun. A command says which right it needs, gets an [`api::Api`] that holds a
//! token with that right and no other, and returns a [`report::Report`], which is printed here. Nothing but
//! [`api`] speaks HTTP.

mod access;
mod api;
mod audit;
mod client;
mod connection;
mod declared;
mod delegation;
mod explain;
mod key;
mod key_file;
mod org;
mod prefix;
mod report;
mod scope;
mod signing_key;
mod trust;
mod usage;

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::failure::Failure;

/// What can be done with the control plane.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AdminCommand {
    /// Organizations, and the e-mail domains of their people.
    Org(Noun<org::OrgCommand>),
    /// Prefixes, under which organizations define scopes.
    Prefix(Noun<prefix::PrefixCommand>),
    /// Scopes.
    Scope(Noun<scope::ScopeCommand>),
    /// Accesses of organizations to scopes.
    Access(Noun<access::AccessCommand>),
    /// Delegations: a consumer lets a supplier fetch tokens on its behalf.
    Delegation(Noun<delegation::DelegationCommand>),
    /// Clients.
    Client(Noun<client::ClientCommand>),
    /// Keys that clients register, and new key pairs.
    Key(Noun<key::KeyCommand>),
    /// The audit trail.
    Audit(Noun<audit::AuditCommand>),
    /// Say why a token request was refused, and what to do about it.
    Explain(Verb<explain::Explain>),
    /// The keys that this server signs with.
    SigningKey(Noun<signing_key::SigningKeyCommand>),
    /// The authorities whose enterprise certificates count.
    Trust(Noun<trust::TrustCommand>),
    /// Make the server have what a file declares.
    Apply(Verb<declared::Apply>),
    /// Say what `apply` would do.
    Diff(Verb<declared::Diff>),
    /// Write what is there as a file for `apply`.
    Export(Verb<declared::Export>),
}

/// The commands of a noun, each with the options that say who asks whom.
#[derive(Args, Debug)]
pub(super) struct Noun<C: Subcommand> {
    #[command(subcommand)]
    command: C,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A command that needs no noun.
#[derive(Args, Debug)]
pub(super) struct Verb<C: Args> {
    #[command(flatten)]
    command: C,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// A command over the admin API.
trait Run {
    /// Does it, and says what came of it.
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure>;
}

impl AdminCommand {
    /// Does it, and prints what came of it.
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Org(it) => report(it.command, &it.connection).await,
            Self::Prefix(it) => report(it.command, &it.connection).await,
            Self::Scope(it) => report(it.command, &it.connection).await,
            Self::Access(it) => report(it.command, &it.connection).await,
            Self::Delegation(it) => report(it.command, &it.connection).await,
            Self::Client(it) => report(it.command, &it.connection).await,
            Self::Key(it) => report(it.command, &it.connection).await,
            Self::Audit(it) => report(it.command, &it.connection).await,
            Self::Explain(it) => report(it.command, &it.connection).await,
            Self::Trust(it) => report(it.command, &it.connection).await,
            Self::SigningKey(it) => report(it.command, &it.connection).await,
            Self::Apply(it) => report(it.command, &it.connection).await,
            Self::Diff(it) => report(it.command, &it.connection).await,
            Self::Export(it) => report(it.command, &it.connection).await,
        }
    }
}

async fn report(command: impl Run, connection: &ConnectionArgs) -> Result<(), Failure> {
    let report = command.run(connection).await?;
    report.print(connection.output)
}

/// An object of the members that were said.
fn members<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let said = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(said.collect())
}

/// An edit, unless there is nothing in it.
fn something(edit: Value) -> Result<Value, Failure> {
    if edit.as_object().is_some_and(serde_json::Map::is_empty) {
        return Err(Failure::usage("there is nothing to change: say what, with options"));
    }
    Ok(edit)
}

/// How many things a list is to show: at least one.
fn limit(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|limit| *limit > 0).ok_or_else(|| "it must be 1 or more".to_owned())
}

/// A time as it is, and of a date its end in UTC.
fn end_of_day(text: &str) -> String {
    if is_date(text) { format!("{text}T23:59:59Z") } else { text.to_owned() }
}

/// A time as it is, and of a date its beginning in UTC.
fn begin_of_day(text: &str) -> String {
    if is_date(text) { format!("{text}T00:00:00Z") } else { text.to_owned() }
}

fn is_date(text: &str) -> bool {
    text.len() == "2026-11-22".len() && !text.contains(['T', 't', ' '])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_means_the_whole_day_and_a_time_is_left_as_it_is() {
        assert_eq!(begin_of_day("2027-06-30"), "2027-06-30T00:00:00Z");
        assert_eq!(end_of_day("2027-06-30"), "2027-06-30T23:59:59Z");
        assert_eq!(end_of_day("2027-06-30T12:00:00+02:00"), "2027-06-30T12:00:00+02:00");
    }

    #[test]
    fn a_change_that_says_nothing_is_refused() {
        let said = members([("name", Some("x".into())), ("active", None)]);
        assert_eq!(something(said).unwrap(), serde_json::json!({ "name": "x" }));
        assert!(something(members([("active", None)])).is_err());
    }
}
