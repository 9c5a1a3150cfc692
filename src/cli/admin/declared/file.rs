//! The file of a declared set: the members of the admin API, in TOML.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::cli::failure::Failure;
use crate::cli::input;
use crate::clock::Timestamp;
use crate::domain::right::Right;

/// What there shall be. A kind that is `None` is not mentioned.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Declared {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prefix: Option<Vec<DeclaredPrefix>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scope: Option<Vec<DeclaredScope>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access: Option<Vec<DeclaredAccess>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delegation: Option<Vec<DeclaredDelegation>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Vec<DeclaredClient>>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredPrefix {
    pub(super) prefix: String,
    pub(super) organization: String,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredScope {
    pub(super) scope: String,
    pub(super) description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) long_description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) visibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) accessible_for_all: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) allowed_integration_types: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) token_lifetime_seconds_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delegation_source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) issued_in_outage: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) supports_european_businesses: Option<bool>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredAccess {
    pub(super) scope: String,
    pub(super) consumer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredDelegation {
    pub(super) consumer: String,
    pub(super) supplier: String,
    pub(super) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) valid_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) valid_to: Option<String>,
}

#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DeclaredClient {
    pub(super) organization: String,
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) integration_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) access_token_lifetime: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) scopes: Option<Vec<String>>,
}

impl Declared {
    /// Reads a file, in which everything is known and stands once.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |problem: String| Failure::usage(format!("{}: {problem}", path.display()));
        let declared: Self =
            toml::from_str(&input::read_text(path)?).map_err(|error| wrong(error.to_string()))?;
        match declared.repeated() {
            Some(repeated) => Err(wrong(format!("{repeated} is declared twice"))),
            None => Ok(declared),
        }
    }

    /// The first thing that is declared twice.
    fn repeated(&self) -> Option<String> {
        let prefixes = self.prefix.iter().flatten().map(|it| format!("prefix {}", it.prefix));
        let scopes = self.scope.iter().flatten().map(|it| format!("scope {}", it.scope));
        let accesses = self.access.iter().flatten();
        let accesses = accesses.map(|it| format!("access {} {}", it.scope, it.consumer));
        let delegations = self.delegation.iter().flatten();
        let delegations = delegations
            .map(|it| format!("delegation {} {} {}", it.consumer, it.supplier, it.scope));
        let clients = self.client.iter().flatten().map(|it| match &it.client_id {
            Some(id) => format!("client {id}"),
            None => format!("client {} \"{}\"", it.organization, it.name),
        });
        let all = prefixes.chain(scopes).chain(accesses).chain(delegations).chain(clients);
        let mut names: Vec<String> = all.collect();
        names.sort();
        names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].clone())
    }

    /// The rights that are needed to look at what is declared.
    pub(super) fn rights_to_read(&self) -> Vec<Right> {
        let mut rights = Vec::new();
        if self.prefix.is_some() || self.scope.is_some() || self.access.is_some() {
            rights.push(Right::ReadScopes);
        }
        if self.delegation.is_some() || self.client.is_some() || rights.is_empty() {
            rights.push(Right::ReadClients);
        }
        rights
    }

    /// Whether a scope is under a prefix that the file names.
    pub(super) fn names_prefix_of(&self, scope: &str) -> bool {
        let prefix = scope.split_once(':').map(|(prefix, _)| prefix);
        self.prefix.iter().flatten().any(|it| Some(it.prefix.as_str()) == prefix)
    }
}

/// The declared members of a thing but those that name it, in the words of the API: what is cleared is null.
pub(super) fn wanted(declared: &impl Serialize, names: &[&str]) -> Map<String, Value> {
    let Ok(Value::Object(members)) = serde_json::to_value(declared) else { return Map::new() };
    let members = members.into_iter().filter(|(name, _)| !names.contains(&name.as_str()));
    members.map(|(name, value)| (name, if clears(&value) { Value::Null } else { value })).collect()
}

fn clears(value: &Value) -> bool {
    value.as_str() == Some("") || value.as_u64() == Some(0)
}

/// Whether both mean the same: times may be written in several ways, and lists in any order.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, other) | (other, Value::Null) => other.is_null() || clears(other),
        (Value::String(a), Value::String(b)) => {
            let times = (Timestamp::from_rfc3339(a), Timestamp::from_rfc3339(b));
            a == b || matches!(times, (Some(a), Some(b)) if a == b)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().all(|item| b.contains(item))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Declared, Failure> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Declared::read(file.path())
    }

    #[test]
    fn the_example_declares_every_kind_and_is_read_again_as_it_was_written() {
        let example = read(include_str!("../../../../config/declared.example.toml")).unwrap();
        assert!(example.prefix.is_some() && example.scope.is_some() && example.access.is_some());
        assert!(example.delegation.is_some() && example.client.is_some());
        assert_eq!(read(&toml::to_string(&example).unwrap()).unwrap(), example);
    }

    #[test]
    fn what_is_not_known_or_declared_twice_is_refused_with_its_place() {
        let failure = read("[[access]]\nscope = \"a:b\"\nconsumr = \"1\"\n").unwrap_err();
        assert!(failure.message.contains("line 3") && failure.exit.code() == 2, "{failure}");
        let once = "[[access]]\nscope = \"a:b\"\nconsumer = \"1\"\n";
        assert!(read(&once.repeat(2)).unwrap_err().message.contains("access a:b 1 is declared"));
    }

    #[test]
    fn the_same_is_the_same_however_it_is_written() {
        let later = json!("2027-06-30T14:00:00+02:00");
        assert!(is_same(&later, &json!("2027-06-30T12:00:00Z")));
        assert!(is_same(&json!(["a", "b"]), &json!(["b", "a"])));
        assert!(is_same(&Value::Null, &json!("")));
        assert!(!is_same(&json!("a"), &Value::Null));
        assert!(!is_same(&json!(["a"]), &json!(["b"])));
        assert!(!is_same(&later, &json!("soon")));
    }
}
