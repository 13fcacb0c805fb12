//! `GET /desk/events`: the page's own stream. First everything, then what changed, and a word every second in any case,
//! so that a page can tell a quiet runtime from a dead link.

use super::press::Word;
use crate::clock;
use crate::domain::time::WallMs;
use crate::web::access::{Principal, Proof};
use crate::web::events::event;
use crate::web::problem::Problem;
use crate::web::state::WebState;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::MissedTickBehavior;

/// How often a page is asked whether something is new to it.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Longest silence.
const BEAT_AFTER: Duration = Duration::from_millis(900);

struct Feed {
    state: Data<WebState>,
    principal: Principal,
    /// The session's cookie, when it is one that admitted the page.
    cookie: Option<String>,
    seen: u64,
    said_at: Instant,
    tick: tokio::time::Interval,
    ended: bool,
    _seat: OwnedSemaphorePermit,
}

/// See the module's head.
pub(in crate::web) async fn events(
    state: Data<WebState>,
    principal: Principal,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let seat = state.streams.page()?;
    let signed_in = request.extensions().get::<Proof>().is_some_and(|proof| proof.signed_in);
    let cookie = request.cookie(state.security.sessions.cookie_name()).filter(|_| signed_in);
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let feed = Feed {
        state,
        principal,
        cookie: cookie.map(|cookie| cookie.value().to_owned()),
        seen: 0,
        said_at: clock::monotonic(),
        tick,
        ended: false,
        _seat: seat,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(feed, |mut feed| async move {
            let chunk = feed.next().await?;
            Some((Ok::<Bytes, Error>(chunk), feed))
        })))
}

impl Feed {
    /// The next bytes for the socket; `None` after the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.ended {
            return None;
        }
        if self.seen == 0 {
            let (everything, number) = self.state.press.full(&self.state).await;
            return Some(self.say(everything, number));
        }
        let state = self.state.clone();
        loop {
            tokio::select! {
                biased;
                () = state.ending() => {
                    self.ended = true;
                    return Some(event("bye", None, &json!({"at": clock::wall_millis()})).into());
                }
                _ = self.tick.tick() => {}
            }
            // A token that was revoked ends what it opened.
            if !self.is_admitted() {
                return None;
            }
            match state.press.after(&state, self.seen).await {
                Word::Bytes(bytes, number) => return Some(self.say(bytes, number)),
                Word::None if clock::monotonic().saturating_duration_since(self.said_at) >= BEAT_AFTER => {
                    let beat = event("beat", None, &json!({"at": clock::wall_millis()}));
                    return Some(self.say(beat.into(), self.seen));
                }
                Word::None => {}
            }
        }
    }

    fn say(&mut self, bytes: Bytes, number: u64) -> Bytes {
        (self.seen, self.said_at) = (number, clock::monotonic());
        bytes
    }

    fn is_admitted(&self) -> bool {
        let (security, now) = (&self.state.security, clock::monotonic());
        if let Some(cookie) = &self.cookie {
            let wall = WallMs(clock::wall_millis());
            let found = security.sessions.find(cookie, now);
            return found.is_some_and(|found| security.keyring.holder(&found.token, now, wall).is_some());
        }
        security.keyring.admits_still(&self.principal, now)
    }
}
