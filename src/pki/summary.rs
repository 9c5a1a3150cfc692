//! A trust set for people: what it holds, and what will refuse good clients. Nothing is judged here.

use crate::clock::Timestamp;
use crate::domain::trust::{
    AuthorityRole, RevocationList, RevocationRule, TrustSetSummary, TrustedAuthority,
};
use crate::pki::certificate::Certificate;
use crate::pki::revocation::CrlSet;
use crate::pki::trust_set::{RevocationPolicy, TrustSet};

impl TrustSet {
    /// What the set holds, with what is wrong with it as of `now`.
    pub fn summary(&self, now: Timestamp) -> TrustSetSummary {
        let lists = self.crls();
        let anchors = self.anchors.iter().map(|it| (AuthorityRole::Anchor, &it.certificate));
        let intermediates = self.intermediates.iter().map(|it| (AuthorityRole::Intermediate, it));
        TrustSetSummary {
            name: self.name().to_owned(),
            revocation: match self.rules.revocation {
                RevocationPolicy::HardFail => RevocationRule::HardFail,
                RevocationPolicy::NotChecked => RevocationRule::NotChecked,
                RevocationPolicy::SoftFail { .. } => RevocationRule::SoftFail,
            },
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
