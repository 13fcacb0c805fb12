//! Deadlines of asks, kept for the watchdog's thread.
//!
//! A tokio timer costs about 350 ns per ask on a thread whose timer wheel is otherwise empty, because
//! each registration wakes the I/O driver; that is a third of a same-thread ask. The watchdog ticks
//! anyway, so an ask leaves its waker here and the next tick after its deadline wakes it: two short
//! uncontended locks. The price is resolution: an ask times out up to one tick late. Trees without a
//! watchdog thread (paused clocks) use tokio's timers.

use spin::mutex::SpinMutex;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// Enough that the few threads of one process seldom meet.
const SHARDS: usize = 8;

struct Slot {
    due_millis: u64,
    /// Taken when the deadline has passed.
    waker: Option<Waker>,
}

/// Slots in use plus free ones to use again; as long as the most asks ever in flight at once.
#[derive(Default)]
struct Shard {
    slots: Vec<Option<Slot>>,
    free: Vec<usize>,
}

/// See the module's head.
pub(super) struct Deadlines {
    shards: [SpinMutex<Shard, spin::Yield>; SHARDS],
    now_millis: AtomicU64,
    /// Nobody ticks any more: every deadline counts as passed.
    closed: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    shard: usize,
    index: usize,
}

static NEXT_SHARD: AtomicUsize = AtomicUsize::new(0);

thread_local!(static SHARD: Cell<usize> = Cell::new(NEXT_SHARD.fetch_add(1, Ordering::Relaxed) % SHARDS));

impl Deadlines {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            shards: Default::default(),
            now_millis: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        })
    }

    /// Wakes every ask whose deadline has passed.
    pub(super) fn tick(&self, now_millis: u64) {
        self.now_millis.store(now_millis, Ordering::Release);
        self.wake_due(|slot| slot.due_millis < now_millis);
    }

    /// The watchdog ends: whoever still waits for a zombie's answer is let go.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.wake_due(|_| true);
    }

    fn wake_due(&self, is_due: impl Fn(&Slot) -> bool) {
        for shard in &self.shards {
            let mut due = Vec::new();
            {
                let mut shard = shard.lock();
                for slot in shard.slots.iter_mut().flatten() {
                    if is_due(slot) {
                        due.extend(slot.waker.take());
                    }
                }
            }
            due.into_iter().for_each(Waker::wake);
        }
    }

    fn register(&self, limit: Duration, waker: &Waker) -> Place {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let due_millis = self.now_millis.load(Ordering::Acquire).saturating_add(limit);
        let slot = Slot { due_millis, waker: Some(waker.clone()) };
        let number = SHARD.get();
        let Some(shard) = self.shards.get(number) else { return Place { shard: number, index: usize::MAX } };
        let mut shard = shard.lock();
        match shard.free.pop() {
            Some(index) => {
                if let Some(place) = shard.slots.get_mut(index) {
                    *place = Some(slot);
                }
                Place { shard: number, index }
            }
            None => {
                shard.slots.push(Some(slot));
                Place { shard: number, index: shard.slots.len() - 1 }
            }
        }
    }

    /// Whether the deadline at `place` has passed; if not, `waker` is the one to wake.
    fn passed(&self, place: Place, waker: &Waker) -> bool {
        let Some(shard) = self.shards.get(place.shard) else { return true };
        let mut shard = shard.lock();
        if self.closed.load(Ordering::SeqCst) {
            return true;
        }
        match shard.slots.get_mut(place.index).and_then(Option::as_mut).map(|slot| &mut slot.waker) {
            Some(Some(known)) => {
                known.clone_from(waker);
                false
            }
            Some(None) | None => true,
        }
    }

    fn release(&self, place: Place) {
        let Some(shard) = self.shards.get(place.shard) else { return };
        let mut shard = shard.lock();
        let slot = shard.slots.get_mut(place.index).and_then(Option::take);
        if slot.is_some() {
            shard.free.push(place.index);
        }
        drop(shard);
        drop(slot);
    }
}

/// The deadline has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elapsed;

/// Waits for `future`, at most `limit`.
pub(super) async fn within<F>(
    deadlines: Option<&Arc<Deadlines>>,
    limit: Duration,
    future: F,
) -> Result<F::Output, Elapsed>
where
    F: Future + Unpin,
{
    match deadlines {
        Some(deadlines) => Within { deadlines, limit, future, place: None }.await,
        None => tokio::time::timeout(limit, future).await.map_err(|_| Elapsed),
    }
}

struct Within<'a, F> {
    deadlines: &'a Deadlines,
    limit: Duration,
    future: F,
    place: Option<Place>,
}

impl<F: Future + Unpin> Future for Within<'_, F> {
    type Output = Result<F::Output, Elapsed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Poll::Ready(output) = Pin::new(&mut self.future).poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match self.place {
            None => {
                let place = self.deadlines.register(self.limit, cx.waker());
                self.place = Some(place);
                // Closing and registering may cross.
                let closed = self.deadlines.closed.load(Ordering::SeqCst);
                if closed { Poll::Ready(Err(Elapsed)) } else { Poll::Pending }
            }
            Some(place) if self.deadlines.passed(place, cx.waker()) => Poll::Ready(Err(Elapsed)),
            Some(_) => Poll::Pending,
        }
    }
}

impl<F> Drop for Within<'_, F> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.deadlines.release(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};
    use std::pin::pin;

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_deadline_passes_with_the_first_tick_after_it() {
        let deadlines = Deadlines::new();
        deadlines.tick(1_000);
        let mut late = pin!(within(Some(&deadlines), Duration::from_millis(50), pending::<()>()));
        assert!(poll(late.as_mut()).is_pending());
        deadlines.tick(1_050);
        assert!(poll(late.as_mut()).is_pending(), "not before its time");
        deadlines.tick(1_051);
        assert_eq!(poll(late.as_mut()), Poll::Ready(Err(Elapsed)));
    }

    #[test]
    fn slots_are_used_again() {
        let deadlines = Deadlines::new();
        for _ in 0..100 {
            let mut one = Box::pin(within(Some(&deadlines), Duration::from_secs(1), pending::<()>()));
            assert!(poll(one.as_mut()).is_pending());
        }
        let slots: usize = deadlines.shards.iter().map(|shard| shard.lock().slots.len()).sum();
        assert_eq!(slots, 1);
    }

    #[test]
    fn an_answer_that_is_there_wins() {
        let deadlines = Deadlines::new();
        let mut now = pin!(within(Some(&deadlines), Duration::ZERO, ready(7)));
        assert_eq!(poll(now.as_mut()), Poll::Ready(Ok(7)));
    }
}
