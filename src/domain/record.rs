//! Things as they are kept, with when and how often they have changed.

use serde::Serialize;

use crate::clock::Timestamp;

/// How often a thing has been changed, beginning with 1. Whoever changes it says which version they have
/// seen, so that no change is lost under another.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Version(pub i64);

/// What a change that may make a thing expects to find.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// It does not matter.
    Anything,
    /// The thing at this version.
    At(Version),
    /// Nothing: the change means to make it.
    Nothing,
}

/// A thing as it is kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded<T> {
    /// The thing.
    pub value: T,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How often.
    pub version: Version,
}

/// Which row of the database it is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct RowName {
    /// The table.
    pub table: &'static str,
    /// The columns of the key, with one space between them.
    pub key: String,
}

/// Some of many things, in a fixed order, and where to go on.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The things.
    pub items: Vec<T>,
    /// Whether there are more after the last one.
    pub has_more: bool,
}

impl<T> Page<T> {
    /// A page of at most `limit` items out of what was read: one more than the limit if there are more.
    pub fn of(mut items: Vec<T>, limit: u32) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        Self { items, has_more }
    }
}
