//! Opens WebSockets with caps on everything the peer may send, and names what went wrong.

use crate::domain::connection::Why;
use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Largest message that is read. Ten thousand open orders fit; a 64 MiB frame is refused by its header.
pub(super) const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// Most bytes that wait to be written before a send fails.
const MAX_WRITE_BYTES: usize = 8 << 20;

/// An open WebSocket.
pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a connection could not be set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DialFailure {
    /// For the state machine.
    pub(super) why: Why,
    /// The venue asked for silence: `Some(None)` when it named no time.
    pub(super) hold_ms: Option<Option<u64>>,
    /// For the log, bounded.
    pub(super) detail: String,
}

impl DialFailure {
    pub(super) fn new(why: Why, detail: &dyn std::fmt::Display) -> Self {
        Self { why, hold_ms: None, detail: crate::domain::outcome::bounded(&detail.to_string()) }
    }
}

/// Opens a WebSocket. The caller limits the time.
pub(super) async fn open(url: &str) -> Result<Socket, DialFailure> {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES))
        .max_write_buffer_size(MAX_WRITE_BYTES);
    match tokio_tungstenite::connect_async_with_config(url, Some(config), true).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) if matches!(response.status().as_u16(), 418 | 429) => {
            let seconds = response.headers().get("retry-after").and_then(|v| v.to_str().ok());
            let hold = seconds.and_then(|s| s.trim().parse::<u64>().ok()).map(|s| s.saturating_mul(1_000));
            let mut failure = DialFailure::new(Why::DialFailed, &response.status());
            failure.hold_ms = Some(hold);
            Err(failure)
        }
        Err(error) => Err(DialFailure::new(Why::DialFailed, &error)),
    }
}

/// The next message, or why there is none.
pub(super) async fn next(socket: &mut Socket) -> Result<Message, Why> {
    match socket.next().await {
        Some(Ok(Message::Close(_))) | None => Err(Why::Closed),
        Some(Ok(message)) => Ok(message),
        Some(Err(Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt)) => {
            Err(Why::Protocol)
        }
        Some(Err(_)) => Err(Why::Closed),
    }
}
