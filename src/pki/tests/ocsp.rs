//! Answers of responders, each detail of which can be spoilt. D07 and D16 to D21 of the list of attacks: nothing but a
//! fresh answer about this very certificate, by the issuer or its responder, is "good".

use rcgen::{CustomExtension, ExtendedKeyUsagePurpose, KeyPair, SigningKey as _};

use super::{
    Authority, LEAF_SERIAL, World, at, integer, moment, now, object_identifier, sequence, tlv,
};
use crate::domain::trust::OcspRule;
use crate::pki::chain::CertificateChain;
use crate::pki::der::Reader;
use crate::pki::ocsp::{OcspError, OcspQuestion, OcspRules, OcspStatus, SignerProblem};
use crate::pki::revocation::Taken;

const RULES: OcspRules = OcspRules { age_seconds_max: 3600, nonce_required: false };
const SENT: [u8; 32] = [7; 32];
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";

/// What a responder says, before it is signed.
struct Answer {
    status: u8,
    kind: &'static str,
    version: Option<u8>,
    responder: Vec<u8>,
    produced_at: &'static str,
    /// The certificate that it is about, and what it says of it.
    statuses: Vec<Vec<u8>>,
    extensions: Vec<Vec<u8>>,
    certificates: Vec<Vec<u8>>,
}

fn generalized(text: &str) -> Vec<u8> {
    tlv(0x18, text.as_bytes())
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    tlv(0x04, bytes)
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut members = vec![object_identifier(oid)];
    if critical {
        members.push(tlv(0x01, &[0xff]));
    }
    members.push(octets(value));
    sequence(&members)
}

/// `CertID` as the question has it.
fn certificate_id(question: &OcspQuestion) -> Vec<u8> {
    let der = question.to_der();
    let mut bytes = &der[..];
    // Down to the first request: OCSPRequest, TBSRequest, requestList, Request.
    for _ in 0..4 {
        bytes = Reader::new(bytes).take(0x30).unwrap().content;
    }
    Reader::new(bytes).take(0x30).unwrap().whole.to_vec()
}

/// `SingleResponse`.
fn status(id: &[u8], state: Vec<u8>, this_update: &str, next_update: Option<&str>) -> Vec<u8> {
    let mut members = vec![id.to_vec(), state, generalized(this_update)];
    members.extend(next_update.map(|next| tlv(0xa0, &generalized(next))));
    sequence(&members)
}

fn good() -> Vec<u8> {
    tlv(0x80, &[])
}

fn revoked(reason: Option<u8>) -> Vec<u8> {
    let mut content = generalized("20250501000000Z");
    content.extend(reason.map(|code| tlv(0xa0, &tlv(0x0a, &[code]))).unwrap_or_default());
    tlv(0xa1, &content)
}

fn by_name(authority: &Authority) -> Vec<u8> {
    tlv(0xa1, &subject(&authority.der))
}

fn subject(der: &[u8]) -> Vec<u8> {
    crate::pki::certificate::Certificate::from_der(der.to_vec()).unwrap().subject
}

impl Answer {
    /// A good one of this moment by the authority itself.
    fn new(question: &OcspQuestion, by: &Authority) -> Self {
        let id = certificate_id(question);
        Self {
            status: 0,
            kind: "1.3.6.1.5.5.7.48.1.1",
            version: None,
            responder: by_name(by),
            produced_at: "20250601120000Z",
            statuses: vec![status(&id, good(), "20250601115900Z", Some("20250601123000Z"))],
            extensions: Vec::new(),
            certificates: Vec::new(),
        }
    }

    fn signed(self, key: &KeyPair) -> Vec<u8> {
        let mut data = Vec::new();
        data.extend(self.version.map(|version| tlv(0xa0, &integer(&[version]))));
        data.extend([self.responder, generalized(self.produced_at), sequence(&self.statuses)]);
        if !self.extensions.is_empty() {
            data.push(tlv(0xa1, &sequence(&self.extensions)));
        }
        let data = sequence(&data);
        let signature = [&[0][..], &key.sign(&data).unwrap()].concat();
        let algorithm = sequence(&[object_identifier("1.2.840.10045.4.3.2")]);
        let mut basic = vec![data, algorithm, tlv(0x03, &signature)];
        if !self.certificates.is_empty() {
            basic.push(tlv(0xa0, &sequence(&self.certificates)));
        }
        let bytes = sequence(&[object_identifier(self.kind), octets(&sequence(&basic))]);
        sequence(&[tlv(0x0a, &[self.status]), tlv(0xa0, &bytes)])
    }
}

/// A world, its leaf, and the question about it.
struct Case {
    world: World,
    leaf_key: KeyPair,
    question: OcspQuestion,
}

impl Case {
    fn new(nonce: Option<[u8; 32]>) -> Self {
        let world = World::new();
        let leaf_key = KeyPair::generate().unwrap();
        let leaf = world.ca.leaf_with_key(&leaf_key, |p| {
            p.custom_extensions.push(access("http://ocsp.example/"));
        });
        let chain = CertificateChain::from_der(vec![leaf, world.ca.der.clone()]).unwrap();
        let mut questions = world.trust(|_| {}).ocsp_questions(&chain, now(), || nonce);
        assert_eq!(questions.len(), 2);
        Self { world, leaf_key, question: questions.remove(0) }
    }

    fn judge(&self, answer: &[u8]) -> Result<OcspStatus, OcspError> {
        self.question.judge(answer, RULES, now())
    }

    /// What an answer comes to that has been spoilt before it was signed.
    fn spoilt(&self, spoil: impl FnOnce(&mut Answer)) -> Result<OcspStatus, OcspError> {
        let mut answer = Answer::new(&self.question, &self.world.ca);
        spoil(&mut answer);
        self.judge(&answer.signed(&self.world.ca.key))
    }

    /// The same by a responder with a certificate of the authority.
    fn delegated(
        &self,
        issuer: &Authority,
        spoil: impl FnOnce(&mut rcgen::CertificateParams),
    ) -> Result<OcspStatus, OcspError> {
        let key = KeyPair::generate().unwrap();
        let der = issuer.leaf_with_key(&key, |p| {
            responder(p);
            spoil(p);
        });
        self.answered_by(&key, der)
    }

    fn answered_by(&self, key: &KeyPair, der: Vec<u8>) -> Result<OcspStatus, OcspError> {
        let mut answer = Answer::new(&self.question, &self.world.ca);
        answer.responder = tlv(0xa1, &subject(&der));
        answer.certificates.push(der);
        self.judge(&answer.signed(key))
    }
}

/// Makes a certificate one for a responder.
fn responder(params: &mut rcgen::CertificateParams) {
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, "Responder");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
    let no_check = CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 48, 1, 5], vec![5, 0]);
    params.custom_extensions = vec![no_check];
}

/// `authorityInfoAccess` with the address of a responder.
fn access(url: &str) -> CustomExtension {
    let description =
        sequence(&[object_identifier("1.3.6.1.5.5.7.48.1"), tlv(0x86, url.as_bytes())]);
    CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], sequence(&[description]))
}

const GOOD: Result<OcspStatus, OcspError> =
    Ok(OcspStatus::Good { until: crate::clock::Timestamp::from_seconds(1_748_781_000) });

#[test]
fn a_question_names_the_certificate_and_where_to_ask() {
    let case = Case::new(Some(SENT));
    assert_eq!(case.question.url(), Some("http://ocsp.example/"));
    let der = case.question.to_der();
    assert!(crate::pki::der::check(&der).is_ok());
    let has = |bytes: &[u8]| der.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(&tlv(0x02, LEAF_SERIAL)) && has(&octets(&octets(&SENT))));
    assert!(!Case::new(None).question.to_der().windows(32).any(|window| window == SENT));
}

#[test]
fn ocsp_01_a_fresh_answer_by_the_issuer_is_good() {
    let case = Case::new(None);
    assert_eq!(at("2025-06-01T12:30:00Z").seconds(), 1_748_781_000);
    assert_eq!(case.spoilt(|_| {}), GOOD);
    assert_eq!(case.spoilt(|it| it.version = Some(0)), GOOD);
    assert!(case.spoilt(|it| it.version = Some(1)).is_err());
    // By the hash of the key, too.
    let id = certificate_id(&case.question);
    let mut members = Reader::new(Reader::new(&id).take(0x30).unwrap().content);
    let key_hash = std::iter::from_fn(|| members.next().ok()).nth(2).unwrap().whole.to_vec();
    assert_eq!(case.spoilt(|it| it.responder = tlv(0xa2, &key_hash)), GOOD);
    assert!(case.spoilt(|it| it.responder = tlv(0xa2, &octets(&[0; 20]))).is_err());
}

#[test]
fn d07_revoked_is_revoked_whatever_else_the_answer_is() {
    let case = Case::new(Some(SENT));
    let id = certificate_id(&case.question);
    for (code, name) in [
        (None, "unspecified"),
        (Some(1), "keyCompromise"),
        (Some(6), "certificateHold"),
        (Some(8), "removeFromCRL"),
    ] {
        let verdict = case.spoilt(|it| {
            it.statuses =
                vec![status(&id, revoked(code), "20200101000000Z", Some("20200102000000Z"))];
        });
        assert_eq!(verdict, Ok(OcspStatus::Revoked { reason: name }));
    }
}

#[test]
fn d16_what_is_no_answer_tells_nothing() {
    let case = Case::new(None);
    for (status, name) in [
        (1, "malformedRequest"),
        (2, "internalError"),
        (3, "tryLater"),
        (5, "sigRequired"),
        (6, "unauthorized"),
    ] {
        assert_eq!(case.spoilt(|it| it.status = status), Err(OcspError::Refused(name)));
        // As responders send it, without anything behind.
        let bare = sequence(&[tlv(0x0a, &[status])]);
        assert_eq!(case.judge(&bare), Err(OcspError::Refused(name)));
    }
    for status in [4, 7, 255] {
        assert!(matches!(case.spoilt(|it| it.status = status), Err(OcspError::Form(_))));
    }
    assert!(matches!(case.spoilt(|it| it.kind = "1.3.6.1.5.5.7.48.1.2"), Err(OcspError::Form(_))));
    let answer = Answer::new(&case.question, &case.world.ca).signed(&case.world.ca.key);
    assert_eq!(case.judge(&answer), GOOD);
    for bytes in [&[][..], b"<html>", &[0x30, 0x00], &sequence(&[tlv(0x0a, &[0])]), b"tryLater"] {
        assert!(matches!(case.judge(bytes), Err(OcspError::Form(_))), "{bytes:02x?}");
    }
    for end in 0..answer.len() {
        assert!(case.judge(&answer[..end]).is_err(), "cut at {end}");
    }
    assert!(case.judge(&[&answer[..], &[0]].concat()).is_err());
    assert_eq!(case.judge(&vec![0x30; 70_000]), Err(OcspError::Size { size: 70_000 }));
}

#[test]
fn no_changed_byte_makes_an_answer_better() {
    let case = Case::new(None);
    let id = certificate_id(&case.question);
    let mut unknown = Answer::new(&case.question, &case.world.ca);
    unknown.statuses =
        vec![status(&id, tlv(0x82, &[]), "20250601115900Z", Some("20250601123000Z"))];
    let answer = unknown.signed(&case.world.ca.key);
    assert_eq!(case.judge(&answer), Err(OcspError::Unknown));
    for place in 0..answer.len() {
        for bit in 0..8 {
            let mut changed = answer.clone();
            changed[place] ^= 1 << bit;
            assert!(case.judge(&changed).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn d17_d18_unknown_is_not_good_and_neither_is_another_certificate() {
    let case = Case::new(None);
    let id = certificate_id(&case.question);
    let told =
        |id: &[u8], state| vec![status(id, state, "20250601115900Z", Some("20250601123000Z"))];
    assert_eq!(case.spoilt(|it| it.statuses = told(&id, tlv(0x82, &[]))), Err(OcspError::Unknown));
    let other = Case::new(None);
    let mut serial = id.clone();
    *serial.last_mut().unwrap() ^= 1;
    let sha256 = {
        let hash = |length| octets(&vec![0; length]);
        let algorithm = sequence(&[object_identifier("2.16.840.1.101.3.4.2.1"), vec![5, 0]]);
        sequence(&[algorithm, hash(32), hash(32), integer(LEAF_SERIAL)])
    };
    for (what, id) in
        [("serial", serial), ("issuer", certificate_id(&other.question)), ("hash", sha256)]
    {
        let verdict = case.spoilt(|it| it.statuses = told(&id, good()));
        assert_eq!(verdict, Err(OcspError::OtherCertificate), "{what}");
        // Beside the right one it does no harm.
        let both = [told(&id, revoked(None)), told(&certificate_id(&case.question), good())];
        assert_eq!(case.spoilt(|it| it.statuses = both.concat()), GOOD, "{what}");
    }
    let twice = [told(&id, good()), told(&id, revoked(None))].concat();
    assert_eq!(case.spoilt(|it| it.statuses = twice), Err(OcspError::OtherCertificate));
    assert_eq!(case.spoilt(|it| it.statuses.clear()), Err(OcspError::OtherCertificate));
    assert!(matches!(
        case.spoilt(|it| it.statuses = told(&id, tlv(0x80, &[0]))),
        Err(OcspError::Form(_))
    ));
}

#[test]
fn d19_only_the_issuer_and_its_own_responders_count() {
    use SignerProblem::{ItsOwn, NotForOcsp, NotInForce, NotIssued, NotThere, Revocable};
    let case = Case::new(None);
    let ca = &case.world.ca;
    assert_eq!(case.delegated(ca, |_| {}), GOOD);
    let refused = |verdict: Result<OcspStatus, OcspError>, problem: SignerProblem| {
        assert_eq!(verdict, Err(OcspError::Signer(problem)));
    };
    refused(case.delegated(ca, |p| p.extended_key_usages.clear()), NotForOcsp);
    let client = ExtendedKeyUsagePurpose::ClientAuth;
    refused(case.delegated(ca, |p| p.extended_key_usages = vec![client]), NotForOcsp);
    let any = ExtendedKeyUsagePurpose::Any;
    refused(case.delegated(ca, |p| p.extended_key_usages = vec![any]), NotForOcsp);
    let encipherment = rcgen::KeyUsagePurpose::KeyEncipherment;
    refused(case.delegated(ca, |p| p.key_usages = vec![encipherment]), NotForOcsp);
    refused(case.delegated(ca, |p| p.custom_extensions.clear()), Revocable);
    let past = moment("2025-05-31T00:00:00Z");
    refused(case.delegated(ca, |p| p.not_after = past), NotInForce);
    let future = moment("2025-06-02T00:00:00Z");
    refused(case.delegated(ca, |p| p.not_before = future), NotInForce);
    // A sibling authority, the authority above, and one of the same name with another key.
    let sibling = case.world.root.below("Sibling CA", |_| {});
    refused(case.delegated(&sibling, |_| {}), NotIssued);
    refused(case.delegated(&case.world.root, |_| {}), NotIssued);
    refused(case.delegated(&World::new().ca, |_| {}), NotIssued);
    // The certificate itself, although the issuer let it answer.
    let der = ca.leaf_with_key(&case.leaf_key, responder);
    refused(case.answered_by(&case.leaf_key, der), ItsOwn);
    // A responder whose certificate is not there, and one whose key did not sign.
    let key = KeyPair::generate().unwrap();
    let der = ca.leaf_with_key(&key, responder);
    refused(case.spoilt(|it| it.responder = tlv(0xa1, &subject(&der))), NotThere);
    let other = KeyPair::generate().unwrap();
    assert_eq!(case.answered_by(&other, der), Err(OcspError::Signature));
    let answer = Answer::new(&case.question, ca);
    assert_eq!(case.judge(&answer.signed(&other)), Err(OcspError::Signature));
    let mut unreadable = Answer::new(&case.question, ca);
    unreadable.responder = tlv(0xa2, &octets(&[0; 20]));
    unreadable.certificates.push(sequence(&[]));
    let verdict = case.judge(&unreadable.signed(&ca.key));
    assert!(
        matches!(verdict, Err(OcspError::Signer(SignerProblem::Certificate(_)))),
        "{verdict:?}"
    );
}

#[test]
fn d20_d21_an_answer_counts_while_it_is_fresh_and_no_longer() {
    let case = Case::new(None);
    let id = certificate_id(&case.question);
    let of = |this: &str, next: Option<&str>| {
        let statuses = vec![status(&id, good(), this, next)];
        case.spoilt(|it| it.statuses = statuses)
    };
    assert!(matches!(of("20250601100000Z", Some("20250601120000Z")), Err(OcspError::Stale { .. })));
    assert!(of("20250601100000Z", Some("20250601120001Z")).is_ok());
    assert!(matches!(of("20250601110000Z", None), Err(OcspError::Stale { .. })));
    assert!(of("20250601110001Z", None).is_ok());
    assert_eq!(of("20250601120200Z", None), Err(OcspError::Times));
    assert_eq!(of("20250601115900Z", Some("20250601115800Z")), Err(OcspError::Times));
    // The clock of a responder may be a little ahead.
    let skewed = |produced, this| {
        let statuses = vec![status(&id, good(), this, None)];
        case.spoilt(|it| {
            it.produced_at = produced;
            it.statuses = statuses;
        })
    };
    assert!(skewed("20250601120059Z", "20250601120059Z").is_ok());
    assert_eq!(skewed("20250601120101Z", "20250601115900Z"), Err(OcspError::Times));
    assert_eq!(skewed("20250601115800Z", "20250601115900Z"), Err(OcspError::Times));
    // However long an answer says that it holds, it counts for an hour here.
    let verdict = of("20250601115900Z", Some("20300101000000Z"));
    assert_eq!(verdict, Ok(OcspStatus::Good { until: at("2025-06-01T13:00:00Z") }));
    for odd in ["20250601115900.5Z", "20250601115900+0000", "20251301115900Z", "20250601116000Z"] {
        assert!(of(odd, None).is_err(), "{odd}");
    }
}

#[test]
fn ocsp_06_07_a_nonce_comes_back_and_critical_extensions_are_known() {
    let (asked, silent) = (Case::new(Some(SENT)), Case::new(None));
    let nonce = |bytes: &[u8]| extension(NONCE, false, &octets(bytes));
    assert_eq!(asked.spoilt(|it| it.extensions.push(nonce(&SENT))), GOOD);
    assert_eq!(asked.spoilt(|it| it.extensions.push(nonce(&[8; 32]))), Err(OcspError::Nonce));
    assert_eq!(asked.spoilt(|it| it.extensions.push(nonce(&SENT[..31]))), Err(OcspError::Nonce));
    assert_eq!(asked.spoilt(|_| {}), GOOD);
    let strict = OcspRules { nonce_required: true, ..RULES };
    let answer = Answer::new(&asked.question, &asked.world.ca).signed(&asked.world.ca.key);
    assert_eq!(asked.question.judge(&answer, strict, now()), Err(OcspError::Nonce));
    // An answer to somebody else's question.
    assert_eq!(silent.spoilt(|it| it.extensions.push(nonce(&SENT))), Err(OcspError::Nonce));
    let twice = || vec![nonce(&SENT), nonce(&SENT)];
    assert_eq!(asked.spoilt(|it| it.extensions = twice()), Err(OcspError::Extension));
    let critical = |critical| extension("1.2.3.4", critical, &[5, 0]);
    assert_eq!(silent.spoilt(|it| it.extensions.push(critical(true))), Err(OcspError::Extension));
    assert_eq!(silent.spoilt(|it| it.extensions.push(critical(false))), GOOD);
    let of_status = |critical: Vec<u8>| {
        let id = certificate_id(&silent.question);
        let mut members = vec![id, good(), generalized("20250601115900Z")];
        members.push(tlv(0xa1, &sequence(&[critical])));
        silent.spoilt(|it| it.statuses = vec![sequence(&members)])
    };
    assert_eq!(of_status(critical(true)), Err(OcspError::Extension));
    assert!(of_status(critical(false)).is_ok());
}

#[test]
fn a_trust_set_takes_newer_answers_and_never_an_older_one() {
    let case = Case::new(None);
    let set = case.world.trust(|_| {}).asking(OcspRule::Alternative, Vec::new());
    let (id, key) = (certificate_id(&case.question), case.question.key());
    let take = |state: Vec<u8>, this_update: &str| {
        let mut answer = Answer::new(&case.question, &case.world.ca);
        answer.statuses = vec![status(&id, state, this_update, Some("20250601123000Z"))];
        set.take_ocsp(&case.question, &answer.signed(&case.world.ca.key), RULES, now())
    };
    let known = || set.ocsp_status(&key, now());
    let is_good = |status| matches!(status, Some(OcspStatus::Good { .. }));
    assert_eq!(known(), None);
    assert_eq!(take(good(), "20250601115700Z"), Ok(Taken::New));
    assert_eq!(take(good(), "20250601115700Z"), Ok(Taken::Same));
    let before = set.generation();
    assert_eq!(take(revoked(Some(1)), "20250601115800Z"), Ok(Taken::New));
    assert_ne!(set.generation(), before, "chains that are remembered are judged again");
    // What was good before is played back, as is another answer of the same moment.
    let played_back = take(good(), "20250601115700Z");
    assert!(matches!(played_back, Err(OcspError::Older { .. })), "{played_back:?}");
    assert_eq!(take(good(), "20250601115800Z"), Ok(Taken::Same));
    assert_eq!(known(), Some(OcspStatus::Revoked { reason: "keyCompromise" }));
    // It was on hold only.
    assert_eq!(take(good(), "20250601115900Z"), Ok(Taken::New));
    assert!(is_good(known()));
    assert!(take(revoked(None), "20250601115800Z").is_err());
    assert!(is_good(known()));
}
