//! Reference files and seeded random numbers.

use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The folder of reference outputs, when the test run has one.
pub fn golden() -> Option<PathBuf> {
    let folder = std::env::var_os("PLIMSOLL_GOLDEN").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: PLIMSOLL_GOLDEN is not set");
    }
    folder
}

/// A JSON object whose members are kept as text: floats are then read exactly.
pub type Raw = BTreeMap<String, Box<RawValue>>;

pub fn object(text: &str) -> Raw {
    serde_json::from_str(text).unwrap()
}

/// A float with the producer's bits.
pub fn exact(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

pub fn list(text: &str) -> Vec<f64> {
    let raw: Vec<Box<RawValue>> = serde_json::from_str(text).unwrap();
    raw.iter().map(|one| exact(one.get())).collect()
}

/// Seeded distributions.
pub struct Random(fastrand::Rng);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub fn uniform(&mut self) -> f64 {
        self.0.f64()
    }

    /// Box-Muller.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.0.f64()).ln()).sqrt();
        radius * (self.0.f64() * std::f64::consts::TAU).cos()
    }

    pub fn exponential(&mut self) -> f64 {
        -(1.0 - self.0.f64()).ln()
    }

    /// Student's t with five degrees of freedom.
    pub fn t5(&mut self) -> f64 {
        let squares: f64 = (0..5).map(|_| self.normal().powi(2)).sum();
        self.normal() / (squares / 5.0).sqrt()
    }

    pub fn chance(&mut self, p: f64) -> f64 {
        f64::from(u8::from(self.0.f64() < p))
    }
}
