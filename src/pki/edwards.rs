//! The points of edwards25519 that may be a public key (RFC 8032 section 5.1).
//!
//! A point of small order verifies signatures over messages that nobody signed, and a number beyond
//! the field gives one key two spellings. Verification refuses a part of this late or not at all,
//! so it is settled here when the key is read.

use num_bigint::BigUint;

use crate::pki::strength::WeakKey;

/// Checks that 32 bytes are the only spelling of a point on the curve, outside its small subgroup.
pub(super) fn check(bytes: &[u8]) -> Result<(), WeakKey> {
    if bytes.len() != 32 {
        return Err(WeakKey::NotOnCurve);
    }
    let field = (BigUint::from(1_u8) << 255_u8) - 19_u8;
    let mut y = BigUint::from_bytes_le(bytes);
    // The topmost bit is the sign of x.
    y.set_bit(255, false);
    if y >= field {
        return Err(WeakKey::NotOnCurve);
    }
    let square = &y * &y % &field;
    if is_of_small_order(&y, &square, &field) {
        return Err(WeakKey::SmallOrder);
    }
    if is_on_curve(&square, &field) { Ok(()) } else { Err(WeakKey::NotOnCurve) }
}

/// Points of order 1, 2 and 4 have y = 1, -1 and 0. One of order 8 doubles to y = 0, hence
/// x^2 = -y^2, which the curve equation turns into d y^4 + 2 y^2 - 1 = 0.
fn is_of_small_order(y: &BigUint, square: &BigUint, field: &BigUint) -> bool {
    let zero = BigUint::ZERO;
    let one = BigUint::from(1_u8);
    if *y == zero || *y == one || *y == field - &one {
        return true;
    }
    // With d = -121665 / 121666, multiplied out.
    let left = square * square * 121_665_u32 % field;
    let right = (square * 2_u8 + field - &one) * 121_666_u32 % field;
    left == right
}

/// x^2 = (y^2 - 1) / (d y^2 + 1) must be a square; by Euler's criterion, without a division.
fn is_on_curve(square: &BigUint, field: &BigUint) -> bool {
    let one = BigUint::from(1_u8);
    let numerator = (square + field - &one) * 121_666_u32 % field;
    let denominator = (field * 121_665_u32 - square * 121_665_u32 + 121_666_u32) % field;
    let half = (field - &one) >> 1_u8;
    (numerator * denominator % field).modpow(&half, field) == one
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    #[test]
    fn accepts_what_a_generator_makes() {
        for seed in 0..8_u8 {
            let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
            assert_eq!(check(pair.public_key().as_ref()), Ok(()));
        }
    }

    #[test]
    fn refuses_points_of_small_order() {
        let eighth = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
        let mut eighth: Vec<u8> =
            (0..32).map(|i| u8::from_str_radix(&eighth[2 * i..2 * i + 2], 16).unwrap()).collect();
        let mut one = [0; 32];
        one[0] = 1;
        let mut minus_one = [0xff; 32];
        (minus_one[0], minus_one[31]) = (0xec, 0x7f);
        for point in [&eighth[..], &one, &minus_one, &[0; 32]] {
            assert_eq!(check(point), Err(WeakKey::SmallOrder), "{point:02x?}");
        }
        eighth[31] |= 0x80;
        assert_eq!(check(&eighth), Err(WeakKey::SmallOrder));
    }

    #[test]
    fn refuses_what_is_no_point() {
        let mut beyond = [0xff; 32];
        (beyond[0], beyond[31]) = (0xee, 0x7f);
        let mut two = [0; 32];
        two[0] = 2;
        for bytes in [&beyond[..], &two, &[9; 31], &[9; 33], &[]] {
            assert_eq!(check(bytes), Err(WeakKey::NotOnCurve), "{bytes:02x?}");
        }
    }
}
