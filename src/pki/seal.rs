//! Certificates for electronic seals: whose they are, and what their `qcStatements` say (RFC 3739 section 3.2.6, ETSI EN
//! 319 412-5).

use aws_lc_rs::digest::{Context, SHA256};

use crate::domain::client::ClientId;
use crate::domain::european_business::{CertificateId, EuropeanBusiness};
use crate::domain::seal::SealKind;
use crate::pki::certificate::Certificate;
use crate::pki::der::{DerError, OBJECT_IDENTIFIER, Reader, SEQUENCE};
use crate::pki::error::PkiError;
use crate::pki::subject;

/// id-pe-qcStatements.
pub(super) const QC_STATEMENTS: &str = "1.3.6.1.5.5.7.1.3";

/// id-etsi-qcs-QcCompliance, 0.4.0.1862.1.1: the certificate is a qualified one.
const COMPLIANCE: &[u8] = &[0x04, 0x00, 0x8e, 0x46, 0x01, 0x01];
/// id-etsi-qcs-QcType, 0.4.0.1862.1.6: what it is for.
const TYPE: &[u8] = &[0x04, 0x00, 0x8e, 0x46, 0x01, 0x06];
/// id-etsi-qct-eseal, 0.4.0.1862.1.6.2: for electronic seals. The others are signatures of persons and web sites.
const TYPE_SEAL: &[u8] = &[0x04, 0x00, 0x8e, 0x46, 0x01, 0x06, 0x02];

/// id-etsi-qcs-QcCClegislation, 0.4.0.1862.1.7: by the law of which countries it is a qualified one. Absent where that is
/// the law of the European Union (EN 319 412-5 section 4.2.4).
const LEGISLATION: &[u8] = &[0x04, 0x00, 0x8e, 0x46, 0x01, 0x07];

/// The country whose organizations have clients here.
const NORWAY: &str = "NO";

/// What the statements of a certificate come to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct QcStatements {
    compliant: bool,
    /// Whether it is a qualified one by the law of others than the European Union.
    by_other_law: bool,
    /// Whether seals are among its types; `None` if it names no type.
    for_seals: Option<bool>,
}

impl QcStatements {
    /// Reads the value of the extension.
    pub(super) fn read(value: &[u8]) -> Result<Self, DerError> {
        let mut outer = Reader::new(value);
        let mut statements = Reader::new(outer.take(SEQUENCE)?.content);
        let mut read = Self::default();
        while !statements.at_end() {
            let mut statement = Reader::new(statements.take(SEQUENCE)?.content);
            match statement.take(OBJECT_IDENTIFIER)?.content {
                COMPLIANCE => read.compliant = true,
                LEGISLATION => read.by_other_law = true,
                TYPE => {
                    let mut types = Reader::new(statement.take(SEQUENCE)?.content);
                    let mut seals = false;
                    while !types.at_end() {
                        seals |= types.take(OBJECT_IDENTIFIER)?.content == TYPE_SEAL;
                    }
                    read.for_seals = Some(seals);
                }
                _ => {}
            }
        }
        Ok(read)
    }

    /// The kind of seal that it certifies; `None` if it is for something else. A qualified certificate that names no
    /// type is for signatures of persons (EN 319 412-5 section 4.2.3).
    pub(super) fn seal_kind(self) -> Option<SealKind> {
        match (self.compliant, self.for_seals) {
            (true, Some(true)) if self.by_other_law => Some(SealKind::Advanced),
            (true, Some(true)) => Some(SealKind::Qualified),
            (false, None | Some(true)) => Some(SealKind::Advanced),
            (true, None) | (_, Some(false)) => None,
        }
    }
}

/// The European business that a certificate is for; whether it counts is another question.
pub(super) fn european_business(leaf: &Certificate) -> Result<EuropeanBusiness, PkiError> {
    let identifier = subject::organization_identifier(&leaf.subject)?;
    // Whatever a list of authorities says: the rules for Norwegian organizations are those of their own trust sets.
    if identifier.country() == NORWAY {
        return Err(PkiError::NorwegianBusiness { identifier: identifier.to_string() });
    }
    // Certificates of employees name their organization as well (EN 319 412-2), and not all say what they are for.
    if subject::names_person(&leaf.subject) {
        return Err(PkiError::PersonalCertificate);
    }
    let seal = leaf.qc_statements.seal_kind().ok_or(PkiError::NoSeal)?;
    Ok(EuropeanBusiness {
        client_id: ClientId::of_serial_number(&leaf.serial),
        certificate: certificate_id(leaf),
        identifier,
        names: subject::names(&leaf.subject),
        seal,
    })
}

fn certificate_id(leaf: &Certificate) -> CertificateId {
    let mut hash = Context::new(&SHA256);
    // A name is DER, which says how long it is, so nothing of it can be taken for a serial number.
    hash.update(&leaf.issuer);
    hash.update(&leaf.serial);
    let mut id = [0; 32];
    id.copy_from_slice(hash.finish().as_ref());
    CertificateId(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::tests::{object_identifier, sequence};

    fn kind(statements: &[Vec<u8>]) -> Option<SealKind> {
        QcStatements::read(&sequence(statements)).unwrap().seal_kind()
    }

    #[test]
    fn only_a_compliant_certificate_for_seals_is_a_qualified_one() {
        let compliance = || sequence(&[object_identifier("0.4.0.1862.1.1")]);
        let types = |types: &[&str]| {
            let types = types.iter().map(|oid| object_identifier(oid)).collect::<Vec<_>>();
            sequence(&[object_identifier("0.4.0.1862.1.6"), sequence(&types)])
        };
        let (sign, seal) = ("0.4.0.1862.1.6.1", "0.4.0.1862.1.6.2");
        let other = || sequence(&[object_identifier("0.4.0.1862.1.4")]);
        assert_eq!(kind(&[compliance(), other(), types(&[seal])]), Some(SealKind::Qualified));
        assert_eq!(kind(&[types(&[sign, seal]), compliance()]), Some(SealKind::Qualified));
        assert_eq!(kind(&[types(&[seal])]), Some(SealKind::Advanced));
        let swiss = || {
            let country = [&[0x13, 0x02][..], b"CH"].concat();
            sequence(&[object_identifier("0.4.0.1862.1.7"), sequence(&[country])])
        };
        let elsewhere = [compliance(), swiss(), types(&[seal])];
        assert_eq!(kind(&elsewhere), Some(SealKind::Advanced), "not qualified in the Union");
        assert_eq!(kind(&[compliance(), swiss()]), None);
        assert_eq!(kind(&[other()]), Some(SealKind::Advanced));
        assert_eq!(kind(&[]), Some(SealKind::Advanced));
        assert_eq!(kind(&[compliance()]), None);
        assert_eq!(kind(&[compliance(), types(&[sign])]), None);
        assert_eq!(kind(&[types(&[sign])]), None);
        assert_eq!(kind(&[types(&[])]), None);
    }

    #[test]
    fn what_is_no_list_of_statements_is_refused() {
        for value in [&[][..], &[0x31, 0x00], &[0x30, 0x02, 0x05, 0x00], &[0x30, 0x02, 0x30, 0x00]]
        {
            assert!(QcStatements::read(value).is_err(), "{value:02x?}");
        }
    }
}
