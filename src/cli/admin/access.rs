//! `portvakt access`: who may use which scope.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use crate::cli::admin::Run;
use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::{Listed, Report};
use crate::cli::failure::Failure;
use crate::cli::input;
use crate::domain::right::Right;

/// What can be done with accesses.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AccessCommand {
    /// Show accesses.
    List(List),
    /// Grant organizations access to a scope, or approve what they have asked for.
    Grant {
        #[command(flatten)]
        consumers: Consumers,
        #[command(flatten)]
        terms: Terms,
    },
    /// Withdraw the access of organizations to a scope.
    Withdraw {
        #[command(flatten)]
        consumers: Consumers,
        /// Why, for the organization to read; for one at a time.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Ask for access to a scope of another organization.
    Request {
        /// The scope.
        scope: String,
        /// What it is for, for its owner to read.
        #[arg(long, value_name = "TEXT")]
        message: Option<String>,
        /// Ask for this organization (operator).
        #[arg(long, value_name = "NUMBER")]
        organization: Option<String>,
    },
    /// Take back what has been asked for and not been answered.
    TakeBack {
        /// The scope.
        scope: String,
        /// Take it back for this organization (operator).
        #[arg(long, value_name = "NUMBER")]
        organization: Option<String>,
    },
    /// Grant what an organization has asked for.
    Approve {
        /// The scope.
        scope: String,
        /// The number of the organization.
        consumer: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Deny what an organization has asked for.
    Deny {
        /// The scope.
        scope: String,
        /// The number of the organization.
        consumer: String,
        /// Why, for the organization to read.
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Which accesses.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Whether those to one's own scopes, or those that one has been given [default: owned].
    #[arg(long, value_name = "SIDE")]
    side: Option<Side>,
    /// Only those to this scope.
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Only those of this organization to one's own scopes.
    #[arg(long, value_name = "NUMBER")]
    consumer: Option<String>,
    /// Only those in this state.
    #[arg(long, value_name = "STATE")]
    state: Option<State>,
    /// As this organization sees them (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
    /// Those to deactivated scopes too. Denied and withdrawn accesses are always shown.
    #[arg(long)]
    inactive: bool,
    /// How many, at most.
    #[arg(long, value_name = "NUMBER", value_parser = super::limit)]
    limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Side {
    Owned,
    Given,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Approved,
    Denied,
    Requested,
}

/// A scope, and organizations.
#[derive(Args, Debug)]
pub(in crate::cli) struct Consumers {
    /// The scope.
    scope: String,
    /// The numbers of the organizations.
    #[arg(required_unless_present = "file")]
    consumer: Vec<String>,
    /// A file with more numbers, one on a line; empty lines and what follows a # do not count.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

/// On what terms.
#[derive(Args, Debug)]
pub(in crate::cli) struct Terms {
    /// When it ends: RFC 3339, or a date, of which it is the end in UTC.
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// A note for the owner of the scope.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Organizations in one batch: as many as the API takes.
const BATCH_CONSUMERS: usize = 1000;

const COLUMNS: &[&str] =
    &["scope", "consumer", "consumer_name", "state", "expires_at", "last_used_at", "note"];
const RESULT_COLUMNS: &[&str] = &["consumer", "action", "outcome", "detail"];

impl Run for AccessCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let thing = match self {
            Self::List(list) => return list.run(connection).await,
            Self::Grant { consumers, terms } => {
                let numbers = consumers.numbers()?;
                let mut api = connection.api(Right::WriteScopes)?;
                if let ([one], false) = (&numbers[..], consumers.dry_run) {
                    api.put(&place(&consumers.scope, one), &terms.members()).await?
                } else {
                    let grant = |number: &String| {
                        let mut grant = terms.members();
                        grant["consumer"] = number.as_str().into();
                        grant
                    };
                    return batch(&mut api, &consumers, &numbers, "grant", grant).await;
                }
            }
            Self::Withdraw { consumers, reason } => {
                let numbers = consumers.numbers()?;
                let mut api = connection.api(Right::WriteScopes)?;
                match (&numbers[..], consumers.dry_run, reason) {
                    ([one], false, reason) => {
                        let place = place(&consumers.scope, one).with("reason", reason);
                        api.remove(&place).await?
                    }
                    (_, _, Some(_)) => {
                        let problem = "--reason goes with one organization, and without --dry-run";
                        return Err(Failure::usage(problem));
                    }
                    (numbers, _, None) => {
                        let withdraw = |number: &String| Value::from(number.as_str());
                        return batch(&mut api, &consumers, numbers, "withdraw", withdraw).await;
                    }
                }
            }
            Self::Request { scope, message, organization } => {
                let new = super::members([
                    ("scope", Some(scope.into())),
                    ("message", message.map(Value::from)),
                    ("organization", organization.clone().map(Value::from)),
                ]);
                let mut api = connection.api_at(organization.as_ref(), Right::WriteClients)?;
                api.make(&Place::of(["access-requests"]), &new).await?
            }
            Self::TakeBack { scope, organization } => {
                let taken = super::members([
                    ("scope", Some(scope.into())),
                    ("organization", organization.clone().map(Value::from)),
                ]);
                let mut api = connection.api_at(organization.as_ref(), Right::WriteClients)?;
                api.make(&Place::of(["access-requests", "take-back"]), &taken).await?
            }
            Self::Approve { scope, consumer, terms } => {
                let mut api = connection.api(Right::WriteScopes)?;
                let place = Place::of(["scopes", &scope, "accesses", &consumer, "approve"]);
                api.make(&place, &terms.members()).await?
            }
            Self::Deny { scope, consumer, reason } => {
                let mut api = connection.api(Right::WriteScopes)?;
                let place = Place::of(["scopes", &scope, "accesses", &consumer, "deny"]);
                api.make(&place, &super::members([("reason", reason.map(Value::from))])).await?
            }
        };
        Ok(Report::thing(thing, COLUMNS))
    }
}

impl List {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let mut api = connection.api_at(self.organization.as_ref(), Right::ReadScopes)?;
        let side = self.side.map(|side| match side {
            Side::Owned => "owned",
            Side::Given => "given",
        });
        let state = self.state.map(|state| match state {
            State::Approved => "APPROVED",
            State::Denied => "DENIED",
            State::Requested => "REQUESTED",
        });
        let place = Place::of(["accesses"])
            .with("side", side)
            .with("scope", self.scope)
            .with("consumer", self.consumer)
            .with("state", state)
            .with("organization", self.organization)
            .with_flag("inactive", self.inactive);
        Ok(Report::list(api.list(&place, self.limit).await?, COLUMNS))
    }
}

impl Consumers {
    /// Every number that is given, each once.
    fn numbers(&self) -> Result<Vec<String>, Failure> {
        let mut numbers = self.consumer.clone();
        if let Some(file) = &self.file {
            numbers.extend(numbers_of(&input::read_text(file)?));
        }
        let mut once = Vec::with_capacity(numbers.len());
        for number in numbers {
            if !once.contains(&number) {
                once.push(number);
            }
        }
        if once.is_empty() {
            return Err(Failure::usage("there is no organization number in the file"));
        }
        Ok(once)
    }
}

/// The numbers of a file; people write spaces into them.
fn numbers_of(text: &str) -> impl Iterator<Item = String> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let numbers = lines.map(|line| line.split_whitespace().collect::<String>());
    numbers.filter(|number| !number.is_empty())
}

impl Terms {
    fn members(&self) -> Value {
        let end = self.expires.as_deref().map(super::end_of_day);
        super::members([
            ("expires_at", end.map(Value::from)),
            ("note", self.note.clone().map(Value::from)),
        ])
    }
}

/// Grants or withdraws for many, in batches, and reports of each what came of it.
async fn batch(
    api: &mut Api,
    consumers: &Consumers,
    numbers: &[String],
    verb: &str,
    show: impl Fn(&String) -> Value,
) -> Result<Report, Failure> {
    let place = Place::of(["scopes", &consumers.scope, "accesses", "batch"]);
    let mut listed = Listed::default();
    let mut failure = None;
    for numbers in numbers.chunks(BATCH_CONSUMERS) {
        let these: Vec<Value> = numbers.iter().map(&show).collect();
        let body = json!({ (verb): these, "dry_run": consumers.dry_run });
        match api.make(&place, &body).await.map(|mut reply| reply["results"].take()) {
            Ok(Value::Array(results)) => listed.items.extend(results),
            Ok(_) => failure = Some(Failure::failed("the server does not say what it has done")),
            Err(refused) => failure = Some(refused),
        }
        if failure.is_some() {
            break;
        }
    }
    if listed.items.is_empty()
        && let Some(failure) = failure
    {
        return Err(failure);
    }
    let refused = listed.items.iter().filter(|result| result["outcome"] == "refused").count();
    let refused = (refused > 0)
        .then(|| Failure::failed(format!("{refused} of {} were refused", listed.items.len())));
    if consumers.dry_run {
        crate::cli::output::note("nothing has been changed");
    }
    Ok(Report::list(listed, RESULT_COLUMNS).failing(failure.or(refused)))
}

fn place(scope: &str, consumer: &str) -> Place {
    Place::of(["scopes", scope, "accesses", consumer])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_numbers_may_have_comments_spaces_and_empty_lines() {
        let text = "# pilot\n310000116\n\n310 000 124  # the supplier\r\n310000116\n";
        let numbers: Vec<String> = numbers_of(text).collect();
        assert_eq!(numbers, ["310000116", "310000124", "310000116"]);
    }
}
