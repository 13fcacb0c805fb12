//! Which faults a seed injects, and how hard. Drawn per seed, each fault off in about half of them: bugs hide
//! behind other faults that stop the run before they can show.

use fastrand::Rng;
use plimsoll::domain::oms::External;
use plimsoll::domain::order::Patience;

/// Chances are per mille.
#[derive(Debug, Clone)]
pub struct Options {
    pub symbols: usize,
    pub patience: Patience,
    pub external: External,
    /// Operations of strategies and operators before everything heals.
    pub operations: u32,
    /// Mean pause between them, milliseconds.
    pub pause_ms: u64,
    /// Longest ordinary way, one direction.
    pub latency_ms: u64,
    pub timeout_ms: u64,
    /// A request that travelled longer is refused by the venue.
    pub recv_window_ms: u64,
    /// Longest time that the venue hides what it accepted from queries and histories; 0 is none.
    pub hide_ms: u64,
    /// The same, as the venue's contract has it; healing does not change a contract.
    pub window_ms: u64,
    /// Requests that travel up to the receive window.
    pub slow: u32,
    pub lose_request: u32,
    pub lose_response: u32,
    pub server_error: u32,
    pub deny: u32,
    pub reject: u32,
    pub drop_report: u32,
    pub duplicate_report: u32,
    pub reorder: bool,
    pub late_reject: u32,
    pub overfill: u32,
    /// Longest time until a batch is synced.
    pub sync_ms: u64,
    /// The store says that it wrote before it did. No seed draws it: it is the harness's own test.
    pub lying_sync: bool,
    /// Crash somewhere inside a list of effects.
    pub crash: u32,
    /// Crash before exactly this effect, counted from the start of the run.
    pub crash_at: Option<u64>,
    pub snapshot_every: u64,
    /// Weights of the operations.
    pub disconnect: u32,
    pub connector_dies: u32,
    pub disk: u32,
    pub halt: u32,
    pub foreign: u32,
    pub deposit: u32,
    pub bust: u32,
    pub clock: u32,
    pub drain: u32,
}

impl Options {
    pub fn draw(rng: &mut Rng) -> Self {
        let mut some = |most: u32| if rng.bool() { rng.u32(1..=most) } else { 0 };
        let (slow, lose_request, lose_response, server_error) = (some(100), some(150), some(150), some(100));
        let (deny, reject, drop_report, duplicate_report) = (some(150), some(80), some(250), some(300));
        let (late_reject, crash, disconnect, connector_dies) = (some(60), some(15), some(8), some(4));
        let (disk, halt, foreign, deposit, bust) = (some(6), some(3), some(10), some(5), some(3));
        let (clock, drain) = (some(4), some(3));
        let window_ms = if rng.bool() { rng.u64(50..=2_500) } else { 0 };
        Self {
            symbols: rng.usize(1..=2),
            patience: [
                Patience::Adopt,
                Patience::Requeue,
                Patience::Requeue,
                Patience::Cancel,
                Patience::Hold,
            ][rng.usize(..5)],
            external: [External::Adopt, External::Adopt, External::Cancel, External::Hold][rng.usize(..4)],
            operations: rng.u32(5..=60),
            pause_ms: rng.u64(20..=500),
            latency_ms: rng.u64(1..=60),
            timeout_ms: rng.u64(200..=2_000),
            recv_window_ms: rng.u64(500..=3_000),
            hide_ms: window_ms,
            window_ms,
            slow,
            lose_request,
            lose_response,
            server_error,
            deny,
            reject,
            drop_report,
            duplicate_report,
            reorder: rng.bool(),
            late_reject,
            overfill: if rng.u32(..20) == 0 { 30 } else { 0 },
            sync_ms: rng.u64(1..=40),
            lying_sync: false,
            crash,
            crash_at: None,
            snapshot_every: rng.u64(5..=300),
            disconnect,
            connector_dies,
            disk,
            halt,
            foreign,
            deposit,
            bust,
            clock,
            drain,
        }
    }

    /// No faults at all: what a scripted run adds to.
    pub fn calm(rng: &mut Rng) -> Self {
        Self {
            symbols: 1,
            patience: Patience::Requeue,
            external: External::Adopt,
            hide_ms: 0,
            slow: 0,
            lose_request: 0,
            lose_response: 0,
            server_error: 0,
            deny: 0,
            reject: 0,
            drop_report: 0,
            duplicate_report: 0,
            reorder: false,
            late_reject: 0,
            overfill: 0,
            crash: 0,
            disconnect: 0,
            connector_dies: 0,
            disk: 0,
            halt: 0,
            foreign: 0,
            deposit: 0,
            bust: 0,
            clock: 0,
            drain: 0,
            ..Self::draw(rng)
        }
    }

    /// From now on everything works and nothing is lost. The store's lie stays: it is not a fault that heals.
    pub fn heal(&mut self) {
        let healed = Self::calm(&mut Rng::with_seed(0));
        *self = Self {
            symbols: self.symbols,
            patience: self.patience,
            external: self.external,
            lying_sync: self.lying_sync,
            crash_at: self.crash_at,
            recv_window_ms: self.recv_window_ms,
            window_ms: self.window_ms,
            timeout_ms: self.timeout_ms,
            snapshot_every: self.snapshot_every,
            latency_ms: 10,
            sync_ms: 5,
            ..healed
        };
    }
}
