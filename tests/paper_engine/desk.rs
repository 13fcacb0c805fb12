//! A small exchange for tests, and short ways to talk to it. Prices and quantities are decimal strings.

use plimsoll::paper_exchange::engine::*;

/// Alice pays maker 10 and taker 20 basis points; Bob pays nothing.
pub(crate) const ALICE: AccountId = AccountId(1);
/// See [`ALICE`].
pub(crate) const BOB: AccountId = AccountId(2);

/// Price and quantity, best first.
pub(crate) type Levels = Vec<(Price, Qty)>;

/// An exchange with BTCUSDT (tick 0.01, step 0.00001) and the events of the last command.
pub(crate) struct Desk {
    pub(crate) exchange: Exchange,
    pub(crate) events: Vec<ExchangeEvent>,
    pub(crate) now_ms: i64,
}

pub(crate) fn price(text: &str) -> Price {
    text.parse().unwrap()
}

pub(crate) fn qty(text: &str) -> Qty {
    text.parse().unwrap()
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

pub(crate) fn id(text: &str) -> ClientOrderId {
    ClientOrderId::new(text).unwrap()
}

pub(crate) fn asset(text: &str) -> Asset {
    Asset::new(text).unwrap()
}

pub(crate) fn btcusdt() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

pub(crate) fn spec() -> SymbolSpec {
    SymbolSpec::usual(btcusdt(), asset("BTC"), asset("USDT"), price("0.01"), qty("0.00001"))
}

pub(crate) fn levels(levels: &[(&str, &str)]) -> Levels {
    levels.iter().map(|(p, q)| (price(p), qty(q))).collect()
}

pub(crate) fn limit(at: &str, quantity: &str, time_in_force: TimeInForce) -> Terms {
    Terms::Limit { price: price(at), quantity: qty(quantity), time_in_force }
}

pub(crate) fn gtc(at: &str, quantity: &str) -> Terms {
    limit(at, quantity, TimeInForce::Gtc)
}

pub(crate) fn order(account: AccountId, side: Side, terms: Terms) -> NewOrder {
    NewOrder { account, symbol: btcusdt(), side, terms, client_order_id: None, stp: None }
}

impl Desk {
    /// Alice and Bob with 10 BTC and 1 000 000 USDT each.
    pub(crate) fn new() -> Self {
        Self::with(spec())
    }

    pub(crate) fn with(spec: SymbolSpec) -> Self {
        let mut desk =
            Self { exchange: Exchange::new(Limits::default()), events: Vec::new(), now_ms: 1_000_000 };
        desk.exchange.list_symbol(spec).unwrap();
        let rate = |text: &str| text.parse::<Rate>().unwrap();
        for (account, maker, taker) in [(ALICE, "0.001", "0.002"), (BOB, "0", "0")] {
            desk.exchange.open_account(desk.now_ms, account, rate(maker), rate(taker)).unwrap();
            for (name, paid_in) in [("BTC", "10"), ("USDT", "1000000")] {
                let delta = amount(paid_in);
                desk.exchange.adjust(desk.now_ms, account, asset(name), delta, &mut desk.events).unwrap();
            }
        }
        desk
    }

    /// Applies a command one millisecond later, keeps only its events, and audits.
    pub(crate) fn apply(&mut self, command: Command) -> Result<Outcome, Refusal> {
        self.now_ms += 1;
        self.events.clear();
        let outcome = self.exchange.apply(self.now_ms, &command, &mut self.events);
        self.exchange.audit().unwrap_or_else(|failure| panic!("{command:?}: {failure}"));
        outcome
    }

    pub(crate) fn place(&mut self, new: NewOrder) -> Result<Placed, Refusal> {
        match self.apply(Command::Place(new))? {
            Outcome::Placed(placed) => Ok(*placed),
            other => panic!("{other:?}"),
        }
    }

    /// Places an order that must be accepted.
    pub(crate) fn accepted(&mut self, account: AccountId, side: Side, terms: Terms) -> Order {
        self.place(order(account, side, terms)).unwrap().order
    }

    pub(crate) fn cancel(&mut self, account: AccountId, wanted: OrderRef) -> Result<Cancelled, Refusal> {
        let request = CancelOrder {
            account,
            symbol: btcusdt(),
            order: wanted,
            cancel_client_order_id: Some(id("my-cancel")),
            restriction: None,
        };
        match self.apply(Command::Cancel(request))? {
            Outcome::Cancelled(cancelled) => Ok(*cancelled),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn market(&mut self, bids: &[(&str, &str)], asks: &[(&str, &str)]) {
        self.apply(Command::MarketBook(MarketBook {
            symbol: btcusdt(),
            replace: false,
            last_update_id: None,
            bids: levels(bids),
            asks: levels(asks),
        }))
        .unwrap();
    }

    pub(crate) fn market_trade(&mut self, at: &str, quantity: &str, aggressor: Side) {
        let (price, quantity) = (price(at), qty(quantity));
        let trade = MarketTrade { symbol: btcusdt(), trade_id: None, price, quantity, aggressor };
        self.apply(Command::MarketTrade(trade)).unwrap();
    }

    /// The order as it stands now.
    pub(crate) fn now(&self, order: &Order) -> &Order {
        self.exchange.order(order.account, order.symbol, OrderRef::Id(order.order_id)).unwrap()
    }

    /// `(free, locked)` as printed.
    pub(crate) fn balance(&self, account: AccountId, name: &str) -> (String, String) {
        let view = self.exchange.account(account).unwrap();
        let balance = view.balances.iter().find(|balance| balance.asset == asset(name)).unwrap();
        (balance.free.to_string(), balance.locked.to_string())
    }

    /// The execution reports of the last command.
    pub(crate) fn reports(&self) -> Vec<&ExecutionReport> {
        let mut reports = Vec::new();
        for event in &self.events {
            if let ExchangeEvent::Execution(report) = event {
                reports.push(&**report);
            }
        }
        reports
    }

    /// `x/X` of every report of the last command, in order.
    pub(crate) fn story(&self) -> Vec<String> {
        let told = |r: &&ExecutionReport| {
            format!("{} {}/{}", r.order_id, r.execution_type.as_str(), r.status.as_str())
        };
        self.reports().iter().map(told).collect()
    }

    /// The public bids and asks.
    pub(crate) fn book(&self) -> (Levels, Levels) {
        let book = self.exchange.book(btcusdt(), 100).unwrap();
        (book.bids, book.asks)
    }
}
