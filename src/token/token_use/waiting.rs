//! Figures that have been counted and not been written yet.
//!
//! Where few things are used, all that has been counted in a second is written after it. Where much is used, nearly every
//! token is for a figure of its own, and writing each at once would cost more than counting the tokens of a while
//! together. So a round writes a share of what waits, from where the last round ended: figures that stand beside each other
//! also do in the database, and its pages are written once for many of them.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use crate::domain::usage::TokenUse;

/// Figures that a round writes, if so many wait: a few transactions, which take some milliseconds each.
const WRITTEN_MIN: usize = 1_000;

/// Rounds in which all that waits has its turn, if that is more than they write at least. So a figure waits for half a
/// minute, and in a stream of new ones for a minute.
const ROUNDS: usize = 32;

/// Figures that may wait. Of any more, all are written at once.
const WAITING_USUALLY: usize = 50_000;

/// Figures that wait while the database does not take them. It does not take spent assertions then either, so hardly any
/// tokens are issued.
const WAITING_MAX: usize = 100_000;

/// Figures by what is counted.
#[derive(Default)]
pub(super) struct Waiting {
    figures: BTreeMap<TokenUse, u64>,
    /// What was written last.
    last: Option<TokenUse>,
}

impl Waiting {
    /// Adds tokens to a figure. False when there is no room for one more figure.
    pub(super) fn add(&mut self, it: TokenUse, tokens: u64) -> bool {
        if let Some(waiting) = self.figures.get_mut(&it) {
            *waiting += tokens;
        } else if self.figures.len() < WAITING_MAX {
            self.figures.insert(it, tokens);
        } else {
            return false;
        }
        true
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.figures.len()
    }

    /// How many are to be written in one round.
    pub(super) fn due(&self) -> usize {
        let waiting = self.len();
        let share = (waiting / ROUNDS).max(waiting.saturating_sub(WAITING_USUALLY));
        share.max(WRITTEN_MIN).min(waiting)
    }

    /// The next ones, in their order and at most so many.
    pub(super) fn next(&self, most: usize) -> Vec<(TokenUse, u64)> {
        let behind = self.last.as_ref().map_or(Unbounded, Excluded);
        let rest = self.figures.range((behind, Unbounded));
        let figures = if rest.clone().next().is_some() { rest } else { self.figures.range(..) };
        figures.take(most).map(|(it, tokens)| (it.clone(), *tokens)).collect()
    }

    /// These have been written.
    pub(super) fn remove(&mut self, written: Vec<(TokenUse, u64)>) {
        for (it, _) in &written {
            self.figures.remove(it);
        }
        self.last = written.into_iter().next_back().map(|(it, _)| it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::usage::{Day, TokenUser};

    fn figure(number: usize) -> TokenUse {
        let (consumer, client) =
            ("310000116".parse().unwrap(), format!("{number:09}").parse().unwrap());
        let by = TokenUser::Client { consumer, client };
        TokenUse { day: Day::from_number(1), scope: "a:b".parse().unwrap(), by }
    }

    fn waiting(figures: usize) -> Waiting {
        let mut waiting = Waiting::default();
        assert!((0..figures).all(|number| waiting.add(figure(number), 1)));
        waiting
    }

    #[test]
    fn few_are_due_at_once_many_in_turn_and_too_many_at_once() {
        for (figures, due) in
            [(0, 0), (999, 999), (31_000, 1_000), (48_000, 1_500), (53_000, 3_000)]
        {
            assert_eq!(waiting(figures).due(), due, "{figures}");
        }
    }

    #[test]
    fn each_has_its_turn_however_often_the_first_ones_are_counted_again() {
        let mut waiting = waiting(5);
        let mut written = Vec::new();
        for _ in 0..4 {
            let next = waiting.next(2);
            written.extend(next.iter().cloned());
            waiting.remove(next);
            assert!(waiting.add(figure(0), 10));
        }
        let expected = [(0, 1), (1, 1), (2, 1), (3, 1), (4, 1), (0, 30)];
        assert_eq!(written, expected.map(|(number, tokens)| (figure(number), tokens)));
    }

    #[test]
    fn there_is_room_for_so_many_and_always_for_those_that_wait_already() {
        let mut waiting = waiting(WAITING_MAX);
        assert!(!waiting.add(figure(WAITING_MAX), 1));
        assert!(waiting.add(figure(0), 1));
        assert_eq!(waiting.len(), WAITING_MAX);
    }
}
