//! Reads the members of a JSON request body one by one and collects everything that is wrong with them.
//!
//! A caller learns of all its mistakes at once, each with a pointer. Unknown members and members that are
//! given twice are refused: a misspelt `price` or a second `quantity` must never become another order than
//! the one that was meant. Figures are strings: a JSON number may have been a float on its way.

use super::problem::{FieldError, Problem};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

/// Longest text of a request, in bytes, where its kind sets no shorter bound.
const TEXT_BYTES_MAX: usize = 512;

/// The members of a JSON object, in their order, none twice.
#[derive(Debug)]
pub(super) struct Members(Vec<(String, Value)>);

impl Members {
    /// Members that were read elsewhere, none twice.
    pub(super) fn of(members: Vec<(String, Value)>) -> Self {
        Self(members)
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if members.iter().any(|(known, _)| *known == name) {
                        return Err(A::Error::custom(format!("the member {name:?} is given twice")));
                    }
                    // More members than any request has: no point in collecting what will be refused.
                    if members.len() >= MEMBERS_MAX {
                        return Err(A::Error::custom(format!("more than {MEMBERS_MAX} members")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

const MEMBERS_MAX: usize = 64;

/// See the module's head.
pub(super) struct Fields {
    members: Vec<(String, Value)>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(super) fn new(members: Members) -> Self {
        Self { members: members.0, errors: Vec::new() }
    }

    /// Notes that a member is wrong.
    pub(super) fn refuse(&mut self, name: &str, detail: impl Into<String>) {
        // RFC 6901: `~` and `/` are escaped in a pointer.
        let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
        self.errors.push(FieldError { pointer, detail: detail.into() });
    }

    /// Was this member refused already?
    pub(super) fn has_error(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.pointer.strip_prefix('/') == Some(name))
    }

    /// A member that must be there.
    pub(super) fn required<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        if self.members.iter().any(|(known, value)| known == name && !value.is_null()) {
            return self.optional(name, parse);
        }
        self.take(name);
        self.refuse(name, "is missing");
        None
    }

    /// A member that may be missing or null.
    pub(super) fn optional<T, E: fmt::Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = match self.take(name)? {
            Value::Null => return None,
            Value::String(text) => text,
            Value::Number(_) => {
                self.refuse(name, "must be a string; figures are decimal strings such as \"0.001\"");
                return None;
            }
            _ => {
                self.refuse(name, "must be a string");
                return None;
            }
        };
        if text.len() > TEXT_BYTES_MAX {
            self.refuse(name, format!("is {} bytes long; at most {TEXT_BYTES_MAX} are allowed", text.len()));
            return None;
        }
        match parse(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                self.refuse(name, error.to_string());
                None
            }
        }
    }

    /// A member that is true or false; false when it is missing.
    pub(super) fn flag(&mut self, name: &str) -> bool {
        match self.take(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => value,
            Some(_) => {
                self.refuse(name, "must be true or false");
                false
            }
        }
    }

    /// A whole number within bounds that may be missing or null.
    pub(super) fn whole(&mut self, name: &str, allowed: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let found = match self.take(name)? {
            Value::Null => return None,
            value => value.as_u64().filter(|number| allowed.contains(number)),
        };
        if found.is_none() {
            let (least, most) = (allowed.start(), allowed.end());
            self.refuse(name, format!("must be a whole number from {least} to {most}"));
        }
        found
    }

    /// The value, if nothing was wrong and every member was asked for. `build` sees the required members as
    /// `Some` then.
    pub(super) fn finish<T>(mut self, build: impl FnOnce() -> Option<T>) -> Result<T, Problem> {
        for (name, _) in std::mem::take(&mut self.members) {
            let shown: String = name.chars().take(64).collect();
            self.refuse(&shown, "is not a member of this request");
        }
        if !self.errors.is_empty() {
            return Err(Problem::invalid(self.errors));
        }
        build().ok_or_else(|| Problem::internal("a required member was lost"))
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.members.iter().position(|(known, _)| known == name)?;
        Some(self.members.remove(at).1)
    }
}

/// Longest reason of an operator, in characters.
const REASON_CHARS_MAX: usize = 256;

/// An operator's reason: it stands in the journal and on terminals.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length == 0 || length > REASON_CHARS_MAX {
        return Err(format!("is {length} characters long; 1 to {REASON_CHARS_MAX} are allowed"));
    }
    if text.chars().any(char::is_control) {
        return Err("must not hold control characters".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::Symbol;
    use crate::domain::money::Quantity;
    use actix_web::ResponseError;

    fn read(body: &str) -> Result<(Symbol, Option<Quantity>, bool), Problem> {
        let members: Members = serde_json::from_str(body).unwrap();
        let mut fields = Fields::new(members);
        let symbol = fields.required("symbol", Symbol::new);
        let quantity = fields.optional("quantity", Quantity::parse);
        let flag = fields.flag("reduce_only");
        fields.finish(|| Some((symbol?, quantity, flag)))
    }

    #[test]
    fn every_mistake_is_named_at_once() {
        let problem = read(r#"{"quantity": 1.5, "reduce_only": "yes", "qty": "1", "a/b": 0}"#).unwrap_err();
        let pointers: Vec<&str> = problem.errors().iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/symbol", "/quantity", "/reduce_only", "/qty", "/a~1b"]);
        assert!(problem.errors()[1].detail.contains("decimal strings"), "{problem}");
        assert_eq!(problem.status_code(), 422);
    }

    #[test]
    fn good_members_come_through_and_null_is_missing() {
        let (symbol, quantity, flag) =
            read(r#"{"symbol": "BTCUSDT", "quantity": null, "reduce_only": true}"#).unwrap();
        assert_eq!((symbol.as_str(), quantity, flag), ("BTCUSDT", None, true));
        assert!(read(r#"{"symbol": null}"#).is_err());
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        let twice = serde_json::from_str::<Members>(r#"{"quantity": "1", "quantity": "100"}"#).unwrap_err();
        assert!(twice.to_string().contains("given twice") && twice.is_data(), "{twice}");
        assert!(serde_json::from_str::<Members>("[]").is_err());
    }

    #[test]
    fn reasons_are_short_and_printable() {
        assert_eq!(reason(" end of day ").unwrap(), "end of day");
        for bad in ["", "  ", "a\u{1b}[2J", &"x".repeat(257)] {
            assert!(reason(bad).is_err(), "{bad:?}");
        }
    }
}
