//! Positions, orders and balances, as the venue and as we see them. Where the two differ, the row says so.

use super::edition::{Row, render};
use super::figures::{Gain, or_nothing, plain};
use super::model::{Balance, Desk, Order, Position};
use super::words::{Age, clock_time};
use askama::Template;

#[derive(Template)]
#[template(path = "positions.html")]
struct PositionsHead<'a> {
    desk: &'a Desk,
    differ: usize,
}

pub(super) fn positions_head(desk: &Desk) -> String {
    render(&PositionsHead { desk, differ: desk.positions.iter().filter(|one| one.mismatch).count() })
}

#[derive(Template)]
#[template(path = "row_position.html")]
struct PositionRow<'a> {
    one: &'a Position,
    quantity: String,
    all: String,
    venue: String,
    compared: Option<String>,
    average: String,
    mark: String,
    realised: Gain,
    unrealised: Gain,
}

pub(super) fn position_rows(desk: &Desk) -> Vec<Row> {
    let row = |one: &Position| {
        let template = PositionRow {
            one,
            quantity: plain(&one.quantity),
            all: or_nothing(one.all.as_deref()),
            venue: one.venue_quantity.as_deref().map_or_else(|| "not compared".to_owned(), plain),
            compared: one.compared_at.map(|at| clock_time(at, desk.at)),
            average: or_nothing(one.average_price.as_deref()),
            mark: one.mark.as_deref().map_or_else(|| "no price".to_owned(), plain),
            realised: Gain::of(Some(&one.realised)),
            unrealised: Gain::of(one.unrealised.as_deref()),
        };
        Row::new(format!("{} {} {}", one.venue, one.symbol, one.strategy), &template)
    };
    desk.positions.iter().map(row).collect()
}

#[derive(Template)]
#[template(path = "orders.html")]
struct OrdersHead<'a> {
    desk: &'a Desk,
    unknown: usize,
    differ: usize,
    left_out: usize,
}

pub(super) fn orders_head(desk: &Desk) -> String {
    let count = |of: fn(&Order) -> bool| desk.orders.iter().filter(|order| of(order)).count();
    let left_out = desk.open_orders.saturating_sub(desk.orders.len());
    render(&OrdersHead {
        desk,
        unknown: count(|order| order.unknown),
        differ: count(|order| order.mismatch),
        left_out,
    })
}

#[derive(Template)]
#[template(path = "row_order.html")]
struct OrderRow<'a> {
    order: &'a Order,
    class: &'static str,
    state: String,
    quantity: String,
    price: String,
    executed: String,
    booked: String,
    at: String,
}

pub(super) fn order_rows(desk: &Desk) -> Vec<Row> {
    let row = |order: &Order| {
        let class = match order {
            Order { unknown: true, .. } => "crit",
            Order { mismatch: true, .. } => "warn",
            Order { pending: true, .. } => "pending",
            _ => "",
        };
        let template = OrderRow {
            order,
            class,
            state: order.state.replace('_', " "),
            quantity: plain(&order.quantity),
            price: order.price.as_deref().map_or_else(|| order.kind.clone(), plain),
            executed: plain(&order.executed),
            booked: plain(&order.booked),
            at: clock_time(order.updated_at, desk.at),
        };
        Row::new(format!("{} {}", order.venue, order.id), &template)
    };
    desk.orders.iter().map(row).collect()
}

struct BalanceItem<'a> {
    one: &'a Balance,
    total: String,
    expected: String,
    compared: Option<Age>,
}

#[derive(Template)]
#[template(path = "balances.html")]
struct Balances<'a> {
    items: Vec<BalanceItem<'a>>,
}

fn balance(one: &Balance) -> BalanceItem<'_> {
    BalanceItem {
        one,
        total: or_nothing(one.total.as_deref()),
        expected: one.expected.as_deref().map_or_else(|| "not compared".to_owned(), plain),
        compared: one.compared_at.map(Age),
    }
}

pub(super) fn balances(desk: &Desk) -> String {
    render(&Balances { items: desk.balances.iter().map(balance).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_differs_and_hostile_names_stay_names() {
        let order = Order {
            id: "\"><img src=x>".to_owned(),
            symbol: "<svg/onload=alert(1)>".to_owned(),
            state: "unknown".to_owned(),
            unknown: true,
            executed: "2".to_owned(),
            booked: "1".to_owned(),
            mismatch: true,
            ..Order::default()
        };
        let desk = Desk { orders: vec![order], open_orders: 3, ..Desk::default() };
        let html = order_rows(&desk).remove(0).html;
        assert!(html.contains("class=\"crit\"") && html.contains("outcome not known"), "{html}");
        assert!(!html.contains("<img") && !html.contains("<svg/onload"), "{html}");
        assert!(orders_head(&desk).contains("2 more"), "{}", orders_head(&desk));
    }

    #[test]
    fn a_position_that_was_not_compared_is_no_match() {
        let position =
            Position { quantity: "1.50".to_owned(), realised: "0".to_owned(), ..Position::default() };
        let desk = Desk { positions: vec![position], ..Desk::default() };
        let html = position_rows(&desk).remove(0).html;
        assert!(html.contains("not compared") && html.contains("no price"), "{html}");
    }
}
