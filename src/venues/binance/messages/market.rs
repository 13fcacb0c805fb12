//! Market streams: depth diffs, best quotes, trades, as combined-stream frames, and the REST depth snapshot.
//!
//! The hot path of market data. A frame is taken apart by its fixed prefix, so that its JSON is parsed once;
//! a frame that is spelt otherwise is parsed twice, never refused for its spelling.

use super::{DecodeError, read};
use crate::domain::book::Diff;
use crate::domain::market::Level;
use crate::domain::money::{Price, Quantity};
use crate::domain::time::WallMs;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Most levels per side in one message: the venue's largest snapshot has 5,000.
const MAX_LEVELS: usize = 5_000;

/// One frame of a market connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketFrame<'a> {
    /// A change of the book.
    Depth {
        /// Instrument, upper case.
        symbol: Cow<'a, str>,
        /// The change.
        diff: Diff,
        /// The venue's time.
        at: WallMs,
    },
    /// The best quotes.
    Quote {
        /// Instrument.
        symbol: Cow<'a, str>,
        /// Book update that it shows.
        update_id: u64,
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
    /// A trade.
    Trade {
        /// Instrument.
        symbol: Cow<'a, str>,
        /// Number.
        trade_id: u64,
        /// Price.
        price: Price,
        /// Base quantity.
        quantity: Quantity,
        /// Did the buyer rest? Then the seller took.
        buyer_is_maker: bool,
        /// The venue's time of the trade.
        at: WallMs,
    },
    /// The answer to a subscription request.
    Answer {
        /// The request's number.
        id: Option<u64>,
        /// The error, when it was refused: code and text.
        error: Option<(i64, String)>,
    },
    /// The venue will close this connection.
    Shutdown,
    /// A message of a kind that we do not know.
    Other(Cow<'a, str>),
}

#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(rename = "E", default)]
    at: i64,
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(rename = "b", deserialize_with = "levels")]
    bids: Vec<Level>,
    #[serde(rename = "a", deserialize_with = "levels")]
    asks: Vec<Level>,
}

#[derive(Deserialize)]
struct Quote<'a> {
    #[serde(rename = "u")]
    update_id: u64,
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "b")]
    bid: Price,
    #[serde(rename = "B")]
    bid_quantity: Quantity,
    #[serde(rename = "a")]
    ask: Price,
    #[serde(rename = "A")]
    ask_quantity: Quantity,
}

#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(rename = "s", borrow)]
    symbol: Cow<'a, str>,
    #[serde(rename = "t")]
    trade_id: u64,
    #[serde(rename = "p")]
    price: Price,
    #[serde(rename = "q")]
    quantity: Quantity,
    #[serde(rename = "T")]
    at: i64,
    #[serde(rename = "m")]
    buyer_is_maker: bool,
}

#[derive(Deserialize)]
struct Loose<'a> {
    #[serde(borrow)]
    stream: Option<Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(rename = "e", borrow)]
    event: Option<Cow<'a, str>>,
    id: Option<u64>,
    error: Option<super::api::WireError>,
    code: Option<i64>,
    msg: Option<String>,
}

/// A depth snapshot over REST.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Snapshot {
    /// The last update that it contains.
    #[serde(rename = "lastUpdateId")]
    pub last_update_id: u64,
    /// Bids.
    #[serde(deserialize_with = "levels")]
    pub bids: Vec<Level>,
    /// Asks.
    #[serde(deserialize_with = "levels")]
    pub asks: Vec<Level>,
}

/// Reads one frame.
///
/// # Errors
/// [`DecodeError`] when it is not the JSON that its stream promises.
pub fn decode(frame: &str) -> Result<MarketFrame<'_>, DecodeError> {
    if let Some((stream, data)) = split_prefix(frame) {
        return data_frame(stream, data);
    }
    let loose: Loose<'_> = read("market frame", frame)?;
    match (loose.stream, loose.data, loose.event) {
        (Some(stream), Some(data), _) => data_frame(&stream, data.get()),
        (_, _, Some(event)) => event_frame(event, frame),
        _ => {
            let error = loose.error.map(|e| (e.code, e.message()));
            let error = error.or(loose.code.map(|code| (code, loose.msg.unwrap_or_default())));
            Ok(MarketFrame::Answer { id: loose.id, error })
        }
    }
}

/// `{"stream":"<name>","data":<data>}` without parsing it.
fn split_prefix(frame: &str) -> Option<(&str, &str)> {
    let (stream, rest) = frame.strip_prefix("{\"stream\":\"")?.split_once('"')?;
    let data = rest.strip_prefix(",\"data\":")?.strip_suffix('}')?;
    (!stream.contains('\\')).then_some((stream, data))
}

fn data_frame<'a>(stream: &str, data: &'a str) -> Result<MarketFrame<'a>, DecodeError> {
    let kind = stream.split_once('@').map_or(stream, |(_, kind)| kind);
    match kind {
        "bookTicker" => quote(data),
        "trade" => trade(data),
        "depth" | "depth@100ms" => depth(data),
        _ => {
            let loose: Loose<'a> = read("market data", data)?;
            match loose.event {
                Some(event) => event_frame(event, data),
                None => Ok(MarketFrame::Other(Cow::Owned(kind.chars().take(40).collect()))),
            }
        }
    }
}

/// Frames of a raw connection, or of streams that we did not subscribe to.
fn event_frame<'a>(event: Cow<'a, str>, data: &'a str) -> Result<MarketFrame<'a>, DecodeError> {
    match event.as_ref() {
        "depthUpdate" => depth(data),
        "trade" => trade(data),
        "serverShutdown" => Ok(MarketFrame::Shutdown),
        _ => Ok(MarketFrame::Other(event)),
    }
}

fn depth(data: &str) -> Result<MarketFrame<'_>, DecodeError> {
    let d: Depth<'_> = read("depth", data)?;
    let diff = Diff { first: d.first, last: d.last, bids: d.bids, asks: d.asks };
    if diff.first > diff.last {
        let detail = format!("begins at {} and ends at {}", diff.first, diff.last);
        return Err(DecodeError::Field { what: "depth", field: "U", detail });
    }
    Ok(MarketFrame::Depth { symbol: d.symbol, diff, at: WallMs(d.at) })
}

fn quote(data: &str) -> Result<MarketFrame<'_>, DecodeError> {
    let q: Quote<'_> = read("bookTicker", data)?;
    let bid = Level { price: q.bid, quantity: q.bid_quantity };
    let ask = Level { price: q.ask, quantity: q.ask_quantity };
    Ok(MarketFrame::Quote { symbol: q.symbol, update_id: q.update_id, bid, ask })
}

fn trade(data: &str) -> Result<MarketFrame<'_>, DecodeError> {
    let t: Trade<'_> = read("trade", data)?;
    Ok(MarketFrame::Trade {
        symbol: t.symbol,
        trade_id: t.trade_id,
        price: t.price,
        quantity: t.quantity,
        buyer_is_maker: t.buyer_is_maker,
        at: WallMs(t.at),
    })
}

/// Reads `[["price","quantity"],...]` straight into levels, at most [`MAX_LEVELS`].
fn levels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Level>, D::Error> {
    struct Levels;
    impl<'de> Visitor<'de> for Levels {
        type Value = Vec<Level>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "at most {MAX_LEVELS} pairs of price and quantity")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            let mut out = Vec::with_capacity(16);
            while let Some((price, quantity)) = seq.next_element::<(Price, Quantity)>()? {
                if out.len() >= MAX_LEVELS {
                    return Err(serde::de::Error::invalid_length(out.len() + 1, &self));
                }
                out.push(Level { price, quantity });
            }
            Ok(out)
        }
    }
    deserializer.deserialize_seq(Levels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_streams() {
        let frame = r#"{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":5,"s":"BTCUSDT","U":2,"u":3,"b":[["1.50","0"]],"a":[],"new":1}}"#;
        let MarketFrame::Depth { symbol, diff, at } = decode(frame).unwrap() else { panic!() };
        assert_eq!((symbol.as_ref(), diff.first, diff.last, at), ("BTCUSDT", 2, 3, WallMs(5)));
        assert_eq!(diff.bids.first().unwrap().price.to_string(), "1.50");
        let frame =
            r#"{"stream":"btcusdt@bookTicker","data":{"u":4,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}}"#;
        assert!(matches!(decode(frame), Ok(MarketFrame::Quote { update_id: 4, .. })));
        let frame = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"1","q":"2","T":7,"m":true,"M":true}}"#;
        assert!(matches!(decode(frame), Ok(MarketFrame::Trade { trade_id: 9, buyer_is_maker: true, .. })));
    }

    #[test]
    fn other_spellings_and_kinds() {
        let frame = r#" {"data":{"u":4,"s":"B","b":"1","B":"2","a":"3","A":"4"}, "stream":"b@bookTicker"}"#;
        assert!(matches!(decode(frame), Ok(MarketFrame::Quote { .. })));
        assert_eq!(decode(r#"{"result":null,"id":3}"#), Ok(MarketFrame::Answer { id: Some(3), error: None }));
        assert_eq!(
            decode(r#"{"error":{"code":2,"msg":"no"},"id":3}"#),
            Ok(MarketFrame::Answer { id: Some(3), error: Some((2, "no".into())) })
        );
        assert_eq!(decode(r#"{"e":"serverShutdown","E":1}"#), Ok(MarketFrame::Shutdown));
        let frame = r#"{"stream":"btcusdt@rollingMoon","data":{"e":"rollingMoon"}}"#;
        assert_eq!(decode(frame), Ok(MarketFrame::Other("rollingMoon".into())));
    }

    #[test]
    fn wrong_types_are_errors() {
        for frame in [
            "",
            "{",
            "[]",
            "7",
            "null",
            r#"{"stream":"b@trade","data":{}}"#,
            r#"{"stream":"b@trade","data":}"#,
            r#"{"stream":"b@depth","data":{"s":"B","U":9,"u":3,"b":[],"a":[]}}"#,
            r#"{"stream":"b@depth","data":{"s":"B","U":1,"u":3,"b":[[1,2]],"a":[]}}"#,
            r#"{"stream":"b@bookTicker","data":{"u":-4,"s":"B","b":"1","B":"2","a":"3","A":"4"}}"#,
        ] {
            assert!(decode(frame).is_err(), "{frame} was read as {:?}", decode(frame));
        }
        let many = vec![r#"["1","1"]"#; MAX_LEVELS + 1].join(",");
        let frame = format!(r#"{{"stream":"b@depth","data":{{"s":"B","U":1,"u":3,"b":[{many}],"a":[]}}}}"#);
        assert!(decode(&frame).is_err());
    }
}
