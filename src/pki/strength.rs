//! Which public keys are strong enough: the one place that decides it.
//!
//! The same rules hold for registered keys, for enterprise certificates and for the authorities
//! above them. RSA follows what public authorities check before they certify a key: size and
//! exponent as FIPS 186-5 section 5.1 has them, and the known ways in which a modulus can be
//! factored from the outside. A key is judged once, when it is first seen, never per signature.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey};
use num_bigint::BigUint;
use thiserror::Error;

use crate::pki::edwards;
use crate::pki::spki::PublicNumbers;

/// The lengths of an RSA modulus that are accepted, in bits; nothing between and nothing above,
/// for a long modulus is work that the sender chooses and we do.
pub const RSA_BITS: [u64; 3] = [2048, 3072, 4096];

/// 65537, big-endian: the only public exponent.
const RSA_EXPONENT: &[u8] = &[0x01, 0x00, 0x01];

/// Steps of Fermat's factoring that a modulus must withstand; primes close enough to fall within
/// them come from broken generators only.
const FERMAT_ROUNDS: u32 = 110;

/// A modulus must not have a prime factor below this.
const SMALL_PRIMES_BELOW: u32 = 1000;

/// Primes that tell moduli of the broken generator of CVE-2017-15361 (ROCA) from others.
const ROCA_PRIMES_UP_TO: u32 = 167;

/// Why a public key is refused as too weak.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum WeakKey {
    /// The primes of the modulus lie so close together that it can be factored.
    #[error("the two primes of the RSA modulus are too close together")]
    ClosePrimes,
    /// The coordinates are not those of a point of the curve in its one accepted form.
    #[error("the key is not an uncompressed point of its curve")]
    NotOnCurve,
    /// The modulus bears the fingerprint of a generator known to be broken (CVE-2017-15361).
    #[error("the RSA key was made by a generator that is known to be broken (ROCA)")]
    Roca,
    /// The exponent is not 65537.
    #[error("the RSA public exponent is not 65537")]
    RsaExponent,
    /// The modulus is not of an accepted length.
    #[error("the RSA modulus has {bits} bits; 2048, 3072 and 4096 are accepted")]
    RsaSize {
        /// Its length in bits.
        bits: u64,
    },
    /// The modulus can be divided by a small number.
    #[error("the RSA modulus is divisible by {0}")]
    SmallFactor(u32),
    /// The point is in the small subgroup of its curve, where signatures prove nothing.
    #[error("the Ed25519 key is a point of small order")]
    SmallOrder,
}

/// Judges a key.
pub(super) fn check(key: PublicNumbers<'_>) -> Result<(), WeakKey> {
    match key {
        PublicNumbers::Ed25519(point) => edwards::check(point),
        PublicNumbers::P256(point) => {
            let uncompressed = point.len() == 65 && point[0] == 0x04;
            let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            if uncompressed && parsed.is_ok() { Ok(()) } else { Err(WeakKey::NotOnCurve) }
        }
        PublicNumbers::P384(point) => {
            let uncompressed = point.len() == 97 && point[0] == 0x04;
            let parsed = ParsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point);
            if uncompressed && parsed.is_ok() { Ok(()) } else { Err(WeakKey::NotOnCurve) }
        }
        PublicNumbers::Rsa { modulus, exponent } => check_rsa(modulus, exponent),
    }
}

/// The cheap questions come first, so that a modulus of absurd length costs nothing.
fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), WeakKey> {
    let bits = bit_length(modulus);
    if !RSA_BITS.contains(&bits) {
        return Err(WeakKey::RsaSize { bits });
    }
    if exponent != RSA_EXPONENT {
        return Err(WeakKey::RsaExponent);
    }
    let modulus = BigUint::from_bytes_be(modulus);
    if let Some(factor) = small_factor(&modulus) {
        return Err(WeakKey::SmallFactor(factor));
    }
    if has_roca_fingerprint(&modulus) {
        return Err(WeakKey::Roca);
    }
    if has_close_primes(&modulus) {
        return Err(WeakKey::ClosePrimes);
    }
    Ok(())
}

/// The length of a big-endian number without its leading zeros.
fn bit_length(number: &[u8]) -> u64 {
    let start = number.iter().position(|&octet| octet != 0).unwrap_or(number.len());
    let significant = &number[start..];
    let first = significant.first().map_or(0, |first| u64::from(first.leading_zeros()));
    let octets = u64::try_from(significant.len()).unwrap_or(u64::MAX);
    octets.saturating_mul(8).saturating_sub(first)
}

/// The least prime below [`SMALL_PRIMES_BELOW`] that divides the modulus.
fn small_factor(modulus: &BigUint) -> Option<u32> {
    // Primes are multiplied together as long as they fit a machine word, so that the long division
    // happens once for many of them.
    let mut primes = primes_below(SMALL_PRIMES_BELOW).peekable();
    while primes.peek().is_some() {
        let mut group = Vec::new();
        let mut product = 1_u64;
        while let Some(&prime) = primes.peek() {
            let Some(next) = product.checked_mul(u64::from(prime)) else { break };
            product = next;
            group.push(prime);
            primes.next();
        }
        let remainder = remainder(modulus, product);
        if let Some(factor) =
            group.into_iter().find(|&prime| remainder.is_multiple_of(u64::from(prime)))
        {
            return Some(factor);
        }
    }
    None
}

/// A ROCA prime is `k * M + (65537^a mod M)` for a product `M` of small primes, so the modulus is a
/// power of 65537 modulo every one of them; a random modulus is so with a chance below 2^-27.
fn has_roca_fingerprint(modulus: &BigUint) -> bool {
    primes_below(ROCA_PRIMES_UP_TO + 1)
        .skip(1)
        .all(|prime| is_power_of_65537(remainder(modulus, u64::from(prime)), u64::from(prime)))
}

fn is_power_of_65537(number: u64, prime: u64) -> bool {
    let generator = 65537 % prime;
    let mut power = 1;
    loop {
        if power == number {
            return true;
        }
        power = power * generator % prime;
        if power == 1 {
            return false;
        }
    }
}

/// Fermat: if the primes are `a - b` and `a + b`, then `a * a - n` is the square of `b`. Starting at
/// the root of `n`, close primes make it so within few steps.
fn has_close_primes(modulus: &BigUint) -> bool {
    let one = BigUint::from(1_u8);
    let mut a = modulus.sqrt();
    if &a * &a < *modulus {
        a += &one;
    }
    let mut candidate = &a * &a - modulus;
    for _ in 0..FERMAT_ROUNDS {
        if may_be_square(&candidate) {
            let root = candidate.sqrt();
            if &root * &root == candidate {
                return true;
            }
        }
        // (a + 1)^2 - n, from a^2 - n.
        candidate += (&a << 1_u8) + &one;
        a += &one;
    }
    false
}

/// Squares leave few remainders: this lets one non-square in about four hundred through, and every
/// square, so that the costly root is almost never taken.
fn may_be_square(number: &BigUint) -> bool {
    let low = number.iter_u64_digits().next().unwrap_or(0);
    let is_residue = |value: u64, modulus: u64| (0..modulus).any(|x| x * x % modulus == value);
    if !is_residue(low % 64, 64) {
        return false;
    }
    let rest = remainder(number, 63 * 65 * 11 * 17 * 19 * 23 * 31);
    [63, 65, 11, 17, 19, 23, 31].into_iter().all(|modulus| is_residue(rest % modulus, modulus))
}

fn remainder(number: &BigUint, divisor: u64) -> u64 {
    (number % divisor).iter_u64_digits().next().unwrap_or(0)
}

fn primes_below(limit: u32) -> impl Iterator<Item = u32> {
    (2..limit).filter(|&n| (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_lets_every_square_through() {
        for root in 0_u64..3000 {
            assert!(may_be_square(&BigUint::from(root * root)), "{root}");
        }
        let passed = (0_u64..100_000).filter(|&n| may_be_square(&BigUint::from(n))).count();
        assert!(passed < 1000, "{passed} of 100000 pass");
    }

    #[test]
    fn a_length_is_counted_without_leading_zeros() {
        assert_eq!(bit_length(&[0x00, 0x01, 0x00]), 9);
        assert_eq!(bit_length(&[0x00]), 0);
        assert_eq!(bit_length(&[]), 0);
    }
}
