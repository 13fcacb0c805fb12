//! The tripwire: one word of memory that stands between a placement and the wire.
//!
//! Pulled by anybody, from any thread, without locks, files or actors; mended only by whoever holds the one
//! [`Rearm`] that was made with it. The last hop asks [`Tripwire::enter`] right before it hands bytes to a socket and
//! keeps the [`Sending`] until the answer. It promises: once [`Tripwire::trip`] has returned, a placement that still
//! goes out was counted in [`Tripwire::in_flight`] at that moment, or carries a pass that the latch gave its order to
//! close a position. It writes nothing down; the latch does.

use super::ids::ClientOrderId;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};

/// The lowest bit of the state: tripped. The bits above count the trips, so that none is overlooked by a re-arming.
const TRIPPED: u64 = 1;
const ONE_TRIP: u64 = 2;
/// Passes that can be open at once: one per position that is being closed.
const PASSES_MAX: usize = 256;

#[derive(Debug, Default)]
struct Wire {
    state: AtomicU64,
    in_flight: AtomicU64,
    /// Orders that may pass a tripped wire, each once. Asked for only while it is tripped.
    passes: Mutex<BTreeSet<ClientOrderId>>,
}

/// See the module's head. Clones are ends of the same wire; the default is a wire of its own that nobody re-arms.
#[derive(Debug, Clone, Default)]
pub struct Tripwire(Arc<Wire>);

/// The only thing that can mend a tripped wire.
#[derive(Debug)]
pub struct Rearm(Arc<Wire>);

/// How a wire stood at one moment; what a re-arming must not have missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen(u64);

/// A placement on its way. It counts as in flight until it is dropped.
#[derive(Debug)]
#[must_use = "the placement counts as in flight only while this lives"]
pub struct Sending(Arc<Wire>);

impl Tripwire {
    /// A wire that is not tripped, and what mends it.
    #[must_use]
    pub fn new() -> (Self, Rearm) {
        let wire = Self::default();
        let rearm = Rearm(Arc::clone(&wire.0));
        (wire, rearm)
    }

    /// Trips it. After this no placement begins.
    pub fn trip(&self) {
        // Two wait-free steps. The count spoils a re-arming that is under way; one that begins after it is undone by
        // the bit. In the other order a re-arming between the two would have the last word.
        self.0.state.fetch_add(ONE_TRIP, SeqCst);
        self.0.state.fetch_or(TRIPPED, SeqCst);
    }

    /// May nothing go out?
    #[must_use]
    pub fn is_tripped(&self) -> bool {
        self.0.state.load(SeqCst) & TRIPPED == TRIPPED
    }

    /// Begins one placement; `None` when nothing may go out.
    #[must_use]
    pub fn enter(&self) -> Option<Sending> {
        // Counted first, asked second: whoever trips in between sees it in flight.
        self.0.in_flight.fetch_add(1, SeqCst);
        let sending = Sending(Arc::clone(&self.0));
        (!self.is_tripped()).then_some(sending)
    }

    /// Begins the placement of an order; through a tripped wire only with a pass of its own, which is used up.
    #[must_use]
    pub fn enter_as(&self, order: &ClientOrderId) -> Option<Sending> {
        self.enter().or_else(|| {
            self.0.in_flight.fetch_add(1, SeqCst);
            let sending = Sending(Arc::clone(&self.0));
            self.0.passes().remove(order).then_some(sending)
        })
    }

    /// Placements that began and have neither an answer nor been given up.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.0.in_flight.load(SeqCst)
    }

    /// How it stands, for [`Rearm::rearm`].
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen(self.0.state.load(SeqCst))
    }
}

impl Wire {
    fn passes(&self) -> std::sync::MutexGuard<'_, BTreeSet<ClientOrderId>> {
        // A set is whole between its calls, whoever panicked.
        self.passes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rearm {
    /// Lets one order through the tripped wire, once: a position that is being closed by explicit choice. `false`
    /// when too many passes are open.
    pub fn let_pass(&self, order: ClientOrderId) -> bool {
        let mut passes = self.0.passes();
        passes.len() < PASSES_MAX && {
            passes.insert(order);
            true
        }
    }

    /// Takes all passes back.
    pub fn revoke(&self) {
        self.0.passes().clear();
    }

    /// Mends the wire unless it was tripped again since `seen`; `false` then, and it stays tripped.
    pub fn rearm(&self, seen: Seen) -> bool {
        self.revoke();
        self.0.state.compare_exchange(seen.0, seen.0 & !TRIPPED, SeqCst, SeqCst).is_ok()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    #[test]
    fn a_tripped_wire_lets_nothing_begin_and_counts_what_had_begun() {
        let (wire, rearm) = Tripwire::new();
        let first = wire.enter().unwrap();
        assert_eq!((wire.is_tripped(), wire.in_flight()), (false, 1));
        wire.trip();
        assert!(wire.is_tripped() && wire.enter().is_none());
        assert_eq!(wire.in_flight(), 1, "the one that was refused is not in flight");
        drop(first);
        assert_eq!(wire.in_flight(), 0);
        assert!(rearm.rearm(wire.seen()));
        assert!(!wire.is_tripped() && wire.enter().is_some());
    }

    #[test]
    fn a_trip_during_a_rearming_wins() {
        let (wire, rearm) = Tripwire::new();
        wire.trip();
        let seen = wire.seen();
        wire.clone().trip();
        assert!(!rearm.rearm(seen), "somebody tripped it after the look");
        assert!(wire.is_tripped());
        assert!(rearm.rearm(wire.seen()));
    }

    #[test]
    fn a_pass_is_for_one_order_once_and_ends_with_the_reset() {
        let (wire, rearm) = Tripwire::new();
        let order = |name: &str| ClientOrderId::new(name).unwrap();
        assert!(rearm.let_pass(order("flat-1")) && rearm.let_pass(order("flat-2")));
        drop(wire.enter_as(&order("flat-1")).unwrap());
        wire.trip();
        assert!(wire.enter_as(&order("other")).is_none());
        let sending = wire.enter_as(&order("flat-1")).unwrap();
        assert_eq!(wire.in_flight(), 1, "counted like any other");
        drop(sending);
        assert!(wire.enter_as(&order("flat-1")).is_none(), "used up");
        assert!(wire.enter().is_none(), "a pass is for its order alone");
        assert!(rearm.rearm(wire.seen()));
        wire.trip();
        assert!(wire.enter_as(&order("flat-2")).is_none(), "an old pass is void");
        assert_eq!(wire.in_flight(), 0);
        for n in 0..PASSES_MAX {
            assert!(rearm.let_pass(order(&format!("p{n}"))));
        }
        assert!(!rearm.let_pass(order("one-too-many")));
        rearm.revoke();
        assert!(wire.enter_as(&order("p1")).is_none());
    }

    #[test]
    fn a_wire_of_its_own_is_not_tripped_by_another() {
        let (one, other) = (Tripwire::default(), Tripwire::default());
        one.trip();
        assert!(!other.is_tripped());
    }

    /// Threads that place as fast as they can, and one that trips and looks. Whoever enters leaves a mark between
    /// its check and its end; after a trip, no mark may appear that the count did not announce.
    #[test]
    fn no_placement_begins_uncounted() {
        const ROUNDS: usize = 500;
        let (wire, rearm) = Tripwire::new();
        let over = Arc::new(AtomicBool::new(false));
        let begun = Arc::new(AtomicU64::new(0));
        let placers: Vec<_> = (0..4)
            .map(|_| {
                let (wire, over, begun) = (wire.clone(), Arc::clone(&over), Arc::clone(&begun));
                thread::spawn(move || {
                    let mut placed = 0_u64;
                    while !over.load(SeqCst) {
                        if let Some(sending) = wire.enter() {
                            // This is the write to the socket.
                            begun.fetch_add(1, SeqCst);
                            placed += 1;
                            drop(sending);
                        }
                        thread::yield_now();
                    }
                    placed
                })
            })
            .collect();
        for round in 0..ROUNDS {
            wire.trip();
            // Read in this order: what began in between lowers the left side at most by what it raises the right.
            let announced = wire.in_flight();
            let written = begun.load(SeqCst);
            for _ in 0..3 {
                thread::yield_now();
            }
            let later = begun.load(SeqCst).saturating_sub(written);
            assert!(later <= announced, "round {round}: {later} began, {announced} were announced");
            // An enter that is being refused is counted for an instant; those that went out end by themselves.
            while wire.in_flight() > 0 {
                thread::yield_now();
            }
            let settled = begun.load(SeqCst);
            thread::yield_now();
            assert_eq!(begun.load(SeqCst), settled, "round {round}: something began on a tripped wire");
            assert!(rearm.rearm(wire.seen()));
            // Each round trips it in the middle of things.
            while begun.load(SeqCst) < settled + 3 {
                thread::yield_now();
            }
        }
        over.store(true, SeqCst);
        let placed: u64 = placers.into_iter().map(|placer| placer.join().unwrap()).sum();
        assert!(placed > 1_000 && wire.in_flight() == 0, "{placed} were placed");
    }
}
