//! A detector run over a whole series: the indices at which it fired, and what it was left with.

use crate::domain::detectors::{Detector, Step};
use serde::Serialize;
use serde_json::Value;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Indices, from 0, of the observations right after which the detector said so.
    pub detections: Vec<usize>,
    /// Its figures after the last observation.
    pub final_state: Value,
    /// Indices of numbers that were not finite: left out, they still count in the indices.
    #[serde(skip)]
    pub rejected: Vec<usize>,
}

/// Runs the detector over the series.
#[must_use]
pub fn replay(detector: &mut dyn Detector, series: &[f64]) -> Replayed {
    let (mut detections, mut rejected) = (Vec::new(), Vec::new());
    for (index, x) in series.iter().enumerate() {
        match detector.update(*x) {
            Step::Detected(_) => detections.push(index),
            Step::Rejected => rejected.push(index),
            Step::Quiet => {}
        }
    }
    Replayed { detections, final_state: detector.state(), rejected }
}
