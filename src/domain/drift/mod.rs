//! The drift sentry's decisions: what is normal for a series, and whether it still is.
//!
//! A [`Monitor`] learns a baseline, sets its thresholds from a budget of false alarms, and watches. The baseline is
//! frozen from then on; only a person replaces it. [`Streams`] holds one for each name and says what follows from what
//! it finds. [`replay`] runs any detector over a series from a file.

mod baseline;
mod catalogue;
mod effect;
mod gauge;
mod kind;
mod monitor;
mod name;
mod policy;
mod replay;
mod river;
mod second;
mod settings;
mod sources;
mod streams;
mod tally;
mod watch;
mod words;

pub use baseline::{Baseline, BaselineError, Learning};
pub use catalogue::{DETECTORS, build, river_adwin, river_page_hinkley};
pub use effect::{Effect, StreamRefusal};
pub use gauge::{Finding, Gauge, GaugeName};
pub use kind::Kind;
pub use monitor::{Monitor, News};
pub use name::{NAME_CHARS_MAX, NameError, StreamName};
pub use policy::{Consequence, Policy};
pub use replay::{Replayed, replay};
pub use settings::{BASELINE_MAX, BASELINE_MIN, MonitorSettings};
pub use sources::{MarketSource, OrderSource, Sample, StageSource};
pub use streams::{Episode, Rebaselined, Stream, Streams};
pub use tally::{Tallies, Tally};
