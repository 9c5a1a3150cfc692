//! `portvakt trust`: whose enterprise certificates count on a server.

use clap::Subcommand;
use serde_json::{Value, json};

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::{Listed, Report};
use crate::cli::failure::Failure;

/// What can be done with trust sets. It is the operator's.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum TrustCommand {
    /// Show the authorities of every trust set, when each ends, and the responders that are asked.
    List,
}

const COLUMNS: &[&str] = &[
    "trust_set",
    "environment",
    "role",
    "subject",
    "not_after",
    "lists",
    "result",
    "failing_since",
];

impl Run for TrustCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let Self::List = self;
        let mut api = connection.api_of_operator()?;
        let sets = api.whole_list(&Place::of(["trust-sets"])).await?;
        let items = sets.items.iter().flat_map(|set| [rows(set), responders(set)].concat());
        let items = items.collect();
        Ok(Report::list(Listed { items, ..sets }, COLUMNS))
    }
}

/// A line for each authority of a set.
fn rows(set: &Value) -> Vec<Value> {
    let authorities = set["authorities"].as_array();
    let row = |authority: &Value| {
        let mut row = authority.clone();
        row["trust_set"] = set["name"].clone();
        row["environment"] = set["environment"].clone();
        row["lists"] = json!(authority["revocation_lists"].as_array().map_or(0, Vec::len));
        row
    };
    authorities.into_iter().flatten().map(row).collect()
}

/// A line for each responder of a set.
fn responders(set: &Value) -> Vec<Value> {
    let row = |responder: &Value| {
        let mut row = responder.clone();
        row["trust_set"] = set["name"].clone();
        row["environment"] = set["environment"].clone();
        row["role"] = json!("responder");
        row["subject"] = responder["url"].clone();
        row
    };
    set["responders"].as_array().into_iter().flatten().map(row).collect()
}
