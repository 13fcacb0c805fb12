//! A second exchange, written to be obviously right instead of fast: plain vectors, literal queues,
//! balances added up from the beginning each time they are asked for. It shares no code with the first.
//!
//! A level's queue is spelled out, strangers and our orders in the order in which they will trade.
//! It knows limit, maker-only and market orders, every time in force and self-trade prevention mode,
//! cancels, and the market's books and trades; it does not know stops and pairs.

/// One unit of price or quantity is 1e-8.
const ONE: i128 = 100_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stp {
    None,
    Taker,
    Maker,
    Both,
    Decrement,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gtc,
    Ioc,
    Fok,
    Maker,
    Market,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Filled,
    Cancelled,
    Expired,
    Prevented,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum No {
    Money,
    WouldTake,
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) account: usize,
    pub(crate) buy: bool,
    pub(crate) price: i128,
    pub(crate) quantity: i128,
    pub(crate) executed: i128,
    pub(crate) prevented: i128,
    pub(crate) state: State,
    kind: Kind,
    stp: Stp,
}

impl Order {
    fn left(&self) -> i128 {
        self.quantity - self.executed - self.prevented
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) order: usize,
    pub(crate) price: i128,
    pub(crate) quantity: i128,
    pub(crate) maker: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    Strangers(i128),
    Ours(usize),
}

#[derive(Debug, Clone)]
struct Level {
    buy: bool,
    price: i128,
    queue: Vec<Entry>,
}

#[derive(Debug, Clone)]
pub(crate) struct Oracle {
    paid_in: Vec<[i128; 2]>,
    rates: Vec<[i128; 2]>,
    levels: Vec<Level>,
    pub(crate) orders: Vec<Order>,
    pub(crate) fills: Vec<Fill>,
}

impl Oracle {
    /// `paid_in` is base and quote, `rates` maker and taker in 1e-8, per account.
    pub(crate) fn new(paid_in: Vec<[i128; 2]>, rates: Vec<[i128; 2]>) -> Self {
        Self { paid_in, rates, levels: Vec::new(), orders: Vec::new(), fills: Vec::new() }
    }

    /// `[free, locked]` of base, then of quote.
    pub(crate) fn balance(&self, account: usize) -> [[i128; 2]; 2] {
        let [mut base, mut quote] = self.paid_in[account];
        for fill in self.fills.iter().filter(|fill| self.orders[fill.order].account == account) {
            let value = fill.price * fill.quantity / ONE;
            let rate = self.rates[account][usize::from(!fill.maker)];
            if self.orders[fill.order].buy {
                base += fill.quantity - fill.quantity * rate / ONE;
                quote -= value;
            } else {
                base -= fill.quantity;
                quote += value - value * rate / ONE;
            }
        }
        let mut locked = [0, 0];
        for order in &self.orders {
            if order.account == account && order.state == State::Open {
                if order.buy {
                    locked[1] += (order.price * order.left()).div_euclid(ONE)
                        + i128::from((order.price * order.left()).rem_euclid(ONE) > 0);
                } else {
                    locked[0] += order.left();
                }
            }
        }
        [[base - locked[0], locked[0]], [quote - locked[1], locked[1]]]
    }

    /// Price and quantity per level, best first.
    pub(crate) fn book(&self, buy: bool) -> Vec<(i128, i128)> {
        let mut levels: Vec<_> = self.levels.iter().filter(|level| level.buy == buy).collect();
        levels.sort_by_key(|level| if buy { -level.price } else { level.price });
        let size = |entry: &Entry| match entry {
            Entry::Strangers(quantity) => *quantity,
            Entry::Ours(order) => self.orders[*order].left(),
        };
        let all = levels.iter().map(|level| (level.price, level.queue.iter().map(size).sum()));
        all.filter(|(_, quantity)| *quantity > 0).collect()
    }

    fn level(&mut self, buy: bool, price: i128) -> usize {
        let found = self.levels.iter().position(|level| level.buy == buy && level.price == price);
        found.unwrap_or_else(|| {
            self.levels.push(Level { buy, price, queue: Vec::new() });
            self.levels.len() - 1
        })
    }

    /// Drops what is empty or ended and joins strangers that stand together.
    fn tidy(&mut self) {
        for level in &mut self.levels {
            let mut queue: Vec<Entry> = Vec::new();
            for entry in level.queue.drain(..) {
                match (queue.last_mut(), entry) {
                    (_, Entry::Strangers(0)) => {}
                    (_, Entry::Ours(order)) if self.orders[order].state != State::Open => {}
                    (Some(Entry::Strangers(before)), Entry::Strangers(more)) => *before += more,
                    _ => queue.push(entry),
                }
            }
            level.queue = queue;
        }
        self.levels.retain(|level| !level.queue.is_empty());
    }

    fn best(&self, buy: bool) -> Option<usize> {
        let of_side = (0..self.levels.len()).filter(|at| self.levels[*at].buy == buy);
        of_side.min_by_key(|at| if buy { -self.levels[*at].price } else { self.levels[*at].price })
    }

    fn fill(&mut self, order: usize, price: i128, quantity: i128, maker: bool) {
        self.fills.push(Fill { order, price, quantity, maker });
        self.orders[order].executed += quantity;
        self.settle(order);
    }

    fn prevent(&mut self, order: usize, quantity: i128) {
        self.orders[order].prevented += quantity;
        self.settle(order);
    }

    fn settle(&mut self, order: usize) {
        let order = &mut self.orders[order];
        if order.left() == 0 {
            order.state = if order.prevented == 0 { State::Filled } else { State::Prevented };
        }
    }

    fn reaches(&self, taker: usize, price: i128) -> bool {
        let taker = &self.orders[taker];
        taker.kind == Kind::Market || if taker.buy { price <= taker.price } else { price >= taker.price }
    }

    fn walk(&mut self, taker: usize) {
        let buy = self.orders[taker].buy;
        while self.orders[taker].state == State::Open {
            self.tidy();
            let Some(at) = self.best(!buy) else { return };
            let price = self.levels[at].price;
            if !self.reaches(taker, price) {
                return;
            }
            let left = self.orders[taker].left();
            match self.levels[at].queue[0] {
                Entry::Strangers(there) => {
                    let quantity = left.min(there);
                    self.levels[at].queue[0] = Entry::Strangers(there - quantity);
                    self.fill(taker, price, quantity, false);
                }
                Entry::Ours(maker) => {
                    let overlap = left.min(self.orders[maker].left());
                    let same = self.orders[maker].account == self.orders[taker].account;
                    match self.orders[taker].stp {
                        mode if mode == Stp::None || !same => {
                            self.fill(maker, price, overlap, true);
                            self.fill(taker, price, overlap, false);
                        }
                        Stp::Maker => self.prevent(maker, self.orders[maker].left()),
                        Stp::Both => {
                            self.prevent(maker, self.orders[maker].left());
                            self.prevent(taker, left);
                        }
                        Stp::Decrement => {
                            self.prevent(maker, overlap);
                            self.prevent(taker, overlap);
                        }
                        Stp::Taker | Stp::None => self.prevent(taker, left),
                    }
                }
            }
        }
    }

    /// Accepts an order, or says why not.
    pub(crate) fn place(
        &mut self,
        account: usize,
        buy: bool,
        kind: Kind,
        stp: Stp,
        price: i128,
        quantity: i128,
    ) -> Result<usize, No> {
        self.tidy();
        let id = self.orders.len();
        let (executed, prevented, state) = (0, 0, State::Open);
        let order = Order { account, buy, price, quantity, executed, prevented, state, kind, stp };
        // What would happen is found out by letting it happen to a copy.
        let mut trial = self.clone();
        trial.orders.push(order.clone());
        if kind == Kind::Maker && trial.best(!buy).is_some_and(|at| trial.reaches(id, trial.levels[at].price))
        {
            return Err(No::WouldTake);
        }
        trial.walk(id);
        let [[base, _], [quote, _]] = self.balance(account);
        let cost = |price: i128, quantity: i128| (price * quantity + ONE - 1) / ONE;
        let taken = trial.fills.iter().skip(self.fills.len()).filter(|fill| fill.order == id);
        let enough = match (buy, kind) {
            (false, _) => base >= quantity,
            (true, Kind::Market) => quote >= taken.map(|fill| cost(fill.price, fill.quantity)).sum(),
            (true, _) => quote >= cost(price, quantity),
        };
        if !enough {
            return Err(No::Money);
        }
        self.orders.push(order);
        if kind == Kind::Fok && trial.orders[id].executed < quantity {
            self.orders[id].state = State::Expired;
            return Ok(id);
        }
        self.walk(id);
        self.tidy();
        if self.orders[id].state == State::Open {
            if matches!(kind, Kind::Gtc | Kind::Maker) {
                let at = self.level(buy, price);
                self.levels[at].queue.push(Entry::Ours(id));
            } else {
                self.orders[id].state = State::Expired;
            }
        }
        Ok(id)
    }

    pub(crate) fn cancel(&mut self, account: usize, order: usize) -> Result<(), No> {
        match self.orders.get_mut(order) {
            Some(order) if order.account == account && order.state == State::Open => {
                order.state = State::Cancelled;
                self.tidy();
                Ok(())
            }
            _ => Err(No::Unknown),
        }
    }

    /// The market shows `shown` at a price: strangers join at the end or leave from the end.
    pub(crate) fn market_level(&mut self, buy: bool, price: i128, shown: i128) {
        let at = self.level(buy, price);
        let mut left = shown;
        for entry in &mut self.levels[at].queue {
            if let Entry::Strangers(there) = entry {
                *there = left.min(*there);
                left -= *there;
            }
        }
        self.levels[at].queue.push(Entry::Strangers(left));
        self.tidy();
    }

    /// After a change of the market's book: strangers who now reach our orders trade with them.
    pub(crate) fn settle_crossed(&mut self) {
        for buy in [true, false] {
            while let Some((ours, met)) = self.crossed(buy) {
                let Entry::Strangers(there) = self.levels[met].queue[0] else { return };
                let quantity = there.min(self.orders[ours].left());
                self.levels[met].queue[0] = Entry::Strangers(there - quantity);
                let price = self.orders[ours].price;
                self.fill(ours, price, quantity, true);
                self.tidy();
            }
        }
    }

    fn crossed(&self, buy: bool) -> Option<(usize, usize)> {
        let mut ours: Vec<_> = self.resting(buy);
        ours.sort_by_key(|order| if buy { -self.orders[*order].price } else { self.orders[*order].price });
        let first = *ours.first()?;
        let strangers = |at: &usize| {
            self.levels[*at].buy != buy
                && self.levels[*at].queue.iter().any(|e| matches!(e, Entry::Strangers(_)))
        };
        let met = (0..self.levels.len())
            .filter(strangers)
            .min_by_key(|at| if buy { self.levels[*at].price } else { -self.levels[*at].price })?;
        let (limit, shown) = (self.orders[first].price, self.levels[met].price);
        (if buy { shown <= limit } else { shown >= limit }).then_some((first, met))
    }

    /// Our orders on a side in the order of each level's queue.
    fn resting(&self, buy: bool) -> Vec<usize> {
        let ours = |entry: &Entry| match entry {
            Entry::Ours(order) => Some(*order),
            Entry::Strangers(_) => None,
        };
        let of_side = self.levels.iter().filter(|level| level.buy == buy);
        of_side.flat_map(|level| level.queue.iter().filter_map(ours)).collect()
    }

    /// A trade between strangers. Traded strangers stand in line again, at the end, because the trade
    /// does not change what the market shows.
    pub(crate) fn market_trade(&mut self, price: i128, quantity: i128, seller_took: bool) {
        for buy in [true, false] {
            let mut through = self.resting(buy);
            through.retain(|order| {
                let limit = self.orders[*order].price;
                if buy { limit > price } else { limit < price }
            });
            through.sort_by_key(
                |order| if buy { -self.orders[*order].price } else { self.orders[*order].price },
            );
            for order in through {
                self.fill(order, self.orders[order].price, self.orders[order].left(), true);
            }
        }
        self.tidy();
        let at = self.level(seller_took, price);
        let mut left = quantity;
        while left > 0 && self.levels[at].queue.iter().any(|entry| matches!(entry, Entry::Ours(_))) {
            match self.levels[at].queue[0] {
                Entry::Strangers(there) => {
                    let gone = there.min(left);
                    left -= gone;
                    self.levels[at].queue[0] = Entry::Strangers(there - gone);
                    self.levels[at].queue.push(Entry::Strangers(gone));
                    if gone == there {
                        self.levels[at].queue.remove(0);
                    }
                }
                Entry::Ours(order) => {
                    let gone = self.orders[order].left().min(left);
                    left -= gone;
                    self.fill(order, price, gone, true);
                    if self.orders[order].state != State::Open {
                        self.levels[at].queue.remove(0);
                    }
                }
            }
        }
        self.tidy();
    }
}
