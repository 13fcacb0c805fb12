//! Detectors exactly as river has them, on the numbers as they come: raw parameters, no baseline, no budget.
//!
//! They run from the first observation on, so that they are where river would be; what they see opens an episode once
//! there is a baseline, because only against one can it be said that an episode is over. A new baseline begins them anew.

use super::gauge::{Estimate, Gauge, GaugeName, Sight};
use super::second::adwin_gauge;
use super::settings::MonitorSettings;
use crate::domain::detectors::{Adwin, Detector, Direction, PageHinkley};
use serde::{Deserialize, Serialize};

/// See the module's head. What is not asked for is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct River {
    hinkley: Option<PageHinkley>,
    adwin: Option<Adwin>,
}

impl River {
    /// Fresh ones; `None` when the settings ask for none.
    pub(super) fn new(set: &MonitorSettings) -> Option<Box<Self>> {
        let any = set.river_page_hinkley.is_some() || set.river_adwin.is_some();
        any.then(|| {
            Box::new(Self {
                hinkley: set.river_page_hinkley.clone().map(PageHinkley::new),
                adwin: set.river_adwin.clone().map(Adwin::new),
            })
        })
    }

    /// An observation; what is seen first.
    pub(super) fn update(&mut self, x: f64) -> Option<Sight> {
        let hinkley = self.hinkley.as_mut().and_then(|hinkley| hinkley.update(x).direction());
        let adwin = self.adwin.as_mut().and_then(|adwin| {
            let direction = adwin.update(x).direction()?;
            let (onset_ago, level) = adwin.after()?;
            Some((direction, Estimate { level, onset_ago }))
        });
        let of_hinkley =
            |direction| Sight { detector: GaugeName::RiverPageHinkley, direction, estimate: None };
        hinkley.map(of_hinkley).or_else(|| {
            let (direction, estimate) = adwin?;
            Some(Sight { detector: GaugeName::RiverAdwin, direction, estimate: Some(estimate) })
        })
    }

    pub(super) fn gauges(&self) -> Vec<Gauge> {
        let mut all = Vec::new();
        if let Some(hinkley) = &self.hinkley {
            let ((up, down), threshold) = (hinkley.statistics(), hinkley.threshold());
            for (direction, statistic) in [(Direction::Up, up), (Direction::Down, down)] {
                let detector = GaugeName::RiverPageHinkley;
                all.push(Gauge { detector, direction, statistic, threshold });
            }
        }
        all.extend(self.adwin.as_ref().map(|adwin| adwin_gauge(GaugeName::RiverAdwin, adwin)));
        all
    }
}
