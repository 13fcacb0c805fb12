//! Sets up the order session: measure the clock, log on or sign, subscribe to user data.
//!
//! Works on the bare socket, one request at a time, before the session hands it to its loop. HMAC keys
//! subscribe with a signed request; Ed25519 keys log on once and need no signature afterwards.

use super::errors::{Verdict, judge};
use super::messages::api::{self, ServerTime};
use super::params::Params;
use super::session::Opened;
use super::shared::Shared;
use super::socket::{self, DialFailure, Socket};
use crate::domain::connection::Why;
use crate::domain::outcome::RejectClass;
use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;

/// Clock samples per connection; the one with the shortest round trip wins.
const CLOCK_SAMPLES: usize = 3;
/// Frames that may come before an answer; more means that the peer does not speak this protocol.
const MAX_UNRELATED: usize = 1_000;

/// Connects, logs on and subscribes.
pub(super) async fn establish(shared: &Shared, opened: Opened) -> Result<Socket, DialFailure> {
    let mut socket = socket::open(&shared.config.ws_api_url).await?;
    opened.tell().await;
    for _ in 0..CLOCK_SAMPLES {
        measure(shared, &mut socket).await?;
    }
    match subscribe(shared, &mut socket).await {
        Err(Refused::Clock) => {
            shared.offset.borrow_mut().reset();
            measure(shared, &mut socket).await?;
            subscribe(shared, &mut socket).await.map_err(Refused::failure)?;
        }
        result => result.map_err(Refused::failure)?,
    }
    Ok(socket)
}

enum Refused {
    Clock,
    Failure(DialFailure),
}

impl Refused {
    fn failure(self) -> DialFailure {
        match self {
            Self::Failure(failure) => failure,
            Self::Clock => DialFailure::new(Why::DialFailed, &"the clock is outside the venue's window"),
        }
    }
}

async fn subscribe(shared: &Shared, socket: &mut Socket) -> Result<(), Refused> {
    let Some(signer) = &shared.signer else {
        return Err(Refused::Failure(DialFailure::new(Why::AuthRefused, &"no key is configured")));
    };
    let stamped = || Params::new().stamped(shared.venue_now(), shared.config.recv_window_ms);
    if signer.can_log_on() {
        let log_on = stamped().signed_for_ws(signer).json();
        ask(shared, socket, "session.logon", &log_on).await?;
        ask(shared, socket, "userDataStream.subscribe", "{}").await?;
    } else {
        let signed = stamped().signed_for_ws(signer).json();
        ask(shared, socket, "userDataStream.subscribe.signature", &signed).await?;
    }
    Ok(())
}

async fn measure(shared: &Shared, socket: &mut Socket) -> Result<(), DialFailure> {
    let (sent, sent_wall) = (shared.clock.now(), crate::clock::wall_millis());
    let text = ask(shared, socket, "time", "{}").await.map_err(Refused::failure)?;
    let time: ServerTime =
        serde_json::from_str(&text).map_err(|error| DialFailure::new(Why::Protocol, &error))?;
    shared.observe_clock(sent, sent_wall, time.server_time);
    Ok(())
}

async fn ask(shared: &Shared, socket: &mut Socket, method: &str, params: &str) -> Result<String, Refused> {
    let lost = |why: Why| Refused::Failure(DialFailure::new(why, &method));
    let frame = format!(r#"{{"id":0,"method":"{method}","params":{params}}}"#);
    socket.send(Message::text(frame)).await.map_err(|_| lost(Why::Closed))?;
    for _ in 0..MAX_UNRELATED {
        let Message::Text(text) = socket::next(socket).await.map_err(lost)? else { continue };
        let frame = api::decode(text.as_str())
            .map_err(|error| Refused::Failure(DialFailure::new(Why::Protocol, &error)))?;
        if frame.id != Some(0) {
            continue;
        }
        if let Some(limits) = &frame.rate_limits {
            shared.observe_limits(limits);
        }
        return match (frame.status, frame.result, frame.error) {
            (Some(status), Some(result), None) if (200..300).contains(&status) => Ok(result.get().to_owned()),
            (Some(status), _, error) => {
                let retry = error.as_ref().and_then(|e| e.data.as_ref()).and_then(|d| d.retry_after);
                let (code, words) = error.map_or_else(|| (0, String::new()), |e| (e.code, e.message()));
                Err(refusal(shared, status, code, &words, retry))
            }
            _ => Err(lost(Why::Protocol)),
        };
    }
    Err(lost(Why::Protocol))
}

fn refusal(shared: &Shared, status: u16, code: i64, words: &str, retry_at: Option<i64>) -> Refused {
    let failure = |why| DialFailure::new(why, &format!("{code}: {words}"));
    match judge(status, code, words) {
        Verdict::ResyncClock(_) => Refused::Clock,
        Verdict::Refused(rejection) if rejection.class == RejectClass::Authentication => {
            Refused::Failure(failure(Why::AuthRefused))
        }
        Verdict::BackOff(_) => {
            let hold = retry_at.map(|at| u64::try_from(at.saturating_sub(shared.venue_now())).unwrap_or(0));
            Refused::Failure(DialFailure { hold_ms: Some(hold), ..failure(Why::DialFailed) })
        }
        _ => Refused::Failure(failure(Why::DialFailed)),
    }
}
