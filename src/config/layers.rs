//! Environment and flags laid over the file.
//!
//! Order: defaults, file, environment `PLIMSOLL__SECTION__KEY`, flags; the later wins and leaves its
//! name at the value. Variable names are read without regard to case; the value is one YAML scalar.
//! Whether a key exists is not decided here: the typed settings refuse it, naming the variable.

use super::env::EnvReader;
use super::error::{ConfigError, Place};
use super::fault::Fault;
use super::node::{Entry, Node, Origin, Value};
use super::path::KeyPath;
use super::yaml;
use std::collections::BTreeMap;

/// What every override variable begins with.
pub const ENV_PREFIX: &str = "PLIMSOLL__";

/// Deepest path a variable may name.
const ENV_DEPTH_MAX: usize = 16;

/// Largest value of a variable, in bytes.
const ENV_VALUE_BYTES_MAX: usize = 64 * 1024;

/// A setting given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// As the operator typed it: `--listen`.
    pub name: String,
    /// The setting: `web.listen`.
    pub path: KeyPath,
    /// One YAML scalar.
    pub value: String,
}

impl Flag {
    /// A flag that sets `path` to `value`.
    pub fn new(name: impl Into<String>, path: impl Into<KeyPath>, value: impl Into<String>) -> Self {
        Self { name: name.into(), path: path.into(), value: value.into() }
    }
}

/// Lays every `PLIMSOLL__` variable over `root`; answers what could not be laid.
pub(super) fn apply_environment(root: &mut Node, env: &dyn EnvReader) -> Vec<ConfigError> {
    let mut problems = Vec::new();
    let mut variables: Vec<_> = env
        .variables()
        .into_iter()
        .filter_map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            let ours =
                name.get(..ENV_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(ENV_PREFIX));
            ours.then_some((name, value))
        })
        .collect();
    variables.sort();
    let mut seen: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for (name, value) in variables {
        let segments: Vec<String> = name.split("__").skip(1).map(str::to_ascii_lowercase).collect();
        let path = KeyPath::new(segments.clone());
        let mut refuse = |fault: Fault| {
            let place = Place::Env { name: name.clone() };
            problems.push(ConfigError { fault: fault.into(), place, path: path.clone(), excerpt: None });
        };
        if segments.len() > ENV_DEPTH_MAX || segments.iter().any(String::is_empty) {
            refuse(Fault::EnvName);
            continue;
        }
        if let Some(other) = seen.insert(segments.clone(), name.clone()) {
            refuse(Fault::EnvTwice { other });
            continue;
        }
        let Ok(text) = value.into_string() else {
            refuse(Fault::NotUtf8);
            continue;
        };
        if text.len() > ENV_VALUE_BYTES_MAX {
            refuse(Fault::TooLarge { limit_bytes: u64::try_from(ENV_VALUE_BYTES_MAX).unwrap_or(u64::MAX) });
            continue;
        }
        if let Err(fault) = set(root, &segments, &text, &Origin::Env(name.clone())) {
            refuse(fault);
        }
    }
    problems
}

/// Lays the flags over `root`; answers what could not be laid.
pub(super) fn apply_flags(root: &mut Node, flags: &[Flag]) -> Vec<ConfigError> {
    let mut problems = Vec::new();
    for flag in flags {
        let origin = Origin::Flag(flag.name.clone());
        if let Err(fault) = set(root, flag.path.segments(), &flag.value, &origin) {
            let place = Place::Flag { name: flag.name.clone() };
            problems.push(ConfigError { fault: fault.into(), place, path: flag.path.clone(), excerpt: None });
        }
    }
    problems
}

fn set(root: &mut Node, segments: &[String], text: &str, origin: &Origin) -> Result<(), Fault> {
    let scalar = yaml::scalar(text)?;
    let mut node = root;
    for segment in segments {
        if node.is_null() {
            *node = Node::empty_map(origin.clone());
        }
        // A value where a section should be is the file's mistake; the typed settings will say so.
        let Value::Map(map) = &mut node.value else { return Ok(()) };
        let key = map.keys().find(|key| key.eq_ignore_ascii_case(segment)).unwrap_or(segment).clone();
        let entry = map
            .entry(key)
            .or_insert_with(|| Entry { key_origin: origin.clone(), node: Node::empty_map(origin.clone()) });
        node = &mut entry.node;
    }
    // A section is never replaced by a word: that would drop settings in silence.
    if let Value::Map(map) = &node.value
        && !map.is_empty()
    {
        // The value itself stays out of the message: it may be a secret under a mistaken name.
        let found = "a single value".to_owned();
        return Err(Fault::WrongType { expected: "a key inside this section".into(), found });
    }
    *node = Node { origin: origin.clone(), value: Value::Scalar(scalar) };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::Source;

    fn tree(text: &str) -> Node {
        yaml::read(&Source::new("t", text).unwrap()).unwrap()
    }

    fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_variable_finds_a_key_in_any_case_and_leaves_its_name() {
        let mut root = tree("children:\n  Connector: {a: 1}\n");
        let problems = apply_environment(&mut root, &env(&[("PLIMSOLL__CHILDREN__CONNECTOR__A", "2")]));
        assert!(problems.is_empty());
        let (_, node) = root.find(&KeyPath::from("children.Connector.a")).unwrap();
        assert_eq!(node.origin, Origin::Env("PLIMSOLL__CHILDREN__CONNECTOR__A".into()));
    }

    #[test]
    fn other_variables_are_left_alone() {
        let mut root = tree("a: 1\n");
        let problems = apply_environment(&mut root, &env(&[("PLIMSOLL_CAPTURES", "x"), ("HOME", "/")]));
        assert!(problems.is_empty());
        assert_eq!(root, tree("a: 1\n"));
    }

    #[test]
    fn two_spellings_of_one_key_are_refused() {
        let mut root = tree("");
        let problems = apply_environment(&mut root, &env(&[("PLIMSOLL__A", "1"), ("plimsoll__a", "2")]));
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].fault.code(), "env_twice");
    }

    #[test]
    fn an_empty_level_is_refused() {
        let mut root = tree("");
        let problems = apply_environment(&mut root, &env(&[("PLIMSOLL__A____B", "1")]));
        assert_eq!(*problems[0].fault, Fault::EnvName);
    }

    #[test]
    fn a_section_is_not_replaced_by_a_word() {
        let mut root = tree("web: {listen: x}\n");
        let problems = apply_environment(&mut root, &env(&[("PLIMSOLL__WEB", "off")]));
        assert_eq!(problems[0].fault.code(), "wrong_type");
    }
}
