//! Every operation of the admin listener and who may use it: what the authorization tests run on, and what the
//! OpenAPI document is compared with, so that no operation is in one and not in the other.

use serde_json::Value;

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

/// Every list of operations; each belongs to one table of authorization tests.
const LISTS: [&[Operation]; 2] =
    [super::own::authorization::OPERATIONS, super::own::authorization::PREFIXES];

/// Every operation that has an authorization test.
pub(crate) fn covered() -> Vec<(String, String)> {
    let all = LISTS.iter().flat_map(|list| list.iter());
    all.map(|it| (it.method.to_owned(), it.path.to_owned())).collect()
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
            .replace("{consumer}", CONSUMER)
            .replace("{supplier}", SUPPLIER)
            .replace("{prefix}", "test")
            .replace("{scope}", scope);
        assert!(!path.contains('{'), "nothing is said for a part of {path}");
        format!("{} {path}", self.method)
    }
}
