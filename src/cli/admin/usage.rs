//! Usage, as `portvakt scope usage` and `portvakt client usage` show it.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::admin::api::Place;
use crate::cli::admin::report::{Report, cell, table};

/// Which days.
#[derive(Args, Debug)]
pub(in crate::cli) struct Days {
    /// How many days, up to and with today: 30 when nothing is said, at most 400.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=400))]
    days: Option<u32>,
}

impl Days {
    /// The address with what was said.
    pub(super) fn of(&self, place: Place) -> Place {
        place.with("days", self.days)
    }
}

/// The figures for people, one line for each of `kind`, and as they are for programs.
pub(super) fn report(usage: Value, kind: &str, columns: &[&str]) -> Report {
    Report::text(text(&usage, kind, columns), usage)
}

fn text(usage: &Value, kind: &str, columns: &[&str]) -> String {
    let mut lines = usage[kind].as_array().cloned().unwrap_or_default();
    let others = &usage[format!("other_{kind}")];
    if others.as_u64().is_some_and(|tokens| tokens > 0) {
        lines.push(json!({ columns[0]: "others", "tokens": others }));
    }
    let said = |name: &str| cell(usage.get(name));
    format!(
        "{} tokens from {} to {}\n{}",
        said("tokens"),
        said("from"),
        said("to"),
        table(&lines, columns)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_are_not_shown_one_by_one_have_a_line_together() {
        let mut usage = json!({
            "tokens": 12, "from": "2026-11-27", "to": "2026-11-28", "other_scopes": 5,
            "scopes": [{ "scope": "a:b", "tokens": 7, "days": [] }],
        });
        let shown = text(&usage, "scopes", &["scope", "tokens"]);
        let expected = "12 tokens from 2026-11-27 to 2026-11-28\n\
                        SCOPE   TOKENS\n\
                        a:b     7\n\
                        others  5";
        assert_eq!(shown, expected);
        usage["other_scopes"] = json!(0);
        assert!(!text(&usage, "scopes", &["scope", "tokens"]).contains("others"));
    }
}
