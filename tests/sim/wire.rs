//! The connector as the order management sees it: sessions, epochs, answers that come once or never.
//!
//! Uses the real comparison of `account_sync` for what it reports after a reconnect.

use plimsoll::domain::account_sync::{AccountSnapshot, AccountView};
use plimsoll::domain::ids::{ClientOrderId, Symbol, TradeId, VenueId};
use plimsoll::domain::oms::Event;
use plimsoll::domain::order_types::{CancelOrder, NewOrder};
use plimsoll::domain::outcome::{Denial, Outcome, ReadError, UnknownWhy};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub enum Request {
    Place(NewOrder),
    Cancel(CancelOrder),
    Query(ClientOrderId),
    OpenOrders,
    Fills(Symbol, Option<TradeId>),
    Balances,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Down,
    /// Connected; orders wait for the comparison.
    Comparing,
    Up,
}

#[derive(Debug)]
pub struct Wire {
    pub epoch: u64,
    /// Counts sessions over the whole run, so that nothing of an old one is taken for a new one's.
    pub session: u64,
    pub link: Link,
    pub view: AccountView,
    pub under_way: BTreeMap<u64, Request>,
    /// Reports of an orderly stream arrive no earlier than the one before.
    pub last_arrival: u64,
}

impl Wire {
    pub fn new(session: u64) -> Self {
        Self {
            epoch: 1,
            session,
            link: Link::Down,
            view: AccountView::default(),
            under_way: BTreeMap::new(),
            last_arrival: 0,
        }
    }

    /// The comparison after a connect.
    pub fn reconciled(&mut self, venue: &VenueId, snapshot: AccountSnapshot) -> Event {
        let differences = self.view.compare(&snapshot);
        Event::Reconciled { venue: venue.clone(), snapshot, missing: differences.missing_at_venue }
    }
}

/// The answer to a request that has none.
pub fn unknown(venue: &VenueId, request: &Request, why: UnknownWhy) -> Event {
    let venue = venue.clone();
    match request {
        Request::Place(order) => {
            Event::Placed { venue, order: order.client_order_id.clone(), outcome: Outcome::Unknown(why) }
        }
        Request::Cancel(cancel) => Event::CancelAnswered {
            venue,
            order: cancel.client_order_id.clone(),
            outcome: Outcome::Unknown(why),
        },
        read => failed(venue, read, ReadError::NoAnswer(why)),
    }
}

/// The answer to a request that never left.
pub fn denied(venue: &VenueId, request: &Request, denial: Denial) -> Event {
    let venue = venue.clone();
    match request {
        Request::Place(order) => Event::Placed {
            venue,
            order: order.client_order_id.clone(),
            outcome: Outcome::DeniedHere(denial),
        },
        Request::Cancel(cancel) => {
            let order = cancel.client_order_id.clone();
            Event::CancelAnswered { venue, order, outcome: Outcome::DeniedHere(denial) }
        }
        read => failed(venue, read, ReadError::Denied(denial)),
    }
}

fn failed(venue: VenueId, request: &Request, error: ReadError) -> Event {
    match request {
        Request::Query(order) => Event::Looked { venue, order: order.clone(), answer: Err(error) },
        Request::Fills(symbol, _) => Event::Fills { venue, symbol: symbol.clone(), answer: Err(error) },
        Request::Balances => Event::Balances { venue, answer: Err(error) },
        _ => Event::OpenOrders { venue, answer: Err(error) },
    }
}
