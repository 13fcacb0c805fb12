//! The path of a key: `supervision.children.connector.hang.handler_ms`.
//!
//! Owns how a path is written down. A segment that itself holds a dot or a space is shown in quotes,
//! so that two different keys never print alike. Does not look anything up.

use serde::{Serialize, Serializer};
use std::fmt;

/// The way from the root of a configuration to one of its keys; empty for the root.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The root itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// A path from its segments; list elements are their index from 0.
    pub fn new<S: Into<String>>(segments: impl IntoIterator<Item = S>) -> Self {
        Self(segments.into_iter().map(Into::into).collect())
    }

    /// This path and one more segment.
    #[must_use]
    pub fn child(&self, segment: impl Into<String>) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment.into());
        Self(segments)
    }

    /// Everything but the last segment; the root is its own parent.
    #[must_use]
    pub fn parent(&self) -> Self {
        let mut segments = self.0.clone();
        segments.pop();
        Self(segments)
    }

    /// The segments in order.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.0
    }

    /// The last segment, or an empty text at the root.
    #[must_use]
    pub fn last(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }

    /// Is this the root?
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The environment variable that overrides this key.
    #[must_use]
    pub fn env_name(&self) -> String {
        let mut name = String::from("PLIMSOLL");
        for segment in &self.0 {
            name.push_str("__");
            name.push_str(&segment.to_uppercase());
        }
        name
    }
}

/// A dotted literal such as `"web.listen"`; no segment of it may hold a dot.
impl From<String> for KeyPath {
    fn from(path: String) -> Self {
        Self::from(path.as_str())
    }
}

impl From<&str> for KeyPath {
    fn from(dotted: &str) -> Self {
        if dotted.is_empty() { Self::root() } else { Self::new(dotted.split('.')) }
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            if segment.is_empty()
                || segment.contains(|c: char| c == '.' || c.is_whitespace() || c.is_control())
            {
                write!(f, "{segment:?}")?;
            } else {
                f.write_str(segment)?;
            }
        }
        Ok(())
    }
}

impl Serialize for KeyPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_with_a_dot_is_quoted() {
        let path = KeyPath::from("supervision.children").child("venue.one").child("hang");
        assert_eq!(path.to_string(), "supervision.children.\"venue.one\".hang");
        assert_eq!(path.parent().last(), "venue.one");
    }

    #[test]
    fn names_its_environment_variable() {
        assert_eq!(KeyPath::from("web.debug_routes").env_name(), "PLIMSOLL__WEB__DEBUG_ROUTES");
    }
}
