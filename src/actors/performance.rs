//! The performance tracker: folds the journal into every strategy's figures and observes them on a fixed clock.
//!
//! It promises: an observation holds every fill that was on the disk when it was made; observations and the fold are
//! written together, so that a crash at any moment neither loses a fill nor counts one twice; time without an
//! observation is a gap and never a return. It receives no messages. When it dies its successor takes up the fold from
//! the database. Orders know nothing of it: too many failures end it alone. It decides nothing.

use super::journal::AppendPerformance;
use super::oms::OmsReadings;
use crate::clock;
use crate::db::{DbError, PAGE_MAX, PerformanceWrite, PointRow, Readers};
use crate::domain::ids::{Asset, Correlation, StrategyId, Symbol, VenueId};
use crate::domain::journal::{NewRow, Row};
use crate::domain::kpi::{Allotments, DAY, Scope, Totals, TrackError, Tracker, tick_at};
use crate::domain::money::Price;
use crate::domain::oms::Mark;
use crate::domain::time::WallMs;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Port, Restart, SupervisorDecl, cell, supervisor};
use actix::{Actor, AsyncContext};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

/// How often it looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(250);
/// Pages of the journal that are read at once; the rest waits for the next look.
const PAGES_MAX: u32 = 64;
/// Failures within a minute after which it stays down.
const RESTARTS_MAX: u32 = 5;
/// Old observations are thinned this often, milliseconds.
const THIN_EVERY: i64 = 3_600_000;

/// How performance is observed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PerformancePlan {
    /// Time between observations.
    pub sample: Duration,
    /// Budgets and costs.
    pub allotments: Allotments,
    /// Fixed prices in the currency, of assets without an instrument against it.
    pub asset_prices: BTreeMap<Asset, Price>,
}

/// How the tracker is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerformanceReading {
    /// The last row of the journal that is in the figures.
    pub row: u64,
    /// The last observation (wall clock).
    pub observed_at: Option<WallMs>,
    /// Every scope that has figures.
    pub scopes: Vec<Scope>,
    /// Why there are no new figures.
    pub failure: Option<String>,
}

/// The tracker's state and settings, for readers on other threads.
#[derive(Debug, Clone, Default)]
pub struct PerformanceReadings {
    plan: Option<Arc<PerformancePlan>>,
    latest: Arc<RwLock<PerformanceReading>>,
}

impl PerformanceReadings {
    /// Nothing observed yet.
    #[must_use]
    pub fn new(plan: &PerformancePlan) -> Self {
        Self { plan: Some(Arc::new(plan.clone())), latest: Arc::default() }
    }

    /// How the tracker is.
    #[must_use]
    pub fn latest(&self) -> PerformanceReading {
        self.latest.read().clone()
    }

    /// How performance is observed; `None` when nothing trades.
    #[must_use]
    pub fn plan(&self) -> Option<&PerformancePlan> {
        self.plan.as_deref()
    }
}

/// The fold as it is made anew from the whole journal.
type Rebuilt = Result<Tracker, String>;

enum Stage {
    /// The stored fold was not read yet.
    Begin,
    /// The whole journal is being read, on a thread of its own.
    Rebuilding(Receiver<Rebuilt>),
    /// Rows are taken as they come.
    Following(Box<Tracker>),
    /// The journal cannot be folded.
    Stuck,
}

/// See the module's head.
pub struct Performance {
    readings: PerformanceReadings,
    readers: Readers,
    oms: OmsReadings,
    journal: Port<AppendPerformance>,
    sample_ms: i64,
    stage: Stage,
    /// The last observation of this incarnation.
    last: Option<WallMs>,
}

impl Actor for Performance {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.look();
        ctx.run_interval(LOOK, |tracker, _| tracker.look());
    }
}

impl Performance {
    fn look(&mut self) {
        if let Err(why) = self.go_on() {
            self.show_failure(Some(why));
        }
    }

    fn show_failure(&self, failure: Option<String>) {
        let mut latest = self.readings.latest.write();
        if latest.failure != failure {
            if let Some(why) = &failure {
                tracing::warn!(event = "performance_delayed", why, "no new performance figures");
            }
            latest.failure = failure;
        }
    }

    fn go_on(&mut self) -> Result<(), String> {
        match &mut self.stage {
            Stage::Begin => {
                self.stage = match self.readers.performance_state() {
                    Ok(Some(tracker)) => Stage::Following(Box::new(tracker)),
                    Ok(None) => Stage::Following(Box::default()),
                    Err(error @ DbError::Unreadable { .. }) => {
                        tracing::warn!(error = %error, "the figures are worked out anew from the whole journal");
                        self.rebuild()?
                    }
                    // The journal is not there yet, or cannot be read now.
                    Err(error) => return Err(error.to_string()),
                };
                Ok(())
            }
            Stage::Rebuilding(result) => {
                match result.try_recv() {
                    Ok(Ok(tracker)) => self.stage = Stage::Following(Box::new(tracker)),
                    Ok(Err(why)) => {
                        self.stage = Stage::Stuck;
                        return Err(why);
                    }
                    Err(TryRecvError::Empty) => {}
                    Err(TryRecvError::Disconnected) => self.stage = self.rebuild()?,
                }
                Ok(())
            }
            Stage::Following(tracker) => match catch_up(tracker, &self.readers) {
                Ok(true) => self.observe(),
                Ok(false) => Ok(()),
                Err(CatchUp::Read(error)) => Err(error.to_string()),
                Err(CatchUp::Track(TrackError::Hole { after, found })) => {
                    tracing::info!(after, found, "rows were archived; the whole journal is read");
                    self.stage = self.rebuild()?;
                    Ok(())
                }
                Err(CatchUp::Track(error)) => {
                    self.stage = Stage::Stuck;
                    Err(error.to_string())
                }
            },
            Stage::Stuck => Ok(()),
        }
    }

    fn rebuild(&self) -> Result<Stage, String> {
        let (done, result) = std::sync::mpsc::sync_channel(1);
        let readers = self.readers.clone();
        let thread = std::thread::Builder::new().name("performance-rebuild".to_owned());
        let work = move || {
            // Whoever asked may be gone.
            let _ = done.send(from_the_beginning(&readers));
        };
        thread.spawn(work).map_err(|error| error.to_string())?;
        Ok(Stage::Rebuilding(result))
    }

    /// Makes an observation when the clock has ticked since the last one; the first one of a run is made at once.
    fn observe(&mut self) -> Result<(), String> {
        let now = WallMs(clock::wall_millis());
        let tick = tick_at(now, self.sample_ms);
        // A clock that was set back by more than a tick: what it showed before is no measure any more.
        if self.last.is_some_and(|last| last.0.saturating_sub(now.0) > self.sample_ms) {
            self.last = None;
        }
        let at = match self.last {
            Some(last) if tick <= last => return Ok(()),
            Some(_) => tick,
            None => now,
        };
        let Stage::Following(tracker) = &mut self.stage else { return Ok(()) };
        let fixed = fixed_prices(self.readings.plan());
        let mark = |venue: &VenueId, symbol: &Symbol| {
            let price = || fixed.get(symbol).map(|price| Mark { bid: *price, ask: *price });
            self.oms.mark(venue, symbol).or_else(price)
        };
        let too_large = || "a figure does not fit".to_owned();
        // What was not observed is not held against anybody.
        let hour = |at: WallMs| at.0.div_euclid(THIN_EVERY);
        let thins = self.last.is_none_or(|last| hour(last) != hour(at));
        let since = self.last.map_or(0, |last| at.0.saturating_sub(last.0));
        let elapsed = if since <= self.sample_ms.saturating_mul(2) { since } else { 0 };
        // Whatever goes wrong from here on, this moment is over: an observation that is not written is a gap.
        self.last = Some(at);
        tracker.accrue(u64::try_from(elapsed).unwrap_or(0), &mark).ok_or_else(too_large)?;
        let scopes = tracker.scopes();
        let mut points = Vec::with_capacity(scopes.len());
        let mut day = Vec::new();
        for scope in &scopes {
            let totals = tracker.totals(scope, at, &mark).ok_or_else(too_large)?;
            points.push(PointRow::new(scope, at, &totals).map_err(|error| error.to_string())?);
            day.push((scope, totals));
        }
        let daily = if tracker.turns_to(at.0.div_euclid(DAY)) { Some(daily_row(at, &day)?) } else { None };
        let write = PerformanceWrite {
            points,
            seq: tracker.cursor().0,
            state: serde_json::to_string(tracker).map_err(|error| error.to_string())?,
            daily,
            thin: thins.then_some(at),
        };
        let row = write.seq;
        self.journal
            .tell(AppendPerformance(Box::new(write)))
            .map_err(|_| "the journal takes no observations now".to_owned())?;
        *self.readings.latest.write() =
            PerformanceReading { row, observed_at: Some(at), scopes, failure: None };
        Ok(())
    }
}

enum CatchUp {
    Read(DbError),
    Track(TrackError),
}

/// Takes new rows; true when there are no more.
fn catch_up(tracker: &mut Tracker, readers: &Readers) -> Result<bool, CatchUp> {
    for _ in 0..PAGES_MAX {
        let rows = readers.journal(tracker.cursor(), PAGE_MAX).map_err(CatchUp::Read)?;
        for row in &rows {
            tracker.take(row).map_err(CatchUp::Track)?;
        }
        if u32::try_from(rows.len()).is_ok_and(|found| found < PAGE_MAX) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn from_the_beginning(readers: &Readers) -> Rebuilt {
    let mut tracker = Tracker::default();
    let mut failed = None;
    let take = |row: Row| {
        if failed.is_none() {
            failed = tracker.take(&row).err();
        }
        Ok(())
    };
    let mut inspector = readers.inspector().map_err(|error| error.to_string())?;
    inspector.export(take).map_err(|error| error.to_string())?;
    match failed {
        None => Ok(tracker),
        Some(error) => Err(error.to_string()),
    }
}

/// Configured prices under the names that instruments for them would have.
fn fixed_prices(plan: Option<&PerformancePlan>) -> BTreeMap<Symbol, Price> {
    let priced = |plan: &PerformancePlan| {
        let currency = plan.allotments.currency.clone();
        let one = |(asset, price): (&Asset, &Price)| {
            Some((Symbol::new(&format!("{asset}{currency}")).ok()?, *price))
        };
        plan.asset_prices.iter().filter_map(one).collect()
    };
    plan.map(priced).unwrap_or_default()
}

/// The day's figures as a row of the journal.
fn daily_row(at: WallMs, scopes: &[(&Scope, Totals)]) -> Result<NewRow, String> {
    let one = |(scope, totals): &(&Scope, Totals)| {
        let strategy = scope.strategy.as_ref().map(StrategyId::as_str);
        let venue = scope.venue.as_ref().map(VenueId::as_str);
        serde_json::json!({"strategy": strategy, "venue": venue, "totals": totals})
    };
    let scopes: Vec<serde_json::Value> = scopes.iter().map(one).collect();
    Ok(NewRow {
        kind: "performance",
        correlation: Correlation::new("performance").map_err(|error| error.to_string())?,
        at,
        payload: serde_json::json!({"at": at.rfc3339(), "scopes": scopes}).to_string(),
    })
}

/// Declares the cell, under a supervisor of its own so that it fails alone.
#[must_use]
pub fn declare(
    readings: PerformanceReadings,
    readers: Readers,
    oms: OmsReadings,
    journal: Port<AppendPerformance>,
) -> SupervisorDecl {
    let spec = ChildSpec {
        metadata: vec![("workload".to_owned(), "folds the journal into figures".to_owned())],
        ..ChildSpec::default()
    };
    let (_, cell): (Handle<Performance>, Cell<Performance>) =
        cell("performance", spec, move |_: &mut Ctx<Performance>| {
            let sample = readings.plan().map_or(Duration::from_mins(1), |plan| plan.sample);
            Ok(Performance {
                readings: readings.clone(),
                readers: readers.clone(),
                oms: oms.clone(),
                journal: journal.clone(),
                sample_ms: i64::try_from(sample.as_millis()).unwrap_or(i64::MAX).max(1),
                stage: Stage::Begin,
                last: None,
            })
        });
    supervisor("figures")
        .intensity(RESTARTS_MAX, Duration::from_secs(60))
        .restart(Restart::Temporary)
        .child(cell)
}
