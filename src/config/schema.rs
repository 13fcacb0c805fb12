//! The JSON schema of a configuration, for editors and other checkers.
//!
//! Derived from the same types that are loaded. A secret appears as its sibling `*_file`, since the
//! secret itself may not stand in a file. Does not check anything.

use super::load::Configuration;
use super::secret::SECRET_MARK;
use serde_json::{Map, Value, json};

/// The schema of `T` (JSON Schema 2020-12), pretty-printed, with a line break at the end.
#[must_use]
pub fn schema<T: Configuration>() -> String {
    let mut value = schemars::schema_for!(T).to_value();
    name_secrets_by_file(&mut value);
    format!("{value:#}\n")
}

fn name_secrets_by_file(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                let renamed: Map<String, Value> =
                    std::mem::take(properties)
                        .into_iter()
                        .map(|(key, property)| {
                            if is_secret(&property) {
                                file_property(&key, &property)
                            } else {
                                (key, property)
                            }
                        })
                        .collect();
                *properties = renamed;
            }
            // A secret may come from the environment, so the file need not name it.
            let known: Vec<String> = object
                .get("properties")
                .and_then(Value::as_object)
                .map(|properties| properties.keys().cloned().collect())
                .unwrap_or_default();
            if let Some(Value::Array(required)) = object.get_mut("required") {
                required.retain(|key| key.as_str().is_some_and(|key| known.iter().any(|known| known == key)));
            }
            object.values_mut().for_each(name_secrets_by_file);
        }
        Value::Array(items) => items.iter_mut().for_each(name_secrets_by_file),
        _ => {}
    }
}

fn is_secret(property: &Value) -> bool {
    let marked = |value: &Value| value.get(SECRET_MARK).is_some();
    let optional = property.get("anyOf").and_then(Value::as_array).is_some_and(|any| any.iter().any(marked));
    marked(property) || optional
}

fn file_property(key: &str, property: &Value) -> (String, Value) {
    let description = property.get("description").and_then(Value::as_str).unwrap_or("A secret.");
    let description = format!("{description} Path of a file that only its owner can read.");
    (format!("{key}_file"), json!({ "type": "string", "description": description }))
}
