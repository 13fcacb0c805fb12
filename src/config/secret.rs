//! Secrets: where they may come from, and that they are never printed.
//!
//! A secret `api_key` comes from the environment (`PLIMSOLL__..__API_KEY`) or from a file named by its
//! sibling key `api_key_file`; written into the configuration itself it is refused. Settings hold a
//! [`SecretRef`], the place, so that nothing that prints settings can print a secret. [`Secret`], the
//! value, is wiped from memory when dropped and shows `[REDACTED]` in every form.
//! Does not store or rotate secrets.

use super::env::EnvReader;
use super::fault::Fault;
use super::position::REDACTED;
use super::source::read_regular;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Largest secret file, in bytes.
pub const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

/// The name under which the configuration's deserializer recognises a secret by its type.
pub(super) const SECRET_TYPE: &str = "$plimsoll::SecretRef";

/// Marks a secret in the JSON schema until [`super::schema`] turns it into `*_file`.
pub(super) const SECRET_MARK: &str = "x-plimsoll-secret";

/// A secret's value.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value into keeping.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(SecretString::from(value))
    }

    /// The value, for the one call that needs it; never for a log, an error or an answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

/// Where a secret is to be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In the environment variable of this name.
    Env(String),
    /// In this file; a relative path starts at the working directory.
    File(PathBuf),
}

impl SecretSource {
    pub(super) fn env_token(name: &str) -> String {
        format!("env:{name}")
    }

    pub(super) fn file_token(path: &str) -> String {
        format!("file:{path}")
    }
}

/// A setting that is a secret: its place, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRef(SecretSource);

impl SecretRef {
    /// A secret at a known place, for programs that build settings by hand.
    #[must_use]
    pub fn new(source: SecretSource) -> Self {
        Self(source)
    }

    /// Its place.
    #[must_use]
    pub fn source(&self) -> &SecretSource {
        &self.0
    }

    /// Fetches the value. One trailing line break is not part of it.
    ///
    /// # Errors
    /// Variable gone or not text, file missing, not regular, larger than 64 KiB, readable or writable
    /// by group or others, not UTF-8; or nothing in it.
    pub fn resolve(&self, env: &dyn EnvReader) -> Result<Secret, Fault> {
        let value = match &self.0 {
            SecretSource::Env(name) => {
                let raw = env.variable(name).ok_or(Fault::SecretEmpty)?;
                raw.into_string().map_err(|_| Fault::NotUtf8)?
            }
            SecretSource::File(path) => read_secret_file(path)?,
        };
        let value =
            value.strip_suffix('\n').map_or(value.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
        if value.trim().is_empty() { Err(Fault::SecretEmpty) } else { Ok(Secret::new(value.to_owned())) }
    }
}

fn read_secret_file(path: &Path) -> Result<String, Fault> {
    let file = path.display().to_string();
    let wrap = |cause| Fault::SecretFile { file: file.clone(), cause: Box::new(cause) };
    let (bytes, metadata) = read_regular(path, SECRET_FILE_BYTES_MAX).map_err(wrap)?;
    check_mode(&metadata, &file)?;
    String::from_utf8(bytes).map_err(|_| wrap(Fault::NotUtf8))
}

#[cfg(unix)]
fn check_mode(metadata: &Metadata, file: &str) -> Result<(), Fault> {
    use std::os::unix::fs::PermissionsExt;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o066 == 0 { Ok(()) } else { Err(Fault::SecretFileMode { file: file.to_owned(), mode }) }
}

#[cfg(not(unix))]
fn check_mode(_: &Metadata, _: &str) -> Result<(), Fault> {
    Ok(())
}

impl Serialize for SecretRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Token;
        impl Visitor<'_> for Token {
            type Value = SecretRef;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the place of a secret, read by the configuration")
            }

            fn visit_str<E: de::Error>(self, token: &str) -> Result<SecretRef, E> {
                match token.split_once(':') {
                    Some(("env", name)) => Ok(SecretRef(SecretSource::Env(name.to_owned()))),
                    Some(("file", path)) => Ok(SecretRef(SecretSource::File(PathBuf::from(path)))),
                    // The token may be a secret that some other reader passed on: not in the message.
                    _ => Err(E::custom("a secret may not be written here")),
                }
            }
        }
        deserializer.deserialize_newtype_struct(SECRET_TYPE, Token)
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "SecretRef".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", SECRET_MARK: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?} {secret}"), "[REDACTED] [REDACTED]");
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[REDACTED]\"");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn one_line_break_at_the_end_is_not_part_of_it() {
        let env: BTreeMap<String, String> = [("K".to_owned(), " two words \r\n".to_owned())].into();
        let secret = SecretRef::new(SecretSource::Env("K".into())).resolve(&env).unwrap();
        assert_eq!(secret.expose(), " two words ");
    }

    #[test]
    fn a_missing_variable_is_an_empty_secret() {
        let env = BTreeMap::<String, String>::new();
        let fault = SecretRef::new(SecretSource::Env("K".into())).resolve(&env).unwrap_err();
        assert_eq!(fault, Fault::SecretEmpty);
    }
}
