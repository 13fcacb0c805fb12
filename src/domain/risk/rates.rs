//! How often: counts over the last second and the last minute, in constant memory.
//!
//! Time is cut into slots; a slot counts as long as any of it lies in the window, so the count is never too
//! low, and too high by what one slot holds at most (a tenth of a second, two seconds).

use super::figures::RateUse;
use super::proposal::Message;
use crate::domain::time::Mono;

/// Slots of the second: ten of 100 ms, and the one that is half over.
const SECOND_SLOTS: usize = 11;
const SECOND_SLOT_MS: u64 = 100;
/// Slots of the minute: thirty of 2 s, and the one that is half over.
const MINUTE_SLOTS: usize = 31;
const MINUTE_SLOT_MS: u64 = 2_000;

/// Counts in the last `N - 1` slots and the present one.
#[derive(Debug, Clone)]
struct Window<const N: usize> {
    slot_ms: u64,
    /// The slot's number since the origin, and its count.
    slots: [(u64, u32); N],
}

impl<const N: usize> Window<N> {
    const fn new(slot_ms: u64) -> Self {
        Self { slot_ms, slots: [(0, 0); N] }
    }

    fn number(&self, now: Mono) -> u64 {
        now.0.checked_div(self.slot_ms).unwrap_or(0)
    }

    fn add(&mut self, now: Mono) {
        let number = self.number(now);
        let places = u64::try_from(N).unwrap_or(1).max(1);
        let place = usize::try_from(number % places).unwrap_or(0);
        if let Some(slot) = self.slots.get_mut(place) {
            if slot.0 != number {
                *slot = (number, 0);
            }
            slot.1 = slot.1.saturating_add(1);
        }
    }

    fn count(&self, now: Mono) -> u32 {
        let number = self.number(now);
        let oldest = number.saturating_sub(u64::try_from(N).unwrap_or(1).saturating_sub(1));
        let live = self.slots.iter().filter(|(slot, _)| (oldest..=number).contains(slot));
        live.fold(0_u32, |sum, (_, count)| sum.saturating_add(*count))
    }
}

/// One kind of event over both windows.
#[derive(Debug, Clone)]
struct Counter {
    second: Window<SECOND_SLOTS>,
    minute: Window<MINUTE_SLOTS>,
}

impl Counter {
    const fn new() -> Self {
        Self { second: Window::new(SECOND_SLOT_MS), minute: Window::new(MINUTE_SLOT_MS) }
    }

    fn add(&mut self, now: Mono) {
        self.second.add(now);
        self.minute.add(now);
    }
}

/// Orders that were approved and messages that went out, of one scope.
#[derive(Debug, Clone)]
pub(super) struct Rate {
    approved: Counter,
    submitted: Counter,
    others: Counter,
}

impl Rate {
    pub(super) const fn new() -> Self {
        Self { approved: Counter::new(), submitted: Counter::new(), others: Counter::new() }
    }

    /// An order was approved.
    pub(super) fn approved(&mut self, now: Mono) {
        self.approved.add(now);
    }

    /// A message went out.
    pub(super) fn sent(&mut self, now: Mono, message: Message) {
        match message {
            Message::Submit => self.submitted.add(now),
            Message::Modify | Message::Cancel => self.others.add(now),
        }
    }

    /// What counts now. An approved order is a message even before it went out: the greater of the two holds.
    pub(super) fn used(&self, now: Mono) -> RateUse {
        let (orders_1s, orders_1m) = (self.approved.second.count(now), self.approved.minute.count(now));
        let messages =
            |approved: u32, submitted: u32, others: u32| approved.max(submitted).saturating_add(others);
        RateUse {
            orders_1s,
            orders_1m,
            messages_1s: messages(orders_1s, self.submitted.second.count(now), self.others.second.count(now)),
            messages_1m: messages(orders_1m, self.submitted.minute.count(now), self.others.minute.count(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_never_counts_too_few() {
        let mut rate = Rate::new();
        for at in [0, 99, 100, 950] {
            rate.approved(Mono(at));
        }
        assert_eq!(rate.used(Mono(950)).orders_1s, 4);
        assert_eq!(rate.used(Mono(1_000)).orders_1s, 4, "0 lies a whole second back: the slot still counts");
        assert_eq!(rate.used(Mono(1_099)).orders_1s, 4);
        assert_eq!(rate.used(Mono(1_100)).orders_1s, 2, "the first slot has left");
        assert_eq!(rate.used(Mono(1_200)).orders_1s, 1);
        assert_eq!(rate.used(Mono(2_000)).orders_1s, 0);
        assert_eq!(rate.used(Mono(2_000)).orders_1m, 4);
        assert_eq!(rate.used(Mono(61_999)).orders_1m, 4);
        assert_eq!(rate.used(Mono(62_000)).orders_1m, 0);
    }

    #[test]
    fn slots_are_taken_again() {
        let mut rate = Rate::new();
        rate.approved(Mono(50));
        rate.approved(Mono(1_150));
        assert_eq!(rate.used(Mono(1_150)).orders_1s, 1, "the slot of 50 was taken over, not added to");
        rate.approved(Mono(1_150));
        assert_eq!(rate.used(Mono(1_150)).orders_1s, 2);
        assert_eq!(rate.used(Mono(1_150)).orders_1m, 3);
    }

    #[test]
    fn every_message_counts_and_an_order_counts_once() {
        let mut rate = Rate::new();
        let now = Mono(10);
        rate.approved(now);
        rate.approved(now);
        assert_eq!(rate.used(now).messages_1s, 2, "approved, not sent yet");
        rate.sent(now, Message::Submit);
        rate.sent(now, Message::Submit);
        assert_eq!(rate.used(now).messages_1s, 2, "the same two");
        rate.sent(now, Message::Submit);
        assert_eq!(rate.used(now).messages_1s, 3, "one was sent again");
        rate.sent(now, Message::Cancel);
        rate.sent(now, Message::Modify);
        let used = rate.used(now);
        assert_eq!((used.messages_1s, used.messages_1m, used.orders_1s), (5, 5, 2));
    }
}
