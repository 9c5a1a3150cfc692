//! Who has changed a client, when, and what.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value};

use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::audit::{AuditFilter, AuditRow, Outcome};
use crate::domain::change::ChangedNoun;
use crate::http::portal::consumer::client::{Head, Tab, load};
use crate::http::portal::page::{Page, SignedIn, show};
use crate::http::portal::query::{PAGE_ITEMS, Pager, Query};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;

/// The longest value that is shown of a change, in characters; a key document is longer.
const VALUE_CHARACTERS_MAX: usize = 200;

struct Row {
    at: Timestamp,
    actor: String,
    /// The text of what was done.
    action: String,
    was_refused: bool,
    trace_id: Option<String>,
    changes: Vec<Change>,
}

/// One member of the client that became another.
struct Change {
    member: String,
    before: String,
    after: String,
}

#[derive(Template)]
#[template(path = "consumer/history.html", config = ".askama.toml")]
struct History {
    page: Page,
    head: Head,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /portal/clients/{id}/history`
pub(super) async fn history(
    signed_in: SignedIn,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Refused> {
    let actor = signed_in.actor.clone();
    let it = load(signed_in, &app, &id, Tab::History).await?;
    let filter = AuditFilter {
        noun: Some(ChangedNoun::Client.name().to_owned()),
        key: Some(it.id.to_string()),
        ..AuditFilter::default()
    };
    let before: Option<i64> = query.read("after");
    let found = app.registry.audit_rows(&actor, filter, before, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|row| row.seq.to_string());
    let address = format!("/portal/clients/{}/history", it.id);
    let rows = found.items.into_iter().map(|row| shown(&it.page, row)).collect();
    let pager = Pager::new(address, before.is_some(), last);
    Ok(show(&History { page: it.page, head: it.head, rows, pager }))
}

fn shown(page: &Page, row: AuditRow) -> Row {
    let name = format!("history-action-{}", row.action.replace(' ', "-"));
    Row {
        at: row.at,
        actor: visible(&row.actor),
        action: if page.texts().has(&name) { page.say(&name) } else { row.action },
        was_refused: row.outcome == Outcome::Refused,
        trace_id: row.trace_id,
        changes: changes(row.before.as_deref(), row.after.as_deref()),
    }
}

/// The members that differ. What was made or is gone as a whole has no other side to compare with.
fn changes(before: Option<&str>, after: Option<&str>) -> Vec<Change> {
    let (Some(before), Some(after)) = (members(before), members(after)) else {
        return Vec::new();
    };
    let differs = after.iter().filter(|(name, value)| before.get(*name) != Some(value));
    let change = |(name, value): (&String, &Value)| Change {
        member: name.clone(),
        before: text(before.get(name)),
        after: text(Some(value)),
    };
    differs.map(change).collect()
}

fn members(text: Option<&str>) -> Option<Map<String, Value>> {
    match serde_json::from_str(text?) {
        Ok(Value::Object(members)) => Some(members),
        _ => None,
    }
}

/// A value in short: of keys their ids and ends.
fn text(value: Option<&Value>) -> String {
    let text = match value {
        None | Some(Value::Null) => "–".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(values)) => {
            let each =
                values.iter().map(|value| match (value.get("kid"), value.get("expires_at")) {
                    (Some(kid), Some(end)) => format!("{} → {}", text(Some(kid)), text(Some(end))),
                    _ => text(Some(value)),
                });
            each.collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    };
    let mut short: String = visible(&text).chars().take(VALUE_CHARACTERS_MAX).collect();
    if short.chars().count() == VALUE_CHARACTERS_MAX {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_what_differs_and_keys_by_their_ids() {
        let before = r#"{"name":"a","keys":[],"active":true}"#;
        let after =
            r#"{"name":"a","keys":[{"kid":"k","jwk":{},"expires_at":"2027"}],"active":true}"#;
        let changes = changes(Some(before), Some(after));
        let shown: Vec<_> =
            changes.iter().map(|it| (&*it.member, &*it.before, &*it.after)).collect();
        assert_eq!(shown, [("keys", "", "k → 2027")]);
        assert!(super::changes(None, Some(after)).is_empty());
    }
}
