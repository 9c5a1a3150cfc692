//! Responders (OCSP) are asked outside of the decision: what they have told lies in the trust sets, and a decision only
//! reads it. A certificate that is seen for the first time is waited for, briefly, because otherwise its first use would
//! always be refused or, where a list clears it, always be let pass.

use std::pin::Pin;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::pki::chain::CertificateChain;
use crate::pki::public_key::PublicKey;
use crate::token::client_key::{EnterpriseCertificates, PresentedCertificates};
use crate::token::jws::UnverifiedAssertion;

pub use crate::pki::ocsp::OcspWanted;

/// Who asks responders about certificates, and puts what they tell into the trust sets.
pub trait Responders: Send + Sync {
    /// Notes that these are in use, each with the place of its trust set among all, and waits a moment for what is not
    /// known yet. What is not known then is unknown.
    fn settle(
        &self,
        wanted: Vec<(usize, OcspWanted)>,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl EnterpriseCertificates {
    /// The same, with somebody who asks responders.
    #[must_use]
    pub fn asking(mut self, responders: Arc<dyn Responders>) -> Self {
        self.responders = Some(responders);
        self
    }

    /// Whether anybody is asked.
    pub fn asks_responders(&self) -> bool {
        self.responders.is_some()
    }

    /// Sees to it that what can be known about these certificates in a moment is known. What is remembered from earlier
    /// costs no more than looking.
    pub async fn learn(&self, presented: PresentedCertificates<'_>, now: Timestamp) {
        if let Some(chain) = self.to_be_learnt(presented, now) {
            self.learn_chain(&chain, now).await;
        }
    }

    /// The same of those that `assertion` is to be judged by. Nothing is asked for whoever has not signed with the key of
    /// the certificate: anybody can send those of others.
    pub(super) async fn learn_for(
        &self,
        assertion: &UnverifiedAssertion<'_>,
        presented: PresentedCertificates<'_>,
        now: Timestamp,
    ) {
        if let Some(chain) = self.to_be_learnt(presented, now)
            && let Ok(key) = PublicKey::from_spki(chain.leaf_spki(), presented.algorithm)
            && assertion.is_signed_with(&key)
        {
            self.learn_chain(&chain, now).await;
        }
    }

    /// The chain of these certificates, if there may be something to ask about it.
    fn to_be_learnt(
        &self,
        presented: PresentedCertificates<'_>,
        now: Timestamp,
    ) -> Option<CertificateChain> {
        if self.responders.is_none() || self.remembers(presented, now) {
            return None;
        }
        // What cannot be read is refused by whoever judges it.
        presented.chain().ok()
    }

    /// The same of a chain that has been read.
    pub(super) async fn learn_chain(&self, chain: &CertificateChain, now: Timestamp) {
        let Some(responders) = &self.responders else { return };
        let of = |(place, set): (usize, &crate::pki::trust_set::TrustSet)| {
            set.ocsp_wanted(chain, now).into_iter().map(move |wanted| (place, wanted))
        };
        let wanted: Vec<_> = self.sets().iter().enumerate().flat_map(of).collect();
        if !wanted.is_empty() {
            responders.settle(wanted, now).await;
        }
    }
}
