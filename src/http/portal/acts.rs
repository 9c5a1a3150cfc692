//! Acts of the audit trail as pages show them: in words, and with what has become of each member of the thing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::app::App;
use crate::domain::audit::{AuditFilter, AuditRow, Outcome};
use crate::http::portal::page::Page;
use crate::http::portal::query::{PAGE_ITEMS, Pager};
use crate::http::portal::refused::Refused;
use crate::http::portal::visible::visible;
use crate::registry::Actor;

/// One member of a thing that was changed.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Difference {
    /// Its name, as our own API has it.
    pub(super) member: String,
    /// What it was; `None` where there was none.
    pub(super) before: Option<String>,
    /// What it is.
    pub(super) after: Option<String>,
}

/// An act, as a list or a page shows it.
pub(super) struct Act {
    pub(super) row: AuditRow,
    /// What was done to what, in the reader's language as far as it is known.
    pub(super) what: String,
    /// Which thing, with nothing hidden in its name.
    pub(super) key: String,
    /// Who did it, likewise.
    pub(super) actor: String,
    pub(super) differences: Vec<Difference>,
}

impl Act {
    pub(super) fn new(page: &Page, row: AuditRow) -> Self {
        let differences = differences(row.before.as_deref(), row.after.as_deref());
        let (verb, noun) = (word(page, "act-verb", &row.action), word(page, "act-noun", &row.noun));
        let what = page.fill2("act-what", ("verb", &verb), ("noun", &noun));
        let (key, actor) = (visible(&row.key), visible(&row.actor));
        Self { row, what, key, actor, differences }
    }

    /// Whether it was tried without being allowed.
    pub(super) fn is_refused(&self) -> bool {
        self.row.outcome == Outcome::Refused
    }
}

/// A page of the acts that `filter` asks for, newest first, of the list at `address`.
pub(super) async fn list(
    app: &App,
    (page, actor): (&Page, &Actor),
    filter: AuditFilter,
    before: Option<i64>,
    address: String,
) -> Result<(Vec<Act>, Pager), Refused> {
    let found = app.registry.audit_rows(actor, filter, before, PAGE_ITEMS).await?;
    let last = found.items.last().filter(|_| found.has_more).map(|row| row.seq.to_string());
    let acts = found.items.into_iter().map(|row| Act::new(page, row)).collect();
    Ok((acts, Pager::new(address, before.is_some(), last)))
}

/// The act of that number, if it is one that `filter` asks for.
pub(super) async fn one(
    app: &App,
    (page, actor): (&Page, &Actor),
    filter: AuditFilter,
    seq: &str,
) -> Result<Act, Refused> {
    let seq: i64 = seq.parse().map_err(|_| Refused::NotFound)?;
    let before = Some(seq.saturating_add(1));
    let found = app.registry.audit_rows(actor, filter, before, 1).await?;
    let row = found.items.into_iter().find(|row| row.seq == seq).ok_or(Refused::NotFound)?;
    Ok(Act::new(page, row))
}

/// The text for a word of the trail; words that are newer than the texts are shown as they are.
pub(super) fn word(page: &Page, begin: &str, word: &str) -> String {
    let name = format!("{begin}-{}", word.replace([' ', '_'], "-"));
    if page.texts().has(&name) { page.say(&name) } else { visible(word) }
}

/// The members that are not the same before and after. Of a thing that was made or taken away these are all it had.
fn differences(before: Option<&str>, after: Option<&str>) -> Vec<Difference> {
    let (before, after) = (members(before), members(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let differing = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    differing
        .map(|name| Difference {
            member: visible(name),
            before: before.get(name).and_then(shown),
            after: after.get(name).and_then(shown),
        })
        .filter(|it| it.before.is_some() || it.after.is_some())
        .collect()
}

/// The members of a thing; what is no object is one member without a name.
fn members(view: Option<&str>) -> Map<String, Value> {
    match view.map(serde_json::from_str::<Value>) {
        Some(Ok(Value::Object(members))) => members,
        Some(Ok(other)) => Map::from_iter([(String::new(), other)]),
        Some(Err(_)) | None => Map::new(),
    }
}

/// A value for people: texts as they are, lists one below the other, keys by their ids and ends, other objects as JSON.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(visible(text)),
        Value::Array(items) => {
            let lines: Vec<String> = items.iter().filter_map(shown).collect();
            Some(lines.join("\n")).filter(|text| !text.is_empty())
        }
        Value::Object(members) => match (members.get("kid"), members.get("expires_at")) {
            (Some(Value::String(kid)), Some(Value::String(end))) => {
                Some(visible(&format!("{kid} → {end}")))
            }
            _ => Some(visible(&value.to_string())),
        },
        other => Some(visible(&other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown_and_nothing_in_it_hides() {
        let before = r#"{"name": "A", "scopes": ["x"], "active": true, "note": null}"#;
        let after = r#"{"name": "A\u202eB", "scopes": ["x", "y"], "active": true, "note": "N"}"#;
        let line = |member: &str, before: Option<&str>, after: Option<&str>| Difference {
            member: member.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(
            differences(Some(before), Some(after)),
            [
                line("name", Some("A"), Some("A[U+202E]B")),
                line("note", None, Some("N")),
                line("scopes", Some("x"), Some("x\ny")),
            ]
        );
        assert_eq!(differences(None, Some(r#"{"a": 1}"#)), [line("a", None, Some("1"))]);
        assert_eq!(differences(Some("[1]"), Some("no JSON")), [line("", Some("1"), None)]);
        assert_eq!(differences(None, None), []);
        let keys = r#"{"keys": [{"kid": "k", "jwk": {"kty": "EC"}, "expires_at": "2027"}]}"#;
        assert_eq!(differences(None, Some(keys)), [line("keys", None, Some("k → 2027"))]);
    }
}
