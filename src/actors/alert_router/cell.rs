//! The alert router's cell: looks at what holds, lets the pure router decide, writes, then sends.
//!
//! It promises (I6): a transition is on disk, or in the file of last resort, before anybody hears of it; every delivery
//! ends in a state that says what became of it; a crash repeats at most one message per channel, under the same key.
//! Components speak to it through the board and never wait for it; people ask through the desk. When it dies, its
//! successor goes on from the database. Without a database it begins with nothing, tells all the same, and keeps what
//! it told in the file of last resort. It moves no money and stops nothing.

use super::desk::AlertRequest;
use super::load::load;
use super::readings::{AlertReadings, ChannelHealth};
use super::spool::Spool;
use crate::actors::alert_board::AlertBoard;
use crate::actors::journal::{AppendAlerts, Courier, Receipt};
use crate::actors::oms::OmsReadings;
use crate::clock;
use crate::db::Readers;
use crate::domain::alert::router::{Answer, Effect, Event, ReplyTo, Restored, Router, Work};
use crate::domain::alert::{self, AlertKey, Condition, Held, IdempotencyKey, Notice, Settings, codes};
use crate::domain::control::{ControlNote, ControlRow};
use crate::domain::ids::Correlation;
use crate::domain::journal::Ticket;
use crate::domain::time::WallMs;
use crate::notify::Channel;
use crate::supervision::{Ctx, Port};
use actix::{Actor, AsyncContext, Handler, Message};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How often time passes for the router, and how often the order management's alerts are looked at.
const TICK: Duration = Duration::from_millis(100);
/// Conditions that one step takes in.
const LOOK_MAX: usize = 128;
/// Pieces of work on their way to the disk beyond which nothing new is looked at.
const UNDURABLE_MAX: usize = 32;
/// Pause before work that the journal lost is handed over again, in ticks.
const AGAIN_TICKS: u32 = 5;

/// What a router is made of.
#[derive(Clone)]
pub struct AlertSetup {
    /// What holds.
    pub board: AlertBoard,
    /// What holds within the order management.
    pub oms: OmsReadings,
    /// What was on disk.
    pub readers: Readers,
    /// Who writes.
    pub journal: Port<AppendAlerts>,
    /// The ways to tell people.
    pub channels: Vec<Arc<dyn Channel>>,
    /// What the operator decided.
    pub settings: Settings,
    /// Where the file of last resort is.
    pub data_dir: PathBuf,
    /// What is shown.
    pub readings: AlertReadings,
}

/// See the module's head.
pub struct AlertRouter {
    pub(super) setup: AlertSetup,
    core: Option<Router>,
    courier: Courier,
    spool: Spool,
    /// Where this process began: time runs from here, never backwards.
    began: (i64, Instant),
    pub(super) tasks: JoinSet<()>,
    waiting: BTreeMap<ReplyTo, (Option<Box<ControlNote>>, oneshot::Sender<Answer>)>,
    last_reply: u64,
    of_oms: BTreeSet<AlertKey>,
    pub(super) flights: BTreeMap<IdempotencyKey, Instant>,
    pub(super) counts: BTreeMap<String, (u64, u64)>,
    ticks: u32,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Look;

#[derive(Message)]
#[rtype(result = "()")]
struct Loaded(Box<Restored>, Vec<(IdempotencyKey, Notice)>);

#[derive(Message)]
#[rtype(result = "()")]
struct Written(Ticket, u64, bool);

#[derive(Message)]
#[rtype(result = "()")]
struct Kept(Ticket);

impl Actor for AlertRouter {
    type Context = Ctx<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        let (readers, spool, own) = (self.setup.readers.clone(), self.spool.clone(), ctx.handle());
        self.tasks.spawn_local(async move {
            let restored = load(readers).await;
            let left = spool.left().await.unwrap_or_else(|error| {
                tracing::error!(
                    error,
                    runbook = "alerting_degraded",
                    "the file of last resort cannot be read"
                );
                Vec::new()
            });
            // Closed means that this incarnation has ended as well.
            let _ = own.tell(Loaded(Box::new(restored), left));
        });
        ctx.run_interval(TICK, |router, ctx| router.tick(ctx));
    }
}

impl Handler<Loaded> for AlertRouter {
    type Result = ();

    fn handle(&mut self, Loaded(restored, left): Loaded, ctx: &mut Self::Context) {
        let now = self.now();
        let router = Router::restore(self.setup.settings.clone(), *restored, now);
        self.setup.readings.standing(router.open().map(|alert| (alert.key.clone(), alert.id.clone())));
        tracing::info!(event = "alerts_restored", open = router.counts().all(), recovered = left.len());
        self.core = Some(router);
        if !left.is_empty() {
            self.step(Event::Recovered { notices: left }, ctx);
        }
        let all = self.setup.board.all();
        self.step(Event::Observed { blips: all.blips, holding: all.holding, ended: all.ended }, ctx);
        let (board, own) = (self.setup.board.clone(), ctx.handle());
        self.tasks.spawn_local(async move {
            loop {
                board.changed().await;
                if own.tell(Look).is_err() && !own.is_open() {
                    return;
                }
            }
        });
        self.tick(ctx);
    }
}

impl Handler<Look> for AlertRouter {
    type Result = ();

    fn handle(&mut self, _: Look, ctx: &mut Self::Context) {
        self.look(ctx);
    }
}

impl Handler<AlertRequest> for AlertRouter {
    type Result = ();

    fn handle(&mut self, request: AlertRequest, ctx: &mut Self::Context) {
        // Without its records it can take note of nothing; the asker hears that nothing was taken by the end of its
        // channel.
        if self.core.is_none() {
            return;
        }
        self.last_reply = self.last_reply.saturating_add(1);
        let reply = ReplyTo(self.last_reply);
        self.waiting.insert(reply, (request.note, request.answer));
        self.step(Event::Asked { reply, ask: request.ask }, ctx);
    }
}

impl Handler<Written> for AlertRouter {
    type Result = ();

    fn handle(&mut self, Written(ticket, round, written): Written, ctx: &mut Self::Context) {
        if self.courier.heard(ticket, round, written) {
            self.step(Event::Committed { ticket }, ctx);
            self.look(ctx);
        }
    }
}

impl Handler<Kept> for AlertRouter {
    type Result = ();

    fn handle(&mut self, Kept(ticket): Kept, ctx: &mut Self::Context) {
        self.step(Event::Spooled { ticket }, ctx);
    }
}

impl AlertRouter {
    pub(super) fn new(setup: AlertSetup) -> Self {
        Self {
            core: None,
            courier: Courier::new(setup.journal.clone()),
            spool: Spool::at(setup.data_dir.clone()),
            began: (clock::wall_millis(), clock::monotonic()),
            tasks: JoinSet::new(),
            waiting: BTreeMap::new(),
            last_reply: 0,
            of_oms: BTreeSet::new(),
            flights: BTreeMap::new(),
            counts: BTreeMap::new(),
            ticks: 0,
            setup,
        }
    }

    fn now(&self) -> WallMs {
        let since = clock::monotonic().saturating_duration_since(self.began.1);
        WallMs(self.began.0.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)))
    }

    fn tick(&mut self, ctx: &mut Ctx<Self>) {
        while self.tasks.try_join_next().is_some() {}
        if self.core.is_none() {
            return;
        }
        self.ticks = self.ticks.wrapping_add(1);
        if self.ticks.is_multiple_of(AGAIN_TICKS) {
            let receipts = self.courier.again();
            receipts.into_iter().for_each(|receipt| self.await_receipt(receipt, ctx));
        }
        self.waiting.retain(|_, (_, answer)| !answer.is_closed());
        self.look_at_oms(ctx);
        self.step(Event::Tick, ctx);
        self.look(ctx);
        self.show();
    }

    /// Takes in what changed on the board, as long as the disk keeps up.
    fn look(&mut self, ctx: &mut Ctx<Self>) {
        if self.core.is_none() || self.courier.len() >= UNDURABLE_MAX {
            return;
        }
        let mut changes = self.setup.board.changes(LOOK_MAX);
        if changes.blips.is_empty() && changes.holding.is_empty() && changes.ended.is_empty() {
            return;
        }
        changes.ended.retain(|key| !self.of_oms.contains(key));
        let (blips, holding, ended) = (changes.blips, changes.holding, changes.ended);
        self.step(Event::Observed { blips, holding, ended }, ctx);
        if self.setup.board.has_changes() {
            // Full or closed: the next tick looks again.
            let _ = ctx.handle().tell(Look);
        }
    }

    fn look_at_oms(&mut self, ctx: &mut Ctx<Self>) {
        let standing = self.setup.oms.alerts();
        let (mut holding, mut now_there) = (Vec::new(), BTreeSet::new());
        for open in standing {
            let key = AlertKey::new(open.code, &open.scope);
            if !self.of_oms.contains(&key) {
                let condition = Condition::new(open.code, open.scope, open.reason);
                holding.push(Held { condition, at: open.raised_at });
            }
            now_there.insert(key);
        }
        let gone = self.of_oms.difference(&now_there).filter(|key| !self.setup.board.holds(key));
        let ended: Vec<AlertKey> = gone.cloned().collect();
        self.of_oms = now_there;
        if !holding.is_empty() || !ended.is_empty() {
            self.step(Event::Observed { blips: Vec::new(), holding, ended }, ctx);
        }
    }

    pub(super) fn step(&mut self, event: Event, ctx: &mut Ctx<Self>) {
        let now = self.now();
        let Some(core) = &mut self.core else { return };
        for effect in core.step(now, event) {
            self.perform(effect, now, ctx);
        }
    }

    fn perform(&mut self, effect: Effect, now: WallMs, ctx: &mut Ctx<Self>) {
        match effect {
            Effect::Commit(work) => self.commit(&work, ctx),
            Effect::Send { channel, key, notice } => self.send(channel, key, notice, ctx),
            Effect::Confirm { channel, key, provider_id } => self.confirm(channel, key, provider_id, ctx),
            Effect::Spool { ticket, notices } => {
                let (spool, own) = (self.spool.clone(), ctx.handle());
                self.tasks.spawn_local(async move {
                    match spool.keep(notices, now).await {
                        Ok(()) => drop(own.tell(Kept(ticket))),
                        Err(error) => tracing::error!(
                            error,
                            runbook = "alerting_degraded",
                            "neither the database nor the file of last resort takes an alert"
                        ),
                    }
                });
            }
            Effect::Unspool { keys } => self.forget(keys),
            Effect::Reply { to, answer } => {
                if let Some((_, waiting)) = self.waiting.remove(&to) {
                    // Who does not wait any more hears nothing.
                    let _ = waiting.send(answer);
                }
            }
            Effect::Changed { alerts } => {
                alerts.into_iter().for_each(|alert| self.setup.readings.changed(alert))
            }
            Effect::Degraded { channel, why: Some(why) } => {
                self.setup.board.raise(codes::ALERTING_DEGRADED, channel, why);
            }
            Effect::Degraded { channel, why: None } => {
                self.setup.board.clear(codes::ALERTING_DEGRADED, &channel);
            }
        }
    }

    fn commit(&mut self, work: &Work, ctx: &mut Ctx<Self>) {
        let ticket = work.ticket;
        let Ok(correlation) = Correlation::new("alerts") else { return };
        let mut batch = match alert::batch(work, &correlation) {
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(error = %error, runbook = "alerting_degraded", "an alert cannot be written");
                return;
            }
        };
        batch.controls =
            work.answers.iter().filter_map(|(to, answer)| self.row(*to, answer, work.at)).collect();
        if let Some(receipt) = self.courier.hand_over(ticket, batch) {
            self.await_receipt(receipt, ctx);
        }
    }

    /// The line of the audit of a request, with the answer that it will get.
    fn row(&mut self, to: ReplyTo, answer: &Answer, at: WallMs) -> Option<ControlRow> {
        let note = self.waiting.get_mut(&to)?.0.take()?;
        let (status, body) = super::desk::shown(answer);
        Some(note.answered(at, status, None, body.to_string()))
    }

    fn await_receipt(&mut self, (ticket, round, receipt): Receipt, ctx: &Ctx<Self>) {
        let own = ctx.handle();
        self.tasks.spawn_local(async move {
            let written = receipt.await.is_ok();
            // Closed means that this incarnation has ended.
            let _ = own.port().tell_waiting(Written(ticket, round, written)).await;
        });
    }

    fn forget(&mut self, keys: Vec<IdempotencyKey>) {
        let spool = self.spool.clone();
        self.tasks.spawn_local(async move { spool.forget(keys).await });
    }

    fn show(&self) {
        let Some(core) = &self.core else { return };
        let now = clock::monotonic();
        let channels = core.channels().into_iter().map(|reading| {
            let kind = self.setup.channels.iter().find(|one| one.name() == reading.name);
            let (delivered, failed) = self.counts.get(&reading.name).copied().unwrap_or_default();
            let kind = kind.map_or("unknown", |channel| channel.kind().word());
            ChannelHealth { kind, reading, delivered, failed }
        });
        let (channels, undurable) = (channels.collect(), core.undurable().0);
        self.setup.readings.change(|shown| {
            shown.ready = true;
            shown.judged_at = Some(now);
            if undurable == 0 {
                shown.committed_at = Some(now);
            }
            shown.undurable = undurable;
            shown.open = core.counts();
            shown.channels = channels;
            shown.medians = core.medians();
            shown.refused = self.setup.board.refused();
        });
    }
}
