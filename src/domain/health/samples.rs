//! Tables for tests: everything as it should be, from which each test takes something away.

use super::table::*;
use crate::domain::connection::State;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::domain::oms::Phase;
use crate::domain::time::{Mono, WallMs};

/// The instant of every sample.
pub const NOW: Mono = Mono(1_000_000);

fn ago(ms: u64) -> Option<Mono> {
    Some(Mono(NOW.0 - ms))
}

/// A stage that last got on so long ago.
pub fn stage(stage: Stage, last_ms: u64, count: u64) -> StageFact {
    StageFact { stage, last: ago(last_ms), behind_since: None, count, lost: 0, sequence: None, epoch: 1 }
}

/// A session in that state.
pub fn session(state: State) -> SessionFact {
    SessionFact {
        state,
        read_at: Mono(NOW.0 - 100),
        open_at: ago(100),
        live_at: ago(100),
        last_frame: ago(50),
        attempts: 1,
        reconnects: 0,
        undecodable: 0,
        stages: vec![
            stage(Stage::Received, 60, 900),
            stage(Stage::Decoded, 60, 900),
            stage(Stage::Published, 60, 850),
            stage(Stage::Consumed, 55, 850),
        ],
    }
}

/// A component that runs.
pub fn node(path: &str) -> NodeFact {
    NodeFact {
        path: path.to_owned(),
        worker: true,
        state: NodeWord::Running,
        since: Mono(5_000),
        epoch: 1,
        restarts: 0,
        depth: 0,
        handled: 7,
        last_failure: None,
        failed_at: None,
    }
}

/// A feed whose data is fresh.
pub fn feed(symbol: &str) -> FeedFact {
    FeedFact {
        symbol: Symbol::new(symbol).unwrap(),
        last_data: ago(60),
        heard: ago(55),
        in_step: true,
        in_step_at: ago(0),
        update_id: 77,
        resyncs: 0,
    }
}

/// A venue with these instruments, everything fresh.
pub fn venue(name: &str, symbols: &[&str]) -> VenueFact {
    VenueFact {
        venue: VenueId::new(name).unwrap(),
        market: Some(session(State::Live)),
        orders: Some(session(State::Live)),
        feeds: symbols.iter().map(|symbol| feed(symbol)).collect(),
        closed: None,
        heartbeat: Some(HeartbeatFact {
            in_a_row: 0,
            beats: 9,
            latency_ms: Some(3),
            last_beat: ago(4_000),
            interval_ms: 10_000,
        }),
        clock_offset_ms: Some(2),
    }
}

/// Everything as it should be, and trading.
pub fn healthy() -> Table {
    Table {
        at: NOW,
        wall: WallMs(1_800_000_000_000),
        began: Mono(1_000),
        tree: TreeWord::Up,
        nodes: ["journal", "oms", "connector-paper"]
            .iter()
            .map(|name| node(&format!("plimsoll/order_path/{name}")))
            .chain([node("plimsoll/market/market-paper"), node("plimsoll/strategies/quoter/quoter")])
            .collect(),
        venues: vec![venue("paper", &["BTCUSDT"])],
        executor: Some(ExecutorFact { phase: Phase::Running, renewed: ago(20), version: 3, changes: 40 }),
        journal: Some(JournalFact {
            writable: true,
            last_write: ago(300),
            failure: None,
            waiting: 0,
            head: 99,
            disk_low: false,
            free_bytes: Some(1 << 33),
        }),
        strategies: vec![StrategyFact {
            strategy: StrategyId::new("quoter").unwrap(),
            venue: VenueId::new("paper").unwrap(),
            symbol: Symbol::new("BTCUSDT").unwrap(),
            greeted: true,
            trading: true,
            market: stage(Stage::Consumed, 54, 850),
        }],
        alerting: Some(AlertingFact {
            judged: ago(100),
            committed: ago(200),
            overdue_since: None,
            channels: vec![ChannelFact {
                name: "hook".to_owned(),
                delivered: ago(60_000),
                failures: 0,
                last_error: None,
            }],
        }),
        page: Some(PageFact {
            source: ago(30),
            shown: StageFact { sequence: Some(40), ..stage(Stage::Shown, 500, 40) },
            streams: 1,
            read_failed: None,
        }),
        clock: Some(ClockFact { looked: Mono(NOW.0 - 500), stepped: None }),
    }
}
