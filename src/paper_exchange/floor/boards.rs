//! What the public sees of each symbol, and when: depth updates, best quotes, klines.
//!
//! A depth update goes out with each change of the market's book (recorded ones come every 100 ms), or
//! after 100 ms when only our own accounts changed it. Best quotes go out with rising update ids, the
//! market's own while none of our accounts has an order there, the merged book's otherwise.

use super::candles::{Candles, Interval};
use super::depth::DepthGather;
use super::state::Floor;
use super::streams::{DepthPace, Stream, StreamKind};
use crate::paper_exchange::engine::{BookChange, Command, MarketBook, MarketTrade, Symbol};
use crate::paper_exchange::market::{Level, MarketEvent};
use crate::paper_exchange::render;

/// Market book changes per announcement on the slow depth stream.
const BOOKS_PER_SECOND: u32 = 10;
const TENTH_MS: i64 = 100;
const SECOND_MS: i64 = 1_000;
/// Level counts of the partial book streams.
const PARTIALS: [u16; 3] = [5, 10, 20];

/// Public data of one symbol.
#[derive(Debug, Default)]
pub struct Board {
    /// Klines.
    pub candles: Candles,
    /// Whether klines changed since they were last sent.
    pub klines_changed: bool,
    tenth: Gather,
    second: Gather,
    /// The market tells best quotes itself.
    fed: bool,
    books: u32,
    market_update_id: u64,
    ticker: Option<(u64, Level, Level)>,
    klines_sent_ms: i64,
}

#[derive(Debug, Default)]
struct Gather {
    depth: DepthGather,
    changed: bool,
    sent_ms: i64,
}

impl Floor {
    /// Applies one event of the market and announces what follows from it.
    pub fn market(&mut self, now_ms: i64, event: MarketEvent) {
        self.stats.market_events += 1;
        self.in_market = true;
        self.market_event(now_ms, event);
        self.in_market = false;
    }

    fn market_event(&mut self, now_ms: i64, event: MarketEvent) {
        match event {
            MarketEvent::Book { symbol, replace, last_update_id, bids, asks } => {
                let change = MarketBook { symbol, replace, last_update_id: Some(last_update_id), bids, asks };
                if let Err(refusal) = self.apply(now_ms, &Command::MarketBook(change)) {
                    tracing::warn!(%symbol, %refusal, "a market book update was refused");
                    return;
                }
                let Some(board) = self.boards.get_mut(&symbol) else { return };
                board.market_update_id = last_update_id;
                board.books += 1;
                let slow_too = board.books.is_multiple_of(BOOKS_PER_SECOND);
                self.publish(now_ms);
                self.flush_depth(now_ms, symbol, DepthPace::Tenth);
                if slow_too {
                    self.flush_depth(now_ms, symbol, DepthPace::Second);
                }
            }
            MarketEvent::Trade { symbol, trade_id, price, quantity, aggressor } => {
                let trade = MarketTrade { symbol, trade_id: Some(trade_id), price, quantity, aggressor };
                if let Err(refusal) = self.apply(now_ms, &Command::MarketTrade(trade)) {
                    tracing::warn!(%symbol, %refusal, "a market trade was refused");
                }
                self.publish(now_ms);
            }
            MarketEvent::Ticker { symbol, update_id, bid, ask } => {
                if let Some(board) = self.boards.get_mut(&symbol) {
                    board.fed = true;
                }
                if self.anybody_quotes(symbol) {
                    return;
                }
                let published = self.exchange.best(symbol).map_or(0, |best| best.last_update_id);
                let market = self.boards.get(&symbol).map_or(0, |board| board.market_update_id);
                let update_id = update_id.saturating_add(published.saturating_sub(market));
                self.offer_ticker(now_ms, symbol, (update_id, bid, ask), true);
            }
        }
    }

    fn anybody_quotes(&self, symbol: Symbol) -> bool {
        self.exchange.accounts().any(|id| self.exchange.open_orders(id, Some(symbol)).next().is_some())
    }

    /// Collects a book change for the next announcements.
    pub(super) fn gather(&mut self, now_ms: i64, change: &BookChange) {
        let symbol = change.symbol;
        for pace in [DepthPace::Tenth, DepthPace::Second] {
            let heard = self.registry.heard(Stream { symbol, kind: StreamKind::Depth(pace) });
            let Some(board) = self.boards.get_mut(&symbol) else { return };
            let gather = board.at(pace);
            gather.changed = true;
            if heard { gather.depth.add(change) } else { gather.depth.clear() }
        }
        // While the market tells its own best quotes, its book updates do not repeat them.
        let told_by_market = self.in_market && self.boards.get(&symbol).is_some_and(|board| board.fed);
        if told_by_market && !self.anybody_quotes(symbol) {
            return;
        }
        if let Ok(best) = self.exchange.best(symbol)
            && let (Some(bid), Some(ask)) = (best.bid, best.ask)
        {
            self.offer_ticker(now_ms, symbol, (best.last_update_id, bid, ask), false);
        }
    }

    /// Announces best quotes if they are newer (and, unless `always`, different).
    fn offer_ticker(&mut self, now_ms: i64, symbol: Symbol, ticker: (u64, Level, Level), always: bool) {
        let Some(board) = self.boards.get_mut(&symbol) else { return };
        if let Some((id, bid, ask)) = board.ticker
            && (ticker.0 <= id || (!always && (bid, ask) == (ticker.1, ticker.2)))
        {
            return;
        }
        board.ticker = Some(ticker);
        let stream = Stream { symbol, kind: StreamKind::BookTicker };
        if self.registry.heard(stream) {
            let payload = render::market::ticker_event(symbol, ticker.0, ticker.1, ticker.2);
            self.tell_listeners(now_ms, stream, &payload);
        }
    }

    fn flush_depth(&mut self, now_ms: i64, symbol: Symbol, pace: DepthPace) {
        let Some(board) = self.boards.get_mut(&symbol) else { return };
        let gather = board.at(pace);
        gather.sent_ms = now_ms;
        gather.changed = false;
        let gathered = gather.depth.take();
        let stream = Stream { symbol, kind: StreamKind::Depth(pace) };
        if let (Some(update), true) = (gathered, self.registry.heard(stream)) {
            let payload = render::market::depth_event(symbol, now_ms, update.ids, &update.bids, &update.asks);
            self.tell_listeners(now_ms, stream, &payload);
        }
        for levels in PARTIALS {
            let stream = Stream { symbol, kind: StreamKind::Partial(levels, pace) };
            if self.registry.heard(stream)
                && let Ok(book) = self.exchange.book(symbol, usize::from(levels))
            {
                let payload = render::market::book(book.last_update_id, &book.bids, &book.asks);
                self.tell_listeners(now_ms, stream, &payload);
            }
        }
    }

    /// What is due by the clock: updates our own accounts caused, klines, reports held back.
    pub fn tick(&mut self, now_ms: i64) {
        let mut due = Vec::new();
        for (symbol, board) in &mut self.boards {
            for (pace, after) in [(DepthPace::Tenth, TENTH_MS), (DepthPace::Second, SECOND_MS)] {
                let gather = board.at(pace);
                if gather.changed && now_ms >= gather.sent_ms.saturating_add(after) {
                    due.push((*symbol, pace));
                }
            }
        }
        for (symbol, pace) in due {
            self.flush_depth(now_ms, symbol, pace);
        }
        self.send_klines(now_ms);
        self.release_held_reports(now_ms);
    }

    fn send_klines(&mut self, now_ms: i64) {
        let mut frames = Vec::new();
        for (symbol, board) in &mut self.boards {
            if !board.klines_changed || now_ms < board.klines_sent_ms.saturating_add(SECOND_MS) {
                continue;
            }
            board.klines_changed = false;
            let since_ms = std::mem::replace(&mut board.klines_sent_ms, now_ms);
            for interval in Interval::ALL {
                let stream = Stream { symbol: *symbol, kind: StreamKind::Kline(interval) };
                if !self.registry.heard(stream) {
                    continue;
                }
                let mut newest: Vec<_> = board.candles.series(interval).rev().take(2).collect();
                newest.reverse();
                let last = newest.last().map(|candle| candle.open_ms);
                for candle in newest {
                    let closed = Some(candle.open_ms) != last;
                    // A closed candle is told once: when its successor opened since the last time.
                    if !closed || last.is_some_and(|open_ms| open_ms > since_ms) {
                        let payload = render::market::kline_event(*symbol, now_ms, interval, candle, closed);
                        frames.push((stream, payload));
                    }
                }
            }
        }
        for (stream, payload) in frames {
            self.tell_listeners(now_ms, stream, &payload);
        }
    }
}

impl Board {
    fn at(&mut self, pace: DepthPace) -> &mut Gather {
        match pace {
            DepthPace::Tenth => &mut self.tenth,
            DepthPace::Second => &mut self.second,
        }
    }
}
