//! Calls that wait for their answers on the WebSocket API, and the orders that wait for their reports.
//!
//! Every call ends exactly once: answered, timed out (UNKNOWN), or cut off with its link (UNKNOWN).

use crate::domain::ids::ClientOrderId;
use crate::domain::outcome::{Denial, UnknownWhy};
use crate::domain::time::Mono;
use crate::domain::tripwire::Sending;
use std::collections::BTreeMap;
use tokio::sync::oneshot;

/// An answer of the venue, of either transport.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The result's text, or code and words of the error.
    pub(super) body: Result<String, (i64, String)>,
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CallFailure {
    /// It never left.
    NotSent(Denial),
    /// It left.
    Unknown(UnknownWhy),
}

/// The end of a call.
pub(super) type CallResult = Result<Answer, CallFailure>;

/// A call to send.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) method: &'static str,
    /// The parameters as a JSON object.
    pub(super) params: String,
    pub(super) queued_at: Mono,
    pub(super) send_within_ms: u64,
    pub(super) timeout_ms: u64,
    /// A placement: its report must come on the stream too.
    pub(super) places: Option<ClientOrderId>,
    pub(super) reply: oneshot::Sender<CallResult>,
}

struct Waiting {
    link: u64,
    deadline: Mono,
    timeout_ms: u64,
    places: Option<ClientOrderId>,
    reply: oneshot::Sender<CallResult>,
    /// A placement counts as in flight until its call ends.
    _sending: Option<Sending>,
}

/// The calls under way.
#[derive(Default)]
pub(super) struct Calls {
    waiting: BTreeMap<u64, Waiting>,
    last_id: u64,
    /// No call ends of itself before this; calls that were answered may have left it too early.
    earliest: Option<Mono>,
}

impl Calls {
    /// Takes note of a call that is about to be sent on `link`; its number and frame.
    pub(super) fn begin(
        &mut self,
        now: Mono,
        link: u64,
        call: Call,
        sending: Option<Sending>,
    ) -> (u64, String) {
        self.last_id = self.last_id.saturating_add(1);
        let id = self.last_id;
        let frame = format!(r#"{{"id":{id},"method":"{}","params":{}}}"#, call.method, call.params);
        let deadline = now.plus(call.timeout_ms);
        self.earliest = Some(self.earliest.map_or(deadline, |earliest| earliest.min(deadline)));
        let Call { places, reply, timeout_ms, .. } = call;
        self.waiting.insert(id, Waiting { link, deadline, timeout_ms, places, reply, _sending: sending });
        (id, frame)
    }

    /// An answer came; the placement that it was for. `None` for a number that nobody waits for.
    pub(super) fn answer(&mut self, id: u64, answer: Answer) -> Option<Option<ClientOrderId>> {
        let waiting = self.waiting.remove(&id)?;
        // A caller that went away has lost interest, not the order: the stream reports it.
        let _ = waiting.reply.send(Ok(answer));
        Some(waiting.places)
    }

    /// Ends the calls whose time is over; the placements among them.
    pub(super) fn expire(&mut self, now: Mono) -> Vec<ClientOrderId> {
        // Asked after every message: with hundreds under way not each of them is looked at each time.
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return Vec::new();
        }
        let late = self.end(|w| now >= w.deadline, |w| UnknownWhy::Timeout { after_ms: w.timeout_ms });
        self.earliest = self.waiting.values().map(|waiting| waiting.deadline).min();
        late
    }

    /// Ends the calls of a link that is gone.
    pub(super) fn cut(&mut self, link: u64) -> Vec<ClientOrderId> {
        self.end(|w| w.link == link, |_| UnknownWhy::Disconnected)
    }

    /// Ends every call.
    pub(super) fn cut_all(&mut self) -> Vec<ClientOrderId> {
        self.end(|_| true, |_| UnknownWhy::Disconnected)
    }

    fn end(
        &mut self,
        over: impl Fn(&Waiting) -> bool,
        why: impl Fn(&Waiting) -> UnknownWhy,
    ) -> Vec<ClientOrderId> {
        let mut placements = Vec::new();
        for (_, waiting) in self.waiting.extract_if(.., |_, waiting| over(waiting)) {
            let failure = CallFailure::Unknown(why(&waiting));
            let _ = waiting.reply.send(Err(failure));
            placements.extend(waiting.places);
        }
        placements
    }

    /// Is nothing under way on this link?
    pub(super) fn idle_on(&self, link: u64) -> bool {
        !self.waiting.values().any(|waiting| waiting.link == link)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

/// Placements whose report has not come on the stream yet. A stream that stays mute after a confirmed
/// order is broken, however alive its pings are.
#[derive(Debug, Default)]
pub(super) struct ReportWatch {
    orders: BTreeMap<ClientOrderId, Watched>,
    /// Reports that are waited for.
    owed: usize,
    /// None of them is overdue before this; reports that came may have left it too early.
    earliest: Option<Mono>,
}

#[derive(Debug, Clone, Copy)]
struct Watched {
    reported: bool,
    due: Option<Mono>,
}

/// Most placements watched at once; beyond it new ones are not watched.
const MAX_WATCHED: usize = 16_384;

impl ReportWatch {
    /// A placement is about to be sent.
    pub(super) fn sent(&mut self, id: &ClientOrderId) {
        self.drop(id);
        if self.orders.len() < MAX_WATCHED {
            self.orders.insert(id.clone(), Watched { reported: false, due: None });
        }
    }

    /// Its answer came. Only a confirmed order owes a report.
    pub(super) fn answered(&mut self, id: &ClientOrderId, confirmed: bool, due: Mono) {
        match self.orders.get_mut(id) {
            Some(watched) if confirmed && !watched.reported => {
                let news = watched.due.replace(due).is_none();
                self.owed = self.owed.saturating_add(usize::from(news));
                self.earliest = Some(self.earliest.map_or(due, |earliest| earliest.min(due)));
            }
            Some(_) => self.drop(id),
            None => {}
        }
    }

    fn drop(&mut self, id: &ClientOrderId) {
        if self.orders.remove(id).is_some_and(|watched| watched.due.is_some()) {
            self.owed = self.owed.saturating_sub(1);
        }
    }

    /// Its report came.
    pub(super) fn reported(&mut self, id: &ClientOrderId) {
        match self.orders.get_mut(id) {
            Some(watched) if watched.due.is_none() => watched.reported = true,
            Some(_) => self.drop(id),
            None => {}
        }
    }

    /// It ended without an answer.
    pub(super) fn forget(&mut self, ids: &[ClientOrderId]) {
        for id in ids {
            self.drop(id);
        }
    }

    /// Is a report overdue? Overdue ones are forgotten: what follows is a full comparison.
    pub(super) fn overdue(&mut self, now: Mono) -> bool {
        if self.earliest.is_none_or(|earliest| now < earliest) {
            return false;
        }
        let before = self.orders.len();
        self.orders.retain(|_, watched| watched.due.is_none_or(|due| now < due));
        let late = before.saturating_sub(self.orders.len());
        self.owed = self.owed.saturating_sub(late);
        self.earliest = self.orders.values().filter_map(|watched| watched.due).min();
        late > 0
    }

    /// Is any report waited for?
    pub(super) fn is_waiting(&self) -> bool {
        self.owed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(timeout_ms: u64) -> (Call, oneshot::Receiver<CallResult>) {
        let (reply, answer) = oneshot::channel();
        let call = Call {
            method: "time",
            params: "{}".into(),
            queued_at: Mono(0),
            send_within_ms: 1,
            timeout_ms,
            places: None,
            reply,
        };
        (call, answer)
    }

    #[test]
    fn every_call_ends_once() {
        let mut calls = Calls::default();
        let (a, mut a_end) = call(10);
        let (b, mut b_end) = call(20);
        let (c, mut c_end) = call(30);
        let (id, frame) = calls.begin(Mono(0), 1, a, None);
        assert_eq!(frame, r#"{"id":1,"method":"time","params":{}}"#);
        calls.begin(Mono(0), 1, b, None);
        calls.begin(Mono(0), 2, c, None);
        assert!(calls.answer(id, Answer { status: 200, body: Ok("{}".into()) }).is_some());
        assert!(calls.answer(id, Answer { status: 200, body: Ok("{}".into()) }).is_none());
        calls.expire(Mono(20));
        assert!(calls.idle_on(1));
        calls.cut(2);
        assert!(calls.is_empty());
        assert!(a_end.try_recv().unwrap().is_ok());
        let timeout = CallFailure::Unknown(UnknownWhy::Timeout { after_ms: 20 });
        assert_eq!(b_end.try_recv().unwrap().unwrap_err(), timeout);
        let cut = CallFailure::Unknown(UnknownWhy::Disconnected);
        assert_eq!(c_end.try_recv().unwrap().unwrap_err(), cut);
    }

    #[test]
    fn a_report_may_come_before_or_after_the_answer_but_must_come() {
        let id = ClientOrderId::new("a").unwrap();
        let mut watch = ReportWatch::default();
        watch.sent(&id);
        watch.reported(&id);
        watch.answered(&id, true, Mono(10));
        assert!(!watch.overdue(Mono(99)) && !watch.is_waiting());
        watch.sent(&id);
        watch.answered(&id, true, Mono(10));
        assert!(watch.is_waiting());
        watch.reported(&id);
        assert!(!watch.overdue(Mono(99)));
        watch.sent(&id);
        watch.answered(&id, false, Mono(10));
        assert!(!watch.overdue(Mono(99)));
        watch.sent(&id);
        watch.answered(&id, true, Mono(10));
        assert!(!watch.overdue(Mono(9)));
        assert!(watch.overdue(Mono(10)));
        assert!(!watch.overdue(Mono(11)), "told once");
    }
}
