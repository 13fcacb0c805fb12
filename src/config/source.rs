//! The text of a configuration and the name it goes by.
//!
//! Owns reading the file: regular files only, at most [`SOURCE_BYTES_MAX`], UTF-8, and only
//! characters and line lengths the parser can be trusted with. Every refusal names the place.
//! Does not know what the text means.

use super::error::{ConfigError, Place};
use super::fault::Fault;
use super::path::KeyPath;
use super::position::{Lines, Position, REDACTED};
use std::fmt;
use std::fs::{File, FileType, Metadata};
use std::io::{ErrorKind, Read};
use std::path::Path;

/// Largest configuration read, in bytes.
pub const SOURCE_BYTES_MAX: u64 = 1024 * 1024;

/// Longest line accepted, in bytes: keeps looking up a column cheap.
pub const LINE_BYTES_MAX: usize = 16 * 1024;

/// A configuration text that passed the checks of this module.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A text from memory, under the name that errors shall show.
    ///
    /// # Errors
    /// Too large, a line too long, or a character that YAML forbids.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Result<Self, ConfigError> {
        let source = Self { name: name.into(), text: text.into() };
        if u64::try_from(source.text.len()).unwrap_or(u64::MAX) > SOURCE_BYTES_MAX {
            return Err(source.whole(Fault::TooLarge { limit_bytes: SOURCE_BYTES_MAX }));
        }
        let lines = Lines::new(&source.text);
        for (index, line) in lines.iter().enumerate() {
            let line_number = index + 1;
            if line.len() > LINE_BYTES_MAX {
                let at = Position { line: line_number, column: 1 };
                return Err(source.error(
                    Fault::LineTooLong { limit_bytes: LINE_BYTES_MAX },
                    at,
                    KeyPath::root(),
                ));
            }
            if let Some((column, bad)) = line.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
                let at = Position { line: line_number, column: column + 1 };
                let fault = Fault::ForbiddenCharacter { code: u32::from(bad) };
                return Err(source.error(fault, at, KeyPath::root()));
            }
        }
        Ok(source)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Missing, not a regular file, unreadable, too large, not UTF-8, or refused by [`Source::new`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        let empty = Self { name: name.clone(), text: String::new() };
        let (bytes, _) = read_regular(path, SOURCE_BYTES_MAX).map_err(|fault| empty.whole(fault))?;
        match String::from_utf8(bytes) {
            Ok(text) => Self::new(name, text),
            Err(error) => {
                let valid = error.utf8_error().valid_up_to();
                let good =
                    String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
                let lines = Lines::new(&good);
                let line = lines.iter().count();
                let column = lines.line(line).map_or(0, |text| text.chars().count()) + 1;
                let source = Self { name, text: good.clone() };
                Err(source.error(Fault::NotUtf8, Position { line, column }, KeyPath::root()))
            }
        }
    }

    /// The name errors show.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A mistake at a place in this text.
    #[must_use]
    pub fn error(&self, fault: Fault, at: Position, path: KeyPath) -> ConfigError {
        let lines = Lines::new(&self.text);
        let excerpt = match &fault {
            // The name of the key need not betray that its value is a secret: the type says so.
            Fault::InlineSecret => lines.line(at.line).map(|line| {
                let before: String =
                    line.replace('\t', " ").chars().take(at.column.saturating_sub(1)).collect();
                format!("{before}{REDACTED}")
            }),
            _ => lines.excerpt(at.line),
        };
        let place = Place::File { file: self.name.clone(), position: Some(at) };
        ConfigError { fault: fault.into(), place, path, excerpt }
    }

    /// A mistake of the file as a whole.
    fn whole(&self, fault: Fault) -> ConfigError {
        let place = Place::File { file: self.name.clone(), position: None };
        ConfigError { fault: fault.into(), place, path: KeyPath::root(), excerpt: None }
    }
}

/// The text is left out: a file may hold what it should not.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?}, {} bytes)", self.name, self.text.len())
    }
}

/// Reads a regular file of at most `limit_bytes`; answers the metadata of the very file it read, not of
/// one that has since taken its name. Never blocks on a pipe.
pub(super) fn read_regular(path: &Path, limit_bytes: u64) -> Result<(Vec<u8>, Metadata), Fault> {
    // Asked before opening: opening a named pipe would wait for a writer for ever.
    let metadata = std::fs::metadata(path).map_err(|error| io_fault(&error))?;
    if !metadata.is_file() {
        return Err(Fault::NotARegularFile { found: describe(metadata.file_type()) });
    }
    let file = File::open(path).map_err(|error| io_fault(&error))?;
    let metadata = file.metadata().map_err(|error| io_fault(&error))?;
    let mut bytes = Vec::new();
    file.take(limit_bytes + 1).read_to_end(&mut bytes).map_err(|error| io_fault(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit_bytes {
        return Err(Fault::TooLarge { limit_bytes });
    }
    Ok((bytes, metadata))
}

fn io_fault(error: &std::io::Error) -> Fault {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Fault::FileMissing,
        _ => Fault::Unreadable { reason: error.to_string() },
    }
}

fn describe(kind: FileType) -> &'static str {
    if kind.is_dir() { "a directory" } else { "a pipe, socket or device" }
}

/// The characters of YAML 1.1 section 5.1; line breaks never reach this.
fn is_allowed(c: char) -> bool {
    matches!(c, '\t' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_character_is_pointed_at() {
        let error = Source::new("a.yaml", "web:\n  listen: \u{0}x\n").unwrap_err();
        assert_eq!(error.position(), Some(Position { line: 2, column: 11 }));
        assert_eq!(*error.fault, Fault::ForbiddenCharacter { code: 0 });
    }

    #[test]
    fn an_endless_line_is_refused() {
        let error = Source::new("a.yaml", format!("a: {}\n", "x".repeat(LINE_BYTES_MAX))).unwrap_err();
        assert_eq!(error.fault.code(), "line_too_long");
    }

    #[test]
    fn exactly_the_cap_is_accepted() {
        let line = format!("#{}\n", "x".repeat(1022));
        let text = line.repeat(1024);
        assert_eq!(text.len(), 1024 * 1024);
        assert!(Source::new("a.yaml", text.clone()).is_ok());
        assert_eq!(Source::new("a.yaml", text + "#").unwrap_err().fault.code(), "too_large");
    }
}
