//! The detectors by name, as a person asks for them: each reads its own settings.

use super::monitor::{Monitor, News};
use super::settings::MonitorSettings;
use crate::domain::detectors::{
    Adwin, AdwinSettings, Cusum, CusumSettings, Detector, PageHinkley, PageHinkleySettings, ParameterError,
    Parameters, Step, VarianceCusum, VarianceCusumSettings, VarianceRatio, VarianceRatioSettings,
    mean_threshold, variance_design,
};
use serde_json::Value;

/// Reads its settings and makes a detector.
type Make = fn(&mut Parameters) -> Result<Box<dyn Detector>, ParameterError>;

/// Every detector; the first is the default.
pub const DETECTORS: &[(&str, Make)] = &[
    ("robust", robust),
    ("page_hinkley", page_hinkley),
    ("adwin", adwin),
    ("cusum", cusum),
    ("variance_cusum", variance_cusum),
    ("variance_ratio", variance_ratio),
];

/// Makes the named detector with these settings.
///
/// # Errors
/// When there is none of that name, a setting cannot be, or one is left over.
pub fn build(name: &str, mut set: Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    let Some((name, make)) = DETECTORS.iter().find(|(known, _)| *known == name) else {
        let known = DETECTORS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        return Err(ParameterError::Detector { name: name.chars().take(60).collect(), known });
    };
    let detector = make(&mut set)?;
    set.finish(name)?;
    Ok(detector)
}

const ANY: &str = "a number";
const POSITIVE: &str = "a number above 0";
const NOT_BELOW_0: &str = "a number of at least 0";
const COUNT: &str = "a whole number of at least 0";
const COUNT_1: &str = "a whole number of at least 1";
const COUNT_2: &str = "a whole number of at least 2";

/// Buckets of one size that a detector on a live stream may keep: they are its memory.
const LIVE_BUCKETS_MAX: u32 = 100;

/// Page-Hinkley's own settings as river has them.
fn hinkley_settings(set: &mut Parameters) -> Result<PageHinkleySettings, ParameterError> {
    let own = PageHinkleySettings::default();
    Ok(PageHinkleySettings {
        min_instances: set.count("min_instances", own.min_instances, 0, COUNT)?,
        delta: set.number("delta", own.delta, ANY, |_| true)?,
        threshold: set.number("threshold", own.threshold, ANY, |_| true)?,
        alpha: set.number("alpha", own.alpha, ANY, |_| true)?,
        mode: set.sides("mode")?,
        reference: None,
    })
}

fn adwin_settings(set: &mut Parameters) -> Result<AdwinSettings, ParameterError> {
    let own = AdwinSettings::default();
    Ok(AdwinSettings {
        delta: set.number("delta", own.delta, POSITIVE, |x| x > 0.0)?,
        clock: set.count("clock", own.clock, 1, COUNT_1)?,
        max_buckets: set.count("max_buckets", own.max_buckets, 1, COUNT_1)?,
        min_window_length: set.count("min_window_length", own.min_window_length, 0, COUNT)?,
        grace_period: set.count("grace_period", own.grace_period, 0, COUNT)?,
    })
}

/// Page-Hinkley on a live stream exactly as river has it.
///
/// # Errors
/// When a setting cannot be, or is not one of its own.
pub fn river_page_hinkley(mut set: Parameters) -> Result<PageHinkleySettings, ParameterError> {
    let settings = hinkley_settings(&mut set)?;
    set.finish("page_hinkley").map(|()| settings)
}

/// ADWIN on a live stream exactly as river has it.
///
/// # Errors
/// When a setting cannot be, is not one of its own, or would keep too much.
pub fn river_adwin(mut set: Parameters) -> Result<AdwinSettings, ParameterError> {
    let settings = adwin_settings(&mut set)?;
    if settings.max_buckets > LIVE_BUCKETS_MAX {
        let (key, given) = ("max_buckets".to_owned(), settings.max_buckets.to_string());
        return Err(ParameterError::Value { key, given, wanted: "a whole number from 1 to 100" });
    }
    set.finish("adwin").map(|()| settings)
}

fn page_hinkley(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    let known = set.has("reference");
    let reference = set.number("reference", 0.0, ANY, |_| true)?;
    let settings = hinkley_settings(set)?;
    Ok(Box::new(PageHinkley::new(PageHinkleySettings { reference: known.then_some(reference), ..settings })))
}

fn adwin(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    Ok(Box::new(Adwin::new(adwin_settings(set)?)))
}

fn cusum(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    let own = CusumSettings::default();
    let k = set.number("k", own.k, NOT_BELOW_0, |x| x >= 0.0)?;
    let sides = set.sides("sides")?;
    let from_budget = set.has("arl0") && !set.has("h");
    let arl0 = set.number("arl0", 1.0, "a number above 1", |x| x > 1.0)?;
    let one_sided = sides != crate::domain::detectors::Sides::Both;
    let budget = if one_sided { arl0 / 2.0 } else { arl0 };
    let h = if from_budget { mean_threshold(k.max(0.01), budget) } else { own.h };
    let h = set.number("h", h, NOT_BELOW_0, |x| x >= 0.0)?;
    Ok(Box::new(Cusum::new(CusumSettings { k, h, sides })))
}

fn variance_cusum(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    let grows = set.number("grows", 1.5, "a number from 1.25 to 3", |x| (1.25..=3.0).contains(&x))?;
    let arl0 = set.number("arl0", 10_000.0, "a number above 1", |x| x > 1.0)?;
    let (k, h) = variance_design(grows, arl0);
    let k = set.number("k", k, POSITIVE, |x| x > 0.0)?;
    let h = set.number("h", h, NOT_BELOW_0, |x| x >= 0.0)?;
    Ok(Box::new(VarianceCusum::new(VarianceCusumSettings { k, h })))
}

fn variance_ratio(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    let own = VarianceRatioSettings::default();
    Ok(Box::new(VarianceRatio::new(VarianceRatioSettings {
        reference: set.count("reference", own.reference, 2, COUNT_2)?,
        window: set.count("window", own.window, 2, COUNT_2)?.min(100_000),
        ratio: set.number("ratio", own.ratio, "a number above 1", |x| x > 1.0)?,
        known: None,
    })))
}

fn robust(set: &mut Parameters) -> Result<Box<dyn Detector>, ParameterError> {
    Ok(Box::new(Monitor::new(MonitorSettings::read(set)?)))
}

impl Detector for Monitor {
    fn update(&mut self, x: f64) -> Step {
        match self.observe(x) {
            News::Opened(finding) => Step::Detected(finding.direction),
            News::Rejected => Step::Rejected,
            News::Quiet | News::Learned | News::Closed => Step::Quiet,
        }
    }

    fn rejected(&self) -> u64 {
        Self::rejected(self)
    }

    fn state(&self) -> Value {
        Self::state(self)
    }
}
