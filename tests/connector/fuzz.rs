//! The fuzz targets' bodies over their seeds and seeded mutations: bounded, repeatable, on a stable compiler.

#[path = "../../fuzz/entries.rs"]
mod entries;

use std::path::Path;

/// Mutations per target in an ordinary run; a thousand times as many with `PLIMSOLL_NIGHTLY=1`.
const MUTATIONS: u64 = 20_000;

fn run(target: &str, entry: fn(&[u8])) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(format!("{target}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let seeds: Vec<&[u8]> = text.lines().map(str::as_bytes).collect();
    for seed in &seeds {
        entry(seed);
        for cut in 0..seed.len() {
            entry(&seed[..cut]);
        }
    }
    let rounds = if std::env::var_os("PLIMSOLL_NIGHTLY").is_some() { MUTATIONS * 1_000 } else { MUTATIONS };
    let mut rng = fastrand::Rng::with_seed(7);
    for _ in 0..rounds {
        let mut bytes = seeds[rng.usize(..seeds.len())].to_vec();
        for _ in 0..=rng.usize(..6) {
            mutate(&mut rng, &mut bytes, &seeds);
        }
        entry(&bytes);
    }
}

/// One change of the kinds that break parsers: bits, digits, structure, splices, repetitions.
fn mutate(rng: &mut fastrand::Rng, bytes: &mut Vec<u8>, seeds: &[&[u8]]) {
    if bytes.is_empty() {
        bytes.extend_from_slice(seeds[0]);
    }
    let at = rng.usize(..bytes.len());
    match rng.u8(..7) {
        0 => bytes[at] ^= 1 << rng.u8(..8),
        1 => bytes[at] = b"0123456789-.eE\"[]{},:\\ntf"[rng.usize(..25)],
        2 => drop(bytes.remove(at)),
        3 => bytes.truncate(at),
        4 => {
            let other = seeds[rng.usize(..seeds.len())];
            let from = rng.usize(..other.len());
            bytes.splice(at..at, other[from..].iter().copied());
        }
        5 => {
            let end = (at + rng.usize(1..20)).min(bytes.len());
            let piece = bytes[at..end].repeat(rng.usize(1..50));
            bytes.splice(at..at, piece);
        }
        _ => drop(bytes.splice(at..at, b"99999999999999999999999999999".iter().copied())),
    }
}

#[test]
fn market_frames() {
    run("market_frame", entries::market_frame);
}

#[test]
fn user_events() {
    run("user_event", entries::user_event);
}

#[test]
fn answers() {
    run("answers", entries::answers);
}
