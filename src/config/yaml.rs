//! YAML text to a tree with positions. The only module that names `serde_yaml` (ADR 0001).
//!
//! Owns what YAML the runtime accepts: one document of mappings with text keys; no anchors, aliases,
//! merge keys or tags; no key twice, in maps as in structs; no infinite numbers. An empty text is an
//! empty mapping. A second implementation of YAML's grammar would sooner or later disagree with the
//! parser, so every position comes from the parser itself: `serde_yaml` writes the place of a node
//! into the errors raised at it, and this module raises one on purpose at each ([`MarkSeed`]).

use super::error::ConfigError;
use super::fault::Fault;
use super::node::{Entry, Node, Origin, Reading, Scalar, Value};
use super::path::KeyPath;
use super::position::{Lines, Position};
use super::source::Source;
use super::typed;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::fmt;

/// Parses a text straight into a type; stops at the first mistake.
///
/// # Errors
/// Anything [`read`] refuses, an unknown or missing key, a wrong type.
pub fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, ConfigError> {
    let root = read(source)?;
    typed::decode(&root).map_err(|mistake| mistake.in_source(source))
}

/// Parses a text into a tree whose root is a mapping.
///
/// # Errors
/// The first mistake of syntax, or the first use of a feature that this module refuses.
pub fn read(source: &Source) -> Result<Node, ConfigError> {
    let lines = Lines::new(source.text());
    if let Some(at) = bracket_too_many(&lines) {
        return Err(source.error(Fault::TooManyBrackets { limit: BRACKETS_MAX }, at, KeyPath::root()));
    }
    let mut walk = Walk { lines: &lines, path: Vec::new(), refusal: None };
    let document = serde_yaml::Deserializer::from_str(source.text());
    let at = mark(document);
    let document = serde_yaml::Deserializer::from_str(source.text());
    match walk.node(document, at) {
        Ok(root) if root.is_null() => Ok(Node::empty_map(Origin::File(Position::START))),
        Ok(root) => match &root.value {
            Value::Map(_) => Ok(root),
            other => {
                let found = typed::describe(other);
                let fault = Fault::WrongType { expected: "keys and values (`key: value`)".into(), found };
                Err(source.error(fault, at, KeyPath::root()))
            }
        },
        Err(error) => {
            let path = KeyPath::new(std::mem::take(&mut walk.path));
            let (fault, at) = walk.refusal.take().unwrap_or_else(|| translate(&error, source.text(), &lines));
            Err(source.error(fault, at, path))
        }
    }
}

/// What a single word means in YAML: `7`, `true`, `"7"`, `text`. For values from outside a file.
///
/// A text that is no single YAML scalar (`a: b`, `[x`) is itself, word for word.
///
/// # Errors
/// Infinity and not-a-number.
pub fn scalar(text: &str) -> Result<Scalar, Fault> {
    let verbatim = || Scalar { reading: Reading::Text, raw: text.to_owned() };
    let lines = Lines::new(text);
    let mut walk = Walk { lines: &lines, path: Vec::new(), refusal: None };
    let at = mark(serde_yaml::Deserializer::from_str(text));
    match walk.node(serde_yaml::Deserializer::from_str(text), at) {
        Ok(Node { value: Value::Scalar(found), .. }) => {
            // `a # b` is `a` in a file; in a variable the operator meant all of it.
            let quoted = lines.from(at).starts_with(['"', '\'']);
            let whole = found.raw == text.trim();
            Ok(if quoted || whole || text.trim().is_empty() { found } else { verbatim() })
        }
        Err(_) => match walk.refusal {
            Some((fault @ Fault::NotFinite { .. }, _)) => Err(fault),
            _ => Ok(verbatim()),
        },
        Ok(_) => Ok(verbatim()),
    }
}

/// Deepest nesting read: no setting is near it, and the parser itself recurses.
pub const NESTING_MAX: usize = 32;

/// Most opening brackets and braces in a text, quoted ones included. The parser takes time that grows
/// with the square of the open ones (26 s for a megabyte of `[`), and this bounds them without a guess
/// at which are open.
pub const BRACKETS_MAX: usize = 20_000;

/// In the error for a tagged node: a character that no source can hold, so no key can imitate it.
const TAGGED: &str = "\u{1}tagged";

/// Where the bracket stands that is one too many.
fn bracket_too_many(lines: &Lines<'_>) -> Option<Position> {
    let mut brackets = lines.iter().enumerate().flat_map(|(line, text)| {
        let columns = text.chars().enumerate().filter(|(_, c)| matches!(c, '[' | '{'));
        columns.map(move |(column, _)| Position { line: line + 1, column: column + 1 })
    });
    brackets.nth(BRACKETS_MAX - 1)
}

/// State of one pass over a document.
struct Walk<'t> {
    lines: &'t Lines<'t>,
    /// The keys above the node in hand; left as it was when a pass fails, to say where.
    path: Vec<String>,
    /// Why this module (not the parser) stopped the pass.
    refusal: Option<(Fault, Position)>,
}

impl Walk<'_> {
    /// Reads the node that begins `at`.
    fn node<'de, D: Deserializer<'de>>(&mut self, de: D, at: Position) -> Result<Node, D::Error> {
        self.refuse_properties(at)?;
        if self.path.len() > NESTING_MAX {
            return Err(self.refuse(Fault::TooDeep { limit: NESTING_MAX }, at));
        }
        let value = de.deserialize_any(NodeVisitor { walk: self, at })?;
        Ok(Node { origin: Origin::File(at), value })
    }

    /// Anchors and tags begin with a character that no plain scalar can begin with.
    fn refuse_properties<E: de::Error>(&mut self, at: Position) -> Result<(), E> {
        match self.lines.from(at).chars().next() {
            Some('&' | '*') => Err(self.refuse(Fault::AnchorOrAlias, at)),
            Some('!') => Err(self.refuse(Fault::Tag, at)),
            _ => Ok(()),
        }
    }

    fn refuse<E: de::Error>(&mut self, fault: Fault, at: Position) -> E {
        self.refusal = Some((fault, at));
        E::custom("refused")
    }
}

/// Finds the next node's place and consumes nothing.
///
/// `serde_yaml` only peeks in `deserialize_enum` and hands the node to a visitor, which fails here,
/// or fails by itself on a plain mapping or sequence. Should the document end in a syntax error
/// instead, the place is meaningless, and the read that follows meets the same error.
struct MarkSeed;

impl<'de> DeserializeSeed<'de> for MarkSeed {
    type Value = Position;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Position, D::Error> {
        Ok(mark(de))
    }
}

fn mark<'de, D: Deserializer<'de>>(de: D) -> Position {
    match de.deserialize_enum("", &[], Refuse(None)) {
        Ok(()) => Position::START,
        Err(error) => place_in(&error.to_string()),
    }
}

/// Fails at any scalar, so that the parser says where it stands; keeps the text of a string.
struct Refuse<'k>(Option<&'k mut Option<String>>);

impl<'de> Visitor<'de> for Refuse<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text key")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        if let Some(keep) = self.0 {
            *keep = Some(text.to_owned());
        }
        Err(E::custom("place"))
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(de::Error::custom("place"))
    }
}

/// Reads a key and its place. The read always ends in an error, which is what carries the place.
struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = (Option<String>, Position);

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Self::Value, D::Error> {
        let mut key = None;
        match de.deserialize_str(Refuse(Some(&mut key))) {
            Ok(()) => Ok((key, Position::START)),
            Err(error) => Ok((key, place_in(&error.to_string()))),
        }
    }
}

struct NodeSeed<'w, 't> {
    walk: &'w mut Walk<'t>,
    at: Position,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<Node, D::Error> {
        self.walk.node(de, self.at)
    }
}

struct NodeVisitor<'w, 't> {
    walk: &'w mut Walk<'t>,
    at: Position,
}

impl NodeVisitor<'_, '_> {
    /// A word that YAML reads as something other than text. It holds no space and no flow indicator,
    /// so its spelling can be taken from the source.
    fn word(self, reading: Reading) -> Value {
        let rest = self.walk.lines.from(self.at);
        let end = rest.find(|c: char| c.is_whitespace() || ",]}".contains(c)).unwrap_or(rest.len());
        let raw = rest.get(..end).unwrap_or_default().to_owned();
        Value::Scalar(Scalar { reading, raw })
    }

    fn null(self) -> Value {
        Value::Scalar(Scalar { reading: Reading::Null, raw: String::new() })
    }
}

impl<'de> Visitor<'de> for NodeVisitor<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(self.null())
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(self.null())
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(self.word(Reading::Bool(value)))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(self.word(Reading::Unsigned(value)))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(self.word(Reading::Signed(value)))
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<Value, E> {
        Ok(self.word(Reading::Oversized))
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<Value, E> {
        Ok(self.word(Reading::Oversized))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        if value.is_finite() {
            return Ok(self.word(Reading::Float(value)));
        }
        let found = self.walk.lines.from(self.at).split_whitespace().next().unwrap_or_default().to_owned();
        Err(self.walk.refuse(Fault::NotFinite { found }, self.at))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Scalar(Scalar { reading: Reading::Text, raw: text.to_owned() }))
    }

    /// A node with a tag of its own. The parser gives its place to this error only, not to [`MarkSeed`].
    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(de::Error::custom(TAGGED))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        // Asked twice for each element: the first question consumes nothing.
        while let Some(at) = seq.next_element_seed(MarkSeed)? {
            self.walk.path.push(items.len().to_string());
            let Some(item) = seq.next_element_seed(NodeSeed { walk: self.walk, at })? else { break };
            self.walk.path.pop();
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some((key, key_at)) = map.next_key_seed(KeySeed)? {
            self.walk.refuse_properties(key_at)?;
            let Some(key) = key.filter(|key| !key.is_empty()) else {
                return Err(self.walk.refuse(Fault::KeyNotText, key_at));
            };
            self.walk.path.push(key.clone());
            if key == "<<" {
                return Err(self.walk.refuse(Fault::MergeKey, key_at));
            }
            let slot = match entries.entry(key.clone()) {
                Slot::Vacant(slot) => slot,
                Slot::Occupied(taken) => {
                    let first = first_place(taken.get());
                    return Err(self.walk.refuse(Fault::DuplicateKey { key, first }, key_at));
                }
            };
            let at = map.next_value_seed(MarkSeed)?;
            let node = map.next_value_seed(NodeSeed { walk: self.walk, at })?;
            slot.insert(Entry { key_origin: Origin::File(key_at), node });
            self.walk.path.pop();
        }
        Ok(Value::Map(entries))
    }
}

fn first_place(entry: &Entry) -> Position {
    match entry.key_origin {
        Origin::File(at) => at,
        Origin::Env(_) | Origin::Flag(_) => Position::START,
    }
}

/// The place at the end of one of `serde_yaml`'s messages; it leaves out only the very first character.
fn place_in(message: &str) -> Position {
    message
        .rfind(" at line ")
        .and_then(|at| place_after(message.get(at..)?, " at line "))
        .unwrap_or(Position::START)
}

/// Reads `12 column 3` after `lead`.
fn place_after(message: &str, lead: &str) -> Option<Position> {
    let (_, rest) = message.split_once(lead)?;
    let (line, rest) = rest.split_once(" column ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(Position { line: line.parse().ok()?, column: digits.parse().ok()? })
}

/// A mistake the parser itself found, in our words.
fn translate(error: &serde_yaml::Error, text: &str, lines: &Lines<'_>) -> (Fault, Position) {
    let message = error.to_string();
    let at = error.location().map_or(Position::START, |at| Position { line: at.line(), column: at.column() });
    if message.contains("more than one document") {
        return (Fault::SeveralDocuments, second_document(text, lines));
    }
    if message.contains("unknown anchor") {
        return (Fault::AnchorOrAlias, at);
    }
    if message.contains(TAGGED) {
        return (Fault::Tag, at);
    }
    if message.contains("quoted scalar") && message.contains("unexpected") {
        let opened = place_after(&message, "quoted scalar at line ").unwrap_or(Position::START);
        return (Fault::UnterminatedQuote, opened);
    }
    if lines.from(at).starts_with('\t') || message.contains("tab character") {
        return (Fault::Tab, at);
    }
    let problem = message.split(" at line ").next().unwrap_or_default().to_owned();
    (Fault::Syntax { problem }, at)
}

/// The `---` that begins the second document, or the document's first content.
fn second_document(text: &str, lines: &Lines<'_>) -> Position {
    let content = serde_yaml::Deserializer::from_str(text).nth(1).map_or(Position::START, mark);
    let until = if content == Position::START { lines.iter().count() } else { content.line };
    let marker = lines
        .iter()
        .take(until)
        .enumerate()
        .filter(|(_, line)| {
            line.strip_prefix("---").is_some_and(|rest| !rest.starts_with(|c: char| !c.is_whitespace()))
        })
        .last();
    marker.map_or(content, |(index, _)| Position { line: index + 1, column: 1 })
}

#[cfg(test)]
mod tests;
