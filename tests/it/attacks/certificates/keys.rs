//! The keys in certificates, and the algorithms that certificates are signed with.

use num_bigint::BigUint;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::RsaPssSaltlen;
use rcgen::{KeyPair, PKCS_RSA_SHA256};

use super::{REFUSED, signed};
use crate::harness::caller::Key;
use crate::harness::chain::{Authority, RawKey, Trust};
use crate::harness::der::{bit_string, integer, members, object_identifier, sequence, tlv};
use crate::harness::row::{Expect, Row, TOKEN, invalid_grant, run};
use crate::harness::server::{TestServer, caller, pki};

/// 65537.
const EXPONENT: &[u8] = &[1, 0, 1];

/// The place of the public key in the inner part of a certificate.
const PUBLIC_KEY: usize = 6;

/// A row with an RSA leaf of these numbers. Nobody has the private half, which does not matter, because the
/// certificate is refused before the signature is looked at.
fn rsa(id: &'static str, what: &str, modulus: &[u8], exponent: &[u8], expect: Expect) -> Row {
    let bytes = sequence(&[integer(modulus), integer(exponent)]);
    let der = pki().ca.certificate(&RawKey { bytes, algorithm: &PKCS_RSA_SHA256 }, |_| {});
    signed(id, what, &caller("rs256").key, &der, &[], expect).failing("key strength")
}

/// A row with a leaf of this public key.
fn spki(id: &'static str, what: &str, key: &Key, spki: Vec<u8>, expect: Expect) -> Row {
    let good = pki().ca.leaf(|_| {});
    let der = pki().ca.patch(&good.der, |inner| inner[PUBLIC_KEY] = spki);
    signed(id, what, key, &der, &[], expect).failing("key strength")
}

/// A row with a leaf of this key pair.
fn pair(
    id: &'static str,
    what: &str,
    algorithm: &'static str,
    pair: PKey<Private>,
    expect: Expect,
) -> Row {
    let public = pair.public_key_to_der().unwrap();
    spki(id, what, &Key { pair, algorithm }, public, expect)
}

/// A number of exactly `bits` bits, which nothing small divides.
fn number(bits: u64) -> Vec<u8> {
    ((BigUint::from(1_u8) << (bits - 1)) + 1_u8).to_bytes_be()
}

fn prime(bits: i32) -> BigUint {
    let mut prime = BigNum::new().unwrap();
    prime.generate_prime(bits, false, None, None).unwrap();
    BigUint::from_bytes_be(&prime.to_vec())
}

fn is_prime(number: &BigUint) -> bool {
    let mut context = BigNumContext::new().unwrap();
    let number = BigNum::from_slice(&number.to_bytes_be()).unwrap();
    number.is_prime_fasttest(8, &mut context, true).unwrap()
}

#[tokio::test]
async fn an_rsa_key_has_one_of_three_lengths_and_one_exponent() {
    let server = TestServer::start().await;
    let good = caller("rs256").key.pair.rsa().unwrap().n().to_vec();
    let mut rows = vec![rsa("D41", "2048 bits, as it should be", &good, EXPONENT, TOKEN)];
    for bits in [1024, 1536, 2047] {
        let key = PKey::from_rsa(Rsa::generate(bits).unwrap()).unwrap();
        rows.push(pair("D41", &format!("{bits} bits"), "RS256", key, REFUSED));
    }
    for bits in [8192, 16384] {
        rows.push(rsa("D43", &format!("{bits} bits"), &number(bits), EXPONENT, REFUSED));
    }
    for (what, exponent) in [
        ("1", &[1][..]),
        ("3", &[3]),
        ("even", &[1, 0, 0]),
        ("2^32 + 15", &[1, 0, 0, 0, 15]),
        ("33 bits", &[1, 0, 0, 0, 1]),
        ("64 bits", &[0x80, 0, 0, 0, 0, 0, 0, 1]),
        ("as long as the modulus", &good),
        ("0", &[0]),
    ] {
        rows.push(rsa("D42", what, &good, exponent, REFUSED));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn a_modulus_that_can_be_factored_is_refused() {
    // That two clients have the same key is no fault here: one organization may have several.
    let server = TestServer::start().await;
    let first = prime(1024);
    let close = (0_u32..10_000).map(|i| &first + 2 * i + 2_u8).find(is_prime).unwrap();
    // 751 has close to ten bits, and the upper two of the prime are set.
    let small = prime(2038) * 751_u32;
    assert_eq!(small.bits(), 2048);
    let rows = vec![
        rsa("D44", "primes side by side", &(&first * &close).to_bytes_be(), EXPONENT, REFUSED),
        rsa("D44", "divisible by 751", &small.to_bytes_be(), EXPONENT, REFUSED),
        rsa(
            "D44",
            "even",
            &(number(2048)[..255].iter().copied().chain([2]).collect::<Vec<_>>()),
            EXPONENT,
            REFUSED,
        ),
        rsa("D44", "of the broken generator", &roca_modulus(), EXPONENT, REFUSED),
    ];
    run(&server, rows).await;
}

/// A modulus of the generator of CVE-2017-15361: its primes are k * M + (65537^a mod M), M being the product
/// of the primes to 167.
fn roca_modulus() -> Vec<u8> {
    let product = (2_u32..168)
        .filter(|&n| (2..n).all(|d| n % d != 0))
        .fold(BigUint::from(1_u8), |product, prime| product * prime);
    let make = |power: u32| {
        let residue = BigUint::from(65537_u32).modpow(&BigUint::from(power), &product);
        let mut k = (BigUint::from(0xf0_u8) << 1016_u32) / &product;
        loop {
            let candidate = &k * &product + &residue;
            if is_prime(&candidate) {
                return candidate;
            }
            k += 1_u8;
        }
    };
    let modulus = make(12_345) * make(54_321);
    assert_eq!(modulus.bits(), 2048);
    modulus.to_bytes_be()
}

/// A key on a curve by its name.
fn on(curve: Nid) -> PKey<Private> {
    let group = EcGroup::from_curve_name(curve).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

#[tokio::test]
async fn curves_are_p256_p384_and_ed25519() {
    let server = TestServer::start().await;
    let ed25519 = PKey::generate_ed25519().unwrap();
    let other = PKey::generate_ed448().unwrap();
    let no_algorithm = invalid_grant("");
    let mut rows = vec![
        pair("D45", "P-256", "ES256", on(Nid::X9_62_PRIME256V1), TOKEN),
        pair("D45", "P-384", "ES384", on(Nid::SECP384R1), TOKEN),
        pair("D45", "P-384 with ES256", "ES256", on(Nid::SECP384R1), REFUSED)
            .failing("key algorithm"),
        pair("D46", "P-521 with ES512", "ES512", on(Nid::SECP521R1), no_algorithm),
        pair("D46", "P-521 with ES256", "ES256", on(Nid::SECP521R1), REFUSED),
        pair("D48", "Ed25519", "EdDSA", ed25519, TOKEN),
        spki("D48", "Ed448", &caller("eddsa").key, other.public_key_to_der().unwrap(), REFUSED),
    ];
    for (what, curve) in [
        ("P-192", Nid::X9_62_PRIME192V1),
        ("P-224", Nid::SECP224R1),
        ("secp256k1", Nid::SECP256K1),
        ("brainpool", Nid::BRAINPOOL_P256R1),
    ] {
        let Ok(group) = EcGroup::from_curve_name(curve) else { continue };
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        rows.push(pair("D47", what, "ES256", key, REFUSED));
    }
    let key = caller("es256").key;
    let good = key.pair.public_key_to_der().unwrap();
    let algorithm = members(&good)[0].clone();
    let point = &good[good.len() - 65..];
    let with_point = |what: &str, point: &[u8]| {
        spki("D47", what, &key, sequence(&[algorithm.clone(), bit_string(point)]), REFUSED)
    };
    let mut off = point.to_vec();
    off[64] ^= 1;
    let hybrid = [&[6 + (point[64] & 1)], &point[1..]].concat();
    rows.extend([
        with_point("compressed", &[&[2 + (point[64] & 1)], &point[1..33]].concat()),
        with_point("hybrid", &hybrid),
        with_point("at infinity", &[0]),
        with_point("off the curve", &off),
        with_point("cut short", &point[..64]),
        with_point("zero", &[&[4][..], &[0; 64]].concat()),
    ]);
    let mut explicit = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    explicit.set_asn1_flag(openssl::ec::Asn1Flag::EXPLICIT_CURVE);
    let explicit = PKey::from_ec_key(EcKey::generate(&explicit).unwrap()).unwrap();
    rows.push(pair("D47", "explicit parameters", "ES256", explicit, REFUSED));
    run(&server, rows).await;
}

#[tokio::test]
async fn other_kinds_of_keys_are_refused() {
    let server = TestServer::start().await;
    let rsa = caller("ps256").key;
    let public = rsa.pair.public_key_to_der().unwrap();
    let numbers = members(&public)[1].clone();
    let pss = object_identifier("1.2.840.113549.1.1.10");
    let parameters = sequence(&[tlv(0xa2, &integer(&[32]))]);
    let dsa = sequence(&[
        sequence(&[
            object_identifier("1.2.840.10040.4.1"),
            sequence(&[integer(&number(2048)), integer(&number(256)), integer(&[2])]),
        ]),
        bit_string(&integer(&number(2000))),
    ]);
    let ml_dsa = sequence(&[
        sequence(&[object_identifier("2.16.840.1.101.3.4.3.18")]),
        bit_string(&[7; 1952]),
    ]);
    let rows = vec![
        spki("D49", "PS256 with an RSA key", &rsa, public.clone(), TOKEN),
        spki(
            "D49",
            "id-RSASSA-PSS",
            &rsa,
            sequence(&[sequence(std::slice::from_ref(&pss)), numbers.clone()]),
            REFUSED,
        ),
        spki(
            "D49",
            "with parameters",
            &rsa,
            sequence(&[sequence(&[pss, parameters]), numbers]),
            REFUSED,
        ),
        spki("D50", "DSA", &caller("es256").key, dsa, REFUSED),
        spki("D50", "ML-DSA", &caller("es256").key, ml_dsa, REFUSED),
    ];
    run(&server, rows).await;
}

/// A root with an RSA key, whose certificates are signed again in ways that it should not.
struct RsaRoot {
    authority: Authority,
    key: Key,
}

impl RsaRoot {
    fn new() -> Self {
        let pair = Rsa::generate(2048).unwrap();
        let pair = PKey::from_rsa(pair).unwrap();
        let pkcs8 = pair.private_key_to_pkcs8().unwrap();
        let rcgen_key =
            KeyPair::from_pkcs8_der_and_sign_algo(&rcgen_pkcs8(&pkcs8), &PKCS_RSA_SHA256).unwrap();
        let template = Authority::root("RSA root", |_| {});
        let der = template.params.self_signed(&rcgen_key).unwrap().der().to_vec();
        let authority = Authority { key: rcgen_key, params: template.params, der };
        Self { authority, key: Key { pair, algorithm: "RS256" } }
    }

    /// The certificate with another algorithm inside and outside, signed by `sign`.
    fn resign(
        &self,
        der: &[u8],
        algorithm: &[u8],
        sign: impl FnOnce(&Key, &[u8]) -> Vec<u8>,
    ) -> Vec<u8> {
        let mut inner = members(&members(der)[0]);
        inner[2] = algorithm.to_vec();
        let inner = sequence(&inner);
        let signature = sign(&self.key, &inner);
        sequence(&[inner, algorithm.to_vec(), bit_string(&signature)])
    }
}

fn rcgen_pkcs8(der: &[u8]) -> rustls_pki_types::PrivatePkcs8KeyDer<'_> {
    der.into()
}

fn with_digest(digest: MessageDigest) -> impl Fn(&Key, &[u8]) -> Vec<u8> {
    move |key, message| {
        let mut signer = openssl::sign::Signer::new(digest, &key.pair).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    }
}

/// The identifier of RSASSA-PSS with SHA-256, this mask and this length of salt (RFC 4055 section 3.1).
fn pss_identifier(mask: &str, salt: u8) -> Vec<u8> {
    let hash = |oid: &str| sequence(&[object_identifier(oid), tlv(5, &[])]);
    let mask = sequence(&[object_identifier("1.2.840.113549.1.1.8"), hash(mask)]);
    let parameters = [
        tlv(0xa0, &hash("2.16.840.1.101.3.4.2.1")),
        tlv(0xa1, &mask),
        tlv(0xa2, &integer(&[salt])),
    ];
    sequence(&[object_identifier("1.2.840.113549.1.1.10"), sequence(&parameters)])
}

#[tokio::test]
async fn certificates_are_signed_with_sha2() {
    let root = RsaRoot::new();
    let trust = Trust {
        anchors: vec![root.authority.der.clone()],
        intermediates: Vec::new(),
        ..Trust::of(pki())
    };
    let server = TestServer::with(&[Trust::of(pki()), trust], "").await;
    let leaf = root.authority.leaf(|_| {});
    let null = || tlv(5, &[]);
    let pkcs1 = |oid: &str| sequence(&[object_identifier(oid), null()]);
    let (sha1, sha256, md5) =
        (MessageDigest::sha1(), MessageDigest::sha256(), MessageDigest::md5());
    let mut rows = Vec::new();
    for (id, what, oid, digest, expect) in [
        ("D40", "SHA-256", "1.2.840.113549.1.1.11", sha256, TOKEN),
        ("D40", "SHA-1", "1.2.840.113549.1.1.5", sha1, REFUSED),
        ("D40", "MD5", "1.2.840.113549.1.1.4", md5, REFUSED),
    ] {
        let der = root.resign(&leaf.der, &pkcs1(oid), with_digest(digest));
        let check = "signature algorithms";
        rows.push(signed(id, what, &leaf.key, &der, &[], expect).failing(check));
        let ca = root.authority.below("CA below RSA", |_| {});
        let der = root.resign(&ca.der, &pkcs1(oid), with_digest(digest));
        let below = ca.leaf(|_| {});
        let row = signed(id, "an intermediate", &below.key, &below.der, &[&der], expect);
        rows.push(row.failing(check));
    }
    for (what, mask, mask_digest, salt) in [
        ("an odd salt", "2.16.840.1.101.3.4.2.1", sha256, 20),
        ("no salt", "2.16.840.1.101.3.4.2.1", sha256, 0),
        ("a mask of SHA-1", "1.3.14.3.2.26", sha1, 32),
    ] {
        let identifier = pss_identifier(mask, salt);
        let der = root.resign(&leaf.der, &identifier, |key, message| {
            let salt = RsaPssSaltlen::custom(i32::from(salt));
            key.sign_pss(sha256, mask_digest, salt, message)
        });
        rows.push(
            signed("D51", what, &leaf.key, &der, &[], REFUSED).failing("signature algorithms"),
        );
    }
    run(&server, rows).await;
}
