//! Revocation: attacks D06, D08 to D14, and which list may tell what.

use rcgen::{
    CertificateRevocationListParams, CrlDistributionPoint, CrlIssuingDistributionPoint, CrlScope,
    KeyUsagePurpose, RevocationReason, SerialNumber,
};

use super::{
    Authority, CA_SERIAL, LEAF_SERIAL, World, at, integer, moment, now, object_identifier, pem,
    refused_by, revoked, sequence, tlv,
};
use crate::clock::Timestamp;
use crate::pki::chain::CertificateChain;
use crate::pki::error::PkiError;
use crate::pki::trust_set::{RevocationPolicy, TrustSet, TrustSetError, VerifiedChain};

/// Lets what is unknown pass for an hour.
const SOFT_FAIL: RevocationPolicy = RevocationPolicy::SoftFail { seconds: 3_600 };

/// A world with its leaf, judged by revocation lists.
struct Judged {
    world: World,
    leaf: Vec<u8>,
}

impl Judged {
    fn new() -> Self {
        Self::with_points(&[])
    }

    fn with_points(points: &[&str]) -> Self {
        let world = World::new();
        let leaf = world.ca.leaf(|p| {
            let uris: Vec<String> = points.iter().map(|&uri| uri.to_owned()).collect();
            if !uris.is_empty() {
                p.crl_distribution_points = vec![CrlDistributionPoint { uris }];
            }
        });
        Self { world, leaf }
    }

    fn trust(&self, crls: Vec<Vec<u8>>, policy: RevocationPolicy) -> TrustSet {
        self.world.trust(|source| {
            source.intermediates_pem = pem("CERTIFICATE", &self.world.ca.der);
            source.crls = crls;
            source.rules.revocation = policy;
        })
    }

    fn chain(&self) -> CertificateChain {
        CertificateChain::from_der(vec![self.leaf.clone()]).unwrap()
    }

    fn verify(
        &self,
        crls: Vec<Vec<u8>>,
        policy: RevocationPolicy,
        now: Timestamp,
    ) -> Result<VerifiedChain, PkiError> {
        self.trust(crls, policy).verify(&self.chain(), now)
    }

    /// Judges by these lists of the intermediate, and a good one of the root.
    fn with_lists(&self, mut crls: Vec<Vec<u8>>) -> Result<VerifiedChain, PkiError> {
        crls.push(self.world.root.crl(|_| {}));
        self.verify(crls, RevocationPolicy::HardFail, now())
    }

    fn list(&self, spoil: impl FnOnce(&mut CertificateRevocationListParams)) -> Vec<u8> {
        self.world.ca.crl(spoil)
    }

    fn revoking(&self, reason: RevocationReason) -> Vec<u8> {
        self.list(|p| p.revoked_certs.push(revoked(LEAF_SERIAL, reason)))
    }
}

fn is_unknown(verdict: &Result<VerifiedChain, PkiError>) -> bool {
    matches!(verdict, Err(PkiError::RevocationUnknown { .. }))
}

fn scoped(uris: &[&str], scope: Option<CrlScope>) -> CrlIssuingDistributionPoint {
    let uris = uris.iter().map(|&uri| uri.to_owned()).collect();
    CrlIssuingDistributionPoint { distribution_point: CrlDistributionPoint { uris }, scope }
}

#[test]
fn a_certificate_that_no_fresh_list_names_is_good_until_the_list_ends() {
    let judged = Judged::new();
    let longer = judged.list(|p| p.next_update = moment("2025-06-20T00:00:00Z"));
    let verified = judged.with_lists(vec![longer]).unwrap();
    assert_eq!(verified.valid_until(), at("2025-06-08T00:00:00Z"));
}

#[test]
fn refuses_a_revoked_leaf_for_every_reason() {
    use RevocationReason::{
        AaCompromise, AffiliationChanged, CaCompromise, CertificateHold, CessationOfOperation,
        KeyCompromise, PrivilegeWithdrawn, Superseded, Unspecified,
    };
    let judged = Judged::new();
    for reason in [
        Unspecified,
        KeyCompromise,
        CaCompromise,
        AffiliationChanged,
        Superseded,
        CessationOfOperation,
        CertificateHold,
        PrivilegeWithdrawn,
        AaCompromise,
    ] {
        let list = judged.revoking(reason);
        let error = judged.with_lists(vec![list.clone()]).unwrap_err();
        assert!(matches!(error, PkiError::Revoked { .. }), "{reason:?}: {error}");
        let root = judged.world.root.crl(|_| {});
        let soft = judged.verify(vec![list, root], SOFT_FAIL, now());
        assert_eq!(refused_by(soft), "revocation", "{reason:?}");
    }
    let removed = judged.revoking(RevocationReason::RemoveFromCrl);
    assert!(judged.with_lists(vec![removed]).is_ok());
}

#[test]
fn refuses_a_leaf_below_a_revoked_intermediate() {
    let judged = Judged::new();
    let root = judged.world.root.crl(|p| {
        p.revoked_certs.push(revoked(CA_SERIAL, RevocationReason::CaCompromise));
    });
    let lists = vec![judged.list(|_| {}), root];
    let error = judged.verify(lists, RevocationPolicy::HardFail, now()).unwrap_err();
    assert_eq!(
        error,
        PkiError::Revoked { subject: "CN=Test CA".to_owned(), reason: "cACompromise" }
    );
}

#[test]
fn every_certificate_below_the_anchor_needs_a_status() {
    let judged = Judged::new();
    let (ca, root) = (judged.list(|_| {}), judged.world.root.crl(|_| {}));
    for lists in [vec![], vec![ca.clone()], vec![root.clone()]] {
        assert!(is_unknown(&judged.verify(lists.clone(), RevocationPolicy::HardFail, now())));
        assert!(is_unknown(&judged.verify(lists.clone(), SOFT_FAIL, now())));
        assert!(judged.verify(lists, RevocationPolicy::NotChecked, now()).is_ok());
    }
    assert!(judged.verify(vec![root, ca], RevocationPolicy::HardFail, now()).is_ok());
}

#[test]
fn a_list_tells_nothing_before_or_after_its_time() {
    let judged = Judged::new();
    let lists = vec![judged.list(|_| {}), judged.world.root.crl(|_| {})];
    for (moment, known) in [
        ("2025-05-31T23:59:59Z", false),
        ("2025-06-01T00:00:00Z", true),
        ("2025-06-08T00:00:00Z", true),
        ("2025-06-08T00:00:01Z", false),
    ] {
        let verdict = judged.verify(lists.clone(), RevocationPolicy::HardFail, at(moment));
        assert_eq!(is_unknown(&verdict), !known, "{moment}");
    }
}

#[test]
fn a_list_that_has_ended_lets_pass_for_the_hours_that_are_set_and_no_longer() {
    let judged = Judged::new();
    let lists = vec![judged.list(|_| {}), judged.world.root.crl(|_| {})];
    for (moment, passes) in [
        ("2025-06-08T00:00:00Z", true),
        ("2025-06-08T00:00:01Z", true),
        ("2025-06-08T01:00:00Z", true),
        ("2025-06-08T01:00:01Z", false),
    ] {
        let verdict = judged.verify(lists.clone(), SOFT_FAIL, at(moment));
        assert_eq!(is_unknown(&verdict), !passes, "{moment}");
    }
    // What is remembered of it ends with the hours, and not with the list.
    let verified = judged.verify(lists, SOFT_FAIL, at("2025-06-08T00:30:00Z")).unwrap();
    assert_eq!(verified.valid_until(), at("2025-06-08T01:00:00Z"));
    // A list that could never tell does not tell for an hour either.
    let for_authorities = judged.list(|p| {
        p.issuing_distribution_point = Some(scoped(&["http://a/"], Some(CrlScope::CaCertsOnly)));
    });
    let lists = vec![for_authorities, judged.world.root.crl(|_| {})];
    assert!(is_unknown(&judged.verify(lists, SOFT_FAIL, at("2025-06-08T00:30:00Z"))));
}

#[test]
fn an_old_list_still_revokes() {
    let judged = Judged::new();
    let old = judged.list(|p| {
        p.this_update = moment("2025-05-01T00:00:00Z");
        p.next_update = moment("2025-05-08T00:00:00Z");
        p.revoked_certs.push(revoked(LEAF_SERIAL, RevocationReason::KeyCompromise));
    });
    let error = judged.with_lists(vec![judged.list(|_| {}), old]).unwrap_err();
    assert!(matches!(error, PkiError::Revoked { .. }), "{error}");
}

#[test]
fn the_order_of_lists_never_matters() {
    let judged = Judged::new();
    let silent = judged.list(|_| {});
    let revoking = judged.revoking(RevocationReason::KeyCompromise);
    for lists in [vec![silent.clone(), revoking.clone()], vec![revoking, silent]] {
        let error = judged.with_lists(lists).unwrap_err();
        assert!(matches!(error, PkiError::Revoked { .. }), "{error}");
    }
}

#[test]
fn a_list_that_the_issuer_did_not_sign_tells_nothing() {
    let judged = Judged::new();
    let impostor = Authority::root("Test CA", |_| {});
    assert!(is_unknown(&judged.with_lists(vec![impostor.crl(|_| {})])));
    // Nor does it revoke: that would let anybody shut a client out.
    let revoking = impostor.crl(|p| {
        p.revoked_certs.push(revoked(LEAF_SERIAL, RevocationReason::KeyCompromise));
    });
    assert!(judged.with_lists(vec![revoking, judged.list(|_| {})]).is_ok());
    let mut broken = judged.list(|_| {});
    *broken.last_mut().unwrap() ^= 1;
    assert!(is_unknown(&judged.with_lists(vec![broken])));
}

#[test]
fn an_issuer_without_crl_sign_cannot_tell() {
    let world = World::with(|_| {}, |p| p.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    let leaf = world.ca.leaf(|_| {});
    let mut params = world.ca.params.clone();
    params.key_usages.push(KeyUsagePurpose::CrlSign);
    let signer = Authority { params, ..world.ca };
    let list = signer.crl(|_| {});
    let judged = Judged { world: World { ca: signer, ..world }, leaf };
    assert!(is_unknown(&judged.with_lists(vec![list])));
}

#[test]
fn a_list_for_authorities_does_not_tell_about_a_leaf() {
    let judged = Judged::new();
    let uri = "http://crl.example/ca.crl";
    let only =
        |scope| judged.list(|p| p.issuing_distribution_point = Some(scoped(&[uri], Some(scope))));
    assert!(is_unknown(&judged.with_lists(vec![only(CrlScope::CaCertsOnly)])));
    assert!(judged.with_lists(vec![only(CrlScope::UserCertsOnly)]).is_ok());
    let of_root = judged.world.root.crl(|p| {
        p.issuing_distribution_point = Some(scoped(&[uri], Some(CrlScope::UserCertsOnly)));
    });
    let lists = vec![judged.list(|_| {}), of_root];
    assert!(is_unknown(&judged.verify(lists, RevocationPolicy::HardFail, now())));
}

#[test]
fn a_list_of_another_distribution_point_tells_nothing() {
    let judged = Judged::with_points(&["http://crl.example/1.crl", "ldap://crl.example/1"]);
    let of =
        |uris: &[&str]| judged.list(|p| p.issuing_distribution_point = Some(scoped(uris, None)));
    assert!(is_unknown(&judged.with_lists(vec![of(&["http://crl.example/2.crl"])])));
    assert!(judged.with_lists(vec![of(&["http://a/", "ldap://crl.example/1"])]).is_ok());
    assert!(judged.with_lists(vec![judged.list(|_| {})]).is_ok());
}

/// A list with these extensions and entries, which no tool would sign.
fn hand_made(signer: &Authority, entries: &[Vec<u8>], extensions: &[Vec<u8>]) -> Vec<u8> {
    use rcgen::SigningKey as _;
    let algorithm = sequence(&[object_identifier("1.2.840.10045.4.3.2")]);
    let (rest, issuer) = {
        use x509_parser::prelude::{FromDer, X509Certificate};
        let (rest, parsed) = X509Certificate::from_der(&signer.der).unwrap();
        (rest, parsed.subject().as_raw().to_vec())
    };
    assert!(rest.is_empty());
    let mut members = vec![
        integer(&[1]),
        algorithm.clone(),
        issuer,
        tlv(0x17, b"250601000000Z"),
        tlv(0x17, b"250608000000Z"),
    ];
    if !entries.is_empty() {
        members.push(sequence(entries));
    }
    members.push(tlv(0xa0, &sequence(extensions)));
    let message = sequence(&members);
    let signature = signer.key.sign(&message).unwrap();
    let bits = tlv(0x03, &[&[0], &signature[..]].concat());
    sequence(&[message, algorithm, bits])
}

fn extension(oid: &str, critical: bool, value: &[u8]) -> Vec<u8> {
    let mut members = vec![object_identifier(oid)];
    if critical {
        members.push(tlv(0x01, &[0xff]));
    }
    members.push(tlv(0x04, value));
    sequence(&members)
}

#[test]
fn lists_with_extensions_that_change_their_meaning_tell_nothing() {
    let judged = Judged::new();
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let point = |content: &[u8]| extension("2.5.29.28", true, &tlv(0x30, content));
    let tells = |extensions: &[Vec<u8>]| {
        let list = hand_made(&judged.world.ca, &[], extensions);
        let verdict = judged.with_lists(vec![list]);
        assert_eq!(verdict.is_err(), is_unknown(&verdict), "{verdict:?}");
        verdict.is_ok()
    };
    assert!(tells(std::slice::from_ref(&number)));
    assert!(tells(&[number.clone(), extension("1.3.6.1.4.1.99999.1", false, &[5, 0])]));
    assert!(!tells(&[]), "no number");
    assert!(!tells(&[extension("2.5.29.20", true, &integer(&[9]))]), "critical number");
    assert!(!tells(&[number.clone(), extension("1.3.6.1.4.1.99999.1", true, &[5, 0])]));
    assert!(!tells(&[extension("2.5.29.27", true, &integer(&[8]))]), "delta");
    assert!(!tells(&[point(&tlv(0x84, &[0xff]))]), "indirect");
    assert!(!tells(&[point(&tlv(0x85, &[0xff]))]), "attribute certificates");
    assert!(!tells(&[point(&tlv(0x83, &[0x06, 0x40]))]), "some reasons");
    assert!(!tells(&[point(&[tlv(0x81, &[0xff]), tlv(0x82, &[0xff])].concat())]));
    assert!(tells(&[number, point(&tlv(0x81, &[0xff]))]));
}

#[test]
fn a_delta_list_revokes_but_does_not_clear() {
    let judged = Judged::new();
    let entry = sequence(&[integer(LEAF_SERIAL), tlv(0x17, b"250501000000Z")]);
    let delta = extension("2.5.29.27", true, &integer(&[8]));
    let list = hand_made(&judged.world.ca, &[entry], &[delta]);
    let error = judged.with_lists(vec![judged.list(|_| {}), list]).unwrap_err();
    assert!(matches!(error, PkiError::Revoked { .. }), "{error}");
}

#[test]
fn a_list_with_an_unknown_critical_entry_extension_tells_nothing() {
    let judged = Judged::new();
    let odd = extension("2.5.29.29", true, &tlv(0x30, &[]));
    let entry = sequence(&[integer(&[0x55]), tlv(0x17, b"250501000000Z"), sequence(&[odd])]);
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let list = hand_made(&judged.world.ca, &[entry], &[number]);
    assert!(is_unknown(&judged.with_lists(vec![list])));
}

#[test]
fn a_list_that_cannot_be_read_whole_is_not_loaded() {
    let judged = Judged::new();
    let good = judged.list(|_| {});
    let trust = judged.trust(vec![good.clone()], RevocationPolicy::HardFail);
    let generation = trust.generation();
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let twice = hand_made(&judged.world.ca, &[], &[number.clone(), number.clone()]);
    // An entry without its date; a lenient reader would skip the entries altogether.
    let torn = hand_made(&judged.world.ca, &[sequence(&[integer(LEAF_SERIAL)])], &[number]);
    // ecdsa-with-SHA384 outside, where the signed part has ecdsa-with-SHA256.
    let oid = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let mut other = good.clone();
    let outside = (0..other.len()).rfind(|&i| other[i..].starts_with(&oid)).unwrap();
    other[outside + 7] = 0x03;
    let cut = good[..good.len() - 1].to_vec();
    for bad in [[&good[..], &[0]].concat(), cut, twice, torn, other] {
        let error = trust.replace_crls(vec![good.clone(), bad]).unwrap_err();
        assert!(matches!(error, TrustSetError::Crl { position: 2, .. }), "{error}");
    }
    assert_eq!(trust.generation(), generation);
    trust.replace_crls(vec![pem("X509 CRL", &good)]).unwrap();
    assert_ne!(trust.generation(), generation);
}

#[test]
fn an_earlier_issue_never_replaces_a_later_one() {
    let judged = Judged::new();
    let root = judged.world.root.crl(|_| {});
    let numbered = |number: u64, revokes: bool| {
        judged.list(|p| {
            p.crl_number = SerialNumber::from(number);
            if revokes {
                p.revoked_certs.push(revoked(LEAF_SERIAL, RevocationReason::KeyCompromise));
            }
        })
    };
    let trust = judged.trust(vec![root.clone(), numbered(9, true)], RevocationPolicy::HardFail);
    let verify = || trust.verify(&judged.chain(), now());
    assert!(matches!(verify(), Err(PkiError::Revoked { .. })));
    trust.replace_crls(vec![root.clone(), numbered(8, false)]).unwrap();
    assert!(matches!(verify(), Err(PkiError::Revoked { .. })));
    // A list that nobody signed does not stand in the way of the real one.
    let forged = Authority::root("Test CA", |_| {}).crl(|p| {
        p.crl_number = SerialNumber::from(99_u64);
    });
    trust.replace_crls(vec![root.clone(), numbered(9, true), forged]).unwrap();
    trust.replace_crls(vec![root, numbered(10, false)]).unwrap();
    assert!(verify().is_ok());
}

#[test]
fn a_list_with_very_many_entries_is_asked_quickly() {
    let judged = Judged::new();
    let entries: Vec<Vec<u8>> = (0..20_000_u32)
        .map(|i| sequence(&[integer(&(i + 0x10_0000).to_be_bytes()), tlv(0x17, b"250501000000Z")]))
        .collect();
    let number = extension("2.5.29.20", false, &integer(&[9]));
    let list = hand_made(&judged.world.ca, &entries, &[number]);
    assert!(judged.with_lists(vec![list]).is_ok());
}

#[test]
fn warns_of_what_will_refuse_good_clients() {
    let judged = Judged::new();
    let root = judged.world.root.crl(|_| {});
    let good = judged.trust(vec![root.clone(), judged.list(|_| {})], RevocationPolicy::HardFail);
    assert_eq!(good.warnings(now()), Vec::<String>::new());
    let later = good.warnings(at("2041-01-01T00:00:00Z"));
    assert_eq!(later.len(), 4, "{later:?}");
    let forged = Authority::root("Test CA", |_| {}).crl(|_| {});
    let delta = hand_made(&judged.world.ca, &[], &[extension("2.5.29.27", true, &integer(&[8]))]);
    for (lists, word) in [
        (vec![root.clone(), judged.list(|_| {}), forged], "signed"),
        (vec![root.clone(), judged.list(|_| {}), delta], "changes"),
        (vec![root], "no revocation list"),
    ] {
        let trust = judged.trust(lists.clone(), RevocationPolicy::HardFail);
        let warnings = trust.warnings(now());
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].contains(word), "{warnings:?}");
        let trust = judged.trust(lists, RevocationPolicy::NotChecked);
        assert_eq!(trust.warnings(now()), Vec::<String>::new());
    }
}
