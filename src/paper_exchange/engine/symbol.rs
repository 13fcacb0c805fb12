//! What may be traded, and within which bounds: a symbol's assets and the venue's filters.
//!
//! Owns the filters' data and their defaults. It does not apply them: `filters` does.
//! A value of zero switches a single bound off, as on the venue.

use super::ids::{Asset, Symbol};
use super::money::{Amount, Price, Qty, Rate, UNITS_PER_ONE};
use super::order::StpMode;
use serde::{Deserialize, Serialize};

/// Whether orders are taken. Binance: `TRADING`, `HALT`, `BREAK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SymbolStatus {
    /// Orders and cancels are taken.
    Trading,
    /// Orders are refused with "Market is closed."; cancels are taken.
    Halt,
    /// As `Halt`.
    Break,
}

/// `PRICE_FILTER`: bounds and tick of every price, stop prices included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceFilter {
    /// Lowest price.
    pub min_price: Price,
    /// Highest price.
    pub max_price: Price,
    /// Prices are multiples of this.
    pub tick_size: Price,
}

/// `LOT_SIZE` and `MARKET_LOT_SIZE`: bounds and step of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotSize {
    /// Smallest quantity.
    pub min_qty: Qty,
    /// Largest quantity.
    pub max_qty: Qty,
    /// Quantities are multiples of this.
    pub step_size: Qty,
}

/// `NOTIONAL`: bounds of price times quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotionalFilter {
    /// Smallest notional.
    pub min_notional: Amount,
    /// Whether the minimum holds for market orders.
    pub apply_min_to_market: bool,
    /// Largest notional.
    pub max_notional: Amount,
    /// Whether the maximum holds for market orders.
    pub apply_max_to_market: bool,
    /// Window of the average price that market orders are valued at, in minutes; 0 is the last price.
    pub avg_price_mins: u8,
}

/// `PERCENT_PRICE_BY_SIDE`: a price lies within multiples of the average price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PercentPriceBySide {
    /// Upper multiple for buys.
    pub bid_multiplier_up: Rate,
    /// Lower multiple for buys.
    pub bid_multiplier_down: Rate,
    /// Upper multiple for sells.
    pub ask_multiplier_up: Rate,
    /// Lower multiple for sells.
    pub ask_multiplier_down: Rate,
    /// Window of the average price, in minutes; 0 is the last price.
    pub avg_price_mins: u8,
}

/// A symbol and its rules. Averages are taken over at most [`SymbolSpec::MAX_AVERAGE_MINUTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SymbolSpec {
    /// The symbol's name.
    pub symbol: Symbol,
    /// What is bought and sold.
    pub base: Asset,
    /// What it is paid with.
    pub quote: Asset,
    /// Whether orders are taken.
    pub status: SymbolStatus,
    /// `PRICE_FILTER`.
    pub price: PriceFilter,
    /// `LOT_SIZE`.
    pub lot: LotSize,
    /// `MARKET_LOT_SIZE`, beside `LOT_SIZE`, for market orders.
    pub market_lot: LotSize,
    /// `NOTIONAL`.
    pub notional: NotionalFilter,
    /// `PERCENT_PRICE_BY_SIDE`; `None` switches it off.
    pub percent_price: Option<PercentPriceBySide>,
    /// `MAX_NUM_ORDERS`: open orders of one account, algo orders included; 0 switches it off.
    pub max_num_orders: u32,
    /// `MAX_NUM_ALGO_ORDERS`: open stop and take-profit orders of one account; 0 switches it off.
    pub max_num_algo_orders: u32,
    /// Self-trade prevention of orders that name none.
    pub default_stp: StpMode,
}

impl SymbolSpec {
    /// The longest average-price window, in minutes.
    pub const MAX_AVERAGE_MINUTES: u8 = 60;

    /// A symbol with the given tick and step and bounds roomy enough for tests and demos:
    /// notional 5 to 9 000 000, prices within 5 times of the five-minute average, 200 open orders of
    /// which 5 algo orders (the venue's own usual figures).
    #[must_use]
    pub fn usual(symbol: Symbol, base: Asset, quote: Asset, tick_size: Price, step_size: Qty) -> Self {
        let five = Rate::from_units(5 * UNITS_PER_ONE);
        let fifth = Rate::from_units(UNITS_PER_ONE / 5);
        let whole = i128::from(UNITS_PER_ONE);
        Self {
            symbol,
            base,
            quote,
            status: SymbolStatus::Trading,
            price: PriceFilter {
                min_price: tick_size,
                max_price: Price::from_units(1_000_000 * UNITS_PER_ONE),
                tick_size,
            },
            lot: LotSize { min_qty: step_size, max_qty: Qty::from_units(9_000 * UNITS_PER_ONE), step_size },
            market_lot: LotSize {
                min_qty: Qty::ZERO,
                max_qty: Qty::from_units(100 * UNITS_PER_ONE),
                step_size: Qty::ZERO,
            },
            notional: NotionalFilter {
                min_notional: Amount::from_units(5 * whole),
                apply_min_to_market: true,
                max_notional: Amount::from_units(9_000_000 * whole),
                apply_max_to_market: false,
                avg_price_mins: 5,
            },
            percent_price: Some(PercentPriceBySide {
                bid_multiplier_up: five,
                bid_multiplier_down: fifth,
                ask_multiplier_up: five,
                ask_multiplier_down: fifth,
                avg_price_mins: 5,
            }),
            max_num_orders: 200,
            max_num_algo_orders: 5,
            default_stp: StpMode::ExpireMaker,
        }
    }
}
