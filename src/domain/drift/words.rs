//! What is said of a stream whose alert opens: a sentence, and the catalogue of its detectors.

use super::effect::Effect;
use super::name::StreamName;
use super::policy::Policy;
use super::streams::{Episode, Stream};
use crate::domain::detectors::Direction;
use serde_json::json;

/// In a sentence.
pub(super) fn sentence(name: &StreamName, episode: &Episode) -> String {
    let found = &episode.finding;
    let (size, level, ago) = (found.size, found.level, found.onset_ago);
    let (went, unit) = match found.direction {
        Direction::Up => ("rose by", "deviations of its baseline"),
        Direction::Down => ("fell by", "deviations of its baseline"),
        Direction::Wider => ("spread", "fold"),
        Direction::Narrower => ("narrowed to", "of its spread"),
    };
    let seen = found.detector.map(|detector| format!(" ({})", detector.word())).unwrap_or_default();
    format!("{name} {went} {:.1} {unit} to about {level:.6}, {ago} observations ago{seen}", size.abs())
}

/// The alert of an episode. `detectors` is the catalogue: every detector of the stream with its statistic and threshold.
pub(super) fn opened(name: &StreamName, stream: &Stream, episode: &Episode, policy: &Policy) -> Effect {
    let found = &episode.finding;
    let evidence = json!({
        "stream": name,
        "detector": found.detector,
        "direction": found.direction,
        "size": found.size,
        "level": found.level,
        "onset_observations_ago": found.onset_ago,
        "observation": episode.observation,
        "detectors": found.gauges,
        "baseline": stream.monitor.shown_baseline(),
        "arl0": policy.monitor.arl0,
        "consequence": policy.consequence,
        "strategy": stream.strategy,
        "severity": policy.severity,
        "runbook": policy.runbook,
    });
    Effect::Open { stream: name.clone(), reason: sentence(name, episode), evidence, since: episode.since }
}
