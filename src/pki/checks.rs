//! What is asked of a path once it is found: one function a question, one list of them.
//!
//! The server stops at the first that fails; a report asks them all. Both use this list.

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::error::PkiError;
use crate::pki::ocsp::KnownAnswers;
use crate::pki::path::{Anchor, Path};
use crate::pki::revocation::{CrlSet, Status};
use crate::pki::seal::european_business;
use crate::pki::signature;
use crate::pki::subject;
use crate::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules,
};

/// `anyPolicy` (RFC 5280 section 4.2.1.4).
const ANY_POLICY: &str = "2.5.29.32.0";
/// `anyExtendedKeyUsage` (RFC 5280 section 4.2.1.12).
const ANY_PURPOSE: &str = "2.5.29.37.0";

/// A path and all that it is judged by.
pub(super) struct Examination<'a> {
    pub(super) path: &'a Path<'a>,
    pub(super) anchors: &'a [Anchor],
    pub(super) rules: &'a TrustRules,
    pub(super) crls: &'a CrlSet,
    pub(super) ocsp: &'a KnownAnswers,
    pub(super) now: Timestamp,
}

/// A question answered with yes.
pub(super) struct Passed {
    /// What was seen, for people.
    pub(super) detail: String,
    /// From this moment on the answer may be another.
    pub(super) until: Option<Timestamp>,
}

/// One question.
pub(super) struct Check {
    /// Its name, as in [`PkiError::check_name`].
    pub(super) name: &'static str,
    /// Whether it is about the authorities, so that without a path there is nothing to ask.
    pub(super) needs_path: bool,
    /// Asks it.
    pub(super) ask: fn(&Examination<'_>) -> Result<Passed, PkiError>,
}

/// Every check after "path", in order.
pub(super) const CHECKS: [Check; 11] = [
    Check { name: "full chain", needs_path: true, ask: full_chain },
    Check { name: "validity", needs_path: false, ask: validity },
    Check { name: "anchor", needs_path: true, ask: anchor },
    Check { name: "basic constraints", needs_path: false, ask: basic_constraints },
    Check { name: "key usage", needs_path: false, ask: key_usage },
    Check { name: "extended key usage", needs_path: false, ask: extended_key_usage },
    Check { name: "policy", needs_path: false, ask: policy },
    Check { name: "key strength", needs_path: false, ask: key_strength },
    Check { name: "signature algorithms", needs_path: false, ask: signature_algorithms },
    Check { name: "revocation", needs_path: true, ask: revocation },
    Check { name: "organization", needs_path: false, ask: organization },
];

fn passed(detail: impl Into<String>) -> Passed {
    Passed { detail: detail.into(), until: None }
}

/// What stands between the leaf and the anchor. That of Norwegian authorities is known here and often not sent; of those of
/// all Europe, the client sends it.
fn full_chain(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    match (examination.path.not_sent(), examination.rules.organization) {
        (None, _) => Ok(passed("every certificate below the anchor was sent")),
        (Some(missing), OrganizationRule::RequiredOfAnyCountry) => {
            Err(PkiError::ChainIncomplete { missing: missing.subject_text.clone() })
        }
        (Some(missing), OrganizationRule::NotRequired | OrganizationRule::Required { .. }) => {
            Ok(passed(format!("not needed here; {} is known", missing.subject_text)))
        }
    }
}

/// RFC 5280 section 6.1.3 (a)(2), for the leaf and the intermediates; both ends are inside.
fn validity(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let now = examination.now;
    let path = examination.path;
    let mut until = path.leaf.not_after;
    for certificate in std::iter::once(&path.leaf).chain(path.intermediates()) {
        let subject = || certificate.subject_text.clone();
        let (not_before, not_after) = (certificate.not_before, certificate.not_after);
        if now < not_before {
            return Err(PkiError::NotYetValid { subject: subject(), not_before, now });
        }
        if now > not_after {
            return Err(PkiError::Expired { subject: subject(), not_after, now });
        }
        until = until.min(not_after);
    }
    Ok(Passed { detail: format!("every certificate is valid until {until}"), until: Some(until) })
}

/// The anchor's own validity, which path validation leaves aside (RFC 5280 section 6.2).
fn anchor(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let leaf = examination.path.leaf;
    if examination.anchors.iter().any(|anchor| anchor.certificate.der == leaf.der) {
        return Err(PkiError::LeafIsAnchor);
    }
    let Some(anchor) = examination.path.authorities.last() else {
        return Ok(passed("there is none"));
    };
    let (not_before, not_after, now) = (anchor.not_before, anchor.not_after, examination.now);
    if now < not_before || now > not_after {
        let subject = anchor.subject_text.clone();
        return Err(PkiError::AnchorNotInForce { subject, not_before, not_after, now });
    }
    Ok(Passed { detail: anchor.subject_text.clone(), until: Some(not_after) })
}

/// The leaf is no authority, authorities are, and no key is both (RFC 5280 section 4.2.1.9).
fn basic_constraints(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    if path.leaf.is_ca {
        return Err(PkiError::LeafIsAuthority);
    }
    if path.leaf.subject == path.leaf.issuer {
        return Err(PkiError::LeafIsSelfSigned);
    }
    if !path.authorities.iter().all(|authority| authority.is_ca) {
        return Err(PkiError::IssuerNotAuthority);
    }
    let same_key = path.authorities.iter().find(|authority| authority.spki == path.leaf.spki);
    if let Some(authority) = same_key {
        return Err(PkiError::KeyOfAuthority { subject: authority.subject_text.clone() });
    }
    Ok(passed(format!("an end entity below {} authorities", path.authorities.len())))
}

/// RFC 5280 section 4.2.1.3: the leaf signs, and authorities sign certificates.
fn key_usage(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    let Some(usage) = path.leaf.key_usage else {
        return Err(PkiError::KeyUsage { found: "absent".to_owned() });
    };
    let signs = usage.digital_signature() || usage.non_repudiation();
    if !signs || usage.key_cert_sign() {
        let found = if usage.flags == 0 { "empty".to_owned() } else { usage.to_string() };
        return Err(PkiError::KeyUsage { found });
    }
    let may_issue =
        |authority: &&&Certificate| authority.key_usage.is_none_or(|usage| usage.key_cert_sign());
    match path.authorities.iter().find(|authority| !may_issue(authority)) {
        Some(authority) => {
            Err(PkiError::AuthorityKeyUsage { subject: authority.subject_text.clone() })
        }
        None => Ok(passed(usage.to_string())),
    }
}

/// RFC 5280 section 4.2.1.12. "Any purpose" on a leaf says nothing about signing grants, so it must
/// be configured; on an intermediate it forbids nothing.
fn extended_key_usage(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    let accepted = &examination.rules.extended_key_usages;
    for certificate in std::iter::once(&path.leaf).chain(path.intermediates()) {
        let Some(purposes) = &certificate.extended_key_usages else { continue };
        let is_leaf = std::ptr::eq(*certificate, path.leaf);
        let fits =
            |purpose: &String| accepted.contains(purpose) || (!is_leaf && purpose == ANY_PURPOSE);
        if !purposes.iter().any(fits) {
            return Err(PkiError::ExtendedKeyUsage {
                subject: certificate.subject_text.clone(),
                found: listed(purposes),
                accepted: listed(accepted),
            });
        }
    }
    match &path.leaf.extended_key_usages {
        Some(purposes) => Ok(passed(listed(purposes))),
        None => Ok(passed("not restricted")),
    }
}

/// Policies of the leaf, within those that the intermediates may issue under (RFC 5280 section
/// 6.1.5 (g), without policy mapping).
fn policy(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    let found = path.leaf.policies.as_deref().unwrap_or_default();
    let PolicyRule::OneOf(accepted) = &examination.rules.policies else {
        return Ok(passed(format!("every policy is accepted: {}", listed(found))));
    };
    let mut fitting: Vec<&String> = found
        .iter()
        .filter(|policy| *policy != ANY_POLICY && accepted.iter().any(|a| matches(a, policy)))
        .collect();
    if fitting.is_empty() {
        return Err(PkiError::Policy { found: listed(found), accepted: listed(accepted) });
    }
    for authority in path.intermediates() {
        let Some(allowed) = &authority.policies else { continue };
        if allowed.iter().any(|policy| policy == ANY_POLICY) {
            continue;
        }
        fitting.retain(|policy| allowed.contains(policy));
        if fitting.is_empty() {
            return Err(PkiError::PolicyOfAuthority {
                subject: authority.subject_text.clone(),
                allowed: listed(allowed),
            });
        }
    }
    Ok(passed(fitting.into_iter().map(String::as_str).collect::<Vec<_>>().join(", ")))
}

/// Whether a configured policy, which may end in `.*`, covers a policy. The dot before the star stays
/// in the prefix, so that no component is cut in two.
fn matches(accepted: &str, policy: &str) -> bool {
    match accepted.strip_suffix('*') {
        Some(prefix) => policy.starts_with(prefix),
        None => accepted == policy,
    }
}

/// Every key in the path, the anchor's too.
fn key_strength(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    for certificate in std::iter::once(&path.leaf).chain(&path.authorities) {
        certificate.strength().map_err(|reason| PkiError::WeakKey {
            subject: certificate.subject_text.clone(),
            reason,
        })?;
    }
    Ok(passed("every key is of an accepted type and strength"))
}

/// Path building accepts no others; here it is said which certificate it was.
fn signature_algorithms(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let path = examination.path;
    let mut below_anchor = std::iter::once(&path.leaf).chain(path.intermediates());
    if below_anchor.all(|certificate| signature::is_accepted(&certificate.signature_algorithm)) {
        Ok(passed("SHA-2 with RSA or ECDSA"))
    } else {
        Err(PkiError::SignatureAlgorithm)
    }
}

/// Every certificate below the anchor, each by the lists of its issuer (RFC 5280 section 6.3) and what its responder has
/// told, where that is asked.
fn revocation(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let policy = examination.rules.revocation;
    if policy == RevocationPolicy::NotChecked {
        return Ok(passed("not checked, by configuration"));
    }
    let mut until = None;
    let mut details = Vec::new();
    let mut unknown = None;
    for (certificate, issuer) in examination.path.issued() {
        let subject = || certificate.subject_text.clone();
        let lists = examination.crls.status(certificate, issuer, examination.now);
        match examination.ocsp.beside(lists, certificate, issuer, examination.now) {
            Status::Good { until: known_until } => {
                until = Some(until.map_or(known_until, |until| known_until.min(until)));
            }
            // A revoked certificate refuses the path whatever is unknown about the others.
            Status::Revoked(reason) => {
                return Err(PkiError::Revoked { subject: subject(), reason });
            }
            Status::Unknown { detail, good_until } => match grace(policy, good_until) {
                Some(end) if examination.now <= end => {
                    until = Some(until.map_or(end, |until| end.min(until)));
                    details.push(format!("unknown for {}: {detail}", subject()));
                }
                Some(_) | None => {
                    let error = || PkiError::RevocationUnknown { subject: subject(), detail };
                    unknown = unknown.or_else(|| Some(error()));
                }
            },
        }
    }
    let detail = match (unknown, details.is_empty()) {
        (Some(error), _) => return Err(error),
        (None, true) => "no certificate is revoked".to_owned(),
        (None, false) => format!("let pass, by configuration; {}", details.join("; ")),
    };
    let again = examination.ocsp.looked_at_again(examination.now);
    let until = [until, again].into_iter().flatten().min();
    Ok(Passed { detail, until })
}

/// Until when a certificate may pass of which a list could tell until then that it was not revoked.
fn grace(policy: RevocationPolicy, good_until: Option<Timestamp>) -> Option<Timestamp> {
    match policy {
        RevocationPolicy::SoftFail { seconds } => good_until.map(|end| end.plus_seconds(seconds)),
        RevocationPolicy::HardFail | RevocationPolicy::NotChecked => None,
    }
}

/// Whose certificate it is.
fn organization(examination: &Examination<'_>) -> Result<Passed, PkiError> {
    let subject = &examination.path.leaf.subject;
    match examination.rules.organization {
        OrganizationRule::Required { serial_number } => {
            Ok(passed(subject::organization_number(subject, serial_number)?.to_string()))
        }
        OrganizationRule::RequiredOfAnyCountry => {
            let business = european_business(examination.path.leaf)?;
            Ok(passed(format!("{}, {}", business.identifier, business.seal.name())))
        }
        OrganizationRule::NotRequired => {
            match subject::organization_number(subject, SerialNumberRule::Ignore) {
                Ok(number) => Ok(passed(number.to_string())),
                Err(reason) => Ok(passed(format!("not needed here; {reason}"))),
            }
        }
    }
}

fn listed(oids: &[String]) -> String {
    if oids.is_empty() { "none".to_owned() } else { oids.join(", ") }
}
