//! All streams: observations go in, what is to be told and done comes out.
//!
//! Promises: a name that is not declared is watched as well, up to a bound, beyond which it is counted and refused; a
//! stream's alert opens once and closes once; its baseline is replaced by a person alone; what was saved and restored
//! goes on as if nothing had happened. Does not know where numbers come from, and does nothing itself.

use super::effect::{Effect, StreamRefusal};
use super::gauge::Finding;
use super::kind::Kind;
use super::monitor::{Monitor, News};
use super::name::StreamName;
use super::policy::Policy;
use super::tally::Tallies;
use super::words::{opened, sentence};
use crate::domain::ids::StrategyId;
use crate::domain::time::WallMs;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Longest reason that is kept.
const REASON_CHARS_MAX: usize = 500;

/// An alert that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// When it opened (wall clock).
    pub since: WallMs,
    /// The number of the observation that opened it, from 1.
    pub observation: u64,
    /// What was found.
    pub finding: Finding,
}

/// A person replaced the baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebaselined {
    /// When (wall clock).
    pub at: WallMs,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// One stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Learns and watches.
    pub monitor: Monitor,
    /// Whose it is, where it is somebody's.
    pub strategy: Option<StrategyId>,
    /// The alert that stands.
    pub open: Option<Episode>,
    /// Alerts that there ever were.
    pub detections: u64,
    /// When it was last heard (wall clock).
    pub heard: Option<WallMs>,
    /// The last finite observation.
    pub last: Option<f64>,
    /// The last time that a person replaced the baseline.
    pub rebaselined: Option<Rebaselined>,
    /// A cut of its strategy's entries that the order management has not confirmed yet.
    pub owed: Option<Decimal>,
}

/// See the module's head.
#[derive(Debug, Clone)]
pub struct Streams {
    policies: Vec<Policy>,
    fallback: Policy,
    most: usize,
    streams: BTreeMap<StreamName, Stream>,
    refused: u64,
    tallies: Tallies,
}

impl Streams {
    /// No stream yet. `policies` are asked in order, the first that fits holds.
    #[must_use]
    pub fn new(policies: Vec<Policy>, fallback: Policy, most: usize) -> Self {
        Self { policies, fallback, most, streams: BTreeMap::new(), refused: 0, tallies: Tallies::default() }
    }

    /// What holds for a name.
    #[must_use]
    pub fn policy(&self, name: &StreamName) -> &Policy {
        self.policies.iter().find(|policy| policy.fits(name)).unwrap_or(&self.fallback)
    }

    /// Takes a stream as an earlier run saved it. One that is watched otherwise now learns anew; its cut stands.
    /// Returns its alert when one stands, and a cut that was not confirmed.
    pub fn restore(&mut self, name: &StreamName, mut saved: Stream) -> Vec<Effect> {
        if self.streams.len() >= self.most {
            self.refused = self.refused.saturating_add(1);
            return Vec::new();
        }
        let policy = self.policy(name);
        let settings = policy.monitor_of(name);
        if *saved.monitor.settings() != settings {
            saved.monitor = Monitor::new(settings);
            saved.open = None;
        }
        let mut effects: Vec<Effect> =
            saved.open.iter().map(|episode| opened(name, &saved, episode, policy)).collect();
        if let (Some(factor), Some(strategy)) = (saved.owed, saved.strategy.clone()) {
            let reason = format!("{name} drifted before the restart");
            effects.push(Effect::Restrain { stream: name.clone(), strategy, factor, reason });
        }
        self.streams.insert(name.clone(), saved);
        effects
    }

    /// The order management has taken the cut that a stream asked for: it is a fact now, and only a person ends it.
    pub fn confirmed(&mut self, name: &StreamName) {
        if let Some(stream) = self.streams.get_mut(name) {
            stream.owed = None;
        }
    }

    /// Takes an observation from outside.
    ///
    /// # Errors
    /// [`StreamRefusal::Reserved`] for a name that built-in code writes, [`StreamRefusal::Full`].
    pub fn post(&mut self, now: WallMs, name: &StreamName, x: f64) -> Result<Vec<Effect>, StreamRefusal> {
        let kind = Kind::of(name);
        if kind.is_built_in() {
            return Err(StreamRefusal::Reserved { name: name.clone(), kind: kind.word() });
        }
        self.observe(now, name, None, x)
    }

    /// Takes an observation. `strategy` is whose it is, where the source knows.
    ///
    /// # Errors
    /// [`StreamRefusal::Full`].
    pub fn observe(
        &mut self,
        now: WallMs,
        name: &StreamName,
        strategy: Option<&StrategyId>,
        x: f64,
    ) -> Result<Vec<Effect>, StreamRefusal> {
        if !self.streams.contains_key(name) {
            self.admit(name, strategy)?;
        }
        let policy = self.policies.iter().find(|policy| policy.fits(name)).unwrap_or(&self.fallback);
        let Some(stream) = self.streams.get_mut(name) else { return Ok(Vec::new()) };
        let tally = self.tallies.of(Kind::of(name));
        stream.heard = Some(now);
        if x.is_finite() {
            stream.last = Some(x);
            tally.observations = tally.observations.saturating_add(1);
        } else {
            tally.rejected = tally.rejected.saturating_add(1);
        }
        Ok(match stream.monitor.observe(x) {
            News::Quiet | News::Learned | News::Rejected => Vec::new(),
            News::Closed => {
                stream.open = None;
                vec![Effect::Close { stream: name.clone() }]
            }
            News::Opened(finding) => {
                let observation = stream.monitor.observations();
                let episode = Episode { since: now, observation, finding: *finding };
                stream.detections = stream.detections.saturating_add(1);
                tally.detections = tally.detections.saturating_add(1);
                let mut effects = vec![opened(name, stream, &episode, policy)];
                if let (Some(factor), Some(strategy)) = (policy.consequence.factor(), stream.strategy.clone())
                {
                    stream.owed = Some(factor);
                    let reason = sentence(name, &episode);
                    effects.push(Effect::Restrain { stream: name.clone(), strategy, factor, reason });
                }
                stream.open = Some(episode);
                effects
            }
        })
    }

    fn admit(&mut self, name: &StreamName, strategy: Option<&StrategyId>) -> Result<(), StreamRefusal> {
        if self.streams.len() >= self.most {
            self.refused = self.refused.saturating_add(1);
            return Err(StreamRefusal::Full { most: self.most });
        }
        let policy = self.policy(name);
        let stream = Stream {
            monitor: Monitor::new(policy.monitor_of(name)),
            strategy: strategy.or(policy.strategy.as_ref()).cloned(),
            open: None,
            detections: 0,
            heard: None,
            last: None,
            rebaselined: None,
            owed: None,
        };
        self.streams.insert(name.clone(), stream);
        Ok(())
    }

    /// A person says that what the stream does now is normal: it learns anew, its alert closes, its cut is lifted.
    ///
    /// # Errors
    /// [`StreamRefusal::Unknown`].
    pub fn rebaseline(
        &mut self,
        now: WallMs,
        name: &StreamName,
        by: &str,
        reason: &str,
    ) -> Result<Vec<Effect>, StreamRefusal> {
        let stream =
            self.streams.get_mut(name).ok_or_else(|| StreamRefusal::Unknown { name: name.clone() })?;
        stream.monitor.relearn();
        let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
        let mut effects = Vec::new();
        if stream.open.take().is_some() {
            effects.push(Effect::Close { stream: name.clone() });
        }
        // Asked for even when nothing is known of a cut: the order management knows best what stands.
        if let Some(strategy) = stream.strategy.clone() {
            stream.owed = None;
            let (by, reason) = (by.to_owned(), reason.clone());
            effects.push(Effect::Release { stream: name.clone(), strategy, by, reason });
        }
        stream.rebaselined = Some(Rebaselined { at: now, by: by.to_owned(), reason });
        Ok(effects)
    }

    /// One stream.
    #[must_use]
    pub fn get(&self, name: &StreamName) -> Option<&Stream> {
        self.streams.get(name)
    }

    /// All streams, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamName, &Stream)> {
        self.streams.iter()
    }

    /// What was counted in this process, and what there is now, by kind.
    #[must_use]
    pub fn tallies(&self) -> Tallies {
        let mut all = self.tallies.clone();
        for (name, stream) in &self.streams {
            let tally = all.of(Kind::of(name));
            tally.streams = tally.streams.saturating_add(1);
            tally.open = tally.open.saturating_add(usize::from(stream.open.is_some()));
        }
        all
    }

    /// Observations and restored streams that found no room.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// How many there may be.
    #[must_use]
    pub const fn most(&self) -> usize {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::super::Consequence;
    use super::super::settings::MonitorSettings;
    use super::*;
    use crate::domain::detectors::Sides;

    fn streams(most: usize) -> Streams {
        let monitor = MonitorSettings { arl0: 10_000.0, clear_after: 50, ..MonitorSettings::default() };
        let slippage = Policy {
            pattern: "slippage:*".to_owned(),
            consequence: Consequence::Reduce { factor: Decimal::new(5, 1) },
            ..Policy::fallback(monitor.clone())
        };
        Streams::new(vec![slippage], Policy::fallback(monitor), most)
    }

    fn feed(all: &mut Streams, name: &str, n: u32, level: f64, seed: u64) -> Vec<Effect> {
        let (name, maker) = (StreamName::new(name).unwrap(), StrategyId::new("maker").unwrap());
        let mut random = fastrand::Rng::with_seed(seed);
        let mut told = Vec::new();
        for at in 0..n {
            let x = level + random.f64() - 0.5;
            told.extend(all.observe(WallMs(i64::from(at)), &name, Some(&maker), x).unwrap());
        }
        told
    }

    #[test]
    fn a_drift_opens_once_restrains_its_strategy_and_closes_when_it_is_over() {
        let mut all = streams(10);
        assert_eq!(feed(&mut all, "slippage:maker", 1500, 1.0, 1), []);
        let told = feed(&mut all, "slippage:maker", 300, 2.0, 2);
        let [Effect::Open { evidence, reason, .. }, Effect::Restrain { strategy, factor, .. }] = &told[..]
        else {
            panic!("{told:?}")
        };
        assert_eq!((strategy.as_str(), *factor), ("maker", Decimal::new(5, 1)));
        assert!(reason.contains("slippage:maker rose") && reason.ends_with("(variance_cusum)"), "{reason}");
        assert_eq!(evidence["direction"], "up");
        assert_eq!(evidence["detectors"].as_array().unwrap().len(), 2, "a fall of costs is not watched");
        let name = StreamName::new("slippage:maker").unwrap();
        let before = all.get(&name).unwrap().monitor.baseline().cloned();
        let told = feed(&mut all, "slippage:maker", 600, 1.0, 3);
        assert_eq!(told, [Effect::Close { stream: name.clone() }]);
        assert_eq!(all.get(&name).unwrap().monitor.baseline().cloned(), before, "the baseline is frozen");
        assert_eq!(all.get(&name).unwrap().owed, Some(Decimal::new(5, 1)), "until it is confirmed");
        all.confirmed(&name);
        assert_eq!(all.get(&name).unwrap().owed, None);
        let told = all.rebaseline(WallMs(9), &name, "ann", "new venue fees").unwrap();
        assert!(matches!(&told[..], [Effect::Release { by, .. }] if by == "ann"), "{told:?}");
        assert!(all.get(&name).unwrap().monitor.baseline().is_none());
    }

    #[test]
    fn the_way_that_harms_is_that_of_the_kind_unless_it_is_declared() {
        let told = |harm: Option<Sides>, name: &str, level: f64| {
            let monitor = MonitorSettings { arl0: 10_000.0, ..MonitorSettings::default() };
            let mut all = Streams::new(Vec::new(), Policy { harm, ..Policy::fallback(monitor) }, 10);
            assert_eq!(feed(&mut all, name, 1500, 3.0, 1), []);
            !feed(&mut all, name, 100, level, 2).is_empty()
        };
        for (name, rise, fall) in
            [("order_stage:fill:x", true, false), ("hit_rate:maker", false, true), ("model", true, true)]
        {
            assert_eq!((told(None, name, 4.0), told(None, name, 2.0)), (rise, fall), "{name}");
            let both = Some(Sides::Both);
            assert!(told(both, name, 4.0) && told(both, name, 2.0), "{name}");
        }
    }

    #[test]
    fn a_restart_anywhere_changes_nothing() {
        let name = StreamName::new("model").unwrap();
        let mut random = fastrand::Rng::with_seed(8);
        let series: Vec<f64> = (0..3000_u32)
            .map(|at| random.f64() + if (1200..1500).contains(&at) || at > 2500 { 0.8 } else { 0.0 })
            .collect();
        let run = |restarts: bool| {
            let (mut all, mut told) = (streams(10), Vec::new());
            for (at, x) in series.iter().enumerate() {
                if restarts && at % 7 == 3 {
                    let written = serde_json::to_string(all.get(&name).unwrap()).unwrap();
                    all = streams(10);
                    all.restore(&name, serde_json::from_str(&written).unwrap());
                }
                let now = WallMs(i64::try_from(at).unwrap());
                told.extend(all.observe(now, &name, None, *x).unwrap());
            }
            (told, all.get(&name).unwrap().monitor.clone())
        };
        let (told, monitor) = run(false);
        assert_eq!(told.len(), 3, "{told:?}");
        assert_eq!(run(true), (told, monitor));
    }

    #[test]
    fn names_beyond_the_bound_are_refused_and_counted() {
        let mut all = streams(2);
        for name in ["a", "b"] {
            feed(&mut all, name, 1, 0.0, 1);
        }
        let name = StreamName::new("c").unwrap();
        let refused = all.observe(WallMs(0), &name, None, 1.0);
        assert_eq!(refused, Err(StreamRefusal::Full { most: 2 }));
        assert_eq!(all.refused(), 1);
        let (reserved, other) = (StreamName::new("slippage:maker").unwrap(), StreamName::new("a").unwrap());
        let refused = all.post(WallMs(0), &reserved, 1.0);
        assert!(matches!(refused, Err(StreamRefusal::Reserved { kind: "slippage", .. })), "{refused:?}");
        assert_eq!(all.post(WallMs(0), &other, 1.0), Ok(Vec::new()));
        assert!(matches!(all.rebaseline(WallMs(0), &name, "a", "b"), Err(StreamRefusal::Unknown { .. })));
    }

    #[test]
    fn other_settings_learn_anew_and_keep_the_cut() {
        let mut all = streams(10);
        feed(&mut all, "slippage:maker", 1500, 1.0, 1);
        feed(&mut all, "slippage:maker", 300, 2.0, 2);
        let name = StreamName::new("slippage:maker").unwrap();
        let saved = all.get(&name).unwrap().clone();
        let mut same = streams(10);
        let again = same.restore(&name, saved.clone());
        assert!(matches!(&again[..], [Effect::Open { .. }, Effect::Restrain { .. }]), "{again:?}");
        let monitor = MonitorSettings { arl0: 500.0, ..MonitorSettings::default() };
        let mut other = Streams::new(Vec::new(), Policy::fallback(monitor), 10);
        assert!(matches!(&other.restore(&name, saved)[..], [Effect::Restrain { .. }]));
        let now = other.get(&name).unwrap();
        assert!(now.monitor.baseline().is_none() && now.open.is_none() && now.owed.is_some());
    }

    #[test]
    fn numbers_that_are_not_finite_are_counted_in_their_stream() {
        let mut all = streams(10);
        let name = StreamName::new("x").unwrap();
        for x in [f64::NAN, 1.0, f64::INFINITY] {
            assert_eq!(all.observe(WallMs(1), &name, None, x), Ok(Vec::new()));
        }
        let other = all.tallies().iter().find(|(kind, _)| *kind == Kind::OTHER).unwrap().1;
        assert_eq!((other.observations, other.rejected, other.streams, other.open), (1, 2, 1, 0));
        let stream = all.get(&name).unwrap();
        assert_eq!(
            (stream.monitor.rejected(), stream.monitor.observations(), stream.last),
            (2, 1, Some(1.0))
        );
    }
}
