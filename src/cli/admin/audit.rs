//! `portvakt audit`: who did what, and whether anybody has touched the record of it.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app;
use crate::cli::admin::Run;
use crate::cli::admin::api::{Api, Place};
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::Report;
use crate::cli::check_config;
use crate::cli::failure::Failure;
use crate::domain::right::Right;
use crate::registry::{AuditVerdict, verify_audit};
use crate::store::StoreError;

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum AuditCommand {
    /// Show what was done to one's own things and by one's own people, newest first.
    List(List),
    /// Check every seal; exit code 1 says that the trail is broken. It is the operator's.
    Verify(Verify),
}

/// Which rows.
#[derive(Args, Debug)]
pub(in crate::cli) struct List {
    /// Those of this organization (operator).
    #[arg(long, value_name = "NUMBER")]
    organization: Option<String>,
    /// Only what was done to this kind of thing: client, scope, access and so on.
    #[arg(long, value_name = "NOUN")]
    noun: Option<String>,
    /// Only what was done to the thing of this key.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only what was done by this client or person.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// How many, at most.
    #[arg(long, value_name = "NUMBER", value_parser = super::limit, default_value = "50")]
    limit: Option<usize>,
}

/// Check every seal.
#[derive(Args, Debug)]
pub(in crate::cli) struct Verify {
    /// Read the database and the sealing key that this configuration names, without a server.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// What an earlier check has printed of the newest row: it must still be there, with that seal. That finds
    /// rows that are missing from the end, which leave whole seals behind.
    #[arg(long, value_name = "SEQ:SEAL")]
    expect: Option<Expected>,
}

/// A row that must be there: its number, and its seal.
#[derive(Clone, Debug)]
struct Expected {
    seq: i64,
    seal: String,
}

impl FromStr for Expected {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once(':').and_then(|(seq, seal)| Some((seq.parse().ok()?, seal)));
        match parts {
            Some((seq, seal)) if seq > 0 && !seal.is_empty() => {
                Ok(Self { seq, seal: seal.to_owned() })
            }
            _ => Err("it must be a number, a colon and a seal, as `audit verify` prints them"),
        }
    }
}

const COLUMNS: &[&str] =
    &["seq", "at", "actor", "by_right", "action", "outcome", "noun", "key", "trace_id"];

impl Run for AuditCommand {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        match self {
            Self::List(list) => {
                let right = Right::ReadClients;
                let mut api = connection.api_at(list.organization.as_ref(), right)?;
                let place = Place::of(["audit"])
                    .with("organization", list.organization)
                    .with("noun", list.noun)
                    .with("key", list.key)
                    .with("actor", list.actor);
                Ok(Report::list(api.list(&place, list.limit).await?, COLUMNS))
            }
            Self::Verify(verify) => verify.run(connection).await,
        }
    }
}

impl Verify {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let (verdict, found) = match &self.config {
            Some(file) => self.read_database(file).await?,
            None => self.ask(connection).await?,
        };
        let problem = problem(&verdict, self.expect.as_ref(), found.as_deref());
        let failure =
            problem.map(|problem| Failure::failed(format!("the audit trail is broken: {problem}")));
        Ok(Report::text(describe(&verdict), verdict).failing(failure))
    }

    /// The verdict of the server, and the seal of the row that is expected.
    async fn ask(&self, connection: &ConnectionArgs) -> Result<(Value, Option<String>), Failure> {
        let mut api = connection.api_of_operator()?;
        let verdict = api.read(&Place::of(["audit", "verify"])).await?.thing;
        let found = match &self.expect {
            Some(expected) => seal_of(&mut api, expected.seq).await?,
            None => None,
        };
        Ok((verdict, found))
    }

    /// The same from the database itself.
    async fn read_database(&self, file: &Path) -> Result<(Value, Option<String>), Failure> {
        let failed = |error: StoreError| Failure::failed(error.to_string());
        let config = check_config::load(file)?;
        let key = app::load_sealing_key(&config.sealing_key);
        let seal = key.map_err(|error| Failure::usage(error.to_string()))?.audit_seal();
        if let Some(file) = config.database.missing_file() {
            return Err(Failure::usage(format!("there is no database {}", file.display())));
        }
        let store = app::open_store(&config.database).await;
        let store = store.map_err(|error| Failure::failed(error.to_string()))?;
        let verdict = verify_audit(&store, &seal).await.map_err(failed)?;
        let found = match &self.expect {
            Some(expected) => {
                let rows = store.audit_rows_after(expected.seq - 1, 1).await.map_err(failed)?;
                rows.into_iter().find(|row| row.seq == expected.seq).map(|row| row.hash)
            }
            None => None,
        };
        store.close().await;
        Ok((shape(verdict), found))
    }
}

/// The seal of a row, if it is there. Rows come newest first, so those after it are read too.
async fn seal_of(api: &mut Api, seq: i64) -> Result<Option<String>, Failure> {
    let is_last = |row: &Value| row["seq"].as_i64().is_none_or(|found| found <= seq);
    let rows = api.list_until(&Place::of(["audit"]), is_last).await?;
    let row = rows.iter().find(|row| row["seq"].as_i64() == Some(seq));
    Ok(row.and_then(|row| row["hash"].as_str()).map(str::to_owned))
}

/// A verdict as the API shows it.
fn shape(verdict: AuditVerdict) -> Value {
    match verdict {
        AuditVerdict::Whole { rows, unsealed, newest } => {
            let newest = newest.map(|(seq, hash)| json!({ "seq": seq, "hash": hash }));
            super::members([
                ("whole", Some(true.into())),
                ("rows", Some(rows.into())),
                ("unsealed", Some(unsealed.into())),
                ("newest", newest),
            ])
        }
        AuditVerdict::Broken { seq, problem } => {
            json!({ "whole": false, "broken": { "seq": seq, "problem": problem } })
        }
    }
}

/// What is wrong with the trail, if anything is. `found` is the seal of the row that is expected.
fn problem(verdict: &Value, expected: Option<&Expected>, found: Option<&str>) -> Option<String> {
    if verdict["whole"].as_bool() != Some(true) {
        let broken = &verdict["broken"];
        let what = broken["problem"].as_str().unwrap_or("a seal does not fit");
        return Some(format!("row {}: {what}", broken["seq"]));
    }
    let Expected { seq, seal } = expected?;
    match found {
        None => Some(format!("row {seq} is missing: rows have been taken from the end")),
        Some(found) if found == seal => None,
        Some(found) => Some(format!("row {seq} has the seal {found}, and {seal} was expected")),
    }
}

fn describe(verdict: &Value) -> String {
    if verdict["whole"].as_bool() != Some(true) {
        return "broken".to_owned();
    }
    let mut text = format!("whole: {} sealed rows", verdict["rows"]);
    if verdict["unsealed"].as_u64().unwrap_or_default() > 0 {
        text = format!("{text}, and {} older than the seal", verdict["unsealed"]);
    }
    if let (Some(seq), Some(hash)) =
        (verdict["newest"]["seq"].as_i64(), verdict["newest"]["hash"].as_str())
    {
        text = format!("{text}\nnewest {seq}:{hash}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_whose_end_is_missing_or_another_is_broken_for_whoever_remembers() {
        let whole = shape(AuditVerdict::Whole {
            rows: 2,
            unsealed: 0,
            newest: Some((2, "abc".to_owned())),
        });
        assert_eq!(describe(&whole), "whole: 2 sealed rows\nnewest 2:abc");
        let expected: Expected = "2:abc".parse().unwrap();
        let judged = |found| problem(&whole, Some(&expected), found);
        assert_eq!(judged(Some("abc")), None);
        assert!(judged(None).unwrap().contains("taken from the end"));
        assert!(judged(Some("abd")).unwrap().contains("abd"));
        assert_eq!(problem(&whole, None, None), None);
        let broken = shape(AuditVerdict::Broken { seq: 7, problem: "it has been edited" });
        assert_eq!(problem(&broken, None, None).unwrap(), "row 7: it has been edited");
        for text in ["", "2", "2:", "x:abc", "0:abc"] {
            assert!(text.parse::<Expected>().is_err(), "{text}");
        }
    }
}
