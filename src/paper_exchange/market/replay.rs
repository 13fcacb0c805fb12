//! Plays recordings: several files joined by receive time, looped without a jump in ids.
//!
//! A symbol starts from its recorded snapshot; updates the snapshot already contains are left out. When
//! everything has been played, the next loop re-synchronises each book with one replacing update whose
//! id follows the last one, and shifts all further ids by the same distance. A feed that resumes after a
//! restart does the same. Memory is one line per file, whatever the recording's length.

use super::capture::{CaptureError, CaptureReader, Line, Record};
use super::{Feed, Level, MarketEvent, Resume, Timed};
use crate::paper_exchange::engine::{Side, Symbol};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};

/// How far into a file the snapshot and the symbol are looked for.
const SCAN_LINES: u64 = 20_000;
/// The pause between two loops, in nanoseconds: one book update.
const LOOP_PAUSE_NS: u64 = 100_000_000;

/// What happens when the recording has been played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// Start again, ids rising.
    #[default]
    Loop,
    /// The market stands still.
    Stop,
}

#[derive(Debug, Clone, Default)]
struct Opening {
    last: u64,
    bids: Vec<Level>,
    asks: Vec<Level>,
    first_trade: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Shift {
    update: i128,
    trade: i128,
    last_update: u64,
    last_ticker: u64,
    last_trade: u64,
}

#[derive(Debug)]
struct Track {
    path: PathBuf,
    symbol: Symbol,
    reader: CaptureReader,
    head: Option<Line>,
}

/// A looping recording.
#[derive(Debug)]
pub struct Replay {
    tracks: Vec<Track>,
    openings: BTreeMap<Symbol, Opening>,
    shifts: BTreeMap<Symbol, Shift>,
    at_end: AtEnd,
    begin_ns: u64,
    loop_base_ns: u64,
    now_ns: u64,
    ready: VecDeque<Timed>,
    ended: bool,
}

impl Replay {
    /// Opens the files and finds each symbol's opening book.
    ///
    /// # Errors
    /// [`CaptureError`] when a file cannot be read or is no recording.
    pub fn open(files: &[PathBuf], at_end: AtEnd, resume: &Resume) -> Result<Self, CaptureError> {
        let mut openings = BTreeMap::<Symbol, Opening>::new();
        let mut scans = Vec::new();
        for path in files {
            scans.push(Scan::of(path)?);
        }
        scans.sort_by_key(|scan| scan.begin_ns);
        for scan in &scans {
            openings.entry(scan.symbol).or_insert_with(|| scan.opening.clone());
        }
        let mut replay = Self {
            tracks: Vec::new(),
            begin_ns: scans.first().map_or(0, |scan| scan.begin_ns),
            openings,
            shifts: BTreeMap::new(),
            at_end,
            loop_base_ns: 0,
            now_ns: 0,
            ready: VecDeque::new(),
            ended: scans.is_empty(),
        };
        for (symbol, last) in resume {
            replay.shifts.insert(
                *symbol,
                Shift { last_update: last.update_id, last_trade: last.trade_id, ..Shift::default() },
            );
        }
        for scan in scans {
            let reader = CaptureReader::open(&scan.path)?;
            replay.tracks.push(Track { path: scan.path, symbol: scan.symbol, reader, head: None });
        }
        replay.begin_loop()?;
        Ok(replay)
    }

    /// Reads the first line of each track and queues each symbol's opening book.
    fn begin_loop(&mut self) -> Result<(), CaptureError> {
        for track in &mut self.tracks {
            track.head = track.reader.next_line()?;
        }
        for (symbol, opening) in &self.openings {
            let shift = self.shifts.entry(*symbol).or_default();
            if shift.last_update > 0 {
                shift.update = i128::from(shift.last_update) + 1 - i128::from(opening.last);
                shift.trade = i128::from(shift.last_trade) + 1 - i128::from(opening.first_trade);
            }
            shift.last_update = shifted(opening.last, shift.update);
            shift.last_ticker = shift.last_update;
            self.ready.push_back(Timed {
                at_ns: self.now_ns,
                event: MarketEvent::Book {
                    symbol: *symbol,
                    replace: true,
                    last_update_id: shift.last_update,
                    bids: opening.bids.clone(),
                    asks: opening.asks.clone(),
                },
            });
        }
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), CaptureError> {
        self.now_ns = self.now_ns.saturating_add(LOOP_PAUSE_NS);
        self.loop_base_ns = self.now_ns;
        for track in &mut self.tracks {
            track.reader = CaptureReader::open(&track.path)?;
        }
        self.begin_loop()
    }

    /// The earliest line of all tracks.
    fn pull(&mut self) -> Result<Option<(Symbol, Line)>, CaptureError> {
        let earliest = self
            .tracks
            .iter_mut()
            .filter(|track| track.head.is_some())
            .min_by_key(|track| track.head.as_ref().map_or(u64::MAX, |line| line.received_ns));
        let Some(track) = earliest else { return Ok(None) };
        let next = track.reader.next_line()?;
        let line = std::mem::replace(&mut track.head, next);
        Ok(line.map(|line| (line.symbol.unwrap_or(track.symbol), line)))
    }

    fn translate(&mut self, symbol: Symbol, record: Record) -> Option<MarketEvent> {
        let shift = self.shifts.entry(symbol).or_default();
        match record {
            Record::Depth { last, bids, asks, .. } => {
                let last_update_id = shifted(last, shift.update);
                if last_update_id <= shift.last_update {
                    return None;
                }
                shift.last_update = last_update_id;
                Some(MarketEvent::Book { symbol, replace: false, last_update_id, bids, asks })
            }
            Record::Ticker { update_id, bid, ask } => {
                let update_id = shifted(update_id, shift.update);
                if update_id <= shift.last_ticker {
                    return None;
                }
                shift.last_ticker = update_id;
                Some(MarketEvent::Ticker { symbol, update_id, bid, ask })
            }
            Record::Trade { trade_id, price, quantity, buyer_is_maker } => {
                let trade_id = shifted(trade_id, shift.trade);
                if trade_id <= shift.last_trade {
                    return None;
                }
                shift.last_trade = trade_id;
                let aggressor = if buyer_is_maker { Side::Sell } else { Side::Buy };
                Some(MarketEvent::Trade { symbol, trade_id, price, quantity, aggressor })
            }
            Record::Snapshot { .. } => None,
        }
    }
}

impl Feed for Replay {
    fn symbols(&self) -> Vec<Symbol> {
        self.openings.keys().copied().collect()
    }

    fn next(&mut self) -> Result<Option<Timed>, CaptureError> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Ok(Some(ready));
            }
            if self.ended {
                return Ok(None);
            }
            match self.pull()? {
                Some((symbol, line)) => {
                    let at = self.loop_base_ns.saturating_add(line.received_ns.saturating_sub(self.begin_ns));
                    self.now_ns = self.now_ns.max(at);
                    if let Some(event) = self.translate(symbol, line.record) {
                        return Ok(Some(Timed { at_ns: self.now_ns, event }));
                    }
                }
                None if self.at_end == AtEnd::Loop => self.rewind()?,
                None => self.ended = true,
            }
        }
    }
}

fn shifted(id: u64, by: i128) -> u64 {
    u64::try_from(i128::from(id).saturating_add(by)).unwrap_or(0)
}

/// What the beginning of a file tells.
struct Scan {
    path: PathBuf,
    symbol: Symbol,
    begin_ns: u64,
    opening: Opening,
}

impl Scan {
    fn of(path: &Path) -> Result<Self, CaptureError> {
        let mut reader = CaptureReader::open(path)?;
        let (mut symbol, mut begin_ns, mut first_update) = (None, None, None);
        let mut snapshot = None;
        let mut first_trade = None;
        while reader.lines_read() < SCAN_LINES
            && (snapshot.is_none() || first_trade.is_none() || symbol.is_none())
        {
            let Some(line) = reader.next_line()? else { break };
            begin_ns.get_or_insert(line.received_ns);
            symbol = symbol.or(line.symbol);
            match line.record {
                Record::Depth { first, .. } if first_update.is_none() => first_update = Some(first),
                Record::Trade { trade_id, .. } if first_trade.is_none() => first_trade = Some(trade_id),
                Record::Snapshot { last, bids, asks } if snapshot.is_none() => {
                    snapshot = Some((last, bids, asks));
                }
                _ => {}
            }
        }
        let Some(symbol) = symbol else {
            return Err(CaptureError::Empty { path: path.to_path_buf(), lines: reader.lines_read() });
        };
        let (last, bids, asks) =
            snapshot.unwrap_or((first_update.unwrap_or(1).saturating_sub(1), Vec::new(), Vec::new()));
        let opening = Opening { last, bids, asks, first_trade: first_trade.unwrap_or(1) };
        Ok(Self { path: path.to_path_buf(), symbol, begin_ns: begin_ns.unwrap_or(0), opening })
    }
}

#[cfg(test)]
mod tests {
    use super::super::LastIds;
    use super::*;
    use std::io::Write as _;

    fn depth(at: u64, symbol: &str, first: u64, last: u64) -> String {
        format!(
            "{at} {{\"stream\":\"{}@depth@100ms\",\"data\":{{\"s\":\"{symbol}\",\"U\":{first},\"u\":{last},\"b\":[[\"1.0\",\"{last}\"]],\"a\":[]}}}}\n",
            symbol.to_lowercase()
        )
    }

    fn trade(at: u64, symbol: &str, id: u64) -> String {
        format!(
            "{at} {{\"stream\":\"{}@trade\",\"data\":{{\"s\":\"{symbol}\",\"t\":{id},\"p\":\"1\",\"q\":\"1\",\"m\":true}}}}\n",
            symbol.to_lowercase()
        )
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file
    }

    fn first_day() -> tempfile::NamedTempFile {
        let snapshot = "30 {\"lastUpdateId\":105,\"bids\":[[\"1.0\",\"7\"]],\"asks\":[[\"2.0\",\"7\"]]}\n";
        file(
            &[
                &depth(10, "AB", 98, 101),
                &trade(20, "AB", 500),
                snapshot,
                &depth(40, "AB", 102, 107),
                &depth(50, "AB", 108, 110),
            ]
            .map(str::to_owned)
            .concat(),
        )
    }

    fn take(replay: &mut Replay, count: usize) -> Vec<Timed> {
        (0..count).map_while(|_| replay.next().unwrap()).collect()
    }

    fn ids(events: &[Timed]) -> Vec<(bool, u64)> {
        events
            .iter()
            .filter_map(|timed| match &timed.event {
                MarketEvent::Book { replace, last_update_id, .. } => Some((*replace, *last_update_id)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_snapshot_opens_and_what_it_contains_is_left_out() {
        let day = first_day();
        let mut replay = Replay::open(&[day.path().to_owned()], AtEnd::Stop, &Resume::new()).unwrap();
        let events = take(&mut replay, 100);
        assert_eq!(ids(&events), [(true, 105), (false, 107), (false, 110)]);
        assert_eq!(events.last().unwrap().at_ns, 40);
        assert_eq!(replay.next().unwrap(), None, "stopped for good");
    }

    #[test]
    fn loops_keep_every_id_and_time_rising() {
        let day = first_day();
        let mut replay = Replay::open(&[day.path().to_owned()], AtEnd::Loop, &Resume::new()).unwrap();
        let events = take(&mut replay, 12);
        assert_eq!(
            ids(&events),
            [
                (true, 105),
                (false, 107),
                (false, 110),
                (true, 111),
                (false, 113),
                (false, 116),
                (true, 117),
                (false, 119),
                (false, 122)
            ]
        );
        let trades: Vec<u64> = events
            .iter()
            .filter_map(|timed| match timed.event {
                MarketEvent::Trade { trade_id, .. } => Some(trade_id),
                _ => None,
            })
            .collect();
        assert_eq!(trades, [500, 501, 502]);
        assert!(events.is_sorted_by_key(|timed| timed.at_ns));
    }

    #[test]
    fn days_are_joined_and_symbols_interleaved_by_receive_time() {
        let (day, next) = (first_day(), file(&depth(60, "AB", 111, 115)));
        let other = file(&[trade(15, "CD", 1), trade(45, "CD", 2)].concat());
        let files = [next.path(), other.path(), day.path()].map(Path::to_path_buf);
        let mut replay = Replay::open(&files, AtEnd::Stop, &Resume::new()).unwrap();
        let events = take(&mut replay, 100);
        assert!(events.is_sorted_by_key(|timed| timed.at_ns));
        assert_eq!(ids(&events), [(true, 105), (true, 0), (false, 107), (false, 110), (false, 115)]);
    }

    #[test]
    fn a_restart_goes_on_above_the_last_ids() {
        let day = first_day();
        let symbol = Symbol::new("AB").unwrap();
        let resume = Resume::from([(symbol, LastIds { update_id: 5_000, trade_id: 900 })]);
        let mut replay = Replay::open(&[day.path().to_owned()], AtEnd::Stop, &resume).unwrap();
        assert_eq!(ids(&take(&mut replay, 100)), [(true, 5_001), (false, 5_003), (false, 5_006)]);
    }

    #[test]
    fn files_that_are_no_recordings_are_refused_at_once() {
        let empty = file("");
        let error = Replay::open(&[empty.path().to_owned()], AtEnd::Loop, &Resume::new()).unwrap_err();
        assert!(matches!(error, CaptureError::Empty { .. }), "{error}");
        let missing = PathBuf::from("/nonexistent/capture.gz");
        assert!(matches!(
            Replay::open(&[missing], AtEnd::Loop, &Resume::new()),
            Err(CaptureError::Io { .. })
        ));
    }
}
