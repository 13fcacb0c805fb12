//! Observations per second of each detector, and what a thousand streams cost, on one core.
//!
//! Targets: 30 million Page-Hinkley and 3 million ADWIN updates a second; a hundred thousand observations of a thousand
//! streams (one second of them at a hundred a second each) in less than 50 ms.

#![expect(missing_docs, reason = "criterion's macros")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::domain::detectors::{
    Adwin, AdwinSettings, Cusum, CusumSettings, Detector, PageHinkley, PageHinkleySettings,
};
use plimsoll::domain::drift::{Monitor, MonitorSettings, Policy, StreamName, Streams};
use plimsoll::domain::time::WallMs;
use std::hint::black_box;

const SERIES: u32 = 100_000;

fn series() -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(1);
    (0..SERIES).map(|_| random.f64() + random.f64() + random.f64() - 1.5).collect()
}

fn run<D: Detector + Clone>(c: &mut Criterion, name: &str, fresh: &D, series: &[f64]) {
    let mut group = c.benchmark_group("detectors");
    group.throughput(Throughput::Elements(u64::from(SERIES)));
    group.sample_size(20);
    group.bench_function(name, |b| {
        let mut detector = fresh.clone();
        b.iter(|| {
            for x in series {
                black_box(detector.update(black_box(*x)));
            }
        });
    });
    group.finish();
}

fn detectors(c: &mut Criterion) {
    let series = series();
    run(c, "page_hinkley", &PageHinkley::new(PageHinkleySettings::default()), &series);
    run(c, "adwin", &Adwin::new(AdwinSettings::default()), &series);
    run(c, "cusum", &Cusum::new(CusumSettings::default()), &series);
    run(c, "robust", &Monitor::new(MonitorSettings::default()), &series);
}

fn thousand_streams(c: &mut Criterion) {
    let series = series();
    let names: Vec<StreamName> =
        (0..1_000).map(|n| StreamName::new(&format!("stream:{n}")).unwrap()).collect();
    let fallback = Policy::fallback(MonitorSettings::default());
    let mut streams = Streams::new(Vec::new(), fallback, 2_000);
    let mut second = || {
        for (x, name) in series.iter().zip(names.iter().cycle()) {
            black_box(streams.observe(WallMs(1), name, None, *x).unwrap());
        }
    };
    // Their baselines are learned before anything is measured.
    (0..10).for_each(|_| second());
    let mut group = c.benchmark_group("streams");
    group.throughput(Throughput::Elements(u64::from(SERIES)));
    group.sample_size(20);
    group.bench_function("a second of a thousand streams at 100/s", |b| b.iter(&mut second));
    group.finish();
}

criterion_group!(benches, detectors, thousand_streams);
criterion_main!(benches);
