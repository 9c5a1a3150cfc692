//! What the tables of attacks are run with: a server, a client of which every byte can be chosen, chains of
//! certificates in which every detail can be spoilt, and the rules that every refusal keeps.

pub(crate) mod admin;
pub(crate) mod browser;
pub(crate) mod caller;
pub(crate) mod chain;
pub(crate) mod clock;
pub(crate) mod der;
pub(crate) mod http;
pub(crate) mod load;
pub(crate) mod logs;
pub(crate) mod mark;
pub(crate) mod place;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod published;
pub(crate) mod queries;
pub(crate) mod random;
pub(crate) mod row;
pub(crate) mod server;
pub(crate) mod smtp;
pub(crate) mod sql;

/// Who the test servers say they are. No address of this name is ever listened on.
pub(crate) const ISSUER: &str = "https://as.test/";

/// Owns the scopes.
pub(crate) const PROVIDER: &str = "310000108";

/// Has been granted them; most clients are its.
pub(crate) const CONSUMER: &str = "310000116";

/// Acts for the consumer.
pub(crate) const SUPPLIER: &str = "310000124";
