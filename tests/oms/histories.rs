//! A true history of executions, told to the core in any order, in part, and more than once; then the venue
//! can be read. What is booked must be the truth.

use crate::desk::{Desk, symbol, venue};
use plimsoll::domain::oms::{Event, Phase};
use plimsoll::domain::order::{OrderState, Patience};
use plimsoll::domain::order_types::{OrderReport, Side};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Runs a history at the venue behind the core's back. Returns what the stream would have said.
fn behind_its_back(desk: &mut Desk, trades: &[(usize, u8)], cancels: &[usize]) -> Vec<OrderReport> {
    let mut said = vec![];
    for (index, tenths) in trades {
        let index = index % desk.exchange.orders.len();
        let order = &desk.exchange.orders[index];
        let part = (order.left() * Decimal::new(i64::from(*tenths), 1)).round_dp(3);
        if order.is_live() && !part.is_zero() {
            let price = Decimal::from(100 + i64::from(*tenths));
            desk.now += 1;
            desk.exchange.execute(index, part, price, desk.now, 0);
        }
        said.append(&mut desk.exchange.said);
    }
    for index in cancels {
        let id = desk.exchange.orders[index % desk.exchange.orders.len()].asked.client_order_id.clone();
        // An order that is done already cannot be cancelled; that is part of the history.
        let _ = desk.exchange.cancel(desk.now, &id);
        said.append(&mut desk.exchange.said);
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_telling_of_a_history_ends_in_the_truth(
        sides in prop::collection::vec(any::<bool>(), 1..5),
        trades in prop::collection::vec((0_usize..5, 1_u8..=10), 0..15),
        cancels in prop::collection::vec(0_usize..5, 0..3),
        order in any::<prop::sample::Index>(),
        shuffle in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        lost in any::<u64>(),
    ) {
        let mut desk = Desk::running(Patience::Adopt);
        for (n, buy) in sides.iter().enumerate() {
            desk.submit(&format!("o{n}"), if *buy { Side::Buy } else { Side::Sell }, "3");
        }
        let said = behind_its_back(&mut desk, &trades, &cancels);
        // Some are lost, the rest comes in any order, some of it twice.
        let kept: Vec<&OrderReport> =
            said.iter().enumerate().filter(|(n, _)| lost >> (n % 64) & 1 == 0).map(|(_, report)| report).collect();
        if !kept.is_empty() {
            let first = order.get(&kept);
            let rest = shuffle.iter().map(|pick| pick.get(&kept));
            for report in std::iter::once(first).chain(rest).chain(&kept) {
                desk.tell(Event::Report { venue: venue(), report: (**report).clone() });
            }
        }
        desk.wait(70_000);
        prop_assert_eq!(desk.oms.phase(), Phase::Running, "{}", desk.oms.phase_reason());
        let truth = desk.exchange.position(&symbol());
        prop_assert_eq!(desk.oms.ledger().quantity(&venue(), &symbol()).get(), truth);
        let cash: Decimal = desk.exchange.orders.iter().map(|o| if o.asked.side == Side::Buy { -o.quote } else { o.quote }).sum();
        let net = desk.oms.ledger().net(&venue(), &symbol());
        prop_assert_eq!(net.map_or(Decimal::ZERO, |net| net.cash.get()), cash);
        let expected = desk.oms.ledger().expected(&venue()).unwrap();
        for (asset, held) in &desk.exchange.balances {
            prop_assert_eq!(expected.get(asset).map_or(Decimal::ZERO, |sum| sum.get()), *held, "{}", asset);
        }
        for (n, there) in desk.exchange.orders.iter().enumerate() {
            let ours = desk.order(&format!("o{n}"));
            prop_assert_eq!(ours.booked.get(), there.executed);
            prop_assert_eq!(ours.state.is_final(), !there.is_live());
            prop_assert_ne!(ours.state, OrderState::Unknown);
        }
        // What is told again changes nothing, and writes nothing.
        let rows = desk.rows.len();
        for report in &said {
            desk.tell(Event::Report { venue: venue(), report: report.clone() });
        }
        prop_assert_eq!(desk.rows.len(), rows);
    }
}
