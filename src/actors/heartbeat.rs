//! A venue's heartbeat: asks its connector for a sign of life on an interval and tells what comes of it.
//!
//! It promises: every good answer is logged as `event="heartbeat"` with its latency and handed on to the comparison of
//! balances by the connector; two missed intervals raise `heartbeat_missed`, persistent reconnections
//! `reconnect_storm`, and both are cleared by what ends them. It receives nothing from others. When it dies, its
//! successor begins to count anew; totals go on. Nothing waits for it, and it decides nothing about orders.

use super::alert_board::AlertBoard;
use super::connector::{Beat, BeatRead, VenueReadings};
use crate::domain::heartbeat::{Counts, Effect, Event, Heartbeat, Knobs, MISSED, STORM};
use crate::domain::ids::VenueId;
use crate::domain::losses::LossCause;
use crate::domain::outcome::ReadError;
use crate::domain::time::Mono;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, Port, cell};
use actix::{Actor, AsyncContext, Handler, Message};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How often time passes for the machine, at most; a short interval is divided finer.
const TICK_MAX: Duration = Duration::from_millis(100);
/// Ticks in an interval, at least.
const TICKS_PER_INTERVAL: u64 = 10;

/// What is shown of a heartbeat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeartbeatReading {
    /// Counts since the process began.
    pub counts: Counts,
    /// Assets held and open orders, as last answered.
    pub last: Option<BeatRead>,
    /// Losses of the order session by cause; every cause is there once the cell has begun.
    pub losses: BTreeMap<LossCause, u64>,
}

/// A heartbeat's figures, for readers on other threads.
#[derive(Debug, Clone, Default)]
pub struct HeartbeatReadings(Arc<RwLock<HeartbeatReading>>);

impl HeartbeatReadings {
    /// The latest figures.
    #[must_use]
    pub fn latest(&self) -> HeartbeatReading {
        self.0.read().clone()
    }
}

/// What a heartbeat is made of.
#[derive(Clone)]
pub struct HeartbeatSetup {
    /// Whose.
    pub venue: VenueId,
    /// Times and limits.
    pub knobs: Knobs,
    /// Its connector.
    pub ask: Port<Beat>,
    /// What the connector shows.
    pub seen: VenueReadings,
    /// Where alerts stand.
    pub alerts: AlertBoard,
    /// Where the figures go.
    pub readings: HeartbeatReadings,
}

/// The end of a question; `None` when the connector ended with it in hand.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Answer {
    number: u64,
    read: Option<Result<BeatRead, ReadError>>,
}

/// See the module's head.
pub struct HeartbeatCell {
    setup: HeartbeatSetup,
    machine: Heartbeat,
    /// Counts of earlier incarnations.
    before: Counts,
    losses: BTreeMap<LossCause, u64>,
    origin: Instant,
    tasks: JoinSet<()>,
}

impl Actor for HeartbeatCell {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        // What an earlier incarnation had raised is judged anew.
        for code in [MISSED, STORM] {
            self.setup.alerts.clear(code, self.setup.venue.as_str());
        }
        let interval =
            Duration::from_millis(self.setup.knobs.interval_ms.div_euclid(TICKS_PER_INTERVAL).max(1));
        self.tick(ctx);
        ctx.run_interval(interval.min(TICK_MAX), |beat, ctx| beat.tick(ctx));
    }
}

impl Handler<Answer> for HeartbeatCell {
    type Result = ();

    fn handle(&mut self, answer: Answer, ctx: &mut Ctx<Self>) {
        let number = answer.number;
        let event = match answer.read {
            Some(Ok(read)) => {
                self.setup.readings.0.write().last = Some(read);
                Event::Answered { number }
            }
            Some(Err(error)) => Event::Failed { number, why: error.to_string() },
            None => Event::Failed { number, why: "the connector ended with the question in hand".to_owned() },
        };
        self.step(event, ctx);
    }
}

impl HeartbeatCell {
    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        let losses = self.setup.seen.losses();
        for (cause, total) in &losses {
            let known = self.losses.get(cause).copied().unwrap_or_default();
            let times = total.saturating_sub(known);
            if times > 0 {
                let venue = &self.setup.venue;
                tracing::warn!(event = "session_lost", venue.name = %venue, cause = cause.word(), times, total);
                self.step(Event::Lost { cause: *cause, times }, ctx);
            }
        }
        self.losses = losses;
        self.step(Event::Tick, ctx);
    }

    fn step(&mut self, event: Event, ctx: &mut Ctx<Self>) {
        let since = crate::clock::monotonic().saturating_duration_since(self.origin);
        let now = Mono(u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        let effects = self.machine.step(now, event);
        self.show();
        for effect in effects {
            self.perform(effect, ctx);
        }
    }

    fn perform(&mut self, effect: Effect, ctx: &Ctx<Self>) {
        let (venue, alerts) = (&self.setup.venue, &self.setup.alerts);
        match effect {
            Effect::Ask { number } => self.ask(number, ctx),
            Effect::Beat { latency_ms } => {
                let shown = self.setup.readings.latest();
                let (balances, open_orders) =
                    shown.last.map_or((0, 0), |read| (read.balances, read.open_orders));
                tracing::info!(
                    event = "heartbeat", venue.name = %venue, latency_ms, balances, open_orders,
                    misses = shown.counts.misses
                );
            }
            Effect::Missed { in_a_row, why } => tracing::warn!(
                event = "heartbeat_overdue", venue.name = %venue, in_a_row, why, "an interval without a good answer"
            ),
            Effect::Raise { code, reason } => alerts.raise(code, venue.as_str(), reason),
            Effect::Clear { code } => alerts.clear(code, venue.as_str()),
        }
    }

    fn ask(&mut self, number: u64, ctx: &Ctx<Self>) {
        // The one before was given up.
        self.tasks.abort_all();
        while self.tasks.try_join_next().is_some() {}
        let (answer, answered) = oneshot::channel();
        // A question that is not taken drops its end, like one that was lost.
        let _ = self.setup.ask.tell(Beat { answer });
        let own = ctx.handle();
        self.tasks.spawn_local(async move {
            let read = answered.await.ok();
            // Closed means that this incarnation has ended as well.
            let _ = own.tell(Answer { number, read });
        });
    }

    fn show(&self) {
        let now = self.machine.counts();
        let mut shown = self.setup.readings.0.write();
        shown.counts = Counts {
            beats: self.before.beats.saturating_add(now.beats),
            misses: self.before.misses.saturating_add(now.misses),
            ..now
        };
        shown.losses.clone_from(&self.losses);
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(setup: HeartbeatSetup) -> (Handle<HeartbeatCell>, Cell<HeartbeatCell>) {
    let name = format!("heartbeat-{}", setup.venue);
    cell(&name, spec(), move |_: &mut Ctx<HeartbeatCell>| {
        let before = setup.readings.latest().counts;
        Ok(HeartbeatCell {
            machine: Heartbeat::new(setup.knobs),
            losses: setup.seen.losses(),
            setup: setup.clone(),
            before,
            origin: crate::clock::monotonic(),
            tasks: JoinSet::new(),
        })
    })
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("housekeeping".to_owned()),
        metadata: vec![("workload".to_owned(), "asks the venue for a sign of life".to_owned())],
        ..ChildSpec::default()
    }
}
