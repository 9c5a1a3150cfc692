//! Assertions for a load: signed by threads of their own, while it lasts or before it begins.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};

use crate::cli::assertion::signed_by;
use crate::cli::failure::Failure;
use crate::cli::key_source::AssertionKey;
use crate::clock::{Clock as _, SystemClock};

/// Who asks with a key, and for what.
pub(super) struct Requester {
    /// They take turns; there is at least one.
    pub(super) client_ids: Vec<String>,
    pub(super) key: AssertionKey,
    /// They take turns when every client has had its own; there is at least one.
    pub(super) scopes: Vec<String>,
}

/// What is signed.
pub(super) struct Signing {
    /// They take turns; there is at least one.
    pub(super) requesters: Vec<Requester>,
    pub(super) issuer: String,
    /// Of a hundred, how many get a wrong signature.
    pub(super) bad_percent: u32,
}

/// An assertion, and what must come of it.
pub(super) struct Signed {
    pub(super) assertion: String,
    /// Whether its signature is wrong.
    pub(super) is_bad: bool,
    /// When it was signed, as the clock's uptime.
    pub(super) at: Duration,
}

impl Signed {
    /// One that is signed now, with a wrong signature or not.
    pub(super) fn now(assertion: String, is_bad: bool) -> Self {
        Self { assertion, is_bad, at: SystemClock.uptime() }
    }
}

impl Signing {
    /// The assertion of that number, rightly signed. Requesters, their clients and their scopes take turns.
    pub(super) fn good(&self, number: u64) -> Result<String, Failure> {
        let (requester, round) = in_turn(&self.requesters, number);
        let (client_id, round) = in_turn(&requester.client_ids, round);
        let (scope, _) = in_turn(&requester.scopes, round);
        signed_by(&requester.key, client_id, scope, &self.issuer)
    }

    /// The assertion of that number, with a wrong signature if it is among those.
    fn sign(&self, number: u64) -> Result<Signed, Failure> {
        let assertion = self.good(number)?;
        let is_bad = is_in_share(number, self.bad_percent);
        Ok(Signed::now(if is_bad { spoilt(&assertion) } else { assertion }, is_bad))
    }
}

/// Whose turn it is of some, of which there is at least one, and in which round.
fn in_turn<T>(some: &[T], number: u64) -> (&T, u64) {
    let count = u64::try_from(some.len()).unwrap_or(u64::MAX);
    let index = usize::try_from(number % count).unwrap_or_default();
    (&some[index], number / count)
}

/// Whether the thing of that number is among `percent` of a hundred, evenly spread.
fn is_in_share(number: u64, percent: u32) -> bool {
    let upto = |number: u64| number.wrapping_mul(u64::from(percent)) / 100;
    upto(number.wrapping_add(1)) > upto(number)
}

/// The assertion with another signature of the same form.
fn spoilt(assertion: &str) -> String {
    let Some((message, signature)) = assertion.rsplit_once('.') else {
        return assertion.to_owned();
    };
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    let rest = signature.get(1..).unwrap_or_default();
    format!("{message}.{first}{rest}")
}

/// Assertions, about in the order of their numbers: several threads sign.
pub(super) struct Supply {
    signed: Receiver<Result<Signed, Failure>>,
    /// Whether another follows each that has grown too old.
    is_endless: bool,
}

/// Assertions that wait while it is signed as needed: enough that the sender never waits for a thread to wake.
const WAITING: usize = 256;

/// Seconds after its signing at which no assertion of a load is used any more; it lives for 120.
const AGE_MAX: u64 = 110;

/// What to do about assertions that are too old.
const TOO_OLD: &str = "they live for 120 s; leave out --sign-ahead, or have fewer sent";

impl Supply {
    /// Assertions that are signed while the load lasts.
    pub(super) fn as_needed(signing: Signing) -> Self {
        Self::start(signing, WAITING, u64::MAX).0
    }

    /// Assertions that are all signed when this returns.
    ///
    /// # Errors
    ///
    /// When the first would be too old before the last is sent.
    pub(super) fn ahead(signing: Signing, count: u64, seconds: u64) -> Result<Self, Failure> {
        let began = SystemClock.uptime();
        let room = usize::try_from(count).unwrap_or(usize::MAX).clamp(1, MEMORY_MAX);
        if u64::try_from(room).unwrap_or(u64::MAX) < count {
            return Err(Failure::usage(format!(
                "{count} assertions are more than the {MEMORY_MAX} that are kept in memory; leave out --sign-ahead, \
                 or have fewer sent"
            )));
        }
        let (supply, threads) = Self::start(signing, room, count);
        for thread in threads {
            // A thread that panics has said so itself; what it has not signed is missed when it is to be sent.
            let _ = thread.join();
        }
        let took = SystemClock.uptime().saturating_sub(began).as_secs();
        if took.saturating_add(seconds) > AGE_MAX {
            return Err(Failure::usage(format!(
                "signing {count} assertions took {took} s, and with {seconds} s of load the first would be too old: \
                 {TOO_OLD}"
            )));
        }
        Ok(supply)
    }

    fn start(signing: Signing, room: usize, count: u64) -> (Self, Vec<thread::JoinHandle<()>>) {
        let (sender, receiver) = mpsc::channel(room);
        let (signing, next) = (Arc::new(signing), Arc::new(AtomicU64::new(0)));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let sign = |_| {
            let (sender, signing, next) = (sender.clone(), Arc::clone(&signing), Arc::clone(&next));
            thread::spawn(move || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    // Nobody takes any more when the load is over.
                    if number >= count || sender.blocking_send(signing.sign(number)).is_err() {
                        return;
                    }
                }
            })
        };
        let threads = (0..threads).map(sign).collect();
        (Self { signed: receiver, is_endless: count == u64::MAX }, threads)
    }

    /// The next assertion that is not too old: the server would rightly refuse it.
    pub(super) async fn next(&mut self) -> Result<Signed, Failure> {
        loop {
            let signed = self.signed.recv().await;
            let none = || Err(Failure::failed("there are no more assertions to send"));
            let signed = signed.unwrap_or_else(none)?;
            let age = SystemClock.uptime().saturating_sub(signed.at);
            if age <= Duration::from_secs(AGE_MAX) {
                return Ok(signed);
            }
            if !self.is_endless {
                let problem =
                    format!("the assertions that were signed ahead are too old: {TOO_OLD}");
                return Err(Failure::failed(problem));
            }
        }
    }
}

/// Assertions that are kept in memory: with a certificate chain each takes 5 KiB.
const MEMORY_MAX: usize = 400_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_spread_evenly() {
        for percent in [0, 1, 7, 50, 100] {
            let among = (0..1_000).filter(|number| is_in_share(*number, percent)).count();
            assert_eq!(among, usize::try_from(percent * 10).unwrap());
        }
        let first_tenth = (0..100).filter(|number| is_in_share(*number, 10)).count();
        assert_eq!(first_tenth, 10);
    }

    #[test]
    fn a_spoilt_signature_has_the_same_form() {
        assert_eq!(spoilt("a.b.Axyz"), "a.b.Bxyz");
        assert_eq!(spoilt("a.b.xyz"), "a.b.Ayz");
    }
}
