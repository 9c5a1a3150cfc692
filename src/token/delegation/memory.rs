//! A register that is asked seldom: its answers count for moments, and few lookups are under way at a time.
//!
//! Yes and no are remembered equally long, so a delegation holds and ends within that time, and a supplier
//! who asks for what it does not have costs the register one lookup. That a register could not tell is
//! remembered too, but only as long as it takes not to pay a time-out for every request while it is down; it
//! is remembered by question, because one that it chokes on must not stop the others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::Semaphore;

use crate::clock::Timestamp;
use crate::token::delegation::{Answer, DelegationQuestion, DelegationRegister, Verdict};
use crate::token::refusal::Refusal;

/// Answers that are remembered, of one register; one takes about 200 bytes.
const ANSWERS_MAX: u64 = 100_000;

/// Failures that are remembered, of one register.
const FAILURES_MAX: u64 = 10_000;

/// How long a failure is remembered. Clients that are told 503 wait longer before they try again.
const FAILURE_TIME: Duration = Duration::from_secs(1);

/// Lookups under way at one register. Others wait for their turn within the time they have; at 20 ms a
/// lookup that is 3,200 cold questions a second.
const LOOKUPS_MAX: usize = 64;

/// A register with a memory.
pub struct RememberedRegister<R> {
    register: R,
    name: String,
    time_max: Duration,
    answers: Cache<DelegationQuestion, Verdict>,
    failures: Cache<DelegationQuestion, Refusal>,
    lookups: Semaphore,
    /// Whether the last lookup failed, so that only a change is logged.
    failing: AtomicBool,
}

impl<R: DelegationRegister> RememberedRegister<R> {
    /// Puts a memory in front of `register`, which logs call `name`. An answer is waited for at most
    /// `time_max`, and counts for `remembered`.
    pub fn new(register: R, name: String, time_max: Duration, remembered: Duration) -> Self {
        let answers = Cache::builder().max_capacity(ANSWERS_MAX).time_to_live(remembered);
        let failures = Cache::builder().max_capacity(FAILURES_MAX).time_to_live(FAILURE_TIME);
        Self {
            register,
            name,
            time_max,
            answers: answers.build(),
            failures: failures.build(),
            lookups: Semaphore::new(LOOKUPS_MAX),
            failing: AtomicBool::new(false),
        }
    }

    /// Asks the register, unless it has just failed to answer this question. Only one of those who ask the
    /// same at the same time gets here.
    async fn look_up(
        &self,
        question: &DelegationQuestion,
        now: Timestamp,
    ) -> Result<Verdict, Refusal> {
        if let Some(failure) = self.failures.get(question).await {
            return Err(failure);
        }
        let lookup = async {
            // The semaphore is never closed; if it were, nobody could tell.
            let _turn = self.lookups.acquire().await.map_err(|_| self.unavailable("is closed"))?;
            self.register.ask(question, now).await
        };
        // The time is counted here and not by who asks: all who wait share this lookup and its end.
        let outcome = tokio::time::timeout(self.time_max, lookup).await.unwrap_or_else(|_| {
            Err(self.unavailable(&format!("has not answered within {:?}", self.time_max)))
        });
        self.note(&outcome);
        if let Err(failure) = &outcome {
            self.failures.insert(question.clone(), failure.clone()).await;
        }
        outcome
    }

    /// Logs that the register has begun to fail, or to answer again.
    fn note(&self, outcome: &Result<Verdict, Refusal>) {
        let register = self.name.as_str();
        match outcome {
            Ok(_) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!(register, "the delegation register answers again");
            }
            Err(failure) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(register, "the delegation register does not answer: {failure:?}");
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn unavailable(&self, what: &str) -> Refusal {
        Refusal::Unavailable { cause: format!("delegation register {} {what}", self.name) }
    }
}

impl<R: DelegationRegister> DelegationRegister for RememberedRegister<R> {
    fn ask<'a>(&'a self, question: &'a DelegationQuestion, now: Timestamp) -> Answer<'a> {
        Box::pin(async move {
            if let Some(verdict) = self.answers.get(question).await {
                return Ok(verdict);
            }
            let lookup = self.look_up(question, now);
            let answer = self.answers.try_get_with(question.clone(), lookup).await;
            answer.map_err(|failure| Refusal::clone(&failure))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use tokio::task::JoinSet;

    use super::*;

    /// Says yes after a while, and counts who asks.
    #[derive(Default)]
    struct Busy {
        now: AtomicUsize,
        most: AtomicUsize,
        total: AtomicUsize,
    }

    impl DelegationRegister for Arc<Busy> {
        fn ask<'a>(&'a self, _: &'a DelegationQuestion, _: Timestamp) -> Answer<'a> {
            Box::pin(async {
                self.total.fetch_add(1, Ordering::SeqCst);
                let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
                self.most.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(50)).await;
                self.now.fetch_sub(1, Ordering::SeqCst);
                Ok(Verdict::Delegated)
            })
        }
    }

    fn remembered(time_max: Duration) -> (Arc<Busy>, Arc<RememberedRegister<Arc<Busy>>>) {
        let busy = Arc::new(Busy::default());
        let hour = Duration::from_hours(1);
        let register = RememberedRegister::new(Arc::clone(&busy), "busy".into(), time_max, hour);
        (busy, Arc::new(register))
    }

    fn question(index: usize) -> DelegationQuestion {
        DelegationQuestion {
            consumer: "991825827".parse().unwrap(),
            supplier: "310000116".parse().unwrap(),
            scope: format!("a:{index}").parse().unwrap(),
        }
    }

    async fn ask(
        register: &RememberedRegister<Arc<Busy>>,
        index: usize,
    ) -> Result<Verdict, Refusal> {
        register.ask(&question(index), Timestamp::from_seconds(0)).await
    }

    #[tokio::test]
    async fn few_lookups_are_under_way_and_the_others_wait_for_their_turn() {
        let (busy, register) = remembered(Duration::from_mins(1));
        let mut tasks = JoinSet::new();
        for index in 0..3 * LOOKUPS_MAX {
            let register = Arc::clone(&register);
            tasks.spawn(async move { ask(&register, index).await });
        }
        assert!(tasks.join_all().await.iter().all(|answer| *answer == Ok(Verdict::Delegated)));
        assert_eq!(busy.most.load(Ordering::SeqCst), LOOKUPS_MAX);
        assert_eq!(busy.total.load(Ordering::SeqCst), 3 * LOOKUPS_MAX);
    }

    #[tokio::test]
    async fn the_wait_for_a_turn_counts_as_time() {
        let (busy, register) = remembered(Duration::from_millis(20));
        let _turns = register.lookups.acquire_many(64).await.unwrap();
        assert!(matches!(ask(&register, 0).await, Err(Refusal::Unavailable { .. })));
        assert_eq!(busy.total.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn one_who_goes_away_takes_nobody_along() {
        let (busy, register) = remembered(Duration::from_mins(1));
        let spawn = || {
            let register = Arc::clone(&register);
            tokio::spawn(async move { ask(&register, 0).await })
        };
        let first = spawn();
        while busy.total.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        let second = spawn();
        tokio::task::yield_now().await;
        first.abort();
        assert_eq!(second.await.unwrap(), Ok(Verdict::Delegated));
        assert_eq!(register.lookups.available_permits(), LOOKUPS_MAX);
    }
}
