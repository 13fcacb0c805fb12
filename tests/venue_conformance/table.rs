//! Where a card is played: a venue, its events, and the exchange behind it with its faults and its truth.

use super::desk::{Desk, btc};
use plimsoll::domain::connection::State;
use plimsoll::domain::ids::ClientOrderId;
use plimsoll::domain::market::Level;
use plimsoll::domain::money::Price;
use plimsoll::domain::order_types::{CancelOrder, NewOrder, OrderReport, Side};
use plimsoll::domain::outcome::Outcome;
use plimsoll::venues::{Lookup, OrderEvent, Reconciliation, Venue};
use rust_decimal::Decimal;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;

/// A venue under test and the exchange behind it.
pub struct Table<V: Venue> {
    pub desk: Desk<V>,
    pub exchange: Exchange,
}

/// The exchange's control routes.
pub struct Exchange {
    pub addr: SocketAddr,
    pub http: reqwest::Client,
}

impl Exchange {
    /// Makes something go wrong.
    pub async fn plant(&self, fault: Value) {
        let url = format!("http://{}/paper/v1/faults", self.addr);
        let answer = self.http.post(url).json(&fault).send().await.unwrap();
        assert!(answer.status().is_success(), "{fault}: {}", answer.text().await.unwrap());
    }

    /// Heals everything.
    pub async fn heal(&self) {
        let url = format!("http://{}/paper/v1/faults", self.addr);
        assert!(self.http.delete(url).send().await.unwrap().status().is_success());
    }

    /// How often the exchange accepted an order of this client order id.
    pub async fn accepted(&self, name: &str) -> usize {
        let truth = self.truth().await;
        let orders = truth["orders"].as_array().unwrap();
        orders.iter().filter(|order| order["client_order_id"] == name).count()
    }

    pub async fn truth(&self) -> Value {
        let url = format!("http://{}/paper/v1/truth", self.addr);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

impl<V: Venue> Table<V> {
    /// The best level of a side, as soon as the book is in step and the stream has brought data.
    pub async fn best(&self, side: Side) -> Level {
        for _ in 0..400 {
            let flows = self.desk.venue.evidence().market.last_data.is_some();
            if let Some((bids, asks)) = self.desk.venue.depth(&btc(), 1).filter(|_| flows) {
                let levels = if side == Side::Buy { bids } else { asks };
                if let Some(level) = levels.first() {
                    return *level;
                }
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("no book; {:?}", self.desk.venue.evidence());
    }

    /// An order that rests 5 % below the market.
    pub async fn resting(&self, name: &str) -> NewOrder {
        self.priced(name, Decimal::new(95, 2)).await
    }

    /// An order that fills at once: 1 % through the market, for less than the best level shows.
    pub async fn taking(&self, name: &str) -> NewOrder {
        self.priced(name, Decimal::new(101, 2)).await
    }

    async fn priced(&self, name: &str, factor: Decimal) -> NewOrder {
        let ask = self.best(Side::Sell).await.price.get();
        let price = Price::new((ask * factor).round_dp(2)).unwrap();
        super::desk::limit(name, Side::Buy, "0.0005", &price.to_string())
    }

    /// Places an order that must be accepted.
    pub async fn place(&self, order: NewOrder) -> OrderReport {
        match self.desk.venue.place(order).await {
            Outcome::Confirmed(report) => report,
            other => panic!("{other:?}"),
        }
    }

    pub async fn cancel(&self, name: &str) -> Outcome<OrderReport> {
        self.desk.venue.cancel(CancelOrder { symbol: btc(), client_order_id: id(name) }).await
    }

    /// What the venue says about an order; asked again while the venue cannot answer.
    pub async fn lookup(&self, name: &str) -> Lookup {
        for _ in 0..100 {
            if let Ok(lookup) = self.desk.venue.query(&btc(), &id(name)).await {
                return lookup;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no answer about {name}; {:?}", self.desk.venue.evidence());
    }

    /// The order, which must be known.
    pub async fn found(&self, name: &str) -> OrderReport {
        match self.lookup(name).await {
            Lookup::Found(report) => *report,
            Lookup::Absent => panic!("{name} is not known"),
        }
    }

    /// The next report of an order.
    pub async fn report(&self, name: &str) -> OrderReport {
        let wanted = id(name);
        let pick = |event| match event {
            OrderEvent::Report(report) if report.client_order_id == wanted => Some(*report),
            _ => None,
        };
        self.desk.until_order("report", pick).await
    }

    /// The next comparison.
    pub async fn reconciled(&self) -> Reconciliation {
        let pick = |event| match event {
            OrderEvent::Reconciled(found) => Some(*found),
            _ => None,
        };
        self.desk.until_order("comparison", pick).await
    }

    /// Places an order whose outcome must be unknown.
    pub async fn place_unknown(&self, order: NewOrder) {
        match self.desk.venue.place(order).await {
            Outcome::Unknown(_) => {}
            other => panic!("not unknown: {other:?}"),
        }
    }

    /// Waits until the order session is live, whether or not its events were read before.
    pub async fn until_live(&self) {
        for _ in 0..800 {
            if self.desk.venue.evidence().orders.state == State::Live {
                return;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("not live; {:?}", self.desk.venue.evidence());
    }

    /// Heals everything, and shows that an order goes through again.
    pub async fn recovers(&self, name: &str) {
        self.exchange.heal().await;
        self.until_live().await;
        for attempt in 0..400 {
            match self.desk.venue.place(self.resting(&format!("{name}-{attempt}")).await).await {
                Outcome::Confirmed(_) => return,
                _ => tokio::time::sleep(Duration::from_millis(25)).await,
            }
        }
        panic!("no order goes through after healing; {:?}", self.desk.venue.evidence());
    }
}

pub fn id(name: &str) -> ClientOrderId {
    ClientOrderId::new(name).unwrap()
}
