//! The last hop of a placement: tripwire and lease are asked right before its bytes leave, over REST when the
//! connection takes the body, not before.
//!
//! A request may wait for a connection after it was handed over. Its body therefore asks the tripwire itself, at the
//! instant at which the connection wants its bytes: a tripped wire ends the request with a body that never came, which
//! no venue executes. Over the WebSocket API the socket is there already, and the session asks before it writes.

use crate::domain::lease::Lease;
use crate::domain::outcome::Denial;
use crate::domain::tripwire::{Sending, Tripwire};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use parking_lot::Mutex;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// How far a placement has come.
#[derive(Debug, Default)]
enum Stage {
    /// Its body was not asked for.
    #[default]
    Waiting,
    /// Its body was taken; it counts as in flight.
    Out(#[expect(dead_code, reason = "counts while it lives")] Sending),
    /// Nothing may go out; its body never left.
    Refused(Denial),
}

/// Begins one placement, if anything may go out now.
///
/// # Errors
/// The [`Denial`]: the kill switch, or a truth that nobody has judged lately.
pub(super) fn enter(tripwire: &Tripwire, lease: &Lease) -> Result<Sending, Denial> {
    let sending = tripwire.enter().ok_or(Denial::KillSwitch)?;
    if lease.holds(crate::clock::monotonic()) { Ok(sending) } else { Err(Denial::LeaseExpired) }
}

/// One placement. It counts as in flight from the moment its body is taken until this is dropped.
#[derive(Debug)]
pub(super) struct Hop {
    tripwire: Tripwire,
    lease: Lease,
    stage: Arc<Mutex<Stage>>,
}

impl Hop {
    pub(super) fn new(tripwire: &Tripwire, lease: &Lease) -> Self {
        Self { tripwire: tripwire.clone(), lease: lease.clone(), stage: Arc::default() }
    }

    /// The body that asks.
    pub(super) fn body(&self, form: String) -> HopBody {
        let form = Some(Bytes::from(form));
        let (tripwire, lease) = (self.tripwire.clone(), self.lease.clone());
        HopBody { form, tripwire, lease, stage: Arc::clone(&self.stage) }
    }

    /// Why its body was kept back; `None` when it was not.
    pub(super) fn refused(&self) -> Option<Denial> {
        match &*self.stage.lock() {
            Stage::Refused(denial) => Some(denial.clone()),
            Stage::Waiting | Stage::Out(_) => None,
        }
    }
}

/// See the module's head.
pub(super) struct HopBody {
    form: Option<Bytes>,
    tripwire: Tripwire,
    lease: Lease,
    stage: Arc<Mutex<Stage>>,
}

/// Nothing may go out any more, since before the body was taken.
#[derive(Debug, thiserror::Error)]
#[error("nothing may go out now")]
pub(super) struct Tripped;

impl Body for HopBody {
    type Data = Bytes;
    type Error = Tripped;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Tripped>>> {
        let Some(form) = self.form.take() else { return Poll::Ready(None) };
        let entered = enter(&self.tripwire, &self.lease);
        let mut stage = self.stage.lock();
        Poll::Ready(Some(match entered {
            Ok(sending) => {
                *stage = Stage::Out(sending);
                Ok(Frame::data(form))
            }
            Err(denial) => {
                *stage = Stage::Refused(denial);
                Err(Tripped)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.form.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let left = self.form.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll(body: &mut HopBody) -> Option<Result<Bytes, Tripped>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(Some(Ok(frame))) => Some(Ok(frame.into_data().unwrap())),
            Poll::Ready(Some(Err(tripped))) => Some(Err(tripped)),
            Poll::Ready(None) => None,
            Poll::Pending => panic!("a body never waits"),
        }
    }

    #[test]
    fn a_body_counts_from_its_first_byte_to_the_end_of_the_call() {
        let wire = Tripwire::default();
        let hop = Hop::new(&wire, &always());
        let mut body = hop.body("side=BUY".to_owned());
        assert_eq!((body.size_hint().exact(), wire.in_flight()), (Some(8), 0));
        assert_eq!(poll(&mut body).unwrap().unwrap(), "side=BUY");
        assert!(body.is_end_stream() && poll(&mut body).is_none());
        drop(body);
        assert!(wire.in_flight() == 1 && hop.refused().is_none());
        drop(hop);
        assert_eq!(wire.in_flight(), 0);
    }

    #[test]
    fn a_body_that_waited_for_its_connection_is_kept_back() {
        let wire = Tripwire::default();
        let hop = Hop::new(&wire, &always());
        let mut body = hop.body("side=BUY".to_owned());
        wire.trip();
        assert!(poll(&mut body).unwrap().is_err());
        assert!(hop.refused() == Some(Denial::KillSwitch) && wire.in_flight() == 0);
    }

    fn always() -> Lease {
        Lease::unlimited(crate::clock::monotonic())
    }

    #[test]
    fn a_body_whose_judge_fell_silent_is_kept_back_and_is_not_in_flight() {
        let (wire, start) = (Tripwire::default(), crate::clock::monotonic());
        let lease = Lease::new(start);
        let hop = Hop::new(&wire, &lease);
        let mut body = hop.body("side=BUY".to_owned());
        assert!(poll(&mut body).unwrap().is_err());
        assert!(hop.refused() == Some(Denial::LeaseExpired) && wire.in_flight() == 0);
        lease.renew(start, std::time::Duration::from_secs(3_600));
        let hop = Hop::new(&wire, &lease);
        assert!(poll(&mut hop.body("side=BUY".to_owned())).unwrap().is_ok());
    }
}
