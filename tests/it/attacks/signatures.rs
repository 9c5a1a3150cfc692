//! Group B, second part: signatures.

use openssl::bn::BigNum;
use openssl::ecdsa::EcdsaSig;
use openssl::hash::MessageDigest;
use openssl::rsa::Padding;
use openssl::sign::RsaPssSaltlen;
use serde_json::json;

use crate::harness::caller::{Caller, Draft, hmac, with_signature};
use crate::harness::row::{Expect, Row, invalid_grant, invalid_request, run, text};
use crate::harness::server::{TestServer, caller, certified, pki};

const SIGNATURE: Expect = invalid_grant("MP-124");
const ALGORITHM: Expect = invalid_grant("");

/// A row whose signature is made by hand from the message.
fn signed(
    id: &'static str,
    what: impl Into<String>,
    caller: &Caller,
    sign: impl FnOnce(&[u8]) -> Vec<u8>,
) -> Row {
    let draft = caller.draft();
    let signature = sign(draft.message().as_bytes());
    let assertion = with_signature(&draft.message(), &signature);
    text(id, what, &assertion, SIGNATURE).with_jti_of(&draft)
}

/// A row whose signature is an HMAC under something that everybody can know.
fn with_secret(id: &'static str, what: &str, draft: Draft, secret: &[u8]) -> Row {
    let draft = draft.header("alg", "HS256");
    let signature = hmac(secret, draft.message().as_bytes());
    let assertion = with_signature(&draft.message(), &signature);
    text(id, what, &assertion, ALGORITHM).with_jti_of(&draft)
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let server = TestServer::start().await;
    let rsa = caller("rs256");
    let pair = &rsa.key.pair;
    let modulus = pair.rsa().unwrap().n().to_vec();
    let jwk = rsa.key.jwk("rs256-key").to_string();
    let leaf = pki().ca.leaf(|_| {});
    let by_certificate = certified(&leaf.key, &[&leaf.der]);
    let rows = vec![
        with_secret("B02", "PEM", rsa.draft(), &pair.public_key_to_pem().unwrap()),
        with_secret("B02", "DER", rsa.draft(), &pair.public_key_to_der().unwrap()),
        with_secret("B02", "JWK", rsa.draft(), jwk.as_bytes()),
        with_secret("B02", "the modulus", rsa.draft(), &modulus),
        with_secret("B02", "the certificate", by_certificate.draft(), &leaf.der),
        with_secret("B03", "nothing", rsa.draft(), b""),
        with_secret("B03", "the client id", rsa.draft(), b"rs256"),
    ];
    run(&server, rows).await;
}

#[tokio::test]
async fn a_signature_has_its_length_and_is_right() {
    let server = TestServer::start().await;
    let mut rows = Vec::new();
    for name in ["rs256", "ps256", "es256", "es384", "eddsa"] {
        let caller = caller(name);
        let row = |what: &str, change: &dyn Fn(Vec<u8>) -> Vec<u8>| {
            let sign = |message: &[u8]| change(caller.key.sign(message));
            signed("B42", format!("{name}: {what}"), &caller, sign)
        };
        rows.push(row("empty", &|_| Vec::new()));
        rows.push(row("one byte short", &|s| s[..s.len() - 1].to_vec()));
        rows.push(row("one byte long", &|s| [&s[..], &[0]].concat()));
        rows.push(row("a zero before", &|s| [&[0], &s[..]].concat()));
        rows.push(row("all zero", &|s| vec![0; s.len()]));
        rows.push(row("all ones", &|s| vec![0xff; s.len()]));
        rows.push(row("one bit", &|mut s| {
            s[9] ^= 1;
            s
        }));
        rows.push(row("of another text", &|_| caller.key.sign(b"another text")));
    }
    run(&server, rows).await;
}

/// The order of P-256.
const ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

#[tokio::test]
async fn ecdsa_has_one_form() {
    let server = TestServer::start().await;
    let es256 = caller("es256");
    let order = BigNum::from_hex_str(ORDER).unwrap();
    let mut one_less = order.to_owned().unwrap();
    one_less.sub_word(1).unwrap();
    let mut one_more = order.to_owned().unwrap();
    one_more.add_word(1).unwrap();
    let zero = BigNum::new().unwrap();
    let mut rows = Vec::new();
    rows.push(signed("B43", "DER", &es256, |message| {
        let hash = openssl::sha::sha256(message);
        let key = es256.key.pair.ec_key().unwrap();
        EcdsaSig::sign(&hash, &key).unwrap().to_der().unwrap()
    }));
    for (what, number) in [("0", &zero), ("n", &order), ("n - 1", &one_less), ("n + 1", &one_more)]
    {
        let number = number.to_vec_padded(32).unwrap();
        rows.push(signed("B43", format!("r is {what}"), &es256, |message| {
            let signature = es256.key.sign(message);
            [&number[..], &signature[32..]].concat()
        }));
        rows.push(signed("B43", format!("s is {what}"), &es256, |message| {
            let signature = es256.key.sign(message);
            [&signature[..32], &number[..]].concat()
        }));
        rows.push(signed("B43", format!("both are {what}"), &es256, |_| {
            [&number[..], &number[..]].concat()
        }));
    }
    for length in [63, 65] {
        rows.push(signed("B43", format!("{length} octets"), &es256, |message| {
            let mut signature = es256.key.sign(message);
            signature.resize(length, 0);
            signature
        }));
    }
    run(&server, rows).await;
}

#[tokio::test]
async fn the_twin_of_an_ecdsa_signature_is_a_replay() {
    // B44: s and n - s are both right. The twin has the same jti, or else the same signed text.
    let server = TestServer::start().await;
    let draft = caller("es256").draft();
    for draft in [draft.clone(), draft.without_claim("jti")] {
        let message = draft.message();
        let signature = caller("es256").key.sign(message.as_bytes());
        let order = BigNum::from_hex_str(ORDER).unwrap();
        let mut twin = BigNum::new().unwrap();
        twin.checked_sub(&order, &BigNum::from_slice(&signature[32..]).unwrap()).unwrap();
        let twin = [&signature[..32], &twin.to_vec_padded(32).unwrap()].concat();
        assert_eq!(server.ask(&with_signature(&message, &signature)).await.status, 200);
        let row =
            text("B44", "the twin", &with_signature(&message, &twin), invalid_grant("MP-012"));
        run(&server, vec![row]).await;
    }
}

#[tokio::test]
async fn rsa_has_one_padding_for_each_algorithm() {
    let server = TestServer::start().await;
    let (ps256, rs256) = (caller("ps256"), caller("rs256"));
    let sha256 = MessageDigest::sha256();
    let mut rows = Vec::new();
    for (what, mask, salt) in [
        ("no salt", sha256, RsaPssSaltlen::custom(0)),
        ("20 bytes of salt", sha256, RsaPssSaltlen::custom(20)),
        ("33 bytes of salt", sha256, RsaPssSaltlen::custom(33)),
        ("as much salt as there is room", sha256, RsaPssSaltlen::MAXIMUM_LENGTH),
        ("a mask of SHA-1", MessageDigest::sha1(), RsaPssSaltlen::DIGEST_LENGTH),
    ] {
        let sign = |message: &[u8]| ps256.key.sign_pss(sha256, mask, salt, message);
        rows.push(signed("B45", what, &ps256, sign));
    }
    rows.push(signed("B45", "SHA-1 in PKCS #1", &rs256, |message| {
        let mut signer =
            openssl::sign::Signer::new(MessageDigest::sha1(), &rs256.key.pair).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    }));
    for (what, block) in padding_variants() {
        rows.push(signed("B45", what, &rs256, |message| {
            let block = block(&openssl::sha::sha256(message));
            let rsa = rs256.key.pair.rsa().unwrap();
            let mut signature = vec![0; 256];
            rsa.private_encrypt(&block, &mut signature, Padding::NONE).unwrap();
            signature
        }));
    }
    run(&server, rows).await;
    // The same by hand, without a fault, is accepted.
    let draft = rs256.draft();
    let block = padded(&digest_info(&openssl::sha::sha256(draft.message().as_bytes()), true), 1);
    let mut signature = vec![0; 256];
    let rsa = rs256.key.pair.rsa().unwrap();
    rsa.private_encrypt(&block, &mut signature, Padding::NONE).unwrap();
    assert_eq!(server.ask(&with_signature(&draft.message(), &signature)).await.status, 200);
}

/// The `DigestInfo` of SHA-256 (RFC 8017 section 9.2), with or without the NULL of its parameters.
fn digest_info(hash: &[u8], null: bool) -> Vec<u8> {
    let oid = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    let (total, inner, null) = if null { (0x31, 0x0d, &[5, 0][..]) } else { (0x2f, 0x0b, &[][..]) };
    [&[0x30, total, 0x30, inner], &oid[..], null, &[0x04, 0x20], hash].concat()
}

/// A block of 256 bytes: 0, the type, padding, 0 and the content.
fn padded(content: &[u8], block_type: u8) -> Vec<u8> {
    let padding = vec![0xff; 256 - 3 - content.len()];
    [&[0, block_type], &padding[..], &[0], content].concat()
}

type Block = fn(&[u8]) -> Vec<u8>;

/// Blocks that lax readers take for right ones.
fn padding_variants() -> [(&'static str, Block); 7] {
    [
        ("no NULL", |hash| padded(&digest_info(hash, false), 1)),
        ("no DigestInfo", |hash| padded(hash, 1)),
        ("block type 2", |hash| padded(&digest_info(hash, true), 2)),
        ("block type 0", |hash| padded(&digest_info(hash, true), 0)),
        ("short padding and bytes behind", |hash| {
            let start = [&[0, 1][..], &[0xff; 8], &[0], &digest_info(hash, true)].concat();
            [&start[..], &vec![0; 256 - start.len()]].concat()
        }),
        ("a wrong byte in the padding", |hash| {
            let mut block = padded(&digest_info(hash, true), 1);
            block[20] = 0xfe;
            block
        }),
        ("a length in long form", |hash| {
            let mut info = digest_info(hash, true);
            info.splice(1..2, [0x81, 0x31]);
            padded(&info, 1)
        }),
    ]
}

#[tokio::test]
async fn ed25519_is_canonical_and_on_its_curve() {
    let server = TestServer::start().await;
    let eddsa = caller("eddsa");
    // The order of the base point, little-endian (RFC 8032 section 5.1).
    let order =
        BigNum::from_hex_str("1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed")
            .unwrap();
    let mut rows = vec![signed("B46", "S + L", &eddsa, |message| {
        let signature = eddsa.key.sign(message);
        let scalar: Vec<u8> = signature[32..].iter().rev().copied().collect();
        let mut sum = BigNum::new().unwrap();
        sum.checked_add(&BigNum::from_slice(&scalar).unwrap(), &order).unwrap();
        let sum = sum.to_vec_padded(32).unwrap();
        [&signature[..32], &sum.into_iter().rev().collect::<Vec<_>>()].concat()
    })];
    // The identity as R, and 0 as S: right for every text under a key of small order.
    let identity = [&[1][..], &[0; 63]].concat();
    rows.push(signed("B46", "the identity and 0", &eddsa, |_| identity));
    let x448 = openssl::pkey::PKey::generate_ed448().unwrap();
    rows.push(signed("B46", "Ed448", &eddsa, |message| {
        let mut signer = openssl::sign::Signer::new_without_digest(&x448).unwrap();
        signer.sign_oneshot_to_vec(message).unwrap()
    }));
    run(&server, rows).await;
    // Such keys cannot be registered to begin with.
    let actor = crate::harness::server::actor();
    let id = "eddsa".parse().unwrap();
    let x = |bytes: &[u8]| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
    };
    let small = x(&[&[1][..], &[0; 31]].concat());
    let order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    let order_8 = x(&BigNum::from_hex_str(order_8).unwrap().to_vec_padded(32).unwrap());
    for (curve, x, length) in [
        ("Ed25519", &small, 32),
        ("Ed25519", &order_8, 32),
        ("X25519", &small, 32),
        ("Ed448", &small, 57),
    ] {
        let jwk = json!({ "kty": "OKP", "crv": curve, "x": x, "kid": "odd", "alg": "EdDSA" });
        let jwk = jwk.to_string();
        let outcome = server.app.registry.add_client_key(&actor, &id, &jwk, None).await;
        assert!(outcome.is_err(), "{curve} {length}");
    }
}

#[tokio::test]
async fn a_signature_of_the_wrong_kind_of_base64_is_malformed() {
    // B42: with a character that is no base64url, the text is no JWS at all.
    let server = TestServer::start().await;
    let draft = caller("es256").draft();
    let assertion = format!("{}.{}", draft.message(), "!".repeat(86));
    let row = text("B42", "no base64url", &assertion, invalid_request("MP-011"));
    run(&server, vec![row.with_jti_of(&draft)]).await;
}
