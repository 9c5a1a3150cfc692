//! The audit trail as a file, for auditors and their tools.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::audit::AuditRow;
use crate::http::portal::csv;
use crate::http::portal::operator::AsOperator;
use crate::http::portal::operator::audit::filter;
use crate::http::portal::query::Query;
use crate::http::portal::refused::Refused;

/// The newest rows of an answer that go into a file. It is made in memory; whoever needs more goes on from the last
/// row with `before`, or uses the admin API.
const EXPORT_ROWS_MAX: usize = 5_000;

/// Rows that are read at once.
const ROWS_READ: u32 = 500;

/// The members of a row, in order.
const MEMBERS: [&str; 14] = [
    "seq",
    "at",
    "actor",
    "actor_organization",
    "by_right",
    "action",
    "outcome",
    "noun",
    "key",
    "organization",
    "before",
    "after",
    "trace_id",
    "hash",
];

/// `GET /portal/operator/audit/export?format=csv|ndjson`, with the same filters as the list, and `before`.
pub(super) async fn export(
    operator: AsOperator,
    State(app): State<Arc<App>>,
    query: Query,
) -> Result<Response, Refused> {
    let (filter, errors) = filter(&operator.page, &query.0);
    let is_csv = match query.0.text("format") {
        "csv" => true,
        "ndjson" => false,
        _ => return Err(Refused::NotFound),
    };
    if !errors.is_empty() {
        return Err(Refused::NotFound);
    }
    let mut text = if is_csv { csv::line(MEMBERS.map(str::to_owned)) } else { String::new() };
    let mut before: Option<i64> = query.read("before");
    let mut rows = 0;
    while rows < EXPORT_ROWS_MAX {
        let found =
            app.registry.audit_rows(&operator.actor, filter.clone(), before, ROWS_READ).await?;
        before = found.items.last().map(|row| row.seq);
        rows += found.items.len();
        for row in found.items {
            let members = members(row);
            if is_csv {
                text.push_str(&csv::line(members.map(plain)));
            } else {
                let line: serde_json::Map<String, Value> =
                    MEMBERS.iter().map(|&name| name.to_owned()).zip(members).collect();
                text.push_str(&Value::Object(line).to_string());
                text.push('\n');
            }
        }
        if !found.has_more {
            break;
        }
    }
    let (kind, file) = if is_csv {
        ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\"")
    } else {
        ("application/x-ndjson", "attachment; filename=\"audit.ndjson\"")
    };
    let headers = [(CONTENT_TYPE, kind), (CONTENT_DISPOSITION, file), (CACHE_CONTROL, "no-store")];
    Ok((headers, text).into_response())
}

/// The values of [`MEMBERS`].
fn members(row: AuditRow) -> [Value; 14] {
    let view = |text: Option<String>| {
        text.map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text)))
    };
    [
        json!(row.seq),
        json!(row.at.to_string()),
        json!(row.actor),
        json!(row.actor_organization.map(|number| number.to_string())),
        json!(row.by_right),
        json!(row.action),
        json!(row.outcome.name()),
        json!(row.noun),
        json!(row.key),
        json!(row.organization.map(|number| number.to_string())),
        json!(view(row.before)),
        json!(view(row.after)),
        json!(row.trace_id),
        json!(row.hash),
    ]
}

fn plain(value: Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    }
}
