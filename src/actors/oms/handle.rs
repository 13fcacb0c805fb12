//! How other components ask the order management for something and wait for its answer.

use crate::domain::control::ControlNote;
use crate::domain::ids::{ClientOrderId, StrategyId};
use crate::domain::oms::{Actor, Answer, DrainHow, Resolution, Steering};
use crate::domain::order::{CancelScope, OrderRequest, ReplaceRequest};
use crate::domain::risk::{Override, Proposal};
use crate::supervision::{Port, TellError};
use actix::Message;
use rust_decimal::Decimal;
use std::time::Duration;
use tokio::sync::oneshot;

/// What can be asked for.
#[derive(Debug, Clone)]
pub enum Ask {
    /// A new order. Answered once the intent is on disk.
    Submit(OrderRequest),
    /// A cancel, by the caller's id.
    Cancel {
        /// Which.
        order: ClientOrderId,
        /// Who and why.
        by: Actor,
    },
    /// A cancel of everything within a scope.
    CancelAll {
        /// Which.
        scope: CancelScope,
        /// Who and why.
        by: Actor,
    },
    /// Cancel and place anew. Answered once the new intent is on disk.
    Replace {
        /// What.
        request: ReplaceRequest,
        /// Who and why.
        by: Actor,
    },
    /// An operator's word on an unknown order.
    Resolve {
        /// Which.
        order: ClientOrderId,
        /// What became of it.
        resolution: Resolution,
        /// Who and why.
        by: Actor,
    },
    /// Enable or disable a strategy.
    SwitchStrategy {
        /// Which.
        strategy: StrategyId,
        /// May it trade?
        enabled: bool,
        /// Who and why.
        by: Actor,
    },
    /// Pause, reduce-only, resume or reset.
    Steer(Steering),
    /// The latch of the kill switch was reset.
    LatchCleared,
    /// What would the risk chain say?
    Explain(Box<Proposal>),
    /// A named person lets a latched strategy go on.
    ReEnable {
        /// Which.
        strategy: StrategyId,
        /// Who and why.
        by: Actor,
    },
    /// A series of a strategy drifts: its entries are cut.
    Restrain {
        /// Whose.
        strategy: StrategyId,
        /// The series.
        stream: String,
        /// The share that is left.
        factor: Decimal,
        /// Who and why.
        by: Actor,
    },
    /// A person lifts what a stream has cut.
    Release {
        /// Whose.
        strategy: StrategyId,
        /// The series.
        stream: String,
        /// Who and why.
        by: Actor,
    },
    /// One order is let through that the risk chain denies; it expires after so many milliseconds.
    Grant {
        /// What; its expiry is set here.
        over: Box<Override>,
        /// From now on.
        for_ms: u64,
    },
    /// One of these, with what is known of the request: its line of the audit is written with what is done.
    Noted(Box<ControlNote>, Box<Ask>),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskFailure {
    /// Too much waits already; nothing was taken.
    #[error("the order management has too much to do; nothing was taken")]
    Busy,
    /// It is not running; nothing was taken.
    #[error("the order management is not running; nothing was taken")]
    Down,
    /// It failed with the request in hand: read the order to learn whether it was taken.
    #[error(
        "the order management failed with the request in hand; read the order to learn what became of it"
    )]
    Lost,
    /// No answer in time: read the order to learn whether it was taken.
    #[error("no answer in time; read the order to learn what became of it")]
    Timeout,
}

/// A request in the mailbox, with the way back.
#[derive(Message)]
#[rtype(result = "()")]
pub struct Request {
    pub(super) ask: Ask,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// Asks the intake to close and working orders to end; see [`crate::domain::oms::Event::Drain`].
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct DrainNow {
    /// Cancel or keep working orders.
    pub how: DrainHow,
    /// Who and why.
    pub by: Actor,
}

/// The order management as others hold it.
#[derive(Debug, Clone)]
pub struct OmsHandle {
    pub(super) requests: Port<Request>,
    pub(super) drains: Port<DrainNow>,
}

impl OmsHandle {
    /// Asks and waits, at most `within`.
    ///
    /// # Errors
    /// [`AskFailure`]; only `Busy` and `Down` say that nothing was taken.
    pub async fn ask(&self, ask: Ask, within: Duration) -> Result<Answer, AskFailure> {
        let (answer, receiver) = oneshot::channel();
        self.requests.tell(Request { ask, answer }).map_err(|refused| match refused {
            TellError::Full(_) => AskFailure::Busy,
            TellError::Closed(_) => AskFailure::Down,
        })?;
        match tokio::time::timeout(within, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(AskFailure::Lost),
            Err(_) => Err(AskFailure::Timeout),
        }
    }

    /// Begins the drain.
    ///
    /// # Errors
    /// [`AskFailure::Busy`] or [`AskFailure::Down`].
    pub fn drain(&self, drain: DrainNow) -> Result<(), AskFailure> {
        self.drains.tell(drain).map_err(|refused| match refused {
            TellError::Full(_) => AskFailure::Busy,
            TellError::Closed(_) => AskFailure::Down,
        })
    }
}
