//! Reading and judging certificates and public keys.

pub mod certificate;
pub mod chain;
mod checks;
pub mod crl;
pub mod der;
pub mod describe;
mod edwards;
pub mod error;
mod path;
mod pem;
pub mod public_key;
mod revocation;
mod signature;
mod source;
mod spki;
pub mod strength;
mod subject;
#[cfg(test)]
mod tests;
pub mod trust_set;
