//! Choosing among the paths of a chain: the first that passes every check.
//!
//! All routes are tried, in a fixed order, so that a revoked or expired one does not hide another
//! that is good (RFC 4158 section 2). When none passes, the first one says why.

use std::cell::RefCell;

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::chain::CertificateChain;
use crate::pki::checks::{CHECKS, Examination};
use crate::pki::error::PkiError;
use crate::pki::ocsp::KnownAnswers;
use crate::pki::path::{self, Anchor, Path, Search};
use crate::pki::revocation::CrlSet;
use crate::pki::trust_set::TrustRules;

/// All that a chain is judged by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) trust_set: &'a str,
    pub(super) anchors: &'a [Anchor],
    pub(super) intermediates: &'a [Certificate],
    pub(super) rules: &'a TrustRules,
    pub(super) crls: &'a CrlSet,
    pub(super) ocsp: &'a KnownAnswers,
    pub(super) now: Timestamp,
}

/// What a search came to.
pub(super) struct Found<'a> {
    /// The path that passed, or the first that did not; `None` if there is none at all.
    pub(super) path: Option<Path<'a>>,
    /// Why the chain is refused; `None` if it is not.
    pub(super) refusal: Option<PkiError>,
    /// The last moment for which an acceptance holds.
    pub(super) until: Timestamp,
}

impl<'a> Judge<'a> {
    /// The first path that passes every check, or else the first path and why it does not pass.
    pub(super) fn find(&self, chain: &'a CertificateChain) -> Found<'a> {
        let now = self.now;
        let search = Search::new(chain, self.anchors, self.intermediates);
        let found: RefCell<Option<Found<'a>>> = RefCell::new(None);
        let judge = |path: Path<'a>| {
            let verdict = self.judge(&path);
            let accepted = verdict.is_ok();
            let mut found = found.borrow_mut();
            if accepted || found.is_none() {
                let (until, refusal) = match verdict {
                    Ok(until) => (until, None),
                    Err(error) => (now, Some(error)),
                };
                *found = Some(Found { path: Some(path), refusal, until });
            }
            accepted
        };
        let outcome = search.run(now, judge);
        if let Some(found) = found.take() {
            return found;
        }
        let refused = outcome.err().unwrap_or(webpki::Error::UnknownIssuer);
        if matches!(
            refused,
            webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }
        ) {
            // A path that held when the leaf was issued tells what has ended since; whatever it
            // tells, this search cannot accept.
            let _ = search.run(chain.leaf().not_before, |path| {
                judge(path);
                true
            });
        }
        found.take().filter(|found| found.refusal.is_some()).unwrap_or_else(|| Found {
            path: None,
            refusal: Some(self.explain(&refused, chain)),
            until: now,
        })
    }

    /// What a search means that found no path. What ails a chain that leads nowhere near the authorities here, such as
    /// something expired beside it, says nothing about what other authorities make of it.
    fn explain(&self, refused: &webpki::Error, chain: &CertificateChain) -> PkiError {
        let stranger = webpki::Error::UnknownIssuer;
        let reason = if self.is_named_by(chain) { refused } else { &stranger };
        path::explain(reason, chain.leaf(), self.now, self.trust_set)
    }

    /// Whether a certificate that was sent says that it was issued by one of the authorities here, or is one of them.
    fn is_named_by(&self, chain: &CertificateChain) -> bool {
        let anchors = self.anchors.iter().map(|anchor| &anchor.certificate);
        let mut authorities = anchors.chain(self.intermediates);
        authorities.any(|authority| {
            let mut sent = std::iter::once(chain.leaf()).chain(chain.above_leaf());
            sent.any(|it| it.issuer == authority.subject || it.spki == authority.spki)
        })
    }

    /// A path with everything that it is judged by.
    pub(super) fn examination<'p>(&'p self, path: &'p Path<'p>) -> Examination<'p> {
        Examination {
            path,
            anchors: self.anchors,
            rules: self.rules,
            crls: self.crls,
            ocsp: self.ocsp,
            now: self.now,
        }
    }

    /// Asks every question of a path, until one is answered with no.
    fn judge(&self, path: &Path<'_>) -> Result<Timestamp, PkiError> {
        let examination = self.examination(path);
        let mut until = path.leaf.not_after;
        for check in &CHECKS {
            until = (check.ask)(&examination)?.until.map_or(until, |limit| until.min(limit));
        }
        Ok(until)
    }
}
