//! The effective settings, each value with its origin.
//!
//! Owns the flat list that `plimsoll config show` prints and the hash that names a configuration in
//! status and logs. Prints what the settings serialise to, and secrets serialise to `[REDACTED]`.

use super::error::Place;
use super::load::Loaded;
use super::path::KeyPath;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// One effective value.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// Its key.
    pub path: KeyPath,
    /// The value, as JSON.
    pub value: Value,
    /// Who set it.
    pub place: Place,
}

impl<T: Serialize> Loaded<T> {
    /// Every value in the order of the settings; an empty section stands as itself.
    ///
    /// # Errors
    /// Only when the settings cannot be written as JSON, which is a mistake in their type.
    pub fn effective(&self) -> Result<Vec<Effective>, serde_json::Error> {
        let value = serde_json::to_value(&self.settings)?;
        let mut list = Vec::new();
        self.flatten(KeyPath::root(), value, &mut list);
        Ok(list)
    }

    /// SHA-256 of the effective values (not of comments, origins or secrets), in hexadecimal.
    ///
    /// # Errors
    /// As [`Loaded::effective`].
    pub fn hash(&self) -> Result<String, serde_json::Error> {
        Ok(hex::encode(Sha256::digest(serde_json::to_vec(&self.settings)?)))
    }

    fn flatten(&self, path: KeyPath, value: Value, list: &mut Vec<Effective>) {
        match value {
            Value::Object(object) if !object.is_empty() => {
                for (key, value) in object {
                    self.flatten(path.child(key), value, list);
                }
            }
            value => {
                let place = self.document.origin(&path);
                list.push(Effective { path, value, place });
            }
        }
    }
}
