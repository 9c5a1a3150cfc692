//! N: two or three nodes on one PostgreSQL. What one has spent or changed holds on the others; what happens to the
//! database, and to the sessions with it, makes nobody wrong.
//!
//! These need PostgreSQL, so plain `cargo test` leaves them out and says so; `tests/run` runs them.

mod balancer;
mod changes;
mod clock;
mod cluster;
mod disk;
mod effective;
mod failover;
mod faults;
mod flood;
mod killed;
pub(crate) mod ledger;
mod lost_answers;
mod older;
mod outage;
mod pooler;
pub(crate) mod process;
mod replay;
mod restarts;
mod rolling;
mod rotation;
mod settings;
mod slow;
mod starts;
mod stopped;
pub(crate) mod traffic;
mod upgrade;
mod waiting;

/// How many rounds of something: so many, or as many times more as `PORTVAKT_TEST_LONG` says.
#[expect(clippy::disallowed_methods, reason = "it is not a setting of the server")]
fn rounds(usual: usize) -> usize {
    let times = std::env::var("PORTVAKT_TEST_LONG").ok();
    usual * times.map_or(1, |times| times.parse().expect("PORTVAKT_TEST_LONG is a number"))
}
