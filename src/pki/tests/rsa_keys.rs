//! Weak RSA keys: attacks D41 to D44 and D49, as keys and in certificates.

use std::sync::OnceLock;
use std::time::Instant;

use num_bigint::BigUint;
use openssl::bn::BigNum;
use openssl::rsa::Rsa;
use rcgen::PKCS_RSA_SHA256;

use super::{RawKey, World, integer, object_identifier, sequence, tlv};
use crate::domain::algorithm::Algorithm;
use crate::pki::error::PkiError;
use crate::pki::public_key::{PublicKey, PublicKeyError};
use crate::pki::strength::WeakKey;

const EXPONENT: &[u8] = &[1, 0, 1];

/// A good modulus of 2048 bits, made once.
fn good_modulus() -> &'static [u8] {
    static MODULUS: OnceLock<Vec<u8>> = OnceLock::new();
    MODULUS.get_or_init(|| Rsa::generate(2048).unwrap().n().to_vec())
}

fn judge(modulus: &[u8], exponent: &[u8]) -> Result<(), PublicKeyError> {
    let from_numbers = PublicKey::from_rsa(modulus, exponent, Algorithm::Rs256).map(|_| ());
    let algorithm = sequence(&[object_identifier("1.2.840.113549.1.1.1"), tlv(0x05, &[])]);
    let key = sequence(&[integer(modulus), integer(exponent)]);
    let spki = sequence(&[algorithm, tlv(0x03, &[&[0], &key[..]].concat())]);
    // Both doors lead through the same rules.
    assert_eq!(PublicKey::from_spki(&spki, Algorithm::Ps512).map(|_| ()), from_numbers);
    from_numbers
}

/// A prime number of exactly `bits` bits, the upper two of them set.
fn prime(bits: i32) -> BigUint {
    let mut prime = BigNum::new().unwrap();
    prime.generate_prime(bits, false, None, None).unwrap();
    BigUint::from_bytes_be(&prime.to_vec())
}

/// The first prime number from `start` on.
fn prime_from(start: &BigUint) -> BigUint {
    let mut context = openssl::bn::BigNumContext::new().unwrap();
    let mut candidate = start | BigUint::from(1_u8);
    loop {
        let number = BigNum::from_slice(&candidate.to_bytes_be()).unwrap();
        if number.is_prime_fasttest(32, &mut context, true).unwrap() {
            return candidate;
        }
        candidate += 2_u8;
    }
}

#[test]
fn accepts_keys_of_each_accepted_length() {
    assert_eq!(judge(good_modulus(), EXPONENT), Ok(()));
    for bits in [3072, 4096] {
        // Two big primes as good as any; making real keys takes too long here.
        let half = bits / 2;
        let modulus = (prime(half) * prime(half)).to_bytes_be();
        assert_eq!(judge(&modulus, EXPONENT), Ok(()), "{bits}");
    }
}

#[test]
fn refuses_every_other_length() {
    for bits in [512_u64, 1024, 1536, 2040, 2047, 2049, 2056, 3071, 4095, 4097, 8192, 16384, 65536]
    {
        let modulus = (BigUint::from(1_u8) << (bits - 1)) + 1_u8;
        let modulus = modulus.to_bytes_be();
        assert_eq!(judge(&modulus, EXPONENT), Err(WeakKey::RsaSize { bits }.into()), "{bits}");
    }
}

#[test]
fn refuses_every_other_exponent() {
    let beyond = [0x01, 0, 0, 0, 0x0f];
    let long = [0x01, 0, 0, 0, 0, 0, 0, 0, 0x01];
    for exponent in [&[1][..], &[3], &[17], &[1, 0, 0], &[1, 0, 3], &beyond, &long, good_modulus()]
    {
        let verdict = judge(good_modulus(), exponent);
        assert_eq!(verdict, Err(WeakKey::RsaExponent.into()), "{exponent:02x?}");
    }
}

#[test]
fn refuses_numbers_with_leading_zeros_or_none() {
    let padded = [&[0], good_modulus()].concat();
    for (modulus, exponent) in [
        (&padded[..], EXPONENT),
        (good_modulus(), &[0, 1, 0, 1]),
        (&[], EXPONENT),
        (good_modulus(), &[]),
    ] {
        let verdict = PublicKey::from_rsa(modulus, exponent, Algorithm::Rs256);
        assert!(matches!(verdict, Err(PublicKeyError::Malformed(_))));
    }
}

#[test]
fn refuses_a_modulus_with_a_small_factor() {
    for factor in [2_u32, 3, 5, 7, 11, 251, 743, 997] {
        let size = 2048 - u64::from(32 - factor.leading_zeros());
        let mut modulus = BigUint::from(factor);
        let other = prime(i32::try_from(size).unwrap());
        modulus *= other;
        modulus.set_bit(2047, true);
        // Setting the topmost bit broke the product; mend it upwards.
        let rest = &modulus % factor;
        modulus -= rest;
        assert_eq!(modulus.bits(), 2048);
        assert!(
            matches!(judge(&modulus.to_bytes_be(), EXPONENT),
                Err(PublicKeyError::Weak(WeakKey::SmallFactor(found))) if found <= factor),
            "{factor}"
        );
    }
}

#[test]
fn refuses_a_modulus_of_close_primes() {
    let first = prime(1024);
    // Up to 2^512 the first step finds them, at 2^516 some thirtieth, at 2^520 some thousandth.
    for (distance, close) in
        [(2_u16, true), (200, true), (255, true), (512, true), (516, true), (520, false)]
    {
        let second = prime_from(&(&first + (BigUint::from(1_u8) << distance)));
        let verdict = judge(&(&first * &second).to_bytes_be(), EXPONENT);
        assert_eq!(verdict == Err(WeakKey::ClosePrimes.into()), close, "2^{distance}");
    }
    let second = prime_from(&(&first - (BigUint::from(1_u8) << 800_u16)));
    assert_eq!(judge(&(&first * &second).to_bytes_be(), EXPONENT), Ok(()));
}

#[test]
fn refuses_a_modulus_with_the_roca_fingerprint() {
    // A prime of the broken generator: k * M + (65537^a mod M), M the product of primes to 167.
    let product = (2_u32..168)
        .filter(|&n| (2..n).all(|d| n % d != 0))
        .fold(BigUint::from(1_u8), |product, prime| product * prime);
    let make = |power: u32| {
        let residue = BigUint::from(65537_u32).modpow(&BigUint::from(power), &product);
        let mut k = prime(1022) / &product;
        loop {
            let candidate = &k * &product + &residue;
            let number = BigNum::from_slice(&candidate.to_bytes_be()).unwrap();
            let mut context = openssl::bn::BigNumContext::new().unwrap();
            if candidate.bits() == 1024 && number.is_prime_fasttest(8, &mut context, true).unwrap()
            {
                return candidate;
            }
            k += if candidate.bits() < 1024 { k.clone() } else { BigUint::from(1_u8) };
        }
    };
    let mut modulus = make(12_345);
    let second = make(54_321);
    modulus *= &second;
    if modulus.bits() == 2048 {
        assert_eq!(judge(&modulus.to_bytes_be(), EXPONENT), Err(WeakKey::Roca.into()));
    } else {
        panic!("the crafted modulus has {} bits", modulus.bits());
    }
}

#[test]
fn judging_a_long_key_is_cheap() {
    let modulus = (prime(2048) * prime(2048)).to_bytes_be();
    #[expect(clippy::disallowed_methods, reason = "it is the cost that is tested")]
    let start = Instant::now();
    for _ in 0..10 {
        assert!(PublicKey::from_rsa(&modulus, EXPONENT, Algorithm::Rs256).is_ok());
    }
    let each = start.elapsed() / 10;
    // Without optimization and on a busy machine; with it, a fraction of a millisecond.
    assert!(each.as_millis() < 100, "{each:?}");
}

#[test]
fn refuses_weak_keys_in_certificates() {
    let world = World::new();
    let weak = BigUint::from(1_u8) << 1023_u16 | BigUint::from(1_u8);
    for (modulus, exponent, reason) in [
        (good_modulus(), &[3][..], WeakKey::RsaExponent),
        (&weak.to_bytes_be(), EXPONENT, WeakKey::RsaSize { bits: 1024 }),
    ] {
        let bytes = sequence(&[integer(modulus), integer(exponent)]);
        let key = RawKey { bytes, algorithm: &PKCS_RSA_SHA256 };
        let error = world.judge(world.ca.leaf_with_key(&key, |_| {})).unwrap_err();
        assert!(
            matches!(&error, PkiError::WeakKey { reason: PublicKeyError::Weak(found), .. } if *found == reason),
            "{error}"
        );
    }
    let bytes = sequence(&[integer(good_modulus()), integer(EXPONENT)]);
    let key = RawKey { bytes, algorithm: &PKCS_RSA_SHA256 };
    let verified = world.judge(world.ca.leaf_with_key(&key, |_| {})).unwrap();
    assert!(verified.public_key(Algorithm::Rs512).is_ok());
    assert!(verified.public_key(Algorithm::Es256).is_err());
}
