//! When the requests of a load at a rate are due.

use std::thread;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};

use crate::clock::{Clock as _, SystemClock};

/// What is due within so long is due now: a thread that sleeps is woken about so much later than it asked for.
const GRAIN: Duration = Duration::from_micros(50);

/// Requests that are due and have not been begun. With more, whoever begins them is too slow, and is waited for.
const WAITING_MAX: usize = 256;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Moments, one after the other. A thread of its own waits for each: the timer of the runtime counts whole milliseconds,
/// and requests would be sent in small crowds, one or two milliseconds late.
pub(super) struct Schedule {
    due: Receiver<Duration>,
}

impl Schedule {
    /// So many requests, `per_second` of them a second. The beginning is `began` of the clock's uptime.
    pub(super) fn start(requests: u64, per_second: u32, began: Duration) -> Self {
        let (sender, due) = mpsc::channel(WAITING_MAX);
        thread::spawn(move || {
            for number in 0..requests {
                let due = due_at(number, per_second.into());
                let elapsed = SystemClock.uptime().saturating_sub(began);
                let ahead = due.saturating_sub(elapsed);
                if ahead > GRAIN {
                    thread::sleep(ahead);
                }
                // Nobody waits any more when the load has failed.
                if sender.blocking_send(due).is_err() {
                    return;
                }
            }
        });
        Self { due }
    }

    /// Waits until the next request is due, and returns when that was, from the beginning; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<Duration> {
        self.due.recv().await
    }
}

/// When the request of that number is due, from the beginning.
fn due_at(number: u64, per_second: u64) -> Duration {
    let rest = Duration::from_nanos(number % per_second * NANOS_PER_SECOND / per_second);
    Duration::from_secs(number / per_second) + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_due_evenly() {
        let due: Vec<_> = (0..5).map(|number| due_at(number, 2).as_millis()).collect();
        assert_eq!(due, [0, 500, 1_000, 1_500, 2_000]);
        assert_eq!(due_at(u64::from(u32::MAX), 1_000_000).as_secs(), 4_294);
    }

    #[tokio::test]
    async fn no_request_comes_before_it_is_due_and_none_is_left_out() {
        let began = SystemClock.uptime();
        let mut schedule = Schedule::start(300, 2_000, began);
        let mut come = 0;
        while let Some(due) = schedule.next().await {
            assert_eq!(due, due_at(come, 2_000));
            assert!(SystemClock.uptime().saturating_sub(began) + GRAIN >= due);
            come += 1;
        }
        assert_eq!(come, 300);
    }
}
