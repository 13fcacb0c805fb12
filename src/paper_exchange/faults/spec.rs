//! What somebody asks for: the JSON body of `POST /paper/v1/faults`, checked.
//!
//! Refuses unknown members, options that the kind does not have, missing options, and values out of
//! range, each with the member's name. Owns no state.

use super::kind::FaultKind;
use serde::{Deserialize, Serialize};

/// The longest fault, in seconds (a day).
const MAX_SECONDS: u64 = 86_400;
/// The longest delay of one answer, in milliseconds.
const MAX_DELAY_MS: u64 = 120_000;
/// The largest clock error, in milliseconds (a day).
const MAX_SKEW_MS: u64 = 86_400_000;

/// Side of an order, as a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeSide {
    /// Buy orders.
    #[serde(alias = "BUY")]
    Buy,
    /// Sell orders.
    #[serde(alias = "SELL")]
    Sell,
}

/// The doors through which a client may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// `/api/v3`.
    Rest,
    /// `/ws` and `/stream`.
    MarketData,
    /// `/ws-api/v3`.
    WsApi,
}

/// One session by its number (see `GET /paper/v1/sessions`), or all that came through one door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SessionScope {
    /// One session.
    Id(u64),
    /// All of a kind.
    Kind(SessionKind),
}

/// Whom a fault hits; an absent member matches everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Scope {
    /// Symbol, for example `BTCUSDT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Account name or API key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Side of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<ScopeSide>,
    /// Session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionScope>,
}

/// The request body.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// One of [`FaultKind::NAMES`].
    pub kind: String,
    /// For `delay` and `clock_skew`.
    #[serde(default)]
    pub ms: Option<i64>,
    /// For `reject_orders`.
    #[serde(default)]
    pub code: Option<i32>,
    /// For `rate_limit`, in seconds.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// For `server_error`.
    #[serde(default)]
    pub placed: Option<bool>,
    /// For `hide_orders`.
    #[serde(default)]
    pub seconds: Option<u64>,
    /// Scope: symbol.
    #[serde(default)]
    pub symbol: Option<String>,
    /// Scope: account name or API key.
    #[serde(default)]
    pub account: Option<String>,
    /// Scope: side.
    #[serde(default)]
    pub side: Option<ScopeSide>,
    /// Scope: session number or kind.
    #[serde(default)]
    pub session: Option<SessionScope>,
    /// Heals itself after so many seconds.
    #[serde(default)]
    pub for_seconds: Option<u64>,
    /// Heals itself after so many strikes.
    #[serde(default)]
    pub count: Option<u32>,
}

/// What is wrong with a [`FaultSpec`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// No such kind.
    #[error("kind: {kind:?} is no fault kind; the kinds are {}", FaultKind::NAMES.join(", "))]
    UnknownKind {
        /// As given.
        kind: String,
    },
    /// The kind needs this option.
    #[error("{option}: {kind} needs it")]
    Missing {
        /// The kind.
        kind: String,
        /// The option's name.
        option: &'static str,
    },
    /// The kind does not have this option.
    #[error("{option}: {kind} has no such option")]
    Unexpected {
        /// The kind.
        kind: String,
        /// The option's name.
        option: &'static str,
    },
    /// A number outside its range.
    #[error("{option}: must be between {least} and {most}")]
    OutOfRange {
        /// The option's name.
        option: &'static str,
        /// The smallest allowed value.
        least: i64,
        /// The largest allowed value.
        most: u64,
    },
}

impl FaultSpec {
    /// A spec of `kind` with no options: the start for tests and drills.
    #[must_use]
    pub fn of(kind: &str) -> Self {
        Self { kind: kind.to_owned(), ..Self::default() }
    }

    /// Whom it hits.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope {
            symbol: self.symbol.as_ref().map(|symbol| symbol.to_ascii_uppercase()),
            account: self.account.clone(),
            side: self.side,
            session: self.session,
        }
    }

    /// The kind with its options, checked.
    ///
    /// # Errors
    /// [`SpecError`], naming the member.
    pub fn kind(&self) -> Result<FaultKind, SpecError> {
        let mut options = Options { spec: self, used: Vec::new() };
        let kind = match self.kind.as_str() {
            "mute_market_data" => FaultKind::MuteMarketData,
            "mute_user_data" => FaultKind::MuteUserData,
            "disconnect" => FaultKind::Disconnect,
            "refuse_connections" => FaultKind::RefuseConnections,
            "half_open" => FaultKind::HalfOpen,
            "delay" => FaultKind::Delay { ms: options.delay()? },
            "lose_response" => FaultKind::LoseResponse,
            "lose_request" => FaultKind::LoseRequest,
            "reject_orders" => FaultKind::RejectOrders { code: options.code()? },
            "rate_limit" => FaultKind::RateLimit { retry_after: options.retry_after()? },
            "ban" => FaultKind::Ban,
            "server_error" => FaultKind::ServerError { placed: options.placed()? },
            "duplicate_reports" => FaultKind::DuplicateReports,
            "reorder_reports" => FaultKind::ReorderReports,
            "drop_report" => FaultKind::DropReport,
            "hide_orders" => FaultKind::HideOrders { seconds: options.seconds()? },
            "clock_skew" => FaultKind::ClockSkew { ms: options.skew()? },
            "gap_in_depth" => FaultKind::GapInDepth,
            "stale_but_pinging" => FaultKind::StaleButPinging,
            other => return Err(SpecError::UnknownKind { kind: other.to_owned() }),
        };
        options.nothing_left()?;
        within("for_seconds", self.for_seconds, 1, MAX_SECONDS)?;
        within("count", self.count.map(u64::from), 1, u64::from(u32::MAX))?;
        Ok(kind)
    }
}

struct Options<'a> {
    spec: &'a FaultSpec,
    used: Vec<&'static str>,
}

impl Options<'_> {
    fn take<T>(&mut self, option: &'static str, value: Option<T>) -> Result<T, SpecError> {
        self.used.push(option);
        value.ok_or_else(|| SpecError::Missing { kind: self.spec.kind.clone(), option })
    }

    fn delay(&mut self) -> Result<u64, SpecError> {
        let ms = self.take("ms", self.spec.ms)?;
        let ms = u64::try_from(ms).unwrap_or(0);
        within("ms", Some(ms), 1, MAX_DELAY_MS)?;
        Ok(ms)
    }

    fn skew(&mut self) -> Result<i64, SpecError> {
        let ms = self.take("ms", self.spec.ms)?;
        if ms.unsigned_abs() > MAX_SKEW_MS {
            return Err(SpecError::OutOfRange { option: "ms", least: -86_400_000, most: MAX_SKEW_MS });
        }
        Ok(ms)
    }

    fn code(&mut self) -> Result<i32, SpecError> {
        let code = self.take("code", self.spec.code)?;
        if !(-9_999..=-1_000).contains(&code) {
            return Err(SpecError::OutOfRange { option: "code", least: -9_999, most: 0 });
        }
        Ok(code)
    }

    fn retry_after(&mut self) -> Result<u64, SpecError> {
        let seconds = self.take("retry_after", self.spec.retry_after)?;
        within("retry_after", Some(seconds), 0, MAX_SECONDS)?;
        Ok(seconds)
    }

    fn placed(&mut self) -> Result<bool, SpecError> {
        self.take("placed", self.spec.placed)
    }

    fn seconds(&mut self) -> Result<u64, SpecError> {
        let seconds = self.take("seconds", self.spec.seconds)?;
        within("seconds", Some(seconds), 1, MAX_SECONDS)?;
        Ok(seconds)
    }

    fn nothing_left(&self) -> Result<(), SpecError> {
        let spec = self.spec;
        let given = [
            ("ms", spec.ms.is_some()),
            ("code", spec.code.is_some()),
            ("retry_after", spec.retry_after.is_some()),
            ("placed", spec.placed.is_some()),
            ("seconds", spec.seconds.is_some()),
        ];
        match given.into_iter().find(|(option, present)| *present && !self.used.contains(option)) {
            Some((option, _)) => Err(SpecError::Unexpected { kind: spec.kind.clone(), option }),
            None => Ok(()),
        }
    }
}

fn within(option: &'static str, value: Option<u64>, least: u64, most: u64) -> Result<(), SpecError> {
    match value {
        Some(value) if value < least || value > most => {
            Err(SpecError::OutOfRange { option, least: i64::try_from(least).unwrap_or(0), most })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: &str) -> Result<FaultKind, String> {
        let spec: FaultSpec = serde_json::from_str(json).map_err(|error| error.to_string())?;
        spec.kind().map_err(|error| error.to_string())
    }

    #[test]
    fn every_name_is_understood() {
        for name in FaultKind::NAMES {
            let options = match name {
                "delay" | "clock_skew" => r#","ms":5"#,
                "reject_orders" => r#","code":-2010"#,
                "rate_limit" => r#","retry_after":5"#,
                "server_error" => r#","placed":true"#,
                "hide_orders" => r#","seconds":5"#,
                _ => "",
            };
            let kind = spec(&format!(r#"{{"kind":"{name}"{options}}}"#)).unwrap();
            assert_eq!(serde_json::to_value(kind).unwrap()["kind"], name);
        }
    }

    #[test]
    fn the_wrong_member_is_named() {
        let table = [
            (r#"{"kind":"explode"}"#, "explode"),
            (r#"{"kind":"delay"}"#, "ms: delay needs it"),
            (r#"{"kind":"ban","ms":5}"#, "ms: ban has no such option"),
            (r#"{"kind":"delay","ms":-5}"#, "ms: must be between 1"),
            (r#"{"kind":"delay","ms":5,"count":0}"#, "count"),
            (r#"{"kind":"delay","ms":5,"for_seconds":100000}"#, "for_seconds"),
            (r#"{"kind":"reject_orders","code":7}"#, "code"),
            (r#"{"kind":"ban","sesion":"rest"}"#, "sesion"),
            (r#"{"kind":"ban","session":"phone"}"#, "SessionScope"),
            (r#"{"kind":"ban","side":"up"}"#, "up"),
            (r#"{"symbol":"BTCUSDT"}"#, "kind"),
        ];
        for (json, fragment) in table {
            let error = spec(json).unwrap_err();
            assert!(error.contains(fragment), "{json}: {error}");
        }
    }
}
