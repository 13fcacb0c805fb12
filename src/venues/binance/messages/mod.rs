//! What the venue says, typed. Unknown fields are tolerated, unknown words are kept, sizes are capped.

pub mod api;
pub mod info;
pub mod market;
pub mod order;
pub mod user;
pub mod words;

/// Why a message cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not the JSON that this kind of message has.
    #[error("{what}: {detail}")]
    Json {
        /// Which message.
        what: &'static str,
        /// Position and cause, bounded; never the message itself.
        detail: String,
    },
    /// A figure or an id that breaks its own rules.
    #[error("{what}: field {field}: {detail}")]
    Field {
        /// Which message.
        what: &'static str,
        /// Which field.
        field: &'static str,
        /// Cause, bounded.
        detail: String,
    },
}

impl DecodeError {
    /// Wraps a JSON error with a bounded text.
    #[must_use]
    pub fn json(what: &'static str, error: &serde_json::Error) -> Self {
        Self::Json { what, detail: crate::domain::outcome::bounded(&error.to_string()) }
    }

    /// Wraps a field's own error.
    #[must_use]
    pub fn field(what: &'static str, field: &'static str, error: &dyn std::fmt::Display) -> Self {
        Self::Field { what, field, detail: crate::domain::outcome::bounded(&error.to_string()) }
    }
}

/// Reads one JSON object of a named kind. An array is refused although serde would fill fields by position.
///
/// # Errors
/// [`DecodeError::Json`] with the position and the cause.
pub fn read<'a, T: serde::Deserialize<'a>>(what: &'static str, text: &'a str) -> Result<T, DecodeError> {
    if !text.trim_start().starts_with('{') {
        return Err(DecodeError::Json { what, detail: "not a JSON object".to_owned() });
    }
    serde_json::from_str(text).map_err(|error| DecodeError::json(what, &error))
}

/// Reads one JSON list of a named kind.
///
/// # Errors
/// [`DecodeError::Json`] with the position and the cause.
pub fn read_list<'a, T: serde::Deserialize<'a>>(
    what: &'static str,
    text: &'a str,
) -> Result<Vec<T>, DecodeError> {
    serde_json::from_str(text).map_err(|error| DecodeError::json(what, &error))
}
