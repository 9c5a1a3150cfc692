//! A named set of trust anchors with the rules for what is issued below them.
//!
//! A set is loaded once and judged against many chains. Its authorities and its revocation lists can be replaced while
//! the server runs; its generation tells caches that they were.

use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::european_business::EuropeanBusiness;
use crate::domain::organization::OrganizationNumber;
use crate::domain::organization_identifier::OrganizationIdentifier;
use crate::domain::seal::SealKind;
use crate::domain::trust::TrustEnvironment;
use crate::pki::authorities::Authorities;
use crate::pki::certificate::{Certificate, CertificateError, hex};
use crate::pki::chain::CertificateChain;
use crate::pki::checks::CHECKS;
use crate::pki::crl::{Crl, CrlError};
use crate::pki::error::PkiError;
use crate::pki::judge::Judge;
use crate::pki::ocsp::KnownAnswers;
use crate::pki::path::Path;
use crate::pki::public_key::{PublicKey, PublicKeyError};
use crate::pki::revocation::{CrlRefusal, CrlSet, ListSource, Taken};
use crate::pki::seal::european_business;
use crate::pki::source::{check_identifiers, read_crls};
use crate::pki::subject;

/// What a trust set is loaded from.
#[derive(Clone, Debug)]
pub struct TrustSetSource {
    /// The name by which configuration and messages call it.
    pub name: String,
    /// Whether it certifies for real or for tests.
    pub environment: TrustEnvironment,
    /// The anchors, in PEM.
    pub anchors_pem: Vec<u8>,
    /// Authorities between the anchors and the leaves, in PEM; may be empty.
    pub intermediates_pem: Vec<u8>,
    /// Revocation lists, each in DER or PEM.
    pub crls: Vec<Vec<u8>>,
    /// What is accepted below the anchors.
    pub rules: TrustRules,
}

/// What is accepted below the anchors of a set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustRules {
    /// The certificate policies that a leaf may be issued under.
    pub policies: PolicyRule,
    /// The extended key usages, dotted, of which a leaf that has the extension must have one.
    pub extended_key_usages: Vec<String>,
    /// Whether a leaf must name an organization.
    pub organization: OrganizationRule,
    /// What is asked of revocation lists.
    pub revocation: RevocationPolicy,
}

/// Which certificate policies (RFC 5280 section 4.2.1.4) are accepted on a leaf.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PolicyRule {
    /// Any, or none.
    Any,
    /// At least one of these, dotted; one that ends in `.*` stands for all below it. `anyPolicy` on
    /// the leaf is not one of them.
    OneOf(Vec<String>),
}

/// Whether a leaf must name an organization.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OrganizationRule {
    /// It may be without.
    NotRequired,
    /// It must, in `organizationIdentifier`.
    Required {
        /// Whether `serialNumber` counts where that is missing.
        serial_number: SerialNumberRule,
    },
    /// It must, in `organizationIdentifier`, by a register of any country; and it must be a certificate for seals (ETSI EN
    /// 319 412-3).
    RequiredOfAnyCountry,
}

/// Whether a `serialNumber` attribute alone names an organization, as in certificates of the first
/// Norwegian profile (SEID 1), the last of which expired in 2025.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SerialNumberRule {
    /// It does.
    Accept,
    /// It does not.
    Ignore,
}

/// What is asked of revocation lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RevocationPolicy {
    /// A certificate that may be revoked is refused.
    HardFail,
    /// A certificate that may be revoked passes for a while after a list has ended that could tell that it
    /// was not; one that is revoked does not.
    SoftFail {
        /// How long.
        seconds: i64,
    },
    /// Lists are not looked at.
    NotChecked,
}

/// Why a trust set cannot be loaded.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum TrustSetError {
    /// Every anchor has ended.
    #[error(
        "every anchor of trust set {trust_set} has ended, the last one, {subject}, at {not_after}; get its successor"
    )]
    AnchorsEnded {
        /// The set.
        trust_set: String,
        /// The one that ended last.
        subject: String,
        /// When it did.
        not_after: Timestamp,
    },
    /// A certificate cannot stand where it is configured.
    #[error("{role} {position} of trust set {trust_set} ({subject}) {reason}")]
    Authority {
        /// The set.
        trust_set: String,
        /// "anchor" or "intermediate".
        role: &'static str,
        /// Which one of them, from 1.
        position: usize,
        /// Its subject.
        subject: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A configured certificate cannot be read.
    #[error("{role} {position} of trust set {trust_set} is refused: {reason}")]
    Certificate {
        /// The set.
        trust_set: String,
        /// "anchor" or "intermediate".
        role: &'static str,
        /// Which one of them, from 1.
        position: usize,
        /// What is wrong with it.
        reason: CertificateError,
    },
    /// A revocation list cannot be read.
    #[error("revocation list {position} of trust set {trust_set} is refused: {reason}")]
    Crl {
        /// The set.
        trust_set: String,
        /// Which one of the files, from 1.
        position: usize,
        /// What is wrong with it.
        reason: CrlError,
    },
    /// The same authority, or the same key, counts for real and for tests.
    #[error(
        "{subject} stands in trust set {production}, of production, and in {test}, of test: take it out of one of them"
    )]
    BothEnvironments {
        /// The authority.
        subject: String,
        /// The set of production.
        production: String,
        /// The set of test.
        test: String,
    },
    /// There is nothing to trust.
    #[error("trust set {trust_set} has no anchors, so nothing would be accepted")]
    NoAnchors {
        /// The set.
        trust_set: String,
    },
    /// A text is not a dotted object identifier.
    #[error("\"{found}\" in the {setting} of trust set {trust_set} is not a dotted identifier")]
    ObjectIdentifier {
        /// The set.
        trust_set: String,
        /// Where it stands.
        setting: &'static str,
        /// The text.
        found: String,
    },
    /// The PEM text is damaged, or holds something else.
    #[error("the PEM of the {role}s of trust set {trust_set} cannot be read: {reason}")]
    Pem {
        /// The set.
        trust_set: String,
        /// "anchor", "intermediate" or "revocation list".
        role: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// Trust anchors, known intermediates, revocation lists and rules.
pub struct TrustSet {
    name: String,
    pub(super) environment: TrustEnvironment,
    pub(super) rules: TrustRules,
    authorities: RwLock<Arc<Authorities>>,
    crls: RwLock<Arc<CrlSet>>,
    pub(super) ocsp: KnownAnswers,
}

/// A revocation list that is in use, for people and machines that watch it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HeldList {
    /// Where it comes from.
    pub source: ListSource,
    /// Whose it is.
    pub issuer: String,
    /// Its number, decimal, if it has one.
    pub number: Option<String>,
    /// When it was issued.
    pub this_update: Timestamp,
    /// When the next one is to be there.
    pub next_update: Option<Timestamp>,
    /// How many certificates it revokes.
    pub entries: usize,
}

/// A chain that a trust set accepted; only [`TrustSet::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedChain {
    holder: Holder,
    valid_until: Timestamp,
    spki: Vec<u8>,
    issuer: String,
    serial_number: String,
}

/// Whom a certificate was issued to, as its trust set tells it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// A European business: the set takes seals of any country, and nothing else.
    Business(Arc<EuropeanBusiness>),
    /// An organization of the Norwegian register.
    Organization(OrganizationNumber),
    /// Nobody who is named; the set lets that pass.
    Unnamed,
}

/// Every check of a chain with its outcome, for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Whether [`TrustSet::verify`] would accept the chain.
    pub accepted: bool,
    /// The organization that the leaf names, if it does so in the accepted way.
    pub organization_number: Option<OrganizationNumber>,
    /// The organization of any country that it names, where such are accepted.
    pub organization_identifier: Option<OrganizationIdentifier>,
    /// What kind of certificate for seals it is, where such are accepted.
    pub seal: Option<SealKind>,
    /// The checks, in the order in which they are made.
    pub checks: Vec<CheckResult>,
}

/// The outcome of one check.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CheckResult {
    /// The name of the check, as in [`PkiError::check_name`].
    pub name: &'static str,
    /// Whether it passed.
    pub passed: bool,
    /// What was seen.
    pub detail: String,
}

impl TrustSet {
    /// Loads a trust set and checks that it can work as of `now`.
    ///
    /// # Errors
    ///
    /// Whatever would make the set refuse good chains or accept bad ones later: damaged files, no anchors or none that
    /// is in force, certificates that are no authorities, have weak keys or contradict themselves, misspelt identifiers.
    pub fn load(source: TrustSetSource, now: Timestamp) -> Result<Self, TrustSetError> {
        let name = source.name;
        check_identifiers(&source.rules, &name)?;
        let authorities =
            Authorities::read(&source.anchors_pem, &source.intermediates_pem, &name, now)?;
        let set = Self {
            name,
            environment: source.environment,
            rules: source.rules,
            authorities: RwLock::new(Arc::new(authorities)),
            crls: RwLock::new(Arc::new(CrlSet::default())),
            ocsp: KnownAnswers::default(),
        };
        set.replace_crls(source.crls)?;
        Ok(set)
    }

    /// The name by which configuration and messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A number that changes whenever the authorities or the revocation lists are replaced, and when a responder has
    /// said that a certificate is revoked. Take it before
    /// [`TrustSet::verify`] when the outcome is kept.
    pub fn generation(&self) -> u64 {
        // All only rise, so the sum never comes back.
        self.crls().generation + self.authorities().generation + self.ocsp.generation()
    }

    /// Puts these authorities, in PEM, in place of all that are there.
    ///
    /// # Errors
    ///
    /// What [`TrustSet::load`] refuses, and an authority that one of `others` has for the other environment; then nothing
    /// is replaced.
    pub fn replace_authorities(
        &self,
        anchors_pem: &[u8],
        intermediates_pem: &[u8],
        others: &[Self],
        now: Timestamp,
    ) -> Result<(), TrustSetError> {
        let mut read = Authorities::read(anchors_pem, intermediates_pem, &self.name, now)?;
        for other in others.iter().filter(|other| other.name != self.name) {
            self.check_apart(&read, other)?;
        }
        let mut held = self.authorities.write().unwrap_or_else(PoisonError::into_inner);
        read.generation = held.generation + 1;
        *held = Arc::new(read);
        Ok(())
    }

    /// Holds that no authority of one set counts in the other environment by another.
    ///
    /// # Errors
    ///
    /// [`TrustSetError::BothEnvironments`] with the first that does.
    pub fn check_all_apart(sets: &[Self]) -> Result<(), TrustSetError> {
        sets.iter().enumerate().try_for_each(|(place, set)| {
            let mut earlier = sets[..place].iter();
            earlier.try_for_each(|other| set.check_apart(&set.authorities(), other))
        })
    }

    fn check_apart(&self, authorities: &Authorities, other: &Self) -> Result<(), TrustSetError> {
        if self.environment == other.environment {
            return Ok(());
        }
        let theirs = other.authorities();
        // The same key under another certificate would build the same paths.
        let shared = authorities.all().find(|mine| theirs.all().any(|it| it.spki == mine.spki));
        let Some(shared) = shared else { return Ok(()) };
        let (production, test) = match self.environment {
            TrustEnvironment::Production => (self, other),
            TrustEnvironment::Test => (other, self),
        };
        Err(TrustSetError::BothEnvironments {
            subject: shared.subject_text.clone(),
            production: production.name.clone(),
            test: test.name.clone(),
        })
    }

    /// Puts these revocation lists, each in DER or PEM, in place of all that came this way; an earlier
    /// issue of a list that is there is not taken back. Lists that were fetched stay.
    ///
    /// # Errors
    ///
    /// [`TrustSetError::Crl`] or [`TrustSetError::Pem`] when one cannot be read; then nothing is
    /// replaced. A list that can be read but not used is no error: it tells nothing.
    pub fn replace_crls(&self, crls: Vec<Vec<u8>>) -> Result<(), TrustSetError> {
        let lists = read_crls(crls, &self.name)?;
        let authorities = self.authorities();
        let authorities: Vec<&Certificate> = authorities.all().collect();
        let mut held = self.crls.write().unwrap_or_else(PoisonError::into_inner);
        *held = Arc::new(held.replaced_by(lists, &authorities));
        Ok(())
    }

    /// Takes a revocation list that was fetched from `url` into use, in place of the one from there.
    ///
    /// # Errors
    ///
    /// [`CrlRefusal`] when it is not better than none; then what is there stays.
    pub fn take_crl(
        &self,
        url: &str,
        list: &Arc<Crl>,
        now: Timestamp,
    ) -> Result<Taken, CrlRefusal> {
        let authorities = self.authorities();
        let authorities: Vec<&Certificate> = authorities.all().collect();
        let mut held = self.crls.write().unwrap_or_else(PoisonError::into_inner);
        match held.taking(url, list, &authorities, now)? {
            Some(taken) => {
                *held = Arc::new(taken);
                Ok(Taken::New)
            }
            None => Ok(Taken::Same),
        }
    }

    /// The revocation lists that are in use.
    pub fn held_lists(&self) -> Vec<HeldList> {
        let held = |(source, list): (&ListSource, &Arc<Crl>)| HeldList {
            source: source.clone(),
            issuer: list.issuer_text.clone(),
            number: list.number.as_ref().map(ToString::to_string),
            this_update: list.this_update,
            next_update: list.next_update,
            entries: list.entries(),
        };
        self.crls().all().map(held).collect()
    }

    /// Where the certificates of the authorities say that lists of those above them are, as it stands there.
    pub fn distribution_points(&self) -> Vec<String> {
        let authorities = self.authorities();
        authorities.all().flat_map(|it| it.crl_points.iter().cloned()).collect()
    }

    /// What will refuse good clients, as of `now`: authorities that are not in force, revocation lists that are missing,
    /// stale or cannot be used, and responders that tell nothing. For start-up, health and alarms.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let authorities = self.authorities();
        let mut warnings = authorities.complaints(now);
        if self.rules.revocation != RevocationPolicy::NotChecked {
            let authorities: Vec<&Certificate> = authorities.all().collect();
            let needed = self.ocsp.needs_lists();
            warnings.extend(self.crls().complaints(&authorities, needed, now));
        }
        warnings.extend(self.ocsp.complaints());
        warnings
    }

    /// Judges a chain as of `now`, and stops at the first check that fails; the error is the reason
    /// that refuses the first path that was found, or that there is none.
    pub fn verify(
        &self,
        chain: &CertificateChain,
        now: Timestamp,
    ) -> Result<VerifiedChain, PkiError> {
        let (authorities, crls) = (self.authorities(), self.crls());
        let found = self.judge(&authorities, &crls, now).find(chain);
        if let Some(error) = found.refusal {
            return Err(error);
        }
        let leaf = chain.leaf();
        Ok(VerifiedChain {
            holder: self.holder(leaf)?,
            valid_until: found.until,
            spki: leaf.spki.clone(),
            issuer: leaf.issuer_text.clone(),
            serial_number: hex(&leaf.serial),
        })
    }

    /// Judges a chain as of `now`, and tells the outcome of every check.
    pub fn report(&self, chain: &CertificateChain, now: Timestamp) -> Report {
        let (authorities, crls) = (self.authorities(), self.crls());
        let judge = self.judge(&authorities, &crls, now);
        let found = judge.find(chain);
        let path_detail = match (&found.path, &found.refusal) {
            (None, Some(refusal)) => refusal.to_string(),
            (path, _) => {
                let subjects = path.iter().flat_map(|path| &path.authorities);
                subjects.map(|c| c.subject_text.as_str()).collect::<Vec<_>>().join(" < ")
            }
        };
        let mut checks =
            vec![CheckResult { name: "path", passed: found.path.is_some(), detail: path_detail }];
        let alone = Path { leaf: chain.leaf(), authorities: Vec::new(), sent: chain.above_leaf() };
        let path = found.path.as_ref().unwrap_or(&alone);
        let examination = judge.examination(path);
        checks.extend(CHECKS.iter().map(|check| {
            let name = check.name;
            if check.needs_path && found.path.is_none() {
                let detail = "not asked, because there is no path".to_owned();
                return CheckResult { name, passed: false, detail };
            }
            match (check.ask)(&examination) {
                Ok(passed) => CheckResult { name, passed: true, detail: passed.detail },
                Err(error) => CheckResult { name, passed: false, detail: error.to_string() },
            }
        }));
        Report {
            accepted: found.refusal.is_none(),
            organization_number: self.organization(chain),
            organization_identifier: self.organization_identifier(chain),
            seal: self.seal(chain),
            checks,
        }
    }

    pub(super) fn authorities(&self) -> Arc<Authorities> {
        Arc::clone(&self.authorities.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn judge<'a>(
        &'a self,
        authorities: &'a Authorities,
        crls: &'a CrlSet,
        now: Timestamp,
    ) -> Judge<'a> {
        Judge {
            trust_set: &self.name,
            anchors: &authorities.anchors,
            intermediates: &authorities.intermediates,
            rules: &self.rules,
            crls,
            ocsp: &self.ocsp,
            now,
        }
    }

    /// Whether it takes certificates for seals of any country, which are those of European businesses, and none of
    /// organizations that are registered here.
    pub fn takes_businesses(&self) -> bool {
        self.rules.organization == OrganizationRule::RequiredOfAnyCountry
    }

    fn holder(&self, leaf: &Certificate) -> Result<Holder, PkiError> {
        let number = |rule| subject::organization_number(&leaf.subject, rule);
        Ok(match self.rules.organization {
            OrganizationRule::RequiredOfAnyCountry => {
                Holder::Business(Arc::new(european_business(leaf)?))
            }
            OrganizationRule::Required { serial_number } => {
                Holder::Organization(number(serial_number)?)
            }
            OrganizationRule::NotRequired => {
                number(SerialNumberRule::Ignore).map_or(Holder::Unnamed, Holder::Organization)
            }
        })
    }

    fn organization(&self, chain: &CertificateChain) -> Option<OrganizationNumber> {
        let serial_number = match self.rules.organization {
            OrganizationRule::Required { serial_number } => serial_number,
            OrganizationRule::NotRequired | OrganizationRule::RequiredOfAnyCountry => {
                SerialNumberRule::Ignore
            }
        };
        subject::organization_number(&chain.leaf().subject, serial_number).ok()
    }

    fn organization_identifier(&self, chain: &CertificateChain) -> Option<OrganizationIdentifier> {
        let identifier = || subject::organization_identifier(&chain.leaf().subject).ok();
        self.takes_businesses().then(identifier).flatten()
    }

    fn seal(&self, chain: &CertificateChain) -> Option<SealKind> {
        self.takes_businesses().then(|| chain.leaf().qc_statements.seal_kind()).flatten()
    }

    pub(super) fn crls(&self) -> Arc<CrlSet> {
        Arc::clone(&self.crls.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl VerifiedChain {
    /// Whom the certificate was issued to.
    pub fn holder(&self) -> &Holder {
        &self.holder
    }

    /// The organization of the Norwegian register that it was issued to, if it is one.
    pub fn organization(&self) -> Option<OrganizationNumber> {
        match self.holder {
            Holder::Organization(number) => Some(number),
            Holder::Business(_) | Holder::Unnamed => None,
        }
    }

    /// The last moment of what the decision rests on: the validity of every certificate in the path,
    /// anchor included, and of the revocation lists.
    pub fn valid_until(&self) -> Timestamp {
        self.valid_until
    }

    /// The leaf's key, bound to `algorithm`.
    pub fn public_key(&self, algorithm: Algorithm) -> Result<PublicKey, PublicKeyError> {
        PublicKey::from_spki(&self.spki, algorithm)
    }

    /// The name of the authority that issued the leaf, for people.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The leaf's serial number in hexadecimal.
    pub fn serial_number(&self) -> &str {
        &self.serial_number
    }
}
