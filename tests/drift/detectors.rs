//! Every detector on a live stream: within its budget while nothing changes, in time when something does, the same over a
//! restart at any observation, and named in the alert with its statistic and threshold.

use crate::numbers::Random;
use plimsoll::domain::detectors::{AdwinSettings, Direction, PageHinkleySettings, Parameters, Sides};
use plimsoll::domain::drift::{
    Effect, GaugeName, Monitor, MonitorSettings, News, Policy, Stream, StreamName, Streams, build, replay,
};
use plimsoll::domain::time::WallMs;
use serde_json::Value;

/// Settings with one detector alone.
fn alone(name: GaugeName, arl0: f64) -> MonitorSettings {
    let none = MonitorSettings { mean: false, variance: false, arl0, ..MonitorSettings::default() };
    let river_adwin = AdwinSettings { delta: 1e-6, ..AdwinSettings::default() };
    let river_hinkley =
        PageHinkleySettings { delta: 0.25, threshold: 30.0, alpha: 1.0, ..PageHinkleySettings::default() };
    match name {
        GaugeName::Cusum => MonitorSettings { mean: true, ..none },
        GaugeName::VarianceCusum => MonitorSettings { variance: true, ..none },
        GaugeName::PageHinkley => MonitorSettings { page_hinkley: true, ..none },
        GaugeName::Adwin => MonitorSettings { adwin: true, ..none },
        GaugeName::VarianceRatio => MonitorSettings { variance_ratio: true, ..none },
        GaugeName::RiverPageHinkley => MonitorSettings { river_page_hinkley: Some(river_hinkley), ..none },
        GaugeName::RiverAdwin => MonitorSettings { river_adwin: Some(river_adwin), ..none },
    }
}

const BUDGETED: [GaugeName; 5] = [
    GaugeName::Cusum,
    GaugeName::VarianceCusum,
    GaugeName::PageHinkley,
    GaugeName::Adwin,
    GaugeName::VarianceRatio,
];
const ALL: [GaugeName; 7] = [
    GaugeName::Cusum,
    GaugeName::VarianceCusum,
    GaugeName::PageHinkley,
    GaugeName::Adwin,
    GaugeName::VarianceRatio,
    GaugeName::RiverPageHinkley,
    GaugeName::RiverAdwin,
];

fn streams(set: MonitorSettings) -> Streams {
    Streams::new(Vec::new(), Policy::fallback(set), 4)
}

/// Quiet, then changed, then quiet, then changed again: a shift for detectors of a mean, a scale for those of a spread.
fn series(name: GaugeName) -> Vec<f64> {
    let mut random = Random::new(21);
    let spread = matches!(name, GaugeName::VarianceCusum | GaugeName::VarianceRatio);
    let changed = |at: usize| (1_300..1_700).contains(&at) || at > 2_800;
    (0..3_400)
        .map(|at| match (changed(at), spread) {
            (true, true) => 40.0 + 6.0 * random.normal(),
            (true, false) => 44.0 + 2.0 * random.normal(),
            (false, _) => 40.0 + 2.0 * random.normal(),
        })
        .collect()
}

#[test]
fn a_restart_at_any_observation_changes_nothing_of_any_detector() {
    let name = StreamName::new("model").unwrap();
    for detector in ALL {
        let set = MonitorSettings { clear_after: 100, ..alone(detector, 10_000.0) };
        let run = |restarts: bool| {
            let (mut all, mut told) = (streams(set.clone()), Vec::new());
            for (at, x) in series(detector).iter().enumerate() {
                if restarts && at % 5 == 3 {
                    let written = serde_json::to_string(all.get(&name).unwrap()).unwrap();
                    let saved: Stream = serde_json::from_str(&written).unwrap();
                    let before = &all.get(&name).unwrap().monitor;
                    assert!(*before == saved.monitor, "{detector:?} at {at}");
                    all = streams(set.clone());
                    all.restore(&name, saved);
                }
                let now = WallMs(i64::try_from(at).unwrap());
                told.extend(all.observe(now, &name, None, *x).unwrap());
            }
            (told, all.get(&name).unwrap().monitor.clone())
        };
        let (told, last) = run(false);
        let opened = told.iter().filter(|effect| matches!(effect, Effect::Open { .. })).count();
        let closed = told.iter().filter(|effect| matches!(effect, Effect::Close { .. })).count();
        assert!(opened >= 2 && closed >= 1, "{detector:?}: {opened} opened, {closed} closed");
        assert_eq!(run(true), (told, last), "{detector:?}");
    }
}

/// Observations of a normal series, mean 40 and deviation 2, moved by so many deviations.
fn moved(random: &mut Random, by: f64) -> f64 {
    40.0 + 2.0 * (by + random.normal())
}

#[test]
fn the_way_that_does_no_harm_is_not_told_and_hides_nothing() {
    for detector in &BUDGETED {
        let sees_mean = !matches!(detector, GaugeName::VarianceCusum | GaugeName::VarianceRatio);
        for (sides, sign) in [(Sides::Up, 1.0), (Sides::Down, -1.0)] {
            let set = MonitorSettings { sides, clear_after: 100, ..alone(*detector, 1e6) };
            for seed in 0..20_u64 {
                let mut random = Random::new(300 + seed);
                let mut monitor = Monitor::new(set.clone());
                let mut feed = |monitor: &mut Monitor, n: u32, by: f64| -> Vec<News> {
                    let news = (0..n).map(|_| monitor.observe(moved(&mut random, sign * by)));
                    news.filter(|news| !matches!(news, News::Quiet | News::Learned)).collect()
                };
                feed(&mut monitor, 2_000, 0.0);
                let place = format!("{detector:?} {sides:?} {seed}");
                // Off to the good side, far off, and back.
                for by in [-1.0, -2.5, -6.0, 0.0] {
                    let news = feed(&mut monitor, 500, by);
                    assert!(news.is_empty(), "{place}: {by}: {news:?}");
                }
                if !sees_mean {
                    continue;
                }
                // Off to the bad side at once after the good one.
                feed(&mut monitor, 300, -3.0);
                let news = feed(&mut monitor, 300, 2.0);
                let [News::Opened(found)] = &news[..] else { panic!("{place}: {news:?}") };
                let way = if sign > 0.0 { Direction::Up } else { Direction::Down };
                assert_eq!(found.direction, way, "{place}");
                assert!(
                    found
                        .gauges
                        .iter()
                        .all(|gauge| sides.sees(gauge.direction) || *detector == GaugeName::Adwin)
                );
                // What is better than normal is over, too.
                let news = feed(&mut monitor, 600, -4.0);
                assert!(matches!(&news[..], [News::Closed]), "{place}: {news:?}");
            }
        }
    }
}

#[test]
fn one_way_alone_keeps_within_the_budget() {
    let normal = |random: &mut Random| moved(random, 0.0);
    for detector in &BUDGETED {
        let set = MonitorSettings { sides: Sides::Up, ..alone(*detector, 10_000.0) };
        let alarms = false_alarms_of(&set, normal);
        println!("{detector:?}, a rise alone: {alarms:.2} false alarms where the budget allows one");
        assert!(alarms <= 1.0, "{detector:?}: {alarms}");
    }
}

/// False alarms within so many observations after each baseline.
fn false_alarms(detector: GaugeName, value: impl Fn(&mut Random) -> f64) -> f64 {
    false_alarms_of(&alone(detector, 10_000.0), value)
}

fn false_alarms_of(set: &MonitorSettings, value: impl Fn(&mut Random) -> f64) -> f64 {
    let (runs, watched) = (40_u64, 20_000_u32);
    let mut alarms = 0.0;
    for seed in 0..runs {
        let mut random = Random::new(1_000 + seed);
        let mut monitor = Monitor::new(set.clone());
        while monitor.baseline().is_none() {
            monitor.observe(value(&mut random));
        }
        for _ in 0..watched {
            if matches!(monitor.observe(value(&mut random)), News::Opened(_)) {
                alarms += 1.0;
            }
        }
    }
    alarms / (runs as f64 * f64::from(watched)) * set.arl0
}

#[test]
fn each_detector_of_the_budget_keeps_it_on_quiet_series() {
    for detector in BUDGETED {
        let normal = false_alarms(detector, Random::normal);
        let heavy = false_alarms(detector, Random::t5);
        let skewed = false_alarms(detector, Random::exponential);
        println!(
            "{:<15} normal {normal:.2}, t5 {heavy:.2}, exponential {skewed:.2} per budget",
            detector.word()
        );
        for rate in [normal, heavy, skewed] {
            assert!(rate <= 1.0, "{detector:?}: {rate} false alarms where one is allowed");
        }
    }
}

#[test]
fn each_detector_sees_what_it_is_for_within_its_delay() {
    for (detector, wanted, worst_allowed) in [
        (GaugeName::Cusum, Direction::Up, 30),
        (GaugeName::PageHinkley, Direction::Up, 30),
        (GaugeName::Adwin, Direction::Up, 130),
        (GaugeName::VarianceCusum, Direction::Wider, 60),
        (GaugeName::VarianceRatio, Direction::Wider, 100),
    ] {
        let (mut sum, mut worst) = (0_u32, 0_u32);
        for seed in 0..40 {
            let mut random = Random::new(5_000 + seed);
            let mut monitor = Monitor::new(alone(detector, 100_000.0));
            for _ in 0..700 {
                monitor.observe(random.normal());
            }
            let mut taken = 0;
            let found = loop {
                taken += 1;
                assert!(taken < 2_000, "{detector:?}: never");
                let x = if wanted == Direction::Up { 2.0 + random.normal() } else { 2.0 * random.normal() };
                if let News::Opened(found) = monitor.observe(x) {
                    break found;
                }
            };
            assert_eq!((found.detector, found.direction), (Some(detector), wanted), "{found:?}");
            assert!(
                (1.0..4.0).contains(&found.size),
                "{detector:?} after {taken}: {found:?}, {:?}",
                monitor.baseline()
            );
            assert!(found.gauges.iter().any(|gauge| gauge.statistic > gauge.threshold), "{found:?}");
            (sum, worst) = (sum + taken, worst.max(taken));
        }
        println!("{:<15} mean delay {:.1}, worst {worst}", detector.word(), f64::from(sum) / 40.0);
        assert!(worst <= worst_allowed, "{detector:?}: {worst}");
    }
}

#[test]
fn a_spread_that_shrinks_is_seen_by_the_ratio_alone_and_its_alert_ends_when_it_is_back() {
    let mut random = Random::new(8);
    let mut monitor = Monitor::new(alone(GaugeName::VarianceRatio, 10_000.0));
    for _ in 0..700 {
        monitor.observe(random.normal());
    }
    let mut found = None;
    for _ in 0..300 {
        if let News::Opened(finding) = monitor.observe(0.3 * random.normal()) {
            found = Some(finding);
        }
    }
    let found = found.expect("it narrowed to a third");
    assert_eq!(found.direction, Direction::Narrower);
    assert!((0.2..0.8).contains(&found.size), "{found:?}");
    assert!(monitor.is_open(), "it stands while the change does");
    let closed = (0..600).position(|_| monitor.observe(random.normal()) == News::Closed);
    assert!(closed.is_some_and(|after| after >= 199), "{closed:?}");
}

#[test]
fn the_form_of_river_detects_where_river_does() {
    let series: Vec<f64> = series(GaugeName::Cusum);
    for (name, detector, texts) in [
        ("page_hinkley", GaugeName::RiverPageHinkley, ["delta=0.25", "threshold=30", "alpha=1"]),
        ("adwin", GaugeName::RiverAdwin, ["delta=1e-6", "clock=32", "max_buckets=5"]),
    ] {
        let mut plain = build(name, Parameters::read(texts).unwrap()).unwrap();
        let wanted = replay(plain.as_mut(), &series).detections;
        let mut monitor = Monitor::new(MonitorSettings { clear_after: 1, ..alone(detector, 10_000.0) });
        let mut opened = Vec::new();
        for (at, x) in series.iter().enumerate() {
            if let News::Opened(finding) = monitor.observe(*x) {
                assert_eq!(finding.detector, Some(detector));
                opened.push(at);
            }
        }
        assert!(
            !opened.is_empty() && opened.iter().all(|at| wanted.contains(at)),
            "{name}: {opened:?} {wanted:?}"
        );
        let first = wanted.iter().find(|at| **at >= 500).unwrap();
        assert_eq!(opened[0], *first, "{name}: its first after the baseline");
    }
}

#[test]
fn the_alert_names_every_detector_with_its_statistic_and_threshold() {
    let set = MonitorSettings {
        page_hinkley: true,
        adwin: true,
        variance_ratio: true,
        river_page_hinkley: Some(PageHinkleySettings::default()),
        river_adwin: Some(AdwinSettings { delta: 1e-9, ..AdwinSettings::default() }),
        ..MonitorSettings::default()
    };
    let (mut all, name) = (streams(set), StreamName::new("model").unwrap());
    let mut random = Random::new(3);
    let mut evidence = None;
    for at in 0..1_000_i64 {
        let x = random.normal() * 0.001 + if at > 800 { 0.002 } else { 0.0 };
        for effect in all.observe(WallMs(at), &name, None, x).unwrap() {
            if let Effect::Open { evidence: said, reason, .. } = effect {
                assert!(at > 800 && reason.contains("model rose by"), "{at}: {reason}");
                evidence.get_or_insert(said);
            }
        }
    }
    let evidence: Value = evidence.expect("two deviations");
    let listed = evidence["detectors"].as_array().unwrap();
    for detector in ALL {
        let own = listed.iter().find(|gauge| gauge["detector"] == detector.word());
        let own = own.unwrap_or_else(|| panic!("no {} in {evidence}", detector.word()));
        assert!(own["statistic"].is_number() && own["threshold"].is_number(), "{own}");
    }
    assert_eq!(
        listed.len(),
        11,
        "both ways of the sums, of Page-Hinkley twice, and of the ratio: {evidence}"
    );
    assert!(evidence["detector"].is_string() && evidence["arl0"] == 100_000.0, "{evidence}");
}
