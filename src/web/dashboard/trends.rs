//! Fifteen minutes of samples for the charts, one a second, whether or not a page is open.

use super::view::Ms;
use crate::actors::oms::Histogram;
use crate::clock;
use crate::web::state::WebState;
use actix_web::web::Data;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::broadcast::error::TryRecvError;

/// Samples that are kept.
const KEPT: usize = 900;
/// Time between two.
const EVERY: Duration = Duration::from_secs(1);
/// How often changes are looked through for those that belong on the line of time.
const LISTEN_EVERY: Duration = Duration::from_millis(100);
/// An equity that is older is not known, milliseconds.
const EQUITY_AGE_MAX_MS: Ms = 3_000;

/// What is known of one second. What is not known is null, and a gap in the chart.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sample {
    /// When.
    pub(super) at: Ms,
    /// Profit and loss since the books began.
    equity: Option<f64>,
    /// From the request to the venue's first word, milliseconds, mean of the orders of this second.
    latency: Option<f64>,
    /// Of the oldest feed, seconds.
    feed: Option<f64>,
}

impl Sample {
    pub(super) fn show(&self) -> Value {
        json!({"t": seconds(self.at), "equity": self.equity, "latency": self.latency, "feed": self.feed})
    }
}

/// See the module's head.
#[derive(Debug, Default)]
pub(super) struct Trends {
    samples: Mutex<VecDeque<Sample>>,
    equity: Mutex<Option<(Ms, f64)>>,
}

impl Trends {
    /// The sum of profits and losses as just read.
    pub(super) fn set_equity(&self, at: Ms, equity: Option<f64>) {
        *self.equity.lock() = equity.map(|equity| (at, equity));
    }

    pub(super) fn last(&self) -> Option<Sample> {
        self.samples.lock().back().copied()
    }

    /// Every sample, as one list for each figure.
    pub(super) fn show(&self) -> Value {
        let samples = self.samples.lock();
        let column = |of: fn(&Sample) -> Option<f64>| samples.iter().map(of).collect::<Vec<_>>();
        json!({
            "t": samples.iter().map(|sample| seconds(sample.at)).collect::<Vec<_>>(),
            "equity": column(|sample| sample.equity),
            "latency": column(|sample| sample.latency),
            "feed": column(|sample| sample.feed),
        })
    }

    fn note(&self, at: Ms, latency: Option<f64>, feed: Option<f64>) {
        let equity = *self.equity.lock();
        let equity = equity.filter(|(then, _)| at.saturating_sub(*then) <= EQUITY_AGE_MAX_MS);
        let mut samples = self.samples.lock();
        if samples.len() >= KEPT {
            samples.pop_front();
        }
        samples.push_back(Sample { at, equity: equity.map(|(_, equity)| equity), latency, feed });
    }
}

fn seconds(at: Ms) -> Ms {
    at / 1_000
}

/// Orders counted, and the sum of their times in microseconds.
fn counted(histogram: &Histogram) -> (u64, u64) {
    let (buckets, beyond, sum) = histogram.read();
    (buckets.iter().sum::<u64>().saturating_add(beyond), sum)
}

/// The mean of what came between two counts, milliseconds.
fn mean(before: (u64, u64), after: (u64, u64)) -> Option<f64> {
    let count = u32::try_from(after.0.saturating_sub(before.0)).ok().filter(|count| *count > 0)?;
    let sum = u32::try_from(after.1.saturating_sub(before.1)).ok()?;
    Some(f64::from(sum) / f64::from(count) / 1_000.0)
}

/// Seconds since the oldest feed said something.
fn feed_age(state: &WebState) -> Option<f64> {
    let evidence = state.readings.market.values().filter_map(|venue| venue.latest());
    let ages = evidence.map(|seen| seen.market.feed_age_ms(seen.now)).collect::<Option<Vec<u64>>>()?;
    let oldest = ages.into_iter().max().and_then(|ms| u32::try_from(ms).ok())?;
    Some(f64::from(oldest) / 1_000.0)
}

/// Takes a sample a second and listens for changes of state, until the event streams end.
pub async fn keep_watch(state: Data<WebState>) {
    let mut live = state.readings.oms.subscribe();
    let mut tick = tokio::time::interval(EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    // Not woken by each order: what is looked for comes a few times a day.
    let mut listen = tokio::time::interval(LISTEN_EVERY);
    listen.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let latency = || counted(&state.readings.oms.latency().venue_ack);
    let mut before = latency();
    let ending = state.ending();
    tokio::pin!(ending);
    loop {
        tokio::select! {
            () = &mut ending => return,
            _ = tick.tick() => {
                let after = latency();
                state.press.trends.note(clock::wall_millis(), mean(before, after), feed_age(&state));
                before = after;
            }
            _ = listen.tick() => loop {
                match live.try_recv() {
                    Ok(stamped) => state.press.chronicle.hear(&stamped),
                    // What was missed is in the journal; the line of time goes on.
                    Err(TryRecvError::Lagged(_)) => {}
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Closed) => return,
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_bounded_and_what_is_not_known_is_null() {
        let trends = Trends::default();
        for second in 0..1_000 {
            trends.note(second * 1_000, Some(1.0), None);
        }
        let shown = trends.show();
        assert_eq!(shown["t"].as_array().unwrap().len(), KEPT);
        assert_eq!((shown["t"][0].as_i64(), shown["feed"][0].is_null()), (Some(100), true));
        trends.set_equity(1_000_000, Some(5.0));
        trends.note(1_003_000, None, None);
        assert_eq!(trends.last().unwrap().equity, Some(5.0));
        trends.note(1_003_001, None, None);
        assert_eq!(trends.last().unwrap().equity, None, "an old equity is none");
    }

    #[test]
    fn a_second_without_orders_has_no_latency() {
        assert_eq!(mean((5, 5_000), (5, 5_000)), None);
        assert_eq!(mean((5, 5_000), (7, 9_000)), Some(2.0));
    }
}
