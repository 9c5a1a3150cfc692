//! Which tables there are, as the database itself tells, and how their rows become texts.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use crate::store::backup::{BackupError, LEFT_OUT, PAGE_ROWS};
use crate::store::database::{Begun, Query, places, places_of_rows, query, query_of};
use crate::store::value::Value;

/// The types that both databases know by the same name.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Bigint,
    Boolean,
    Text,
}

/// A table.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Table {
    #[serde(rename = "table")]
    pub(super) name: String,
    /// In the order in which they were added, which is the same on both databases.
    pub(super) columns: Vec<(String, Kind)>,
    /// The columns of the primary key, in their order.
    pub(super) key: Vec<String>,
}

/// A row: for each column its value as text, or null.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Texts(pub(super) Vec<Option<String>>);

/// The row of any table, whose columns are all texts.
macro_rules! texts_from {
    ($row:ty) => {
        impl FromRow<'_, $row> for Texts {
            fn from_row(row: &$row) -> Result<Self, sqlx::Error> {
                (0..row.len()).map(|at| row.try_get(at)).collect::<Result<_, _>>().map(Self)
            }
        }
    };
}

texts_from!(SqliteRow);
texts_from!(PgRow);

/// Table, column, type, and place in the primary key, in the order in which they were made.
const SQLITE_COLUMNS: &str = "select m.name, c.name, lower(c.type), c.pk from sqlite_master m \
     join pragma_table_info(m.name) c where m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\' \
     order by m.rowid, c.cid";

const POSTGRES_COLUMNS: &str = "select t.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod), \
     coalesce(array_position(i.indkey::int2[], a.attnum) + 1, 0)::bigint \
     from pg_class t join pg_attribute a on a.attrelid = t.oid \
     left join pg_index i on i.indrelid = t.oid and i.indisprimary \
     where t.relnamespace = current_schema()::regnamespace and t.relkind = 'r' \
     and a.attnum > 0 and not a.attisdropped order by t.oid::bigint, a.attnum";

/// Which table refers to which.
const SQLITE_REFERENCES: &str = "select m.name, f.\"table\" from sqlite_master m \
     join pragma_foreign_key_list(m.name) f where m.type = 'table'";

const POSTGRES_REFERENCES: &str = "select t.relname::text, o.relname::text from pg_constraint c \
     join pg_class t on t.oid = c.conrelid join pg_class o on o.oid = c.confrelid \
     where c.contype = 'f' and c.connamespace = current_schema()::regnamespace";

/// Every table with something in it that a backup keeps, each behind those that it refers to: a database that has gone
/// through `pg_dump` has made them in another order.
pub(super) async fn tables(begun: &mut Begun<'_>) -> Result<Vec<Table>, BackupError> {
    let (columns, references) = match begun {
        Begun::Sqlite(_) => (SQLITE_COLUMNS, SQLITE_REFERENCES),
        Begun::Postgres(_) => (POSTGRES_COLUMNS, POSTGRES_REFERENCES),
    };
    let columns: Vec<(String, String, String, i64)> = query(columns).fetch_all(begun.on()).await?;
    let mut tables: Vec<(Table, Vec<(i64, String)>)> = Vec::new();
    for (name, column, kind, place) in columns {
        if name == "_sqlx_migrations" || LEFT_OUT.contains(&&*name) {
            continue;
        }
        let kind = match &*kind {
            "text" => Kind::Text,
            "boolean" => Kind::Boolean,
            // What SQLite calls its own row numbers.
            "bigint" | "integer" => Kind::Bigint,
            other => {
                let problem =
                    format!("column {column} of table {name} is {other}, which no migration makes");
                return Err(BackupError::Unfit(problem));
            }
        };
        if tables.last().is_none_or(|(table, _)| table.name != name) {
            tables.push((Table { name, columns: Vec::new(), key: Vec::new() }, Vec::new()));
        }
        if let Some((table, key)) = tables.last_mut() {
            table.columns.push((column.clone(), kind));
            if place > 0 {
                key.push((place, column));
            }
        }
    }
    let with_key = |(mut table, mut key): (Table, Vec<(i64, String)>)| {
        key.sort();
        table.key = key.into_iter().map(|(_, column)| column).collect();
        table
    };
    let tables = tables.into_iter().map(with_key).collect();
    let references: Vec<(String, String)> = query(references).fetch_all(begun.on()).await?;
    Ok(in_order(tables, &references))
}

/// The tables, each behind those that it refers to, as `references` says; otherwise they stay in their order.
fn in_order(mut tables: Vec<Table>, references: &[(String, String)]) -> Vec<Table> {
    let mut ordered = Vec::with_capacity(tables.len());
    while !tables.is_empty() {
        let waits = |table: &Table| {
            let own = references.iter().filter(|(from, to)| *from == table.name && from != to);
            let mut others = own.map(|(_, to)| to);
            others.any(|to| tables.iter().any(|other| other.name == *to))
        };
        // Were they to refer to each other in a circle, no order would do.
        let next = tables.iter().position(|table| !waits(table)).unwrap_or(0);
        ordered.push(tables.remove(next));
    }
    ordered
}

/// Takes every row out of all of these. PostgreSQL does so in no time, however many there are.
pub(super) async fn clear_all(tables: &[Table], begun: &mut Begun<'_>) -> Result<(), BackupError> {
    if let Begun::Sqlite(_) = begun {
        for table in tables.iter().rev() {
            table.clear(begun).await?;
        }
        return Ok(());
    }
    let names: Vec<String> = tables.iter().map(|table| format!("\"{}\"", table.name)).collect();
    let all = query_of(format!("truncate {}", names.join(", "))).persistent(false);
    all.execute(begun.on()).await?;
    Ok(())
}

impl Kind {
    /// What a text says, as a value of this kind.
    fn value(self, text: Option<&str>) -> Option<Value<'_>> {
        Some(match self {
            Self::Text => Value::from(text),
            Self::Boolean => Value::from(match text {
                None => None,
                Some("true") => Some(true),
                Some("false") => Some(false),
                Some(_) => return None,
            }),
            Self::Bigint => Value::from(match text {
                None => None,
                Some(number) => Some(number.parse::<i64>().ok()?),
            }),
        })
    }
}

impl Table {
    /// The rows after that one, in the order of the key, at most a page.
    pub(super) async fn page(
        &self,
        begun: &mut Begun<'_>,
        after: Option<&Texts>,
    ) -> Result<Vec<Texts>, BackupError> {
        let columns = self.columns.iter().map(|(name, kind)| match kind {
            Kind::Text => format!("\"{name}\""),
            Kind::Bigint => format!("cast(\"{name}\" as text)"),
            Kind::Boolean => {
                format!("case when \"{name}\" then 'true' when not \"{name}\" then 'false' end")
            }
        });
        let mut text =
            format!("select {} from \"{}\" t", columns.collect::<Vec<_>>().join(", "), self.name);
        // By the column itself: to PostgreSQL the bare name is that of the text that is selected.
        let key =
            self.key.iter().map(|name| format!("t.\"{name}\"")).collect::<Vec<_>>().join(", ");
        let mut values = Vec::new();
        if let Some(after) = after {
            for at in self.key_places() {
                values.push(self.value(at, after)?);
            }
            let _ = write!(text, " where ({key}) > ({})", places(1, values.len()));
        }
        let _ = write!(text, " order by {key} limit {PAGE_ROWS}");
        Ok(bound(query_of(text), values).fetch_all(begun.on()).await?)
    }

    /// Puts rows in.
    pub(super) async fn insert(
        &self,
        begun: &mut Begun<'_>,
        rows: &[Texts],
    ) -> Result<(), BackupError> {
        let width = self.columns.len();
        let mut values = Vec::with_capacity(rows.len() * width);
        for row in rows {
            if row.0.len() != width {
                return Err(BackupError::damaged(format!(
                    "a row of {} has other columns",
                    self.name
                )));
            }
            for at in 0..width {
                values.push(self.value(at, row)?);
            }
        }
        let columns = self.columns.iter().map(|(name, _)| format!("\"{name}\""));
        let text = format!(
            "insert into \"{}\" ({}) values {}",
            self.name,
            columns.collect::<Vec<_>>().join(", "),
            places_of_rows(1, rows.len(), width),
        );
        bound(query_of(text), values).execute(begun.on()).await?;
        Ok(())
    }

    /// Whether it has a row.
    pub(super) async fn has_rows(&self, begun: &mut Begun<'_>) -> Result<bool, BackupError> {
        let one = query_of(format!("select 1 from \"{}\" limit 1", self.name)).persistent(false);
        let one: Vec<(i32,)> = one.fetch_all(begun.on()).await?;
        Ok(!one.is_empty())
    }

    /// Takes every row out.
    pub(super) async fn clear(&self, begun: &mut Begun<'_>) -> Result<(), BackupError> {
        let all = query_of(format!("delete from \"{}\"", self.name)).persistent(false);
        all.execute(begun.on()).await?;
        Ok(())
    }

    fn key_places(&self) -> impl Iterator<Item = usize> {
        let place = |key: &String| self.columns.iter().position(|(name, _)| name == key);
        self.key.iter().filter_map(place)
    }

    fn value<'r>(&self, at: usize, row: &'r Texts) -> Result<Value<'r>, BackupError> {
        let (name, kind) = &self.columns[at];
        let text = row.0.get(at).and_then(Option::as_deref);
        kind.value(text).ok_or_else(|| {
            BackupError::damaged(format!("column {name} of table {} is no {kind:?}", self.name))
        })
    }
}

fn bound<'v>(query: Query<'v>, values: Vec<Value<'v>>) -> Query<'v> {
    // Its text depends on the table and on how many rows there are, so it is not worth keeping.
    values.into_iter().fold(query.persistent(false), Query::bind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_stands_behind_those_that_it_refers_to() {
        let table = |name: &str| Table { name: name.to_owned(), columns: vec![], key: vec![] };
        let ordered = |names: &str, references: &str| {
            let pair = |it: &str| (it[..1].to_owned(), it[1..].to_owned());
            let references: Vec<_> = references.split_whitespace().map(pair).collect();
            let tables = names.split("").filter(|name| !name.is_empty()).map(table).collect();
            in_order(tables, &references).into_iter().map(|table| table.name).collect::<String>()
        };
        assert_eq!(ordered("abc", ""), "abc");
        assert_eq!(ordered("abc", "ba ca cb"), "abc");
        assert_eq!(ordered("abcd", "ad bc aa"), "cbda");
        assert_eq!(ordered("abcd", "ab bc cd dd"), "dcba");
        assert_eq!(ordered("ab", "ab ba"), "ab");
    }
}
