//! What is lost in a failure, how long a restart takes, and how soon a hung actor's mail is served.

use super::actors::{Add, Block, CAPACITY, Fail, Setup, Supervised, Wedge, tree};
use crate::cli::bench::report::{Figure, Target, micros, millis, percentile, process_cpu};
use crate::clock::monotonic;
use crate::supervision::{AskError, DeadLetter, Handle, Placement};
use std::time::{Duration, Instant};

const MESSAGES: u32 = 200_000;
const PANICS: u32 = 2_000;
const QUEUED: u64 = 100;
const HANG_LIMIT: Duration = Duration::from_millis(100);
const SNAPSHOT_DEPTH: usize = 50_000;
const ASK: Duration = Duration::from_secs(30);
const GRACE: Duration = Duration::from_secs(5);

/// 200,000 messages, a tenth of them asks, every hundredth a panic.
pub(super) async fn losses() -> anyhow::Result<Vec<Figure>> {
    let before = process_cpu();
    let (tree, handle) = tree(Setup::at(Placement::OwnThread)).await?;
    let mut wrong_answers = 0_u32;
    let mut lost_asks = 0_u32;
    for n in 0..MESSAGES {
        let panics = n % (MESSAGES / PANICS) == 0;
        match (panics, n % 10 == 0) {
            // Half of the panics are asked for, half told.
            (true, _) if n % (2 * MESSAGES / PANICS) == 0 => match handle.ask(Fail, ASK).await {
                Err(AskError::Lost) => lost_asks += 1,
                _ => wrong_answers += 1,
            },
            (true, _) => handle.tell(Fail)?,
            (false, true) => {
                if handle.ask(Add, ASK).await.is_err() {
                    wrong_answers += 1;
                }
            }
            (false, false) => handle.tell(Add)?,
        }
    }
    handle.ask(Add, ASK).await?;
    let ledger = handle.ledger();
    let cpu = process_cpu().saturating_sub(before);
    let unaccounted =
        u64::from(MESSAGES).saturating_add(1).abs_diff(ledger.handled()) + count(ledger.depth());
    let figures = vec![
        Figure::plain("messages", f64::from(MESSAGES), "", cpu),
        Figure::plain(
            "messages lost with 2,000 panics",
            to_f64(ledger.dead_letters(DeadLetter::InHand)),
            "",
            cpu,
        )
        .with_target(Target::Exactly(f64::from(PANICS))),
        Figure::plain("askers told Lost", f64::from(lost_asks), "", cpu)
            .with_target(Target::Exactly(f64::from(PANICS / 2))),
        Figure::plain("askers told anything wrong", f64::from(wrong_answers), "", cpu)
            .with_target(Target::Exactly(0.0)),
        Figure::plain("messages unaccounted for", to_f64(unaccounted), "", cpu)
            .with_target(Target::Exactly(0.0)),
    ];
    tree.shutdown(GRACE).await;
    Ok(figures)
}

/// From just before the failing message is sent to `started` of the next incarnation.
pub(super) async fn panic_to_started() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, placement, target) in [
        ("own thread", Placement::OwnThread, Some(Target::AtMost(50.0))),
        ("supervisor's thread", Placement::Local, None),
    ] {
        let (started, starts) = std::sync::mpsc::channel::<Instant>();
        let setup = Setup { started: Some(started), ..Setup::at(placement) };
        let (tree, handle) = tree(setup).await?;
        starts.recv()?;
        let before = process_cpu();
        let mut times = Vec::new();
        for _ in 0..PANICS {
            let sent = monotonic();
            let lost = handle.ask(Fail, ASK).await;
            anyhow::ensure!(lost == Err(AskError::Lost), "a failing ask answered {lost:?}");
            // Answered by the next incarnation, so `started` has been called.
            handle.ask(Add, ASK).await?;
            times.push(starts.try_recv()?.saturating_duration_since(sent));
        }
        times.sort_unstable();
        let cpu = process_cpu().saturating_sub(before);
        let p50 = Figure::plain(
            format!("panic to started, {name}, p50"),
            micros(percentile(&times, 50)),
            "us",
            cpu,
        );
        figures.push(match target {
            Some(target) => p50.with_target(target),
            None => p50,
        });
        let p99 = micros(percentile(&times, 99));
        figures.push(Figure::plain(format!("panic to started, {name}, p99"), p99, "us", cpu));
        tree.shutdown(GRACE).await;
    }
    Ok(figures)
}

/// A wedged `ctx.wait` and a blocked thread, each with 100 asks queued behind.
pub(super) async fn hangs() -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let target = Target::AtMost(millis(HANG_LIMIT) + 50.0);

    let setup = Setup { hang: HANG_LIMIT, ..Setup::at(Placement::OwnThread) };
    let (wedged, handle) = tree(setup).await?;
    let before = process_cpu();
    let since = monotonic();
    handle.tell(Wedge)?;
    let last = answer_all(&handle, since).await?;
    let cpu = process_cpu().saturating_sub(before);
    figures.push(
        Figure::plain("wedged ctx.wait (limit 100 ms): last of 100 asks", millis(last), "ms", cpu)
            .with_target(target),
    );
    wedged.shutdown(GRACE).await;

    let setup = Setup { hang: HANG_LIMIT, ..Setup::at(Placement::OwnThread) };
    let (blocked, handle) = tree(setup).await?;
    let (release, held) = std::sync::mpsc::channel();
    let before = process_cpu();
    let since = monotonic();
    anyhow::ensure!(handle.tell(Block(held)).is_ok(), "the mailbox refused");
    let last = answer_all(&handle, since).await?;
    let cpu = process_cpu().saturating_sub(before);
    figures.push(
        Figure::plain("blocked thread (limit 100 ms): last of 100 asks", millis(last), "ms", cpu)
            .with_target(target),
    );
    drop(release);
    blocked.shutdown(GRACE).await;
    Ok(figures)
}

/// Sends all asks at once; answers when the last of them was answered, counted from `since`.
async fn answer_all(handle: &Handle<Supervised>, since: Instant) -> anyhow::Result<Duration> {
    let asks = (0..QUEUED).map(|_| handle.ask(Add, ASK));
    for answer in futures_util::future::join_all(asks).await {
        answer?;
    }
    Ok(monotonic().saturating_duration_since(since))
}

/// The snapshot while 50,000 messages wait behind a blocked actor.
pub(super) async fn snapshot() -> anyhow::Result<Vec<Figure>> {
    let (tree, handle) = tree(Setup::at(Placement::OwnThread)).await?;
    let (release, held) = std::sync::mpsc::channel();
    anyhow::ensure!(handle.tell(Block(held)).is_ok(), "the mailbox refused");
    for _ in 0..SNAPSHOT_DEPTH.min(CAPACITY) {
        handle.tell(Add)?;
    }
    let before = process_cpu();
    let mut times = Vec::new();
    let mut seen = 0;
    for _ in 0..100 {
        let start = monotonic();
        let nodes = tree.snapshot();
        times.push(monotonic().saturating_duration_since(start));
        seen = nodes.iter().map(|node| node.mailbox_depth).max().unwrap_or_default();
    }
    times.sort_unstable();
    let cpu = process_cpu().saturating_sub(before);
    drop(release);
    handle.ask(Add, ASK).await?;
    tree.shutdown(GRACE).await;
    // The blocking message may still be in the mailbox while it is counted.
    let exact = seen == SNAPSHOT_DEPTH || seen == SNAPSHOT_DEPTH.saturating_add(1);
    anyhow::ensure!(exact, "the snapshot showed {seen} of {SNAPSHOT_DEPTH} waiting messages");
    let p99 = millis(percentile(&times, 99));
    Ok(vec![
        Figure::plain("snapshot with 50,000 messages waiting, p99", p99, "ms", cpu)
            .with_target(Target::AtMost(1.0)),
    ])
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Counts here stay far below 2^53, where the conversion is exact.
fn to_f64(n: u64) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}
