//! Steps 3 and 4, where they meet: who asks for a token.
//!
//! A client is registered here, and an assertion says by `iss` which one it is from. A European business is not: whatever
//! its assertion says, it is who its certificate for seals says. So an assertion with a certificate that a trust set of
//! seals accepts is from that business even if it names a client, and one whose certificate belongs to another trust set
//! never is from a business. Which of the two a certificate is, its trust set decides and nothing that the caller sends.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::domain::european_business::EuropeanBusiness;
use crate::pki::public_key::PublicKey;
use crate::token::client_key::{
    CertificateHolder, EnterpriseCertificates, KeyedClient, PresentedCertificates,
    VerifiedCertificate,
};
use crate::token::jws::{KeyHint, UnverifiedAssertion};
use crate::token::refusal::Refusal;

/// Whom an assertion says that it is from. It may be from somebody else.
#[derive(Debug)]
pub enum Claimed {
    /// A client that is registered here and active.
    Client(Arc<KeyedClient>),
    /// Nobody who is registered, for this reason: if anybody, then whoever the certificate names.
    Nobody(Refusal),
}

/// Who asks for a token, once the key is known that must have signed.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A European business, by its certificate alone.
    Business(Arc<EuropeanBusiness>),
    /// A client that is registered here.
    Client(ProvenClient),
}

/// How a client has proved itself; tokens say it as `client_amr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientProof {
    /// With an enterprise certificate.
    EnterpriseCertificate,
    /// With a registered key.
    RegisteredKey {
        /// Where the key stands among the client's.
        place: usize,
    },
}

/// A client that is registered here, and how it proves itself.
#[derive(Clone, Debug)]
pub struct ProvenClient {
    /// The client.
    pub client: Arc<KeyedClient>,
    /// By what.
    pub proof: ClientProof,
}

impl Claimed {
    /// Who `assertion` is from, and the key that it must verify under. What responders can tell about its certificates in
    /// a moment is waited for.
    pub async fn prove(
        self,
        assertion: &UnverifiedAssertion<'_>,
        certificates: &EnterpriseCertificates,
        now: Timestamp,
    ) -> Result<(Caller, PublicKey), Refusal> {
        match (&assertion.said.key, self) {
            (KeyHint::Registered(_), Self::Nobody(refusal)) => Err(refusal),
            (KeyHint::Registered(id), Self::Client(client)) => {
                let (place, key) =
                    client.registered_key(id.as_ref(), assertion, certificates, now).await?;
                let proof = ClientProof::RegisteredKey { place };
                Ok((Caller::Client(ProvenClient { client, proof }), key))
            }
            (KeyHint::Certificates(chain), claimed) => {
                let client = claimed.with_certificate();
                if !certificates.take_businesses() {
                    // Then a certificate that is no client's proves nothing, and need not be judged.
                    client.as_ref().map_err(Refusal::clone)?;
                }
                let presented = PresentedCertificates::new(chain, assertion.said.algorithm);
                certificates.learn_for(assertion, presented, now).await;
                let verified = certificates.verify(presented, now);
                prove_by_certificate(client, verified)
            }
        }
    }

    /// The client, if it may prove itself by a certificate.
    fn with_certificate(self) -> Result<Arc<KeyedClient>, Refusal> {
        match self {
            Self::Client(client) if client.keys.is_empty() => Ok(client),
            Self::Client(_) => Err(Refusal::KeyRequired),
            Self::Nobody(refusal) => Err(refusal),
        }
    }
}

/// Whose certificate it is decides who asks; a client only asks with one of its own organization.
fn prove_by_certificate(
    client: Result<Arc<KeyedClient>, Refusal>,
    verified: Result<Arc<VerifiedCertificate>, Refusal>,
) -> Result<(Caller, PublicKey), Refusal> {
    let verified = verified.map_err(|refusal| match (&client, &refusal) {
        // Of a stranger's certificate there is nothing to say, so what is wrong is whom the assertion names.
        (Err(claimed), Refusal::CertificateOfStranger { .. }) => claimed.clone(),
        _ => refusal,
    })?;
    let caller = match &verified.holder {
        CertificateHolder::Business(business) => Caller::Business(Arc::clone(business)),
        CertificateHolder::Organization(_) => {
            let client = client?;
            client.require_own(&verified)?;
            let proof = ClientProof::EnterpriseCertificate;
            Caller::Client(ProvenClient { client, proof })
        }
    };
    Ok((caller, verified.key.clone()))
}
