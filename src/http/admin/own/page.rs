//! Pages of lists: how many things, and where to go on.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::http::admin::error::ApiError;
use crate::registry::Actor;

/// Things on a page when nobody says how many, and at most.
const LIMIT_USUAL: u32 = 50;
const LIMIT_MAX: u32 = 500;

/// The longest text that is searched for, in characters: as long as the longest name.
const SEARCH_CHARACTERS_MAX: usize = 255;

/// Which page of a list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageQuery {
    /// How many things, at most.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<u32>,
    /// `next_cursor` of the page before.
    pub(super) cursor: Option<String>,
}

/// A page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PageReply<T> {
    /// The things.
    pub(super) items: Vec<T>,
    /// Where the next page begins; not there on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next_cursor: Option<String>,
}

/// One list of one caller, whose pages are asked for.
pub(super) struct Pages<'a> {
    app: &'a App,
    owner: String,
    list: &'static str,
    /// How many things, at most.
    pub(super) limit: u32,
}

impl<'a> Pages<'a> {
    /// The list of that name as `actor` sees it.
    pub(super) fn new(
        app: &'a App,
        actor: &Actor,
        list: &'static str,
        query: &PageQuery,
    ) -> Result<Self, ApiError> {
        let limit = query.limit.unwrap_or(LIMIT_USUAL);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(ApiError::parameter("limit", format!("it must be 1 to {LIMIT_MAX}")));
        }
        Ok(Self { app, owner: actor.name.clone(), list, limit })
    }

    /// The place where the page begins: the key of the last thing before it, in its parts.
    pub(super) fn after(&self, query: &PageQuery) -> Result<Option<Vec<String>>, ApiError> {
        let Some(cursor) = &query.cursor else { return Ok(None) };
        let place = self.app.cursors.open(&self.owner, self.list, cursor);
        let place = place.ok_or_else(|| {
            ApiError::parameter("cursor", "it must be the next_cursor of a page of this list")
        })?;
        Ok(Some(place.split(' ').map(str::to_owned).collect()))
    }

    /// The page of these things; `key` gives the parts of a thing's key, none of which has a space.
    pub(super) fn reply<T, S>(
        &self,
        page: crate::domain::record::Page<T>,
        key: impl Fn(&T) -> Vec<String>,
        show: impl Fn(T) -> S,
    ) -> PageReply<S> {
        let last = page.items.last().filter(|_| page.has_more);
        let next_cursor =
            last.map(|last| self.app.cursors.seal(&self.owner, self.list, &key(last).join(" ")));
        PageReply { items: page.items.into_iter().map(show).collect(), next_cursor }
    }
}

/// A part of a cursor that was sealed, read back.
pub(super) fn part<T: std::str::FromStr>(parts: &[String], index: usize) -> Result<T, ApiError> {
    let part = parts.get(index).and_then(|part| part.parse().ok());
    part.ok_or_else(|| ApiError::parameter("cursor", "it is from another version of this server"))
}

/// A text to be searched for, if it is not too long and people can write it. SQLite would read one with a NUL only
/// up to there, and find everything.
pub(super) fn search(text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text)
            if text.chars().count() > SEARCH_CHARACTERS_MAX || text.contains(char::is_control) =>
        {
            let problem = format!(
                "it may have at most {SEARCH_CHARACTERS_MAX} characters, and no control characters"
            );
            Err(ApiError::parameter("q", problem))
        }
        other => Ok(other),
    }
}
