//! Portvakt ("gate guard"): an authorization server for organization-to-organization APIs.
//!
//! A machine of one organization asks for a token to call the API of another. It proves who it is by signing
//! an *assertion* with its enterprise certificate or a registered key; the server checks the assertion,
//! decides whether the machine's organization has *access* to the *scope* it asks for, makes sure that the
//! assertion is used once, and signs a short-lived *access token* that the API can verify on its own.
//!
//! # The map
//!
//! A folder is a layer. A layer imports only layers below it in this list, and `tests/architecture.rs` holds
//! it to that. Data flows the same way: a request comes in at the top, a decision comes back up.
//!
//! | Layer | What it is |
//! |-|-|
//! | [`cli`] | the commands; starting and stopping; the client side |
//! | [`http`] | requests in, answers out; the only place with status codes |
//! | [`app`] | everything a request needs, built once from the configuration |
//! | [`telemetry`] | logs and metrics |
//! | [`registry`] | the control plane: every change, its audit row, its row in the change feed |
//! | [`remote`] | other servers: registers of delegations that are asked, the one that takes mail |
//! | [`token`] | the token path: ten steps from assertion to access token |
//! | [`keys`] | our signing keys, and the keys that clients register |
//! | [`pki`] | enterprise certificates: paths, profiles, revocation, key strength |
//! | [`store`] | SQL |
//! | [`config`] | what the operator has written, read once into checked values |
//! | [`domain`] | the nouns, and JSON read strictly |
//! | [`clock`] | time and randomness, as arguments |
//!
//! # How one request travels
//!
//! [`http`] reads the form and calls [`token::Issuer::issue`], which reads like the list of checks it is. When
//! the caches are warm nothing on the way reads the database; the one write is the spent assertion, and it is
//! durable before anything is signed. A change made through [`registry`] holds for the next request on the same
//! node, and on others as soon as they have read the change feed ([`token::feed`]).
//!
//! Start reading at [`token`], then [`token::issue`].
#![warn(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr
)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop"))]

// What no fuzz target reaches is not built for them, because it takes four fifths of the time of their build.
#[cfg(not(fuzzing))]
pub mod cli;
pub mod http;

pub mod app;
pub mod telemetry;

pub mod registry;
pub mod remote;
pub mod token;

pub mod keys;
pub mod pki;
pub mod store;

pub mod config;
pub mod domain;

pub mod clock;
