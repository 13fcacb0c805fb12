//! The names of market streams: `<symbol>@<kind>`, as clients subscribe to them.

use super::candles::Interval;
use crate::paper_exchange::engine::Symbol;
use std::fmt;

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StreamKind {
    /// `trade`
    Trade,
    /// `aggTrade`
    AggTrade,
    /// `depth` (1000 ms) and `depth@100ms`
    Depth(DepthPace),
    /// `depth5`, `depth10`, `depth20`, with and without `@100ms`
    Partial(u16, DepthPace),
    /// `bookTicker`
    BookTicker,
    /// `kline_<interval>`
    Kline(Interval),
}

/// How often book streams speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DepthPace {
    /// Every second.
    Second,
    /// Every 100 ms.
    Tenth,
}

impl DepthPace {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Second => "",
            Self::Tenth => "@100ms",
        }
    }
}

/// One stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stream {
    /// Of which symbol.
    pub symbol: Symbol,
    /// What it carries.
    pub kind: StreamKind,
}

impl Stream {
    /// Reads a stream name; symbols are lower case on the wire, upper case is accepted.
    /// `None` for a name this exchange does not have. Whether the symbol is listed is not checked.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (symbol, kind) = name.split_once('@')?;
        let symbol = Symbol::new(&symbol.to_ascii_uppercase()).ok()?;
        let (word, pace) = match kind.split_once('@') {
            Some((word, "100ms")) => (word, Some(DepthPace::Tenth)),
            Some((word, "1000ms")) => (word, Some(DepthPace::Second)),
            Some(_) => return None,
            None => (kind, None),
        };
        let book = pace.unwrap_or(DepthPace::Second);
        let kind = match word {
            "depth" => StreamKind::Depth(book),
            "depth5" => StreamKind::Partial(5, book),
            "depth10" => StreamKind::Partial(10, book),
            "depth20" => StreamKind::Partial(20, book),
            _ if pace.is_some() => return None,
            "trade" => StreamKind::Trade,
            "aggTrade" => StreamKind::AggTrade,
            "bookTicker" => StreamKind::BookTicker,
            other => StreamKind::Kline(Interval::from_word(other.strip_prefix("kline_")?)?),
        };
        Some(Self { symbol, kind })
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.symbol.as_str().to_ascii_lowercase())?;
        match self.kind {
            StreamKind::Trade => f.write_str("trade"),
            StreamKind::AggTrade => f.write_str("aggTrade"),
            StreamKind::Depth(pace) => write!(f, "depth{}", pace.suffix()),
            StreamKind::Partial(levels, pace) => write!(f, "depth{levels}{}", pace.suffix()),
            StreamKind::BookTicker => f.write_str("bookTicker"),
            StreamKind::Kline(interval) => write!(f, "kline_{}", interval.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for name in [
            "btcusdt@trade",
            "btcusdt@aggTrade",
            "btcusdt@depth",
            "btcusdt@depth@100ms",
            "btcusdt@depth20",
            "ethusdt@depth5@100ms",
            "btcusdt@bookTicker",
            "btcusdt@kline_1m",
            "btcusdt@kline_1d",
        ] {
            assert_eq!(Stream::parse(name).map(|stream| stream.to_string()).as_deref(), Some(name));
        }
        assert_eq!(Stream::parse("BTCUSDT@depth@1000ms").unwrap().to_string(), "btcusdt@depth");
    }

    #[test]
    fn other_names_are_refused() {
        for name in [
            "",
            "btcusdt",
            "@trade",
            "btcusdt@",
            "btcusdt@depth@1ms",
            "btcusdt@trade@100ms",
            "btc usdt@trade",
            "a@kline_7m",
            "a@depth7",
        ] {
            assert_eq!(Stream::parse(name), None, "{name}");
        }
    }
}
