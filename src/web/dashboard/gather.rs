//! Reads everything that one screen shows, once for all pages: the readings that components publish, the judgement
//! behind the health routes, and the books. What cannot be read is said to be not current, beside what was last known.

use super::alerts;
use super::books::Books;
use super::drift;
use super::sources;
use super::view::{
    Component, Desk, Gauge, Identity, Killed, Ms, Node, Severity, Stake, Standing, State, Strategy,
};
use crate::actors::oms::OpenAlert;
use crate::clock;
use crate::config::venues::Mode;
use crate::domain::health::{Severity as Grave, Verdict};
use crate::domain::oms::{OnKill, OnPause, Phase};
use crate::supervision::{NodeKind, NodeState};
use crate::web::state::WebState;
use crate::web::status;
use crate::web::truth::Truth;
use std::time::Duration;

/// How long the books may keep the page waiting.
const BOOKS_WITHIN: Duration = Duration::from_millis(1_500);

/// What was read.
pub(super) struct Gathered {
    pub(super) desk: Desk,
    pub(super) books: Books,
    /// Profit and loss of everything that is summed.
    pub(super) equity: Option<f64>,
}

/// See the module's head. `before` is what the books said last.
pub(super) async fn desk(state: &WebState, before: Books) -> Gathered {
    let at = clock::wall_millis();
    let (mut books, books_problem) = read(state, before, at).await;
    if let Some(rows) = books.rows.take() {
        state.press.chronicle.begin(&rows);
    }
    let truth = state.truth();
    let readings = &state.readings.oms;
    let trades = state.parts.oms.is_some();
    let view = readings.view();
    let risk = readings.risk();
    let (positions, flat_positions) = books.positions(readings);
    let (money, unsummed) = books.money(readings, &state.currency);
    let equity = money.iter().find(|sum| sum.strategy == "all").and_then(|sum| sum.total.as_deref());
    let equity = equity.and_then(|total| total.parse().ok());
    let gauges: Vec<Gauge> = risk.gauges.iter().map(gauge).collect();
    let gross = gauges.iter().find(|gauge| gauge.name == "gross_exposure" && gauge.scope == "account");
    let gross = gross.and_then(|gauge| gauge.used.as_ref()).map(|used| format!("{used} {}", state.currency));
    let breaches = risk.breaches.iter().map(|breach| format!("{} {}", breach.scope, breach.kind.word()));
    let latches = risk.latches.iter().map(|latch| {
        format!("strategy {} is latched: {} fills on {}", latch.strategy, latch.fills, latch.symbol)
    });
    let open = view.orders.iter().filter(|(state, _)| !state.is_final()).map(|(_, count)| *count).sum();
    let desk = Desk {
        at,
        identity: identity(state),
        standing: standing(state, &truth),
        sources: sources::all(state, &books, at),
        gauges: trades.then_some(gauges),
        gross,
        breaches: breaches.chain(latches).collect(),
        alerts: books.alerts.alerts(&standing_alerts(state)),
        channels: alerts::channels(&state.readings.alerting.latest()),
        positions,
        flat_positions,
        balances: books.balances(),
        orders: books.orders(),
        open_orders: open,
        books_problem,
        money,
        currency: state.currency.clone(),
        unsummed,
        strategies: strategies(state),
        nodes: nodes(&truth),
        components: Some(components(&truth, at)),
        incidents: trades.then(|| books.alerts.incidents()),
        drift: state.parts.drift.is_some().then(|| drift::streams(&state.readings.drift)),
        timeline: books.timeline(&state.press.chronicle),
    };
    Gathered { desk, books, equity }
}

/// The books as they are now; where they cannot be read, as they were, and why.
async fn read(state: &WebState, before: Books, at: Ms) -> (Books, Option<String>) {
    if state.parts.readers.is_none() {
        return (before, None);
    }
    let begun = before.begun();
    let read = state.read(move |readers| Books::read(readers, begun, at));
    let problem = match tokio::time::timeout(BOOKS_WITHIN, read).await {
        Ok(Ok(books)) => return (books, None),
        Ok(Err(problem)) => problem.detail().to_owned(),
        Err(_) => "the books did not answer in time".to_owned(),
    };
    let age = before.read_at.map(|read_at| at.saturating_sub(read_at) / 1_000);
    let told = match age {
        Some(age) => format!("What stands here is {age} s old: {problem}"),
        None => format!("Nothing could be read yet: {problem}"),
    };
    (before, Some(told))
}

fn identity(state: &WebState) -> Identity {
    let stake = match state.mode {
        Mode::Paper => Stake::Paper,
        Mode::Testnet => Stake::Testnet,
        Mode::Live => Stake::Live,
    };
    let skews = state.readings.orders.iter().map(|(venue, readings)| {
        (venue.to_string(), readings.latest().and_then(|seen| seen.clock_offset_ms))
    });
    Identity {
        label: state.label.clone(),
        instance: state.instance.clone(),
        stake,
        venues: state.readings.orders.keys().map(ToString::to_string).collect(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config_hash: state.config_hash.clone(),
        skews: skews.collect(),
        clock_step: state.readings.clock.latest().map(|reading| reading.largest_step_seconds),
    }
}

fn standing(state: &WebState, truth: &Truth) -> Standing {
    let trades = state.parts.oms.is_some();
    let view = state.readings.oms.view();
    let phase = trades.then_some(view.phase);
    let word = status::word(truth, phase);
    // The state itself is a gate; the banner says it in larger letters.
    let closed = truth.failing().filter(|gate| gate.name != "phase");
    let settling = matches!(view.phase, Phase::Starting | Phase::Draining);
    Standing {
        state: State::of(word),
        version: trades.then_some(view.version),
        reason: view.reason,
        actor: view.actor,
        since: Some(view.since.0).filter(|_| trades && !settling),
        killed: killed(state),
        closed: closed.map(|gate| (gate.name.clone(), gate.reason.clone())).collect(),
        on_pause: match state.controls.on_pause {
            OnPause::Keep => "they go on working".to_owned(),
            OnPause::Cancel => "entries are cancelled".to_owned(),
        },
        on_kill: match state.controls.on_kill {
            OnKill::CancelAll => "all are cancelled".to_owned(),
            OnKill::Keep => "they go on working".to_owned(),
            OnKill::Flatten => "all are cancelled; positions are closed after the reset".to_owned(),
        },
        trades,
    }
}

fn killed(state: &WebState) -> Option<Killed> {
    let switch = state.parts.kill.as_ref()?;
    let view = switch.view();
    view.engaged.then(|| {
        let cause = view.record.cause.and_then(|cause| serde_json::to_value(cause).ok());
        let cause = cause.and_then(|cause| cause.as_str().map(|word| word.replace('_', " ")));
        Killed {
            cause: cause.unwrap_or_else(|| "being engaged".to_owned()),
            actor: view.record.actor,
            reason: view.record.reason,
            at: view.record.at.0,
            not_durable: view.durable.err().map(|error| error.to_string()),
            in_flight: view.in_flight,
            halt_file: switch.halt_file(),
        }
    })
}

fn gauge(gauge: &crate::domain::risk::Gauge) -> Gauge {
    let thousand = rust_decimal::Decimal::from(1_000);
    let per_mille = gauge.ratio.and_then(|ratio| ratio.checked_mul(thousand));
    Gauge {
        name: gauge.name.to_owned(),
        scope: gauge.scope.clone(),
        used: gauge.used.map(|used| used.round_dp(8).normalize().to_string()),
        limit: gauge.limit.map(|limit| limit.to_string()),
        per_mille: per_mille.and_then(|ratio| u64::try_from(ratio.trunc()).ok()),
    }
}

/// Conditions that hold now.
fn standing_alerts(state: &WebState) -> Vec<OpenAlert> {
    let mut standing = state.readings.oms.view().alerts;
    standing.extend(state.readings.alerts.open());
    standing
}

/// What is judged of every component.
fn components(truth: &Truth, at: Ms) -> Vec<Component> {
    let component = |verdict: &Verdict| {
        let age = verdict.age_ms.and_then(|age| Ms::try_from(age).ok());
        let healthy = verdict.is_healthy();
        Component {
            name: verdict.component.clone(),
            status: verdict.status.word().to_owned(),
            severity: match verdict.severity {
                Grave::Ok => None,
                Grave::Warning => Some(Severity::Warning),
                Grave::Critical => Some(Severity::Critical),
            },
            reason: verdict.reason.clone(),
            locality: verdict.locality.word().to_owned(),
            safe_actions: verdict.safe_actions.iter().map(|action| action.word().replace('_', " ")).collect(),
            evidence_at: age.filter(|_| !healthy).map(|age| at.saturating_sub(age)),
        }
    };
    truth.verdicts.0.iter().map(component).collect()
}

fn strategies(state: &WebState) -> Vec<Strategy> {
    let view = state.readings.oms.view();
    let strategy = |(name, enabled): (&crate::domain::ids::StrategyId, &bool)| {
        let reading = state.readings.strategies.get(name).map(|readings| readings.latest());
        Strategy {
            name: name.to_string(),
            enabled: *enabled,
            trading: reading.as_ref().map(|reading| reading.trading),
            submits: reading.as_ref().map_or(0, |reading| reading.submits),
            refused: reading.as_ref().map_or(0, |reading| reading.refused),
            missed: reading.as_ref().map_or(0, |reading| reading.missed),
        }
    };
    view.strategies.iter().map(strategy).collect()
}

/// So many seconds before `at`, to the second: what did not change must look the same in the next edition.
fn before(at: Ms, seconds: f64) -> Ms {
    let age = Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or_default();
    let since = at.saturating_sub(Ms::try_from(age.as_millis()).unwrap_or_default());
    since.saturating_sub(since.rem_euclid(1_000))
}

fn nodes(truth: &Truth) -> Vec<Node> {
    let judged_at = truth.at.timestamp_millis();
    let shown = truth.nodes.iter().filter(|node| node.kind != NodeKind::Task);
    shown
        .map(|node| {
            let declined = node.state == NodeState::Stopped && node.epoch > 0 && node.last_failure.is_none();
            let word = serde_json::to_value(node.state).ok();
            Node {
                path: node.path.clone(),
                state: word.and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default(),
                good: node.state == NodeState::Running || declined,
                moving: matches!(node.state, NodeState::Starting | NodeState::Stopping | NodeState::Backoff),
                restarts: node.restarts,
                since: before(judged_at, node.age_seconds),
                waiting: node.mailbox_depth,
                last_failure: node.last_failure.clone(),
            }
        })
        .collect()
}
