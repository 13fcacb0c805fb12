//! How often a monitor is wrong while nothing changes, and how soon it sees a change: figures of docs/drift.md.

use crate::numbers::Random;
use plimsoll::domain::drift::{Monitor, MonitorSettings, News};

type Draw = fn(&mut Random) -> f64;

/// Series as they come from a desk.
const SERIES: &[(&str, Draw)] = &[
    ("normal", |r| r.normal()),
    ("t5", |r| r.t5()),
    ("lognormal(0.35)", |r| (0.35 * r.normal()).exp()),
    ("exponential (gaps)", |r| r.exponential()),
    ("latency with stalls", |r| {
        let base = 0.004 * (0.3 * r.normal()).exp();
        if r.uniform() < 0.002 { base * 20.0 } else { base }
    }),
    ("0 or 1, one in ten", |r| r.chance(0.1)),
    ("0 or 1, nine in ten", |r| r.chance(0.9)),
];

fn settings(arl0: f64) -> MonitorSettings {
    MonitorSettings { arl0, ..MonitorSettings::default() }
}

/// A monitor with a baseline.
fn learned(set: &MonitorSettings, random: &mut Random, draw: impl Fn(&mut Random) -> f64) -> Monitor {
    let mut monitor = Monitor::new(set.clone());
    while monitor.observe(draw(random)) != News::Learned {
        assert!(monitor.observations() < 1_000_000, "no baseline");
    }
    monitor
}

/// Observations until the first alarm; `None` beyond `most`.
fn until_alarm(
    monitor: &mut Monitor,
    random: &mut Random,
    most: u32,
    draw: impl Fn(&mut Random) -> f64,
) -> Option<u32> {
    (1..=most).find(|_| matches!(monitor.observe(draw(random)), News::Opened(_)))
}

#[test]
fn false_alarms_stay_within_the_budget_whatever_the_distribution() {
    let set = settings(10_000.0);
    for (name, draw) in SERIES {
        let mut random = Random::new(17);
        let (mut alarms, mut observed) = (0_u32, 0_u64);
        // Many baselines, each watched for as long as the budget is: what is rare in one may be common in another.
        for _ in 0..60 {
            let mut monitor = learned(&set, &mut random, draw);
            match until_alarm(&mut monitor, &mut random, 10_000, draw) {
                Some(after) => (alarms, observed) = (alarms + 1, observed + u64::from(after)),
                None => observed += 10_000,
            }
        }
        let per_budget = f64::from(alarms) / (observed as f64 / 10_000.0);
        println!("{name}: {alarms} alarms in {observed} observations, {per_budget:.2} per 10,000");
        assert!(per_budget <= 1.0, "{name}: {per_budget} false alarms per budget");
    }
}

#[test]
fn neighbours_that_resemble_each_other_cost_no_false_alarms() {
    let set = settings(10_000.0);
    for phi in [0.3, 0.6, 0.9] {
        let mut random = Random::new(23);
        let (mut alarms, mut observed) = (0_u32, 0_u64);
        for _ in 0..40 {
            let mut level = 0.0;
            let mut monitor = Monitor::new(set.clone());
            let mut learned_at = None;
            for at in 0..60_000_u32 {
                level = phi * level + random.normal();
                match monitor.observe(level) {
                    News::Learned => learned_at = Some(at),
                    News::Opened(_) => {
                        alarms += 1;
                        break;
                    }
                    _ => {}
                }
                observed += u64::from(learned_at.is_some());
            }
        }
        let per_budget = f64::from(alarms) / (observed as f64 / 10_000.0);
        println!("AR(1) {phi}: {alarms} alarms in {observed}, {per_budget:.2} per 10,000");
        assert!(per_budget <= 1.0, "AR(1) {phi}: {per_budget}");
    }
}

/// Mean delay of detection over runs, observations.
fn delay(name: &str, before: Draw, after: impl Fn(&mut Random) -> f64 + Copy, promised: f64) {
    let set = settings(100_000.0);
    let mut random = Random::new(31);
    let (mut sum, mut worst, runs) = (0_u32, 0_u32, 60);
    for _ in 0..runs {
        let mut monitor = learned(&set, &mut random, before);
        for _ in 0..300 {
            let early = matches!(monitor.observe(before(&mut random)), News::Opened(_));
            assert!(!early, "{name}: too early");
        }
        let took = until_alarm(&mut monitor, &mut random, 50_000, after);
        let took = took.unwrap_or_else(|| panic!("{name}: never seen"));
        (sum, worst) = (sum + took, worst.max(took));
    }
    let mean = f64::from(sum) / f64::from(runs);
    println!("{name}: mean delay {mean:.1}, worst {worst} of {runs} runs, promised {promised}");
    assert!(mean <= promised, "{name}: {mean} observations, promised {promised}");
}

#[test]
fn planted_changes_are_seen_within_the_promised_delay() {
    delay("mean + 1 deviation", |r| r.normal(), |r| r.normal() + 1.0, 40.0);
    delay("mean + 2 deviations", |r| r.normal(), |r| r.normal() + 2.0, 14.0);
    delay("mean - 1 deviation", |r| r.normal(), |r| r.normal() - 1.0, 40.0);
    delay("spread doubled", |r| r.normal(), |r| 2.0 * r.normal(), 40.0);
    let latency: Draw = |r| 0.004 * (0.3 * r.normal()).exp();
    delay("latency half as long again", latency, |r| 1.5 * latency(r), 25.0);
    let spread: Draw = |r| 2.0 + r.exponential();
    delay("spread of the book doubled", spread, |r| 2.0 * spread(r), 25.0);
    delay("fill ratio from 0.9 to 0.7", |r| r.chance(0.9), |r| r.chance(0.7), 250.0);
    delay("reject ratio from 0.02 to 0.1", |r| r.chance(0.02), |r| r.chance(0.1), 700.0);
    delay("signal reversed", |r| r.normal() + 0.5, |r| r.normal() - 0.5, 40.0);
}
