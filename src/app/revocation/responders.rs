//! Responders that are asked about the certificates that are in use: at first sight, and then again and again ahead of
//! the end of what they have told.
//!
//! A request waits for the first answer about its certificate, a moment; never for one that is asked for again, be it
//! that nothing came, and never for a responder that told nothing when it was asked last. What was told before the server
//! started is recalled when its certificate is seen first (`keeping`). However many use a certificate, it is asked about
//! once at a time, and one host is asked few questions at a time.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::app::AppError;
use crate::app::revocation::answers::Kept;
use crate::app::revocation::asked::{Asked, AskedKey, is_under_way};
use crate::app::revocation::fetching::Outcome;
use crate::app::revocation::keeping::Keeping;
use crate::app::revocation::schedule;
use crate::clock::{Clock, HOUR_SECONDS, Random, Timestamp};
use crate::config::{self, Config, OcspNonce, Revocation};
use crate::domain::remote_url::{Host, RemoteUrl};
use crate::domain::trust::OcspRule;
use crate::pki::ocsp::{
    OCSP_NONCE_BYTES, OCSP_RESPONSE_BYTES_MAX, OcspError, OcspOutcome, OcspRules, OcspStatus,
};
use crate::pki::revocation::Taken;
use crate::pki::trust_set::TrustSet;
use crate::remote::ocsp::ResponderClient;
use crate::remote::outbound::OutboundRules;
use crate::telemetry::AnswerCounts;
use crate::token::responders::{self, OcspWanted};

/// How long a request waits for what is not known yet. With the rest of its work it is to take less than two seconds.
const HOLD_TIME_MAX: Duration = Duration::from_millis(1_500);

/// Requests that wait at the same time. Beyond that they go on with what is known.
const HELD_MAX: usize = 512;

/// Questions under way at one host. Others wait for their turn.
const QUESTIONS_OF_HOST_MAX: usize = 4;

/// Questions under way or waiting for their turn. Beyond that they are asked when somebody comes back for them.
const QUESTIONS_MAX: usize = 512;

/// How often it is looked which answers are to be asked for again.
const LOOK: Duration = Duration::from_secs(1);

/// Looks between two times that answers which are over are removed from the disk: an hour.
const LOOKS_PER_CLEANING: usize = 3_600;

/// Asks responders for the trust sets that want it.
pub(super) struct Responders(Arc<Asking>);

struct Asking {
    sets: Arc<[TrustSet]>,
    /// Seconds that what was told is of use after it has ended, for each set.
    grace_seconds: Vec<i64>,
    client: ResponderClient,
    settings: config::Ocsp,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    counts: AnswerCounts,
    asked: Mutex<Asked>,
    hosts: HashMap<Host, Semaphore>,
    held: Semaphore,
    questions: Arc<Semaphore>,
    rules: OcspRules,
    keeping: Arc<Keeping>,
}

/// What a request waits for to know one certificate: what is kept of it, and if that does not tell, what its responder
/// says.
struct Wait {
    key: AskedKey,
    recall: Option<watch::Receiver<()>>,
    flight: Option<watch::Receiver<()>>,
}

/// Waits for the end of something; it never says anything but that.
async fn ended(task: Option<watch::Receiver<()>>) {
    if let Some(mut task) = task {
        let _ = task.changed().await;
    }
}

impl Responders {
    /// Somebody who asks, if any of the trust sets wants it.
    pub(super) fn new(
        config: &Config,
        rules: &OutboundRules,
        sets: &Arc<[TrustSet]>,
        clock: &Arc<dyn Clock>,
        random: &Arc<dyn Random>,
        counts: AnswerCounts,
    ) -> Result<Option<Self>, AppError> {
        if config.trust.iter().all(|set| set.ocsp == OcspRule::NotUsed) {
            return Ok(None);
        }
        let urls: Vec<RemoteUrl> =
            config.trust.iter().flat_map(|set| set.ocsp_responders.iter().cloned()).collect();
        let client = ResponderClient::new(rules, &urls, OCSP_RESPONSE_BYTES_MAX)
            .map_err(AppError::Responders)?;
        let grace = |set: &config::TrustSet| match set.revocation {
            Revocation::SoftFail { hours } => i64::from(hours) * HOUR_SECONDS,
            Revocation::HardFail | Revocation::NotChecked => 0,
        };
        let hosts = urls.iter().map(|url| url.host().clone());
        let rules = OcspRules {
            age_seconds_max: i64::try_from(config.ocsp.answer.as_secs()).unwrap_or(i64::MAX),
            nonce_required: config.ocsp.nonce == OcspNonce::Required,
        };
        let grace_seconds: Vec<i64> = config.trust.iter().map(grace).collect();
        let grace_max = grace_seconds.iter().max().copied().unwrap_or_default();
        let folder = &config.revocation_lists.folder;
        let keeping = Arc::new(Keeping::new(folder, sets, rules, grace_max));
        Ok(Some(Self(Arc::new(Asking {
            sets: Arc::clone(sets),
            grace_seconds,
            client,
            settings: config.ocsp,
            clock: Arc::clone(clock),
            random: Arc::clone(random),
            counts,
            asked: Mutex::default(),
            hosts: hosts.map(|host| (host, Semaphore::new(QUESTIONS_OF_HOST_MAX))).collect(),
            held: Semaphore::new(HELD_MAX),
            questions: Arc::new(Semaphore::new(QUESTIONS_MAX)),
            rules,
            keeping,
        }))))
    }

    /// Asks ahead of the end of what is known, until it is dropped.
    pub(super) fn refresh(&self) -> impl Future<Output = ()> + Send + use<> {
        let asking = Arc::clone(&self.0);
        async move {
            loop {
                asking.keeping.clean(asking.clock.now()).await;
                for _ in 0..LOOKS_PER_CLEANING {
                    tokio::time::sleep(LOOK).await;
                    asking.look();
                }
            }
        }
    }
}

impl responders::Responders for Responders {
    fn settle(
        &self,
        wanted: Vec<(usize, OcspWanted)>,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.0.settle(wanted, now))
    }
}

impl Asking {
    async fn settle(self: &Arc<Self>, wanted: Vec<(usize, OcspWanted)>, now: Timestamp) {
        let waits = self.waits(wanted, now);
        if waits.is_empty() {
            return;
        }
        let Ok(_held) = self.held.try_acquire() else { return };
        let all = async {
            for Wait { key: (place, key), recall, flight } in waits {
                ended(recall).await;
                if self.sets[place].ocsp_status(&key, now).is_none() {
                    ended(flight).await;
                }
            }
        };
        // What is not known in time is unknown.
        let _ = tokio::time::timeout(HOLD_TIME_MAX, all).await;
    }

    /// Notes that these certificates are in use, and sees to it that what is not known of them is asked. What is worth
    /// waiting for comes back.
    fn waits(self: &Arc<Self>, wanted: Vec<(usize, OcspWanted)>, now: Timestamp) -> Vec<Wait> {
        let mut waits = Vec::new();
        let mut asked = self.lock();
        for (place, wanted) in wanted {
            let (key, responder) = ((place, wanted.question.key()), wanted.responder);
            let set = &self.sets[place];
            let is_new = asked.of(&key).is_none();
            if is_new && asked.is_full() {
                self.forget(&asked.drop_idle(now, |place| self.grace_seconds[place]));
            }
            let entry = asked.see(key, wanted, now);
            if is_new {
                entry.recall = self.keeping.recall(key, entry.wanted.question.clone(), now);
            }
            if set.ocsp_status(&key.1, now).is_some() {
                continue;
            }
            if !entry.is_under_way() && entry.next <= now {
                entry.flight = self.start(key);
            }
            let is_first = entry.failures == 0 && !set.responder_fails(responder);
            let flight = entry.flight.clone().filter(|_| is_first);
            let wait = Wait { key, recall: entry.recall.clone(), flight };
            if wait.recall.is_some() || wait.flight.is_some() {
                waits.push(wait);
            }
        }
        waits
    }

    /// Asks for what is to be asked for again, and forgets what is not in use.
    fn look(self: &Arc<Self>) {
        let now = self.clock.now();
        let mut asked = self.lock();
        self.forget(&asked.drop_idle(now, |place| self.grace_seconds[place]));
        for key in asked.due(now, self.settings.refresh) {
            if let Some(entry) = asked.of(&key) {
                entry.flight = self.start(key);
            }
        }
    }

    fn forget(&self, keys: &[AskedKey]) {
        for (place, key) in keys {
            self.sets[*place].forget_ocsp(key);
        }
    }

    /// Begins to ask about a certificate, unless there is too much to ask already.
    fn start(self: &Arc<Self>, key: AskedKey) -> Option<watch::Receiver<()>> {
        let turn = Arc::clone(&self.questions).try_acquire_owned().ok()?;
        let (done, flight) = watch::channel(());
        let asking = Arc::clone(self);
        tokio::spawn(async move {
            asking.ask(key).await;
            drop((done, turn));
        });
        Some(flight)
    }

    async fn ask(&self, key: AskedKey) {
        let wanted = self.lock().of(&key).map(|entry| entry.wanted.clone());
        let Some(wanted) = wanted else { return };
        let url = &wanted.url;
        let Some(host) = self.hosts.get(url.host()) else { return };
        // The semaphore is never closed.
        let turn = host.acquire().await;
        let nonce = self.nonce();
        let question = wanted.question.with_nonce(nonce);
        let answer = self.client.ask(url, &question.to_der()).await;
        drop(turn);
        let (now, set) = (self.clock.now(), &self.sets[key.0]);
        let judged = answer.map(|bytes| {
            let taken = set.take_ocsp(&question, &bytes, self.rules, now)?;
            self.keeping.keep(key, taken, Kept { received: now, nonce, bytes });
            Ok(taken)
        });
        // A responder that does not know one certificate may well know all others; one that signs in advance says
        // "unauthorized" of it (RFC 5019 section 2.2.3).
        let is_failing = !matches!(
            judged,
            Ok(Ok(_)
                | Err(OcspError::Unknown
                    | OcspError::Older { .. }
                    | OcspError::Refused("unauthorized")))
        );
        // A status in place of an answer is told by its name (RFC 6960 section 4.2.1).
        let status = match &judged {
            Ok(Err(OcspError::Refused(status))) => Some(*status),
            _ => None,
        };
        let outcome = match judged {
            Ok(Ok(Taken::New)) => Outcome::Taken,
            Ok(Ok(Taken::Same)) => Outcome::Unchanged,
            Ok(Err(error)) => Outcome::Refused(error.to_string()),
            Err(problem) => Outcome::Failed(problem),
        };
        let outcome = OcspOutcome {
            responder: wanted.responder,
            result: status.unwrap_or_else(|| outcome.name()),
            problem: outcome.problem(),
            is_failing,
        };
        self.note(key, url, &outcome, now);
    }

    /// Notes what has come of a question, and when to ask the next one.
    fn note(&self, key: AskedKey, url: &RemoteUrl, outcome: &OcspOutcome<'_>, now: Timestamp) {
        let OcspOutcome { result, problem, is_failing, .. } = *outcome;
        let set = &self.sets[key.0];
        let trust_set = set.name();
        self.counts.answered(result);
        if let Some(problem) = problem {
            set.note_ocsp_silence(key.1, problem);
        }
        let is_news = set.note_responder(outcome, now);
        match problem {
            Some(problem) if is_news && is_failing => {
                tracing::error!(trust_set, "the responder at {url} tells nothing: {problem}");
            }
            _ if is_news => tracing::info!(trust_set, "the responder at {url} tells again"),
            _ => {}
        }
        let left = match set.ocsp_status(&key.1, now) {
            Some(OcspStatus::Good { until }) => Some(until.seconds().saturating_sub(now.seconds())),
            Some(OcspStatus::Revoked { .. }) => None,
            None => Some(0),
        };
        let left = left.map(|left| Duration::from_secs(u64::try_from(left).unwrap_or_default()));
        let mut chance = [0];
        self.random.fill(&mut chance);
        let mut asked = self.lock();
        let Some(entry) = asked.of(&key) else { return };
        if let Some(problem) = problem
            && !is_failing
            && entry.failures == 0
        {
            tracing::info!(trust_set, "the responder at {url} does not tell of one: {problem}");
        }
        entry.failures = if problem.is_some() { entry.failures.saturating_add(1) } else { 0 };
        let wait = schedule::wait(self.settings.refresh, entry.failures, left, chance[0]);
        entry.next = now.plus_seconds(i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).max(1));
        entry.flight = None;
        entry.recall = entry.recall.take().filter(is_under_way);
    }

    fn nonce(&self) -> Option<[u8; OCSP_NONCE_BYTES]> {
        let mut nonce = [0; OCSP_NONCE_BYTES];
        self.random.fill(&mut nonce);
        (self.settings.nonce != OcspNonce::None).then_some(nonce)
    }

    fn lock(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
