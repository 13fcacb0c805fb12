//! One WebSocket session: one task that owns the socket, reads, decides and writes.
//!
//! A wake-up decodes every complete frame, lets the floor act, and writes all resulting frames with one
//! system call; that is what makes the order path fast. Owns pings, the silence deadline, graceful and
//! abrupt endings, and the fault that lets a session go silent. What messages mean is decided by
//! `market_session` and `api_session`.

use super::api_session::ApiSession;
use super::inbound::{Assembler, Inbound};
use super::market_session::MarketSession;
use super::outbox::{Ending, Outbox, code};
use crate::clock;
use crate::paper_exchange::faults::{Context, SessionKind};
use crate::paper_exchange::floor::SharedFloor;
use crate::paper_exchange::floor::registry::{Session, SessionId};
use bytes::{Buf as _, BytesMut};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::time::MissedTickBehavior;

/// Messages handled before what they produced is written.
const MESSAGES_PER_TURN: usize = 256;
/// How long a closing session may take to write what waits and to see the peer close.
const CLOSING_GRACE: Duration = Duration::from_secs(1);
const READ_CHUNK_BYTES: usize = 16 * 1024;

/// Which door a client came through, and what it asked for there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Door {
    /// `/ws` and `/stream`.
    Market {
        /// Payloads are wrapped with their stream's name.
        combined: bool,
        /// Streams named in the address.
        streams: Vec<String>,
    },
    /// `/ws-api/v3`.
    Api {
        /// Whether answers carry `rateLimits`.
        rate_limits: bool,
    },
}

enum Role {
    Market(MarketSession),
    Api(Box<ApiSession>),
}

struct Wire {
    io: TcpStream,
    inbound: BytesMut,
    outgoing: BytesMut,
    /// A turn ended before the buffer was searched to its end.
    inbound_may_hold_more: bool,
}

/// Serves a session whose handshake was answered, until it ends.
pub(crate) async fn serve(floor: SharedFloor, io: TcpStream, inbound: BytesMut, door: Door, address: IpAddr) {
    let wire_config = floor.borrow().wire;
    let outbox = Rc::new(Outbox::new(wire_config.outbox_bytes));
    let id = open(&floor, &outbox, &door, address);
    let mut role = match &door {
        Door::Market { streams, .. } => {
            let session = MarketSession::new(id, Rc::clone(&outbox), wire_config);
            session.subscribe_address(&floor, streams);
            Role::Market(session)
        }
        Door::Api { rate_limits } => {
            Role::Api(Box::new(ApiSession::new(id, address, Rc::clone(&outbox), *rate_limits)))
        }
    };
    let mut wire = Wire { io, inbound, outgoing: BytesMut::new(), inbound_may_hold_more: false };
    let ending = run(&floor, id, &outbox, &mut role, &mut wire).await;
    {
        let mut floor = floor.borrow_mut();
        floor.registry.close(id);
        if outbox.overflowed() {
            floor.stats.slow_consumers_cut += 1;
            tracing::info!(session.id = id, %address, "a slow consumer was disconnected");
        }
    }
    match ending {
        Ending::Graceful => say_goodbye(&mut wire).await,
        // The peer sees a reset: nothing graceful about this ending.
        Ending::Cut => drop(wire.io.set_zero_linger()),
    }
}

fn open(floor: &SharedFloor, outbox: &Rc<Outbox>, door: &Door, address: IpAddr) -> SessionId {
    let now_ms = clock::wall_millis();
    let (kind, combined) = match door {
        Door::Market { combined, .. } => (SessionKind::MarketData, *combined),
        Door::Api { .. } => (SessionKind::WsApi, false),
    };
    let mut floor = floor.borrow_mut();
    let floor = &mut *floor;
    let id = floor.registry.next_id();
    floor.stats.sessions_opened += 1;
    floor.registry.open(Session {
        id,
        door: kind,
        address,
        opened_ms: now_ms,
        outbox: Rc::clone(outbox),
        combined,
        streams: BTreeSet::new(),
        user: Vec::new(),
    });
    if let Some(session) = floor.registry.get(id) {
        crate::paper_exchange::floor::strike_session(&mut floor.faults, now_ms, session);
    }
    id
}

async fn run(
    floor: &SharedFloor,
    id: SessionId,
    outbox: &Outbox,
    role: &mut Role,
    wire: &mut Wire,
) -> Ending {
    let config = floor.borrow().wire;
    let mut assembler = Assembler::new(config.max_message_bytes);
    let shortest = config.ping_every.min(config.silent_after).min(config.session_lifetime);
    let beat = (shortest / 4).clamp(Duration::from_millis(5), Duration::from_secs(1));
    let mut beats = tokio::time::interval(beat);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let opened = clock::monotonic();
    let (mut heard, mut pinged) = (opened, opened);
    loop {
        if outbox.is_silent() {
            return stay_silent(floor, id, outbox).await;
        }
        handle(floor, &mut assembler, role, outbox, wire, &mut heard);
        let more = wire.inbound_may_hold_more;
        // Never more than one outbox beyond what the socket takes: a slow peer must not grow our memory.
        if wire.outgoing.is_empty() {
            outbox.take(&mut wire.outgoing);
        }
        if wire.write().is_err() {
            return Ending::Cut;
        }
        match outbox.ending() {
            Some(Ending::Cut) => return Ending::Cut,
            Some(Ending::Graceful) => {
                outbox.take(&mut wire.outgoing);
                return Ending::Graceful;
            }
            None if more => continue,
            None => {}
        }
        let now = tokio::select! {
            () = outbox.changed() => None,
            readable = wire.io.readable() => match readable.map_err(|_| ()).and_then(|()| wire.read()) {
                Ok(()) => None,
                Err(()) => return Ending::Graceful,
            },
            writable = wire.io.writable(), if !wire.outgoing.is_empty() => match writable {
                Ok(()) => None,
                Err(_) => return Ending::Cut,
            },
            _ = beats.tick() => Some(clock::monotonic()),
        };
        if let Some(now) = now {
            if now.duration_since(heard) >= config.silent_after {
                floor.borrow_mut().stats.silent_peers_dropped += 1;
                outbox.close(code::POLICY, "no pong and no other frame in time");
            } else if now.duration_since(opened) >= config.session_lifetime {
                outbox.close(code::GOING_AWAY, "the session has reached its lifetime");
            } else if now.duration_since(pinged) >= config.ping_every {
                pinged = now;
                ping(floor, id, outbox);
            }
        }
    }
}

fn handle(
    floor: &SharedFloor,
    assembler: &mut Assembler,
    role: &mut Role,
    outbox: &Outbox,
    wire: &mut Wire,
    heard: &mut Instant,
) {
    wire.inbound_may_hold_more = false;
    if wire.inbound.is_empty() {
        return;
    }
    let now_ms = clock::wall_millis();
    for _ in 0..MESSAGES_PER_TURN {
        if outbox.ending().is_some() {
            return;
        }
        match assembler.next(&mut wire.inbound) {
            Ok(None) => return,
            Ok(Some(inbound)) => {
                *heard = clock::monotonic();
                match inbound {
                    Inbound::Text(text) => match role {
                        Role::Market(session) => session.on_text(floor, now_ms, &text),
                        Role::Api(session) => session.on_text(floor, now_ms, &text),
                    },
                    Inbound::Ping(payload) => outbox.pong(&payload),
                    Inbound::Pong => {}
                    Inbound::Close => outbox.close(code::NORMAL, ""),
                }
            }
            Err(violation) => {
                outbox.close(violation.code, &violation.reason);
                return;
            }
        }
    }
    wire.inbound_may_hold_more = true;
}

fn ping(floor: &SharedFloor, id: SessionId, outbox: &Outbox) {
    let now_ms = clock::wall_millis();
    let mut floor = floor.borrow_mut();
    let door = floor.registry.get(id).map(|session| session.door);
    let context = Context { session: Some(id), door, ..Context::default() };
    if door != Some(SessionKind::MarketData) || !floor.faults.at_ping(now_ms, &context) {
        outbox.ping(now_ms.to_string().as_bytes());
    }
}

/// Holds the socket without reading or writing until the fault is over, then cuts it: a connection that
/// was dead for a while does not come back to life.
async fn stay_silent(floor: &SharedFloor, id: SessionId, outbox: &Outbox) -> Ending {
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    loop {
        ticks.tick().await;
        let mut floor = floor.borrow_mut();
        let Some(session) = floor.registry.get(id) else { return Ending::Cut };
        let (door, key) = (session.door, session.user.first().map(|user| user.api_key.clone()));
        let context =
            Context { api_key: key.as_deref(), session: Some(id), door: Some(door), ..Context::default() };
        let over = !floor.faults.silence_holds(clock::wall_millis(), &context);
        if over || outbox.ending().is_some() || floor.stopping.is_some() {
            return Ending::Cut;
        }
    }
}

async fn say_goodbye(wire: &mut Wire) {
    let farewell = async {
        while !wire.outgoing.is_empty() {
            wire.io.writable().await.map_err(|_| ())?;
            wire.write()?;
        }
        tokio::io::AsyncWriteExt::shutdown(&mut wire.io).await.map_err(|_| ())?;
        // Reading to the end lets the peer receive the close frame instead of a reset.
        loop {
            wire.io.readable().await.map_err(|_| ())?;
            wire.read()?;
            wire.inbound.clear();
        }
    };
    let _peer_closed_or_grace_is_over: Result<Result<(), ()>, _> =
        tokio::time::timeout(CLOSING_GRACE, farewell).await;
}

impl Wire {
    /// Reads what is there; `Err` when the peer closed or the socket failed.
    fn read(&mut self) -> Result<(), ()> {
        self.inbound.reserve(READ_CHUNK_BYTES);
        match self.io.try_read_buf(&mut self.inbound) {
            Ok(0) => Err(()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(_) => Err(()),
        }
    }

    /// Writes what the socket takes without blocking.
    fn write(&mut self) -> Result<(), ()> {
        while !self.outgoing.is_empty() {
            match self.io.try_write(&self.outgoing) {
                Ok(0) => return Err(()),
                Ok(written) => self.outgoing.advance(written),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(()),
            }
        }
        Ok(())
    }
}
