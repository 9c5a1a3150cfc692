//! A trust set for people: what it holds, and what will refuse good clients. Nothing is judged here.

use aws_lc_rs::digest::{SHA256, digest};

use crate::clock::Timestamp;
use crate::domain::trust::{
    AuthorityRole, RevocationList, RevocationRule, TrustSetSummary, TrustedAuthority,
};
use crate::pki::certificate::{Certificate, hex};
use crate::pki::revocation::CrlSet;
use crate::pki::trust_set::{RevocationPolicy, TrustSet};

impl TrustSet {
    /// What the set holds, with what is wrong with it as of `now`.
    pub fn summary(&self, now: Timestamp) -> TrustSetSummary {
        let lists = self.crls();
        let held = self.authorities();
        let anchors = held.anchors.iter().map(|it| &it.certificate).chain(&held.ended);
        let anchors = anchors.map(|it| (AuthorityRole::Anchor, it));
        let intermediates = held.intermediates.iter().map(|it| (AuthorityRole::Intermediate, it));
        TrustSetSummary {
            name: self.name().to_owned(),
            environment: self.environment,
            revocation: match self.rules.revocation {
                RevocationPolicy::HardFail => RevocationRule::HardFail,
                RevocationPolicy::NotChecked => RevocationRule::NotChecked,
                RevocationPolicy::SoftFail { .. } => RevocationRule::SoftFail,
            },
            ocsp: self.ocsp.rule(),
            responders: self.ocsp.responders(),
            ocsp_certificates: self.ocsp.certificates(),
            authorities: anchors
                .chain(intermediates)
                .map(|(role, certificate)| authority(role, certificate, &lists))
                .collect(),
            warnings: self.warnings(now),
        }
    }
}

fn authority(role: AuthorityRole, certificate: &Certificate, lists: &CrlSet) -> TrustedAuthority {
    let lists = lists.of(&certificate.subject).iter();
    TrustedAuthority {
        role,
        subject: certificate.subject_text.clone(),
        fingerprint: hex(digest(&SHA256, &certificate.der).as_ref()),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        lists: lists
            .map(|list| RevocationList {
                this_update: list.this_update,
                next_update: list.next_update,
            })
            .collect(),
    }
}
