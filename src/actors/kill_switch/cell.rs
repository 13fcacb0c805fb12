//! The kill switch's cell: tells the log, the alert board and the order management how the latch stands.
//!
//! It promises: every change is logged once as `event="kill_switch"`; while the latch is engaged the alert
//! `kill_switch_engaged` stands; each incarnation of the order management is told how the latch stands, again and
//! again until it acknowledges. It receives nothing from others. When it dies, the latch holds all the same, and its
//! successor tells everything that stands.

use super::handle::KillSwitch;
use crate::actors::alert_board::AlertBoard;
use crate::domain::kill_switch::LatchRecord;
use crate::supervision::{Cell, ChildSpec, Ctx, Handle, Placement, Port, cell};
use actix::{Actor, AsyncContext, Handler, Message};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::task::JoinSet;

/// How often it is looked at without a word: what was told may have been lost with its receiver.
const RETELL: Duration = Duration::from_millis(500);
/// The alert's code, which is the runbook's name as well.
const CODE: &str = "kill_switch_engaged";
const SCOPE: &str = "process";
const FILES: &str = "latch files";

/// What the order management is told. The same news may come more than once; its generation tells.
#[derive(Debug, Clone, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum KillNews {
    /// Nothing goes out any more.
    Engaged(LatchRecord),
    /// A person has reset it.
    Reset(LatchRecord),
}

impl KillNews {
    /// The record in it.
    #[must_use]
    pub const fn record(&self) -> &LatchRecord {
        match self {
            Self::Engaged(record) | Self::Reset(record) => record,
        }
    }
}

impl From<LatchRecord> for KillNews {
    fn from(record: LatchRecord) -> Self {
        if record.is_engaged() { Self::Engaged(record) } else { Self::Reset(record) }
    }
}

/// Where the news goes; set once, before the tree starts. Whoever is behind it calls [`KillSwitch::begin_anew`] when an
/// incarnation begins and [`KillSwitch::acknowledge`] when it has taken note.
pub type KillOutlet = Arc<OnceLock<Port<KillNews>>>;

/// Something may have changed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
struct Look;

/// See the module's head.
pub struct KillCell {
    kill: KillSwitch,
    alerts: AlertBoard,
    to: KillOutlet,
    tasks: JoinSet<()>,
}

impl Actor for KillCell {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (mut news, own) = (self.kill.subscribe(), ctx.handle());
        self.tasks.spawn_local(async move {
            // Ends when the switch does, or with this incarnation.
            while news.changed().await.is_ok() {
                // Full means that it will look anyway.
                let _ = own.tell(Look);
            }
        });
        self.look();
        ctx.run_interval(RETELL, |cell, _| cell.look());
    }
}

impl Handler<Look> for KillCell {
    type Result = ();

    fn handle(&mut self, _: Look, _: &mut Self::Context) {
        self.look();
    }
}

impl KillCell {
    fn look(&self) {
        for record in self.kill.take_unlogged() {
            log(&record);
        }
        self.show();
        self.pass_on();
    }

    fn show(&self) {
        let view = self.kill.view();
        match view.record.cause {
            Some(cause) => {
                let (actor, reason) = (&view.record.actor, &view.record.reason);
                let words = format!("engaged by {actor} ({cause}): {reason}; generation {}", view.generation);
                self.alerts.raise(CODE, SCOPE, words);
            }
            None => self.alerts.clear(CODE, SCOPE),
        }
        match view.durable {
            Err(super::handle::NotDurable::Failed { why }) => {
                self.alerts.raise(CODE, FILES, format!("the latch is not on disk: {why}"));
            }
            Err(super::handle::NotDurable::Pending) => {}
            Ok(()) => self.alerts.clear(CODE, FILES),
        }
    }

    /// Tells what is not acknowledged. A receiver that is full or not there is told at the next look.
    fn pass_on(&self) {
        let Some(port) = self.to.get() else { return };
        let news = match self.kill.acknowledged() {
            Some(generation) => self.kill.changes_after(generation),
            None => vec![self.kill.view().record],
        };
        for record in news {
            if port.tell(record.into()).is_err() {
                return;
            }
        }
    }
}

fn log(record: &LatchRecord) {
    let (generation, at, reason) = (record.generation, record.at.0, &record.reason);
    match record.cause {
        Some(cause) => tracing::error!(
            event = "kill_switch",
            engaged = true,
            cause = cause.word(),
            actor = record.actor,
            reason,
            generation,
            at,
            runbook = CODE,
            "the kill switch is engaged: no placement goes out"
        ),
        None => tracing::warn!(
            event = "kill_switch",
            engaged = false,
            actor = record.actor,
            reason,
            generation,
            at,
            "the kill switch is not engaged"
        ),
    }
}

/// Declares the cell.
#[must_use]
pub fn declare(kill: KillSwitch, alerts: AlertBoard, to: KillOutlet) -> (Handle<KillCell>, Cell<KillCell>) {
    cell("kill_switch", spec(), move |_: &mut Ctx<KillCell>| {
        Ok(KillCell {
            kill: kill.clone(),
            alerts: alerts.clone(),
            to: Arc::clone(&to),
            tasks: JoinSet::new(),
        })
    })
}

fn spec() -> ChildSpec {
    ChildSpec {
        placement: Placement::Shared("housekeeping".to_owned()),
        metadata: vec![("workload".to_owned(), "tells how the latch stands".to_owned())],
        ..ChildSpec::default()
    }
}
