//! How much may be asked, and when: the venue's weight and order limits, Retry-After and bans.
//!
//! Pure. It spends at most [`SHARE_PERCENT`] of the weight limit on ordinary reads, so that recovery and
//! cancels always have room, and nothing at all while the venue asks for silence. The venue's own count,
//! read from each answer, replaces our estimate.

use crate::domain::outcome::Denial;
use crate::domain::time::Mono;

/// Our share of the weight limit for ordinary requests.
pub const SHARE_PERCENT: u32 = 60;
/// Our share for what protects the account: recovery, queries of unknown outcomes, cancels.
pub const RECOVERY_PERCENT: u32 = 90;
/// The limit that is assumed until the venue publishes its own.
pub const DEFAULT_WEIGHT_PER_MINUTE: u32 = 6_000;
/// Silence after a 429 or a ban that names no time.
const DEFAULT_HOLD_MS: u64 = 60_000;
/// Longest silence that is believed: bans last at most three days.
const MAX_HOLD_MS: u64 = 3 * 86_400_000;
const MINUTE_MS: u64 = 60_000;
const ORDER_WINDOW_MS: u64 = 10_000;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Anything that can wait.
    Ordinary,
    /// Recovery, queries and cancels.
    Protect,
    /// A new order: weighs one, and counts against the order limit.
    Order,
    /// The question for the venue's limits. Until it is answered the cap is our assumption, and an assumption
    /// must not keep us from the answer: only the venue's own demand for silence does.
    Limits,
}

/// The gate in front of every request.
#[derive(Debug, Clone)]
pub struct Pacer {
    weight_limit: u32,
    used_weight: u32,
    weight_window: Mono,
    order_limit: Option<u32>,
    used_orders: u32,
    order_window: Mono,
    hold_until: Mono,
}

impl Default for Pacer {
    fn default() -> Self {
        Self {
            weight_limit: DEFAULT_WEIGHT_PER_MINUTE,
            used_weight: 0,
            weight_window: Mono(0),
            order_limit: None,
            used_orders: 0,
            order_window: Mono(0),
            hold_until: Mono(0),
        }
    }
}

impl Pacer {
    /// Takes the limits that the venue publishes.
    pub fn set_limits(&mut self, weight_per_minute: Option<u32>, orders_per_10s: Option<u32>) {
        if let Some(limit) = weight_per_minute.filter(|limit| *limit > 0) {
            self.weight_limit = limit;
        }
        self.order_limit = orders_per_10s.filter(|limit| *limit > 0).or(self.order_limit);
    }

    fn roll(&mut self, now: Mono) {
        if now.since(self.weight_window) >= MINUTE_MS {
            (self.weight_window, self.used_weight) = (now, 0);
        }
        if now.since(self.order_window) >= ORDER_WINDOW_MS {
            (self.order_window, self.used_orders) = (now, 0);
        }
    }

    fn cap(&self, percent: u32) -> u32 {
        u32::try_from(u64::from(self.weight_limit).saturating_mul(u64::from(percent)) / 100)
            .unwrap_or(u32::MAX)
    }

    /// May a request of this weight go out now? If so it is counted.
    ///
    /// # Errors
    /// The [`Denial`] to report, with the instant at which to try again.
    pub fn admit(&mut self, now: Mono, purpose: Purpose, weight: u32) -> Result<(), Denial> {
        if now < self.hold_until {
            return Err(Denial::BackOff { until: self.hold_until });
        }
        self.roll(now);
        let cap = self.cap(if purpose == Purpose::Ordinary { SHARE_PERCENT } else { RECOVERY_PERCENT });
        if purpose != Purpose::Limits && self.used_weight.saturating_add(weight) > cap {
            let retry_at = self.weight_window.plus(MINUTE_MS);
            return Err(Denial::Paced { limit: "REQUEST_WEIGHT", used: self.used_weight, cap, retry_at });
        }
        if purpose == Purpose::Order
            && let Some(limit) = self.order_limit
            && self.used_orders >= limit
        {
            let retry_at = self.order_window.plus(ORDER_WINDOW_MS);
            return Err(Denial::Paced { limit: "ORDERS_10S", used: self.used_orders, cap: limit, retry_at });
        }
        if purpose == Purpose::Order {
            // A successful placement weighs nothing; a failed one is counted by the venue's next answer.
            self.used_orders = self.used_orders.saturating_add(1);
        } else {
            self.used_weight = self.used_weight.saturating_add(weight);
        }
        Ok(())
    }

    /// The venue's own count of the running minute.
    pub fn observe_weight(&mut self, now: Mono, used: u32) {
        self.roll(now);
        if used < self.used_weight {
            // The venue's window began anew; ours follows it.
            self.weight_window = now;
        }
        self.used_weight = used;
    }

    /// The venue's own count of unfilled orders in its running ten seconds. Fills lower it.
    pub fn observe_orders(&mut self, now: Mono, used: u32) {
        self.roll(now);
        if used < self.used_orders {
            self.order_window = now;
        }
        self.used_orders = used;
    }

    /// The venue asked for silence: for so long, or for a minute when it names no time.
    pub fn hold(&mut self, now: Mono, retry_after_ms: Option<u64>) -> Mono {
        let wait = retry_after_ms.unwrap_or(DEFAULT_HOLD_MS).min(MAX_HOLD_MS);
        self.hold_until = self.hold_until.max(now.plus(wait));
        self.hold_until
    }

    /// The end of the silence that is in force.
    #[must_use]
    pub fn hold_until(&self, now: Mono) -> Option<Mono> {
        Some(self.hold_until).filter(|until| *until > now)
    }

    /// Weight spent and our ordinary share.
    #[must_use]
    pub fn weight(&self) -> (u32, u32) {
        (self.used_weight, self.cap(SHARE_PERCENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumed_limit_does_not_keep_us_from_the_published_one() {
        let mut pacer = Pacer::default();
        pacer.observe_weight(Mono(1), 9_000);
        assert!(matches!(pacer.admit(Mono(2), Purpose::Protect, 1), Err(Denial::Paced { .. })));
        assert_eq!(pacer.admit(Mono(2), Purpose::Limits, 20), Ok(()));
        pacer.set_limits(Some(100_000), None);
        assert_eq!(pacer.admit(Mono(3), Purpose::Protect, 1), Ok(()));
        pacer.hold(Mono(4), None);
        assert!(matches!(pacer.admit(Mono(5), Purpose::Limits, 20), Err(Denial::BackOff { .. })));
    }

    #[test]
    fn ordinary_requests_stop_at_sixty_percent_and_protection_at_ninety() {
        let mut pacer = Pacer::default();
        pacer.set_limits(Some(100), None);
        for _ in 0..60 {
            pacer.admit(Mono(1), Purpose::Ordinary, 1).unwrap();
        }
        let refused = pacer.admit(Mono(1), Purpose::Ordinary, 1).unwrap_err();
        assert!(matches!(refused, Denial::Paced { limit: "REQUEST_WEIGHT", used: 60, cap: 60, .. }));
        pacer.admit(Mono(1), Purpose::Protect, 30).unwrap();
        assert!(pacer.admit(Mono(1), Purpose::Protect, 1).is_err());
        pacer.admit(Mono(60_001), Purpose::Ordinary, 1).unwrap();
    }

    #[test]
    fn the_venues_count_wins() {
        let mut pacer = Pacer::default();
        pacer.set_limits(Some(100), None);
        pacer.observe_weight(Mono(5), 60);
        assert!(pacer.admit(Mono(6), Purpose::Ordinary, 1).is_err());
        pacer.observe_weight(Mono(7), 3);
        pacer.admit(Mono(8), Purpose::Ordinary, 1).unwrap();
    }

    #[test]
    fn silence_stops_everything_until_it_ends() {
        let mut pacer = Pacer::default();
        assert_eq!(pacer.hold(Mono(100), Some(5_000)), Mono(5_100));
        for purpose in [Purpose::Ordinary, Purpose::Protect, Purpose::Order] {
            assert_eq!(pacer.admit(Mono(5_099), purpose, 0), Err(Denial::BackOff { until: Mono(5_100) }));
        }
        pacer.hold(Mono(200), Some(1));
        assert_eq!(pacer.hold_until(Mono(300)), Some(Mono(5_100)), "a later, shorter wish does not shorten");
        pacer.admit(Mono(5_100), Purpose::Order, 0).unwrap();
        assert_eq!(pacer.hold(Mono(6_000), None), Mono(66_000));
        assert_eq!(pacer.hold(Mono(6_000), Some(u64::MAX)), Mono(6_000 + MAX_HOLD_MS));
    }

    #[test]
    fn orders_are_counted_as_the_venue_counts_them() {
        let mut pacer = Pacer::default();
        pacer.set_limits(None, Some(2));
        pacer.admit(Mono(1), Purpose::Order, 0).unwrap();
        pacer.admit(Mono(1), Purpose::Order, 0).unwrap();
        assert!(matches!(
            pacer.admit(Mono(1), Purpose::Order, 0),
            Err(Denial::Paced { limit: "ORDERS_10S", .. })
        ));
        pacer.observe_orders(Mono(2), 0);
        pacer.admit(Mono(3), Purpose::Order, 0).unwrap();
    }
}
