//! `portvakt explain`: why a token request was refused, step by step.

use std::time::Duration;

use clap::Args;
use serde_json::Value;

use crate::cli::admin::Run;
use crate::cli::admin::api::Place;
use crate::cli::admin::connection::ConnectionArgs;
use crate::cli::admin::report::{Report, cell, table};
use crate::cli::failure::{ExitStatus, Failure};
use crate::cli::output::printable;
use crate::domain::right::Right;

/// Say why a token request was refused, and what to do about it.
#[derive(Args, Debug)]
pub(in crate::cli) struct Explain {
    /// The `trace_id` that stands in the refusal.
    trace_id: String,
}

/// What is said of the request before its steps, by member.
const HEAD: [(&str, &str); 6] = [
    ("at", "at"),
    ("client_id", "client"),
    ("organization", "organization"),
    ("code", "code"),
    ("error", "error"),
    ("message", "message"),
];
/// How long after its answer a refusal can be explained at the latest.
const RECORDED_WITHIN: Duration = Duration::from_secs(1);

const STEP_COLUMNS: &[&str] = &["step", "outcome", "seen", "expected"];

impl Run for Explain {
    async fn run(self, connection: &ConnectionArgs) -> Result<Report, Failure> {
        let mut api = connection.api(Right::ReadClients)?;
        let place = Place::of(["explain", &self.trace_id]);
        let mut found = api.read(&place).await;
        if matches!(&found, Err(failure) if failure.exit == ExitStatus::NotFound) {
            // The server records refusals in rounds, after they have been answered.
            tokio::time::sleep(RECORDED_WITHIN).await;
            found = api.read(&place).await;
        }
        let explained = found?.thing;
        Ok(Report::text(describe(&explained), explained))
    }
}

fn describe(explained: &Value) -> String {
    let head = HEAD.iter().filter_map(|(member, name)| {
        let value = explained.get(member).filter(|value| !value.is_null())?;
        Some(format!("{name:13} {}", cell(Some(value))))
    });
    let mut lines: Vec<String> = head.collect();
    if let Some(Value::Array(steps)) = explained.get("steps") {
        lines.push(String::new());
        lines.push(table(steps, STEP_COLUMNS));
    }
    if let Some(advice) = explained.get("what_to_do").filter(|advice| !advice.is_null()) {
        // One step a line.
        let steps = advice.as_str().unwrap_or_default().lines();
        lines.push("\nWhat to do:".to_owned());
        lines.extend(steps.map(|step| format!("- {}", printable(step))));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_steps_stand_in_a_table_between_the_head_and_the_advice() {
        let explained = json!({
            "trace_id": "0", "at": "2026-11-22T18:00:00Z", "code": "MP-121", "client_id": null,
            "steps": [{"step": "key", "outcome": "failed", "seen": "a", "expected": "b"}],
            "what_to_do": "Register a new key\nFetch a token\u{1b}",
        });
        let expected = "at            2026-11-22T18:00:00Z\n\
                        code          MP-121\n\
                        \n\
                        STEP  OUTCOME  SEEN  EXPECTED\n\
                        key   failed   a     b\n\
                        \n\
                        What to do:\n\
                        - Register a new key\n\
                        - Fetch a token\\u{1b}";
        assert_eq!(describe(&explained), expected);
    }
}
