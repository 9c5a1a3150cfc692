//! Attacks on a running server, from outside: what must be refused, and how, and what must still work.
//!
//! The attacks are numbered: A framing and form, B the JWS, C claims, D certificates, F replay, K what
//! leaks, L load. Each number is a row of a table in [`attacks`]; control rows that must succeed stand
//! beside those that must not.

mod attacks;
mod harness;
