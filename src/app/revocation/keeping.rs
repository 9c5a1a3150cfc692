//! What responders have told is kept for the next start, and recalled when a certificate is seen first.
//!
//! What is kept is judged by the question as it was then, and as of the moment at which the answer came, so that it counts
//! as it did and ends when it would have ended. All of it happens beside the requests, and none depends on it: what
//! cannot be kept is asked for again.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{Semaphore, watch};

use crate::app::revocation::answers::{Answers, Kept};
use crate::app::revocation::asked::AskedKey;
use crate::clock::{DAY_SECONDS, Timestamp};
use crate::pki::ocsp::{OcspError, OcspQuestion, OcspRules, OcspStatus};
use crate::pki::revocation::Taken;
use crate::pki::trust_set::TrustSet;

/// Answers that are read from the disk or written to it at the same time. Beyond that the disk is in trouble, and the
/// server goes on without it.
const DISK_TURNS: usize = 64;

/// How long answers stay, at least: those that revoke do not end, and whoever has one comes back.
const SECONDS_MIN: i64 = 7 * DAY_SECONDS;

/// The folder of answers, in that of the lists that were fetched.
const ANSWERS: &str = "answers";

/// Keeps answers for the trust sets.
pub(super) struct Keeping {
    sets: Arc<[TrustSet]>,
    rules: OcspRules,
    /// Seconds after which what is kept goes.
    seconds_max: i64,
    answers: Answers,
    disk: Arc<Semaphore>,
}

impl Keeping {
    /// Keeps in `folder` what counts by these rules, and is of use for `grace_seconds` more at most.
    pub(super) fn new(
        folder: &Path,
        sets: &Arc<[TrustSet]>,
        rules: OcspRules,
        grace_seconds: i64,
    ) -> Self {
        Self {
            sets: Arc::clone(sets),
            rules,
            seconds_max: rules.age_seconds_max.saturating_add(grace_seconds).max(SECONDS_MIN),
            answers: Answers::new(folder.join(ANSWERS)),
            disk: Arc::new(Semaphore::new(DISK_TURNS)),
        }
    }

    /// Begins to take what is kept of a certificate into use. Whoever waits for it sees the end of it.
    pub(super) fn recall(
        self: &Arc<Self>,
        key: AskedKey,
        question: OcspQuestion,
        now: Timestamp,
    ) -> Option<watch::Receiver<()>> {
        let turn = Arc::clone(&self.disk).try_acquire_owned().ok()?;
        let (done, recall) = watch::channel(());
        let keeping = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            if let Err(problem) = keeping.take_kept(key, &question, now) {
                let trust_set = keeping.sets[key.0].name();
                tracing::warn!(trust_set, "a kept answer of a responder is not used: {problem}");
            }
            drop((done, turn));
        });
        Some(recall)
    }

    fn take_kept(
        &self,
        (place, key): AskedKey,
        question: &OcspQuestion,
        now: Timestamp,
    ) -> Result<(), String> {
        let set = &self.sets[place];
        let read = self.answers.read(set.name(), key.as_bytes());
        let Some(kept) = read.map_err(|problem| problem.to_string())? else { return Ok(()) };
        if kept.received > now {
            return Err(format!("it came at {}, which is to come", kept.received));
        }
        if self.rules.nonce_required && kept.nonce.is_none() {
            return Err(OcspError::Nonce.to_string());
        }
        let question = question.with_nonce(kept.nonce);
        match set.take_ocsp(&question, &kept.bytes, self.rules, kept.received) {
            // The responder may have been faster than the disk.
            Ok(_) | Err(OcspError::Older { .. }) => Ok(()),
            Err(problem) => Err(problem.to_string()),
        }
    }

    /// Begins to keep an answer that has been taken into use.
    pub(super) fn keep(self: &Arc<Self>, key: AskedKey, taken: Taken, kept: Kept) {
        let status = self.sets[key.0].ocsp_status(&key.1, kept.received);
        // One that clears does not take the place of one that revokes, of the same moment.
        let counts = taken == Taken::New || matches!(status, Some(OcspStatus::Good { .. }));
        if !counts {
            return;
        }
        let Ok(turn) = Arc::clone(&self.disk).try_acquire_owned() else { return };
        let keeping = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            let trust_set = keeping.sets[key.0].name();
            if let Err(problem) = keeping.answers.write(trust_set, key.1.as_bytes(), &kept) {
                tracing::warn!(trust_set, "an answer is in use, but not kept: {problem}");
            }
            drop(turn);
        });
    }

    /// Removes what is old.
    pub(super) async fn clean(self: &Arc<Self>, now: Timestamp) {
        let then = Timestamp::from_seconds(now.seconds().saturating_sub(self.seconds_max));
        let keeping = Arc::clone(self);
        let cleaned = tokio::task::spawn_blocking(move || keeping.answers.drop_older(then)).await;
        if let Ok(Err(problem)) = cleaned {
            tracing::warn!("old answers of responders cannot be removed: {problem}");
        }
    }
}
