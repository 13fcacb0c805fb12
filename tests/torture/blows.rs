//! One desk over many rounds: load, a blow, a restart, a comparison.

use super::books::{settle_and_compare, switch};
use super::desk::{Desk, PATIENCE, Runtime, plimsoll};
use super::load::{Callers, Notes, Prices, Told};
use super::verdict::Verdict;
use fastrand::Rng;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Callers at once.
const LANES: usize = 6;

/// Is this the long run?
pub fn nightly() -> bool {
    std::env::var_os("PLIMSOLL_NIGHTLY").is_some_and(|value| value == "1")
}

/// A seed from the environment, or a fresh one; printed, so that a run's choices can be repeated.
pub fn seed() -> u64 {
    let given = std::env::var("PLIMSOLL_TORTURE_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| fastrand::u64(1..1_000_000));
    println!("PLIMSOLL_TORTURE_SEED={seed}");
    seed
}

/// How a running process is treated while it is under load.
pub enum Blow<'a> {
    /// SIGKILL after this time.
    Kill(Duration),
    /// The exchange misbehaves for this time, after which it is healed; then SIGKILL, or not.
    Fault { fault: &'a Value, lasts: Duration, again_every: Option<Duration>, kill: bool },
}

pub struct Torture {
    pub desk: Desk,
    pub notes: Notes,
    pub rng: Rng,
    round: u32,
}

impl Torture {
    pub async fn open(seed: u64) -> Self {
        let notes = Arc::new(Mutex::new(Told::default()));
        Self { desk: Desk::open(seed).await, notes, rng: Rng::with_seed(seed), round: 0 }
    }

    /// Puts a running runtime under load.
    pub async fn load(&mut self, runtime: &Runtime) -> Callers {
        self.round += 1;
        switch(&self.desk, runtime, true).await;
        let prices = Prices::read(&self.desk).await;
        let series = format!("t{}", self.round);
        Callers::start(&runtime.url, &self.notes, prices, &series, LANES, self.rng.u64(..))
    }

    /// Load, blow, and whatever runs afterwards.
    pub async fn strike(&mut self, mut runtime: Runtime, blow: &Blow<'_>) -> Runtime {
        let callers = self.load(&runtime).await;
        let kill = match blow {
            Blow::Kill(after) => {
                tokio::time::sleep(*after).await;
                true
            }
            Blow::Fault { fault, lasts, again_every, kill } => {
                // On a slow machine a fault can strike every order of its round: some must have come through.
                self.until_orders_arrive().await;
                self.misbehave(fault, *lasts, *again_every).await;
                *kill
            }
        };
        if kill {
            runtime.process.kill();
        }
        callers.stop().await;
        self.desk.heal().await;
        if kill { self.again().await } else { runtime }
    }

    /// Waits until the exchange has taken orders of the callers.
    async fn until_orders_arrive(&self) {
        let start = tokio::time::Instant::now();
        let ours = |truth: &Value| {
            truth["orders"].as_array().unwrap().iter().filter(|order| order["account"] == "demo").count()
        };
        while ours(&self.desk.truth().await) < LANES {
            assert!(
                start.elapsed() < PATIENCE,
                "no order reached the exchange\n{}",
                self.desk.exchange_log()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn misbehave(&self, fault: &Value, lasts: Duration, again_every: Option<Duration>) {
        self.desk.plant(fault).await;
        let Some(pause) = again_every else { return tokio::time::sleep(lasts).await };
        let end = tokio::time::Instant::now() + lasts;
        while tokio::time::Instant::now() < end {
            tokio::time::sleep(pause).await;
            self.desk.plant(fault).await;
        }
    }

    /// Callers alone, on a desk whose strategies nobody switches.
    pub async fn load_only(&mut self, runtime: &Runtime) -> Callers {
        self.round += 1;
        let prices = Prices::read(&self.desk).await;
        let series = format!("t{}", self.round);
        Callers::start(&runtime.url, &self.notes, prices, &series, LANES, self.rng.u64(..))
    }

    /// Starts a desk that must show that it is halted.
    pub async fn halted_again(&self) -> Runtime {
        let runtime = self.desk.listening(self.desk.spawn()).await;
        runtime.until(&self.desk.http, "/api/v1/status", |_, status| status["state"] == "halted").await;
        runtime
    }

    /// Checks the journal of the dead process, starts anew, and sometimes kills that start too.
    pub async fn again(&mut self) -> Runtime {
        self.verify_journal();
        while self.rng.u32(0..10) == 0 {
            let mut early = self.desk.spawn();
            tokio::time::sleep(Duration::from_millis(self.rng.u64(0..400))).await;
            early.kill();
            self.verify_journal();
        }
        self.desk.start().await
    }

    /// `plimsoll journal verify` says that sequence and checksums are whole.
    pub fn verify_journal(&self) {
        let mut command = plimsoll();
        command.args(["journal", "verify", "--data-dir"]).arg(self.desk.data());
        let output = command.output().unwrap();
        assert!(output.status.success(), "the journal does not verify: {output:?}");
    }

    /// Asks some questions again that had no answer: each must become one order at most.
    pub async fn ask_again(&mut self, runtime: &Runtime) {
        let open: Vec<(String, Value)> = {
            let told = self.notes.lock().unwrap();
            told.unanswered.iter().map(|(id, body)| (id.clone(), body.clone())).collect()
        };
        for (id, body) in open {
            let mut answer = runtime.post(&self.desk.http, "/api/v1/orders", &body).await;
            while matches!(&answer, Some((429, _))) {
                // Too many at once is no answer about this order.
                tokio::time::sleep(Duration::from_millis(50)).await;
                answer = runtime.post(&self.desk.http, "/api/v1/orders", &body).await;
            }
            let mut told = self.notes.lock().unwrap();
            match answer {
                Some((202, _)) => {
                    told.accepted.insert(id.clone(), body);
                    told.unanswered.remove(&id);
                }
                Some((400..500, said)) => {
                    let code = said["code"].as_str().unwrap_or_default().to_owned();
                    told.refused.insert(id.clone(), code);
                    told.unanswered.remove(&id);
                }
                _ => {}
            }
        }
    }

    pub async fn compare(&self, runtime: &Runtime) -> Verdict {
        let told = std::mem::take(&mut *self.notes.lock().unwrap());
        let verdict = settle_and_compare(&self.desk, runtime, &told, PATIENCE).await;
        *self.notes.lock().unwrap() = told;
        if !verdict.is_clean() {
            println!("exchange:\n{}\nruntime:\n{}", self.desk.exchange_log(), runtime.process.log());
        }
        verdict
    }

    /// Ends the runtime in order.
    pub async fn close_softly(&self, runtime: Runtime) -> String {
        runtime.process.signal("-TERM");
        let (status, _, log) = runtime.process.end(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{log}");
        log
    }

    /// Ends the runtime in order; nothing of its own is left at the exchange.
    pub async fn close(self, runtime: Runtime) {
        let log = self.close_softly(runtime).await;
        let truth = self.desk.truth().await;
        let open = truth["orders"].as_array().unwrap().iter().filter(|order| {
            let live = ["NEW", "PARTIALLY_FILLED"].contains(&order["status"].as_str().unwrap());
            order["account"] == "demo" && live
        });
        assert_eq!(open.count(), 0, "orders were left at the exchange\n{log}");
        self.verify_journal();
    }
}

/// A fault that strikes as long as it stands.
pub fn fault(kind: &str) -> Value {
    json!({ "kind": kind })
}
