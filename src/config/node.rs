//! A configuration as a tree that remembers where each value came from.
//!
//! Owns the untyped form between the YAML text (and the environment, and flags) and the typed
//! settings. Every node carries its [`Origin`], so an error found at any later stage still has its
//! line and column. Keys are unique by construction. Does not parse and does not know any setting.

use super::path::KeyPath;
use super::position::{Position, REDACTED};
use std::collections::BTreeMap;
use std::fmt;

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file, at this place.
    File(Position),
    /// The environment variable of this name.
    Env(String),
    /// The command line flag of this name, such as `--listen`.
    Flag(String),
}

/// One value and who set it.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Who set it, and where it begins.
    pub origin: Origin,
    /// What it is.
    pub value: Value,
}

/// The three shapes of YAML.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A single word, number or text.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping with text keys.
    Map(BTreeMap<String, Entry>),
}

/// One `key: value` of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who wrote the key, and where.
    pub key_origin: Origin,
    /// The value.
    pub node: Node,
}

/// A scalar as written and as YAML reads it, so that the target type decides which one counts:
/// `instance: 007` is the text `007`, not the number 7.
#[derive(Clone, PartialEq)]
pub struct Scalar {
    /// As YAML's core schema reads it.
    pub reading: Reading,
    /// As written, without quotes.
    pub raw: String,
}

/// What YAML takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    /// Nothing: `key:`, `~`, `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number, zero or more.
    Unsigned(u64),
    /// A whole number below zero.
    Signed(i64),
    /// A whole number beyond 64 bits.
    Oversized,
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// Anything else, and anything in quotes.
    Text,
}

impl Entry {
    /// Where the value stands in the file, or its key when a later layer replaced the value.
    #[must_use]
    pub fn value_place(&self) -> &Origin {
        match (&self.node.origin, &self.key_origin) {
            (Origin::Env(_) | Origin::Flag(_), Origin::File(_)) => &self.key_origin,
            (origin, _) => origin,
        }
    }
}

/// A scalar may be a secret from the environment, so its text is not shown.
impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({} bytes)", self.raw.len())
    }
}

impl Node {
    /// An empty mapping, as an empty file is.
    #[must_use]
    pub fn empty_map(origin: Origin) -> Self {
        Self { origin, value: Value::Map(BTreeMap::new()) }
    }

    /// Is there nothing here (`key:` with no value)?
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.reading == Reading::Null)
    }

    /// The entry of this name, if this is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            Value::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The node at `path`, with the origin of its key (of its value, for the root and list elements).
    #[must_use]
    pub fn find(&self, path: &KeyPath) -> Option<(&Origin, &Self)> {
        let mut found = (&self.origin, self);
        for segment in path.segments() {
            found = match &found.1.value {
                Value::Map(map) => map.get(segment).map(|entry| (&entry.key_origin, &entry.node))?,
                Value::List(items) => {
                    let item = items.get(segment.parse::<usize>().ok()?)?;
                    (&item.origin, item)
                }
                Value::Scalar(_) => return None,
            };
        }
        Some(found)
    }

    /// Forgets the text of the scalar at `path`; its origin stays.
    pub fn redact(&mut self, path: &KeyPath) {
        let mut node = self;
        for segment in path.segments() {
            let Value::Map(map) = &mut node.value else { return };
            let Some(entry) = map.get_mut(segment) else { return };
            node = &mut entry.node;
        }
        if let Value::Scalar(scalar) = &mut node.value {
            REDACTED.clone_into(&mut scalar.raw);
        }
    }

    /// Takes the node at `path` out of the tree. Answers whether it was there. The root stays.
    pub fn remove(&mut self, path: &KeyPath) -> bool {
        let Some((last, parents)) = path.segments().split_last() else { return false };
        let mut node = self;
        for segment in parents {
            let next = match &mut node.value {
                Value::Map(map) => map.get_mut(segment).map(|entry| &mut entry.node),
                Value::List(items) => segment.parse::<usize>().ok().and_then(|index| items.get_mut(index)),
                Value::Scalar(_) => None,
            };
            let Some(next) = next else { return false };
            node = next;
        }
        match &mut node.value {
            Value::Map(map) => map.remove(last).is_some(),
            // A list with one element missing would shift the others: the whole list goes.
            Value::List(items) => !std::mem::take(items).is_empty(),
            Value::Scalar(_) => false,
        }
    }
}
