//! Step 4: the key that must have signed an assertion.
//!
//! A client with any registered key must name one of them by `kid`. A client without may send its
//! enterprise certificate in `x5c`: then the certificate must lead to an authority that counts here, pass
//! its rules, and be of the client's own organization. The same is asked, at every use, of the certificate
//! that a registered key is locked to. A chain that has been verified is remembered by its hash until the
//! first certificate or revocation list in it ends, or the lists or authorities are replaced; where responders are asked
//! ([`crate::token::responders`]), no longer than minutes, and never beyond a "revoked" of theirs.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use moka::sync::Cache;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::client::{Client, KeyId};
use crate::domain::organization::OrganizationNumber;
use crate::keys::client_jwk::ClientJwk;
use crate::pki::chain::{CertificateChain, fingerprint};
use crate::pki::error::PkiError;
use crate::pki::public_key::PublicKey;
use crate::pki::trust_set::TrustSet;
use crate::token::jws::{KeyHint, UnverifiedAssertion};
use crate::token::last_use::Noted;
use crate::token::refusal::Refusal;
use crate::token::responders::Responders;

/// Every check of a chain with its outcome.
pub use crate::pki::trust_set::Report as ChainReport;

/// Verified chains that are remembered; one takes about 2 KiB.
const CHAINS_MAX: u64 = 20_000;

/// A client with its registered keys parsed, so that a warm request parses none.
#[derive(Debug)]
pub struct KeyedClient {
    /// The client.
    pub client: Client,
    /// Its keys, in the order of `client.keys`, or what is wrong with one that can no longer be read.
    keys: Vec<Result<ParsedKey, String>>,
    /// When its use was last noted, and that of each key.
    pub(super) noted: Noted,
    pub(super) keys_noted: Vec<Noted>,
}

/// A registered key, ready for use.
#[derive(Debug)]
struct ParsedKey {
    key: PublicKey,
    /// The certificates that it is locked to, leaf first, if it is.
    certificates: Option<Vec<Vec<u8>>>,
}

/// How the client has proved itself; tokens say it as `client_amr`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ClientProof {
    /// With an enterprise certificate.
    EnterpriseCertificate,
    /// With a registered key.
    RegisteredKey,
}

/// The key an assertion must verify under.
#[derive(Clone, Debug)]
pub struct ProofKey {
    /// What kind of proof it is.
    pub proof: ClientProof,
    /// The key itself.
    pub key: PublicKey,
    /// Where a registered key stands among the client's.
    pub place: Option<usize>,
}

impl KeyedClient {
    /// Parses the keys of a client. A key that was fit when it was registered and is not any more, because
    /// the rules have become stricter, counts as unknown.
    pub fn new(client: Client) -> Self {
        let parse = |jwk: &str| {
            let jwk = ClientJwk::parse(jwk.as_bytes()).map_err(|error| error.to_string())?;
            let certificates = jwk.certificates.map(|certificates| certificates.chain);
            Ok(ParsedKey { key: jwk.key, certificates })
        };
        let keys = client.keys.iter().map(|key| parse(&key.jwk)).collect();
        let keys_noted = client.keys.iter().map(|_| Noted::default()).collect();
        Self { client, keys, noted: Noted::default(), keys_noted }
    }

    /// The keys, and whether each could be read, or why not.
    pub(super) fn readings(&self) -> impl Iterator<Item = (&KeyId, Result<(), &str>)> {
        let keys = self.client.keys.iter().zip(&self.keys);
        keys.map(|(key, read)| (&key.id, read.as_ref().map(|_| ()).map_err(String::as_str)))
    }

    /// The key that `assertion` must verify under, if it is to be from this client. What responders can tell about its
    /// certificates in a moment is waited for.
    pub async fn key_of(
        &self,
        assertion: &UnverifiedAssertion<'_>,
        certificates: &EnterpriseCertificates,
        now: Timestamp,
    ) -> Result<ProofKey, Refusal> {
        match &assertion.said.key {
            KeyHint::Registered(id) => {
                let (place, parsed) = self.registered(id.as_ref(), now)?;
                let key = parsed.key.clone();
                if let Some(chain) = &parsed.certificates {
                    let presented = PresentedCertificates::new(chain, key.algorithm());
                    self.certified(assertion, presented, certificates, now).await?;
                }
                Ok(ProofKey { proof: ClientProof::RegisteredKey, key, place: Some(place) })
            }
            KeyHint::Certificates(_) if !self.client.keys.is_empty() => Err(Refusal::KeyRequired),
            KeyHint::Certificates(chain) => {
                let presented = PresentedCertificates::new(chain, assertion.said.algorithm);
                let verified = self.certified(assertion, presented, certificates, now).await?;
                let key = verified.key.clone();
                Ok(ProofKey { proof: ClientProof::EnterpriseCertificate, key, place: None })
            }
        }
    }

    fn registered(
        &self,
        id: Option<&KeyId>,
        now: Timestamp,
    ) -> Result<(usize, &ParsedKey), Refusal> {
        let mut known = self.client.keys.iter().zip(&self.keys).enumerate();
        let found = known.find(|(_, (key, _))| Some(&key.id) == id);
        match found {
            Some((_, (registered, _))) if registered.expires_at <= now => {
                Err(Refusal::ExpiredKey { expired_at: registered.expires_at })
            }
            Some((place, (_, Ok(parsed)))) => Ok((place, parsed)),
            Some((_, (_, Err(_)))) | None => Err(Refusal::UnknownKey),
        }
    }

    /// Judges the chain that `assertion` is to be proved by, which must be that of the client's own organization.
    async fn certified(
        &self,
        assertion: &UnverifiedAssertion<'_>,
        presented: PresentedCertificates<'_>,
        certificates: &EnterpriseCertificates,
        now: Timestamp,
    ) -> Result<Arc<VerifiedCertificate>, Refusal> {
        certificates.learn_for(assertion, presented, now).await;
        let verified = certificates.verify(presented, now)?;
        if verified.organization == self.client.organization {
            Ok(verified)
        } else {
            Err(Refusal::CertificateOrganization { certificate: verified.organization })
        }
    }
}

/// Certificates that are to be judged. They are hashed once, however often it is looked up what is known of them.
#[derive(Clone, Copy, Debug)]
pub struct PresentedCertificates<'a> {
    certificates: &'a [Vec<u8>],
    pub(super) algorithm: Algorithm,
    fingerprint: [u8; 32],
}

impl<'a> PresentedCertificates<'a> {
    /// These, in DER, leaf first, whose key is to be used with `algorithm`.
    pub fn new(certificates: &'a [Vec<u8>], algorithm: Algorithm) -> Self {
        let fingerprint = fingerprint(certificates.iter().map(Vec::as_slice));
        Self { certificates, algorithm, fingerprint }
    }

    /// The chain that they are, read.
    pub(super) fn chain(&self) -> Result<CertificateChain, PkiError> {
        CertificateChain::from_der(self.certificates.to_vec())
    }
}

/// The authorities whose enterprise certificates count here.
pub struct EnterpriseCertificates {
    sets: Arc<[TrustSet]>,
    verified: Cache<ChainHash, Arc<VerifiedCertificate>>,
    pub(super) responders: Option<Arc<dyn Responders>>,
}

/// SHA-256 over the certificates, what they are used with, and the generation of the revocation lists.
type ChainHash = [u8; 32];

/// A certificate that has passed every check.
pub struct VerifiedCertificate {
    /// The organization that it names.
    pub organization: OrganizationNumber,
    /// Its key.
    pub key: PublicKey,
    /// When the first certificate or revocation list ends that it depends on.
    pub valid_until: Timestamp,
}

impl EnterpriseCertificates {
    /// Accepts what any of these trust sets accepts.
    pub fn new(sets: impl Into<Arc<[TrustSet]>>) -> Self {
        Self { sets: sets.into(), verified: Cache::new(CHAINS_MAX), responders: None }
    }

    /// The trust sets, by the order in which they are tried.
    pub fn sets(&self) -> &[TrustSet] {
        &self.sets
    }

    /// What each set makes of a chain in PEM, leaf first: its name, and every check.
    pub async fn reports(
        &self,
        pem: &[u8],
        now: Timestamp,
    ) -> Result<Vec<(String, ChainReport)>, PkiError> {
        let chain = CertificateChain::from_pem(pem)?;
        self.learn_chain(&chain, now).await;
        let sets = self.sets.iter();
        Ok(sets.map(|set| (set.name().to_owned(), set.report(&chain, now))).collect())
    }

    /// Judges certificates, or remembers how they were judged.
    pub fn verify(
        &self,
        presented: PresentedCertificates<'_>,
        now: Timestamp,
    ) -> Result<Arc<VerifiedCertificate>, Refusal> {
        let hash = self.hash(presented);
        if let Some(verified) = self.verified.get(&hash)
            && now <= verified.valid_until
        {
            return Ok(verified);
        }
        let verified = Arc::new(self.verify_afresh(presented, now)?);
        self.verified.insert(hash, Arc::clone(&verified));
        Ok(verified)
    }

    /// Whether it is remembered how certificates were judged, and still counts.
    pub(super) fn remembers(&self, presented: PresentedCertificates<'_>, now: Timestamp) -> bool {
        let verified = self.verified.get(&self.hash(presented));
        verified.is_some_and(|verified| now <= verified.valid_until)
    }

    fn verify_afresh(
        &self,
        presented: PresentedCertificates<'_>,
        now: Timestamp,
    ) -> Result<VerifiedCertificate, Refusal> {
        let chain = presented.chain().map_err(|_| Refusal::CertificateHeader)?;
        let mut reason: Option<PkiError> = None;
        for set in self.sets.iter() {
            match set.verify(&chain, now) {
                Ok(verified) => {
                    let organization = verified.organization().ok_or_else(no_organization)?;
                    let key = verified.public_key(presented.algorithm).map_err(|error| {
                        Refusal::Certificate { check: "key algorithm", detail: error.to_string() }
                    })?;
                    return Ok(VerifiedCertificate {
                        organization,
                        key,
                        valid_until: verified.valid_until(),
                    });
                }
                // A set to which no path leads has nothing to say when another one has.
                Err(error) => {
                    let is_stranger = |error: &PkiError| matches!(error, PkiError::NoPath { .. });
                    if reason
                        .as_ref()
                        .is_none_or(|known| is_stranger(known) && !is_stranger(&error))
                    {
                        reason = Some(error);
                    }
                }
            }
        }
        Err(match reason {
            Some(error @ PkiError::RevocationUnknown { .. }) => {
                Refusal::Unavailable { cause: error.to_string() }
            }
            Some(error) => {
                Refusal::Certificate { check: error.check_name(), detail: error.to_string() }
            }
            None => Refusal::Certificate {
                check: "path",
                detail: "no trust set is configured".to_owned(),
            },
        })
    }

    /// What is told may change between two looks, and the certificates do not: only what is small is hashed at each.
    fn hash(&self, presented: PresentedCertificates<'_>) -> ChainHash {
        let mut hash = Context::new(&SHA256);
        hash.update(presented.algorithm.name().as_bytes());
        for set in self.sets.iter() {
            hash.update(&set.generation().to_be_bytes());
        }
        hash.update(&presented.fingerprint);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.finish().as_ref());
        bytes
    }
}

/// A trust set for tokens always names organizations; one that does not is a mistake of the set-up.
fn no_organization() -> Refusal {
    Refusal::Certificate {
        check: "organization",
        detail: "the trust set does not read organization numbers".to_owned(),
    }
}
