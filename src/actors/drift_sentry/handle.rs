//! What others ask of the sentry, and how they wait for the answer.

use crate::domain::drift::{StreamName, StreamRefusal};
use crate::supervision::{Port, TellError};
use actix::Message;
use std::time::Duration;
use tokio::sync::oneshot;

/// What can be asked for.
#[derive(Debug, Clone)]
pub enum DriftAsk {
    /// Observations of a stream from outside, oldest first.
    Observe {
        /// Which.
        stream: StreamName,
        /// The numbers.
        values: Vec<f64>,
    },
    /// What the stream does now is normal: learn anew, lift what it cut.
    Rebaseline {
        /// Which.
        stream: StreamName,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DriftDone {
    /// Observations that were taken.
    pub taken: usize,
    /// Observations that were not finite.
    pub rejected: usize,
}

/// Why it was not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DriftFailure {
    /// The stream.
    #[error(transparent)]
    Stream(#[from] StreamRefusal),
    /// It has too much to do; nothing was taken.
    #[error("the drift sentry has too much to do; nothing was taken")]
    Busy,
    /// It is not running, or has not read its streams yet; nothing was taken.
    #[error("the drift sentry is not ready; nothing was taken")]
    Down,
    /// It failed with the request in hand, or took too long.
    #[error("the drift sentry did not answer; whether it was taken is not known")]
    Lost,
}

/// A request in the mailbox, with the way back.
#[derive(Message)]
#[rtype(result = "()")]
pub struct DriftRequest {
    pub(super) ask: DriftAsk,
    pub(super) answer: oneshot::Sender<Result<DriftDone, DriftFailure>>,
}

/// The sentry as others hold it.
#[derive(Debug, Clone)]
pub struct DriftHandle(pub(super) Port<DriftRequest>);

impl DriftHandle {
    /// Asks and waits, at most `within`.
    ///
    /// # Errors
    /// [`DriftFailure`]; only `Lost` leaves open what was done.
    pub async fn ask(&self, ask: DriftAsk, within: Duration) -> Result<DriftDone, DriftFailure> {
        let (answer, receiver) = oneshot::channel();
        self.0.tell(DriftRequest { ask, answer }).map_err(|refused| match refused {
            TellError::Full(_) => DriftFailure::Busy,
            TellError::Closed(_) => DriftFailure::Down,
        })?;
        match tokio::time::timeout(within, receiver).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(DriftFailure::Lost),
        }
    }
}
