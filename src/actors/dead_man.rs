//! The dead man's switch: a ping to somebody outside, as long as alerts would arrive.
//!
//! It promises: a ping goes out on every interval in which all its vitals are fresh, and none otherwise, so that
//! whoever expects it speaks up when judging, committing or delivering has stopped, or this process, or this host. It
//! receives nothing. When it dies it is replaced; when it cannot be, the pings stop, which is what they are for. It
//! repairs nothing and does not retry: the next interval is the retry.

use crate::config::alerts::DeadManSettings;
use crate::config::{EnvReader, Fault};
use crate::domain::alert::life::{Lapse, Sign, lapse};
use crate::domain::time::WallMs;
use crate::net::{NetError, Outbound};
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, cell};
use actix::{Actor, AsyncContext};
use parking_lot::RwLock;
use reqwest::header::HeaderMap;
use reqwest::{Method, Url};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Something that has to get on: its name, since when it last did, and how long that may be.
#[derive(Clone)]
pub struct Vital {
    /// Which, as it stands in the log.
    pub name: &'static str,
    /// How long ago it last got on; `None` when it never did.
    pub age: Arc<dyn Fn() -> Option<Duration> + Send + Sync>,
    /// How long that may be.
    pub max_age: Duration,
}

/// The first reason to be silent, now.
#[must_use]
pub fn judge(vitals: &[Vital]) -> Option<Lapse> {
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let sign = |vital: &Vital| Sign {
        name: vital.name,
        age_ms: (vital.age)().map(ms),
        max_age_ms: ms(vital.max_age),
    };
    lapse(&vitals.iter().map(sign).collect::<Vec<_>>())
}

/// Where the pings go.
#[derive(Clone)]
pub struct DeadManPlan {
    outbound: Outbound,
    url: Url,
    interval: Duration,
}

/// Why there can be no pings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeadManError {
    /// The address could not be fetched from its place.
    #[error("alerts.dead_man.url: {0}")]
    Secret(Fault),
    /// The client or the address.
    #[error("alerts.dead_man: {0}")]
    Net(#[from] NetError),
}

impl DeadManPlan {
    /// From settings; `None` without an address.
    ///
    /// # Errors
    /// [`DeadManError`].
    pub fn new(settings: &DeadManSettings, env: &dyn EnvReader) -> Result<Option<Self>, DeadManError> {
        let Some(place) = &settings.url else { return Ok(None) };
        let url = place.resolve(env).map_err(DeadManError::Secret)?;
        let timeout = Duration::from_millis(settings.timeout_ms);
        let outbound = Outbound::new(settings.reach, timeout, settings.ca_file.as_deref())?;
        let url = outbound.address(url.expose())?;
        Ok(Some(Self { outbound, url, interval: Duration::from_millis(settings.interval_ms) }))
    }
}

/// What is shown of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadManReading {
    /// Pings that were answered with success since the process began.
    pub pings: u64,
    /// When the last of them was (wall clock).
    pub last: Option<WallMs>,
    /// Pings that failed since the process began.
    pub failed: u64,
    /// Intervals in which it kept silent.
    pub withheld: u64,
    /// Why it is silent now.
    pub lapse: Option<Lapse>,
    /// Why the last ping failed; none after a success.
    pub error: Option<String>,
}

/// The latest reading, shared with those who show it.
#[derive(Debug, Clone, Default)]
pub struct DeadManReadings(Arc<RwLock<DeadManReading>>);

impl DeadManReadings {
    /// The latest reading.
    #[must_use]
    pub fn latest(&self) -> DeadManReading {
        self.0.read().clone()
    }

    /// Notes how a ping ended.
    fn ended(&self, outcome: Result<(), String>) {
        let mut shown = self.0.write();
        match outcome {
            Ok(()) => {
                shown.pings = shown.pings.saturating_add(1);
                shown.last = Some(WallMs(crate::clock::wall_millis()));
                if shown.error.take().is_some() {
                    tracing::info!(event = "dead_man_ping", "pings arrive again");
                }
            }
            Err(error) => {
                shown.failed = shown.failed.saturating_add(1);
                if shown.error.is_none() {
                    tracing::error!(
                        event = "dead_man_ping",
                        runbook = "alerting_degraded",
                        error,
                        "the ping to the dead man's switch failed"
                    );
                }
                shown.error = Some(error);
            }
        }
    }

    /// Notes whether it keeps silent.
    fn judged(&self, lapse: Option<Lapse>) {
        let mut shown = self.0.write();
        if let Some(lapse) = lapse {
            shown.withheld = shown.withheld.saturating_add(1);
            if shown.lapse.is_none() {
                tracing::error!(
                    event = "dead_man_silent",
                    runbook = "sentinel_stale",
                    reason = %lapse,
                    "no sign of life is given to the dead man's switch"
                );
            }
        } else if shown.lapse.is_some() {
            tracing::info!(event = "dead_man_silent", "signs of life are given again");
        }
        shown.lapse = lapse;
    }
}

/// See the module's head.
pub struct DeadMan {
    plan: DeadManPlan,
    vitals: Vec<Vital>,
    readings: DeadManReadings,
    tasks: JoinSet<()>,
}

impl Actor for DeadMan {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.tick();
        ctx.run_interval(self.plan.interval, |man, _| man.tick());
    }
}

impl DeadMan {
    fn tick(&mut self) {
        // A ping that is still under way is given up: one at a time.
        self.tasks.abort_all();
        while self.tasks.try_join_next().is_some() {}
        let lapse = judge(&self.vitals);
        self.readings.judged(lapse);
        if lapse.is_none() {
            let (plan, readings) = (self.plan.clone(), self.readings.clone());
            self.tasks.spawn_local(async move { readings.ended(ping(&plan).await) });
        }
    }
}

async fn ping(plan: &DeadManPlan) -> Result<(), String> {
    let answer = plan.outbound.send(Method::GET, plan.url.clone(), HeaderMap::new(), None).await;
    match answer {
        Ok(answer) if (200..300).contains(&answer.status) => Ok(()),
        Ok(answer) => Err(format!("HTTP {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(
    plan: DeadManPlan,
    vitals: Vec<Vital>,
    readings: DeadManReadings,
) -> (Handle<DeadMan>, Cell<DeadMan>) {
    cell("dead_man", spec(), move |_: &mut Ctx<DeadMan>| {
        Ok(DeadMan {
            plan: plan.clone(),
            vitals: vitals.clone(),
            readings: readings.clone(),
            tasks: JoinSet::new(),
        })
    })
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("housekeeping".to_owned()),
        metadata: vec![("workload".to_owned(), "tells somebody outside that alerts would arrive".to_owned())],
        ..ChildSpec::default()
    }
}
