//! Assembles the messages of one WebSocket client from its frames, within bounds.
//!
//! A frame whose header announces more than the cap is refused before its payload is read, and so is a
//! fragmented message that grows beyond it. Pure: bytes in, messages out.

use super::outbox::code;
use actix_http::ws::{Codec, Frame, Item, ProtocolError};
use bytes::{Bytes, BytesMut};
use tokio_util::codec::Decoder as _;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inbound {
    /// A text message; not yet known to be UTF-8.
    Text(Bytes),
    /// A ping, to be answered.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// The client closes.
    Close,
}

/// Why a client is disconnected: a close code and a reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Violation {
    pub(super) code: u16,
    pub(super) reason: String,
}

#[derive(Debug)]
pub(super) struct Assembler {
    codec: Codec,
    partial: Option<BytesMut>,
    max_bytes: usize,
}

impl Assembler {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { codec: Codec::new().max_size(max_bytes), partial: None, max_bytes }
    }

    /// The next complete message in `buffer`.
    pub(super) fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Inbound>, Violation> {
        loop {
            // The codec would collect the whole payload before it complains about its length.
            if announced_bytes(buffer).is_some_and(|length| length > self.max_bytes) {
                return Err(too_big(self.max_bytes));
            }
            let Some(frame) = self.codec.decode(buffer).map_err(|error| self.violation(&error))? else {
                return Ok(None);
            };
            return Ok(Some(match frame {
                Frame::Text(text) => Inbound::Text(text),
                Frame::Ping(payload) => Inbound::Ping(payload),
                Frame::Pong(_) => Inbound::Pong,
                Frame::Close(_) => Inbound::Close,
                Frame::Binary(_) | Frame::Continuation(Item::FirstBinary(_)) => {
                    return Err(Violation { code: code::UNSUPPORTED, reason: "text frames only".to_owned() });
                }
                Frame::Continuation(Item::FirstText(part)) => {
                    self.partial = Some(BytesMut::from(part.as_ref()));
                    continue;
                }
                Frame::Continuation(Item::Continue(part)) => {
                    self.extend(&part)?;
                    continue;
                }
                Frame::Continuation(Item::Last(part)) => {
                    self.extend(&part)?;
                    Inbound::Text(self.partial.take().unwrap_or_default().freeze())
                }
            }));
        }
    }

    fn extend(&mut self, part: &[u8]) -> Result<(), Violation> {
        let partial = self.partial.get_or_insert_default();
        if partial.len().saturating_add(part.len()) > self.max_bytes {
            return Err(too_big(self.max_bytes));
        }
        partial.extend_from_slice(part);
        Ok(())
    }

    fn violation(&self, error: &ProtocolError) -> Violation {
        match error {
            ProtocolError::Overflow => too_big(self.max_bytes),
            other => Violation { code: code::PROTOCOL, reason: other.to_string() },
        }
    }
}

/// The payload length in a frame's header (RFC 6455, 5.2), once enough of the header is there.
fn announced_bytes(buffer: &[u8]) -> Option<usize> {
    match buffer.get(1)? & 0x7F {
        126 => {
            let length = buffer.get(2..4)?.try_into().ok()?;
            Some(usize::from(u16::from_be_bytes(length)))
        }
        127 => {
            let length = buffer.get(2..10)?.try_into().ok()?;
            Some(usize::try_from(u64::from_be_bytes(length)).unwrap_or(usize::MAX))
        }
        short => Some(usize::from(short)),
    }
}

fn too_big(max_bytes: usize) -> Violation {
    Violation { code: code::TOO_BIG, reason: format!("messages may have at most {max_bytes} bytes") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_http::ws::Message;
    use tokio_util::codec::Encoder as _;

    fn bytes(messages: Vec<Message>) -> BytesMut {
        let mut codec = Codec::new().client_mode();
        let mut buffer = BytesMut::new();
        for message in messages {
            codec.encode(message, &mut buffer).unwrap();
        }
        buffer
    }

    #[test]
    fn fragments_become_one_message() {
        let part = |text: &'static str| Bytes::from_static(text.as_bytes());
        let mut buffer = bytes(vec![
            Message::Continuation(Item::FirstText(part("a"))),
            Message::Ping(part("p")),
            Message::Continuation(Item::Continue(part("b"))),
            Message::Continuation(Item::Last(part("c"))),
        ]);
        let mut assembler = Assembler::new(100);
        assert_eq!(assembler.next(&mut buffer), Ok(Some(Inbound::Ping(part("p")))));
        assert_eq!(assembler.next(&mut buffer), Ok(Some(Inbound::Text(part("abc")))));
        assert_eq!(assembler.next(&mut buffer), Ok(None));
    }

    #[test]
    fn a_truncated_frame_is_waited_for() {
        let whole = bytes(vec![Message::Text("hello".into())]);
        for cut in 0..whole.len() {
            let mut buffer = BytesMut::from(&whole[..cut]);
            assert_eq!(Assembler::new(100).next(&mut buffer), Ok(None), "{cut}");
        }
    }

    #[test]
    fn big_messages_are_refused_by_their_header_alone() {
        // The header of a masked 64 MiB text frame, without its payload.
        let mut header = BytesMut::from(&[0x81, 0xFF][..]);
        header.extend_from_slice(&(64_u64 * 1024 * 1024).to_be_bytes());
        header.extend_from_slice(&[1, 2, 3, 4]);
        assert_eq!(Assembler::new(65_536).next(&mut header).unwrap_err().code, code::TOO_BIG);
        let part = || Bytes::from(vec![b'x'; 60]);
        let mut buffer = bytes(vec![
            Message::Continuation(Item::FirstText(part())),
            Message::Continuation(Item::Continue(part())),
        ]);
        assert_eq!(Assembler::new(100).next(&mut buffer).unwrap_err().code, code::TOO_BIG);
    }

    #[test]
    fn junk_and_binary_are_protocol_errors_and_not_panics() {
        let mut unmasked = BytesMut::from(&[0x81, 0x01, b'x'][..]);
        assert_eq!(Assembler::new(100).next(&mut unmasked).unwrap_err().code, code::PROTOCOL);
        let mut binary = bytes(vec![Message::Binary(Bytes::from_static(b"x"))]);
        assert_eq!(Assembler::new(100).next(&mut binary).unwrap_err().code, code::UNSUPPORTED);
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..2_000 {
            let mut junk = BytesMut::new();
            junk.extend((0..rng.usize(0..64)).map(|_| rng.u8(..)));
            let mut assembler = Assembler::new(100);
            while matches!(assembler.next(&mut junk), Ok(Some(_))) {}
        }
    }
}
