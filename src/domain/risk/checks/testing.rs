//! Cases for the table tests of the checks: an order that passes everything, to be spoiled in one point.

use super::super::figures::{Figures, OpenCount, Pair, PerScope, RateUse, Step, TradeRecord};
use super::super::judge::{Case, Check, Judged, walk};
use super::super::limit::Limit;
use super::super::limits::Limits;
use super::super::proposal::{Proposal, Standing};
use super::super::settings::RiskSettings;
use crate::domain::ids::{Asset, StrategyId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::order::OrderKind;
use crate::domain::order_types::Side;
use rust_decimal::Decimal;

pub(in super::super) fn d(text: &str) -> Decimal {
    Decimal::from_str_exact(text).unwrap()
}

pub(in super::super) fn price(text: &str) -> Option<Price> {
    Some(Price::parse(text).unwrap())
}

pub(in super::super) fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap()
}

/// A buy of 1 at 100 in a book of 99 to 101, with room everywhere.
pub(in super::super) struct Desk {
    pub(in super::super) limits: Limits,
    pub(in super::super) proposal: Proposal,
    pub(in super::super) figures: Figures,
}

impl Desk {
    pub(in super::super) fn new() -> Self {
        let (strategy, venue, symbol) = names();
        let currency = Asset::new("USDT").unwrap();
        let limits = RiskSettings::for_rehearsal(currency).resolve(&strategy, &venue, &symbol, None);
        let proposal = Proposal {
            number: None,
            client_order_id: None,
            strategy,
            venue,
            symbol,
            side: Side::Buy,
            kind: OrderKind::Limit,
            quantity: quantity("1"),
            price: price("100"),
            time_in_force: None,
            stop_loss: None,
            reduce_only: false,
            replaces: None,
            asked: None,
        };
        Self { limits, proposal, figures: figures() }
    }

    pub(in super::super) fn sell(mut self) -> Self {
        self.proposal.side = Side::Sell;
        self
    }

    pub(in super::super) fn market(mut self) -> Self {
        self.proposal.kind = OrderKind::Market;
        self.proposal.price = None;
        self
    }

    pub(in super::super) fn at(mut self, text: &str) -> Self {
        self.proposal.price = price(text);
        self
    }

    pub(in super::super) fn of(mut self, text: &str) -> Self {
        self.proposal.quantity = quantity(text);
        self
    }

    pub(in super::super) fn reducing(mut self) -> Self {
        (self.figures.reduces_own, self.figures.reduces_net) = (true, true);
        self
    }

    pub(in super::super) fn case(&self) -> Case<'_> {
        Case { limits: &self.limits, proposal: &self.proposal, figures: &self.figures }
    }

    /// Only this check: its code, or `ok`.
    pub(in super::super) fn code(&self, check: &'static [&'static Check]) -> &'static str {
        self.judged(check).denial.map_or("ok", |denial| denial.code)
    }

    /// Only this check: `CODE: key=value`, or `ok`.
    pub(in super::super) fn says(&self, check: &'static [&'static Check]) -> String {
        self.judged(check).denial.map_or("ok".to_owned(), |denial| denial.to_string())
    }

    pub(in super::super) fn judged(&self, check: &'static [&'static Check]) -> Judged {
        let judged = walk(check, &self.case(), false);
        let explained = walk(check, &self.case(), true);
        assert_eq!(judged.verdict(), explained.verdict(), "an explanation says what the decision says");
        assert_eq!(
            explained.lines.iter().any(|line| line.passed == crate::domain::risk::Passed::Denied),
            judged.denial.is_some()
        );
        judged
    }
}

pub(in super::super) fn names() -> (StrategyId, VenueId, Symbol) {
    (StrategyId::new("one").unwrap(), VenueId::new("paper").unwrap(), Symbol::new("BTCUSDT").unwrap())
}

pub(in super::super) fn step(before: &str, after: &str) -> Option<Step> {
    Some(Step { before: d(before), after: d(after) })
}

fn figures() -> Figures {
    let zero = Some(Decimal::ZERO);
    let hundred = step("0", "100");
    Figures {
        standing: Standing::fine(),
        bid: Some(d("99")),
        ask: Some(d("101")),
        quote_price: Some(Decimal::ONE),
        reduces_own: false,
        reduces_net: false,
        position: Some(Decimal::ONE),
        symbol_position: Some(Decimal::ONE),
        gross: PerScope { strategy: hundred, venue: hundred, account: hundred },
        net: PerScope { strategy: Some(d("100")), venue: Some(d("100")), account: Some(d("100")) },
        asset: Some(d("100")),
        pnl: Pair { strategy: zero, account: zero },
        day_loss: Pair { strategy: zero, account: zero },
        drawdown: Pair { strategy: zero, account: zero },
        open_orders: OpenCount::default(),
        rates: Pair::<RateUse>::default(),
        duplicate_age_ms: None,
        own_opposite: None,
        latched: None,
        restraint: None,
        trades: TradeRecord::default(),
        sigma: None,
        sigma_samples: 0,
        granted: None,
    }
}

/// Takes one limit away.
pub(in super::super) type Clear = fn(&mut Limits);

/// Every limit of a check unset denies, and names itself.
pub(in super::super) fn denies_unset(check: &'static [&'static Check], unset: &[(&str, Clear)]) {
    for (what, clear) in unset {
        let mut bench = Desk::new();
        clear(&mut bench.limits);
        let said = bench.says(check);
        assert!(said.starts_with(&format!("LIMIT_NOT_SET: limit={what}")), "{what}: {said}");
        for lifts in [vec!["LIMIT_NOT_SET".to_owned()], Vec::new()] {
            bench.figures.granted =
                Some(super::super::figures::Granted { by: "a".into(), reason: "b".into(), lifts });
            assert_eq!(bench.code(check), "LIMIT_NOT_SET", "no override lifts the want of a limit");
        }
    }
}

/// Denied beyond the limit, let through at it and inside, at zero too; nothing known denies as well.
pub(in super::super) fn bounds<T: Copy>(
    check: &'static [&'static Check],
    code: &str,
    set: fn(&mut Desk, T),
    cases: &[(T, bool)],
) {
    for (index, (value, passes)) in cases.iter().enumerate() {
        let mut bench = Desk::new();
        set(&mut bench, *value);
        let wanted = if *passes { "ok" } else { code };
        assert_eq!(bench.code(check), wanted, "case {index}: {}", bench.says(check));
    }
}

pub(in super::super) fn at(text: &str) -> Limit<Decimal> {
    Limit::At(d(text))
}
