//! The examples of RFC 7515, 7520, 7638 and 8037.

use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use portvakt::keys::client_jwk::ClientJwkError;
use serde_json::{Value, json};

use crate::vectors::judge::{self, Why};
use crate::vectors::{folder, read};

/// RFC 7515 appendix A.2.1.
const RSA_MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt\
0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQO\
S-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kz\
k2PAcDTW9gb54h4FRWyuXpoQ";

/// The claims set of RFC 7515 appendix A.
const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

const RS256_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_\
O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB\
_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlV\
mtVrBp0igcN_IoypGlUPQGe77Rw";

const ES256_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// RFC 7515 appendix A.3.1.
fn ec_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    })
}

/// RFC 8037 appendix A.2.
fn ed25519_key() -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
}

/// An example whose signature must be right, and wrong once anything in it is changed.
fn check(jwk: &Value, jws: &str) {
    assert_eq!(judge::signature(jwk, jws), Ok(()));
    judge::check_whole(jwk, jws, jws);
    let (signed, signature) = jws.rsplit_once('.').unwrap();
    let (header, payload) = signed.split_once('.').unwrap();
    let other_signature = format!("{}{}", flip(&signature[..1]), &signature[1..]);
    let other_payload = format!("{}{}", flip(&payload[..1]), &payload[1..]);
    for changed in [
        format!("{signed}.{other_signature}"),
        format!("{header}.{other_payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{signed}."),
    ] {
        assert_eq!(judge::signature(jwk, &changed).err(), Some(Why::Signature), "{changed}");
    }
}

fn flip(character: &str) -> &'static str {
    if character == "A" { "B" } else { "A" }
}

#[test]
fn the_examples_of_jws_verify() {
    let rsa = json!({ "kty": "RSA", "n": RSA_MODULUS, "e": "AQAB" });
    check(&rsa, &format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}.{RS256_SIGNATURE}"));
    check(&ec_key(), &format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}.{ES256_SIGNATURE}"));
}

#[test]
fn the_example_of_edwards_curves_verifies() {
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let jws = format!("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.{signature}");
    check(&ed25519_key(), &jws);
}

#[test]
fn the_examples_of_thumbprints_are_found() {
    let rsa_modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPeb\
WKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c\
7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-\
kEgU8awapJzKnqDKgw";
    let rsa = json!({ "kty": "RSA", "n": rsa_modulus, "e": "AQAB", "alg": "RS256", "kid": "x" });
    for (jwk, expected) in [
        (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (ed25519_key(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        let jwk: Jwk = serde_json::from_value(jwk).unwrap();
        assert_eq!(jwk.thumbprint(ThumbprintHash::SHA256).unwrap(), expected);
    }
}

#[test]
fn the_examples_of_the_cookbook_verify_except_the_curve_that_is_not_offered() {
    let Some(folder) = folder() else { return };
    for (file, offered) in [
        ("rfc7520/jws/4_1.rsa_v15_signature.json", true),
        ("rfc7520/jws/4_2.rsa-pss_signature.json", true),
        ("rfc7520/jws/4_3.ecdsa_signature.json", false),
        ("rfc7520/curve25519/jws.json", true),
    ] {
        let example = read(&folder.join(file));
        let jws = example["output"]["compact"].as_str().unwrap();
        let mut jwk = example["input"]["key"].clone();
        let private = judge::signature(&jwk, jws).err();
        assert_eq!(private, Some(Why::Key(ClientJwkError::Private)), "{file}");
        // The public half, with an id that may stand in addresses.
        let members = jwk.as_object_mut().unwrap();
        members.retain(|name, _| ["kty", "crv", "n", "e", "x", "y", "use"].contains(&&**name));
        if offered {
            check(&jwk, jws);
        } else {
            let refused = judge::signature(&jwk, jws).err();
            assert_eq!(refused, Some(Why::Key(ClientJwkError::Algorithm)), "{file}");
        }
        let flat = example["output"]["json_flat"].to_string();
        assert_eq!(judge::signature(&jwk, &flat).err(), Some(Why::Shape), "{file}");
    }
}
