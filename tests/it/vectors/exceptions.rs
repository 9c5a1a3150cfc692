//! Vectors that are called valid and that we refuse: which, by which rule, and why.

use portvakt::keys::client_jwk::ClientJwkError;
use serde_json::{Value, json};

use crate::vectors::judge::Why;

/// Vectors that we refuse on purpose.
pub(crate) struct Exception {
    /// Their numbers.
    pub(crate) cases: &'static [u64],
    /// Why we do.
    pub(crate) reason: &'static str,
    /// What refuses them.
    pub(crate) refused_by: Why,
    /// Members of the key that, changed like this, would have them accepted; empty when nothing would.
    pub(crate) mended_by: &'static [(&'static str, &'static str)],
    /// What refuses them even then.
    pub(crate) still_refused_by: Option<Why>,
}

const HMAC: &str = "HMAC needs a key that both sides hold; nobody could say who has signed";

/// Of `json_web_signature_test.json`.
pub(crate) const SIGNATURES: &[Exception] = &[
    refused(&[1, 348, 352, 357, 358, 359, 376, 377], HMAC, Why::Key(ClientJwkError::Private)),
    refused(
        &[372, 373],
        "a character that is not of base64url is refused, never skipped",
        Why::Shape,
    ),
    Exception {
        cases: &[345, 349],
        reason: "a key id has no @: it stands in addresses and logs",
        refused_by: Why::Key(ClientJwkError::KeyId),
        mended_by: &[("kid", "bilbo.baggins")],
        still_refused_by: None,
    },
    Exception {
        cases: &[346, 350],
        reason: "the key says PS256 and the signature is PS384: a key is bound to one algorithm",
        refused_by: Why::Key(ClientJwkError::KeyId),
        mended_by: &[("kid", "bilbo.baggins"), ("alg", "PS384")],
        still_refused_by: None,
    },
    Exception {
        cases: &[347, 351],
        reason: "P-521 is not offered: no client uses it",
        refused_by: Why::Key(ClientJwkError::KeyId),
        mended_by: &[("kid", "bilbo.baggins"), ("alg", "ES512")],
        still_refused_by: Some(Why::Key(ClientJwkError::Algorithm)),
    },
];

/// Of `json_web_key_test.json`.
pub(crate) const KEYS: &[Exception] =
    &[refused(&[2, 13, 14, 15], HMAC, Why::Key(ClientJwkError::Private))];

/// Of `json_web_crypto_test.json`.
pub(crate) const CRYPTO: &[Exception] = &[
    refused(&[1, 48], HMAC, Why::Key(ClientJwkError::Private)),
    refused(&[50, 67], "an assertion is signed, not encrypted", Why::Shape),
];

const fn refused(cases: &'static [u64], reason: &'static str, refused_by: Why) -> Exception {
    Exception { cases, reason, refused_by, mended_by: &[], still_refused_by: None }
}

impl Exception {
    /// The key as it would have to be.
    pub(crate) fn mend(&self, jwk: &Value) -> Option<Value> {
        let mut mended = jwk.clone();
        for (name, value) in self.mended_by {
            mended[*name] = json!(value);
        }
        (!self.mended_by.is_empty()).then_some(mended)
    }
}
