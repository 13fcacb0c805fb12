//! `GET /api/v1/positions`: the ledger beside the market and beside the venue.
//!
//! A position is valued at the price at which it could be closed: a long one at the bid, a short one at the ask, from
//! a book that is in step. The venue knows balances, not positions: its quantity is what all strategies together hold
//! of the instrument, plus the difference between the balance of the base asset and what the ledger expects of it. It
//! is null where that would be a guess: never compared, not compared since the position last changed, or an asset that
//! more than one instrument moves.

use super::pages::whole;
use super::problem::Problem;
use super::state::WebState;
use super::wire::{Beside, PositionView};
use crate::actors::oms::OmsReadings;
use crate::domain::ids::{Symbol, VenueId};
use crate::domain::journal::BalanceRow;
use crate::domain::ledger::Position;
use crate::domain::money::{Amount, Price};
use crate::domain::time::WallMs;
use actix_web::HttpResponse;
use actix_web::web::Data;
use std::collections::{BTreeMap, BTreeSet};

/// See the module's head.
pub(super) async fn positions(state: Data<WebState>) -> Result<HttpResponse, Problem> {
    let (positions, balances) = state.read(|books| Ok((books.positions()?, books.balances()?))).await?;
    let beside = beside(&positions, &balances, &state.readings.oms);
    let items: Vec<PositionView<'_>> =
        positions.iter().zip(&beside).map(|(position, beside)| PositionView::new(position, beside)).collect();
    Ok(HttpResponse::Ok().json(whole(&items)))
}

/// What stands beside each position, in the same order.
pub(super) fn beside(positions: &[Position], balances: &[BalanceRow], readings: &OmsReadings) -> Vec<Beside> {
    let mut held: BTreeMap<(&VenueId, &Symbol), Option<Amount>> = BTreeMap::new();
    for position in positions {
        let sum = held.entry((&position.venue, &position.symbol)).or_insert(Some(Amount::ZERO));
        *sum = sum.and_then(|sum| sum.checked_add(position.quantity));
    }
    let mut changed: BTreeMap<(&VenueId, &Symbol), WallMs> = BTreeMap::new();
    for position in positions {
        let last = changed.entry((&position.venue, &position.symbol)).or_default();
        *last = position.updated_at.max(*last);
    }
    let instruments: BTreeSet<(&VenueId, &Symbol)> = held.keys().copied().collect();
    let one = |position: &Position| {
        let key = (&position.venue, &position.symbol);
        let compared = base_balance(&instruments, key, balances);
        // What was compared before the last fill says nothing about the position after it.
        let since = |row: &&BalanceRow| row.compared_at >= changed.get(&key).copied();
        let fresh = compared.filter(since);
        let quantity = held.get(&key).copied().flatten();
        let mark_price = readings
            .mark(&position.venue, &position.symbol)
            .map(|mark| if position.quantity < Amount::ZERO { mark.ask } else { mark.bid });
        Beside {
            unrealised_pnl: mark_price.and_then(|price| unrealised(position, price)),
            mark_price,
            venue_quantity: fresh.and_then(|row| by_venue(quantity?, row)),
            compared_at: compared.and_then(|row| row.compared_at),
        }
    };
    positions.iter().map(one).collect()
}

/// Profit or loss if the position were closed at `price`; zero for a flat one.
fn unrealised(position: &Position, price: Price) -> Option<Amount> {
    let Some(average) = position.average_price else { return Some(Amount::ZERO) };
    let per_unit = price.get().checked_sub(average.get())?;
    per_unit.checked_mul(position.quantity.get()).and_then(|value| Amount::new(value).ok())
}

fn by_venue(quantity: Amount, row: &BalanceRow) -> Option<Amount> {
    let total = row.free.checked_add(row.locked)?;
    quantity.checked_add(total.checked_sub(row.expected?)?)
}

/// The balance of the instrument's base asset, if that asset moves with this instrument alone.
fn base_balance<'a>(
    instruments: &BTreeSet<(&VenueId, &Symbol)>,
    (venue, symbol): (&VenueId, &Symbol),
    balances: &'a [BalanceRow],
) -> Option<&'a BalanceRow> {
    let here = || balances.iter().filter(move |row| row.venue == *venue);
    // Venues spell an instrument as base, then quote; a spelling that two pairs of assets give is not used.
    let spells = |base: &BalanceRow| {
        let rest = symbol.as_str().strip_prefix(base.asset.as_str());
        rest.is_some_and(|quote| here().any(|row| row.asset.as_str() == quote))
    };
    let mut bases = here().filter(|row| spells(row));
    let (Some(base), None) = (bases.next(), bases.next()) else { return None };
    let touches = |other: &Symbol| {
        let (text, asset) = (other.as_str(), base.asset.as_str());
        text.starts_with(asset) || text.ends_with(asset)
    };
    let alone = instruments.iter().filter(|(at, other)| *at == venue && touches(other)).count() == 1;
    (alone && base.expected.is_some()).then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{Asset, StrategyId};

    fn position(symbol: &str, strategy: &str, quantity: &str) -> Position {
        Position {
            venue: VenueId::new("paper").unwrap(),
            symbol: Symbol::new(symbol).unwrap(),
            strategy: StrategyId::new(strategy).unwrap(),
            quantity: Amount::parse(quantity).unwrap(),
            average_price: Some(Price::parse("100").unwrap()),
            realised_pnl: Amount::ZERO,
            fees: BTreeMap::new(),
            turnover: Amount::ZERO,
            updated_at: WallMs(0),
        }
    }

    fn balance(asset: &str, free: &str, expected: Option<&str>) -> BalanceRow {
        BalanceRow {
            venue: VenueId::new("paper").unwrap(),
            asset: Asset::new(asset).unwrap(),
            free: Amount::parse(free).unwrap(),
            locked: Amount::parse("0.5").unwrap(),
            expected: expected.map(|text| Amount::parse(text).unwrap()),
            compared_at: Some(WallMs(7)),
        }
    }

    fn quantities(positions: &[Position], balances: &[BalanceRow]) -> Vec<Option<String>> {
        let readings = OmsReadings::default();
        let found = beside(positions, balances, &readings);
        found.iter().map(|one| one.venue_quantity.map(|amount| amount.normalized().to_string())).collect()
    }

    #[test]
    fn the_venue_holds_what_all_strategies_hold_plus_what_is_unexplained() {
        let positions = [position("BTCUSDT", "a", "1"), position("BTCUSDT", "b", "-0.25")];
        // 10 and a half BTC where 10.4 are expected: a tenth more than the books say.
        let balances = [balance("BTC", "10", Some("10.4")), balance("USDT", "1", Some("1.5"))];
        assert_eq!(quantities(&positions, &balances), vec![Some("0.85".to_owned()); 2]);
    }

    #[test]
    fn nothing_is_guessed() {
        let both = [position("BTCUSDT", "a", "1"), position("ETHBTC", "a", "1")];
        let balances =
            [balance("BTC", "1", Some("1")), balance("USDT", "1", Some("1")), balance("ETH", "1", None)];
        assert_eq!(quantities(&both, &balances), [None, None], "BTC moves with both; ETH was never compared");
        assert_eq!(quantities(&both[..1], &[]), [None]);
        let filled_since = [Position { updated_at: WallMs(8), ..position("BTCUSDT", "a", "1") }];
        assert_eq!(quantities(&filled_since, &balances), [None], "compared at 7, filled at 8");
    }

    #[test]
    fn a_flat_position_is_worth_nothing_and_a_short_one_gains_when_prices_fall() {
        let price = Price::parse("90").unwrap();
        assert_eq!(unrealised(&position("X", "a", "-2"), price).unwrap().to_string(), "20");
        let flat = Position { average_price: None, ..position("X", "a", "0") };
        assert_eq!(unrealised(&flat, price), Some(Amount::ZERO));
    }
}
