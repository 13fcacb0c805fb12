//! The exchange's truth against the runtime's books: what was lost, what was duplicated, what is mis-stated.

use super::books::Books;
use super::load::Told;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The account that the runtime trades.
const ACCOUNT: &str = "demo";

/// What is wrong, in sentences.
#[derive(Debug, Default)]
pub struct Verdict {
    pub lost: Vec<String>,
    pub duplicated: Vec<String>,
    pub misstated: Vec<String>,
    notes: Vec<String>,
    /// Orders and fills that were compared.
    pub orders: usize,
    pub fills: usize,
}

impl Verdict {
    pub fn unsettled(why: &str) -> Self {
        Self { misstated: vec![why.to_owned()], ..Self::default() }
    }

    pub fn is_clean(&self) -> bool {
        self.lost.is_empty() && self.duplicated.is_empty() && self.misstated.is_empty()
    }

    pub fn note(&mut self, what: String) {
        self.notes.push(what);
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (lost, twice, wrong) = (self.lost.len(), self.duplicated.len(), self.misstated.len());
        write!(
            f,
            "{} orders, {} fills: lost {lost}, duplicated {twice}, mis-stated {wrong}",
            self.orders, self.fills
        )?;
        let all = self.lost.iter().chain(&self.duplicated).chain(&self.misstated).take(20);
        all.chain(&self.notes).try_for_each(|line| write!(f, "\n  {line}"))
    }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn figure(value: &Value, key: &str) -> Decimal {
    text(value, key).parse().unwrap_or_default()
}

fn ours<'a>(truth: &'a Value, list: &str) -> Vec<&'a Value> {
    truth[list].as_array().unwrap().iter().filter(|item| text(item, "account") == ACCOUNT).collect()
}

fn doubles<T: Ord + Clone + std::fmt::Debug>(keys: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    keys.filter(|key| !seen.insert(key.clone())).collect()
}

/// Compares. The market stands still and nothing is under way.
pub fn compare(truth: &Value, books: &Books, told: &Told) -> Verdict {
    let mut verdict = Verdict::default();
    let orders = ours(truth, "orders");
    let trades = ours(truth, "trades");
    (verdict.orders, verdict.fills) = (orders.len(), trades.len());
    compare_orders(&orders, books, told, &mut verdict);
    compare_fills(&orders, &trades, books, &mut verdict);
    compare_holdings(truth, &trades, books, &mut verdict);
    verdict
}

fn compare_orders(orders: &[&Value], books: &Books, told: &Told, verdict: &mut Verdict) {
    let here: BTreeMap<&str, &Value> =
        books.orders.iter().map(|order| (text(order, "client_order_id"), order)).collect();
    let by_venue_id: BTreeMap<&str, &Value> =
        books.orders.iter().map(|order| (text(order, "venue_client_order_id"), order)).collect();
    let at_venue: BTreeMap<&str, &Value> =
        orders.iter().map(|order| (text(order, "client_order_id"), *order)).collect();

    let accepted = told.accepted.keys().filter(|id| !here.contains_key(id.as_str()));
    verdict.lost.extend(accepted.map(|id| format!("{id} was accepted and is not in the books")));
    for (id, order) in &at_venue {
        if !by_venue_id.contains_key(id) {
            verdict.lost.push(format!("the exchange took {id}, which is unknown here: {order}"));
        }
    }
    let twice = doubles(orders.iter().map(|order| text(order, "client_order_id")));
    verdict.duplicated.extend(twice.iter().map(|id| format!("the exchange accepted {id} twice")));
    let twice = doubles(books.orders.iter().map(|order| text(order, "client_order_id")));
    verdict.duplicated.extend(twice.iter().map(|id| format!("{id} stands for two orders here")));
    let twice = doubles(books.orders.iter().map(|order| text(order, "venue_client_order_id")));
    verdict.duplicated.extend(twice.iter().map(|id| format!("the venue's {id} stands for two orders here")));
    verdict.misstated.extend(told.contradictions.iter().cloned());

    for order in &books.orders {
        let id = text(order, "client_order_id");
        let state = text(order, "state");
        match at_venue.get(text(order, "venue_client_order_id")) {
            Some(there) if expected_state(there) != Some(state) => {
                verdict.misstated.push(format!("{id} is {state} here: {order}, and there: {there}"));
            }
            Some(there) if figure(order, "executed_quantity") != figure(there, "executed_quantity") => {
                verdict.misstated.push(format!("{id} executed otherwise: {order}, and there: {there}"));
            }
            Some(there) if figure(order, "booked_quantity") != figure(there, "executed_quantity") => {
                verdict.misstated.push(format!("{id} is booked otherwise: {order}, and there: {there}"));
            }
            Some(_) => {}
            None => {
                let ended = ["denied", "rejected", "cancelled", "expired"].contains(&state);
                if !ended || !figure(order, "executed_quantity").is_zero() {
                    verdict.misstated.push(format!("{id} never reached the exchange and is {state} here"));
                }
            }
        }
        if told.refused.contains_key(id) && !told.accepted.contains_key(id) && state != "denied" {
            let why = &told.refused[id];
            verdict.misstated.push(format!("{id} was refused to its caller ({why}) and is {state} here"));
        }
    }
}

/// The state that an order of the exchange must have here; `None` for a word that nothing corresponds to.
fn expected_state(order: &Value) -> Option<&'static str> {
    Some(match text(order, "status") {
        "NEW" => "working",
        "PARTIALLY_FILLED" => "partially_filled",
        "FILLED" => "filled",
        "CANCELED" => "cancelled",
        "REJECTED" => "rejected",
        "EXPIRED" | "EXPIRED_IN_MATCH" => "expired",
        _ => return None,
    })
}

type FillKey = (String, String);

fn compare_fills(orders: &[&Value], trades: &[&Value], books: &Books, verdict: &mut Verdict) {
    let named: BTreeMap<u64, &str> = orders
        .iter()
        .filter_map(|order| Some((order["order_id"].as_u64()?, text(order, "client_order_id"))))
        .collect();
    let facts = |fill: &Value| -> String {
        ["side", "quantity", "price"].map(|key| normal(text(fill, key))).join(" ")
    };
    let key = |fill: &Value| -> FillKey {
        let id = &fill["trade_id"];
        (text(fill, "symbol").to_owned(), id.as_str().map_or_else(|| id.to_string(), str::to_owned))
    };
    let twice = doubles(books.fills.iter().map(key));
    verdict.duplicated.extend(twice.iter().map(|key| format!("the trade {key:?} is booked twice")));
    let here: BTreeMap<FillKey, &Value> = books.fills.iter().map(|fill| (key(fill), fill)).collect();
    let there: BTreeMap<FillKey, &Value> = trades.iter().map(|fill| (key(fill), *fill)).collect();
    for (key, trade) in &there {
        let order = trade["order_id"].as_u64().and_then(|id| named.get(&id)).copied().unwrap_or_default();
        match here.get(key) {
            None => verdict.lost.push(format!("the trade {key:?} of {order} is not booked: {trade}")),
            Some(fill) if facts(fill) != facts(trade) => {
                verdict.misstated.push(format!("the trade {key:?} is booked as {fill}, and is {trade}"));
            }
            Some(_) => {}
        }
    }
    let invented = here.keys().filter(|key| !there.contains_key(*key));
    verdict.misstated.extend(invented.map(|key| format!("the trade {key:?} was never made")));
}

/// Words lower-case, figures without trailing zeros.
fn normal(word: &str) -> String {
    word.parse::<Decimal>().map_or_else(|_| word.to_ascii_lowercase(), |value| value.normalize().to_string())
}

fn compare_holdings(truth: &Value, trades: &[&Value], books: &Books, verdict: &mut Verdict) {
    let mut net: BTreeMap<&str, Decimal> = BTreeMap::new();
    for trade in trades {
        let quantity = figure(trade, "quantity");
        let signed = if normal(text(trade, "side")) == "buy" { quantity } else { -quantity };
        *net.entry(text(trade, "symbol")).or_default() += signed;
    }
    let mut held: BTreeMap<&str, Decimal> = BTreeMap::new();
    for position in &books.positions {
        *held.entry(text(position, "symbol")).or_default() += figure(position, "quantity");
    }
    let symbols: BTreeSet<&str> = net.keys().chain(held.keys()).copied().collect();
    for symbol in symbols {
        let (there, here) =
            (net.get(symbol).copied().unwrap_or_default(), held.get(symbol).copied().unwrap_or_default());
        if there != here {
            verdict.misstated.push(format!("{symbol}: {here} is held here, {there} there"));
        }
    }
    let expected: BTreeMap<&str, &Value> =
        books.balances.iter().map(|balance| (text(balance, "asset"), balance)).collect();
    for balance in ours(truth, "balances") {
        let asset = text(balance, "asset");
        let there = figure(balance, "free") + figure(balance, "locked");
        let Some(line) = expected.get(asset) else { continue };
        if line["expected"].is_string() && figure(line, "expected") != there {
            verdict.misstated.push(format!("{asset}: the books expect {line}, and there is {balance}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(id: &str, status: &str, executed: &str) -> Value {
        json!({"account": ACCOUNT, "client_order_id": id, "order_id": 1, "status": status, "executed_quantity": executed})
    }

    fn book(id: &str, venue: &str, state: &str, executed: &str) -> Value {
        json!({
            "client_order_id": id, "venue_client_order_id": venue, "state": state,
            "executed_quantity": executed, "booked_quantity": executed,
        })
    }

    fn fill(id: u64, quantity: &str) -> Value {
        json!({
            "account": ACCOUNT, "trade_id": id, "order_id": 1, "symbol": "BTCUSDT", "side": "BUY",
            "quantity": quantity, "price": "1.0",
        })
    }

    fn booked(id: u64, quantity: &str) -> Value {
        json!({"trade_id": id.to_string(), "symbol": "BTCUSDT", "side": "buy", "quantity": quantity, "price": "1"})
    }

    fn truth() -> Value {
        json!({
            "orders": [order("pl-1", "FILLED", "0.2"), order("pl-2", "NEW", "0")],
            "trades": [fill(7, "0.2")],
            "balances": [{"account": ACCOUNT, "asset": "BTC", "free": "1.0", "locked": "0.5"}],
        })
    }

    fn books() -> Books {
        Books {
            orders: vec![book("a", "pl-1", "filled", "0.20"), book("b", "pl-2", "working", "0")],
            fills: vec![booked(7, "0.20")],
            positions: vec![json!({"symbol": "BTCUSDT", "quantity": "0.2"})],
            balances: vec![json!({"asset": "BTC", "expected": "1.50"})],
        }
    }

    fn told(ids: &[&str]) -> Told {
        Told { accepted: ids.iter().map(|id| ((*id).to_owned(), json!({}))).collect(), ..Told::default() }
    }

    #[test]
    fn equal_books_are_clean() {
        let verdict = compare(&truth(), &books(), &told(&["a", "b"]));
        assert!(verdict.is_clean(), "{verdict}");
    }

    #[test]
    fn every_kind_of_difference_is_seen() {
        let count = |change: &dyn Fn(&mut Value, &mut Books), told: &Told| {
            let (mut truth, mut books) = (truth(), books());
            change(&mut truth, &mut books);
            let verdict = compare(&truth, &books, told);
            (verdict.lost.len(), verdict.duplicated.len(), verdict.misstated.len())
        };
        let none = told(&[]);
        assert_eq!(count(&|_, _| {}, &told(&["c"])), (1, 0, 0));
        assert_eq!(count(&|_, books| drop(books.orders.remove(1)), &none), (1, 0, 0));
        assert_eq!(count(&|_, books| drop(books.fills.remove(0)), &none), (1, 0, 0));
        assert_eq!(count(&|_, books| books.fills.push(booked(7, "0.2")), &none), (0, 1, 0));
        assert_eq!(count(&|_, books| books.fills.push(booked(8, "0.2")), &none), (0, 0, 1));
        let again = |truth: &mut Value, _: &mut Books| {
            truth["orders"].as_array_mut().unwrap().push(order("pl-2", "NEW", "0"));
        };
        assert_eq!(count(&again, &none), (0, 1, 0));
        let state = |_: &mut Value, books: &mut Books| books.orders[1]["state"] = json!("cancelled");
        assert_eq!(count(&state, &none), (0, 0, 1));
        let absent = |_: &mut Value, books: &mut Books| books.orders.push(book("c", "pl-3", "working", "0"));
        assert_eq!(count(&absent, &none), (0, 0, 1));
        let position = |_: &mut Value, books: &mut Books| books.positions[0]["quantity"] = json!("0.3");
        assert_eq!(count(&position, &none), (0, 0, 1));
        let balance = |_: &mut Value, books: &mut Books| books.balances[0]["expected"] = json!("1.4");
        assert_eq!(count(&balance, &none), (0, 0, 1));
    }
}
