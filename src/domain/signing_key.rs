//! Our own signing keys, as people see them, and how they take turns.

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::names::names;

/// Where a signing key stands. It goes through them in this order.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningKeyState {
    /// It is published, so that APIs fetch it, and does not sign yet.
    Announced,
    /// It is published, and tokens are signed with it.
    Active,
    /// It signs no more, and stays published until nobody holds a token that it has signed.
    Retiring,
    /// It is neither any more, and its private half is gone.
    Retired,
}

names!(SigningKeyState {
    Announced = "ANNOUNCED",
    Active = "ACTIVE",
    Retiring = "RETIRING",
    Retired = "RETIRED",
});

/// One of our signing keys, without its halves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SigningKeyRecord {
    /// Its RFC 7638 thumbprint.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it begins to sign, if it is not replaced before.
    pub signs_from: Timestamp,
    /// Whether it has been retired.
    pub is_retired: bool,
}

/// How tokens' keys take turns.
#[derive(Clone, Copy, Debug)]
pub struct SigningTurns {
    /// What tokens are signed with.
    pub algorithm: Algorithm,
    /// Seconds for which a key is published before it signs, and after nobody holds a token of its any more.
    pub announce_seconds: i64,
    /// Seconds after which a key that signs gets a successor; `None` for never.
    pub rotate_seconds: Option<i64>,
    /// Seconds that the longest token lives.
    pub token_seconds_max: i64,
}

impl SigningTurns {
    /// When the algorithm of tokens begins to sign, as the first of its keys does; `None` where it has none. Until then
    /// keys of another go on, so that a change of the algorithm is announced like any other key.
    pub fn begins(
        &self,
        keys: impl IntoIterator<Item = (Algorithm, Timestamp)>,
    ) -> Option<Timestamp> {
        let own = keys.into_iter().filter(|(algorithm, _)| *algorithm == self.algorithm);
        own.map(|(_, signs_from)| signs_from).min()
    }

    /// Whether a key signs in its turn, where the algorithm of tokens `begins` then.
    pub fn takes_turns(
        &self,
        (algorithm, signs_from): (Algorithm, Timestamp),
        begins: Option<Timestamp>,
    ) -> bool {
        algorithm == self.algorithm || begins.is_none_or(|begins| signs_from < begins)
    }

    /// The keys in use that sign in turn.
    fn line<'a>(&self, keys: &'a [SigningKeyRecord]) -> impl Iterator<Item = &'a SigningKeyRecord> {
        let turn = |key: &SigningKeyRecord| (key.algorithm, key.signs_from);
        let in_use = keys.iter().filter(|key| !key.is_retired);
        let (turns, begins) = (*self, self.begins(in_use.clone().map(turn)));
        in_use.filter(move |key| turns.takes_turns(turn(key), begins))
    }

    /// The key that signs at `now`: of those in use that sign in turn, the one that has begun last.
    pub fn active<'a>(
        &self,
        keys: &'a [SigningKeyRecord],
        now: Timestamp,
    ) -> Option<&'a SigningKeyRecord> {
        let begun = self.line(keys).filter(|key| key.signs_from <= now);
        begun.max_by_key(|key| (key.signs_from, key.created_at))
    }

    /// The key that will sign when those before it are done: the last of the line, which may be the one that signs
    /// now.
    pub fn last<'a>(&self, keys: &'a [SigningKeyRecord]) -> Option<&'a SigningKeyRecord> {
        self.line(keys).max_by_key(|key| (key.signs_from, key.created_at))
    }

    /// Where a key stands among these at `now`.
    pub fn state(
        &self,
        key: &SigningKeyRecord,
        keys: &[SigningKeyRecord],
        now: Timestamp,
    ) -> SigningKeyState {
        if key.is_retired {
            SigningKeyState::Retired
        } else if self.active(keys, now).is_some_and(|active| active.kid == key.kid) {
            SigningKeyState::Active
        } else if self.line(keys).any(|it| it.kid == key.kid) && key.signs_from > now {
            SigningKeyState::Announced
        } else {
            SigningKeyState::Retiring
        }
    }

    /// When the successor of the last key is to be announced and to sign, if keys are replaced by themselves.
    pub fn successor(&self, last: &SigningKeyRecord) -> Option<(Timestamp, Timestamp)> {
        let signs_from = last.signs_from.plus_seconds(self.rotate_seconds?);
        Some((signs_from.minus_seconds(self.announce_seconds), signs_from))
    }

    /// Seconds after the last token of a key for which it is published: no token of its is alive then, and every API has had
    /// time to notice.
    pub fn published_seconds(&self) -> i64 {
        self.token_seconds_max.saturating_add(self.announce_seconds)
    }

    /// The keys that can be retired at `now`: another has signed for so long that no token of theirs is alive, and
    /// every API has had time to notice.
    pub fn done<'a>(
        &self,
        keys: &'a [SigningKeyRecord],
        now: Timestamp,
    ) -> Vec<&'a SigningKeyRecord> {
        let Some(active) = self.active(keys, now) else { return Vec::new() };
        if now < active.signs_from.plus_seconds(self.published_seconds()) {
            return Vec::new();
        }
        keys.iter()
            .filter(|key| self.state(key, keys, now) == SigningKeyState::Retiring)
            .filter(|key| key.created_at <= active.signs_from)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURNS: SigningTurns = SigningTurns {
        algorithm: Algorithm::Rs256,
        announce_seconds: 100,
        rotate_seconds: Some(1_000),
        token_seconds_max: 20,
    };

    fn key(kid: &str, signs_from: i64) -> SigningKeyRecord {
        SigningKeyRecord {
            kid: kid.to_owned(),
            algorithm: Algorithm::Rs256,
            created_at: Timestamp::from_seconds(signs_from - 100),
            signs_from: Timestamp::from_seconds(signs_from),
            is_retired: false,
        }
    }

    fn names(keys: &[SigningKeyRecord], now: i64) -> Vec<&'static str> {
        let now = Timestamp::from_seconds(now);
        keys.iter().map(|key| TURNS.state(key, keys, now).name()).collect()
    }

    #[test]
    fn a_key_is_announced_signs_and_leaves() {
        let mut keys = [key("a", 1_000), key("b", 2_000)];
        assert_eq!(names(&keys, 1_999), ["ACTIVE", "ANNOUNCED"]);
        assert_eq!(names(&keys, 2_000), ["RETIRING", "ACTIVE"]);
        let done = |keys: &[SigningKeyRecord], now| -> Vec<String> {
            let done = TURNS.done(keys, Timestamp::from_seconds(now));
            done.into_iter().map(|key| key.kid.clone()).collect()
        };
        assert_eq!(done(&keys, 2_119), [""; 0]);
        assert_eq!(done(&keys, 2_120), ["a"]);
        keys[0].is_retired = true;
        assert_eq!(names(&keys, 2_120), ["RETIRED", "ACTIVE"]);
        assert_eq!(done(&keys, 9_999), [""; 0]);
    }

    #[test]
    fn a_key_of_another_algorithm_leaves_when_one_of_the_right_one_signs() {
        let mut other = key("es", 3_000);
        other.algorithm = Algorithm::Es256;
        let keys = [key("rs", 3_000), other];
        assert_eq!(names(&keys, 3_000), ["ACTIVE", "RETIRING"]);
    }

    #[test]
    fn a_key_of_another_algorithm_signs_until_one_of_the_right_one_begins() {
        let mut other = key("es", 1_000);
        other.algorithm = Algorithm::Es256;
        let keys = [other, key("rs", 3_000)];
        assert_eq!(names(&keys, 2_999), ["ACTIVE", "ANNOUNCED"]);
        assert_eq!(names(&keys, 3_000), ["RETIRING", "ACTIVE"]);
        assert_eq!(TURNS.last(&keys).unwrap().kid, "rs");
    }

    #[test]
    fn a_successor_is_announced_before_it_signs() {
        let (announced, signs) = TURNS.successor(&key("a", 1_000)).unwrap();
        assert_eq!((announced.seconds(), signs.seconds()), (1_900, 2_000));
        let never = SigningTurns { rotate_seconds: None, ..TURNS };
        assert_eq!(never.successor(&key("a", 1_000)), None);
    }
}
