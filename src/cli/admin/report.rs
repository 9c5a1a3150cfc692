//! What comes of a command, as a table for people or as the API's own JSON for programs.

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::cli::failure::Failure;
use crate::cli::output::{self, printable};

/// How an answer is shown.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(super) enum TableOrJson {
    /// For people.
    #[default]
    Table,
    /// For programs: what the API answers, as one document.
    Json,
}

/// What came of a command.
#[derive(Debug)]
pub(super) struct Report {
    shown: Shown,
    /// Why the command has failed all the same.
    failure: Option<Failure>,
}

#[derive(Debug)]
enum Shown {
    /// Things, and which members of them are columns.
    List { items: Vec<Value>, columns: &'static [&'static str], more: bool },
    /// One thing, and which members of it come first.
    Thing { thing: Value, first: &'static [&'static str] },
    /// A text for people, and the same for programs.
    Text { text: String, json: Value },
}

/// Things of a list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The things.
    pub(super) items: Vec<Value>,
    /// Whether there are more than were asked for.
    pub(super) more: bool,
}

impl Report {
    /// Things in a table with these members as columns; a `/` in one leads into a member.
    pub(super) fn list(listed: Listed, columns: &'static [&'static str]) -> Self {
        let Listed { items, more } = listed;
        Self { shown: Shown::List { items, columns, more }, failure: None }
    }

    /// A thing, these members first.
    pub(super) fn thing(thing: Value, first: &'static [&'static str]) -> Self {
        Self { shown: Shown::Thing { thing, first }, failure: None }
    }

    /// A text for people, and the same for programs.
    pub(super) fn text(text: String, json: Value) -> Self {
        Self { shown: Shown::Text { text, json }, failure: None }
    }

    /// The same, but the command has failed.
    pub(super) fn failing(mut self, failure: Option<Failure>) -> Self {
        self.failure = failure;
        self
    }

    /// Prints it.
    pub(super) fn print(self, form: TableOrJson) -> Result<(), Failure> {
        match (self.shown, form) {
            (Shown::List { items, more, .. }, TableOrJson::Json) => {
                output::print_json(&json!({ "items": items }))?;
                note_more(more);
            }
            (Shown::List { items, columns, more }, TableOrJson::Table) => {
                output::print(&table(&items, columns))?;
                note_more(more);
            }
            (Shown::Thing { thing, .. }, TableOrJson::Json) => output::print_json(&thing)?,
            (Shown::Thing { thing, first }, TableOrJson::Table) => {
                output::print(&members(&thing, first))?;
            }
            (Shown::Text { json, .. }, TableOrJson::Json) => output::print_json(&json)?,
            (Shown::Text { text, .. }, TableOrJson::Table) => {
                output::print(&text)?;
            }
        }
        self.failure.map_or(Ok(()), Err)
    }
}

fn note_more(more: bool) {
    if more {
        output::note("there are more; a greater --limit shows them");
    }
}

/// A table with a line for each thing.
pub(super) fn table(items: &[Value], columns: &[&str]) -> String {
    let heading = |column: &&str| {
        let name = column.rsplit('/').next().unwrap_or_default();
        name.replace('_', " ").to_uppercase()
    };
    let mut lines = vec![columns.iter().map(heading).collect::<Vec<_>>()];
    for item in items {
        lines.push(columns.iter().map(|column| cell(member(item, column))).collect());
    }
    aligned(&lines)
}

/// A thing with a line for each member: `first`, then the others as they come.
fn members(thing: &Value, first: &[&str]) -> String {
    let Some(object) = thing.as_object() else { return cell(Some(thing)) };
    let named = first.iter().filter(|name| object.contains_key(**name)).copied();
    let others = object.keys().map(String::as_str).filter(|name| !first.contains(name));
    let lines: Vec<Vec<String>> =
        named.chain(others).map(|name| vec![printable(name), cell(object.get(name))]).collect();
    aligned(&lines)
}

/// Lines whose cells stand below each other, two spaces apart.
fn aligned(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn member<'a>(item: &'a Value, column: &str) -> Option<&'a Value> {
    item.pointer(&format!("/{column}"))
}

/// A value on one line; what a terminal might obey is escaped.
pub(super) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Bool(true)) => "yes".to_owned(),
        Some(Value::Bool(false)) => "no".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "-".to_owned(),
        Some(Value::String(text)) => printable(text),
        Some(Value::Array(items)) if items.is_empty() => "-".to_owned(),
        Some(Value::Array(items)) => {
            items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(" ")
        }
        Some(other) => printable(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_aligned_by_characters_and_has_no_trailing_spaces() {
        let items = [
            json!({"client_id": "a", "name": "Værvarsel", "scopes": ["x:y", "x:z"]}),
            json!({"client_id": "longer", "name": "b", "scopes": []}),
            json!({"client_id": "c", "name": null, "keys": {"count": 2}}),
        ];
        let shown = table(&items, &["client_id", "name", "keys/count", "scopes"]);
        let expected = "CLIENT ID  NAME       COUNT  SCOPES\n\
                        a          Værvarsel  -      x:y x:z\n\
                        longer     b          -      -\n\
                        c          -          2      -";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_thing_shows_the_named_members_first_and_all_others_after() {
        let thing = json!({"active": true, "scope": "a:b", "new": "\u{1b}[31m", "note": ""});
        let expected = "scope   a:b\nactive  yes\nnew     \\u{1b}[31m\nnote    -";
        assert_eq!(members(&thing, &["scope", "gone"]), expected);
    }
}
