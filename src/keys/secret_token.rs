//! Tokens that let a person in: of a session, in a cookie, and of a link, in a mail. What is kept of them is a hash,
//! so that whoever reads the database gets in nowhere.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::clock::Random;

/// Random bytes of a token: nobody guesses 256 bits.
const TOKEN_BYTES: usize = 32;

/// The text is not a token of ours.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("it is not a token of this server: 43 characters of base64url")]
pub struct SecretTokenError;

/// Makes a kind of token that cannot be taken for another.
macro_rules! secret_token {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// A new one.
            pub fn generate(random: &dyn Random) -> Self {
                let mut bytes = Zeroizing::new([0; TOKEN_BYTES]);
                random.fill(bytes.as_mut());
                Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_ref())))
            }

            /// The token, 43 characters of base64url.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What is kept of it. It is looked up by this hash, so no comparison tells how much of a guess is right.
            pub fn hash(&self) -> String {
                hash_of(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = SecretTokenError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let bytes = URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new);
                match bytes {
                    Ok(bytes) if bytes.len() == TOKEN_BYTES => {
                        Ok(Self(Zeroizing::new(text.to_owned())))
                    }
                    _ => Err(SecretTokenError),
                }
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(not shown)"))
            }
        }
    };
}

secret_token!(
    /// What the cookie of somebody who is signed in holds.
    SessionToken
);
secret_token!(
    /// What a link in a mail holds.
    LinkToken
);

/// The hash under which a secret is kept that cannot be guessed.
pub(super) fn hash_of(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_token_is_43_characters_and_shows_itself_to_nobody() {
        let token = SessionToken::generate(&SystemRandom);
        assert_eq!(token.as_str().len(), 43);
        let read: SessionToken = token.as_str().parse().unwrap();
        assert_eq!(read.hash(), token.hash());
        assert_ne!(token.hash(), token.as_str());
        assert_eq!(format!("{token:?}"), "SessionToken(not shown)");
        let text = token.as_str();
        for wrong in ["", &text[1..], &format!("{text}A"), &format!("{}=", &text[1..]), "a b"] {
            assert!(wrong.parse::<LinkToken>().is_err(), "{wrong}");
        }
    }
}
