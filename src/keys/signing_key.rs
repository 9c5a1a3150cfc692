//! A signing key of ours: parsed once, held in memory, ready to sign.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom as CryptoRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
    EllipticCurveKeyType, Jwk, KeyAlgorithm, OctetKeyPairParameters, OctetKeyPairType,
    PublicKeyUse, RSAKeyParameters, RSAKeyType, ThumbprintHash,
};
use zeroize::Zeroizing;

use crate::domain::algorithm::Algorithm;
use crate::keys::KeyError;
use crate::pki::public_key::PublicKey;

/// What the header of a token says about its type.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenType {
    /// `typ` is `at+jwt` (RFC 9068 section 2.1).
    AccessToken,
    /// There is no `typ`, as in Maskinporten's tokens.
    Unsaid,
}

/// A signing key with both halves.
pub struct SigningKey {
    jwk: Jwk,
    kid: String,
    algorithm: Algorithm,
    pair: Pair,
}

/// The parsed private half. Parsing an RSA key costs twice as much as signing with it.
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// Makes a new key, and its private half as PKCS#8. `rsa_bits` counts for RSA only.
    pub fn generate(
        algorithm: Algorithm,
        rsa_bits: u32,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let pkcs8 = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let size = match rsa_bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    _ => return Err(KeyError::Unsupported),
                };
                let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Generation)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::Generation)?;
                der.as_ref().to_vec()
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
                let pair = pair.map_err(|_| KeyError::Generation)?;
                pair.to_pkcs8v1().map_err(|_| KeyError::Generation)?.as_ref().to_vec()
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(|_| KeyError::Generation)?;
                pair.to_pkcs8().map_err(|_| KeyError::Generation)?.as_ref().to_vec()
            }
            _ => return Err(KeyError::Unsupported),
        };
        let pkcs8 = Zeroizing::new(pkcs8);
        Ok((Self::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    /// Reads a private half that [`SigningKey::generate`] made. It is held to the rules that hold for the keys of clients,
    /// whether it has just been made or comes from the database.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let pair = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Pair::Rsa(RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Pkcs8)?)
            }
            Algorithm::Es256 => Pair::Ecdsa(
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|_| KeyError::Pkcs8)?,
            ),
            Algorithm::EdDsa => {
                Pair::Ed25519(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError::Pkcs8)?)
            }
            _ => return Err(KeyError::Unsupported),
        };
        check_strength(algorithm, &pair)?;
        let mut jwk = public_half(algorithm, &pair)?;
        let kid = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| KeyError::Pkcs8)?;
        jwk.common.key_id = Some(kid.clone());
        Ok(Self { jwk, kid, algorithm, pair })
    }

    /// Its RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, to be published.
    pub fn jwk(&self) -> &Jwk {
        &self.jwk
    }

    /// The first part of every token of this key, with its dot: it never varies, so it is made once.
    pub fn header(&self, token_type: TokenType) -> String {
        let typ = match token_type {
            TokenType::AccessToken => r#","typ":"at+jwt""#,
            TokenType::Unsaid => "",
        };
        let header = format!(r#"{{"kid":"{}","alg":"{}"{typ}}}"#, self.kid, self.algorithm);
        URL_SAFE_NO_PAD.encode(header) + "."
    }

    /// Makes the compact JWS (RFC 7515 section 7.1) of `payload` under a header of this key.
    pub fn sign(&self, header: &str, payload: &[u8]) -> Result<String, KeyError> {
        /// Room for the base64url of a 4096-bit signature and its dot.
        const SIGNATURE_CHARACTERS_MAX: usize = 684;
        let capacity = header.len() + payload.len().div_ceil(3) * 4 + SIGNATURE_CHARACTERS_MAX;
        let mut token = String::with_capacity(capacity);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signed = token.len();
        token.push('.');
        let random = CryptoRandom::new();
        let message = &token.as_bytes()[..signed];
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding = match self.algorithm {
                    Algorithm::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(|_| KeyError::Signing)?;
                URL_SAFE_NO_PAD.encode_string(&signature, &mut token);
            }
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).map_err(|_| KeyError::Signing)?;
                URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
            }
            Pair::Ed25519(pair) => {
                let signature = pair.sign(message);
                URL_SAFE_NO_PAD.encode_string(signature.as_ref(), &mut token);
            }
        }
        Ok(token)
    }
}

/// Holds the public half against the rules for all keys ([`crate::pki::strength`]).
fn check_strength(algorithm: Algorithm, pair: &Pair) -> Result<(), KeyError> {
    let judged = match pair {
        Pair::Rsa(pair) => {
            let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
            let (n, e) = (n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
            PublicKey::from_rsa(n, e, algorithm)?
        }
        Pair::Ecdsa(pair) => {
            let (x, y) = coordinates(pair)?;
            PublicKey::from_ec(x, y, algorithm)?
        }
        Pair::Ed25519(pair) => PublicKey::from_ed25519(pair.public_key().as_ref())?,
    };
    if judged.algorithm() == algorithm { Ok(()) } else { Err(KeyError::Unsupported) }
}

/// The uncompressed point: 4, then x and y of equal length (SEC 1 section 2.3.3).
fn coordinates(pair: &EcdsaKeyPair) -> Result<(&[u8], &[u8]), KeyError> {
    let point = pair.public_key().as_ref().get(1..).ok_or(KeyError::Pkcs8)?;
    Ok(point.split_at(point.len() / 2))
}

fn public_half(algorithm: Algorithm, pair: &Pair) -> Result<Jwk, KeyError> {
    let key_algorithm = match algorithm {
        Algorithm::Rs256 => KeyAlgorithm::RS256,
        Algorithm::Ps256 => KeyAlgorithm::PS256,
        Algorithm::Es256 => KeyAlgorithm::ES256,
        Algorithm::EdDsa => KeyAlgorithm::EdDSA,
        _ => return Err(KeyError::Unsupported),
    };
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let parameters = match pair {
        Pair::Rsa(pair) => AlgorithmParameters::RSA(RSAKeyParameters {
            key_type: RSAKeyType::RSA,
            n: text(pair.public_key().modulus().big_endian_without_leading_zero()),
            e: text(pair.public_key().exponent().big_endian_without_leading_zero()),
        }),
        Pair::Ecdsa(pair) => {
            let (x, y) = coordinates(pair)?;
            AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                key_type: EllipticCurveKeyType::EC,
                curve: EllipticCurve::P256,
                x: text(x),
                y: text(y),
            })
        }
        Pair::Ed25519(pair) => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x: text(pair.public_key().as_ref()),
        }),
    };
    let common = CommonParameters {
        public_key_use: Some(PublicKeyUse::Signature),
        key_algorithm: Some(key_algorithm),
        ..CommonParameters::default()
    };
    Ok(Jwk { common, algorithm: parameters })
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    use super::*;

    #[test]
    fn another_library_verifies_what_each_kind_of_key_signs() {
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::Es256, Algorithm::EdDsa] {
            let (key, pkcs8) = SigningKey::generate(algorithm, 2048).unwrap();
            let again = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
            assert_eq!(again.kid(), key.kid());
            let token = again.sign(&again.header(TokenType::Unsaid), br#"{"a":1}"#).unwrap();
            let mut rules = Validation::new(algorithm.name().parse().unwrap());
            rules.required_spec_claims.clear();
            rules.validate_exp = false;
            let public = DecodingKey::from_jwk(key.jwk()).unwrap();
            let decoded = decode::<Value>(&token, &public, &rules).unwrap();
            assert_eq!(decoded.claims["a"], 1);
            assert_eq!(decoded.header.kid.as_deref(), Some(key.kid()));
            assert_eq!(decoded.header.typ, None);
        }
    }

    #[test]
    fn a_weak_key_of_ours_is_refused_as_everybody_elses() {
        use openssl::bn::BigNum;
        use openssl::pkey::PKey;
        use openssl::rsa::Rsa;

        use crate::pki::public_key::PublicKeyError::Weak;
        use crate::pki::strength::WeakKey;

        let number = |value: u32| BigNum::from_u32(value).unwrap();
        let refused = |rsa: Rsa<openssl::pkey::Private>| {
            let pkcs8 = PKey::from_rsa(rsa).unwrap().private_key_to_pkcs8().unwrap();
            SigningKey::from_pkcs8(Algorithm::Rs256, &pkcs8).err()
        };
        assert_eq!(refused(Rsa::generate(2048).unwrap()), None);
        let exponent = Rsa::generate_with_e(2048, &number(3)).unwrap();
        assert_eq!(refused(exponent), Some(KeyError::Weak(Weak(WeakKey::RsaExponent))));
        assert_eq!(refused(close_primes()), Some(KeyError::Weak(Weak(WeakKey::ClosePrimes))));
    }

    /// A key whose primes are neighbours.
    fn close_primes() -> openssl::rsa::Rsa<openssl::pkey::Private> {
        use openssl::bn::{BigNum, BigNumContext};

        let number = |value: u32| BigNum::from_u32(value).unwrap();
        let context = &mut BigNumContext::new().unwrap();
        let product = |one: &BigNum, other: &BigNum, context: &mut BigNumContext| {
            let mut product = BigNum::new().unwrap();
            product.checked_mul(one, other, context).unwrap();
            product
        };
        let inverse = |of: &BigNum, modulus: &BigNum, context: &mut BigNumContext| {
            let mut inverse = BigNum::new().unwrap();
            inverse.mod_inverse(of, modulus, context).map(|()| inverse)
        };
        let less = |prime: &BigNum| prime - &number(1);
        loop {
            let mut first = BigNum::new().unwrap();
            first.generate_prime(1024, false, None, None).unwrap();
            let mut second = first.to_owned().unwrap();
            second.add_word(2).unwrap();
            while !second.is_prime_fasttest(32, context, true).unwrap() {
                second.add_word(2).unwrap();
            }
            let modulus = product(&first, &second, context);
            let totient = product(&less(&first), &less(&second), context);
            let public = number(65_537);
            let Ok(private) = inverse(&public, &totient, context) else { continue };
            let (of_first, of_second) = (&private % &less(&first), &private % &less(&second));
            let coefficient = inverse(&second, &first, context).unwrap();
            return openssl::rsa::Rsa::from_private_components(
                modulus,
                public,
                private,
                first,
                second,
                of_first,
                of_second,
                coefficient,
            )
            .unwrap();
        }
    }

    #[test]
    fn the_kid_of_the_example_in_rfc_7638_section_3_1_is_right() {
        let jwk: Jwk = serde_json::from_str(concat!(
            r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1R"#,
            r#"K7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf"#,
            r#"0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD0"#,
            r#"8qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJz"#,
            r#"KnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}"#
        ))
        .unwrap();
        let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).unwrap();
        assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
