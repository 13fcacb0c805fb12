//! Market stream sessions: SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, GET_PROPERTY, SET_PROPERTY.
//!
//! Promises that a wrong message is answered and the session lives on; only a client that sends more
//! messages per second than allowed is disconnected.

use super::outbox::{Outbox, code};
use crate::paper_exchange::config::WireConfig;
use crate::paper_exchange::floor::SharedFloor;
use crate::paper_exchange::floor::registry::SessionId;
use crate::paper_exchange::floor::streams::Stream;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::rc::Rc;

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    params: Option<Vec<Value>>,
}

/// Why a message is not obeyed: the stream protocol's code and text.
struct Fault(i32, String);

/// See the module.
pub(super) struct MarketSession {
    id: SessionId,
    outbox: Rc<Outbox>,
    config: WireConfig,
    second: i64,
    messages: u32,
}

impl MarketSession {
    pub(super) fn new(id: SessionId, outbox: Rc<Outbox>, config: WireConfig) -> Self {
        Self { id, outbox, config, second: 0, messages: 0 }
    }

    /// Subscribes to the streams named in the address. Unknown names get no data, as at the venue; here
    /// the session is told, because silence would look like a dead feed.
    pub(super) fn subscribe_address(&self, floor: &SharedFloor, names: &[String]) {
        for name in names {
            if let Err(fault) = self.subscribe(floor, std::slice::from_ref(name)) {
                self.outbox
                    .text(&[&json!({"error": {"code": fault.0, "msg": fault.1}, "id": null}).to_string()]);
            }
        }
    }

    pub(super) fn on_text(&mut self, floor: &SharedFloor, now_ms: i64, text: &[u8]) {
        let second = now_ms.div_euclid(1_000);
        if second != self.second {
            (self.second, self.messages) = (second, 0);
        }
        self.messages += 1;
        if self.messages > self.config.stream_messages_per_second {
            let most = self.config.stream_messages_per_second;
            self.outbox.close(code::POLICY, &format!("too many messages: at most {most} per second"));
            return;
        }
        let message: Message<'_> = match serde_json::from_slice(text) {
            Ok(message) => message,
            Err(error) => return self.answer(None, Err(Fault(3, format!("Invalid JSON: {error}")))),
        };
        let id = message.id.map(RawValue::get);
        if !id.is_none_or(legal_id) {
            let why = "Invalid request: request ID must be an unsigned integer, a string or null".to_owned();
            return self.answer(None, Err(Fault(2, why)));
        }
        let params = message.params.unwrap_or_default();
        let outcome = match message.method.as_deref() {
            Some("SUBSCRIBE") => names(&params).and_then(|names| self.subscribe(floor, &names)),
            Some("UNSUBSCRIBE") => names(&params).and_then(|names| self.unsubscribe(floor, &names)),
            Some("LIST_SUBSCRIPTIONS") => Ok(self.list(floor)),
            Some("GET_PROPERTY") => self.get_property(floor, &params),
            Some("SET_PROPERTY") => self.set_property(floor, &params),
            Some(other) => Err(Fault(
                2,
                format!(
                    "Invalid request: unknown variant `{other}`, expected one of SUBSCRIBE, UNSUBSCRIBE, LIST_SUBSCRIPTIONS, GET_PROPERTY, SET_PROPERTY"
                ),
            )),
            None => Err(Fault(2, "Invalid request: missing field `method`".to_owned())),
        };
        self.answer(id, outcome);
    }

    fn answer(&self, id: Option<&str>, outcome: Result<Value, Fault>) {
        let id = id.unwrap_or("null");
        match outcome {
            Ok(result) => self.outbox.text(&[r#"{"result":"#, &result.to_string(), r#","id":"#, id, "}"]),
            Err(Fault(code, msg)) => {
                let error = json!({"code": code, "msg": msg}).to_string();
                self.outbox.text(&[r#"{"error":"#, &error, r#","id":"#, id, "}"]);
            }
        }
    }

    fn subscribe(&self, floor: &SharedFloor, names: &[String]) -> Result<Value, Fault> {
        let mut floor = floor.borrow_mut();
        let mut streams = Vec::new();
        for name in names {
            let stream = Stream::parse(name)
                .ok_or_else(|| Fault(2, format!("Invalid request: unknown stream {name:?}")))?;
            if !floor.boards.contains_key(&stream.symbol) {
                return Err(Fault(-1121, format!("Invalid symbol: {name:?}")));
            }
            streams.push(stream);
        }
        let present = floor.registry.get(self.id).map_or(0, |session| session.streams.len());
        if present.saturating_add(streams.len()) > self.config.max_streams {
            let most = self.config.max_streams;
            return Err(Fault(2, format!("Invalid request: at most {most} streams per connection")));
        }
        for stream in streams {
            floor.registry.listen(self.id, stream);
        }
        Ok(Value::Null)
    }

    fn unsubscribe(&self, floor: &SharedFloor, names: &[String]) -> Result<Value, Fault> {
        let mut floor = floor.borrow_mut();
        for name in names {
            let stream = Stream::parse(name)
                .ok_or_else(|| Fault(2, format!("Invalid request: unknown stream {name:?}")))?;
            floor.registry.unlisten(self.id, stream);
        }
        Ok(Value::Null)
    }

    fn list(&self, floor: &SharedFloor) -> Value {
        let floor = floor.borrow();
        let streams = floor.registry.get(self.id).map(|session| &session.streams);
        streams.into_iter().flatten().map(|stream| Value::String(stream.to_string())).collect()
    }

    fn get_property(&self, floor: &SharedFloor, params: &[Value]) -> Result<Value, Fault> {
        match params {
            [Value::String(name)] if name == "combined" => {
                Ok(floor.borrow().registry.get(self.id).is_some_and(|session| session.combined).into())
            }
            _ => Err(Fault(2, "Invalid request: the only property is \"combined\"".to_owned())),
        }
    }

    fn set_property(&self, floor: &SharedFloor, params: &[Value]) -> Result<Value, Fault> {
        match params {
            [Value::String(name), Value::Bool(value)] if name == "combined" => {
                if let Some(session) = floor.borrow_mut().registry.get_mut(self.id) {
                    session.combined = *value;
                }
                Ok(Value::Null)
            }
            _ => Err(Fault(2, "Invalid request: expected [\"combined\", true or false]".to_owned())),
        }
    }
}

fn names(params: &[Value]) -> Result<Vec<String>, Fault> {
    if params.is_empty() {
        return Err(Fault(2, "Invalid request: `params` must name at least one stream".to_owned()));
    }
    let name = |value: &Value| match value {
        Value::String(name) => Ok(name.clone()),
        other => Err(Fault(2, format!("Invalid request: {other} is no stream name"))),
    };
    params.iter().map(name).collect()
}

/// An id is echoed, so its form and length are bounded: null, a whole number, or a short text.
pub(super) fn legal_id(raw: &str) -> bool {
    raw == "null"
        || (raw.len() <= 20 && raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
        || (raw.len() <= 74 && raw.starts_with('"'))
}
