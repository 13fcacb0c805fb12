//! From what the components show to one table of evidence on one clock.
//!
//! It remembers only when something was last seen to hold (a session open, a book in step, a beat answered), because
//! the components show states, not their ages. It judges nothing.

use super::readings::OrderPath;
use crate::actors::Readings;
use crate::domain::connection::State;
use crate::domain::evidence::EvidenceView;
use crate::domain::health::{
    AlertingFact, ChannelFact, ClockFact, ExecutorFact, FeedFact, HeartbeatFact, JournalFact, NodeFact,
    NodeWord, PageFact, SessionFact, Stage, StageFact, StrategyFact, Table, TreeWord, VenueFact,
};
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::oms::Phase;
use crate::domain::time::{Mono, WallMs};
use crate::supervision::{Node, NodeKind, NodeState};
use crate::venues::VenueEvidence;
use std::collections::BTreeMap;
use std::time::Instant;

/// Zero of the table's clock lies this far in the past, so that an age is never cut off at the start.
const ORIGIN_MS: u64 = 1_000;

/// A stage may be this much behind the one before it, milliseconds: facts of one instant are read one after another.
const BEHIND_MS: u64 = 500;

/// Which session of a venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    Market,
    Orders,
}

#[derive(Debug, Clone, Copy, Default)]
struct LastSeen {
    open: Option<Mono>,
    live: Option<Mono>,
}

/// What was gathered at one instant.
pub(super) struct Gathered {
    pub(super) table: Table,
    pub(super) up: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) orders: Option<OrderPath>,
}

/// See the module's head. Bounded by the configured venues, instruments and strategies.
#[derive(Debug)]
pub(super) struct Gatherer {
    began: Instant,
    sessions: BTreeMap<(VenueId, Which), LastSeen>,
    in_step: BTreeMap<(VenueId, Symbol), Mono>,
    beats: BTreeMap<VenueId, (u64, Option<Mono>)>,
    /// Since when a stage is behind the one before it, by the flow's name.
    behind: BTreeMap<(String, Stage), Mono>,
    was_up: bool,
}

impl Gatherer {
    /// One that has seen nothing. Instants are told from `began` on.
    pub(super) fn new(began: Instant) -> Self {
        Self {
            began,
            sessions: BTreeMap::new(),
            in_step: BTreeMap::new(),
            beats: BTreeMap::new(),
            behind: BTreeMap::new(),
            was_up: false,
        }
    }

    /// Everything that is shown now.
    pub(super) fn gather(&mut self, readings: &Readings, at: Instant) -> Gathered {
        let now = self.mono(at);
        let tree = readings.tree.get();
        let nodes = tree.map(crate::supervision::Tree::snapshot).unwrap_or_default();
        let up = tree.is_some_and(crate::supervision::Tree::is_up);
        self.was_up |= up;
        let orders = readings.trades.then(|| order_path(readings, at));
        let draining = orders.as_ref().is_some_and(|path| path.oms.phase == Phase::Draining);
        let word = match (up && !draining, self.was_up) {
            (true, _) => TreeWord::Up,
            (false, true) => TreeWord::Ending,
            (false, false) => TreeWord::Starting,
        };
        let table = Table {
            at: now,
            wall: WallMs(crate::clock::wall_millis()),
            began: Mono(ORIGIN_MS),
            tree: word,
            nodes: nodes
                .iter()
                .filter(|node| node.kind != NodeKind::Task)
                .map(|node| fact(now, node))
                .collect(),
            venues: readings.market.keys().map(|venue| self.venue(readings, venue, now)).collect(),
            executor: orders.as_ref().map(|path| ExecutorFact {
                phase: path.oms.phase,
                renewed: readings.oms.renewed().map(|at| self.mono(at)),
                version: path.oms.version,
                changes: readings.oms.told(),
            }),
            journal: orders.as_ref().map(|path| JournalFact {
                writable: path.journal.writable && path.oms.journal_writable,
                last_write: path.journal.last_write.map(|at| self.mono(at)),
                failure: path.journal.failure.clone(),
                waiting: count(path.journal.waiting_rows),
                head: path.journal.head.0,
                disk_low: path.journal.disk_low,
                free_bytes: path.journal.free_bytes,
            }),
            strategies: self.strategies(readings, now),
            alerting: orders.as_ref().map(|_| self.alerting(readings, now)),
            page: orders.as_ref().map(|_| self.page(readings)),
            clock: readings.clock.latest().map(|clock| ClockFact {
                looked: self.mono(clock.looked_at),
                stepped: clock.last_step.map(|(seconds, at)| (millis(seconds), self.mono(at))),
            }),
        };
        Gathered { table, up, nodes, orders }
    }

    /// An instant on the table's clock.
    pub(super) fn mono(&self, at: Instant) -> Mono {
        let since = u64::try_from(at.saturating_duration_since(self.began).as_millis()).unwrap_or(u64::MAX);
        Mono(since.saturating_add(ORIGIN_MS))
    }

    fn venue(&mut self, readings: &Readings, id: &VenueId, now: Mono) -> VenueFact {
        let market = readings.market.get(id).and_then(|seen| seen.latest_at());
        let orders = readings.orders.get(id).and_then(|seen| seen.latest_at());
        let board = readings.boards.get(id).cloned().unwrap_or_default();
        let (taken, taken_at) = board.taken();
        let consumed = StageFact {
            stage: Stage::Consumed,
            last: taken_at.map(|at| self.mono(at)),
            behind_since: None,
            count: taken,
            lost: 0,
            sequence: None,
            epoch: 0,
        };
        let market_fact = market.as_ref().map(|(seen, at)| {
            let mut session = self.session(id, Which::Market, &seen.market, seen.now, *at);
            session.stages.push(consumed);
            self.follow(&format!("market/{id}"), now, &mut session.stages);
            session
        });
        let orders_fact =
            orders.as_ref().map(|(seen, at)| self.session(id, Which::Orders, &seen.orders, seen.now, *at));
        let symbols = readings.symbols.get(id).cloned().unwrap_or_default();
        let feeds =
            symbols.into_iter().map(|symbol| self.feed(id, symbol, market.as_ref(), &board, now)).collect();
        let gates = readings.oms.view().gates;
        let closed = gates.into_iter().find(|gate| gate.venue == *id && !gate.open).map(|gate| gate.reason);
        VenueFact {
            venue: id.clone(),
            market: market_fact,
            orders: orders_fact,
            feeds,
            closed,
            heartbeat: self.heartbeat(readings, id, now),
            clock_offset_ms: orders.and_then(|(seen, _)| seen.clock_offset_ms),
        }
    }

    fn session(
        &mut self,
        id: &VenueId,
        which: Which,
        seen: &EvidenceView,
        venue_now: Mono,
        read: Instant,
    ) -> SessionFact {
        let read_at = self.mono(read);
        // From the venue's own clock to ours: by age.
        let ours = |at: Option<Mono>| at.map(|at| Mono(read_at.0.saturating_sub(venue_now.since(at))));
        let last = self.sessions.entry((id.clone(), which)).or_default();
        if seen.state.is_open() {
            last.open = Some(read_at);
        }
        if seen.state == State::Live {
            last.live = Some(read_at);
        }
        let stage = |stage, last, count, lost, sequence| StageFact {
            stage,
            last: ours(last),
            behind_since: None,
            count,
            lost,
            sequence,
            epoch: seen.reconnects,
        };
        SessionFact {
            state: seen.state,
            read_at,
            open_at: last.open,
            live_at: last.live,
            last_frame: ours(seen.last_frame),
            attempts: seen.attempts,
            reconnects: seen.reconnects,
            undecodable: seen.undecodable,
            stages: vec![
                stage(Stage::Received, seen.last_data, seen.received, 0, None),
                stage(Stage::Decoded, seen.last_decoded, seen.decoded, seen.undecodable, Some(seen.sequence)),
                stage(Stage::Published, seen.last_published, seen.published, seen.dropped, None),
            ],
        }
    }

    fn feed(
        &mut self,
        id: &VenueId,
        symbol: Symbol,
        market: Option<&(VenueEvidence, Instant)>,
        board: &crate::actors::market_data::MarketBoard,
        now: Mono,
    ) -> FeedFact {
        let found = market.and_then(|(seen, at)| {
            let view = seen.feeds.iter().find(|feed| feed.symbol == symbol)?;
            let read_at = self.mono(*at);
            let last = view.last_data.map(|at| Mono(read_at.0.saturating_sub(seen.now.since(at))));
            Some((view, last))
        });
        let shown = board.of(&symbol);
        let in_step = found.as_ref().is_some_and(|(view, _)| view.book_in_step)
            && shown.as_ref().is_some_and(|seen| seen.book.is_some());
        let key = (id.clone(), symbol.clone());
        if in_step {
            self.in_step.insert(key.clone(), now);
        }
        FeedFact {
            symbol,
            last_data: found.as_ref().and_then(|(_, last)| *last),
            heard: shown.and_then(|seen| seen.heard).map(|at| self.mono(at)),
            in_step,
            in_step_at: self.in_step.get(&key).copied(),
            update_id: found.as_ref().map_or(0, |(view, _)| view.update_id),
            resyncs: found.map_or(0, |(view, _)| view.resyncs),
        }
    }

    fn heartbeat(&mut self, readings: &Readings, id: &VenueId, now: Mono) -> Option<HeartbeatFact> {
        let counts = readings.heartbeats.get(id)?.latest().counts;
        let known = self.beats.entry(id.clone()).or_default();
        if counts.beats != known.0 {
            *known = (counts.beats, Some(now));
        }
        Some(HeartbeatFact {
            in_a_row: counts.in_a_row,
            beats: counts.beats,
            latency_ms: counts.latency_ms,
            last_beat: known.1,
            interval_ms: readings.beat_interval_ms,
        })
    }

    /// Notes since when each stage is behind the one before it.
    fn follow(&mut self, flow: &str, now: Mono, stages: &mut [StageFact]) {
        let mut before: Option<Mono> = None;
        for (at, fact) in stages.iter_mut().enumerate() {
            let lags =
                at > 0 && before.is_some_and(|came| fact.last.is_none_or(|own| came.since(own) > BEHIND_MS));
            fact.behind_since = self.since_when(flow, fact.stage, lags, now);
            before = fact.last;
        }
    }

    fn since_when(&mut self, flow: &str, stage: Stage, lags: bool, now: Mono) -> Option<Mono> {
        let key = (flow.to_owned(), stage);
        if lags {
            return Some(*self.behind.entry(key).or_insert(now));
        }
        self.behind.remove(&key);
        None
    }

    fn strategies(&mut self, readings: &Readings, now: Mono) -> Vec<StrategyFact> {
        let all = readings.strategies.iter();
        all.filter_map(|(strategy, shown)| {
            let (venue, symbol) = readings.markets.get(strategy)?.clone();
            let heard =
                readings.boards.get(&venue).and_then(|board| board.of(&symbol)).and_then(|seen| seen.heard);
            let seen = shown.latest();
            let (heard, taken) = (heard.map(|at| self.mono(at)), seen.market_at.map(|at| self.mono(at)));
            let lags = heard.is_some_and(|came| taken.is_none_or(|own| came.since(own) > BEHIND_MS));
            let behind_since = self.since_when(&format!("strategy/{strategy}"), Stage::Consumed, lags, now);
            Some(StrategyFact {
                strategy: strategy.clone(),
                venue,
                symbol,
                greeted: seen.greeted,
                trading: seen.trading,
                market: StageFact {
                    stage: Stage::Consumed,
                    last: taken,
                    behind_since,
                    count: seen.market,
                    lost: seen.missed,
                    sequence: None,
                    epoch: 0,
                },
            })
        })
        .collect()
    }

    fn alerting(&self, readings: &Readings, now: Mono) -> AlertingFact {
        let router = readings.alerting.latest();
        let wall = crate::clock::wall_millis();
        // Told on the wall clock, because it outlives the process: by age.
        let ours = |at: Option<WallMs>| {
            at.map(|at| Mono(now.0.saturating_sub(u64::try_from(wall.saturating_sub(at.0)).unwrap_or(0))))
        };
        AlertingFact {
            judged: router.judged_at.map(|at| self.mono(at)),
            committed: router.committed_at.map(|at| self.mono(at)),
            overdue_since: ours(router.stuck_since()),
            channels: router
                .channels
                .iter()
                .map(|channel| ChannelFact {
                    name: channel.reading.name.clone(),
                    delivered: ours(channel.reading.last_ok),
                    failures: u64::from(channel.reading.failures),
                    last_error: channel.reading.last_error.clone(),
                })
                .collect(),
        }
    }

    fn page(&self, readings: &Readings) -> PageFact {
        let page = readings.page.latest();
        PageFact {
            source: readings.oms.renewed().map(|at| self.mono(at)),
            shown: StageFact {
                stage: Stage::Shown,
                last: page.shown_at.map(|at| self.mono(at)),
                behind_since: None,
                count: page.shown,
                lost: page.lost,
                sequence: page.shown_at.map(|_| page.sequence),
                epoch: 0,
            },
            streams: page.streams,
            read_failed: page.read_failed.map(|at| self.mono(at)),
        }
    }
}

/// The order path as its parts show it.
pub(super) fn order_path(readings: &Readings, now: Instant) -> OrderPath {
    let journal = readings.journal.latest();
    let journal_idle = journal.last_write.map(|at| now.saturating_duration_since(at));
    OrderPath { oms: readings.oms.view(), journal, journal_idle }
}

fn fact(now: Mono, node: &Node) -> NodeFact {
    let ago = |seconds: f64| Mono(now.0.saturating_sub(u64::try_from(millis(seconds)).unwrap_or(0)));
    NodeFact {
        path: node.path.clone(),
        worker: node.kind == NodeKind::Worker,
        state: match node.state {
            NodeState::Starting => NodeWord::Starting,
            NodeState::Running => NodeWord::Running,
            NodeState::Backoff => NodeWord::Backoff,
            NodeState::Stopping => NodeWord::Stopping,
            NodeState::Stopped => NodeWord::Stopped,
            NodeState::Failed => NodeWord::Failed,
        },
        since: ago(node.age_seconds),
        epoch: node.epoch,
        restarts: node.restarts,
        depth: count(node.mailbox_depth),
        handled: node.handled,
        last_failure: node.last_failure.clone(),
        failed_at: node.last_failure_age_seconds.map(ago),
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Seconds as whole milliseconds, signed.
fn millis(seconds: f64) -> i64 {
    let duration = std::time::Duration::try_from_secs_f64(seconds.abs()).unwrap_or_default();
    let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    if seconds < 0.0 { ms.saturating_neg() } else { ms }
}
