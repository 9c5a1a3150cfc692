//! Reading and judging certificates and public keys.
//!
//! A client of this server proves itself by a signature. Its key is either registered, and then comes
//! here as numbers, or certified, and then comes as a certificate with those of the authorities above
//! it. Either way the layers above get a [`public_key::PublicKey`]: strong enough, and bound to one
//! algorithm.
//!
//! # A chain, step by step
//!
//! 1. It is read ([`chain`]): one to six certificates of at most 8 KiB, DER to the last bit, version 3,
//!    each readable by both parsers, each the issuer of the one before by name. What one program
//!    could read otherwise than another is refused here (RFC 5280 section 4.1 and 4.2).
//! 2. A path is sought (`path`) from the leaf to a configured anchor, through configured
//!    intermediates and what the client sent. Signatures by accepted algorithms only, validity at the
//!    given moment, names, basicConstraints, path length and name constraints are judged on the way
//!    (RFC 5280 section 6.1.3 (a) to (c), 6.1.4 (g) to (m)).
//! 3. Each complete path is asked the questions of `checks`, in this order:
//!    - *full chain*: for seals of any country, that the client sent every certificate below the anchor;
//!    - *validity* of every certificate, both ends inside, without skew;
//!    - *anchor*: in force itself, and not presented as a leaf;
//!    - *basic constraints*: the leaf is no authority, not self-signed, and has a key of its own;
//!    - *key usage*: the leaf signs, authorities sign certificates (6.1.4 (n));
//!    - *extended key usage*: the leaf's, if it has any, include a configured one; an intermediate's,
//!      if it has any, include a configured one or "any";
//!    - *policy*: the leaf is issued under a configured one, and no intermediate above excludes it;
//!    - *key strength* of every key, the anchor's too ([`strength`]);
//!    - *signature algorithms* of every certificate below the anchor;
//!    - *revocation* of every certificate below the anchor, by all lists of its issuer (6.3) and, where responders are
//!      asked, by what they have told ([`ocsp`]);
//!    - *organization*: the number in the leaf's subject ([`subject`]), or, for seals of any country, the
//!      identifier there, and that the certificate is one for seals (`seal`).
//! 4. The first path that passes all of them is the answer; otherwise the first path found says why
//!    not. The server stops at the first refusal, a report asks on; both run the same functions.
//!
//! # What is not done, and why
//!
//! * Policy mapping, inhibitAnyPolicy and policyConstraints (6.1.4 (a), (b), (i), (j)): where they are
//!   critical, as RFC 5280 demands, the chain is refused. An intermediate without any policies
//!   does not exclude the leaf's.
//! * Constraints on directory names: a path with them is refused.
//! * Indirect and reason-partitioned revocation lists: they may revoke, where that is unambiguous,
//!   but never clear. Lists are read in this layer, and fetched in others.
//! * OCSP beyond what is asked about one certificate: answers that several certificates share, and that servers staple.
//!   Questions are made and answers judged and kept in [`ocsp`]; others carry them.
//! * A list counts only if it is signed with the very key that signed the certificate: an authority
//!   with a separate key for lists, or a new key, must sign lists with each of its keys.
//! * Names are compared byte for byte, not by the rules of section 7.1: authorities that are accepted
//!   here write their names one way.
//! * Nothing is read from common names, alternative names or printed forms of a name.
//!
//! # Invariants
//!
//! * A [`trust_set::VerifiedChain`] exists only if every check passed; a [`public_key::PublicKey`] only
//!   if its key passed the strength rules.
//! * No function here reads a clock, a file or a socket, and no input makes one panic.
//! * The outcome depends on no order but that of the configuration.

mod authorities;
pub mod certificate;
pub mod chain;
mod checks;
pub mod crl;
pub mod der;
pub mod describe;
mod edwards;
pub mod error;
mod judge;
pub mod ocsp;
mod path;
mod pem;
pub mod pem_key;
pub mod public_key;
pub mod revocation;
mod seal;
mod signature;
mod source;
pub mod spki;
pub mod strength;
pub mod subject;
mod summary;
#[cfg(test)]
mod tests;
pub mod trust_set;
