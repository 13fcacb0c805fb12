//! A mistake and where it stands: file, key path, line, column, the line itself with a caret.
//!
//! Owns the shape of a refused configuration, for people ([`Display`](std::fmt::Display)) and for
//! programs ([`ConfigError::to_json`]). [`ConfigErrors`] is never empty and is sorted by place, so
//! the same file always gives the same report. Finds no mistake by itself.

use super::fault::{Fault, suggest};
use super::path::KeyPath;
use super::position::Position;
use serde_json::{Value, json};
use std::fmt;

/// Who is to blame for a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The configuration file; without a position when it could not be read at all.
    File {
        /// The file as the operator named it.
        file: String,
        /// Where in it.
        position: Option<Position>,
    },
    /// An environment variable.
    Env {
        /// Its name.
        name: String,
    },
    /// A command line flag.
    Flag {
        /// Its name.
        name: String,
    },
    /// Nobody: the built-in value.
    Default,
}

impl Place {
    /// As JSON: `source` and whichever of `file`, `line`, `column`, `name` apply.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::File { file, position } => json!({
                "source": "file",
                "file": file,
                "line": position.map(|at| at.line),
                "column": position.map(|at| at.column),
            }),
            Self::Env { name } => json!({"source": "environment", "name": name}),
            Self::Flag { name } => json!({"source": "flag", "name": name}),
            Self::Default => json!({"source": "default"}),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { file, position: Some(at) } => write!(f, "{file}:{}:{}", at.line, at.column),
            Self::File { file, position: None } => write!(f, "{file}"),
            Self::Env { name } => write!(f, "environment variable {name}"),
            Self::Flag { name } => write!(f, "flag {name}"),
            Self::Default => write!(f, "default"),
        }
    }
}

/// One mistake, with everything an operator needs to put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// What is wrong.
    pub fault: Box<Fault>,
    /// Who set it, and where.
    pub place: Place,
    /// The key; the root when the file as a whole is wrong.
    pub path: KeyPath,
    /// The offending line as it may be shown: secrets masked, tabs as one space.
    pub excerpt: Option<String>,
}

impl ConfigError {
    /// Where in the file, if it is in the file.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        match &self.place {
            Place::File { position, .. } => *position,
            _ => None,
        }
    }

    /// What would be right. For a variable the suggestion is a variable.
    #[must_use]
    pub fn advice(&self) -> String {
        match (&self.place, self.fault.as_ref()) {
            (Place::Env { name }, Fault::UnknownKey { key, known }) => {
                // The wrong segment may stand in the middle of the name.
                let depth = self.path.segments().len();
                let rest: String = name
                    .split("__")
                    .skip(depth + 1)
                    .map(|segment| format!("__{}", segment.to_uppercase()))
                    .collect();
                let names: Vec<_> = known
                    .iter()
                    .map(|word| format!("{}{rest}", self.path.parent().child(word).env_name()))
                    .collect();
                let written = format!("{}{rest}", self.path.parent().child(key).env_name());
                suggest(&written, &names)
            }
            (_, Fault::InlineSecret) => format!(
                "set the environment variable {}, or name a file that only you can read with `{}_file`",
                self.path.env_name(),
                self.path.last()
            ),
            _ => self.fault.advice(),
        }
    }

    /// As JSON: `code`, `message`, `advice`, `path` and the place's fields.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut value = self.place.to_json();
        if let Some(fields) = value.as_object_mut() {
            fields.insert("path".into(), json!(self.path));
            fields.insert("code".into(), json!(self.fault.code()));
            fields.insert("message".into(), json!(self.fault.to_string()));
            fields.insert("advice".into(), json!(self.advice()));
        }
        value
    }
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.fault)?;
        write!(f, "  --> {}", self.place)?;
        if !self.path.is_root() {
            write!(f, " ({})", self.path)?;
        }
        if let (Some(at), Some(line)) = (self.position(), &self.excerpt) {
            let number = at.line.to_string();
            let margin = " ".repeat(number.len());
            let caret = " ".repeat(at.column.saturating_sub(1).min(line.chars().count()));
            write!(f, "\n{margin} |\n{number} | {line}\n{margin} | {caret}^")?;
        }
        write!(f, "\n  = {}", self.advice())
    }
}

/// Every mistake found, at least one, in the order of their places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// All of them; `Ok` when there are none. Sorted: file by line, then environment, then flags.
    ///
    /// # Errors
    /// When there is at least one problem.
    pub fn check(mut problems: Vec<ConfigError>) -> Result<(), Self> {
        if problems.is_empty() {
            return Ok(());
        }
        problems.sort_by(|a, b| (&a.place, &a.path).cmp(&(&b.place, &b.path)));
        problems.dedup();
        Err(Self(problems))
    }

    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigError> {
        self.0.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl From<ConfigError> for ConfigErrors {
    fn from(error: ConfigError) -> Self {
        Self(vec![error])
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f, "\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_reads_as_a_person_would_point_at_it() {
        let error = ConfigError {
            fault: Fault::OutOfRange { found: "0".into(), min: 1, max: 16 }.into(),
            place: Place::File { file: "a.yaml".into(), position: Some(Position { line: 12, column: 12 }) },
            path: KeyPath::from("web.workers"),
            excerpt: Some("  workers: 0".into()),
        };
        let want = "error: 0 is out of range\n  --> a.yaml:12:12 (web.workers)\n   |\n12 |   workers: 0\n   |            ^\n  = allowed is 1 to 16";
        assert_eq!(error.to_string(), want);
    }

    #[test]
    fn a_variable_is_answered_with_a_variable() {
        let error = ConfigError {
            fault: Fault::UnknownKey { key: "wbe".into(), known: vec!["web".into(), "data_dir".into()] }
                .into(),
            place: Place::Env { name: "PLIMSOLL__WBE__LISTEN".into() },
            path: KeyPath::from("wbe"),
            excerpt: None,
        };
        assert_eq!(error.advice(), "did you mean `PLIMSOLL__WEB__LISTEN`?");
    }
}
