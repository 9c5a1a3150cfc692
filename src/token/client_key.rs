//! Step 4: the key that must have signed an assertion.
//!
//! A client with any registered key must name one of them by `kid`. A client without may send its
//! enterprise certificate in `x5c`: then the certificate must lead to an authority that counts here, pass
//! its rules, and be of the client's own organization, or of a European business
//! ([`crate::token::caller`]). The same is asked, at every use, of the certificate
//! that a registered key is locked to. A chain that has been verified is remembered by its hash until the
//! first certificate or revocation list in it ends, or the lists or authorities are replaced; where responders are asked
//! ([`crate::token::responders`]), no longer than minutes, and never beyond a "revoked" of theirs.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use moka::sync::Cache;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::client::{Client, ClientKey, KeyId};
use crate::domain::european_business::EuropeanBusiness;
use crate::domain::organization::OrganizationNumber;
use crate::domain::registration::RegisteredKey;
use crate::keys::client_jwk::ClientJwk;
use crate::pki::chain::{CertificateChain, fingerprint};
use crate::pki::error::PkiError;
use crate::pki::public_key::PublicKey;
use crate::pki::trust_set::{Holder, TrustSet, VerifiedChain};
use crate::token::jws::UnverifiedAssertion;
use crate::token::last_use::Noted;
use crate::token::refusal::Refusal;
use crate::token::responders::Responders;

/// Every check of a chain with its outcome.
pub use crate::pki::trust_set::Report as ChainReport;

/// Verified chains that are remembered; one takes about 2 KiB.
const CHAINS_MAX: u64 = 20_000;

/// A client with its registered keys, so that a warm request reads no document. A hundred thousand of them are kept:
/// nothing is in it that the path does not read.
#[derive(Debug)]
pub struct KeyedClient {
    /// The client.
    pub client: Client,
    /// The keys that are registered on it and not withdrawn; with any, the client must name one by `kid` and cannot use an
    /// enterprise certificate.
    pub keys: Box<[KnownKey]>,
    /// When its use was last noted.
    pub(super) noted: Noted,
}

/// A registered key, ready for use.
#[derive(Debug)]
pub struct KnownKey {
    /// Its identifier within the client.
    pub id: KeyId,
    expires_at: Timestamp,
    /// What is in its document, or why that can no longer be read.
    parsed: Result<ParsedKey, String>,
    /// When its use was last noted.
    pub(super) noted: Noted,
}

#[derive(Debug)]
struct ParsedKey {
    key: PublicKey,
    /// The certificates that it is locked to, leaf first, if it is.
    certificates: Option<Vec<Vec<u8>>>,
}

impl KnownKey {
    /// A key that was fit when it was registered and is not any more, because the rules have become stricter, counts as
    /// unknown.
    fn parse(registered: ClientKey, last_used_at: Option<Timestamp>) -> Self {
        let read = ClientJwk::parse(registered.jwk.as_bytes());
        let parsed = read.map_err(|error| error.to_string()).map(|jwk| ParsedKey {
            key: jwk.key,
            certificates: jwk.certificates.map(|certificates| certificates.chain),
        });
        let ClientKey { id, expires_at, .. } = registered;
        Self { id, expires_at, parsed, noted: Noted::at(last_used_at) }
    }
}

impl KeyedClient {
    /// A client and the keys that are registered on it, and when it was last used.
    pub fn new(
        mut client: Client,
        keys: Vec<RegisteredKey>,
        last_used_at: Option<Timestamp>,
    ) -> Self {
        client.scopes.shrink_to_fit();
        // Not in the place of what is read, which is larger.
        let mut known = Vec::with_capacity(keys.len());
        known.extend(keys.into_iter().map(|it| KnownKey::parse(it.key, it.last_used_at)));
        Self { client, keys: known.into(), noted: Noted::at(last_used_at) }
    }

    /// The keys, and whether each could be read, or why not.
    pub(super) fn readings(&self) -> impl Iterator<Item = (&KeyId, Result<(), &str>)> {
        self.keys
            .iter()
            .map(|key| (&key.id, key.parsed.as_ref().map(|_| ()).map_err(String::as_str)))
    }

    /// The registered key of that id, and where it stands among the client's; with its certificate judged, if it is locked
    /// to one. What responders can tell about that in a moment is waited for.
    pub(super) async fn registered_key(
        &self,
        id: Option<&KeyId>,
        assertion: &UnverifiedAssertion<'_>,
        certificates: &EnterpriseCertificates,
        now: Timestamp,
    ) -> Result<(usize, PublicKey), Refusal> {
        let (place, parsed) = self.registered(id, now)?;
        let key = parsed.key.clone();
        if let Some(chain) = &parsed.certificates {
            let presented = PresentedCertificates::new(chain, key.algorithm());
            certificates.learn_for(assertion, presented, now).await;
            self.require_own(&*certificates.verify(presented, now)?)?;
        }
        Ok((place, key))
    }

    fn registered(
        &self,
        id: Option<&KeyId>,
        now: Timestamp,
    ) -> Result<(usize, &ParsedKey), Refusal> {
        let mut known = self.keys.iter().enumerate();
        let (place, key) = known.find(|(_, key)| Some(&key.id) == id).ok_or(Refusal::UnknownKey)?;
        if key.expires_at <= now {
            return Err(Refusal::ExpiredKey { expired_at: key.expires_at });
        }
        let parsed = key.parsed.as_ref().map_err(|_| Refusal::UnknownKey)?;
        Ok((place, parsed))
    }

    /// Holds that a certificate is that of the client's own organization.
    pub(super) fn require_own(&self, verified: &VerifiedCertificate) -> Result<(), Refusal> {
        let certificate = verified.organization()?;
        if certificate == self.client.organization {
            Ok(())
        } else {
            Err(Refusal::CertificateOrganization { certificate })
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
    /// Whether any of the sets takes European businesses.
    take_businesses: bool,
    verified: Cache<ChainHash, Arc<VerifiedCertificate>>,
    pub(super) responders: Option<Arc<dyn Responders>>,
}

/// SHA-256 over the certificates, what they are used with, and the generation of the revocation lists.
type ChainHash = [u8; 32];

/// A certificate that has passed every check.
pub struct VerifiedCertificate {
    /// Whose it is.
    pub holder: CertificateHolder,
    /// Its key.
    pub key: PublicKey,
    /// When the first certificate or revocation list ends that it depends on.
    pub valid_until: Timestamp,
}

/// Whom a certificate was issued to, which decides for what it counts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CertificateHolder {
    /// A European business, which is no client's organization.
    Business(Arc<EuropeanBusiness>),
    /// An organization, whose clients may use it.
    Organization(OrganizationNumber),
}

impl VerifiedCertificate {
    /// The organization whose clients may use it.
    pub fn organization(&self) -> Result<OrganizationNumber, Refusal> {
        match &self.holder {
            CertificateHolder::Organization(number) => Ok(*number),
            CertificateHolder::Business(business) => Err(Refusal::Certificate {
                check: "organization",
                detail: format!(
                    "it is a certificate for seals of {}, which counts by itself and for no client",
                    business.identifier
                ),
            }),
        }
    }
}

impl EnterpriseCertificates {
    /// Accepts what any of these trust sets accepts.
    pub fn new(sets: impl Into<Arc<[TrustSet]>>) -> Self {
        let sets = sets.into();
        let take_businesses = sets.iter().any(TrustSet::takes_businesses);
        Self { sets, take_businesses, verified: Cache::new(CHAINS_MAX), responders: None }
    }

    /// Whether a certificate alone may make a caller: that of a European business.
    pub fn take_businesses(&self) -> bool {
        self.take_businesses
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
        // What an authority of clients has issued never counts as that of a business: not even what its set refuses.
        for of_businesses in [false, true] {
            if reason.as_ref().is_some_and(|reason| !reason.is_of_stranger()) {
                break;
            }
            for set in self.sets.iter().filter(|set| set.takes_businesses() == of_businesses) {
                match set.verify(&chain, now) {
                    Ok(verified) => return accept(&verified, presented.algorithm),
                    // A set to which no path leads has nothing to say when another one has.
                    Err(error) => {
                        let says_more =
                            |known: &PkiError| known.is_of_stranger() && !error.is_of_stranger();
                        if reason.as_ref().is_none_or(says_more) {
                            reason = Some(error);
                        }
                    }
                }
            }
        }
        Err(match reason {
            Some(error @ PkiError::RevocationUnknown { .. }) => {
                Refusal::Unavailable { cause: error.to_string() }
            }
            Some(error) if error.is_of_stranger() => {
                Refusal::CertificateOfStranger { detail: error.to_string() }
            }
            Some(error) => {
                Refusal::Certificate { check: error.check_name(), detail: error.to_string() }
            }
            None => {
                Refusal::CertificateOfStranger { detail: "no trust set is configured".to_owned() }
            }
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

/// What a trust set has accepted, ready for use with `algorithm`.
fn accept(verified: &VerifiedChain, algorithm: Algorithm) -> Result<VerifiedCertificate, Refusal> {
    let holder = match verified.holder() {
        Holder::Business(business) => CertificateHolder::Business(Arc::clone(business)),
        Holder::Organization(number) => CertificateHolder::Organization(*number),
        Holder::Unnamed => return Err(no_organization()),
    };
    let key = verified.public_key(algorithm);
    let key = key.map_err(|error| Refusal::Certificate {
        check: "key algorithm",
        detail: error.to_string(),
    })?;
    Ok(VerifiedCertificate { holder, key, valid_until: verified.valid_until() })
}

/// A trust set for tokens always names organizations; one that does not is a mistake of the set-up.
fn no_organization() -> Refusal {
    Refusal::Certificate {
        check: "organization",
        detail: "the trust set does not read organization numbers".to_owned(),
    }
}
