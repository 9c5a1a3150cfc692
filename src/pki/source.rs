//! Turning the files and settings of a trust set into what it works with, or saying what is wrong.

use rustls_pki_types::pem::SectionKind;

use crate::pki::certificate::Certificate;
use crate::pki::crl::Crl;
use crate::pki::der::SEQUENCE;
use crate::pki::pem;
use crate::pki::trust_set::{PolicyRule, TrustRules, TrustSetError};

/// The certificates of a PEM text, each fit to be an authority.
pub(super) fn read_authorities(
    pem: &[u8],
    role: &'static str,
    trust_set: &str,
) -> Result<Vec<Certificate>, TrustSetError> {
    let sections = pem::sections(pem, SectionKind::Certificate)
        .map_err(|reason| TrustSetError::Pem { trust_set: trust_set.to_owned(), role, reason })?;
    let mut authorities = Vec::with_capacity(sections.len());
    for (index, der) in sections.into_iter().enumerate() {
        let position = index + 1;
        let certificate = Certificate::from_der(der).map_err(|reason| {
            TrustSetError::Certificate { trust_set: trust_set.to_owned(), role, position, reason }
        })?;
        if let Some(reason) = unfit(&certificate) {
            return Err(TrustSetError::Authority {
                trust_set: trust_set.to_owned(),
                role,
                position,
                subject: certificate.subject_text,
                reason,
            });
        }
        authorities.push(certificate);
    }
    Ok(authorities)
}

/// Why a certificate cannot be an authority.
fn unfit(certificate: &Certificate) -> Option<String> {
    if !certificate.is_ca {
        return Some("is not an authority: it has no basicConstraints with cA".to_owned());
    }
    if certificate.key_usage.is_some_and(|usage| !usage.key_cert_sign()) {
        return Some("may not issue: its key usage is without keyCertSign".to_owned());
    }
    certificate.strength().err().map(|error| format!("has a key that is refused: {error}"))
}

/// The revocation lists of files in DER or PEM.
pub(super) fn read_crls(crls: Vec<Vec<u8>>, trust_set: &str) -> Result<Vec<Crl>, TrustSetError> {
    let mut lists = Vec::new();
    for (index, bytes) in crls.into_iter().enumerate() {
        // A list in DER begins with the tag of SEQUENCE, which no PEM text begins with.
        let is_pem = bytes.first() != Some(&SEQUENCE);
        let ders = if is_pem {
            pem::sections(&bytes, SectionKind::Crl).map_err(|reason| TrustSetError::Pem {
                trust_set: trust_set.to_owned(),
                role: "revocation list",
                reason,
            })?
        } else {
            vec![bytes]
        };
        if ders.is_empty() {
            // A file that is empty is one that is just being written, or a mistake.
            return Err(TrustSetError::Pem {
                trust_set: trust_set.to_owned(),
                role: "revocation list",
                reason: format!("file {} holds none", index + 1),
            });
        }
        for der in ders {
            lists.push(Crl::from_der(&der).map_err(|reason| TrustSetError::Crl {
                trust_set: trust_set.to_owned(),
                position: index + 1,
                reason,
            })?);
        }
    }
    Ok(lists)
}

/// Whether the identifiers in the rules are ones; a misspelt one would match nothing, silently.
pub(super) fn check_identifiers(rules: &TrustRules, trust_set: &str) -> Result<(), TrustSetError> {
    let policies: &[String] = match &rules.policies {
        PolicyRule::Any => &[],
        PolicyRule::OneOf(policies) => policies,
    };
    let policies = policies.iter().map(|policy| ("policies", policy));
    let purposes = rules.extended_key_usages.iter().map(|oid| ("extended key usages", oid));
    for (setting, found) in policies.chain(purposes) {
        let dotted = match setting {
            "policies" => found.strip_suffix(".*").unwrap_or(found),
            _ => found,
        };
        let is_arc = |arc: &str| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit());
        if !dotted.contains('.') || !dotted.split('.').all(is_arc) {
            return Err(TrustSetError::ObjectIdentifier {
                trust_set: trust_set.to_owned(),
                setting,
                found: found.clone(),
            });
        }
    }
    Ok(())
}
