//! Reads recorded market data: one `<receive time, ns> <raw JSON>` per line, plain or gzip.
//!
//! Combined-stream frames of `depth@100ms`, `bookTicker` and `trade`, and one REST snapshot line
//! without a stream name. Everything is typed and bounded; the first thing that is wrong is reported
//! with file and line. It keeps prices and quantities exact and knows nothing of pacing or loops.

use super::Level;
use crate::paper_exchange::engine::{Price, Qty, Symbol};
use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest line that is read; a snapshot of 5000 levels a side has about 0.4 MB.
const MAX_LINE_BYTES: usize = 8 * 1024 * 1024;
const READ_BUFFER_BYTES: usize = 64 * 1024;

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that is not of the expected form.
    #[error("{}:{line}: {why}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What is wrong and what would be right.
        why: String,
    },
    /// No stream line was found where the recording begins.
    #[error("{}: no market stream in the first {lines} lines; expected `<ns> {{\"stream\":...}}`", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// How far was searched.
        lines: u64,
    },
}

/// What one line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// A depth update.
    Depth {
        /// First update id contained.
        first: u64,
        /// Last update id contained.
        last: u64,
        /// Bids.
        bids: Vec<Level>,
        /// Asks.
        asks: Vec<Level>,
    },
    /// Best bid and ask.
    Ticker {
        /// The book's id.
        update_id: u64,
        /// Best bid.
        bid: Level,
        /// Best ask.
        ask: Level,
    },
    /// A trade.
    Trade {
        /// Its id.
        trade_id: u64,
        /// Price.
        price: Price,
        /// Quantity.
        quantity: Qty,
        /// Whether the buyer was the maker.
        buyer_is_maker: bool,
    },
    /// A REST snapshot.
    Snapshot {
        /// The book's id.
        last: u64,
        /// Bids.
        bids: Vec<Level>,
        /// Asks.
        asks: Vec<Level>,
    },
}

/// One line. A snapshot names no symbol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Receive time, nanoseconds since the epoch.
    pub received_ns: u64,
    /// The symbol, when the line names one.
    pub symbol: Option<Symbol>,
    /// What it says.
    pub record: Record,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    stream: &'a str,
    #[serde(borrow)]
    data: &'a RawValue,
}

#[derive(Deserialize)]
struct Depth<'a> {
    s: &'a str,
    #[serde(rename = "U")]
    first: u64,
    #[serde(rename = "u")]
    last: u64,
    #[serde(default)]
    pu: Option<u64>,
    b: Vec<Level>,
    a: Vec<Level>,
}

#[derive(Deserialize)]
struct Ticker<'a> {
    s: &'a str,
    u: u64,
    b: Price,
    #[serde(rename = "B")]
    bid_qty: Qty,
    a: Price,
    #[serde(rename = "A")]
    ask_qty: Qty,
}

#[derive(Deserialize)]
struct Trade<'a> {
    s: &'a str,
    t: u64,
    p: Price,
    q: Qty,
    m: bool,
}

#[derive(Deserialize)]
struct Snapshot {
    #[serde(rename = "lastUpdateId")]
    last: u64,
    bids: Vec<Level>,
    asks: Vec<Level>,
}

/// Reads one recording from front to back.
pub struct CaptureReader {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    line: u64,
    buffer: Vec<u8>,
}

impl std::fmt::Debug for CaptureReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureReader").field("path", &self.path).field("line", &self.line).finish()
    }
}

impl CaptureReader {
    /// Opens a recording; gzip is recognised by its first bytes.
    ///
    /// # Errors
    /// [`CaptureError::Io`].
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let io = |source| CaptureError::Io { path: path.to_owned(), source };
        let mut raw = BufReader::with_capacity(READ_BUFFER_BYTES, File::open(path).map_err(io)?);
        let gzip = raw.fill_buf().map_err(io)?.starts_with(&[0x1f, 0x8b]);
        let input: Box<dyn BufRead + Send> = if gzip {
            Box::new(BufReader::with_capacity(READ_BUFFER_BYTES, MultiGzDecoder::new(raw)))
        } else {
            Box::new(raw)
        };
        Ok(Self { path: path.to_owned(), input, line: 0, buffer: Vec::new() })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many lines were read.
    #[must_use]
    pub fn lines_read(&self) -> u64 {
        self.line
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError`], naming file and line.
    pub fn next_line(&mut self) -> Result<Option<Line>, CaptureError> {
        loop {
            self.buffer.clear();
            let cap = u64::try_from(MAX_LINE_BYTES).unwrap_or(u64::MAX);
            let read = self
                .input
                .by_ref()
                .take(cap)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| CaptureError::Io { path: self.path.clone(), source })?;
            if read == 0 {
                return Ok(None);
            }
            self.line += 1;
            if self.buffer.len() >= MAX_LINE_BYTES {
                return Err(self.wrong(format!("longer than {MAX_LINE_BYTES} bytes")));
            }
            let text = std::str::from_utf8(&self.buffer).map_err(|error| self.wrong(error.to_string()))?;
            if text.trim().is_empty() {
                continue;
            }
            return parse(text.trim_end()).map(Some).map_err(|why| self.wrong(why));
        }
    }

    fn wrong(&self, why: String) -> CaptureError {
        CaptureError::Line { path: self.path.clone(), line: self.line, why }
    }
}

fn parse(text: &str) -> Result<Line, String> {
    let (received, json) = text.split_once(' ').ok_or("expected `<receive time, ns> <JSON>`")?;
    let received_ns: u64 =
        received.parse().map_err(|_| format!("{received:?} is no receive time in nanoseconds"))?;
    if !json.starts_with(r#"{"stream":"#) {
        let snapshot: Snapshot = serde_json::from_str(json)
            .map_err(|error| format!("neither stream frame nor snapshot: {error}"))?;
        let record = Record::Snapshot { last: snapshot.last, bids: snapshot.bids, asks: snapshot.asks };
        return Ok(Line { received_ns, symbol: None, record });
    }
    let frame: Frame<'_> = serde_json::from_str(json).map_err(|error| format!("stream frame: {error}"))?;
    let (symbol, record) = parse_data(frame.stream, frame.data.get())?;
    let symbol = Symbol::new(symbol).map_err(|error| format!("{symbol:?}: {error}"))?;
    Ok(Line { received_ns, symbol: Some(symbol), record })
}

fn parse_data<'a>(stream: &str, data: &'a str) -> Result<(&'a str, Record), String> {
    let explain = |error: serde_json::Error| format!("{stream}: {error}");
    match stream.split_once('@').map(|(_, kind)| kind) {
        Some("depth@100ms" | "depth") => {
            let depth: Depth<'_> = serde_json::from_str(data).map_err(explain)?;
            if depth.pu.is_some() {
                return Err(format!("{stream}: a futures recording (it has `pu`); this exchange is spot"));
            }
            if depth.last < depth.first {
                return Err(format!("{stream}: u {} is below U {}", depth.last, depth.first));
            }
            let record = Record::Depth { first: depth.first, last: depth.last, bids: depth.b, asks: depth.a };
            Ok((depth.s, record))
        }
        Some("bookTicker") => {
            let ticker: Ticker<'_> = serde_json::from_str(data).map_err(explain)?;
            let (bid, ask) = ((ticker.b, ticker.bid_qty), (ticker.a, ticker.ask_qty));
            Ok((ticker.s, Record::Ticker { update_id: ticker.u, bid, ask }))
        }
        Some("trade") => {
            let trade: Trade<'_> = serde_json::from_str(data).map_err(explain)?;
            let record = Record::Trade {
                trade_id: trade.t,
                price: trade.p,
                quantity: trade.q,
                buyer_is_maker: trade.m,
            };
            Ok((trade.s, record))
        }
        _ => Err(format!("stream {stream:?} is none of depth@100ms, depth, bookTicker, trade")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    const LINES: &str = concat!(
        r#"5 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":3,"u":4,"b":[["1.50","0"]],"a":[]}}"#,
        "\n\n",
        r#"6 {"lastUpdateId":4,"bids":[["1.40","2"]],"asks":[["1.60","3"]]}"#,
        "\n",
        r#"7 {"stream":"btcusdt@trade","data":{"e":"trade","E":1,"s":"BTCUSDT","t":9,"p":"1.5","q":"2","T":1,"m":true,"M":true}}"#,
        "\n",
        r#"8 {"stream":"btcusdt@bookTicker","data":{"u":4,"s":"BTCUSDT","b":"1.4","B":"2","a":"1.6","A":"3"}}"#,
    );

    fn write(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn read(path: &Path) -> Result<Vec<Line>, CaptureError> {
        let mut reader = CaptureReader::open(path)?;
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line()? {
            lines.push(line);
        }
        Ok(lines)
    }

    #[test]
    fn plain_and_gzip_read_the_same() {
        let plain = write(LINES.as_bytes());
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(LINES.as_bytes()).unwrap();
        let packed = write(&gz.finish().unwrap());
        let lines = read(plain.path()).unwrap();
        assert_eq!(lines, read(packed.path()).unwrap());
        assert_eq!(lines.iter().map(|line| line.received_ns).collect::<Vec<_>>(), [5, 6, 7, 8]);
        assert!(matches!(
            lines.get(1).unwrap(),
            Line { symbol: None, record: Record::Snapshot { last: 4, .. }, .. }
        ));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let cases = [
            ("abc {}", "receive time"),
            ("5", "<receive time, ns> <JSON>"),
            (r#"5 {"lastUpdateId":"x"}"#, "neither stream frame nor snapshot"),
            (r#"5 {"stream":"btcusdt@kline_1m","data":{}}"#, "kline_1m"),
            (r#"5 {"stream":"b@depth","data":{"s":"B","U":1,"u":2,"pu":0,"b":[],"a":[]}}"#, "futures"),
            (r#"5 {"stream":"b@depth","data":{"s":"B","U":5,"u":2,"b":[],"a":[]}}"#, "below"),
            (r#"5 {"stream":"b@trade","data":{"s":"B","t":1,"p":"1e5","q":"1","m":true}}"#, "decimal"),
            (r#"5 {"stream":"b@trade","data":{"s":"b!","t":1,"p":"1","q":"1","m":true}}"#, "symbol"),
        ];
        for (line, fragment) in cases {
            let file = write(format!("{LINES}\n{line}\n").as_bytes());
            let error = read(file.path()).unwrap_err().to_string();
            assert!(error.contains(fragment) && error.contains(":6: "), "{line}: {error}");
        }
    }

    #[test]
    fn a_truncated_gzip_is_an_error_and_not_an_end() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(LINES.repeat(50).as_bytes()).unwrap();
        let bytes = gz.finish().unwrap();
        let cut = write(bytes.get(..bytes.len() - 12).unwrap());
        assert!(read(cut.path()).is_err());
    }
}
