//! What waits to be written to one WebSocket session: encoded frames in one bounded buffer.
//!
//! Everything a wake-up produces is written with one system call. A session whose buffer overflows is a
//! slow consumer: its backlog is dropped, it is told why (1008) and it is closed. Single-threaded.

use bytes::{BufMut as _, BytesMut};
use std::cell::RefCell;
use tokio::sync::Notify;

const OP_TEXT: u8 = 0x1;
const OP_CLOSE: u8 = 0x8;
const OP_PING: u8 = 0x9;
const OP_PONG: u8 = 0xA;
/// A control frame carries at most 125 bytes, two of which are the close code.
const MAX_CLOSE_REASON: usize = 123;

/// Close codes of RFC 6455 that this exchange uses.
pub mod code {
    /// Normal closure.
    pub const NORMAL: u16 = 1000;
    /// The endpoint goes away.
    pub const GOING_AWAY: u16 = 1001;
    /// The peer broke the protocol.
    pub const PROTOCOL: u16 = 1002;
    /// Data of a kind that is not accepted.
    pub const UNSUPPORTED: u16 = 1003;
    /// The peer broke a rule of ours.
    pub const POLICY: u16 = 1008;
    /// A message too big to process.
    pub const TOO_BIG: u16 = 1009;
}

/// How a session is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// What waits is written (a close frame last), then the socket is closed.
    Graceful,
    /// The socket is closed at once.
    Cut,
}

#[derive(Debug, Default)]
struct Inner {
    waiting: BytesMut,
    ending: Option<Ending>,
    silent: bool,
    overflowed: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Outbox {
    inner: RefCell<Inner>,
    wake: Notify,
    cap_bytes: usize,
}

impl Outbox {
    /// An empty outbox that holds up to `cap_bytes`.
    #[must_use]
    pub fn new(cap_bytes: usize) -> Self {
        Self { inner: RefCell::default(), wake: Notify::new(), cap_bytes }
    }

    /// Queues a text frame made of `parts`.
    pub fn text(&self, parts: &[&str]) {
        let length = parts.iter().map(|part| part.len()).sum();
        self.frame(OP_TEXT, length, |buffer| {
            for part in parts {
                buffer.put_slice(part.as_bytes());
            }
        });
    }

    /// Queues a ping.
    pub fn ping(&self, payload: &[u8]) {
        self.frame(OP_PING, payload.len(), |buffer| buffer.put_slice(payload));
    }

    /// Queues a pong.
    pub fn pong(&self, payload: &[u8]) {
        self.frame(OP_PONG, payload.len(), |buffer| buffer.put_slice(payload));
    }

    /// Queues a close frame; nothing more is accepted after it.
    pub fn close(&self, code: u16, reason: &str) {
        let mut cut = reason.len().min(MAX_CLOSE_REASON);
        while !reason.is_char_boundary(cut) {
            cut -= 1;
        }
        let reason = reason.as_bytes().get(..cut).unwrap_or_default();
        self.frame(OP_CLOSE, reason.len() + 2, |buffer| {
            buffer.put_u16(code);
            buffer.put_slice(reason);
        });
        self.inner.borrow_mut().ending.get_or_insert(Ending::Graceful);
        self.wake.notify_one();
    }

    /// Ends the session without a word.
    pub fn cut(&self) {
        self.inner.borrow_mut().ending = Some(Ending::Cut);
        self.wake.notify_one();
    }

    /// Lets the session go silent: it neither reads nor writes from now on.
    pub fn silence(&self) {
        self.inner.borrow_mut().silent = true;
        self.wake.notify_one();
    }

    /// Is the session to be silent?
    pub fn is_silent(&self) -> bool {
        self.inner.borrow().silent
    }

    /// How the session is to end, once that is decided.
    pub fn ending(&self) -> Option<Ending> {
        self.inner.borrow().ending
    }

    /// Was the peer too slow?
    pub fn overflowed(&self) -> bool {
        self.inner.borrow().overflowed
    }

    /// Bytes that wait.
    pub fn waiting_bytes(&self) -> usize {
        self.inner.borrow().waiting.len()
    }

    /// Is at most half of the room taken? An unpaced market waits for this.
    pub fn has_room(&self) -> bool {
        self.waiting_bytes() * 2 <= self.cap_bytes
    }

    /// Moves everything that waits into `into`.
    pub fn take(&self, into: &mut BytesMut) {
        let mut inner = self.inner.borrow_mut();
        if into.is_empty() {
            std::mem::swap(into, &mut inner.waiting);
        } else {
            into.extend_from_slice(&inner.waiting);
            inner.waiting.clear();
        }
    }

    /// Waits until something was queued or decided since the last call.
    pub async fn changed(&self) {
        self.wake.notified().await;
    }

    fn frame(&self, opcode: u8, length: usize, fill: impl FnOnce(&mut BytesMut)) {
        let mut inner = self.inner.borrow_mut();
        if inner.ending.is_some() || inner.silent {
            return;
        }
        if inner.waiting.len().saturating_add(length) > self.cap_bytes {
            inner.waiting.clear();
            inner.overflowed = true;
            inner.ending = Some(Ending::Graceful);
            let reason = b"slow consumer: the output queue is full";
            header(&mut inner.waiting, OP_CLOSE, reason.len() + 2);
            inner.waiting.put_u16(code::POLICY);
            inner.waiting.put_slice(reason);
        } else {
            header(&mut inner.waiting, opcode, length);
            fill(&mut inner.waiting);
        }
        drop(inner);
        self.wake.notify_one();
    }
}

/// The header of an unfragmented, unmasked frame (RFC 6455, 5.2).
fn header(buffer: &mut BytesMut, opcode: u8, length: usize) {
    buffer.put_u8(0x80 | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => buffer.put_u8(short),
        (_, Ok(medium)) => {
            buffer.put_u8(126);
            buffer.put_u16(medium);
        }
        _ => {
            buffer.put_u8(127);
            buffer.put_u64(u64::try_from(length).unwrap_or(u64::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::ws::{Codec, Frame};
    use tokio_util::codec::Decoder as _;

    fn frames(outbox: &Outbox) -> Vec<Frame> {
        let mut bytes = BytesMut::new();
        outbox.take(&mut bytes);
        let mut codec = Codec::new().client_mode().max_size(1 << 24);
        std::iter::from_fn(|| codec.decode(&mut bytes).unwrap()).collect()
    }

    #[test]
    fn frames_of_every_length_decode() {
        for length in [0, 1, 125, 126, 65_535, 65_536, 200_000] {
            let outbox = Outbox::new(1 << 20);
            let text = "x".repeat(length);
            outbox.text(&["", &text]);
            outbox.ping(b"p");
            assert_eq!(frames(&outbox), [Frame::Text(text.into()), Frame::Ping("p".into())], "{length}");
        }
    }

    #[test]
    fn a_slow_consumer_loses_its_backlog_and_is_told() {
        let outbox = Outbox::new(100);
        outbox.text(&[&"x".repeat(80)]);
        assert!(!outbox.has_room());
        outbox.text(&[&"x".repeat(80)]);
        assert!(outbox.overflowed());
        let left = frames(&outbox);
        let [Frame::Close(Some(reason))] = left.as_slice() else { panic!("{left:?}") };
        assert_eq!(u16::from(reason.code), code::POLICY);
        assert!(reason.description.as_ref().unwrap().contains("slow"));
        outbox.text(&["late"]);
        assert_eq!(outbox.waiting_bytes(), 0, "nothing follows a close");
    }

    #[test]
    fn long_close_reasons_are_cut_at_a_character() {
        let outbox = Outbox::new(1_000);
        outbox.close(code::NORMAL, &"ä".repeat(100));
        assert!(matches!(frames(&outbox).as_slice(), [Frame::Close(Some(_))]));
        assert_eq!(outbox.ending(), Some(Ending::Graceful));
    }

    #[test]
    fn a_silent_session_hears_nothing() {
        let outbox = Outbox::new(1_000);
        outbox.silence();
        outbox.text(&["x"]);
        assert!(outbox.is_silent() && outbox.waiting_bytes() == 0);
    }
}
