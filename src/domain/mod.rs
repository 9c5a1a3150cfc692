//! The nouns of the field. No async, no input or output, no other layer but the clock.
//!
//! An *organization* owns *prefixes*; under a prefix it defines *scopes* (`prefix:subscope`) and
//! grants other organizations *access* to them. An organization's machines are its *clients*; a
//! client proves itself with a registered *client key* or with an enterprise certificate, in an
//! *assertion* that it signs. A *consumer* may *delegate* a scope to a *supplier*, who then fetches
//! tokens on its behalf. Every change of these is a numbered *change* that caches follow.
//!
//! Invariant: a value of a type in this layer is well formed. Text becomes such a value only through
//! `FromStr` or `TryFrom`, which refuse what is not.

pub mod access;
pub mod alert;
pub mod algorithm;
pub mod audit;
pub mod business;
pub mod change;
pub mod client;
pub mod email_address;
pub mod environment;
pub mod european_business;
pub mod excerpt;
pub mod integration;
pub mod json;
pub mod language;
pub mod mail;
pub(crate) mod names;
pub mod network;
pub mod organization;
pub mod organization_identifier;
pub mod prefix;
pub mod prefix_request;
pub mod record;
pub mod refused_request;
pub mod registration;
pub mod remote_url;
pub mod right;
pub mod scope;
pub mod seal;
pub mod sign_in;
pub mod signing_key;
pub mod source;
pub mod step;
pub mod trust;
pub mod usage;
pub mod user;
