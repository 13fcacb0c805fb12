//! The question that proves a session: `time`, asked now and then, measures the clock and shows that the
//! wire still carries answers. A half-open connection is found by its silence, not by TCP.

use super::messages::api::ServerTime;
use super::pacing::Purpose;
use super::shared::Shared;
use super::ws_calls::{Answer, Call, CallFailure, CallResult};
use crate::domain::time::Mono;
use tokio::sync::oneshot;

struct Asked {
    sent: Mono,
    sent_wall_ms: i64,
    answer: oneshot::Receiver<CallResult>,
}

/// When the next question is due, and the one that waits for its answer.
#[derive(Default)]
pub(super) struct Probe {
    due: Mono,
    asked: Option<Asked>,
}

impl Probe {
    /// The session is live: the first question follows after the usual time.
    pub(super) fn restart(&mut self, now: Mono, every_ms: u64) {
        self.asked = None;
        self.due = now.plus(every_ms);
    }

    /// The session is gone.
    pub(super) fn forget(&mut self) {
        self.asked = None;
    }

    /// When the next question is due.
    pub(super) fn due(&self) -> Mono {
        self.due
    }

    /// Looks for the answer; `false` when there will be none.
    pub(super) fn answered(&mut self, shared: &Shared) -> bool {
        let Some(asked) = &mut self.asked else { return true };
        let lost = match asked.answer.try_recv() {
            Err(oneshot::error::TryRecvError::Empty) => return true,
            Ok(Ok(Answer { body: Ok(text), .. })) => {
                if let Ok(time) = serde_json::from_str::<ServerTime>(&text) {
                    shared.observe_clock(asked.sent, asked.sent_wall_ms, time.server_time);
                }
                false
            }
            // Refused by pacing or by the venue: an answer all the same.
            Ok(Ok(_) | Err(CallFailure::NotSent(_))) => false,
            Ok(Err(CallFailure::Unknown(_))) | Err(oneshot::error::TryRecvError::Closed) => true,
        };
        self.asked = None;
        !lost
    }

    /// The next question, when it is due, none is open, and the weight allows it.
    pub(super) fn ask(&mut self, now: Mono, shared: &Shared) -> Option<Call> {
        if self.asked.is_some() || now < self.due {
            return None;
        }
        self.due = now.plus(shared.config.probe_every_ms);
        shared.admit(Purpose::Protect, 1).ok()?;
        let (reply, answer) = oneshot::channel();
        self.asked = Some(Asked { sent: now, sent_wall_ms: crate::clock::wall_millis(), answer });
        let timeout_ms = shared.config.probe_timeout_ms;
        Some(Call {
            method: "time",
            params: "{}".to_owned(),
            queued_at: now,
            send_within_ms: timeout_ms,
            timeout_ms,
            places: None,
            reply,
        })
    }
}
