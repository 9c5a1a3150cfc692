//! The authorities of a trust set: read from PEM, linted, and held so that they can be replaced as a whole.
//!
//! A certificate that could never work where it stands refuses the whole set: whoever configured it meant something
//! else. An anchor that has merely ended is left out by itself, with its name kept for those who look, so that one old
//! root among several does not stop a start; when none is left, that does.

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::path::Anchor;
use crate::pki::signature;
use crate::pki::source::read_authorities;
use crate::pki::trust_set::TrustSetError;

/// The anchors and intermediates of a trust set.
#[derive(Default)]
pub(super) struct Authorities {
    /// Rises whenever they are replaced.
    pub(super) generation: u64,
    pub(super) anchors: Vec<Anchor>,
    pub(super) intermediates: Vec<Certificate>,
    /// Configured anchors that had ended when they were read. They are trusted for nothing.
    pub(super) ended: Vec<Certificate>,
}

impl Authorities {
    /// Reads both kinds and lints them as of `now`.
    pub(super) fn read(
        anchors_pem: &[u8],
        intermediates_pem: &[u8],
        trust_set: &str,
        now: Timestamp,
    ) -> Result<Self, TrustSetError> {
        let mut read = Self::default();
        for (index, certificate) in
            read_authorities(anchors_pem, "anchor", trust_set)?.into_iter().enumerate()
        {
            let subject = certificate.subject_text.clone();
            let refused = |reason: String| TrustSetError::Authority {
                trust_set: trust_set.to_owned(),
                role: "anchor",
                position: index + 1,
                subject,
                reason,
            };
            if contradicts_itself(&certificate) {
                let reason = "is self-signed, and not with its own key: it is not what it was";
                return Err(refused(reason.to_owned()));
            }
            if now > certificate.not_after {
                read.ended.push(certificate);
                continue;
            }
            let anchor = Anchor::new(certificate)
                .map_err(|error| refused(format!("cannot be an anchor: {error}")))?;
            read.anchors.push(anchor);
        }
        if read.anchors.is_empty() {
            let trust_set = trust_set.to_owned();
            return Err(match read.ended.iter().max_by_key(|anchor| anchor.not_after) {
                None => TrustSetError::NoAnchors { trust_set },
                Some(last) => TrustSetError::AnchorsEnded {
                    trust_set,
                    subject: last.subject_text.clone(),
                    not_after: last.not_after,
                },
            });
        }
        read.intermediates = read_authorities(intermediates_pem, "intermediate", trust_set)?;
        Ok(read)
    }

    /// Every authority that may stand in a path, anchors first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Certificate> {
        let anchors = self.anchors.iter().map(|anchor| &anchor.certificate);
        anchors.chain(&self.intermediates)
    }

    /// What of these will refuse good clients as of `now`.
    pub(super) fn complaints(&self, now: Timestamp) -> Vec<String> {
        let ended = self.ended.iter().map(|anchor| {
            format!("{} is refused: it ended at {}", anchor.subject_text, anchor.not_after)
        });
        let outside = self.all().filter(|it| now < it.not_before || now > it.not_after);
        let outside = outside.map(|authority| {
            let (from, to) = (authority.not_before, authority.not_after);
            format!("{} is valid from {from} to {to} only", authority.subject_text)
        });
        let astray = self.intermediates.iter().filter(|it| !self.leads_somewhere(it));
        let astray = astray.map(|authority| {
            format!("{} was issued by no authority of this set", authority.subject_text)
        });
        ended.chain(outside).chain(astray).collect()
    }

    fn leads_somewhere(&self, authority: &Certificate) -> bool {
        self.all().any(|issuer| issuer.subject == authority.issuer && issuer.der != authority.der)
    }
}

/// Whether a certificate names itself as its issuer and is not signed with its own key, by an algorithm that is known
/// here. Its signature proves nothing, but one that does not hold proves that somebody has changed the file.
fn contradicts_itself(certificate: &Certificate) -> bool {
    certificate.subject == certificate.issuer
        && signature::signed_digest(&certificate.der)
            .is_some_and(|signed| !signed.is_by(&certificate.spki))
}
