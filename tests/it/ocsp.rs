//! Questions about certificates, put to the responder of OpenSSL, and what its answers come to. The clock is the
//! machine's, because the responder has no other.

use std::process::{Command, Stdio};

use portvakt::clock::{Clock as _, SystemClock};
use portvakt::domain::trust::TrustEnvironment;
use portvakt::pki::chain::CertificateChain;
use portvakt::pki::ocsp::{OcspError, OcspQuestion, OcspRules, OcspStatus, SignerProblem};
use portvakt::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetSource,
};
use rcgen::{CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, KeyPair, SerialNumber};
use tempfile::TempDir;
use time::OffsetDateTime;

use crate::harness::chain::{Authority, Pki, pem};

const RULES: OcspRules = OcspRules { age_seconds_max: 3600, nonce_required: true };

/// Serial numbers of leaves, and what the responder knows of them.
const GOOD: u64 = 0x1001;
const COMPROMISED: u64 = 0x1002;
const ON_HOLD: u64 = 0x1003;
const UNKNOWN: u64 = 0x1004;

/// Authorities that are in force now, and a folder for what the responder reads.
struct World {
    pki: Pki,
    folder: TempDir,
    set: TrustSet,
}

/// Makes a certificate valid around now.
fn in_force(params: &mut CertificateParams) {
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds()).unwrap();
    params.not_before = now - time::Duration::days(10);
    params.not_after = now + time::Duration::days(10);
}

impl World {
    fn new() -> Self {
        let pki = Pki::with("OCSP", in_force, in_force);
        let source = TrustSetSource {
            name: "ocsp".to_owned(),
            environment: TrustEnvironment::Test,
            anchors_pem: pem("CERTIFICATE", &pki.root.der).into_bytes(),
            intermediates_pem: Vec::new(),
            crls: Vec::new(),
            rules: TrustRules {
                policies: PolicyRule::Any,
                extended_key_usages: Vec::new(),
                organization: OrganizationRule::Required {
                    serial_number: SerialNumberRule::Ignore,
                },
                revocation: RevocationPolicy::NotChecked,
            },
        };
        let set = TrustSet::load(source, SystemClock.now()).unwrap();
        let world = Self { pki, folder: TempDir::new().unwrap(), set };
        world.write("ca.pem", &pem("CERTIFICATE", &world.pki.ca.der));
        world.write("ca.key", &world.pki.ca.key.serialize_pem());
        let row = |state: &str, revoked: &str, serial: u64| {
            format!("{state}\t400101000000Z\t{revoked}\t{serial:X}\tunknown\t/CN=A consumer\n")
        };
        let index = [
            row("V", "", GOOD),
            row("R", "250101000000Z,keyCompromise", COMPROMISED),
            row("R", "250101000000Z,certificateHold", ON_HOLD),
        ];
        world.write("index.txt", &index.concat());
        world
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// The question about the leaf with this serial number.
    fn question(&self, serial: u64, nonce: Option<[u8; 32]>) -> OcspQuestion {
        self.question_of(self.leaf(serial), nonce)
    }

    /// A leaf with this serial number.
    fn leaf(&self, serial: u64) -> Vec<u8> {
        let leaf = self.pki.ca.leaf(|p| {
            in_force(p);
            p.serial_number = Some(SerialNumber::from(serial));
        });
        leaf.der
    }

    fn question_of(&self, leaf: Vec<u8>, nonce: Option<[u8; 32]>) -> OcspQuestion {
        let chain = CertificateChain::from_der(vec![leaf, self.pki.ca.der.clone()]).unwrap();
        self.set.ocsp_questions(&chain, SystemClock.now(), || nonce).remove(0)
    }

    /// A certificate for a responder that this authority has issued.
    fn delegate(&self, name: &str, by: &Authority, spoil: impl FnOnce(&mut CertificateParams)) {
        let key = KeyPair::generate().unwrap();
        let der = by.certificate(&key, |p| {
            in_force(p);
            p.extended_key_usages = vec![ExtendedKeyUsagePurpose::OcspSigning];
            let oid = [1, 3, 6, 1, 5, 5, 7, 48, 1, 5];
            p.custom_extensions = vec![CustomExtension::from_oid_content(&oid, vec![5, 0])];
            spoil(p);
        });
        self.write(&format!("{name}.pem"), &pem("CERTIFICATE", &der));
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// What the responder of that authority answers, which signs by the certificate of that name. It is asked through
/// files: what carries the bytes is no matter of theirs.
fn answer_of(world: &World, authority: &str, signer: &str, question: &OcspQuestion) -> Vec<u8> {
    let folder = world.folder.path();
    std::fs::write(folder.join("question.der"), question.to_der()).unwrap();
    let done = Command::new("openssl")
        .current_dir(folder)
        .args(["ocsp", "-index", "index.txt", "-nmin", "5", "-reqin", "question.der"])
        .args(["-respout", "answer.der", "-CA", &format!("{authority}.pem")])
        .args(["-rsigner", &format!("{signer}.pem"), "-rkey", &format!("{signer}.key")])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    std::fs::read(folder.join("answer.der")).unwrap()
}

fn answer(world: &World, signer: &str, question: &OcspQuestion) -> Vec<u8> {
    answer_of(world, "ca", signer, question)
}

/// Whether the command is there; plain `cargo test` runs without it.
fn openssl_is_there() -> bool {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok();
    if !there {
        println!("left out: there is no openssl command");
    }
    there
}

fn judge(question: &OcspQuestion, answer: &[u8]) -> Result<OcspStatus, OcspError> {
    question.judge(answer, RULES, SystemClock.now())
}

#[test]
fn a_real_responder_knows_good_from_revoked_and_unknown() {
    if !openssl_is_there() {
        return;
    }
    let world = World::new();
    for (serial, expected) in [
        (COMPROMISED, Ok(OcspStatus::Revoked { reason: "keyCompromise" })),
        (ON_HOLD, Ok(OcspStatus::Revoked { reason: "certificateHold" })),
        (UNKNOWN, Err(OcspError::Unknown)),
    ] {
        let question = world.question(serial, Some([1; 32]));
        assert_eq!(judge(&question, &answer(&world, "ca", &question)), expected);
    }
    let question = world.question(GOOD, Some([1; 32]));
    let good = answer(&world, "ca", &question);
    let Ok(OcspStatus::Good { until }) = judge(&question, &good) else {
        panic!("{:?}", judge(&question, &good));
    };
    let now = SystemClock.now();
    assert!(until > now && until <= now.plus_seconds(300));
    // It does not stay good, and it is good for nobody else.
    let later = question.judge(&good, RULES, now.plus_seconds(301));
    assert!(matches!(later, Err(OcspError::Stale { .. })), "{later:?}");
    assert_eq!(
        judge(&world.question(COMPROMISED, Some([1; 32])), &good),
        Err(OcspError::OtherCertificate)
    );
    assert_eq!(judge(&world.question(GOOD, Some([2; 32])), &good), Err(OcspError::Nonce));
    let without = world.question(GOOD, None);
    let unasked = answer(&world, "ca", &without);
    assert!(judge(&without, &unasked).is_ok());
    assert_eq!(judge(&question, &unasked), Err(OcspError::Nonce));
    let forgiving = OcspRules { nonce_required: false, ..RULES };
    assert!(question.judge(&unasked, forgiving, now).is_ok());
}

#[test]
fn a_real_responder_must_be_one_of_the_issuer() {
    if !openssl_is_there() {
        return;
    }
    let world = World::new();
    let question = world.question(GOOD, Some([1; 32]));
    let ca = &world.pki.ca;
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds()).unwrap();
    world.delegate("delegate", ca, |_| {});
    assert!(judge(&question, &answer(&world, "delegate", &question)).is_ok());
    let yesterday = now - time::Duration::days(1);
    let sibling = world.pki.root.below("Sibling", in_force);
    world.delegate("plain", ca, |p| p.extended_key_usages.clear());
    world.delegate("revocable", ca, |p| p.custom_extensions.clear());
    world.delegate("expired", ca, |p| p.not_after = yesterday);
    world.delegate("sibling", &sibling, |_| {});
    for (signer, problem) in [
        ("plain", SignerProblem::NotForOcsp),
        ("revocable", SignerProblem::Revocable),
        ("expired", SignerProblem::NotInForce),
        ("sibling", SignerProblem::NotIssued),
    ] {
        let verdict = judge(&question, &answer(&world, signer, &question));
        assert_eq!(verdict, Err(OcspError::Signer(problem)), "{signer}");
    }
    // The responder of another authority, which does not know the certificate by this issuer.
    let other = World::new();
    world.write("other.pem", &pem("CERTIFICATE", &other.pki.ca.der));
    world.write("other.key", &other.pki.ca.key.serialize_pem());
    let verdict = judge(&question, &answer_of(&world, "other", "other", &question));
    assert!(verdict.is_err(), "{verdict:?}");
}

#[test]
fn the_command_judges_by_the_answer_of_a_real_responder() {
    if !openssl_is_there() {
        return;
    }
    let world = World::new();
    let now = OffsetDateTime::from_unix_timestamp(SystemClock.now().seconds()).unwrap();
    let list = world.pki.root.crl(|p| {
        (p.this_update, p.next_update) = (now, now + time::Duration::days(1));
    });
    let file = |name: &str| world.folder.path().join(name);
    std::fs::write(file("root.crl"), list).unwrap();
    world.write("root.pem", &pem("CERTIFICATE", &world.pki.root.der));
    for (serial, accepted, seen) in [
        (GOOD, true, "no certificate is revoked"),
        (COMPROMISED, false, "keyCompromise"),
        (UNKNOWN, false, "it names no responder"),
    ] {
        let leaf = world.leaf(serial);
        let chain = [pem("CERTIFICATE", &leaf), pem("CERTIFICATE", &world.pki.ca.der)].concat();
        world.write("chain.pem", &chain);
        let answer = answer(&world, "ca", &world.question_of(leaf, None));
        std::fs::write(file("answer.der"), answer).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_portvakt"))
            .current_dir(world.folder.path())
            .args(["cert", "verify", "--anchors", "root.pem", "--crl", "root.crl"])
            .args(["--ocsp", "answer.der", "--policy", "any", "chain.pem"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.success(), accepted, "{serial:X}: {text}");
        assert!(text.contains(seen), "{serial:X}: {text}");
    }
}
