//! Slows down and then refuses those who present wrong tokens, per peer and per token.
//!
//! A good token is never refused here, wherever it comes from: guessing 256 bits is hopeless, and a lock-out of
//! everybody behind one address would be a way to keep the operator from the kill switch. What is bounded is the
//! noise. The table is bounded; when it is full, whoever was quiet longest is forgotten.

use crate::domain::token::TokenId;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

/// Failures that are only slowed.
const SLOWED: u32 = 5;
/// Each failure costs this much more time, up to five times as much.
const SLOW_STEP: Duration = Duration::from_millis(50);
/// Longest time for which further attempts are refused.
const REFUSED_MAX: Duration = Duration::from_secs(60);
/// After this much quiet, everything is forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(300);
/// Keys that are remembered.
const KEYS_MAX: usize = 1_024;

/// Who fails.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// An address; of IPv6, the network that one host is usually given.
    Peer(IpAddr),
    /// A token that exists.
    Token(TokenId),
}

impl Key {
    /// The key of an address.
    pub(super) fn of(address: IpAddr) -> Self {
        Self::Peer(match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) => IpAddr::V4(v4),
                None => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
            },
        })
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
    refused_until: Instant,
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Throttle(HashMap<Key, Failures>);

impl Throttle {
    /// For how long attempts of any of these are still refused.
    pub(super) fn refused(&self, keys: &[Key], now: Instant) -> Option<Duration> {
        let left = keys.iter().filter_map(|key| self.0.get(key)).map(|failures| failures.refused_until);
        left.map(|until| until.saturating_duration_since(now)).max().filter(|left| !left.is_zero())
    }

    /// Notes a failure of each; answers how long its answer is to be held back.
    pub(super) fn fail(&mut self, keys: &[Key], now: Instant) -> Duration {
        let mut slow = Duration::ZERO;
        for key in keys {
            self.make_room(key, now);
            let fresh = Failures { count: 0, last: now, refused_until: now };
            let failures = self.0.entry(key.clone()).or_insert(fresh);
            if now.saturating_duration_since(failures.last) >= FORGOTTEN_AFTER {
                *failures = fresh;
            }
            failures.count = failures.count.saturating_add(1);
            failures.last = now;
            slow = slow.max(SLOW_STEP.saturating_mul(failures.count.min(SLOWED)));
            if let Some(over) = failures.count.checked_sub(SLOWED) {
                let refused = Duration::from_secs(1).saturating_mul(1 << over.min(6)).min(REFUSED_MAX);
                failures.refused_until = now.checked_add(refused).unwrap_or(now);
            }
        }
        slow
    }

    fn make_room(&mut self, key: &Key, now: Instant) {
        if self.0.len() < KEYS_MAX || self.0.contains_key(key) {
            return;
        }
        self.0.retain(|_, failures| now.saturating_duration_since(failures.last) < FORGOTTEN_AFTER);
        if self.0.len() >= KEYS_MAX {
            let quiet = self.0.iter().min_by_key(|(_, failures)| failures.last).map(|(key, _)| key.clone());
            quiet.map(|key| self.0.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Key {
        Key::of(IpAddr::from([10, 0, 0, last]))
    }

    #[test]
    fn failures_are_slowed_then_refused_ever_longer_then_forgotten() {
        let mut throttle = Throttle::default();
        let start = crate::clock::monotonic();
        let mut now = start;
        let slow: Vec<u128> = (0..4).map(|_| throttle.fail(&[peer(1)], now).as_millis()).collect();
        assert_eq!((slow, throttle.refused(&[peer(1)], now)), (vec![50, 100, 150, 200], None));
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(throttle.fail(&[peer(1)], now) <= Duration::from_millis(250));
            assert_eq!(throttle.refused(&[peer(1)], now), Some(Duration::from_secs(seconds)));
            assert_eq!(throttle.refused(&[peer(2)], now), None, "others are not meant");
            now += Duration::from_secs(seconds);
            assert_eq!(throttle.refused(&[peer(1)], now), None);
        }
        now += FORGOTTEN_AFTER;
        assert_eq!(throttle.fail(&[peer(1)], now), SLOW_STEP);
    }

    #[test]
    fn a_token_is_refused_from_every_address() {
        let mut throttle = Throttle::default();
        let now = crate::clock::monotonic();
        let token = Key::Token(TokenId::new("0123456789ab").unwrap());
        for last in 0..5 {
            throttle.fail(&[peer(last), token.clone()], now);
        }
        assert!(throttle.refused(&[peer(99), token], now).is_some());
        assert!(throttle.refused(&[peer(1)], now).is_none());
    }

    #[test]
    fn one_host_is_one_key_and_the_table_is_bounded() {
        let same = |a: &str, b: &str| Key::of(a.parse().unwrap()) == Key::of(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff") && same("::ffff:10.0.0.1", "10.0.0.1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        let mut throttle = Throttle::default();
        let now = crate::clock::monotonic();
        for number in 0..5_000_u32 {
            throttle.fail(&[Key::Peer(IpAddr::from(number.to_be_bytes()))], now);
        }
        assert_eq!(throttle.0.len(), KEYS_MAX);
    }
}
