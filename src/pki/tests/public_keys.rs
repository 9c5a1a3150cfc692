//! Public keys of every accepted type, and what must not become one: attacks D45 to D50, E04.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PublicKeyData};

use super::{RawKey, World, object_identifier, refused_by, sequence, tlv};
use crate::domain::algorithm::Algorithm;
use crate::pki::public_key::{BadSignature, PublicKey, PublicKeyError};
use crate::pki::strength::WeakKey;

const MESSAGE: &[u8] = b"header.payload";

#[test]
fn verifies_ecdsa_in_fixed_width_only() {
    for (algorithm, signing, width) in [
        (Algorithm::Es256, &ECDSA_P256_SHA256_FIXED_SIGNING, 32),
        (Algorithm::Es384, &ECDSA_P384_SHA384_FIXED_SIGNING, 48),
    ] {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(width);
        let key = PublicKey::from_ec(x, y, algorithm).unwrap();
        assert_eq!(key.algorithm(), algorithm);
        let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        assert_eq!(key.verify(MESSAGE, signature.as_ref()), Ok(()));
        assert_eq!(key.verify(b"header.other", signature.as_ref()), Err(BadSignature));
        let longer = [signature.as_ref(), &[0]].concat();
        for bad in [&longer[..], &longer[1..], &vec![0; width * 2], &[]] {
            assert_eq!(key.verify(MESSAGE, bad), Err(BadSignature));
        }
    }
}

#[test]
fn verifies_each_rsa_padding_for_its_own_algorithm_only() {
    let pair = RsaKeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    let modulus = pair.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let exponent = pair.public_key().exponent().big_endian_without_leading_zero().to_vec();
    let mut signature = vec![0; pair.public_modulus_len()];
    let key = |algorithm| PublicKey::from_rsa(&modulus, &exponent, algorithm).unwrap();
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    for algorithm in Algorithm::ALL.into_iter().take(6) {
        let verdict = key(algorithm).verify(MESSAGE, &signature);
        assert_eq!(verdict.is_ok(), algorithm == Algorithm::Rs256, "{algorithm}");
    }
    pair.sign(&RSA_PSS_SHA256, &SystemRandom::new(), MESSAGE, &mut signature).unwrap();
    for algorithm in Algorithm::ALL.into_iter().take(6) {
        let verdict = key(algorithm).verify(MESSAGE, &signature);
        assert_eq!(verdict.is_ok(), algorithm == Algorithm::Ps256, "{algorithm}");
    }
}

#[test]
fn refuses_a_pss_signature_with_another_salt_length() {
    use openssl::hash::MessageDigest;
    use openssl::rsa::Padding;
    use openssl::sign::{RsaPssSaltlen, Signer};
    let pair = openssl::rsa::Rsa::generate(2048).unwrap();
    let key = PublicKey::from_rsa(&pair.n().to_vec(), &pair.e().to_vec(), Algorithm::Ps256);
    let key = key.unwrap();
    let pair = openssl::pkey::PKey::from_rsa(pair).unwrap();
    for (salt, accepted) in [(32, true), (20, false), (0, false), (64, false)] {
        let mut signer = Signer::new(MessageDigest::sha256(), &pair).unwrap();
        signer.set_rsa_padding(Padding::PKCS1_PSS).unwrap();
        signer.set_rsa_pss_saltlen(RsaPssSaltlen::custom(salt)).unwrap();
        let signature = signer.sign_oneshot_to_vec(MESSAGE).unwrap();
        assert_eq!(key.verify(MESSAGE, &signature).is_ok(), accepted, "{salt}");
    }
}

#[test]
fn verifies_ed25519() {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = PublicKey::from_ed25519(pair.public_key().as_ref()).unwrap();
    assert_eq!(key.algorithm(), Algorithm::EdDsa);
    let signature = pair.sign(MESSAGE);
    assert_eq!(key.verify(MESSAGE, signature.as_ref()), Ok(()));
    assert_eq!(key.verify(b"", signature.as_ref()), Err(BadSignature));
}

#[test]
fn refuses_coordinates_that_are_short_or_off_the_curve() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
    let mut off = y.to_vec();
    off[31] ^= 1;
    let refused = |x: &[u8], y: &[u8], algorithm| {
        assert_eq!(
            PublicKey::from_ec(x, y, algorithm).unwrap_err(),
            PublicKeyError::Weak(WeakKey::NotOnCurve)
        );
    };
    refused(x, &off, Algorithm::Es256);
    refused(&x[1..], y, Algorithm::Es256);
    refused(&[&[0], x].concat(), y, Algorithm::Es256);
    refused(&[0; 32], &[0; 32], Algorithm::Es256);
    refused(x, y, Algorithm::Es384);
    let other = PublicKey::from_ec(x, y, Algorithm::Rs256).unwrap_err();
    assert!(matches!(other, PublicKeyError::AlgorithmMismatch { .. }));
}

/// A `SubjectPublicKeyInfo` of these algorithm parts.
fn spki(algorithm: &[Vec<u8>], key: &[u8]) -> Vec<u8> {
    sequence(&[sequence(algorithm), tlv(0x03, &[&[0], key].concat())])
}

#[test]
fn refuses_key_types_and_curves_that_are_not_accepted() {
    let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let point = pair.public_key_raw();
    let ec = || object_identifier("1.2.840.10045.2.1");
    let p256 = || object_identifier("1.2.840.10045.3.1.7");
    let good = spki(&[ec(), p256()], point);
    assert!(PublicKey::from_spki(&good, Algorithm::Es256).is_ok());
    for curve in [
        "1.2.840.10045.3.1.1",
        "1.3.132.0.33",
        "1.3.132.0.10",
        "1.3.132.0.35",
        "1.3.36.3.3.2.8.1.1.7",
    ] {
        let key = spki(&[ec(), object_identifier(curve)], point);
        let verdict = PublicKey::from_spki(&key, Algorithm::Es256).unwrap_err();
        assert_eq!(verdict, PublicKeyError::UnknownKeyType, "{curve}");
    }
    let explicit = sequence(&[vec![0x02, 0x01, 0x01]]);
    for algorithm in [
        vec![ec()],
        vec![ec(), explicit],
        vec![ec(), p256(), vec![0x05, 0x00]],
        vec![object_identifier("1.2.840.113549.1.1.1")],
        vec![object_identifier("1.2.840.113549.1.1.10")],
        vec![object_identifier("1.2.840.10040.4.1"), vec![0x05, 0x00]],
        vec![object_identifier("1.3.101.112"), vec![0x05, 0x00]],
        vec![object_identifier("1.3.101.113")],
    ] {
        let verdict = PublicKey::from_spki(&spki(&algorithm, point), Algorithm::Es256).unwrap_err();
        assert_eq!(verdict, PublicKeyError::UnknownKeyType, "{algorithm:02x?}");
    }
    let compressed = [&[2 + (point[64] & 1)], &point[1..33]].concat();
    for bad in [&compressed[..], &[0], &[], &point[..64]] {
        let verdict = PublicKey::from_spki(&spki(&[ec(), p256()], bad), Algorithm::Es256);
        assert!(verdict.is_err(), "{bad:02x?}");
    }
    let mut hybrid = point.to_vec();
    hybrid[0] = 6 + (point[64] & 1);
    assert!(PublicKey::from_spki(&spki(&[ec(), p256()], &hybrid), Algorithm::Es256).is_err());
    for bytes in [[&good[..], &[0]].concat(), good[..good.len() - 1].to_vec(), Vec::new()] {
        let verdict = PublicKey::from_spki(&bytes, Algorithm::Es256).unwrap_err();
        assert!(matches!(verdict, PublicKeyError::Malformed(_)), "{verdict}");
    }
}

#[test]
fn a_key_goes_with_the_algorithms_of_its_type_only() {
    for (alg, fitting) in [
        (&PKCS_ECDSA_P256_SHA256, Algorithm::Es256),
        (&PKCS_ECDSA_P384_SHA384, Algorithm::Es384),
        (&PKCS_ED25519, Algorithm::EdDsa),
    ] {
        let spki = KeyPair::generate_for(alg).unwrap().subject_public_key_info();
        for algorithm in Algorithm::ALL {
            let verdict = PublicKey::from_spki(&spki, algorithm);
            assert_eq!(verdict.is_ok(), algorithm == fitting, "{algorithm}");
        }
    }
}

#[test]
fn accepts_leaves_on_both_curves_and_with_ed25519() {
    let world = World::new();
    for (alg, algorithm) in [
        (&PKCS_ECDSA_P256_SHA256, Algorithm::Es256),
        (&PKCS_ECDSA_P384_SHA384, Algorithm::Es384),
        (&PKCS_ED25519, Algorithm::EdDsa),
    ] {
        let key = KeyPair::generate_for(alg).unwrap();
        let verified = world.judge(world.ca.leaf_with_key(&key, |_| {})).unwrap();
        assert!(verified.public_key(algorithm).is_ok(), "{algorithm}");
    }
}

#[test]
fn refuses_a_leaf_whose_point_is_not_on_its_curve() {
    let world = World::new();
    let mut bytes = KeyPair::generate().unwrap().public_key_raw().to_vec();
    bytes[64] ^= 1;
    let key = RawKey { bytes, algorithm: &PKCS_ECDSA_P256_SHA256 };
    assert_eq!(refused_by(world.judge(world.ca.leaf_with_key(&key, |_| {}))), "key strength");
}
