//! One message to one channel, as it is kept: what is to be said, how often it was tried, when it is due again.
//!
//! The name of a delivery is the key that its receiver knows a repeated message by. The time of the next attempt stands
//! in the record, so that a restart forgets nothing and hurries nothing.

use super::notice::{IdempotencyKey, Transition};
use super::settings::Retry;
use crate::domain::time::WallMs;
use serde::{Deserialize, Serialize};

/// Longest error that is kept, characters.
const ERROR_CHARS_MAX: usize = 300;

/// How far a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waits for its time.
    Pending,
    /// Is being sent. After a crash nobody knows whether it arrived, and it is sent again under the same key.
    Claimed,
    /// A provider has it.
    Accepted,
    /// The receiver has it.
    Delivered,
    /// It was refused for good.
    Failed,
    /// It could not be delivered for too long.
    Expired,
    /// Another message says it too.
    Superseded,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Claimed,
        Self::Accepted,
        Self::Delivered,
        Self::Failed,
        Self::Expired,
        Self::Superseded,
    ];

    /// On the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Claimed => "claimed",
            Self::Accepted => "accepted",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Superseded => "superseded",
        }
    }

    /// Will nothing more be sent of it? [`Delivery::is_settled`] says whether its provider is still being asked.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Claimed)
    }
}

/// Asking a provider what became of a message that it accepted: stored, so that a restart neither forgets nor hurries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirm {
    /// How often it was asked.
    pub asked: u32,
    /// Not before.
    pub next_at: WallMs,
    /// From then on it is not asked any more: accepted is all that will be known.
    pub until: WallMs,
}

/// See the module's head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its name.
    pub key: IdempotencyKey,
    /// The alert's place among all alerts; 0 for a canary.
    pub number: u64,
    /// The alert's id.
    pub alert: String,
    /// Number of the transition that it tells of.
    pub seq: u64,
    /// Whom.
    pub channel: String,
    /// What is to be said.
    pub transition: Transition,
    /// How far it is.
    pub state: DeliveryState,
    /// Attempts that were begun.
    pub attempts: u32,
    /// When it was decided.
    pub created_at: WallMs,
    /// Not before.
    pub next_at: WallMs,
    /// Until when the claim holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<WallMs>,
    /// What the last attempt met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When the receiver or its provider had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<WallMs>,
    /// The provider's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// Its provider is asked whether it arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// Deliveries that go out within this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<IdempotencyKey>,
    /// The delivery within which this one goes out, or that says the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<IdempotencyKey>,
    /// It went out while the database could not be written; it is in the file of last resort.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spooled: bool,
}

impl Delivery {
    /// A delivery that is due now.
    #[must_use]
    pub fn new(
        (number, alert): (u64, &str),
        seq: u64,
        channel: &str,
        transition: Transition,
        now: WallMs,
    ) -> Self {
        Self {
            key: IdempotencyKey::new(alert, seq, channel),
            number,
            alert: alert.to_owned(),
            seq,
            channel: channel.to_owned(),
            transition,
            state: DeliveryState::Pending,
            attempts: 0,
            created_at: now,
            next_at: now,
            lease_until: None,
            last_error: None,
            delivered_at: None,
            provider_id: None,
            confirm: None,
            members: Vec::new(),
            within: None,
            spooled: false,
        }
    }

    /// Will nothing more be done about it, neither by sending nor by asking?
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.state.is_final() && self.confirm.is_none()
    }

    /// Its place within its channel: alerts in order, their transitions in order.
    #[must_use]
    pub const fn place(&self) -> (u64, u64) {
        (self.number, self.seq)
    }

    /// Begins an attempt.
    pub fn claim(&mut self, now: WallMs, lease_ms: u64) {
        self.state = DeliveryState::Claimed;
        self.attempts = self.attempts.saturating_add(1);
        self.lease_until = Some(later(now, lease_ms));
    }

    /// An attempt failed, and another one may help: answers when, or says that its time is over.
    pub fn try_again(&mut self, now: WallMs, why: &str, not_before_ms: Option<u64>, retry: &Retry) -> bool {
        self.last_error = Some(super::condition::cut(why, ERROR_CHARS_MAX));
        self.lease_until = None;
        let waited = now.0.saturating_sub(self.created_at.0);
        if u64::try_from(waited).unwrap_or(0) >= retry.give_up_ms {
            self.state = DeliveryState::Expired;
            return false;
        }
        let pause = pause_ms(self.key.as_str(), self.attempts, retry).max(not_before_ms.unwrap_or(0));
        self.state = DeliveryState::Pending;
        self.next_at = later(now, pause);
        true
    }

    /// It will never be delivered.
    pub fn fail(&mut self, why: &str) {
        self.confirm = None;
        self.last_error = Some(super::condition::cut(why, ERROR_CHARS_MAX));
        self.lease_until = None;
        self.state = DeliveryState::Failed;
    }

    /// Another one says it.
    pub fn supersede(&mut self, by: &IdempotencyKey) {
        self.lease_until = None;
        self.within = Some(by.clone());
        self.state = DeliveryState::Superseded;
    }
}

/// A time so many milliseconds later.
#[must_use]
pub fn later(at: WallMs, ms: u64) -> WallMs {
    WallMs(at.0.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX)))
}

/// The pause after so many attempts: doubled each time up to a bound, up to a quarter of it taken off, by the key and
/// not by chance, so that a replay decides alike and receivers are not all tried at the same instant.
#[must_use]
pub fn pause_ms(key: &str, attempts: u32, retry: &Retry) -> u64 {
    let doubled = 2_u64.saturating_pow(attempts.saturating_sub(1).min(32));
    let whole = retry.first_ms.saturating_mul(doubled).min(retry.max_ms);
    // FNV-1a.
    let hash = key.bytes().chain(attempts.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let quarter = whole / 4;
    whole.saturating_sub(quarter.saturating_mul(hash.rotate_left(20) % 1_000) / 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery() -> Delivery {
        Delivery::new((7, "pl-7"), 1, "ops", Transition::Raise, WallMs(1_000))
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_depend_on_the_key_alone() {
        let retry = Retry::default();
        for (attempts, whole) in [(1, 1_000), (2, 2_000), (4, 8_000), (7, 60_000), (u32::MAX, 60_000)] {
            let pause = pause_ms("k", attempts, &retry);
            assert!(pause <= whole && pause >= whole * 3 / 4, "{attempts}: {pause}");
            assert_eq!(pause, pause_ms("k", attempts, &retry));
        }
        let spread: std::collections::BTreeSet<u64> =
            (0..50).map(|n| pause_ms(&format!("key-{n}"), 3, &retry)).collect();
        assert!(spread.len() > 40, "{spread:?}");
    }

    #[test]
    fn a_server_that_names_a_time_is_given_it() {
        let mut delivery = delivery();
        delivery.claim(WallMs(1_000), 60_000);
        assert!(delivery.try_again(WallMs(2_000), "busy\r\n", Some(30_000), &Retry::default()));
        assert_eq!((delivery.state, delivery.next_at), (DeliveryState::Pending, WallMs(32_000)));
        assert_eq!(delivery.last_error.as_deref(), Some("busy  "));
    }

    #[test]
    fn a_delivery_expires_and_says_why() {
        let mut delivery = delivery();
        delivery.claim(WallMs(1_000), 60_000);
        assert!(!delivery.try_again(WallMs(86_401_000), "no route", None, &Retry::default()));
        assert_eq!(
            (delivery.state, delivery.last_error.as_deref()),
            (DeliveryState::Expired, Some("no route"))
        );
        assert!(delivery.state.is_final());
    }
}
