//! Recorded (or synthetic) market frames decoded and applied to the book, on one core.
//!
//! Target: 400,000 lines/s; a prototype's ceiling was about 750,000 on the reference machine.

#![expect(missing_docs, reason = "criterion's macros")]
#![expect(clippy::unwrap_used, reason = "a bench fails by panicking")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plimsoll::venues::binance::bench_lines::{Lines, decode_and_apply};

fn market_data(c: &mut Criterion) {
    let lines = Lines::from_captures_or_synthetic().unwrap();
    let mut group = c.benchmark_group("market_data");
    group.throughput(Throughput::Elements(u64::try_from(lines.len()).unwrap()));
    group.sample_size(20);
    group.bench_function(format!("decode_and_apply/{}", lines.origin()), |b| {
        b.iter(|| decode_and_apply(&lines))
    });
    group.finish();
}

criterion_group!(benches, market_data);
criterion_main!(benches);
