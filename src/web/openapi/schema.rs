//! Words to write JSON schemas (draft 2020-12, as OpenAPI 3.1 takes them) with.

use serde_json::{Map, Value, json};

/// The reason of an operator: 1 to 256 characters, none of them a control character, not only spaces.
const REASON: &str =
    r"^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$";

/// Any text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text of a pattern.
pub(super) fn pattern(regex: &str) -> Value {
    json!({"type": "string", "pattern": regex})
}

/// An id of 1 to `max` letters, digits, `-` and `_`.
pub(super) fn name(max: u32) -> Value {
    json!({"type": "string", "pattern": format!("^[A-Za-z0-9_-]{{1,{max}}}$"), "maxLength": max})
}

/// One of a few words.
pub(super) fn word(words: &[&str]) -> Value {
    json!({"type": "string", "enum": words})
}

/// A decimal figure, with a sign where it may be negative.
pub(super) fn decimal() -> Value {
    json!({"type": "string", "pattern": r"^-?\d{1,28}(\.\d{1,28})?$", "description": "a decimal figure"})
}

/// A figure above zero, as requests carry it.
pub(super) fn positive() -> Value {
    json!({
        "type": "string", "pattern": r"^(0\.0{0,7}[1-9]\d{0,7}|[1-9]\d{0,11}(\.\d{1,8})?)$",
        "examples": ["0.001"], "description": "a decimal figure above zero",
    })
}

/// A time in RFC 3339, UTC.
pub(super) fn time() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// True or false.
pub(super) fn flag() -> Value {
    json!({"type": "boolean"})
}

/// A whole number from zero on.
pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A figure of any kind, such as a number of seconds.
pub(super) fn number() -> Value {
    json!({"type": "number"})
}

/// How long, in whole seconds, up to a week.
pub(super) fn duration() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 604_800})
}

/// A number of seconds.
pub(super) fn seconds() -> Value {
    json!({"type": "number", "minimum": 0})
}

/// Why, in an operator's words.
pub(super) fn reason() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 256, "pattern": REASON, "examples": ["end of day"]})
}

/// The cursor of a list.
pub(super) fn cursor() -> Value {
    json!({"type": "string", "pattern": "^[0-9]{1,18}$"})
}

/// How many items a page has at most.
pub(super) fn limit() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 1000, "default": 100})
}

/// The same, or null.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// A list.
pub(super) fn list(of: Value) -> Value {
    json!({"type": "array", "items": of})
}

/// An object with any members of one kind.
pub(super) fn map(of: Value) -> Value {
    json!({"type": "object", "additionalProperties": of})
}

/// A schema of the components.
pub(super) fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

/// An object of an answer: every member is there, and later versions may add more.
pub(super) fn answer(members: &[(&str, Value)]) -> Value {
    let required: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
    json!({"type": "object", "properties": properties(members), "required": required})
}

/// An object of a request: no other members are taken.
pub(super) fn request(required: &[(&str, Value)], optional: &[(&str, Value)]) -> Value {
    let names: Vec<&str> = required.iter().map(|(name, _)| *name).collect();
    let mut all = properties(required);
    all.extend(properties(optional));
    json!({"type": "object", "properties": all, "required": names, "additionalProperties": false})
}

/// A page of a list.
pub(super) fn page(of: &str) -> Value {
    answer(&[("items", list(named(of))), ("next", or_null(cursor()))])
}

fn properties(members: &[(&str, Value)]) -> Map<String, Value> {
    members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect()
}
