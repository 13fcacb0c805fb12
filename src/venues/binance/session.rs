//! Runs one [`Connection`] against real sockets: dials, replaces, drains and hangs up as it is told.
//!
//! Knows no message: the order session and the market session read the frames. It promises at most two
//! open sockets (one during a renewal beside the old one), and that tasks of an abandoned attempt are
//! aborted and their late results ignored.

use super::shared::Shared;
use super::socket::{self, DialFailure, Socket};
use crate::domain::connection::{Connection, Effect, Event, Policy, State, Why};
use crate::domain::evidence::Evidence;
use crate::domain::time::Mono;
use crate::venues::VenueFuture;
use futures_util::SinkExt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::Message;

/// How long the old socket may finish what it carries after a replacement.
const DRAIN_MS: u64 = 10_000;
/// A peer that does not take our bytes for so long is gone.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// Told by a dial when its socket is open, before it has logged on.
pub(super) struct Opened {
    generation: u64,
    tell: mpsc::Sender<Setup>,
}

impl Opened {
    /// The socket is open.
    pub(super) async fn tell(self) {
        // The session that asked may be gone; then nobody needs to know.
        let _ = self.tell.send(Setup::Opened { generation: self.generation }).await;
    }
}

/// Opens a socket, logs on and subscribes.
pub(super) type Dialler = Rc<dyn Fn(Opened) -> VenueFuture<'static, Result<Socket, DialFailure>>>;

enum Setup {
    Opened { generation: u64 },
    Done { generation: u64, result: Result<Box<Socket>, DialFailure> },
}

struct Link {
    id: u64,
    socket: Box<Socket>,
}

struct Attempt {
    generation: u64,
    task: AbortHandle,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What woke the session.
pub(super) enum Woke {
    /// A message on a link.
    Message(Message),
    /// The current link ended.
    Lost(Why),
    /// A draining link ended; its unanswered calls will not be answered.
    DrainEnded(u64),
    /// Something about an attempt; already applied, these are its effects.
    Setup(Vec<Effect>),
    /// The time asked for has come.
    Due,
}

/// A connection and its sockets.
pub(super) struct Session {
    shared: Rc<Shared>,
    evidence: Arc<Evidence>,
    machine: Connection,
    dialler: Dialler,
    link: Option<Link>,
    draining: Option<(Link, Mono)>,
    attempt: Option<Attempt>,
    replacement: Option<Attempt>,
    promoted: Option<Box<Socket>>,
    setups: mpsc::Receiver<Setup>,
    setup_sender: mpsc::Sender<Setup>,
    generation: u64,
}

impl Session {
    pub(super) fn new(
        shared: Rc<Shared>,
        evidence: Arc<Evidence>,
        policy: Policy,
        seed: u64,
        dialler: Dialler,
    ) -> Self {
        let (setup_sender, setups) = mpsc::channel(16);
        Self {
            machine: Connection::new(policy, seed),
            shared,
            evidence,
            dialler,
            link: None,
            draining: None,
            attempt: None,
            replacement: None,
            promoted: None,
            setups,
            setup_sender,
            generation: 0,
        }
    }

    pub(super) fn state(&self) -> State {
        self.machine.state()
    }

    /// The current link's number; requests are tagged with it.
    pub(super) fn link_id(&self) -> Option<u64> {
        self.link.as_ref().map(|link| link.id)
    }

    /// When the session itself must be woken.
    pub(super) fn next_tick(&self) -> Option<Mono> {
        let drain = self.draining.as_ref().map(|(_, until)| *until);
        [self.machine.next_tick(), drain].into_iter().flatten().min()
    }

    /// Waits for the next thing to happen, at most until `until`. Cancel-safe.
    pub(super) async fn wait(&mut self, until: Mono) -> Woke {
        let until = self.next_tick().map_or(until, |at| at.min(until));
        let clock = self.shared.clock;
        tokio::select! {
            message = next_of(self.link.as_mut()) => match message {
                Ok(message) => Woke::Message(message),
                Err(why) => Woke::Lost(why),
            },
            message = next_of(self.draining.as_mut().map(|(link, _)| link)) => match message {
                Ok(message) => Woke::Message(message),
                Err(_) => self.end_drain(),
            },
            setup = self.setups.recv() => Woke::Setup(match setup {
                Some(setup) => self.on_setup(setup),
                None => Vec::new(),
            }),
            () = clock.sleep_until(until) => Woke::Due,
        }
    }

    /// Ends a drain that has gone on for too long; the link's number when it did.
    pub(super) fn overdue_drain(&mut self) -> Option<u64> {
        let now = self.shared.clock.now();
        match &self.draining {
            Some((_, until)) if now >= *until => self.close_drain(),
            _ => None,
        }
    }

    /// Closes the draining link because nothing is waited for on it any more.
    pub(super) fn close_drain(&mut self) -> Option<u64> {
        let (link, _) = self.draining.take()?;
        let id = link.id;
        close_politely(link);
        Some(id)
    }

    /// The draining link's number.
    pub(super) fn draining_id(&self) -> Option<u64> {
        self.draining.as_ref().map(|(link, _)| link.id)
    }

    fn end_drain(&mut self) -> Woke {
        match self.draining.take() {
            Some((link, _)) => Woke::DrainEnded(link.id),
            None => Woke::Due,
        }
    }

    fn on_setup(&mut self, setup: Setup) -> Vec<Effect> {
        let current = self.attempt.as_ref().map(|a| a.generation);
        let replacing = self.replacement.as_ref().map(|a| a.generation);
        match setup {
            Setup::Opened { generation } if current == Some(generation) => self.step(Event::Opened),
            Setup::Done { generation, result } if current == Some(generation) => {
                self.attempt = None;
                match result {
                    Ok(socket) => {
                        self.link = Some(Link { id: generation, socket });
                        self.evidence.connected();
                        self.step(Event::Authenticated)
                    }
                    Err(failure) => {
                        let mut out = self.note_failure(&failure);
                        out.extend(self.step(Event::Lost(failure.why)));
                        out
                    }
                }
            }
            Setup::Done { generation, result } if replacing == Some(generation) => {
                self.replacement = None;
                match result {
                    Ok(socket) => {
                        self.promoted = Some(socket);
                        self.generation = self.generation.max(generation);
                        self.step(Event::ReplacementReady)
                    }
                    Err(failure) => {
                        let mut out = self.note_failure(&failure);
                        out.extend(self.step(Event::ReplacementFailed));
                        out
                    }
                }
            }
            // News of an attempt that was given up.
            Setup::Opened { .. } | Setup::Done { .. } => Vec::new(),
        }
    }

    fn note_failure(&mut self, failure: &DialFailure) -> Vec<Effect> {
        tracing::warn!(venue.name = %self.shared.config.venue, why = %failure.why, detail = %failure.detail,
            failures = self.machine.failures(), "a session could not be set up");
        match failure.hold_ms {
            Some(hold) => {
                let until = self.shared.hold(hold);
                self.step(Event::HoldUntil(until))
            }
            None => Vec::new(),
        }
    }

    /// Feeds the machine and performs what concerns sockets. The effects are handed back, so that the owner
    /// can do its part (`Sync`, forget calls on `HangUp`, publish `Changed`).
    pub(super) fn step(&mut self, event: Event) -> Vec<Effect> {
        let now = self.shared.clock.now();
        if let Some(until) = self.shared.pacer.borrow().hold_until(now) {
            self.machine.step(now, Event::HoldUntil(until));
        }
        let effects = self.machine.step(now, event);
        for effect in &effects {
            match effect {
                Effect::Dial => self.attempt = Some(self.dial()),
                Effect::DialReplacement => self.replacement = Some(self.dial()),
                Effect::Promote => self.promote(now),
                Effect::HangUp(_) => self.hang_up(),
                Effect::Changed { from, to, why } => {
                    self.evidence.state(*to);
                    tracing::info!(venue.name = %self.shared.config.venue, from = from.name(), to = to.name(),
                        why = %why, "venue session");
                }
                Effect::Authenticate | Effect::Sync => {}
            }
        }
        effects
    }

    fn dial(&mut self) -> Attempt {
        self.evidence.attempt();
        self.generation = self.generation.saturating_add(1);
        let generation = self.generation;
        let tell = self.setup_sender.clone();
        let dialled = (self.dialler)(Opened { generation, tell: tell.clone() });
        let task = tokio::task::spawn_local(async move {
            let result = dialled.await.map(Box::new);
            let _ = tell.send(Setup::Done { generation, result }).await;
        });
        Attempt { generation, task: task.abort_handle() }
    }

    fn promote(&mut self, now: Mono) {
        let Some(socket) = self.promoted.take() else { return };
        self.evidence.connected();
        let fresh = Link { id: self.generation, socket };
        if let Some(old) = self.link.replace(fresh) {
            self.close_drain();
            self.draining = Some((old, now.plus(DRAIN_MS)));
        }
    }

    fn hang_up(&mut self) {
        self.attempt = None;
        self.replacement = None;
        self.promoted = None;
        if let Some(link) = self.link.take() {
            close_politely(link);
        }
        self.close_drain();
    }

    /// Puts a text on the current link's write buffer. `Err` means that the link is gone.
    pub(super) async fn feed(&mut self, text: String) -> Result<(), Why> {
        let Some(link) = &mut self.link else { return Err(Why::Closed) };
        let sent = tokio::time::timeout(WRITE_TIMEOUT, link.socket.feed(Message::text(text))).await;
        if matches!(sent, Ok(Ok(()))) { Ok(()) } else { Err(Why::Closed) }
    }

    /// Sends what was fed.
    pub(super) async fn flush(&mut self) -> Result<(), Why> {
        let Some(link) = &mut self.link else { return Err(Why::Closed) };
        let sent = tokio::time::timeout(WRITE_TIMEOUT, link.socket.flush()).await;
        if matches!(sent, Ok(Ok(()))) { Ok(()) } else { Err(Why::Closed) }
    }
}

async fn next_of(link: Option<&mut Link>) -> Result<Message, Why> {
    match link {
        Some(link) => socket::next(&mut link.socket).await,
        None => std::future::pending().await,
    }
}

/// Says goodbye without waiting: one second for the close frame, then the socket is dropped.
fn close_politely(mut link: Link) {
    tokio::task::spawn_local(async move {
        let _ = tokio::time::timeout(Duration::from_secs(1), link.socket.close()).await;
    });
}
