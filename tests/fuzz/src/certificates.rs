//! What certificates, revocation lists and answers of responders are read from.

use std::sync::OnceLock;

use openssl::x509::X509;
use portvakt::clock::Timestamp;
use portvakt::domain::trust::TrustEnvironment;
use portvakt::pki::chain::CertificateChain;
use portvakt::pki::ocsp::{OcspQuestion, OcspRules, OcspStatus};
use portvakt::pki::subject;
use portvakt::pki::trust_set::{
    OrganizationRule, PolicyRule, RevocationPolicy, SerialNumberRule, TrustRules, TrustSet,
    TrustSetSource,
};

const ROOT: &[u8] = include_bytes!("../seeds/pki/root.pem");
const CA: &[u8] = include_bytes!("../seeds/pki/ca.pem");
const LEAF: &[u8] = include_bytes!("../seeds/pki/leaf.pem");

/// A day after the seeds were made.
const NOW: Timestamp = Timestamp::from_seconds(1_795_953_600);

fn set() -> &'static TrustSet {
    static SET: OnceLock<TrustSet> = OnceLock::new();
    SET.get_or_init(|| {
        let source = TrustSetSource {
            name: "fuzz".to_owned(),
            environment: TrustEnvironment::Test,
            anchors_pem: ROOT.to_vec(),
            intermediates_pem: CA.to_vec(),
            crls: Vec::new(),
            rules: TrustRules {
                policies: PolicyRule::Any,
                extended_key_usages: Vec::new(),
                organization: OrganizationRule::Required {
                    serial_number: SerialNumberRule::Accept,
                },
                revocation: RevocationPolicy::NotChecked,
            },
        };
        TrustSet::load(source, NOW).unwrap()
    })
}

/// The server and the report judge a chain alike; what is accepted is the leaf of the seeds, for nobody else has a key of
/// the authority. Whether OpenSSL agrees about certificates that are signed is a property test's to say.
pub fn chain(data: &[u8]) {
    let Ok(chain) = CertificateChain::from_der(split(data)) else { return };
    let verdict = set().verify(&chain, NOW);
    assert_eq!(set().report(&chain, NOW).accepted, verdict.is_ok());
    if verdict.is_ok() {
        let leaf = X509::from_pem(LEAF).unwrap().to_der().unwrap();
        assert_eq!(chain.leaf_der(), leaf);
    }
}

/// The certificates that stand one after the other.
fn split(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut ders = Vec::new();
    while let [0x30, 0x82, high, low, ..] = data {
        let end = 4 + usize::from(*high) * 256 + usize::from(*low);
        if end > data.len() {
            break;
        }
        ders.push(data[..end].to_vec());
        data = &data[end..];
    }
    if !data.is_empty() {
        ders.push(data.to_vec());
    }
    ders
}

/// A number that is found is nine digits with the right check digit, and stands in the subject as text.
pub fn subject(data: &[u8]) {
    for rule in [SerialNumberRule::Accept, SerialNumberRule::Ignore] {
        let Ok(number) = subject::organization_number(data, rule) else { continue };
        let text = number.as_str();
        assert!(text.len() == 9 && text.bytes().all(|byte| byte.is_ascii_digit()));
        assert_eq!(text.parse(), Ok(number));
        assert!(data.windows(9).any(|window| window == text.as_bytes()));
    }
    if let Ok(identifier) = subject::organization_identifier(data) {
        let text = identifier.as_str().as_bytes();
        assert!(data.windows(text.len()).any(|window| window == text));
    }
}

/// A list is taken or refused, and whoever may have been cleared by it can still be judged.
pub fn crl(data: &[u8]) {
    if set().replace_crls(vec![data.to_vec()]).is_ok() {
        let chain = CertificateChain::from_pem(LEAF).unwrap();
        let _ = set().verify(&chain, NOW);
        let _ = set().warnings(NOW);
    }
}

/// Nothing is good but the answers of the seeds: any other would need a signature.
pub fn ocsp(data: &[u8]) {
    static QUESTION: OnceLock<OcspQuestion> = OnceLock::new();
    let question = QUESTION.get_or_init(|| {
        let chain = CertificateChain::from_pem(LEAF).unwrap();
        set().ocsp_questions(&chain, NOW, || None).remove(0)
    });
    let rules = OcspRules { age_seconds_max: 3600, nonce_required: false };
    let known: [&[u8]; 2] =
        [include_bytes!("../seeds/ocsp/issuer.der"), include_bytes!("../seeds/ocsp/responder.der")];
    if let Ok(OcspStatus::Good { .. }) = question.judge(data, rules, NOW) {
        // Neither the order nor the number of unsigned certificates changes what is said.
        assert!(known.iter().any(|answer| answer[..60] == data[..60]) || data.len() > 300);
    }
}
