//! What the web surface holds of the order path: the handle that asks, and the books that are read.
//!
//! Web changes nothing by itself: every change is an ask to the order management, which writes it down first.
//! Books are read on the blocking pool, never on the event loop, so a slow disk delays its reader alone.

use super::access::Principal;
use super::gate::Noted;
use super::problem::Problem;
use super::state::WebState;
use crate::actors::kill_switch::KillSwitch;
use crate::actors::oms::{Ask, AskFailure, OmsHandle};
use crate::db::{DbError, Readers};
use crate::domain::ids::ClientOrderId;
use crate::domain::oms::{Actor, Answer};
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use std::future::{Ready, ready};
use std::time::Duration;

/// How long a caller waits for an answer of the order management.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Who a request comes from, by the name of its token.
pub(super) struct Caller(String);

impl Caller {
    /// The caller with its reason, as the journal names it.
    pub(super) fn because(&self, reason: String) -> Actor {
        Actor { name: self.0.clone(), reason }
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let principal = Principal::from_request(request, payload).into_inner();
        ready(principal.map(|principal| Self(principal.actor)))
    }
}

impl WebState {
    /// The order management, in a process that trades.
    pub(super) fn oms(&self) -> Result<&OmsHandle, Problem> {
        self.parts.oms.as_ref().ok_or_else(without_orders)
    }

    /// The kill switch, in a process that trades.
    pub(super) fn kill(&self) -> Result<&KillSwitch, Problem> {
        self.parts.kill.as_ref().ok_or_else(without_orders)
    }

    /// Asks the order management; a refusal is a problem. `order` is named when nobody knows whether it was taken.
    pub(super) async fn ask(&self, ask: Ask, order: Option<&ClientOrderId>) -> Result<Answer, Problem> {
        match self.oms()?.ask(ask, ANSWER_WITHIN).await {
            Ok(Answer::Refused(refusal)) => Err(Problem::refused(&refusal)),
            Ok(answer) => Ok(answer),
            Err(failure @ (AskFailure::Busy | AskFailure::Down)) => {
                Err(Problem::unavailable(failure.to_string()).with_code("nothing_taken"))
            }
            Err(failure @ (AskFailure::Lost | AskFailure::Timeout)) => {
                let read = order.map(|id| format!(": GET /api/v1/orders/{id}")).unwrap_or_default();
                Err(Problem::unavailable(format!("{failure}{read}")).with_code("outcome_unknown"))
            }
        }
    }

    /// Asks for something that steers: the request's line of the audit goes to the journal with what is done. A refusal
    /// leaves it to the gate.
    pub(super) async fn ask_noted(&self, ask: Ask, noted: Noted) -> Result<Answer, Problem> {
        let note = noted.clone().take_over();
        let answer = self.ask(Ask::Noted(Box::new(note), Box::new(ask)), None).await;
        if answer.is_err() {
            noted.give_back();
        }
        answer
    }

    /// Reads the books on the blocking pool.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Readers) -> Result<T, DbError> + Send + 'static,
    ) -> Result<T, Problem> {
        let readers = self.parts.readers.clone().ok_or_else(without_orders)?;
        match web::block(move || read(&readers)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => {
                self.readings.page.read_failed();
                tracing::warn!(error = %error, "the books could not be read");
                Err(Problem::unavailable(format!("the books cannot be read: {error}")))
            }
            Err(_) => Err(Problem::unavailable("the process is ending")),
        }
    }
}

fn without_orders() -> Problem {
    Problem::unavailable("this process has no venue configured: it takes no orders and keeps no books")
}
