//! The answer of a responder, read by the rules of DER and judged by RFC 6960 section 3.2.
//!
//! A status "revoked" that is rightly signed counts however old it is, as an entry of a revocation list does. "Good"
//! counts only while the answer is fresh. Everything else is no status at all.

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::crl::reason_text;
use crate::pki::der::{
    self, DerError, GENERALIZED_TIME, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE, Value,
};
use crate::pki::ocsp::question::key_hash;
use crate::pki::ocsp::{
    CLOCK_SKEW_SECONDS, OCSP_NONCE_BYTES, OCSP_RESPONSE_BYTES_MAX, OcspError, OcspRules,
    OcspStatus, SignerProblem,
};
use crate::pki::signature;

const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const ENUMERATED: u8 = 0x0a;
/// Explicit context tags.
const TAG_0: u8 = 0xa0;
const TAG_1: u8 = 0xa1;
const TAG_2: u8 = 0xa2;
/// Implicit context tags of a status.
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;
const UNKNOWN: u8 = 0x82;

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1.
const BASIC: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// id-pkix-ocsp-nonce, 1.3.6.1.5.5.7.48.1.2.
const NONCE: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
/// SHA-1, 1.3.14.3.2.26.
const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// id-kp-OCSPSigning.
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// Certificates in an answer that are looked at: the responder's own is among the first, and each costs a signature.
const CERTIFICATES_MAX: usize = 4;

/// What an answer is held against.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) issuer_name: Vec<u8>,
    pub(super) issuer_spki: Vec<u8>,
    pub(super) name_hash: Vec<u8>,
    pub(super) key_hash: Vec<u8>,
    pub(super) serial: Vec<u8>,
    pub(super) spki: Vec<u8>,
    pub(super) nonce: Option<[u8; OCSP_NONCE_BYTES]>,
}

/// Judges an answer as of `now`: the status, and when it was known to be right.
pub(super) fn judge(
    asked: &Asked,
    answer: &[u8],
    rules: OcspRules,
    now: Timestamp,
) -> Result<(OcspStatus, Timestamp), OcspError> {
    if answer.len() > OCSP_RESPONSE_BYTES_MAX {
        return Err(OcspError::Size { size: answer.len() });
    }
    let basic = basic_response(answer)?;
    let response = Basic::read(basic)?;
    let data = Data::read(response.signed)?;
    let nonce = known_extensions(data.extensions)?;
    let status = data.status_of(asked)?;
    known_extensions(status.extensions)?;
    let key = signer_key(asked, &response, &data, now)?;
    let signed = signature::signed_digest(response.whole).ok_or(OcspError::Signature)?;
    if !signed.is_by(&key) {
        return Err(OcspError::Signature);
    }
    match status.state.tag {
        REVOKED => {
            let reason = reason(status.state)?;
            Ok((OcspStatus::Revoked { reason }, status.this_update))
        }
        GOOD if status.state.content.is_empty() => {
            check_nonce(asked, nonce, rules)?;
            let until = good_until(&data, &status, rules, now)?;
            Ok((OcspStatus::Good { until }, status.this_update))
        }
        UNKNOWN => Err(OcspError::Unknown),
        _ => Err(DerError::Tag.into()),
    }
}

/// `OCSPResponse`: the `BasicOCSPResponse` in a successful one (RFC 6960 section 4.2.1).
fn basic_response(answer: &[u8]) -> Result<&[u8], OcspError> {
    let outer = der::check(answer)?;
    if outer.tag != SEQUENCE {
        return Err(DerError::Tag.into());
    }
    let mut members = Reader::new(outer.content);
    match members.take(ENUMERATED)?.content {
        [0] => {}
        [1] => return Err(OcspError::Refused("malformedRequest")),
        [2] => return Err(OcspError::Refused("internalError")),
        [3] => return Err(OcspError::Refused("tryLater")),
        [5] => return Err(OcspError::Refused("sigRequired")),
        [6] => return Err(OcspError::Refused("unauthorized")),
        _ => return Err(DerError::Value.into()),
    }
    let mut bytes = Reader::new(only(members.take(TAG_0)?.content, SEQUENCE)?.content);
    if !members.at_end() {
        return Err(DerError::Trailing.into());
    }
    if bytes.take(OBJECT_IDENTIFIER)?.content != BASIC {
        return Err(DerError::Value.into());
    }
    let basic = bytes.take(OCTET_STRING)?.content;
    if !bytes.at_end() {
        return Err(DerError::Trailing.into());
    }
    if der::check(basic)?.tag != SEQUENCE {
        return Err(DerError::Tag.into());
    }
    Ok(basic)
}

/// The one value of that tag in these bytes.
fn only(bytes: &[u8], tag: u8) -> Result<Value<'_>, DerError> {
    let mut reader = Reader::new(bytes);
    let value = reader.take(tag)?;
    if reader.at_end() { Ok(value) } else { Err(DerError::Trailing) }
}

/// The next value, if it has that tag.
fn optional<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<Option<Value<'a>>, DerError> {
    let mut ahead = *reader;
    if ahead.at_end() {
        return Ok(None);
    }
    let value = ahead.next()?;
    if value.tag != tag {
        return Ok(None);
    }
    *reader = ahead;
    Ok(Some(value))
}

/// `BasicOCSPResponse`, taken apart.
struct Basic<'a> {
    whole: &'a [u8],
    signed: &'a [u8],
    certificates: Vec<&'a [u8]>,
}

impl<'a> Basic<'a> {
    fn read(whole: &'a [u8]) -> Result<Self, DerError> {
        let mut members = Reader::new(only(whole, SEQUENCE)?.content);
        let signed = members.take(SEQUENCE)?.content;
        members.take(SEQUENCE)?;
        members.next()?;
        let mut certificates = Vec::new();
        if let Some(list) = optional(&mut members, TAG_0)? {
            let mut list = Reader::new(only(list.content, SEQUENCE)?.content);
            while !list.at_end() {
                certificates.push(list.take(SEQUENCE)?.whole);
            }
        }
        if members.at_end() {
            Ok(Self { whole, signed, certificates })
        } else {
            Err(DerError::Trailing)
        }
    }
}

/// Who says that it has answered.
enum Responder<'a> {
    Name(&'a [u8]),
    KeyHash(&'a [u8]),
}

impl Responder<'_> {
    fn is(&self, name: &[u8], spki: &[u8]) -> bool {
        match self {
            Self::Name(said) => *said == name,
            Self::KeyHash(said) => *said == key_hash(spki),
        }
    }
}

/// `ResponseData`, taken apart.
struct Data<'a> {
    responder: Responder<'a>,
    produced_at: Timestamp,
    statuses: &'a [u8],
    extensions: Option<Value<'a>>,
}

/// `SingleResponse`, taken apart.
struct Status<'a> {
    state: Value<'a>,
    this_update: Timestamp,
    next_update: Option<Timestamp>,
    extensions: Option<Value<'a>>,
}

impl<'a> Data<'a> {
    fn read(signed: &'a [u8]) -> Result<Self, OcspError> {
        let mut members = Reader::new(signed);
        if let Some(version) = optional(&mut members, TAG_0)? {
            // Only version 1 is known, and its number is the default.
            if only(version.content, INTEGER)?.content != [0] {
                return Err(DerError::Value.into());
            }
        }
        let said = members.next()?;
        let responder = match said.tag {
            TAG_1 => Responder::Name(only(said.content, SEQUENCE)?.whole),
            TAG_2 => Responder::KeyHash(only(said.content, OCTET_STRING)?.content),
            _ => return Err(DerError::Tag.into()),
        };
        let produced_at = time(members.take(GENERALIZED_TIME)?.content)?;
        let statuses = members.take(SEQUENCE)?.content;
        let extensions = optional(&mut members, TAG_1)?;
        if !members.at_end() {
            return Err(DerError::Trailing.into());
        }
        Ok(Self { responder, produced_at, statuses, extensions })
    }

    /// The one status of the certificate that was asked about.
    fn status_of(&self, asked: &Asked) -> Result<Status<'a>, OcspError> {
        let mut list = Reader::new(self.statuses);
        let mut found = None;
        while !list.at_end() {
            let mut members = Reader::new(list.take(SEQUENCE)?.content);
            let is_asked = asked.is(members.take(SEQUENCE)?.content)?;
            let state = members.next()?;
            let this_update = time(members.take(GENERALIZED_TIME)?.content)?;
            let next_update = optional(&mut members, TAG_0)?
                .map(|value| time(only(value.content, GENERALIZED_TIME)?.content))
                .transpose()?;
            let extensions = optional(&mut members, TAG_1)?;
            if !members.at_end() {
                return Err(DerError::Trailing.into());
            }
            if is_asked {
                let status = Status { state, this_update, next_update, extensions };
                if found.replace(status).is_some() {
                    return Err(OcspError::OtherCertificate);
                }
            }
        }
        found.ok_or(OcspError::OtherCertificate)
    }
}

impl Asked {
    /// Whether a `CertID`, without tag and length, is that of the certificate (RFC 6960 section 4.1.1).
    fn is(&self, id: &[u8]) -> Result<bool, DerError> {
        let mut members = Reader::new(id);
        let mut algorithm = Reader::new(members.take(SEQUENCE)?.content);
        let is_sha1 = algorithm.take(OBJECT_IDENTIFIER)?.content == SHA1;
        let name_hash = members.take(OCTET_STRING)?.content;
        let key_hash = members.take(OCTET_STRING)?.content;
        let serial = members.take(INTEGER)?.content;
        if !members.at_end() {
            return Err(DerError::Trailing);
        }
        let is_same = name_hash == self.name_hash && key_hash == self.key_hash;
        Ok(is_sha1 && is_same && serial == self.serial)
    }
}

/// The key that must have signed: the issuer's, or that of a responder whom the issuer has certified (RFC 6960 section
/// 4.2.2.2).
fn signer_key(
    asked: &Asked,
    response: &Basic<'_>,
    data: &Data<'_>,
    now: Timestamp,
) -> Result<Vec<u8>, OcspError> {
    if data.responder.is(&asked.issuer_name, &asked.issuer_spki) {
        return Ok(asked.issuer_spki.clone());
    }
    let mut problem = SignerProblem::NotThere;
    for der in response.certificates.iter().take(CERTIFICATES_MAX) {
        let certificate = match Certificate::from_der(der.to_vec()) {
            Ok(certificate) => certificate,
            Err(error) => {
                problem = error.into();
                continue;
            }
        };
        if !data.responder.is(&certificate.subject, &certificate.spki) {
            continue;
        }
        match check_responder(asked, &certificate, now) {
            Ok(()) => return Ok(certificate.spki),
            Err(error) => problem = error,
        }
    }
    Err(OcspError::Signer(problem))
}

fn check_responder(
    asked: &Asked,
    responder: &Certificate,
    now: Timestamp,
) -> Result<(), SignerProblem> {
    let is_for_ocsp = responder
        .extended_key_usages
        .as_ref()
        .is_some_and(|purposes| purposes.iter().any(|purpose| purpose == OCSP_SIGNING));
    let may_sign = responder.key_usage.is_none_or(|usage| usage.digital_signature());
    if !is_for_ocsp || !may_sign {
        return Err(SignerProblem::NotForOcsp);
    }
    if responder.spki == asked.spki {
        return Err(SignerProblem::ItsOwn);
    }
    if now < responder.not_before || now > responder.not_after {
        return Err(SignerProblem::NotInForce);
    }
    if !responder.ocsp_no_check {
        return Err(SignerProblem::Revocable);
    }
    responder.strength().map_err(SignerProblem::WeakKey)?;
    let is_issued = responder.issuer == asked.issuer_name
        && signature::signed_digest(&responder.der)
            .is_some_and(|signed| signed.is_by(&asked.issuer_spki));
    if is_issued { Ok(()) } else { Err(SignerProblem::NotIssued) }
}

/// The nonce among extensions of which every critical one must be known, and there is none known but it.
fn known_extensions(extensions: Option<Value<'_>>) -> Result<Option<&[u8]>, OcspError> {
    let Some(extensions) = extensions else { return Ok(None) };
    let mut list = Reader::new(only(extensions.content, SEQUENCE)?.content);
    let mut seen = Vec::new();
    let mut nonce = None;
    while !list.at_end() {
        let mut members = Reader::new(list.take(SEQUENCE)?.content);
        let identifier = members.take(OBJECT_IDENTIFIER)?.content;
        let critical = optional(&mut members, BOOLEAN)?.is_some_and(|value| value.content != [0]);
        let value = members.take(OCTET_STRING)?.content;
        if !members.at_end() {
            return Err(DerError::Trailing.into());
        }
        if seen.contains(&identifier) || (critical && identifier != NONCE) {
            return Err(OcspError::Extension);
        }
        if identifier == NONCE {
            nonce = Some(only(value, OCTET_STRING)?.content);
        }
        seen.push(identifier);
    }
    Ok(nonce)
}

/// RFC 9654 section 2.1: what comes back is what was sent.
fn check_nonce(asked: &Asked, found: Option<&[u8]>, rules: OcspRules) -> Result<(), OcspError> {
    match (&asked.nonce, found) {
        (Some(sent), Some(found)) if found == sent => Ok(()),
        (Some(_), None) if !rules.nonce_required => Ok(()),
        (None, None) => Ok(()),
        _ => Err(OcspError::Nonce),
    }
}

/// RFC 6960 sections 3.2 (5) and (6), and 4.2.2.1: until when "good" counts.
fn good_until(
    data: &Data<'_>,
    status: &Status<'_>,
    rules: OcspRules,
    now: Timestamp,
) -> Result<Timestamp, OcspError> {
    let soon = now.plus_seconds(CLOCK_SKEW_SECONDS);
    let this_update = status.this_update;
    if this_update > soon || data.produced_at > soon || data.produced_at < this_update {
        return Err(OcspError::Times);
    }
    let oldest = this_update.plus_seconds(rules.age_seconds_max);
    let next_update = status.next_update.unwrap_or(oldest);
    if next_update < this_update {
        return Err(OcspError::Times);
    }
    if next_update <= now {
        return Err(OcspError::Stale { this_update, next_update, now });
    }
    Ok(next_update.min(now.plus_seconds(rules.age_seconds_max)))
}

/// `RevokedInfo`: the reason, if it says one.
fn reason(revoked: Value<'_>) -> Result<&'static str, OcspError> {
    let mut members = Reader::new(revoked.content);
    members.take(GENERALIZED_TIME)?;
    let code = optional(&mut members, TAG_0)?
        .map(|value| only(value.content, ENUMERATED).map(|code| code.content))
        .transpose()?;
    if !members.at_end() {
        return Err(DerError::Trailing.into());
    }
    match code {
        None => Ok(reason_text(0)),
        Some([code]) => Ok(reason_text(*code)),
        Some(_) => Err(DerError::Value.into()),
    }
}

/// The moment of a `GeneralizedTime`, which the encoding check has found to be fourteen digits and a Z.
fn time(content: &[u8]) -> Result<Timestamp, DerError> {
    let text = std::str::from_utf8(content).map_err(|_| DerError::Value)?;
    let part = |from: usize, to: usize| text.get(from..to).ok_or(DerError::Value);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let text = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    Timestamp::from_rfc3339(&text).ok_or(DerError::Value)
}
