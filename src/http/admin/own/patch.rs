//! Merge patches (RFC 7396): what is absent stays, `null` takes away what can be taken away.

use serde::{Deserialize, Deserializer};

/// What is to become of a member that a thing can be without.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Patch<T> {
    /// It is taken away.
    Clear,
    /// It stays as it is.
    #[default]
    Leave,
    /// It becomes this.
    Set(T),
}

impl<T> Patch<T> {
    /// Puts the change into effect.
    pub(super) fn apply(self, member: &mut Option<T>) {
        match self {
            Self::Clear => *member = None,
            Self::Leave => {}
            Self::Set(value) => *member = Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(reader)?.map_or(Self::Clear, Self::Set))
    }
}

/// Reads a member that a thing is never without: `null` is no value of it.
pub(super) fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    reader: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(reader).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Edit {
        #[serde(deserialize_with = "given")]
        name: Option<String>,
        note: Patch<String>,
    }

    #[test]
    fn absent_null_and_a_value_are_three_things() {
        let edit = |text| serde_json::from_str::<Edit>(text);
        assert_eq!(edit("{}").unwrap(), Edit::default());
        assert_eq!(edit(r#"{"note":null}"#).unwrap().note, Patch::Clear);
        assert_eq!(edit(r#"{"note":"a"}"#).unwrap().note, Patch::Set("a".to_owned()));
        assert_eq!(edit(r#"{"name":"a"}"#).unwrap().name.as_deref(), Some("a"));
        assert!(edit(r#"{"name":null}"#).is_err());
    }
}
