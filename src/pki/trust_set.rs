//! A named set of trust anchors with the rules for what is issued below them.
//!
//! A set is loaded once and judged against many chains. Only its revocation lists change while the
//! server runs; its generation tells caches that they did.

use std::sync::{Arc, PoisonError, RwLock};

use thiserror::Error;

use crate::clock::Timestamp;
use crate::domain::algorithm::Algorithm;
use crate::domain::organization::OrganizationNumber;
use crate::pki::certificate::{Certificate, CertificateError, hex};
use crate::pki::chain::CertificateChain;
use crate::pki::checks::CHECKS;
use crate::pki::crl::{Crl, CrlError};
use crate::pki::error::PkiError;
use crate::pki::judge::Judge;
use crate::pki::path::{Anchor, Path};
use crate::pki::public_key::{PublicKey, PublicKeyError};
use crate::pki::revocation::{CrlRefusal, CrlSet, ListSource, Taken};
use crate::pki::source::{check_identifiers, read_authorities, read_crls};
use crate::pki::subject;

/// What a trust set is loaded from.
#[derive(Clone, Debug)]
pub struct TrustSetSource {
    /// The name by which configuration and messages call it.
    pub name: String,
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
    pub(super) anchors: Vec<Anchor>,
    pub(super) intermediates: Vec<Certificate>,
    pub(super) rules: TrustRules,
    crls: RwLock<Arc<CrlSet>>,
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
    organization: Option<OrganizationNumber>,
    valid_until: Timestamp,
    spki: Vec<u8>,
    issuer: String,
    serial_number: String,
}

/// Every check of a chain with its outcome, for people.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Whether [`TrustSet::verify`] would accept the chain.
    pub accepted: bool,
    /// The organization that the leaf names, if it does so in the accepted way.
    pub organization_number: Option<OrganizationNumber>,
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
    /// Loads a trust set and checks that it can work.
    ///
    /// # Errors
    ///
    /// Whatever would make the set refuse good chains or accept bad ones later: damaged files, no
    /// anchors, certificates that are no authorities or have weak keys, misspelt identifiers.
    pub fn load(source: TrustSetSource) -> Result<Self, TrustSetError> {
        let name = source.name;
        check_identifiers(&source.rules, &name)?;
        let mut anchors = Vec::new();
        for (position, certificate) in
            read_authorities(&source.anchors_pem, "anchor", &name)?.into_iter().enumerate()
        {
            let subject = certificate.subject_text.clone();
            anchors.push(Anchor::new(certificate).map_err(|error| TrustSetError::Authority {
                trust_set: name.clone(),
                role: "anchor",
                position: position + 1,
                subject,
                reason: format!("cannot be an anchor: {error}"),
            })?);
        }
        if anchors.is_empty() {
            return Err(TrustSetError::NoAnchors { trust_set: name });
        }
        let intermediates = read_authorities(&source.intermediates_pem, "intermediate", &name)?;
        let set = Self {
            name,
            anchors,
            intermediates,
            rules: source.rules,
            crls: RwLock::new(Arc::new(CrlSet::default())),
        };
        set.replace_crls(source.crls)?;
        Ok(set)
    }

    /// The name by which configuration and messages call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A number that changes whenever the revocation lists are replaced. Take it before
    /// [`TrustSet::verify`] when the outcome is kept.
    pub fn generation(&self) -> u64 {
        self.crls().generation
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
    pub fn distribution_points(&self) -> Vec<&str> {
        let authorities = self.authorities().into_iter();
        authorities.flat_map(|it| it.crl_points.iter().map(String::as_str)).collect()
    }

    /// What will refuse good clients, as of `now`: authorities that are not in force, and revocation
    /// lists that are missing, stale or cannot be used. For start-up, health and alarms.
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let authorities = self.authorities();
        let mut warnings: Vec<String> = authorities
            .iter()
            .filter(|authority| now < authority.not_before || now > authority.not_after)
            .map(|authority| {
                let (from, to) = (authority.not_before, authority.not_after);
                format!("{} is valid from {from} to {to} only", authority.subject_text)
            })
            .collect();
        if self.rules.revocation != RevocationPolicy::NotChecked {
            warnings.extend(self.crls().complaints(&authorities, now));
        }
        warnings
    }

    /// Judges a chain as of `now`, and stops at the first check that fails; the error is the reason
    /// that refuses the first path that was found, or that there is none.
    pub fn verify(
        &self,
        chain: &CertificateChain,
        now: Timestamp,
    ) -> Result<VerifiedChain, PkiError> {
        let crls = self.crls();
        let found = self.judge(&crls, now).find(chain);
        if let Some(error) = found.refusal {
            return Err(error);
        }
        let leaf = chain.leaf();
        Ok(VerifiedChain {
            organization: self.organization(chain),
            valid_until: found.until,
            spki: leaf.spki.clone(),
            issuer: leaf.issuer_text.clone(),
            serial_number: hex(&leaf.serial),
        })
    }

    /// Judges a chain as of `now`, and tells the outcome of every check.
    pub fn report(&self, chain: &CertificateChain, now: Timestamp) -> Report {
        let crls = self.crls();
        let judge = self.judge(&crls, now);
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
        let alone = Path { leaf: chain.leaf(), authorities: Vec::new() };
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
            checks,
        }
    }

    fn authorities(&self) -> Vec<&Certificate> {
        let anchors = self.anchors.iter().map(|anchor| &anchor.certificate);
        anchors.chain(&self.intermediates).collect()
    }

    fn judge<'a>(&'a self, crls: &'a CrlSet, now: Timestamp) -> Judge<'a> {
        Judge {
            trust_set: &self.name,
            anchors: &self.anchors,
            intermediates: &self.intermediates,
            rules: &self.rules,
            crls,
            now,
        }
    }

    fn organization(&self, chain: &CertificateChain) -> Option<OrganizationNumber> {
        let serial_number = match self.rules.organization {
            OrganizationRule::NotRequired => SerialNumberRule::Ignore,
            OrganizationRule::Required { serial_number } => serial_number,
        };
        subject::organization_number(&chain.leaf().subject, serial_number).ok()
    }

    pub(super) fn crls(&self) -> Arc<CrlSet> {
        Arc::clone(&self.crls.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl VerifiedChain {
    /// The organization that the certificate was issued to.
    pub fn organization(&self) -> Option<OrganizationNumber> {
        self.organization
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
