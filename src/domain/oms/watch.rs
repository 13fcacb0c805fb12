//! What is known of open orders and venues in this run only: stages, doubts, retries, gates.
//!
//! None of it is durable, and none of it is missed after a crash: a start begins with doubt and asks.

use super::event::{Actor, Mark, ReplyTo};
use super::start::Beginning;
use crate::domain::account_sync::AccountSnapshot;
use crate::domain::ids::{ClientOrderId, Symbol};
use crate::domain::money::{Price, Quantity};
use crate::domain::order::OrderNumber;
use crate::domain::order_types::Fill;
use crate::domain::time::Mono;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How far the sending of an order is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Its row waits for the disk.
    Writing,
    /// On disk; it goes out as soon as the venue lets it.
    Waiting,
    /// Sent, no answer.
    InFlight,
    /// The venue has it, or it is in doubt, or it is done.
    Settled,
}

/// One order under watch.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub(super) stage: Stage,
    /// When it was taken, or when this run began: its age counts from here.
    pub(super) taken: Mono,
    /// The last sending, or the beginning of this run: the visibility window counts from here.
    pub(super) sent: Mono,
    /// The last sign of life from the venue.
    pub(super) confirmed: Option<Mono>,
    /// When it may be tried again.
    pub(super) retry_at: Option<Mono>,
    /// A cancel that came before the row was on disk.
    pub(super) withdrawn: Option<Actor>,
    pub(super) inquiry: Option<Inquiry>,
    pub(super) cancel: Option<Cancelling>,
    pub(super) chase: Option<Chase>,
}

impl Watch {
    pub(super) fn new(stage: Stage, now: Mono) -> Self {
        Self {
            stage,
            taken: now,
            sent: now,
            confirmed: None,
            retry_at: None,
            withdrawn: None,
            inquiry: None,
            cancel: None,
            chase: None,
        }
    }

    /// When anything about it is due.
    pub(super) fn due(&self) -> Option<Mono> {
        let inquiry = self.inquiry.as_ref().map(|inquiry| inquiry.next);
        let cancel = self.cancel.as_ref().map(|cancel| cancel.next);
        let chase = self.chase.as_ref().map(|chase| chase.next);
        [self.retry_at, inquiry, cancel, chase].into_iter().flatten().min()
    }
}

/// Asking a venue what became of an order.
#[derive(Debug, Clone)]
pub(super) struct Inquiry {
    pub(super) next: Mono,
    pub(super) asks: u32,
    /// Absent answers that count.
    pub(super) absents: u32,
    pub(super) first_absent: Option<Mono>,
    pub(super) last_absent: Option<Mono>,
    /// Absence is proved; what is done about it is the strategy's patience.
    pub(super) proved: bool,
    /// Left to the operator.
    pub(super) held: bool,
    pub(super) alerted: bool,
}

impl Inquiry {
    pub(super) fn new(next: Mono) -> Self {
        Self {
            next,
            asks: 0,
            absents: 0,
            first_absent: None,
            last_absent: None,
            proved: false,
            held: false,
            alerted: false,
        }
    }
}

/// Cancels sent for an order.
#[derive(Debug, Clone)]
pub(super) struct Cancelling {
    pub(super) tries: u32,
    pub(super) next: Mono,
}

/// Looking for fills that the venue announced.
#[derive(Debug, Clone)]
pub(super) struct Chase {
    pub(super) tries: u32,
    pub(super) next: Mono,
}

/// An order that waits for another one to end.
#[derive(Debug, Clone)]
pub(super) struct Replacement {
    pub(super) client_order_id: Option<ClientOrderId>,
    pub(super) price: Price,
    pub(super) quantity: Quantity,
    pub(super) reply: Option<ReplyTo>,
}

/// One venue in this run.
#[derive(Debug)]
pub(super) struct VenueRun {
    pub(super) epoch: u64,
    /// The order session is up.
    pub(super) live: bool,
    /// Compared since the session came up.
    pub(super) compared: bool,
    /// Compared at least once in this run, books begun, balances judged.
    pub(super) ready_once: bool,
    pub(super) open: bool,
    pub(super) why: String,
    /// A comparison that came before the start.
    pub(super) early: Option<Box<AccountSnapshot>>,
    /// Orders that the comparison has not accounted for.
    pub(super) unconfirmed: BTreeSet<OrderNumber>,
    /// Orders whose queries wait for their turn.
    pub(super) queries: VecDeque<OrderNumber>,
    pub(super) queued: BTreeSet<OrderNumber>,
    pub(super) tokens: u32,
    pub(super) refilled: Mono,
    /// Rises with everything that may move a balance.
    pub(super) activity: u64,
    pub(super) beginning: Option<Beginning>,
    pub(super) audit: Audit,
    pub(super) open_check: Option<Mono>,
}

impl VenueRun {
    pub(super) fn new() -> Self {
        Self {
            epoch: 0,
            live: false,
            compared: false,
            ready_once: false,
            open: false,
            why: "not connected yet".to_owned(),
            early: None,
            unconfirmed: BTreeSet::new(),
            queries: VecDeque::new(),
            queued: BTreeSet::new(),
            tokens: 1,
            refilled: Mono(0),
            activity: 0,
            beginning: None,
            audit: Audit::default(),
            open_check: None,
        }
    }
}

/// Comparing balances: what was asked, and what was found so far.
#[derive(Debug, Default)]
pub(super) struct Audit {
    /// When balances were asked for, and the activity count then.
    pub(super) asked: Option<(Mono, u64)>,
    /// After an answer that settled nothing, the next question waits until here.
    pub(super) not_before: Mono,
    /// Reads in a row that showed the same difference.
    pub(super) strikes: u32,
    /// The activity count of the first of them.
    pub(super) strikes_at: u64,
    /// Fills were fetched since the first of them, to see whether one was missed.
    pub(super) fills_asked: Option<Mono>,
    /// They were fetched once more after the venue's visibility window.
    pub(super) fetched_late: bool,
    /// The last trade of each instrument when the two last agreed.
    pub(super) agreed: BTreeMap<Symbol, u64>,
    /// The comparison since the session came up agreed, or could not be made for an order in doubt.
    pub(super) judged: bool,
    /// A difference that was confirmed, in words.
    pub(super) diverged: Option<String>,
}

/// Fetching fills of one instrument: one request at a time.
#[derive(Debug, Default)]
pub(super) struct Fetch {
    pub(super) asked: Option<(Mono, Option<u64>)>,
    pub(super) wanted: Option<Option<u64>>,
    /// The last answered request: when it was made, and after which trade.
    pub(super) done: Option<(Mono, Option<u64>)>,
}

/// Fills that cannot be booked yet.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// They may belong to an order whose venue id is not known yet.
    pub(super) parked: VecDeque<(crate::domain::ids::VenueId, Fill)>,
    /// The database is asked whether they were booked before.
    pub(super) checking: BTreeMap<(crate::domain::ids::VenueId, Symbol, crate::domain::ids::TradeId), Mono>,
}

/// A mark and when it was told.
pub(super) type Marked = (Mark, Mono);
