//! A task that writes beside the path of requests, and ends when it has written everything.

use std::fmt::Display;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Interval;

/// How long what is left may take when the server stops: time for 100,000 figures of usage and a database that is a
/// millisecond away.
const FINISH_SECONDS_MAX: u64 = 10;

/// A task in the background. It ends with [`Background::finish`], or at once with this value.
pub(super) struct Background {
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// What such a task listens to.
pub(super) struct Stop(watch::Receiver<bool>);

/// Whether something has failed the last time: it is told when that begins and when it ends, and not in between.
#[derive(Default)]
pub(crate) struct Failing(bool);

impl Background {
    pub(super) fn start<F>(work: impl FnOnce(Stop) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(work(Stop(stopped)));
        Self { stop, task: Mutex::new(Some(task)) }
    }

    /// Has the task write what is left, and waits for its end. False when that took too long.
    pub(super) async fn finish(&self) -> bool {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            Some(task) => {
                tokio::time::timeout(Duration::from_secs(FINISH_SECONDS_MAX), task).await.is_ok()
            }
            None => true,
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let task = self.task.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task.take() {
            task.abort();
        }
    }
}

impl Stop {
    /// For tests that do not wait.
    #[cfg(test)]
    pub(super) fn told() -> Self {
        Self(watch::channel(true).1)
    }

    /// Waits for the next part, unless the task has been told to end.
    pub(super) async fn keep(&mut self, pace: &mut Interval) {
        tokio::select! {
            _ = self.0.wait_for(|told| *told) => {}
            _ = pace.tick() => {}
        }
    }

    /// Waits, and says whether the task has been told to end.
    pub(super) async fn within(&mut self, wait: Duration) -> bool {
        tokio::time::timeout(wait, self.0.wait_for(|told| *told)).await.is_ok()
    }
}

/// Spreads so many parts of what is written in a round over it, whatever each takes.
pub(super) fn pace(parts: usize, round: Duration) -> Interval {
    let parts = u32::try_from(parts.max(1)).unwrap_or(u32::MAX);
    let mut pace = tokio::time::interval(round / parts);
    // It would begin at once.
    pace.reset();
    pace
}

impl Failing {
    /// Logs `begun` with the first failure, and `ended` with the first success after it.
    pub(crate) fn note(
        &mut self,
        outcome: Result<(), impl Display>,
        begun: &'static str,
        ended: &'static str,
    ) {
        let was_failing = std::mem::replace(&mut self.0, outcome.is_err());
        match outcome {
            Ok(()) if was_failing => tracing::info!("{ended}"),
            Err(error) if !was_failing => tracing::warn!(%error, "{begun}"),
            Ok(()) | Err(_) => {}
        }
    }
}
