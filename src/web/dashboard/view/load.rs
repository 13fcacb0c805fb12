//! The largest page that is promised to stay quick: 200 instruments, 1,000 open orders, 500 alerts. Tests alone.
//!
//! With `PLIMSOLL_BROWSER_LOAD` naming a folder it writes the whole edition and forty changes there, as the page's script
//! gets them, so that a browser can be held to its promise with the markup of the real templates.

use super::change::change;
use super::edition::Edition;
use super::model::{Alert, Desk, Order, Position, Severity};
use std::io::Write as _;

const NOON: i64 = 1_700_000_000_000;

fn desk() -> Desk {
    let alert = |n: i64| Alert {
        id: format!("a-{n}"),
        code: "venue_quotes_stale".to_owned(),
        scope: format!("paper/SYM{n}USDT"),
        severity: if n % 3 == 0 { Severity::Critical } else { Severity::Warning },
        reason: "no quote for 42 s while the session answers".to_owned(),
        raised_at: NOON - n * 1_000,
        can_ack: true,
        ..Alert::default()
    };
    let position = |n: i64| Position {
        venue: "paper".to_owned(),
        symbol: format!("SYM{n}USDT"),
        strategy: "quoter".to_owned(),
        quantity: "0.0125".to_owned(),
        average_price: Some("64250.11".to_owned()),
        mark: Some("64301.5".to_owned()),
        realised: "-12.345".to_owned(),
        unrealised: Some("0.64".to_owned()),
        ..Position::default()
    };
    let order = |n: i64| Order {
        id: format!("quoter-6f1e-{n:05}"),
        venue_order_id: Some(format!("{}", 990_000 + n)),
        venue: "paper".to_owned(),
        symbol: format!("SYM{}USDT", n % 200),
        strategy: "quoter".to_owned(),
        side: "buy",
        quantity: "0.0005".to_owned(),
        price: Some(format!("{}.25", 64_000 + n)),
        executed: "0".to_owned(),
        booked: "0".to_owned(),
        state: "working".to_owned(),
        updated_at: NOON,
        ..Order::default()
    };
    Desk {
        at: NOON,
        alerts: (0..500).map(alert).collect(),
        positions: (0..200).map(position).collect(),
        orders: (0..1_000).map(order).collect(),
        open_orders: 1_000,
        ..Desk::default()
    }
}

/// One second later: every position has another price, a tenth of the orders changed, one went and one came.
fn later(mut desk: Desk, second: i64) -> Desk {
    desk.at = NOON + second * 1_000;
    for position in &mut desk.positions {
        position.unrealised = Some(format!("{second}.5"));
        position.mark = Some(format!("{}", 64_000 + second));
    }
    for (index, order) in desk.orders.iter_mut().enumerate() {
        if index % 10 == usize::try_from(second % 10).unwrap() {
            order.executed = format!("0.0000{second}");
            order.booked.clone_from(&order.executed);
            order.updated_at = desk.at;
        }
    }
    desk.orders.pop();
    desk.orders.insert(0, Order { id: format!("new-{second}"), ..desk.orders.first().cloned().unwrap() });
    desk
}

#[test]
fn the_largest_page_changes_in_small_pieces() {
    let first = desk();
    let mut edition = Edition::of(1, &first);
    let everything = change(None, &edition).to_string();
    let mut lines = vec![everything];
    let mut desk = first;
    for second in 1..=40 {
        desk = later(desk, second);
        let next = Edition::of(edition.number + 1, &desk);
        let line = change(Some(&edition), &next).to_string();
        assert!(line.len() * 3 < lines[0].len(), "{} of {} bytes", line.len(), lines[0].len());
        lines.push(line);
        edition = next;
    }
    if let Some(folder) = std::env::var_os("PLIMSOLL_BROWSER_LOAD") {
        let path = std::path::Path::new(&folder).join("changes.jsonl");
        let mut file = std::fs::File::create(path).unwrap();
        writeln!(file, "{}", lines.join("\n")).unwrap();
    }
}
