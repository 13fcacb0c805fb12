//! Detectors beside the sums, against the same frozen baseline and within the same budget.
//!
//! Page-Hinkley with the baseline's mean for a reference and nothing forgotten is the one-sided sum by another way (see
//! `detectors::page_hinkley`): it has the sums' thresholds. ADWIN sees values between the baseline's limits as 0 to 1, the
//! range that its bound is for. The variance ratio compares the newest values with the baseline's spread, both ways.

use super::baseline::{ADWIN_CLOCK, Baseline, RATIO_WINDOW};
use super::gauge::{Estimate, Gauge, GaugeName, Sight};
use super::settings::MonitorSettings;
use crate::domain::detectors::{
    Adwin, AdwinSettings, Detector, Direction, PageHinkley, PageHinkleySettings, Sides, VarianceRatio,
    VarianceRatioSettings,
};
use serde::{Deserialize, Serialize};

/// What of the way to its threshold the variance ratio may be off while an episode ends.
const CALM: f64 = 0.5;

/// See the module's head. What is not asked for is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Seconds {
    rise: Option<PageHinkley>,
    fall: Option<PageHinkley>,
    adwin: Option<Adwin>,
    ratio: Option<VarianceRatio>,
}

impl Seconds {
    /// Fresh ones; `None` when the settings ask for none.
    pub(super) fn new(base: &Baseline, set: &MonitorSettings) -> Option<Box<Self>> {
        let hinkley = |threshold: f64, mode: Sides, direction: Direction| {
            let own = PageHinkleySettings {
                min_instances: 1,
                delta: set.k,
                threshold,
                alpha: 1.0,
                mode,
                reference: Some(0.0),
            };
            (set.page_hinkley && set.sides.sees(direction)).then(|| PageHinkley::new(own))
        };
        let adwin = || {
            let own = AdwinSettings::default();
            Adwin::new(AdwinSettings { delta: base.adwin_delta, clock: ADWIN_CLOCK, ..own })
        };
        let ratio = || {
            let own = VarianceRatioSettings::default();
            let (ratio, known) = (base.threshold_ratio, Some(1.0));
            VarianceRatio::new(VarianceRatioSettings { window: RATIO_WINDOW, ratio, known, ..own })
        };
        let any = set.page_hinkley || set.adwin || set.variance_ratio;
        any.then(|| {
            Box::new(Self {
                rise: hinkley(base.threshold_up, Sides::Up, Direction::Up),
                fall: hinkley(base.threshold_down, Sides::Down, Direction::Down),
                adwin: set.adwin.then(adwin),
                ratio: set.variance_ratio.then(ratio),
            })
        })
    }

    /// A value and its residual, and the residual again where it says something of the spread; what is seen first.
    pub(super) fn update(&mut self, base: &Baseline, x: f64, z: f64, spread: Option<f64>) -> Option<Sight> {
        let said = |detector: &mut Option<PageHinkley>| detector.as_mut()?.update(z).direction();
        let (rise, fall) = (said(&mut self.rise), said(&mut self.fall));
        let mean = self.adwin.as_mut().and_then(|adwin| {
            let direction = adwin.update(base.place(x)).direction()?;
            let (newer, mean) = adwin.after()?;
            let onset_ago = newer.saturating_mul(u64::from(base.batch));
            Some((direction, Estimate { level: base.at(mean), onset_ago }))
        });
        let spread = self.ratio.as_mut().and_then(|ratio| {
            let direction = ratio.update(spread?).direction()?;
            let level = ratio.ratio()?.sqrt() * base.scale;
            let onset_ago = u64::from(ratio.window()).saturating_mul(u64::from(base.batch));
            Some((direction, Estimate { level, onset_ago }))
        });
        let sight = |detector, direction, estimate| Sight { detector, direction, estimate };
        rise.or(fall)
            .map(|direction| sight(GaugeName::PageHinkley, direction, None))
            .or_else(|| mean.map(|(to, estimate)| sight(GaugeName::Adwin, to, Some(estimate))))
            .or_else(|| spread.map(|(to, estimate)| sight(GaugeName::VarianceRatio, to, Some(estimate))))
    }

    /// Is the spread well within what is normal? Known only with a full window.
    pub(super) fn is_calm(&self) -> bool {
        self.ratio.as_ref().is_none_or(|ratio| {
            let near = 1.0 + (ratio.threshold() - 1.0) * CALM;
            ratio.ratio().is_some_and(|now| now < near && now * near > 1.0)
        })
    }

    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let gauge =
            |detector, direction, statistic, threshold| Gauge { detector, direction, statistic, threshold };
        let mut all = Vec::new();
        for (hinkley, direction) in [(&self.rise, Direction::Up), (&self.fall, Direction::Down)] {
            let Some(hinkley) = hinkley else { continue };
            let (up, down) = hinkley.statistics();
            let statistic = if direction == Direction::Up { up } else { down };
            all.push(gauge(GaugeName::PageHinkley, direction, statistic, hinkley.threshold()));
        }
        if let Some(adwin) = &self.adwin {
            all.push(adwin_gauge(GaugeName::Adwin, adwin));
        }
        if let Some(ratio) = &self.ratio {
            // Nothing is known before the window is full: that is as normal as can be.
            let now = ratio.ratio().unwrap_or(1.0);
            let narrower = if now > 0.0 { (1.0 / now).min(f64::MAX) } else { f64::MAX };
            all.push(gauge(GaugeName::VarianceRatio, Direction::Wider, now, ratio.threshold()));
            all.push(gauge(GaugeName::VarianceRatio, Direction::Narrower, narrower, ratio.threshold()));
        }
        all
    }
}

/// ADWIN's widest cut; of a window too short for a cut, nothing of one.
pub(super) fn adwin_gauge(detector: GaugeName, adwin: &Adwin) -> Gauge {
    let (statistic, threshold, direction) = adwin.gauge().unwrap_or((0.0, 1.0, Direction::Up));
    Gauge { detector, direction, statistic, threshold }
}
