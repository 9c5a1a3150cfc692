//! Sends the requests of a load, and sorts the answers.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Client, Url};
use serde_json::Value;
use tokio::sync::{Mutex as TurnMutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cli::failure::Failure;
use crate::cli::load::schedule::Schedule;
use crate::cli::load::supply::{Signed, Signing, Supply};
use crate::cli::load::tally::{Ended, Outcome, Tally};
use crate::cli::output::Progress;
use crate::cli::server;
use crate::cli::token::request::form;
use crate::clock::{Clock as _, SystemClock};

/// How quickly requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// So many a second, whatever becomes of them.
    Rate { per_second: u32 },
    /// So many under way at a time.
    Concurrency { at_a_time: u32 },
}

/// When a load is over.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// After so many requests.
    AfterRequests(u32),
    /// After so many seconds.
    AfterSeconds(u32),
}

impl End {
    /// How many requests that is at a rate.
    pub(super) fn requests(self, per_second: u32) -> u64 {
        match self {
            Self::AfterRequests(requests) => requests.into(),
            Self::AfterSeconds(seconds) => u64::from(per_second) * u64::from(seconds),
        }
    }
}

/// Where requests go.
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) endpoint: Url,
}

/// Requests under way at a time when they are sent at a rate: with more, the sockets of one machine would run out.
/// What is due beyond is sent later, and its time counts from when it was due.
const UNDER_WAY_MAX: usize = 10_000;

impl Target {
    /// Sends a token request and sorts the answer.
    async fn send(&self, signed: &Signed) -> Outcome {
        let request = self.client.post(self.endpoint.clone()).form(&form(&signed.assertion));
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Unanswered(no_answer(&error)),
        };
        let Ok(answer) = server::read(&self.endpoint, answer).await else {
            return Outcome::Unanswered("the answer broke off");
        };
        let reply: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        match (reply["access_token"].is_string(), reply["error"].as_str(), signed.is_bad) {
            (true, _, false) => Outcome::Issued,
            (true, _, true) => Outcome::Failed("a token for a wrong signature".to_owned()),
            (false, Some("invalid_grant"), true) => Outcome::Refused,
            (false, error, _) => {
                let error = error.unwrap_or("no OAuth error");
                Outcome::Failed(format!("{} {error}", answer.status.as_u16()))
            }
        }
    }
}

fn no_answer(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke off"
    }
}

/// Holds that an assertion is good once.
pub(super) async fn refuses_replays(target: &Target, signing: &Signing) -> Result<(), Failure> {
    let assertion = signing.good(0)?;
    let once = Signed::now(assertion, false);
    let first = target.send(&once).await;
    if let Some(wrong) = first.wrong() {
        let message = format!("{}: before the load, the first request: {wrong}", target.endpoint);
        return Err(match first {
            Outcome::Unanswered(_) => Failure::unreachable(message),
            _ => Failure::failed(message),
        });
    }
    let twice = Signed { is_bad: true, ..once };
    match target.send(&twice).await {
        Outcome::Refused => Ok(()),
        _ => Err(Failure::failed(
            "an assertion that was sent twice was not refused the second time: figures of a server that does not \
             check mean nothing",
        )),
    }
}

/// A load under way.
struct Load {
    target: Arc<Target>,
    supply: TurnMutex<Supply>,
    tally: Mutex<Tally>,
    /// When it began, as the clock's uptime.
    began: Duration,
    end: End,
    /// Requests that have been begun with a number under way at a time.
    begun: AtomicU32,
}

/// Loads the target until that end.
pub(super) async fn run(
    target: Arc<Target>,
    supply: Supply,
    pace: Pace,
    end: End,
) -> Result<Tally, Failure> {
    let load = Arc::new(Load {
        target,
        supply: TurnMutex::new(supply),
        tally: Mutex::default(),
        began: SystemClock.uptime(),
        end,
        begun: AtomicU32::new(0),
    });
    let progress = tokio::spawn(show_progress(Arc::clone(&load)));
    let done = match pace {
        Pace::Rate { per_second } => load.clone().at_rate(per_second).await,
        Pace::Concurrency { at_a_time } => load.clone().at_a_time(at_a_time).await,
    };
    progress.abort();
    done?;
    let mut tally = std::mem::take(&mut *load.tally());
    tally.lasted = load.elapsed();
    Ok(tally)
}

impl Load {
    fn elapsed(&self) -> Duration {
        SystemClock.uptime().saturating_sub(self.began)
    }

    /// Whether one more request is to be begun.
    fn goes_on(&self) -> bool {
        match self.end {
            End::AfterRequests(requests) => {
                let next = |begun| (begun < requests).then_some(begun + 1);
                self.begun.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
            }
            End::AfterSeconds(seconds) => self.elapsed() < Duration::from_secs(seconds.into()),
        }
    }

    fn tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn next(&self) -> Result<Signed, Failure> {
        self.supply.lock().await.next().await
    }

    async fn send(&self, signed: &Signed, due: Duration) {
        let begun = self.elapsed();
        let late = begun.saturating_sub(due);
        let outcome = self.target.send(signed).await;
        // One that was sent a moment before it was due has not been quicker for that.
        let took = self.elapsed().saturating_sub(due.min(begun));
        self.tally().add(Ended { outcome, due, late, took });
    }

    /// Sends requests when they are due, however the earlier ones fare.
    async fn at_rate(self: Arc<Self>, per_second: u32) -> Result<(), Failure> {
        let places = Arc::new(Semaphore::new(UNDER_WAY_MAX));
        let mut under_way = JoinSet::new();
        let mut schedule = Schedule::start(self.end.requests(per_second), per_second, self.began);
        while let Some(due) = schedule.next().await {
            let signed = self.next().await?;
            // The semaphore is never closed.
            let place = Arc::clone(&places).acquire_owned().await;
            let load = Arc::clone(&self);
            under_way.spawn(async move {
                load.send(&signed, due).await;
                drop(place);
            });
            while under_way.try_join_next().is_some() {}
        }
        under_way.join_all().await;
        Ok(())
    }

    /// Keeps so many requests under way until the load is over.
    async fn at_a_time(self: Arc<Self>, at_a_time: u32) -> Result<(), Failure> {
        let mut senders = JoinSet::new();
        for _ in 0..at_a_time {
            let load = Arc::clone(&self);
            senders.spawn(async move {
                while load.goes_on() {
                    let signed = load.next().await?;
                    load.send(&signed, load.elapsed()).await;
                }
                Ok(())
            });
        }
        senders.join_all().await.into_iter().collect()
    }
}

/// Tells on a terminal, once a second, how it goes.
async fn show_progress(load: Arc<Load>) {
    let mut progress = Progress::on_terminal();
    let mut shown = 0;
    loop {
        sleep(Duration::from_secs(1)).await;
        let (answered, failed, p99) = {
            let tally = load.tally();
            (tally.outcomes.values().sum::<u64>(), tally.failed(), tally.times.percentile(99.0))
        };
        let whole = match load.end {
            End::AfterRequests(requests) => format!("{answered:>9} of {requests}"),
            End::AfterSeconds(seconds) => {
                format!("{:>4} of {seconds} s", load.elapsed().as_secs())
            }
        };
        progress.show(&format!(
            "{whole}  {:>7}/s  p99 {p99:>8.2} ms  {failed} failed",
            answered - shown
        ));
        shown = answered;
    }
}
