//! The fields of a page's form, for those who use the page without a script.

use super::fields::Members;
use super::problem::Problem;
use actix_web::dev::Payload;
use actix_web::web::Query;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use serde_json::Value;
use std::future::{Ready, ready};

/// Most fields of a form.
const FIELDS_MAX: usize = 16;

/// The fields, in their order, none twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// 400.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let bad = |why: &str| Problem::bad_request(format!("the form cannot be read: {why}"));
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8"))?;
        let fields =
            Query::<Vec<(String, String)>>::from_query(text).map_err(|error| bad(&error.to_string()))?;
        let fields = fields.into_inner();
        if fields.len() > FIELDS_MAX {
            return Err(bad("it has too many fields"));
        }
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        if names.len() != fields.len() {
            return Err(bad("a field is given twice"));
        }
        Ok(Self(fields))
    }

    /// A field.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The named fields as members of a request's body.
    pub(super) fn members(&self, names: &[&str]) -> Members {
        let named = self.0.iter().filter(|(name, _)| names.contains(&name.as_str()));
        Members::of(
            named.map(|(name, value)| (name.clone(), Value::String(value.trim().to_owned()))).collect(),
        )
    }
}

impl FromRequest for Form {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // The gate read it.
        let found = request.extensions().get::<Self>().cloned();
        ready(found.ok_or_else(|| Problem::bad_request("send a form")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_whole_or_not_at_all() {
        let form = Form::read(b"reason=a+%3Cb%3E&csrf=x").unwrap();
        assert_eq!((form.get("reason"), form.get("csrf"), form.get("no")), (Some("a <b>"), Some("x"), None));
        let many: String = (0..17).map(|n| format!("f{n}=1&")).collect();
        for bad in [&b"a=1&a=2"[..], b"\xff=1", many.as_bytes()] {
            assert!(Form::read(bad).is_err(), "{bad:?}");
        }
    }
}
