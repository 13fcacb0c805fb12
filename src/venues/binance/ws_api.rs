//! The order session: one WebSocket API connection that carries requests, answers and user data.
//!
//! It promises: every call ends once; an answer lost with its connection is UNKNOWN; no order leaves before
//! open orders, fills and balances were fetched and compared; user data that cannot be read, delivered or
//! trusted leads to a new comparison, never to silence.

use super::gateway::Gateway;
use super::messages::api::{self, ApiFrame};
use super::messages::user::{self, UserEvent};
use super::probe::Probe;
use super::reconcile;
use super::session::{Dialler, Session, Woke};
use super::shared::Shared;
use super::ws_calls::{Answer, Call, CallFailure, Calls, ReportWatch};
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::connection::{Effect, Event, State, Why};
use crate::domain::order_types::OtherWord;
use crate::domain::outcome::{Denial, ReadError};
use crate::domain::time::Mono;
use crate::venues::{OrderEvent, Reconciliation};
use std::rc::Rc;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;

/// Calls taken from the queue per wake-up, so that one flush carries them all.
const BATCH: usize = 256;
/// Housekeeping while calls are under way.
const COARSE_MS: u64 = 50;
/// Housekeeping otherwise.
const IDLE_MS: u64 = 1_000;

/// What the session is told to do.
pub(super) enum Command {
    /// Send a call.
    Call(Call),
    /// Hang up and connect anew.
    Reconnect,
    /// End the session for good.
    Stop,
}

type SyncResult = Result<Box<AccountSnapshot>, ReadError>;

/// The session's state beside its connection.
pub(super) struct OrderSession {
    shared: Rc<Shared>,
    gateway: Rc<Gateway>,
    session: Session,
    commands: mpsc::Receiver<Command>,
    events: mpsc::Sender<OrderEvent>,
    calls: Calls,
    watch: ReportWatch,
    syncs: mpsc::Receiver<(u64, SyncResult)>,
    sync_sender: mpsc::Sender<(u64, SyncResult)>,
    sync_task: Option<AbortHandle>,
    epoch: u64,
    probe: Probe,
    /// Overdue reports since user data was last seen.
    mute_strikes: u32,
}

impl OrderSession {
    pub(super) fn new(
        shared: Rc<Shared>,
        gateway: Rc<Gateway>,
        dialler: Dialler,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<OrderEvent>,
    ) -> Self {
        let (sync_sender, syncs) = mpsc::channel(4);
        let policy = shared.config.order_session.clone();
        let seed = shared.config.seed;
        let session = Session::new(shared.clone(), shared.orders.clone(), policy, seed, dialler);
        Self {
            gateway,
            session,
            commands,
            events,
            calls: Calls::default(),
            watch: ReportWatch::default(),
            syncs,
            sync_sender,
            sync_task: None,
            epoch: 0,
            probe: Probe::default(),
            mute_strikes: 0,
            shared,
        }
    }

    /// Runs until told to stop.
    pub(super) async fn run(mut self) {
        self.step(Event::Start);
        loop {
            let now = self.shared.clock.now();
            let quiet = self.calls.is_empty() && !self.watch.is_waiting();
            let probe_due = match self.session.state() {
                State::Live => self.probe.due().max(now.plus(1)),
                _ => Mono(u64::MAX),
            };
            let until = now.plus(if quiet { IDLE_MS } else { COARSE_MS }).min(probe_due);
            tokio::select! {
                woke = self.session.wait(until) => self.on_woke(woke),
                command = self.commands.recv() => {
                    if self.on_commands(command).await.is_break() {
                        break;
                    }
                }
                Some((epoch, result)) = self.syncs.recv() => self.on_synced(epoch, result),
            }
            self.housekeeping().await;
        }
        self.step(Event::Stop);
    }

    fn step(&mut self, event: Event) {
        let effects = self.session.step(event);
        self.perform(effects);
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Sync => self.begin_sync(),
                Effect::HangUp(_) => {
                    self.abort_sync();
                    self.probe.forget();
                    let lost = self.calls.cut_all();
                    self.watch.forget(&lost);
                }
                Effect::Changed { from, to, why } => {
                    self.shared.order_state.set(to);
                    self.publish(OrderEvent::Session { from, to, why });
                }
                Effect::Promote => self.mute_strikes = 0,
                Effect::Dial | Effect::DialReplacement | Effect::Authenticate => {}
            }
        }
    }

    // ---- what wakes the session, in the order of a normal day

    fn on_woke(&mut self, woke: Woke) {
        match woke {
            Woke::Message(message) => self.on_message(message),
            Woke::Lost(why) => self.step(Event::Lost(why)),
            Woke::DrainEnded(link) => {
                let lost = self.calls.cut(link);
                self.watch.forget(&lost);
            }
            Woke::Setup(effects) => self.perform(effects),
            Woke::Due => self.step(Event::Tick),
        }
    }

    fn on_message(&mut self, message: Message) {
        let now = self.shared.clock.now();
        self.shared.orders.frame(now);
        let text = match &message {
            Message::Text(text) => text.as_str(),
            Message::Binary(_) => "",
            _ => return self.step(Event::Frame { data: false }),
        };
        self.shared.orders.data(now);
        self.step(Event::Frame { data: true });
        match api::decode(text) {
            Ok(frame) => self.on_frame(now, frame),
            Err(error) => self.distrust(&error),
        }
    }

    fn on_frame(&mut self, now: Mono, frame: ApiFrame<'_>) {
        if let Some(limits) = &frame.rate_limits {
            self.shared.observe_limits(limits);
        }
        if let Some(event) = frame.event {
            return self.on_event(now, event.get());
        }
        if let Some(kind) = &frame.bare_event {
            return match kind.as_ref() {
                "serverShutdown" => self.on_user_event(now, UserEvent::Shutdown),
                "eventStreamTerminated" => self.on_user_event(now, UserEvent::Terminated),
                other => self.on_user_event(now, UserEvent::Other(OtherWord::new(other))),
            };
        }
        let (Some(id), Some(status)) = (frame.id, frame.status) else {
            return self.distrust(&"neither an answer nor an event");
        };
        self.shared.orders.decoded(now, None);
        let body = match (frame.result, frame.error) {
            (Some(result), None) => Ok(result.get().to_owned()),
            (_, Some(error)) => {
                if matches!(status, 418 | 429) {
                    let at = error.data.as_ref().and_then(|data| data.retry_after);
                    let wait = at.map(|at| at.saturating_sub(self.shared.venue_now()));
                    self.shared.hold(wait.map(|ms| u64::try_from(ms).unwrap_or(0)));
                }
                Err((error.code, error.message()))
            }
            (None, None) => Err((0, String::new())),
        };
        let confirmed = body.is_ok() && (200..300).contains(&status);
        // A number that nobody waits for is an answer that came after its time: the stream has the truth.
        if let Some(Some(order)) = self.calls.answer(id, Answer { status, body }) {
            self.watch.answered(&order, confirmed, now.plus(self.shared.config.report_overdue_ms));
        }
    }

    fn on_event(&mut self, now: Mono, text: &str) {
        match user::decode(text) {
            Ok(event) => self.on_user_event(now, event),
            Err(error) => self.distrust(&error),
        }
    }

    fn on_user_event(&mut self, now: Mono, event: UserEvent) {
        self.mute_strikes = 0;
        let mut sequence = None;
        let published = match event {
            UserEvent::Report(report) => {
                self.watch.reported(&report.client_order_id);
                self.shared.view.borrow_mut().note_report(&report);
                sequence = report.fills.last().and_then(|fill| fill.trade_id.number());
                Some(OrderEvent::Report(report))
            }
            UserEvent::Balances(balances) => {
                self.shared.view.borrow_mut().note_balances(&balances);
                Some(OrderEvent::Balances(balances))
            }
            UserEvent::BalanceMoved { asset, delta } => Some(OrderEvent::BalanceMoved { asset, delta }),
            UserEvent::Other(kind) => Some(OrderEvent::Unrecognised { kind }),
            UserEvent::OrderList => None,
            UserEvent::Terminated => {
                self.shared.orders.decoded(now, None);
                return self.step(Event::Lost(Why::Closed));
            }
            UserEvent::Shutdown => {
                self.shared.orders.decoded(now, None);
                return self.step(Event::Announced);
            }
        };
        self.shared.orders.decoded(now, sequence);
        if let Some(event) = published {
            self.publish(event);
        }
    }

    /// A message that cannot be read may have been a fill: compare everything again.
    fn distrust(&mut self, error: &dyn std::fmt::Display) {
        self.shared.orders.undecodable();
        tracing::warn!(venue.name = %self.shared.config.venue, %error, "an unreadable message on the order session");
        self.step(Event::Resync);
    }

    /// Hands an event to the owner. An owner that does not keep up loses the event but not the truth: the
    /// loss is counted and a new comparison follows.
    fn publish(&mut self, event: OrderEvent) -> bool {
        if self.events.try_send(event).is_ok() {
            self.shared.orders.published(self.shared.clock.now());
            return true;
        }
        self.shared.orders.dropped();
        if self.session.state() == State::Live {
            // Not recursive: a session that is syncing does not come here again.
            let effects = self.session.step(Event::Resync);
            self.perform(effects);
        }
        false
    }

    // ---- calls

    async fn on_commands(&mut self, first: Option<Command>) -> std::ops::ControlFlow<()> {
        let mut next = first;
        for _ in 0..BATCH {
            match next {
                Some(Command::Call(call)) => {
                    if let Err(why) = self.send(call).await {
                        self.step(Event::Lost(why));
                    }
                }
                Some(Command::Reconnect) => self.step(Event::Lost(Why::Asked)),
                Some(Command::Stop) | None => return std::ops::ControlFlow::Break(()),
            }
            match self.commands.try_recv() {
                Ok(command) => next = Some(command),
                Err(_) => break,
            }
        }
        self.flush().await;
        std::ops::ControlFlow::Continue(())
    }

    async fn flush(&mut self) {
        if self.session.link_id().is_some()
            && let Err(why) = self.session.flush().await
        {
            self.step(Event::Lost(why));
        }
    }

    async fn send(&mut self, call: Call) -> Result<(), Why> {
        let now = self.shared.clock.now();
        let waited_ms = now.since(call.queued_at);
        let denial = match self.session.link_id() {
            // Sent late, an order may meet a market that nobody meant it for.
            Some(_) if waited_ms > call.send_within_ms => Some(Denial::ExpiredUnsent { waited_ms }),
            Some(_) => None,
            None => Some(Denial::NotConnected { state: self.session.state().name() }),
        };
        let link = match (denial, self.session.link_id()) {
            (None, Some(link)) => link,
            (denial, _) => {
                let denial = denial.unwrap_or(Denial::NotConnected { state: "disconnected" });
                // The caller may have gone away; nothing was sent, so nothing is lost.
                let _ = call.reply.send(Err(CallFailure::NotSent(denial)));
                return Ok(());
            }
        };
        let mut sending = None;
        if let Some(order) = &call.places {
            // The last hop: what passes here is handed to the socket by the next lines.
            match super::last_hop::enter(&self.shared.config.tripwire, &self.shared.config.lease) {
                Ok(entered) => sending = Some(entered),
                Err(denial) => {
                    let _ = call.reply.send(Err(CallFailure::NotSent(denial)));
                    return Ok(());
                }
            }
            self.watch.sent(order);
        }
        let (_, frame) = self.calls.begin(now, link, call, sending);
        self.session.feed(frame).await
    }

    // ---- comparison after a connect

    fn begin_sync(&mut self) {
        self.abort_sync();
        self.epoch = self.epoch.saturating_add(1);
        let (epoch, tell) = (self.epoch, self.sync_sender.clone());
        let (shared, gateway) = (self.shared.clone(), self.gateway.clone());
        let task = tokio::task::spawn_local(async move {
            let result = reconcile::fetch(&shared, &gateway).await;
            let _ = tell.send((epoch, result.map(Box::new))).await;
        });
        self.sync_task = Some(task.abort_handle());
    }

    fn abort_sync(&mut self) {
        if let Some(task) = self.sync_task.take() {
            task.abort();
        }
    }

    fn on_synced(&mut self, epoch: u64, result: SyncResult) {
        if epoch != self.epoch || self.session.state() != State::Syncing {
            return;
        }
        self.sync_task = None;
        let snapshot = match result {
            Ok(snapshot) => *snapshot,
            Err(error) => {
                tracing::warn!(venue.name = %self.shared.config.venue, %error, "the comparison failed");
                // Without room for the comparison another session would only spend more of the limit.
                if let ReadError::Denied(Denial::Paced { retry_at: until, .. } | Denial::BackOff { until }) =
                    error
                {
                    self.step(Event::HoldUntil(until));
                }
                return self.step(Event::Lost(Why::SyncFailed));
            }
        };
        let differences = self.shared.view.borrow_mut().compare(&snapshot);
        let reconciled = OrderEvent::Reconciled(Box::new(Reconciliation { epoch, snapshot, differences }));
        if self.publish(reconciled) {
            self.probe.restart(self.shared.clock.now(), self.shared.config.probe_every_ms);
            self.step(Event::Synced);
        } else {
            self.step(Event::Lost(Why::SyncFailed));
        }
    }

    // ---- time

    async fn housekeeping(&mut self) {
        let now = self.shared.clock.now();
        if !self.calls.is_empty() {
            let late = self.calls.expire(now);
            self.watch.forget(&late);
        }
        if let Some(old) = self.session.draining_id()
            && self.calls.idle_on(old)
        {
            self.session.close_drain();
        }
        if let Some(old) = self.session.overdue_drain() {
            let lost = self.calls.cut(old);
            self.watch.forget(&lost);
        }
        if self.watch.overdue(now) {
            self.mute_strikes = self.mute_strikes.saturating_add(1);
            // Once may be one lost frame, found by comparing. Twice without a word is a mute stream.
            let event = if self.mute_strikes > 1 { Event::Lost(Why::Mute) } else { Event::Resync };
            self.step(event);
        }
        self.probe(now).await;
    }

    async fn probe(&mut self, now: Mono) {
        if !self.probe.answered(&self.shared) {
            return self.step(Event::Lost(Why::Silent));
        }
        if self.session.state() != State::Live {
            return;
        }
        let Some(call) = self.probe.ask(now, &self.shared) else { return };
        match self.send(call).await {
            Ok(()) => self.flush().await,
            Err(why) => self.step(Event::Lost(why)),
        }
    }
}
