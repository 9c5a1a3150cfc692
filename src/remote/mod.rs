//! Other servers: those that this one asks about delegations, each a thin HTTP client behind a trait of the token path;
//! the OpenID providers that say who somebody is; and the server that takes its mail.
//!
//! It stands above [`crate::token`], which so knows neither HTTP nor addresses, and only [`crate::app`] knows that
//! it is there. Whoever is asked has a say over one kind of answer and is trusted with nothing else.
//!
//! Invariants: a request goes to the configured address and nowhere else, so no redirect is followed and no
//! proxy of the environment is used; no more of an answer is read than a constant allows; anything but a
//! well-formed answer to the question asked is [`Refusal::Unavailable`](crate::token::refusal::Refusal). How
//! long an answer is waited for and how many are under way is the business of who asks
//! ([`crate::token::delegation::memory`]).

pub mod delegation_register;
pub mod mail;
pub mod open_id;
mod resolver;
mod server_token;
mod web;

pub use server_token::ServerTokens;
