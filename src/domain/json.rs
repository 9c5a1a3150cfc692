//! JSON read strictly: what two readers could understand differently is refused.
//!
//! An object with a repeated member is refused (RFC 7515 section 4, RFC 7519 section 4), as are bytes
//! after the value, deep nesting and objects with absurdly many members. Numbers that are not integers
//! are kept apart, because no claim that is judged may have one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// The deepest nesting; the deepest claim in use, `authorization_details`, has six levels.
const DEPTH_MAX: usize = 16;

/// The most members of one object; the busiest claims set in use has about fifteen.
const MEMBERS_MAX: usize = 256;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `[...]`
    Array(Vec<Json>),
    /// `true` or `false`
    Bool(bool),
    /// A number without fraction and exponent that fits.
    Integer(i64),
    /// `null`
    Null,
    /// `{...}`
    Object(JsonObject),
    /// Any other number.
    Other(f64),
    /// `"..."`
    String(String),
}

/// The members of a JSON object, each name once, in the order written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject(Vec<(String, Json)>);

/// The bytes are not strict JSON.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("not one JSON object in UTF-8 with each member once")]
pub struct JsonError;

impl JsonObject {
    /// Reads bytes that must be one object and nothing else.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = AtDepth(0).deserialize(&mut reader).map_err(|_| JsonError)?;
        reader.end().map_err(|_| JsonError)?;
        match value {
            Json::Object(object) => Ok(object),
            _ => Err(JsonError),
        }
    }

    /// The member of that name.
    pub fn member(&self, name: &str) -> Option<&Json> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names of all members.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl Json {
    /// The text, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// Reads a value at a depth.
struct AtDepth(usize);

impl<'de> DeserializeSeed<'de> for AtDepth {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Json, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AtDepth {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number this large is only ever refused")]
    #[expect(clippy::as_conversions, reason = "a number this large is only ever refused")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Other(value as f64), Json::Integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Other(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(AtDepth(inner))? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let inner = self.deeper()?;
        let mut object = JsonObject::default();
        while let Some(name) = members.next_key::<String>()? {
            if object.member(&name).is_some() {
                return Err(A::Error::custom("a member twice"));
            }
            if object.0.len() == MEMBERS_MAX {
                return Err(A::Error::custom("too many members"));
            }
            let value = members.next_value_seed(AtDepth(inner))?;
            object.0.push((name, value));
        }
        Ok(Json::Object(object))
    }
}

impl AtDepth {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.0 == DEPTH_MAX { Err(E::custom("nested too deep")) } else { Ok(self.0 + 1) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_an_object_in_order() {
        let object = JsonObject::parse(br#" {"a":1,"b":[true,null,"x"],"c":{"d":1.5}} "#).unwrap();
        assert_eq!(object.names().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(object.member("a"), Some(&Json::Integer(1)));
        assert_eq!(object.member("e"), None);
    }

    #[test]
    fn refuses_what_two_readers_could_understand_differently() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
        let deeper = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let members: Vec<String> = (0..50_000).map(|i| format!("\"{i}\":1")).collect();
        let many = format!("{{{}}}", members.join(","));
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            "[]",
            "\"x\"",
            "1",
            "null",
            "",
            "{",
            "{} {}",
            "{}x",
            "\u{feff}{}",
            "{a:1}",
            "{'a':1}",
            r#"{"a":1,}"#,
            r#"{"a":1}//"#,
            r#"{"a":NaN}"#,
            r#"{"a":01}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":1.}"#,
            r#"{"a":0x10}"#,
            r#"{"a":1E400}"#,
            "{\"a\":\"\n\"}",
            r#"{"a":"\ud800"}"#,
            &deep,
            &deeper,
            &many,
        ] {
            assert_eq!(JsonObject::parse(text.as_bytes()), Err(JsonError), "{text:.60}");
        }
        assert_eq!(JsonObject::parse(b"{\"a\":\"\xff\"}"), Err(JsonError));
        let utf16: Vec<u8> = "{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(JsonObject::parse(&utf16), Err(JsonError));
    }

    #[test]
    fn numbers_that_are_no_integers_stand_apart() {
        for text in ["1.0", "1e3", "-0", "99999999999999999999", "18446744073709551615"] {
            let object = JsonObject::parse(format!("{{\"a\":{text}}}").as_bytes()).unwrap();
            assert!(matches!(object.member("a"), Some(Json::Other(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = JsonObject::parse(&bytes);
        }

        #[test]
        fn what_it_accepts_serde_json_accepts_too(text in "[{}\\[\\]\",:a0-9.e-]{0,40}") {
            if JsonObject::parse(text.as_bytes()).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
