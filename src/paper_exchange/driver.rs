//! Runs a market feed against the floor at its pace.
//!
//! Reading and decoding happen on their own thread, a bounded number of events ahead; the exchange's
//! thread only applies what is due. A held market stands still, and its time with it. An unpaced market
//! waits for the slowest session instead of cutting it.

use super::floor::SharedFloor;
use super::market::{CaptureError, Feed, MarketEvent, Pace, Timed};
use crate::clock;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, channel};

/// Batches the reader may be ahead.
const BATCHES_AHEAD: usize = 16;
/// Events per batch, and applied in one go by an unpaced market.
const BATCH: usize = 64;
/// How often an unpaced market looks whether the slowest session has room again.
const ROOM_POLL: Duration = Duration::from_millis(1);

/// Applies the opening books at once, so that nobody meets an empty exchange; the rest is returned.
pub(super) fn open(floor: &SharedFloor, feed: &mut dyn Feed) -> Result<Option<Timed>, CaptureError> {
    let mut symbols = feed.symbols();
    while let Some(timed) = feed.next()? {
        let MarketEvent::Book { replace: true, symbol, .. } = &timed.event else { return Ok(Some(timed)) };
        if !symbols.contains(symbol) {
            return Ok(Some(timed));
        }
        symbols.retain(|open| open != symbol);
        floor.borrow_mut().market(clock::wall_millis(), timed.event);
    }
    Ok(None)
}

/// Runs the feed until it ends or fails. Ends when the floor does.
pub(super) async fn run(
    floor: SharedFloor,
    first: Option<Timed>,
    feed: Box<dyn Feed>,
    pace: Pace,
) -> Result<(), CaptureError> {
    let mut batches = read_ahead(feed);
    let mut batch: Vec<Timed> = first.into_iter().collect();
    let mut epoch = clock::monotonic();
    loop {
        for timed in batch {
            let held_for = wait_while_held(&floor).await;
            epoch += held_for;
            match pace {
                Pace::Clock(speed) => {
                    let due = epoch + speed.due(timed.at_ns);
                    if due > clock::monotonic() {
                        tokio::time::sleep_until(due.into()).await;
                    }
                }
                Pace::Unpaced => wait_for_room(&floor).await,
            }
            floor.borrow_mut().market(clock::wall_millis(), timed.event);
        }
        // Other sessions get their turn between two batches, however far behind the clock we are.
        tokio::task::yield_now().await;
        batch = match batches.recv().await {
            Some(next) => next?,
            None => return Ok(()),
        };
    }
}

async fn wait_while_held(floor: &SharedFloor) -> Duration {
    if !floor.borrow().market_held {
        return Duration::ZERO;
    }
    let since = clock::monotonic();
    let gate = floor.borrow().market_gate.clone();
    loop {
        let changed = gate.notified();
        if !floor.borrow().market_held {
            return clock::monotonic().duration_since(since);
        }
        changed.await;
    }
}

async fn wait_for_room(floor: &SharedFloor) {
    while !floor.borrow().registry.iter().all(|session| session.outbox.has_room()) {
        tokio::time::sleep(ROOM_POLL).await;
    }
}

/// Pulls the feed on its own thread; the thread ends when the receiver is gone or the feed ends.
fn read_ahead(mut feed: Box<dyn Feed>) -> Receiver<Result<Vec<Timed>, CaptureError>> {
    let (out, batches) = channel(BATCHES_AHEAD);
    let failed = out.clone();
    let spawned = std::thread::Builder::new().name("paper-market".to_owned()).spawn(move || {
        loop {
            let mut batch = Vec::with_capacity(BATCH);
            let ended = loop {
                match feed.next() {
                    Ok(Some(timed)) if batch.len() + 1 < BATCH => batch.push(timed),
                    Ok(Some(timed)) => {
                        batch.push(timed);
                        break None;
                    }
                    Ok(None) => break Some(Ok(())),
                    Err(error) => break Some(Err(error)),
                }
            };
            if !batch.is_empty() && out.blocking_send(Ok(batch)).is_err() {
                return;
            }
            match ended {
                None => {}
                Some(Ok(())) => return,
                Some(Err(error)) => {
                    // Nobody waits any more: then nobody needs to know either.
                    drop(out.blocking_send(Err(error)));
                    return;
                }
            }
        }
    });
    if let Err(source) = spawned {
        // The channel is empty and has room for this one message.
        drop(failed.try_send(Err(CaptureError::Io { path: "market thread".into(), source })));
    }
    batches
}
