//! What responders have told about certificates, as a trust set keeps it and judges by it.
//!
//! An answer counts until it ends, and an older one never takes the place of a newer one. What is kept has bounds: a
//! certificate of which nothing is kept is merely unknown.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use crate::clock::Timestamp;
use crate::domain::remote_url::RemoteUrl;
use crate::domain::trust::{OcspResponder, OcspRule};
use crate::pki::certificate::Certificate;
use crate::pki::ocsp::{OcspError, OcspKey, OcspStatus};
use crate::pki::revocation::{Status, Taken};

/// Certificates of which a trust set keeps what was told, at most; one takes about 150 bytes.
pub(super) const CERTIFICATES_MAX: usize = 20_000;

/// For how many seconds a chain that was accepted is remembered where responders are asked, at most. Whoever is judged
/// again is seen to be in use, and only what is in use is asked about ahead of time.
const REMEMBERED_SECONDS_MAX: i64 = 600;

/// The answers that a trust set knows, and the responders that they come from.
#[derive(Default)]
pub(in crate::pki) struct KnownAnswers {
    rule: OcspRule,
    urls: Vec<RemoteUrl>,
    generation: AtomicU64,
    told: RwLock<HashMap<OcspKey, Told>>,
    responders: Mutex<Vec<OcspResponder>>,
}

/// What is known of one certificate.
#[derive(Clone, Debug, Default)]
struct Told {
    /// The status, and when it was known to be right.
    word: Option<(OcspStatus, Timestamp)>,
    /// Why there is none, or no newer one.
    problem: Option<String>,
}

impl KnownAnswers {
    /// Nothing yet, of responders at these addresses.
    pub(super) fn new(rule: OcspRule, urls: Vec<RemoteUrl>) -> Self {
        let responders = urls.iter().map(|url| OcspResponder {
            url: url.as_str().to_owned(),
            last: None,
            problem: None,
            failing_since: None,
        });
        let responders = Mutex::new(responders.collect());
        Self { rule, urls, responders, ..Self::default() }
    }

    pub(in crate::pki) fn rule(&self) -> OcspRule {
        self.rule
    }

    /// Rises whenever a certificate is found to be revoked.
    pub(in crate::pki) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether an authority without a list is something to complain about.
    pub(in crate::pki) fn needs_lists(&self) -> bool {
        self.rule != OcspRule::Alternative
    }

    /// When a chain that is accepted now is to be judged again, if responders are asked.
    pub(in crate::pki) fn looked_at_again(&self, now: Timestamp) -> Option<Timestamp> {
        (self.rule != OcspRule::NotUsed).then(|| now.plus_seconds(REMEMBERED_SECONDS_MAX))
    }

    /// The first address in a certificate that is one of a configured responder, and which. A certificate says at which
    /// path of it, and nothing else.
    pub(super) fn responder_of(&self, certificate: &Certificate) -> Option<(usize, RemoteUrl)> {
        let known = |url: RemoteUrl| {
            let origin = |it: &RemoteUrl| (it.is_https(), it.host().clone(), it.port());
            let place = self.urls.iter().position(|its| origin(its) == origin(&url))?;
            Some((place, url))
        };
        certificate.ocsp_urls.iter().filter_map(|url| url.parse().ok()).find_map(known)
    }

    /// What lists and responders say together about a certificate, given its issuer's: either one's "revoked" is
    /// enough, and so is either one's "good".
    pub(in crate::pki) fn beside(
        &self,
        lists: Status,
        certificate: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Status {
        if self.rule == OcspRule::NotUsed {
            return lists;
        }
        match (lists, self.status(certificate, issuer, now)) {
            (Status::Revoked(reason), _) | (_, Status::Revoked(reason)) => Status::Revoked(reason),
            (Status::Good { until }, Status::Good { until: other }) => {
                Status::Good { until: until.max(other) }
            }
            (good @ Status::Good { .. }, _) | (_, good @ Status::Good { .. }) => good,
            (
                Status::Unknown { detail, good_until },
                Status::Unknown { detail: more, good_until: other },
            ) => {
                let detail = format!("{detail}; {more}");
                Status::Unknown { detail, good_until: good_until.max(other) }
            }
        }
    }

    fn status(&self, certificate: &Certificate, issuer: &Certificate, now: Timestamp) -> Status {
        let key = OcspKey::new(&issuer.subject, &issuer.spki, &certificate.serial);
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let Told { word, problem } = told.unwrap_or_default();
        let because = problem.map(|problem| format!(": {problem}")).unwrap_or_default();
        match word.map(|(status, _)| status) {
            Some(OcspStatus::Revoked { reason }) => Status::Revoked(reason),
            Some(OcspStatus::Good { until }) if now <= until => Status::Good { until },
            Some(OcspStatus::Good { until }) => Status::Unknown {
                detail: format!("the answer of its responder counted until {until}{because}"),
                good_until: Some(until),
            },
            None => {
                let detail = match (certificate.ocsp_urls.first(), self.responder_of(certificate)) {
                    (None, _) => "it names no responder".to_owned(),
                    (Some(url), None) => format!("its responder, {url:?}, is not configured"),
                    (Some(_), Some(_)) => format!("its responder has not told{because}"),
                };
                Status::Unknown { detail, good_until: None }
            }
        }
    }

    /// The word about a certificate that counts now, if there is one.
    pub(super) fn word(&self, key: &OcspKey, now: Timestamp) -> Option<OcspStatus> {
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        let (status, _) = told.get(key)?.word?;
        match status {
            OcspStatus::Good { until } if now > until => None,
            OcspStatus::Good { .. } | OcspStatus::Revoked { .. } => Some(status),
        }
    }

    /// Keeps what was told of a certificate; the error is that something newer is known.
    pub(super) fn keep(
        &self,
        key: OcspKey,
        status: OcspStatus,
        seen: Timestamp,
    ) -> Result<Taken, OcspError> {
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        let held = told.get(&key).and_then(|known| known.word);
        let is_revoked = |status: OcspStatus| matches!(status, OcspStatus::Revoked { .. });
        let status = match (held, status) {
            (Some((_, held)), _) if seen < held => return Err(OcspError::Older { held, seen }),
            // Of two that say the same moment, the one that revokes counts.
            (Some((known, held)), _) if seen == held && is_revoked(known) => {
                return Ok(Taken::Same);
            }
            // And of two that clear, the one that counts for longer: that may be the one that came first.
            (Some((OcspStatus::Good { until: known }, held)), OcspStatus::Good { until })
                if seen == held =>
            {
                OcspStatus::Good { until: until.max(known) }
            }
            (_, status) => status,
        };
        if !told.contains_key(&key) && told.len() >= CERTIFICATES_MAX {
            return Ok(Taken::Same);
        }
        told.insert(key, Told { word: Some((status, seen)), problem: None });
        drop(told);
        if is_revoked(status) && !held.is_some_and(|(known, _)| is_revoked(known)) {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        let is_same = held
            .is_some_and(|(known, held)| held == seen && is_revoked(known) == is_revoked(status));
        Ok(if is_same { Taken::Same } else { Taken::New })
    }

    /// Notes why nothing was told of a certificate.
    pub(super) fn note_silence(&self, key: OcspKey, problem: &str) {
        let mut told = self.told.write().unwrap_or_else(PoisonError::into_inner);
        if told.contains_key(&key) || told.len() < CERTIFICATES_MAX {
            told.entry(key).or_default().problem = Some(problem.to_owned());
        }
    }

    /// Forgets what is known of a certificate.
    pub(super) fn forget(&self, key: &OcspKey) {
        self.told.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Of how many certificates the status is known, or was.
    pub(in crate::pki) fn certificates(&self) -> usize {
        let told = self.told.read().unwrap_or_else(PoisonError::into_inner);
        told.values().filter(|told| told.word.is_some()).count()
    }

    /// How the responders are.
    pub(in crate::pki) fn responders(&self) -> Vec<OcspResponder> {
        self.lock().clone()
    }

    /// What is wrong with the responders.
    pub(in crate::pki) fn complaints(&self) -> Vec<String> {
        let complaint = |it: &OcspResponder| {
            let since = it.failing_since?;
            let problem = it.problem.as_deref().unwrap_or_default();
            Some(format!("the responder {} has told nothing since {since}: {problem}", it.url))
        };
        self.lock().iter().filter_map(complaint).collect()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<OcspResponder>> {
        self.responders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_bounds() {
        let known = KnownAnswers::new(OcspRule::Fallback, Vec::new());
        let key = |serial: usize| OcspKey::new(&[], &[], &serial.to_be_bytes());
        let now = Timestamp::from_seconds(1_000);
        let good = OcspStatus::Good { until: now };
        for serial in 0..CERTIFICATES_MAX {
            assert_eq!(known.keep(key(serial), good, now), Ok(Taken::New));
        }
        let one_more = key(CERTIFICATES_MAX);
        assert_eq!(known.keep(one_more, good, now), Ok(Taken::Same));
        known.note_silence(one_more, "nothing");
        assert_eq!(known.certificates(), CERTIFICATES_MAX);
        assert_eq!(known.word(&one_more, now), None);
        known.forget(&key(0));
        assert_eq!(known.keep(one_more, good, now), Ok(Taken::New));
        assert_eq!(known.word(&one_more, now), Some(good));
        assert_eq!(known.word(&one_more, now.plus_seconds(1)), None);
    }

    #[test]
    fn of_one_moment_the_word_that_revokes_counts_and_else_the_one_that_counts_for_longer() {
        let known = KnownAnswers::new(OcspRule::Fallback, Vec::new());
        let key = OcspKey::new(&[], &[], &[1]);
        let at = Timestamp::from_seconds;
        let good = |until| OcspStatus::Good { until: at(until) };
        assert_eq!(known.keep(key, good(300), at(0)), Ok(Taken::New));
        assert_eq!(known.keep(key, good(200), at(0)), Ok(Taken::Same));
        assert_eq!(known.word(&key, at(0)), Some(good(300)));
        assert_eq!(known.keep(key, good(400), at(0)), Ok(Taken::Same));
        assert_eq!(known.word(&key, at(0)), Some(good(400)));
        let revoked = OcspStatus::Revoked { reason: "keyCompromise" };
        assert_eq!(known.keep(key, revoked, at(0)), Ok(Taken::New));
        assert_eq!(known.keep(key, good(500), at(0)), Ok(Taken::Same));
        assert_eq!(known.word(&key, at(0)), Some(revoked));
    }
}
