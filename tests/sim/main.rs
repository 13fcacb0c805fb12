//! A deterministic simulator of the order management: seeded faults, crashes before any effect, a store that
//! loses what was not synced, a venue that keeps the truth, and a checker per invariant.
//!
//! `PLIMSOLL_NIGHTLY=1` runs 20,000 seeds instead of 1,000; `PLIMSOLL_SIM_SEED=n` runs one and tells its story.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod checks;
mod exchange;
mod marks;
mod options;
mod people;
mod process;
mod setup;
mod store;
mod way;
mod wire;
mod world;

use fastrand::Rng;
use marks::{Marks, REQUIRED};
use options::Options;
use plimsoll::domain::oms::StartHow;
use world::World;

/// Simulated milliseconds in which everything has to settle once the faults are healed.
const SETTLE_MS: u64 = 120_000;
/// Seeds of the batch are drawn from here on.
const FIRST_SEED: u64 = 1_000_000;

struct Run {
    hash: u64,
    marks: Marks,
    failure: Option<String>,
    story: Vec<String>,
    lived_ms: u64,
    /// Did the crash before a given effect come?
    crashed: bool,
}

fn settle(world: &mut World) {
    let deadline = world.now + SETTLE_MS;
    let mut calm = 0;
    while world.failure.is_none() {
        let until = world.now + 500;
        world.run(until);
        if world.failure.is_some() {
            return;
        }
        people::attend(world);
        match world.converged() {
            Ok(()) if calm == 2 => return,
            Ok(()) => calm += 1,
            Err(why) if world.now > deadline => world.fail(format!("I7 liveness: not settled: {why}")),
            Err(_) => calm = 0,
        }
    }
}

fn run(seed: u64, options: Options) -> Run {
    let operations = options.operations;
    let mut world = World::new(seed, options);
    while world.operations_done < operations && world.failure.is_none() {
        let until = world.now + 100;
        world.run(until);
    }
    world.heal();
    settle(&mut world);
    // Restarting, any number of times, changes nothing.
    for _ in 0..world.rng.u32(..3) {
        let before = world.position_figures();
        world.restart(StartHow::Warm);
        settle(&mut world);
        if world.failure.is_none() && before != world.position_figures() {
            world.fail(format!("a restart changed {before:?} to {:?}", world.position_figures()));
        }
    }
    if world.failure.is_none() {
        world.end();
    }
    Run {
        hash: world.hash(),
        marks: world.marks.clone(),
        failure: world.failure.take(),
        story: world.story(),
        lived_ms: world.now,
        crashed: world.crash_came(),
    }
}

fn options(seed: u64) -> Options {
    Options::draw(&mut Rng::with_seed(seed ^ 0x5eed))
}

/// Runs a seed twice; the second run must be the same as the first.
fn twice(seed: u64) -> Result<Run, String> {
    let first = run(seed, options(seed));
    if let Some(failure) = &first.failure {
        return Err(tell(seed, failure));
    }
    let second = run(seed, options(seed));
    if (first.hash, &first.marks) != (second.hash, &second.marks) {
        return Err(format!("seed {seed}: the same seed ran in two ways"));
    }
    Ok(first)
}

/// The story of a failing seed, with as few operations as still fail.
fn tell(seed: u64, failure: &str) -> String {
    let most = options(seed).operations;
    let fewest = (1..=most)
        .map(|operations| (operations, run(seed, Options { operations, ..options(seed) })))
        .find(|(_, run)| run.failure.is_some());
    let Some((operations, run)) = fewest else { return format!("seed {seed}: {failure}") };
    let failure = run.failure.unwrap_or_default();
    let story = run.story.join("\n");
    let all = Options { operations, ..options(seed) };
    format!("{story}\n{all:?}\nseed {seed}, {operations} operations: {failure}")
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in include_str!("seeds.txt").lines().filter(|line| !line.starts_with('#')) {
        let seed = line.split_whitespace().next().unwrap().parse().unwrap();
        if let Err(story) = twice(seed) {
            panic!("{story}");
        }
    }
}

#[test]
fn many_seeds_hold() {
    if let Ok(seed) = std::env::var("PLIMSOLL_SIM_SEED") {
        match twice(seed.parse().unwrap()) {
            Ok(run) => println!("{}\n{:?}", run.story.join("\n"), run.marks),
            Err(story) => panic!("{story}"),
        }
        return;
    }
    let nightly = std::env::var("PLIMSOLL_NIGHTLY").is_ok_and(|value| value == "1");
    let count = if nightly { 20_000 } else { 1_000 };
    let (mut marks, mut lived_ms, mut failed) = (Marks::default(), 0, vec![]);
    for seed in FIRST_SEED..FIRST_SEED + count {
        match twice(seed) {
            Ok(run) => {
                marks.add(&run.marks);
                lived_ms += run.lived_ms;
            }
            Err(story) => failed.push((seed, story)),
        }
        if failed.len() == 10 {
            break;
        }
    }
    println!("{count} seeds, {} simulated hours, {:?}", lived_ms / 3_600_000, marks.0);
    if let Some((_, story)) = failed.first() {
        for (seed, story) in &failed {
            println!(
                "failed: {}",
                story.lines().next_back().unwrap_or_default().replace('\n', " ") + &format!(" [{seed}]")
            );
        }
        panic!("{story}");
    }
    let never: Vec<_> = REQUIRED.iter().filter(|mark| !marks.0.contains_key(*mark)).collect();
    assert!(never.is_empty(), "never met: {never:?}");
}

/// A short day, crashed before its first effect, its second, and so on until there is none left.
#[test]
fn a_crash_at_every_effect_holds() {
    for seed in 1..=4 {
        let mut rng = Rng::with_seed(seed);
        let day =
            Options { operations: 20, pause_ms: 60, latency_ms: 20, sync_ms: 10, ..Options::calm(&mut rng) };
        for k in 1.. {
            let crashed = run(seed, Options { crash_at: Some(k), ..day.clone() });
            if let Some(failure) = crashed.failure {
                panic!("{}\nseed {seed}, crash before effect {k}: {failure}", crashed.story.join("\n"));
            }
            if !crashed.crashed {
                assert!(k > 60, "the day had only {k} effects");
                break;
            }
        }
    }
}

/// The harness's own test: a store that reports a batch as durable before it is must be found out.
#[test]
fn a_store_that_lies_about_its_sync_is_found_out() {
    let found: Vec<String> = (1..=40)
        .filter_map(|seed| {
            let mut rng = Rng::with_seed(seed);
            let lying = Options { lying_sync: true, sync_ms: 60, crash: 10, ..Options::calm(&mut rng) };
            run(seed, lying).failure
        })
        .collect();
    assert!(found.iter().any(|why| why.contains("I1")), "{found:?}");
    assert!(found.iter().any(|why| why.contains("I3")), "{found:?}");
}
