//! Every operation of the admin listener and who may use it: what the authorization tests run on, and what the
//! `OpenAPI` document is compared with, so that no operation is in one and not in the other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::admin::{compatible, own};
use crate::harness::{CONSUMER, SUPPLIER};

/// Who may use an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Needs {
    /// Whoever has a token.
    AnyToken,
    /// Everybody.
    Nothing,
    /// A token with this scope.
    Right(&'static str),
}

/// An operation.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The address, as the document has it.
    pub(crate) path: &'static str,
    pub(crate) needs: Needs,
    /// What whoever may is answered.
    pub(crate) good: u16,
    /// What another organization is answered that has every right but the operator's.
    pub(crate) other: u16,
    /// A good body.
    pub(crate) body: fn() -> Value,
}

/// The method and the address of every operation that has an authorization test, with or without values for its
/// variable parts. Each list belongs to one table of tests.
pub(crate) fn covered() -> Vec<String> {
    let listed =
        [own::authorization::OPERATIONS, own::authorization::PREFIXES].into_iter().flatten();
    let listed = listed.map(|it| format!("{} {}", it.method, it.path));
    let compatible = compatible::rights::lines().into_iter();
    listed.chain(own::rights::lines()).chain(compatible).collect()
}

/// The operation of the document that a method and an address belong to: the one of exactly this address, or one
/// whose variable parts could have these values.
pub(crate) fn operation_of<'a>(line: &str, documented: &'a BTreeSet<String>) -> Option<&'a String> {
    let line = line.split('?').next().unwrap_or_default();
    let fits = |known: &&String| {
        let mut parts = known.split('/').zip(line.split('/'));
        known.split('/').count() == line.split('/').count()
            && parts.all(|(part, value)| part == value || part.starts_with('{'))
    };
    documented.get(line).or_else(|| documented.iter().find(fits))
}

/// Things of the consumer that the variable parts of addresses name.
pub(crate) struct Things {
    pub(crate) client: String,
    pub(crate) kid: String,
    pub(crate) trace_id: String,
}

impl Operation {
    /// The method and the address, for these things.
    pub(crate) fn line(&self, things: &Things) -> String {
        let scope =
            if self.path.contains("/delegations/") { "test%3Adelegated" } else { "test%3Awrite" };
        let path = self
            .path
            .replace("{client_id}", &things.client)
            .replace("{kid}", &things.kid)
            .replace("{trace_id}", &things.trace_id)
            .replace("{organization}", CONSUMER)
            .replace("{consumer}", CONSUMER)
            .replace("{supplier}", SUPPLIER)
            .replace("{prefix}", "test")
            .replace("{scope}", scope);
        assert!(!path.contains('{'), "nothing is said for a part of {path}");
        format!("{} {path}", self.method)
    }
}
