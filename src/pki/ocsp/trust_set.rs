//! A trust set and its responders: what is to be asked about a chain, and what their answers come to.

use crate::clock::Timestamp;
use crate::domain::remote_url::RemoteUrl;
use crate::domain::trust::OcspRule;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::ocsp::known::KnownAnswers;
use crate::pki::ocsp::{OCSP_NONCE_BYTES, OcspError, OcspKey, OcspQuestion, OcspRules, OcspStatus};
use crate::pki::path::Path;
use crate::pki::revocation::{Status, Taken};
use crate::pki::trust_set::TrustSet;

/// A question that a trust set wants to have answered.
#[derive(Clone, Debug)]
pub struct OcspWanted {
    /// The question, without a nonce.
    pub question: OcspQuestion,
    /// Which of the responders of the set it is for.
    pub responder: usize,
    /// Where it is put.
    pub url: RemoteUrl,
}

/// What has come of asking a responder.
#[derive(Clone, Debug)]
pub struct OcspOutcome<'a> {
    /// Which of the responders of the set it was.
    pub responder: usize,
    /// Its name: taken, unchanged, failed, refused, or the status that came in place of an answer, such as tryLater.
    pub result: &'static str,
    /// What was wrong, if something was.
    pub problem: Option<&'a str>,
    /// Whether it tells nothing, so that people should know; that it does not know one certificate is no such thing.
    pub is_failing: bool,
}

impl TrustSet {
    /// The set, asking the responders at these addresses. A certificate is asked about where it says itself, if the
    /// scheme, host and port of that are those of one of them.
    #[must_use]
    pub fn asking(mut self, rule: OcspRule, responders: Vec<RemoteUrl>) -> Self {
        self.ocsp = KnownAnswers::new(rule, responders);
        self
    }

    /// What to ask the responders of the issuers about each certificate of the path that the chain has, leaf first; empty
    /// if it has none. `nonces` makes random bytes, where a nonce is to be sent.
    pub fn ocsp_questions(
        &self,
        chain: &CertificateChain,
        now: Timestamp,
        mut nonces: impl FnMut() -> Option<[u8; OCSP_NONCE_BYTES]>,
    ) -> Vec<OcspQuestion> {
        let (authorities, crls) = (self.authorities(), self.crls());
        let found = self.judge(&authorities, &crls, now).find(chain);
        let pairs = found.path.iter().flat_map(Path::issued);
        pairs
            .map(|(certificate, issuer)| OcspQuestion::new(certificate, issuer, nonces()))
            .collect()
    }

    /// What should be known from responders to judge this chain, known or not; nothing, if it is refused for another
    /// reason than revocation.
    pub fn ocsp_wanted(&self, chain: &CertificateChain, now: Timestamp) -> Vec<OcspWanted> {
        if self.ocsp.rule() == OcspRule::NotUsed {
            return Vec::new();
        }
        let (authorities, crls) = (self.authorities(), self.crls());
        let found = self.judge(&authorities, &crls, now).find(chain);
        let about_revocation = |it: &PkiError| {
            matches!(it, PkiError::RevocationUnknown { .. } | PkiError::Revoked { .. })
        };
        if !found.refusal.as_ref().is_none_or(about_revocation) {
            return Vec::new();
        }
        let wanted =
            found.path.iter().flat_map(Path::issued).filter_map(|(certificate, issuer)| {
                let (responder, url) = self.ocsp.responder_of(certificate)?;
                let by_lists = || crls.status(certificate, issuer, now);
                let is_wanted = self.ocsp.rule() == OcspRule::Alternative
                    || matches!(by_lists(), Status::Unknown { .. });
                let question = OcspQuestion::new(certificate, issuer, None);
                is_wanted.then_some(OcspWanted { question, responder, url })
            });
        wanted.collect()
    }

    /// The status of a certificate that counts now, if its responder has told one.
    pub fn ocsp_status(&self, key: &OcspKey, now: Timestamp) -> Option<OcspStatus> {
        self.ocsp.word(key, now)
    }

    /// Judges an answer to a question as of `now`, and chains by it from now on.
    ///
    /// # Errors
    ///
    /// Whatever keeps the answer from telling anything, and that a newer one is known; what was known stays.
    pub fn take_ocsp(
        &self,
        question: &OcspQuestion,
        answer: &[u8],
        rules: OcspRules,
        now: Timestamp,
    ) -> Result<Taken, OcspError> {
        let (status, seen) = question.judge_dated(answer, rules, now)?;
        self.ocsp.keep(question.key(), status, seen)
    }

    /// Notes why a responder has not told the status of a certificate, for whoever is refused for it.
    pub fn note_ocsp_silence(&self, key: OcspKey, problem: &str) {
        self.ocsp.note_silence(key, problem);
    }

    /// Forgets what responders have told about a certificate.
    pub fn forget_ocsp(&self, key: &OcspKey) {
        self.ocsp.forget(key);
    }

    /// Notes what has come of asking a responder. The answer is whether it has just begun to fail, or to fail otherwise, or
    /// to tell again.
    pub fn note_responder(&self, outcome: &OcspOutcome<'_>, now: Timestamp) -> bool {
        let mut responders = self.ocsp.lock();
        let Some(its) = responders.get_mut(outcome.responder) else { return false };
        // While it fails, what came last is how.
        let failed = its.failing_since.and(its.last).map(|(_, result)| result);
        its.last = Some((now, outcome.result));
        its.problem = outcome.problem.map(str::to_owned);
        its.failing_since = outcome.is_failing.then(|| its.failing_since.unwrap_or(now));
        failed != outcome.is_failing.then_some(outcome.result)
    }

    /// Whether a responder has told nothing when it was asked last.
    pub fn responder_fails(&self, responder: usize) -> bool {
        self.ocsp.lock().get(responder).is_some_and(|its| its.failing_since.is_some())
    }
}
