//! Other servers: those that this one asks about delegations, each a thin HTTP client behind a trait of the token path;
//! those that publish revocation lists, or tell whether a certificate is revoked; the OpenID providers that say who somebody is; and the server that takes its mail.
//!
//! It stands above [`crate::token`], which so knows neither HTTP nor addresses, and only [`crate::app`] knows that
//! it is there. Whoever is asked has a say over one kind of answer and is trusted with nothing else.
//!
//! Invariants: every HTTP request goes through [`outbound`], which holds to what hosts and addresses it goes and how
//! much of an answer is read; anything but a well-formed answer to the question asked is
//! [`Refusal::Unavailable`](crate::token::refusal::Refusal). How long an answer about a delegation is waited for
//! and how many are under way is the business of who asks ([`crate::token::delegation::memory`]).

pub mod delegation_register;
pub mod mail;
pub mod ocsp;
pub mod open_id;
pub mod outbound;
pub mod revocation_list;
mod server_token;

pub use server_token::ServerTokens;
