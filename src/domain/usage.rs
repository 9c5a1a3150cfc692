//! Usage: how many tokens were issued, per day, scope, consumer and client.

use std::fmt;

use crate::clock::{DAY_SECONDS, Timestamp};
use crate::domain::client::ClientId;
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::domain::record::Page;
use crate::domain::scope::ScopeName;

/// The most days that figures are looked at for, and that they are kept for: a year, and the month before it to
/// compare with.
pub const USAGE_DAYS_MAX: u32 = 400;

/// How many consumers or scopes a look shows one by one, those with the most tokens. The others are summed.
pub const USAGE_SHOWN_MAX: u32 = 50;

/// A day in UTC, as the number of days since 1970 began.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Day(i64);

impl Day {
    /// The day of that moment.
    pub const fn of(moment: Timestamp) -> Self {
        Self(moment.seconds().div_euclid(DAY_SECONDS))
    }

    /// The day of that number.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Days since 1970 began.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day that many days earlier.
    #[must_use]
    pub fn minus_days(self, days: u32) -> Self {
        Self(self.0.saturating_sub(i64::from(days)))
    }
}

impl fmt::Display for Day {
    /// The date of RFC 3339.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begin = Timestamp::from_seconds(self.0.saturating_mul(DAY_SECONDS)).to_string();
        f.write_str(begin.split('T').next().unwrap_or_default())
    }
}

/// Some days in a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Period {
    /// The first.
    pub first: Day,
    /// The last.
    pub last: Day,
}

impl Period {
    /// The `days` up to and with `last`; `None` unless they are 1 to [`USAGE_DAYS_MAX`].
    pub fn ending(last: Day, days: u32) -> Option<Self> {
        let is_kept = (1..=USAGE_DAYS_MAX).contains(&days);
        is_kept.then(|| Self { first: last.minus_days(days - 1), last })
    }
}

/// What tokens are counted by.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TokenUse {
    /// When they were issued.
    pub day: Day,
    /// The scope; a token with several counts once for each.
    pub scope: ScopeName,
    /// Whom they were issued to.
    pub by: TokenUser,
}

/// Whom tokens were issued to, and whom they stand for.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TokenUser {
    /// A European business, which is both.
    Business {
        /// Who it is.
        identifier: OrganizationIdentifier,
        /// What its tokens call its client.
        client: ClientId,
    },
    /// A client that is registered here.
    Client {
        /// The organization that they stand for.
        consumer: OrganizationNumber,
        /// The client that they were issued to.
        client: ClientId,
    },
}

/// Tokens of one day.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DayTokens {
    /// The day.
    pub day: Day,
    /// How many.
    pub tokens: u64,
}

/// Whom tokens stand for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Consumer {
    /// An organization of the Norwegian register.
    Organization(OrganizationNumber),
    /// A European business.
    Business(OrganizationIdentifier),
}

impl fmt::Display for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Organization(number) => number.fmt(f),
            Self::Business(identifier) => identifier.fmt(f),
        }
    }
}

/// Tokens that stand for one consumer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConsumerTokens {
    /// The consumer.
    pub consumer: Consumer,
    /// Its name, if it is registered.
    pub name: Option<String>,
    /// How many.
    pub tokens: u64,
}

/// Tokens with one scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeTokens {
    /// The scope.
    pub scope: ScopeName,
    /// How many.
    pub tokens: u64,
    /// Day by day, without the days that had none; empty where days are not told apart.
    pub days: Vec<DayTokens>,
}

/// Scopes and their tokens.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TokensByScope {
    /// How many there are with all of them together.
    pub tokens: u64,
    /// The [`USAGE_SHOWN_MAX`] with the most, the most first.
    pub scopes: Vec<ScopeTokens>,
    /// How many there are with the others together.
    pub others: u64,
}

impl TokensByScope {
    /// Those with the most, and the others summed.
    pub fn of(mut scopes: Vec<ScopeTokens>) -> Self {
        let sum = |scopes: &[ScopeTokens]| -> u64 { scopes.iter().map(|it| it.tokens).sum() };
        let tokens = sum(&scopes);
        scopes.sort_by(|a, b| b.tokens.cmp(&a.tokens).then_with(|| a.scope.cmp(&b.scope)));
        let scopes = Page::of(scopes, USAGE_SHOWN_MAX).items;
        let others = tokens - sum(&scopes);
        Self { tokens, scopes, others }
    }
}

/// Who uses a scope.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScopeUsage {
    /// In which days.
    pub period: Period,
    /// How many tokens there were.
    pub tokens: u64,
    /// The [`USAGE_SHOWN_MAX`] consumers with the most, the most first.
    pub consumers: Vec<ConsumerTokens>,
    /// How many the other consumers have together.
    pub others: u64,
    /// Of all consumers, day by day, without the days that had none.
    pub days: Vec<DayTokens>,
}

/// What a client uses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientUsage {
    /// In which days.
    pub period: Period,
    /// By scope, and in it day by day.
    pub scopes: TokensByScope,
    /// With all scopes, day by day, without the days that had none.
    pub days: Vec<DayTokens>,
}

/// What an organization uses, and what others use of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OrganizationUsage {
    /// In which days.
    pub period: Period,
    /// Tokens that stand for it, whoever fetched them.
    pub consumed: TokensByScope,
    /// Tokens with scopes that it owns.
    pub provided: TokensByScope,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_date_in_utc() {
        let day = |text| Day::of(Timestamp::from_rfc3339(text).unwrap());
        assert_eq!(day("2026-11-28T00:00:00Z").number(), 20_785);
        assert_eq!(day("2026-11-28T23:59:59Z"), day("2026-11-28T00:00:00Z"));
        assert_eq!(day("2026-11-29T00:30:00+01:00").to_string(), "2026-11-28");
        assert_eq!(Day::of(Timestamp::from_seconds(-1)).to_string(), "1969-12-31");
    }

    #[test]
    fn a_period_is_as_many_days_as_are_kept() {
        let last = Day::from_number(1_000);
        assert_eq!(Period::ending(last, 1), Some(Period { first: last, last }));
        assert_eq!(Period::ending(last, 400).unwrap().first.number(), 601);
        assert_eq!((Period::ending(last, 0), Period::ending(last, 401)), (None, None));
    }

    #[test]
    fn the_scopes_with_the_most_tokens_are_shown_and_the_others_summed() {
        let scope = |number: u64| ScopeTokens {
            scope: format!("a:{number:02}").parse().unwrap(),
            tokens: number / 2,
            days: Vec::new(),
        };
        let top = TokensByScope::of((0..60).map(scope).collect());
        assert_eq!(top.scopes.len(), 50);
        assert_eq!((top.scopes[0].scope.as_str(), top.scopes[1].scope.as_str()), ("a:58", "a:59"));
        assert_eq!((top.tokens, top.others), (2 * (0..30).sum::<u64>(), 2 * (0..5).sum::<u64>()));
    }
}
