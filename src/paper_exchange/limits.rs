//! Request weight per address and order count per account, as the venue counts them.
//!
//! Fixed windows: weight per minute, orders per ten seconds and per day. Over the weight limit the
//! answer is 429 until the minute ends; whoever keeps asking is banned (418), each ban twice as long
//! as the one before, from two minutes to three days. Pure: time is an argument. Bounded: at most
//! [`MAX_TRACKED`] addresses; the one idle longest is forgotten first.

use super::errors::ApiError;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// How many addresses and accounts are tracked at once.
pub const MAX_TRACKED: usize = 1_024;
/// Requests tolerated over the limit before an address is banned.
pub const OVERRUNS_BEFORE_BAN: u32 = 20;
const MINUTE_MS: i64 = 60_000;
const TEN_SECONDS_MS: i64 = 10_000;
const DAY_MS: i64 = 86_400_000;
const FIRST_BAN_MS: i64 = 120_000;
const LONGEST_BAN_MS: i64 = 3 * DAY_MS;

/// The limits the exchange announces and enforces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Request weight per address and minute.
    pub weight_per_minute: u32,
    /// Unfilled orders per account and ten seconds.
    pub orders_per_ten_seconds: u32,
    /// Unfilled orders per account and day.
    pub orders_per_day: u32,
}

impl Default for LimitSettings {
    /// The venue's weight limit; order limits roomy enough for load tests.
    fn default() -> Self {
        Self { weight_per_minute: 6_000, orders_per_ten_seconds: 1_000_000, orders_per_day: 200_000_000 }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    number: i64,
    used: u32,
}

impl Window {
    fn at(&mut self, now_ms: i64, length_ms: i64) -> &mut u32 {
        let number = now_ms.div_euclid(length_ms);
        if number != self.number {
            *self = Self { number, used: 0 };
        }
        &mut self.used
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Address {
    minute: Window,
    overruns: u32,
    bans: u32,
    banned_until_ms: i64,
    seen_ms: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Orders {
    ten_seconds: Window,
    day: Window,
}

/// Order counts of an account: this ten seconds, this day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderCounts {
    /// Orders counted in the current ten seconds.
    pub ten_seconds: u32,
    /// Orders counted in the current day.
    pub day: u32,
}

/// The counters of the whole exchange.
#[derive(Debug)]
pub struct Limits {
    settings: LimitSettings,
    addresses: BTreeMap<IpAddr, Address>,
    orders: BTreeMap<String, Orders>,
}

impl Limits {
    /// Counters at zero.
    #[must_use]
    pub fn new(settings: LimitSettings) -> Self {
        Self { settings, addresses: BTreeMap::new(), orders: BTreeMap::new() }
    }

    /// The limits in force.
    #[must_use]
    pub fn settings(&self) -> LimitSettings {
        self.settings
    }

    /// Charges `weight` to `address`; answers what this minute has used.
    ///
    /// # Errors
    /// 429 with the seconds until the minute ends, or 418 with the seconds until the ban ends.
    pub fn charge(&mut self, now_ms: i64, address: IpAddr, weight: u32) -> Result<u32, ApiError> {
        self.make_room(address);
        let limit = self.settings.weight_per_minute;
        let entry = self.addresses.entry(address).or_default();
        entry.seen_ms = now_ms;
        if now_ms < entry.banned_until_ms {
            return Err(ApiError::banned(
                entry.banned_until_ms,
                seconds_until(now_ms, entry.banned_until_ms),
            ));
        }
        let used = entry.minute.at(now_ms, MINUTE_MS);
        let asked = used.saturating_add(weight);
        if asked <= limit {
            *used = asked;
            if asked.saturating_mul(2) <= limit {
                entry.overruns = 0;
            }
            return Ok(asked);
        }
        entry.overruns = entry.overruns.saturating_add(1);
        if entry.overruns > OVERRUNS_BEFORE_BAN {
            let length = FIRST_BAN_MS.saturating_mul(1_i64 << entry.bans.min(12)).min(LONGEST_BAN_MS);
            entry.bans = entry.bans.saturating_add(1);
            entry.overruns = 0;
            entry.banned_until_ms = now_ms.saturating_add(length);
            return Err(ApiError::banned(
                entry.banned_until_ms,
                seconds_until(now_ms, entry.banned_until_ms),
            ));
        }
        let end = (now_ms.div_euclid(MINUTE_MS) + 1) * MINUTE_MS;
        Err(ApiError::too_much_weight(limit, seconds_until(now_ms, end)))
    }

    /// Gives weight back: a successful place or cancel costs nothing.
    pub fn refund(&mut self, now_ms: i64, address: IpAddr, weight: u32) {
        if let Some(entry) = self.addresses.get_mut(&address) {
            let used = entry.minute.at(now_ms, MINUTE_MS);
            *used = used.saturating_sub(weight);
        }
    }

    /// What `address` has used of this minute.
    #[must_use]
    pub fn used(&self, now_ms: i64, address: IpAddr) -> u32 {
        self.addresses.get(&address).map_or(0, |entry| *{ *entry }.minute.at(now_ms, MINUTE_MS))
    }

    /// May `account` place another order? Does not count it yet: see [`Limits::count_order`].
    ///
    /// # Errors
    /// 429 with -1015, naming the interval that is full.
    pub fn check_orders(&mut self, now_ms: i64, account: &str) -> Result<(), ApiError> {
        let counts = self.order_counts(now_ms, account);
        let checks = [
            (counts.ten_seconds, self.settings.orders_per_ten_seconds, "10 SECOND", TEN_SECONDS_MS),
            (counts.day, self.settings.orders_per_day, "1 DAY", DAY_MS),
        ];
        for (used, limit, interval, length) in checks {
            if used >= limit {
                let end = (now_ms.div_euclid(length) + 1) * length;
                return Err(ApiError::too_many_orders(limit, interval, seconds_until(now_ms, end)));
            }
        }
        Ok(())
    }

    /// Counts one accepted order of `account`.
    pub fn count_order(&mut self, now_ms: i64, account: &str) {
        if let Some(orders) = self.orders.get_mut(account) {
            bump(orders, now_ms);
        } else if self.orders.len() < MAX_TRACKED {
            bump(self.orders.entry(account.to_owned()).or_default(), now_ms);
        }
    }

    /// Takes one order off again, because it filled: the venue counts unfilled orders.
    pub fn uncount_order(&mut self, now_ms: i64, account: &str) {
        if let Some(orders) = self.orders.get_mut(account) {
            let ten = orders.ten_seconds.at(now_ms, TEN_SECONDS_MS);
            *ten = ten.saturating_sub(1);
            let day = orders.day.at(now_ms, DAY_MS);
            *day = day.saturating_sub(1);
        }
    }

    /// The counts of `account` at `now_ms`.
    #[must_use]
    pub fn order_counts(&self, now_ms: i64, account: &str) -> OrderCounts {
        let Some(mut orders) = self.orders.get(account).copied() else { return OrderCounts::default() };
        OrderCounts {
            ten_seconds: *orders.ten_seconds.at(now_ms, TEN_SECONDS_MS),
            day: *orders.day.at(now_ms, DAY_MS),
        }
    }

    fn make_room(&mut self, address: IpAddr) {
        if self.addresses.len() < MAX_TRACKED || self.addresses.contains_key(&address) {
            return;
        }
        let idle = self.addresses.iter().min_by_key(|(_, entry)| entry.seen_ms).map(|(known, _)| *known);
        if let Some(idle) = idle {
            self.addresses.remove(&idle);
        }
    }
}

fn bump(orders: &mut Orders, now_ms: i64) {
    let ten = orders.ten_seconds.at(now_ms, TEN_SECONDS_MS);
    *ten = ten.saturating_add(1);
    let day = orders.day.at(now_ms, DAY_MS);
    *day = day.saturating_add(1);
}

/// Whole seconds until `end_ms`, rounded up, at least one.
fn seconds_until(now_ms: i64, end_ms: i64) -> u64 {
    u64::try_from(end_ms.saturating_sub(now_ms)).unwrap_or(0).div_ceil(1_000).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn limits(weight: u32, orders: u32) -> Limits {
        Limits::new(LimitSettings {
            weight_per_minute: weight,
            orders_per_ten_seconds: orders,
            orders_per_day: 1_000,
        })
    }

    #[test]
    fn weight_fills_refuses_and_starts_again_with_the_minute() {
        let mut limits = limits(100, 10);
        assert_eq!(limits.charge(0, HOME, 60).unwrap(), 60);
        assert_eq!(limits.charge(1_000, HOME, 40).unwrap(), 100);
        let refused = limits.charge(15_500, HOME, 1).unwrap_err();
        assert_eq!((refused.status, refused.retry_after_seconds), (429, Some(45)));
        assert_eq!(limits.charge(60_000, HOME, 1).unwrap(), 1);
    }

    #[test]
    fn whoever_keeps_asking_is_banned_longer_each_time() {
        let mut limits = limits(1, 10);
        let mut now = 0;
        let mut lengths = Vec::new();
        for _ in 0..3 {
            limits.charge(now, HOME, 1).unwrap();
            let ban = loop {
                let refused = limits.charge(now, HOME, 1).unwrap_err();
                if refused.status == 418 {
                    break refused;
                }
            };
            let seconds = ban.retry_after_seconds.unwrap();
            assert_eq!(limits.charge(now + 1, HOME, 0).unwrap_err().status, 418, "even a weightless request");
            lengths.push(seconds);
            now += i64::try_from(seconds).unwrap() * 1_000;
        }
        assert_eq!(lengths, [120, 240, 480]);
    }

    #[test]
    fn success_costs_nothing() {
        let mut limits = limits(100, 10);
        limits.charge(0, HOME, 1).unwrap();
        limits.refund(0, HOME, 1);
        assert_eq!(limits.used(0, HOME), 0);
    }

    #[test]
    fn orders_are_counted_until_they_fill() {
        let mut limits = limits(100, 2);
        for _ in 0..2 {
            limits.check_orders(0, "a").unwrap();
            limits.count_order(0, "a");
        }
        let refused = limits.check_orders(9_500, "a").unwrap_err();
        assert_eq!((refused.code, refused.retry_after_seconds), (-1015, Some(1)));
        assert!(limits.check_orders(0, "b").is_ok(), "another account");
        limits.uncount_order(0, "a");
        assert!(limits.check_orders(0, "a").is_ok());
        assert_eq!(limits.order_counts(10_000, "a"), OrderCounts { ten_seconds: 0, day: 1 });
    }

    #[test]
    fn addresses_are_bounded() {
        let mut limits = limits(100, 2);
        for n in 0..(u32::try_from(MAX_TRACKED).unwrap() + 50) {
            limits.charge(i64::from(n), IpAddr::V4(Ipv4Addr::from_bits(n)), 1).unwrap();
        }
        assert_eq!(limits.addresses.len(), MAX_TRACKED);
    }
}
