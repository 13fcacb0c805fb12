//! A tree to typed settings, with the place of whatever does not fit.
//!
//! A serde deserializer over [`Node`]: the target type decides how a scalar is read, `deny_unknown_fields`
//! and missing keys come back as facts rather than sentences, and each mistake carries the origin of
//! the node it was found at. Secrets are known here by their type ([`super::secret::SecretRef`]): only
//! the place of a secret passes, never a value. Does not check ranges or rules between values.

use super::error::ConfigError;
use super::fault::Fault;
use super::keys::Keys;
use super::node::{Node, Origin, Reading, Scalar, Value};
use super::path::KeyPath;
use super::secret::{SECRET_TYPE, SecretSource};
use super::source::Source;
use serde::de::value::StrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor,
};
use std::fmt;

/// A mistake and the origin of the node it stands at.
#[derive(Debug, Clone)]
pub struct Mistake {
    fault: Fault,
    /// Segments from the mistake outwards.
    reversed: Vec<String>,
    origin: Option<Origin>,
}

impl Mistake {
    pub(super) fn new(fault: Fault) -> Self {
        Self { fault, reversed: Vec::new(), origin: None }
    }

    pub(super) fn at(mut self, origin: &Origin) -> Self {
        self.origin.get_or_insert_with(|| origin.clone());
        self
    }

    pub(super) fn under(mut self, segment: &str) -> Self {
        self.reversed.push(segment.to_owned());
        self
    }

    /// The key it concerns.
    #[must_use]
    pub fn path(&self) -> KeyPath {
        KeyPath::new(self.reversed.iter().rev().cloned())
    }

    /// Fact and origin.
    #[must_use]
    pub fn into_parts(self) -> (Fault, Option<Origin>) {
        (self.fault, self.origin)
    }

    /// As an error about a tree that came from `source` alone.
    #[must_use]
    pub fn in_source(self, source: &Source) -> ConfigError {
        let path = self.path();
        let at = match self.origin {
            Some(Origin::File(at)) => at,
            _ => super::position::Position::START,
        };
        source.error(self.fault, at, path)
    }
}

impl std::error::Error for Mistake {}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl de::Error for Mistake {
    fn custom<T: fmt::Display>(message: T) -> Self {
        let fault = Fault::Rule {
            code: "bad_value",
            problem: message.to_string(),
            advice: "see config/example.yaml for the form of this value".into(),
        };
        Self::new(fault)
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::new(Fault::WrongType {
            expected: expectation(&expected.to_string()),
            found: unexpected(&found),
        })
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownValue { found: variant.to_owned(), known: owned(expected) })
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::new(Fault::UnknownKey { key: field.to_owned(), known: owned(expected) })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(Fault::MissingKey { key: field.to_owned() }).under(field)
    }
}

/// Turns a tree into a type.
///
/// # Errors
/// The first mistake met.
pub fn decode<T: DeserializeOwned>(root: &Node) -> Result<T, Mistake> {
    T::deserialize(NodeDe { node: root, key_origin: None }).map_err(|mistake| mistake.at(&root.origin))
}

/// What a value is, in words for an operator.
#[must_use]
pub fn describe(value: &Value) -> String {
    match value {
        Value::Map(_) => "keys and values".into(),
        Value::List(_) => "a list".into(),
        Value::Scalar(Scalar { reading, raw }) => match reading {
            Reading::Null => "nothing".into(),
            Reading::Text => format!("the text `{}`", shortened(raw)),
            Reading::Oversized => format!("{} (beyond 64 bits)", shortened(raw)),
            Reading::Bool(_) | Reading::Unsigned(_) | Reading::Signed(_) | Reading::Float(_) => {
                shortened(raw)
            }
        },
    }
}

fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() {
        shown.push_str("...");
    }
    shown
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn words_of(expected: &dyn de::Expected) -> String {
    expected.to_string()
}

/// serde's type names in an operator's words.
fn expectation(name: &str) -> String {
    match name {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, zero or more".into(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "a boolean" => "true or false".into(),
        "a string" | "path string" => "a text".into(),
        name if name.starts_with("struct ") || name == "a map" => "keys and values".into(),
        other => other.to_owned(),
    }
}

fn unexpected(found: &Unexpected<'_>) -> String {
    match found {
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => value.to_string(),
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Str(text) => format!("the text `{}`", shortened(text)),
        Unexpected::Map => "keys and values".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Unit => "nothing".into(),
        other => other.to_string(),
    }
}

/// Reads one node.
pub(super) struct NodeDe<'a> {
    pub(super) node: &'a Node,
    /// Who wrote the key; nobody for the root and for list elements.
    pub(super) key_origin: Option<&'a Origin>,
}

impl<'a> NodeDe<'a> {
    fn wrong<T>(&self, expected: &str) -> Result<T, Mistake> {
        let expected = expectation(expected);
        Err(Mistake::new(Fault::WrongType { expected, found: describe(&self.node.value) })
            .at(&self.node.origin))
    }

    fn keys(
        &self,
        fields: &'static [&'static str],
        expected: &dyn de::Expected,
    ) -> Result<Keys<'a>, Mistake> {
        let entries: Vec<_> = match &self.node.value {
            Value::Map(map) => map.iter().collect(),
            // `section:` with every key commented out means the defaults.
            Value::Scalar(scalar) if scalar.reading == Reading::Null && scalar.raw.is_empty() => Vec::new(),
            _ => return self.wrong(&words_of(expected)),
        };
        Ok(Keys::new(entries, fields))
    }
}

macro_rules! scalars {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
            self.deserialize_any(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for NodeDe<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let origin = &self.node.origin;
        let result = match &self.node.value {
            Value::Map(_) => return self.deserialize_map(visitor),
            Value::List(items) => visitor.visit_seq(Items { items: items.iter().enumerate() }),
            Value::Scalar(scalar) => match scalar.reading {
                Reading::Null => visitor.visit_unit(),
                Reading::Bool(value) => visitor.visit_bool(value),
                Reading::Unsigned(value) => visitor.visit_u64(value),
                Reading::Signed(value) => visitor.visit_i64(value),
                Reading::Float(value) => visitor.visit_f64(value),
                Reading::Oversized => {
                    let expected = words_of(&visitor);
                    return self.wrong(&expected);
                }
                Reading::Text => visitor.visit_borrowed_str(&scalar.raw),
            },
        };
        result.map_err(|mistake| mistake.at(origin))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.reading != Reading::Null => visitor
                .visit_borrowed_str(&scalar.raw)
                .map_err(|mistake: Mistake| mistake.at(&self.node.origin)),
            _ => {
                let expected = words_of(&visitor);
                self.wrong(&expected)
            }
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        if self.node.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        if name != SECRET_TYPE {
            return visitor.visit_newtype_struct(self);
        }
        // A secret in the file is refused even where a variable overrides it: it is still in the file.
        match (self.key_origin, &self.node.origin, &self.node.value) {
            (Some(Origin::Env(_)), Origin::Env(variable), Value::Scalar(_)) => {
                visitor.visit_string(SecretSource::env_token(variable))
            }
            (Some(key @ Origin::File(_)), Origin::Env(_) | Origin::Flag(_), _) => {
                Err(Mistake::new(Fault::InlineSecret).at(key))
            }
            (_, origin, _) => Err(Mistake::new(Fault::InlineSecret).at(origin)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::Scalar(scalar) if scalar.reading != Reading::Null => {
                let word: StrDeserializer<'_, Mistake> = scalar.raw.as_str().into_deserializer();
                visitor.visit_enum(word).map_err(|mistake| mistake.at(&self.node.origin))
            }
            _ => self.wrong(&format!("one of {}", variants.join(", "))),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        match &self.node.value {
            Value::List(_) => self.deserialize_any(visitor),
            _ => self.wrong("a list"),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_struct("", &[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let keys = self.keys(fields, &visitor)?;
        visitor.visit_map(keys).map_err(|mistake| mistake.at(&self.node.origin))
    }

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_unit deserialize_ignored_any
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_str(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_any(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        self.deserialize_seq(visitor)
    }
}

struct Items<'a> {
    items: std::iter::Enumerate<std::slice::Iter<'a, Node>>,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Mistake;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mistake> {
        let Some((index, node)) = self.items.next() else { return Ok(None) };
        seed.deserialize(NodeDe { node, key_origin: None })
            .map(Some)
            .map_err(|mistake| mistake.at(&node.origin).under(&index.to_string()))
    }
}
