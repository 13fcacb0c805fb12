//! The keys of one mapping, as a typed struct or map asks for them.
//!
//! Owns the pairing of a secret `key` with its sibling `key_file`: to serde they are one field of type
//! [`SecretRef`](super::secret::SecretRef), and the stronger layer wins (flag, environment, file). A
//! `key_file` beside a field that is no secret stays what it is: an unknown key.

use super::fault::Fault;
use super::node::{Entry, Origin, Reading, Value};
use super::secret::{SECRET_TYPE, SecretSource};
use super::typed::{Mistake, NodeDe, describe};
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

/// What serde reads as one field.
enum Field<'a> {
    Plain { key: &'a str, entry: &'a Entry },
    Paired(Paired<'a>),
}

/// A field `key` for which a `key_file` stands in the mapping, perhaps beside the key itself.
struct Paired<'a> {
    key: &'static str,
    own: Option<&'a Entry>,
    file_key: &'a str,
    file: &'a Entry,
    fields: &'static [&'static str],
}

/// Hands out the keys and values of a mapping.
pub(super) struct Keys<'a> {
    fields: std::vec::IntoIter<Field<'a>>,
    held: Option<Field<'a>>,
}

impl<'a> Keys<'a> {
    /// `fields` is empty for a map with free keys.
    pub(super) fn new(entries: Vec<(&'a String, &'a Entry)>, fields: &'static [&'static str]) -> Self {
        let pair_of = |key: &str| -> Option<&'static str> {
            let base = key.strip_suffix("_file")?;
            let field = fields.iter().find(|field| **field == base)?;
            (!fields.contains(&key)).then_some(*field)
        };
        let paired: Vec<&str> = entries.iter().filter_map(|(key, _)| pair_of(key)).collect();
        let mut out = Vec::with_capacity(entries.len());
        for (key, entry) in &entries {
            if let Some(field) = pair_of(key) {
                let own = entries.iter().find(|(other, _)| other.as_str() == field).map(|(_, own)| *own);
                out.push(Field::Paired(Paired { key: field, own, file_key: key, file: entry, fields }));
            } else if !paired.contains(&key.as_str()) {
                out.push(Field::Plain { key, entry });
            }
        }
        Self { fields: out.into_iter(), held: None }
    }
}

impl<'de> MapAccess<'de> for Keys<'de> {
    type Error = Mistake;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Mistake> {
        let Some(field) = self.fields.next() else { return Ok(None) };
        let (key, origin) = match &field {
            Field::Plain { key, entry } => (*key, &entry.key_origin),
            Field::Paired(pair) => (pair.key, &pair.file.key_origin),
        };
        let word: StrDeserializer<'_, Mistake> = key.into_deserializer();
        let read = seed.deserialize(word).map_err(|mistake| mistake.at(origin).under(key))?;
        self.held = Some(field);
        Ok(Some(read))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mistake> {
        match self.held.take() {
            Some(Field::Plain { key, entry }) => seed
                .deserialize(NodeDe { node: &entry.node, key_origin: Some(&entry.key_origin) })
                .map_err(|mistake| mistake.at(&entry.node.origin).under(key)),
            Some(Field::Paired(pair)) => seed.deserialize(pair),
            None => Err(serde::de::Error::custom("a value was asked for before its key")),
        }
    }
}

impl<'a> Paired<'a> {
    /// Reads the pair as what it should be: the place of a secret.
    fn secret(&self) -> Result<String, Mistake> {
        if let Some(own) = self.own {
            let at_key = |fault| Mistake::new(fault).at(&own.node.origin).under(self.key);
            let Origin::Env(variable) = &own.key_origin else {
                return Err(Mistake::new(Fault::InlineSecret).at(own.value_place()).under(self.key));
            };
            match &self.file.node.origin {
                Origin::File(_) => return Ok(SecretSource::env_token(variable)),
                Origin::Env(_) => return Err(at_key(Fault::SecretTwice { key: self.key.to_owned() })),
                Origin::Flag(_) => {}
            }
        }
        match &self.file.node.value {
            Value::Scalar(scalar) if scalar.reading != Reading::Null && !scalar.raw.is_empty() => {
                Ok(SecretSource::file_token(&scalar.raw))
            }
            other => {
                let fault =
                    Fault::WrongType { expected: "the path of a file".into(), found: describe(other) };
                Err(Mistake::new(fault).at(&self.file.node.origin).under(self.file_key))
            }
        }
    }

    fn unknown(&self) -> Mistake {
        let known = self.fields.iter().map(|field| (*field).to_owned()).collect();
        Mistake::new(Fault::UnknownKey { key: self.file_key.to_owned(), known })
            .at(&self.file.key_origin)
            .under(self.file_key)
    }
}

impl<'de> Deserializer<'de> for Paired<'_> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Mistake> {
        Err(self.unknown())
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        if name == SECRET_TYPE { visitor.visit_string(self.secret()?) } else { Err(self.unknown()) }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
