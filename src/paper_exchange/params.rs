//! Request parameters, from a query string, a form body or a WebSocket API `params` object.
//!
//! All three become one list of name and text, so that every endpoint is written once. Typed readers
//! answer with the venue's error for the exact parameter that is wrong. Bounded: at most
//! [`MAX_PARAMETERS`] names. Does not verify signatures (see `signing`).

use super::errors::ApiError;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// More names than any endpoint reads; a longer list is refused (-1101).
pub const MAX_PARAMETERS: usize = 64;

/// The decoded parameters of one request, in the order received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Params<'a> {
    /// Parameters of a query string and of a form body together.
    ///
    /// # Errors
    /// -1101 when a name occurs twice or there are too many, -1100 for a bad escape.
    pub fn from_query_and_body(query: &'a str, body: &'a str) -> Result<Self, ApiError> {
        let mut params = Self::default();
        for piece in query.split('&').chain(body.split('&')).filter(|piece| !piece.is_empty()) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            params.push(decode(name)?, decode(value)?)?;
        }
        Ok(params)
    }

    fn push(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> Result<(), ApiError> {
        if self.pairs.len() >= MAX_PARAMETERS {
            return Err(ApiError::too_many_parameters(MAX_PARAMETERS));
        }
        if self.pairs.iter().any(|(known, _)| *known == name) {
            return Err(ApiError::duplicate(&name));
        }
        self.pairs.push((name, value));
        Ok(())
    }

    /// The names and texts, in the order received.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// What a WebSocket API request signs: every pair but `signature`, sorted by name, as a query.
    #[must_use]
    pub fn sorted_payload(&self) -> String {
        let mut pairs: Vec<(&str, &str)> = self.iter().filter(|(name, _)| *name != "signature").collect();
        pairs.sort_unstable();
        let mut text = String::with_capacity(pairs.iter().map(|(n, v)| n.len() + v.len() + 2).sum());
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// The text of a parameter; an empty one is refused (-1105).
    ///
    /// # Errors
    /// -1105 when it was sent without a value.
    pub fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.iter().find(|(known, _)| *known == name) {
            Some((_, "")) => Err(ApiError::empty(name)),
            Some((_, value)) => Ok(Some(value)),
            None => Ok(None),
        }
    }

    /// The text of a parameter that must be there.
    ///
    /// # Errors
    /// -1102 when it is absent or empty.
    pub fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.text(name).ok().flatten().ok_or_else(|| ApiError::mandatory(name))
    }

    /// A whole number.
    ///
    /// # Errors
    /// -1100 when it is not one, or exceeds 63 bits.
    pub fn integer(&self, name: &str) -> Result<Option<i64>, ApiError> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        text.parse::<i64>().map(Some).map_err(|_| ApiError::illegal_characters(name, "^[0-9]{1,18}$"))
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// -1100 when it is not one.
    pub fn unsigned(&self, name: &str) -> Result<Option<u64>, ApiError> {
        let Some(number) = self.integer(name)? else { return Ok(None) };
        u64::try_from(number).map(Some).map_err(|_| ApiError::illegal_characters(name, "^[0-9]{1,18}$"))
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// -1130 for anything else.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, ApiError> {
        match self.text(name)?.map(str::to_ascii_lowercase).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(ApiError::invalid_data(name)),
        }
    }

    /// A number of rows: `default` when absent, never above `max`.
    ///
    /// # Errors
    /// -1130 for zero, -1100 for what is no number.
    pub fn limit(&self, default: usize, max: usize) -> Result<usize, ApiError> {
        match self.unsigned("limit")? {
            None => Ok(default),
            Some(0) => Err(ApiError::invalid_data("limit")),
            Some(rows) => Ok(usize::try_from(rows).unwrap_or(max).min(max)),
        }
    }

    /// Several symbols: `symbol=X`, or `symbols=["X","Y"]`; `None` when neither was sent.
    ///
    /// # Errors
    /// -1128 for both at once, -1100 when `symbols` is not an array of texts.
    pub fn symbols(&self) -> Result<Option<Vec<String>>, ApiError> {
        match (self.text("symbol")?, self.text("symbols")?) {
            (Some(_), Some(_)) => Err(ApiError::bad_combination()),
            (Some(one), None) => Ok(Some(vec![one.to_owned()])),
            (None, Some(list)) => serde_json::from_str::<Vec<String>>(list)
                .map(Some)
                .map_err(|_| ApiError::illegal_characters("symbols", r#"["SYMBOL","SYMBOL"]"#)),
            (None, None) => Ok(None),
        }
    }
}

/// Percent decoding as HTML forms do it (`+` is a space); borrows when there is nothing to decode.
fn decode(text: &str) -> Result<Cow<'_, str>, ApiError> {
    if !text.bytes().any(|byte| byte == b'%' || byte == b'+') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let high = bytes.next().and_then(hex_digit);
                let low = bytes.next().and_then(hex_digit);
                match (high, low) {
                    (Some(high), Some(low)) => decoded.push(high * 16 + low),
                    _ => return Err(ApiError::new(-1100, "Illegal percent escape in the parameters.")),
                }
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded)
        .map(Cow::Owned)
        .map_err(|_| ApiError::new(-1100, "The parameters are not UTF-8 after decoding."))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

impl<'de: 'a, 'a> Deserialize<'de> for Params<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParamsVisitor)
    }
}

struct ParamsVisitor;

impl<'de> Visitor<'de> for ParamsVisitor {
    type Value = Params<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params<'de>, A::Error> {
        let mut params = Params::default();
        while let Some(name) = map.next_key::<BorrowedText<'de>>()? {
            let raw: &'de RawValue = map.next_value()?;
            let value = scalar(raw.get()).map_err(serde::de::Error::custom)?;
            params.push(name.0, value).map_err(serde::de::Error::custom)?;
        }
        Ok(params)
    }
}

/// Text that is borrowed from the input when it holds no escapes.
struct BorrowedText<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for BorrowedText<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Cow<'de, str>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Cow::Borrowed(text))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Cow::Owned(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Text).map(BorrowedText)
    }
}

/// A JSON value as parameter text: strings unquoted, everything else as it was written.
fn scalar(raw: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    if raw.starts_with('"') {
        serde_json::from_str::<BorrowedText<'_>>(raw).map(|text| text.0)
    } else if raw == "null" {
        Ok(Cow::Borrowed(""))
    } else {
        Ok(Cow::Borrowed(raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_body_are_one_list() {
        let params =
            Params::from_query_and_body("symbol=BTCUSDT&a=1%2B1", "side=BUY&note=a+b&symbols=%5B%22X%22%5D");
        let params = params.unwrap();
        assert_eq!(params.required("symbol").unwrap(), "BTCUSDT");
        assert_eq!(params.text("a").unwrap(), Some("1+1"));
        assert_eq!(params.text("note").unwrap(), Some("a b"));
        assert_eq!(params.symbols().unwrap_err().code, -1128);
    }

    #[test]
    fn the_wrong_parameter_is_named() {
        let params = Params::from_query_and_body("orderId=abc&empty=&flag=maybe", "").unwrap();
        assert_eq!(params.integer("orderId").unwrap_err().code, -1100);
        assert_eq!(params.text("empty").unwrap_err().code, -1105);
        assert_eq!(params.required("empty").unwrap_err().code, -1102);
        assert_eq!(params.boolean("flag").unwrap_err().code, -1130);
        assert!(params.required("symbol").unwrap_err().msg.contains("'symbol'"));
    }

    #[test]
    fn a_name_given_twice_is_refused_across_query_and_body() {
        assert_eq!(Params::from_query_and_body("a=1", "a=2").unwrap_err().code, -1101);
    }

    #[test]
    fn too_many_and_bad_escapes_are_refused() {
        let many: String = (0..=MAX_PARAMETERS).map(|n| format!("p{n}=1&")).collect();
        assert_eq!(Params::from_query_and_body(&many, "").unwrap_err().code, -1101);
        for bad in ["a=%", "a=%4", "a=%zz", "a=%ff"] {
            assert_eq!(Params::from_query_and_body(bad, "").unwrap_err().code, -1100, "{bad}");
        }
    }

    #[test]
    fn a_json_object_keeps_the_text_of_its_numbers() {
        let params: Params<'_> = serde_json::from_str(
            r#"{"price":"0.10","quantity":1.50,"a\u0062":true,"signature":"x","n":null}"#,
        )
        .unwrap();
        assert_eq!(params.text("quantity").unwrap(), Some("1.50"));
        assert_eq!(params.sorted_payload(), "ab=true&n=&price=0.10&quantity=1.50");
    }

    #[test]
    fn a_json_list_is_no_parameter_object() {
        assert!(serde_json::from_str::<Params<'_>>("[1,2]").is_err());
        assert!(serde_json::from_str::<Params<'_>>(r#"{"a":1,"a":2}"#).is_err());
    }
}
