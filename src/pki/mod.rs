//! Reading and judging certificates and public keys.

mod der;
mod edwards;
pub mod public_key;
mod spki;
pub mod strength;
