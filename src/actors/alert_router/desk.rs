//! How others ask the alert router for something and wait for its answer.

use super::show;
use crate::actors::oms::AskFailure;
use crate::domain::alert::router::{Answer, Ask};
use crate::domain::control::ControlNote;
use crate::supervision::{Port, TellError};
use actix::Message;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::oneshot;

/// A request in the mailbox, with the way back.
#[derive(Message)]
#[rtype(result = "()")]
pub struct AlertRequest {
    pub(super) ask: Ask,
    /// What is known of the request: its line of the audit is written with what is done.
    pub(super) note: Option<Box<ControlNote>>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// The alert router as others hold it.
#[derive(Debug, Clone)]
pub struct AlertDesk(Port<AlertRequest>);

impl AlertDesk {
    /// The desk of a router.
    #[must_use]
    pub const fn new(requests: Port<AlertRequest>) -> Self {
        Self(requests)
    }

    /// Asks and waits, at most `within`. An answer other than a refusal is on disk.
    ///
    /// # Errors
    /// [`AskFailure`]; only `Busy` and `Down` say that nothing was taken.
    pub async fn ask(
        &self,
        ask: Ask,
        note: Option<ControlNote>,
        within: Duration,
    ) -> Result<Answer, AskFailure> {
        let (answer, receiver) = oneshot::channel();
        let request = AlertRequest { ask, note: note.map(Box::new), answer };
        self.0.tell(request).map_err(|refused| match refused {
            TellError::Full(_) => AskFailure::Busy,
            TellError::Closed(_) => AskFailure::Down,
        })?;
        match tokio::time::timeout(within, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(AskFailure::Lost),
            Err(_) => Err(AskFailure::Timeout),
        }
    }
}

/// Status and body of an answer, as the HTTP surface gives it: one place, so that the answer that a key is pinned to is
/// the answer that was given.
#[must_use]
pub fn shown(answer: &Answer) -> (u16, Value) {
    match answer {
        Answer::Alert(alert) => (200, show::alert(alert, &[])),
        Answer::Silence(silence) => (200, show::silence(silence)),
        Answer::Test(delivery) => (202, show::delivery(delivery)),
        Answer::Refused(refusal) => (409, json!({"detail": refusal.to_string()})),
    }
}
