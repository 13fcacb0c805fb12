//! The market-data load that `plimsoll bench venue` and the criterion bench share: decode a line, apply it.

use super::book_sync::BookSync;
use super::messages::market::{MarketFrame, Snapshot, decode};
use crate::domain::time::Mono;
use flate2::read::GzDecoder;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader};
use std::path::Path;

/// The capture that the reference figures were measured on.
const CAPTURE: &str = "hft_spot_btcusdt_20240808.gz";
/// Lines of the synthetic load, of the recording's mix: 8 % depth, 68 % quotes, 24 % trades.
const SYNTHETIC: u64 = 40_000;

/// Frames in memory.
#[derive(Debug)]
pub struct Lines {
    lines: Vec<String>,
    origin: &'static str,
}

impl Lines {
    /// The recorded capture when `PLIMSOLL_CAPTURES` names its folder, otherwise a synthetic load.
    ///
    /// # Errors
    /// When the folder is named and the capture cannot be read.
    pub fn from_captures_or_synthetic() -> std::io::Result<Self> {
        match std::env::var_os("PLIMSOLL_CAPTURES") {
            Some(folder) => Self::from_capture(&Path::new(&folder).join(CAPTURE)),
            None => Ok(Self::synthetic()),
        }
    }

    fn from_capture(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::File::open(path)?;
        let mut lines = Vec::new();
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let line = line?;
            lines.push(line.split_once(' ').map_or(line.as_str(), |(_, json)| json).to_owned());
        }
        Ok(Self { lines, origin: "recorded" })
    }

    fn synthetic() -> Self {
        let mut lines = vec![r#"{"lastUpdateId":0,"bids":[],"asks":[]}"#.to_owned()];
        let mut update = 0_u64;
        for n in 0..SYNTHETIC {
            update = update.saturating_add(1);
            lines.push(match n % 25 {
                0 | 12 => synthetic_depth(update, n),
                1..=6 => format!(
                    r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":1,"s":"BTCUSDT","t":{n},"p":"61837.63000000","q":"0.00120000","T":1,"m":true,"M":true}}}}"#
                ),
                _ => format!(
                    r#"{{"stream":"btcusdt@bookTicker","data":{{"u":{update},"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}}}"#
                ),
            });
        }
        Self { lines, origin: "synthetic" }
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// `recorded` or `synthetic`.
    #[must_use]
    pub fn origin(&self) -> &'static str {
        self.origin
    }
}

fn synthetic_depth(update: u64, n: u64) -> String {
    let side = |base: u64, sign: bool| {
        let mut out = String::new();
        for step in 0..15_u64 {
            let offset = (n.wrapping_mul(7).wrapping_add(step.wrapping_mul(13))) % 2_000;
            let cents = if sign { base.saturating_add(offset) } else { base.saturating_sub(offset) };
            let comma = if out.is_empty() { "" } else { "," };
            let (whole, part) = (cents / 100, cents % 100);
            // Writing to a String cannot fail.
            let _ = write!(out, r#"{comma}["{whole}.{part:02}000000","{}.50000000"]"#, offset % 3);
        }
        out
    };
    // Contiguous with the previous diff whatever lies between.
    let first = update.saturating_sub(13);
    let (bids, asks) = (side(6_183_700, false), side(6_183_800, true));
    format!(
        r#"{{"stream":"btcusdt@depth@100ms","data":{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{first},"u":{update},"b":[{bids}],"a":[{asks}]}}}}"#
    )
}

/// Decodes every line and applies it to a fresh book; the number of lines that could be used.
#[must_use]
pub fn decode_and_apply(lines: &Lines) -> usize {
    let mut sync = BookSync::default();
    let mut used = 0_usize;
    for line in &lines.lines {
        if line.starts_with("{\"lastUpdateId\"") {
            if let Ok(snapshot) = serde_json::from_str::<Snapshot>(line) {
                sync.snapshot(Mono(1), &snapshot);
                used = used.saturating_add(1);
            }
            continue;
        }
        match decode(line) {
            Ok(MarketFrame::Depth { diff, .. }) => drop(sync.diff(Mono(1), diff)),
            Ok(frame) => drop(std::hint::black_box(frame)),
            Err(_) => continue,
        }
        used = used.saturating_add(1);
    }
    used
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_synthetic_load_is_used_to_the_last_line() {
        let lines = Lines::synthetic();
        assert_eq!(decode_and_apply(&lines), lines.len());
        assert_eq!(lines.origin(), "synthetic");
    }
}
