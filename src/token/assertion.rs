//! Step 5: from an assertion that only has the right shape to one that the client has signed.

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};

use crate::clock::Timestamp;
use crate::domain::client::ClientId;
use crate::domain::json::Json;
use crate::pki::public_key::PublicKey;
use crate::store::SpentId;
use crate::token::claims::{Grant, GrantRules};
use crate::token::jws::{Said, UnverifiedAssertion};
use crate::token::refusal::Refusal;

/// An assertion with a right signature. Only [`UnverifiedAssertion::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedAssertion<'a> {
    signed: &'a [u8],
    said: Arc<Said>,
}

/// What identifies an assertion among all that can still be used.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ReplayId(pub(super) SpentId);

impl ReplayId {
    /// What identifies the answer to one question to an OpenID provider, by the `state` of the question.
    pub fn of_state(state: &str) -> Self {
        // Not the id of a client, which is never empty.
        Self::of("", 3, state.as_bytes())
    }

    fn of(owner: &str, kind: u8, unique: &[u8]) -> Self {
        let mut hash = Context::new(&SHA256);
        // A client id has no NUL, so the frame is unambiguous.
        hash.update(owner.as_bytes());
        hash.update(&[0, kind]);
        hash.update(unique);
        let mut id = [0; 32];
        id.copy_from_slice(hash.finish().as_ref());
        Self(id)
    }
}

impl<'a> UnverifiedAssertion<'a> {
    /// The id of the client that it claims to be from (`iss`).
    pub fn claimed_client(&self) -> Result<&str, Refusal> {
        let iss = self.said.claims.member("iss").and_then(Json::as_str);
        let iss = iss.filter(|iss| !iss.is_empty());
        let expected = "it must be the id of the client, as a text";
        iss.ok_or(Refusal::Claim { name: "iss", expected })
    }

    /// Whether the signature is of that key, whoever that belongs to.
    pub(super) fn is_signed_with(&self, key: &PublicKey) -> bool {
        key.algorithm() == self.said.algorithm && key.verify(self.signed, &self.signature).is_ok()
    }

    /// Checks the signature. The key is used with the one algorithm it is bound to, which the header
    /// must name (RFC 8725 section 3.1).
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedAssertion<'a>, Refusal> {
        let (registered, said) = (key.algorithm(), self.said.algorithm);
        if registered != said {
            return Err(Refusal::AlgorithmOfKey { registered, said });
        }
        key.verify(self.signed, &self.signature).map_err(|_| Refusal::Signature)?;
        Ok(VerifiedAssertion { signed: self.signed, said: self.said })
    }
}

impl VerifiedAssertion<'_> {
    /// Checks what it says.
    pub fn check(&self, rules: &GrantRules, now: Timestamp) -> Result<Grant, Refusal> {
        Grant::check(&self.said.claims, rules, now)
    }

    /// What may be spent once: the client's `jti`, or else what the signature is over. Not the signature
    /// itself, because an ECDSA signature has a twin that is just as right.
    pub fn replay_id(&self, client: &ClientId, grant: &Grant) -> ReplayId {
        let (kind, unique) = match &grant.jti {
            Some(jti) => (1_u8, jti.as_bytes()),
            None => (2_u8, self.signed),
        };
        ReplayId::of(client.as_str(), kind, unique)
    }
}
