//! What stands behind the question mark of an address: what is searched for, and where a list goes on.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use crate::http::portal::fields::Fields;

/// Things on a page of a list.
pub(super) const PAGE_ITEMS: u32 = 50;

/// The longest text that is searched for, in characters: as long as the longest name.
const SEARCH_CHARACTERS_MAX: usize = 255;

/// The fields of a query. A query that makes no sense is one that asks for nothing.
pub(super) struct Query(pub(super) Fields);

impl Query {
    /// What field `q` searches for, without what nobody types; an organization number without the spaces that people
    /// write between its groups. SQLite would read a text with a NUL only up to there.
    pub(super) fn search(&self) -> Option<String> {
        let typed = self.0.text("q").chars().filter(|c| !c.is_control());
        let mut text: String = typed.take(SEARCH_CHARACTERS_MAX).collect();
        if text.chars().all(|c| c.is_ascii_digit() || c.is_whitespace()) {
            text.retain(|c| c.is_ascii_digit());
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// A field that can be read as what it should be.
    pub(super) fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.0.text(name).parse().ok()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(Fields::parse(parts.uri.query().unwrap_or_default().as_bytes())))
    }
}

/// The ways through a list that is shown page by page.
pub(super) struct Pager {
    /// Where it begins.
    pub(super) first: String,
    /// Where the next page is, if there is one.
    pub(super) next: Option<String>,
    /// Whether the page is not the first.
    pub(super) is_later: bool,
}

impl Pager {
    /// For the list at `address`, whose query, if it has one, says what else is asked for. The page begins after
    /// something if it `is_later`, and the next one after `last`.
    pub(super) fn new(address: String, is_later: bool, last: Option<String>) -> Self {
        let join = if address.contains('?') { '&' } else { '?' };
        let next = last.map(|key| format!("{address}{join}after={}", encoded(&key)));
        Self { first: address, next, is_later }
    }

    /// Whether there is more than this page.
    pub(super) fn is_needed(&self) -> bool {
        self.is_later || self.next.is_some()
    }
}

/// A text as part of a query.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_short_and_can_be_typed() {
        let query = |text: &str| Query(Fields::parse(text.as_bytes()));
        assert_eq!(query("q=+a%00b%0A+").search().as_deref(), Some("ab"));
        assert_eq!(query("q=%00").search(), None);
        let long = format!("q={}", "a".repeat(1_000));
        assert_eq!(query(&long).search().map(|text| text.len()), Some(SEARCH_CHARACTERS_MAX));
        assert_eq!(query("n=7").read::<u8>("n"), Some(7));
        assert_eq!(query("n=x").read::<u8>("n"), None);
    }
}
