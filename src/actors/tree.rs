//! Declares the whole tree and connects its cells.

use super::alert_board::AlertBoard;
use super::alert_router::{self, AlertDesk, AlertReadings, AlertSetup};
use super::clock_sentry::{self, ClockReadings};
use super::connector::{self, Beat, VenueReadings};
use super::dead_man::{self, DeadManReadings, Vital};
use super::drift_sentry::{self, DriftHandle, DriftReadings, DriftSentry, DriftSetup, DriftTap, MarketTap};
use super::heartbeat::{self, HeartbeatReadings, HeartbeatSetup};
use super::journal::{self, AppendControls, Journal, JournalReadings, JournalSettings, SaveDrift};
use super::kill_switch::{self, KillNews, KillOutlet, KillSwitch};
use super::market_data::{self, MarketBoard, MarketOutlets, Subscriber};
use super::oms::{self, Cursors, OmsHandle, OmsReadings, Wires};
use super::page_readings::PageReadings;
use super::paper_exchange;
use super::performance::{self, PerformanceReadings};
use super::plan::{Trading, VenueWire};
use super::process_monitor::{self, ProcessReadings};
use super::run_control::RunControl;
use super::sentinel::{self, Books, Hands, SentinelPlan, SentinelReadings, SentinelWires, Watched};
use super::strategy::{self, StrategyReadings};
use crate::db::Readers;
use crate::domain::ids::{StrategyId, Symbol, VenueId};
use crate::supervision::{Cell, Port, Strategy, SupervisorDecl, Tree, supervisor};
use crate::venues::binance::Binance;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// The arbiter of everything that moves orders.
const ORDER_ARBITER: &str = "orders";

/// What the components publish for those who show it.
#[derive(Clone, Default)]
pub struct Readings {
    /// From the clock sentry.
    pub clock: ClockReadings,
    /// From the process monitor.
    pub process: ProcessReadings,
    /// From the journal.
    pub journal: JournalReadings,
    /// From the order management.
    pub oms: OmsReadings,
    /// From each venue's order session.
    pub orders: BTreeMap<VenueId, VenueReadings>,
    /// From each venue's market session.
    pub market: BTreeMap<VenueId, VenueReadings>,
    /// Top of book and last trade of each venue's instruments.
    pub boards: BTreeMap<VenueId, MarketBoard>,
    /// From each built-in strategy.
    pub strategies: BTreeMap<StrategyId, StrategyReadings>,
    /// From each venue's heartbeat.
    pub heartbeats: BTreeMap<VenueId, HeartbeatReadings>,
    /// What every strategy earned.
    pub performance: PerformanceReadings,
    /// From the drift sentry.
    pub drift: DriftReadings,
    /// Where measurements for it are dropped.
    pub drift_tap: DriftTap,
    /// Alerts of everything but the order management.
    pub alerts: AlertBoard,
    /// From the alert router.
    pub alerting: AlertReadings,
    /// From the dead man's switch.
    pub dead_man: DeadManReadings,
    /// What has to get on for this process to count as alive.
    pub vitals: Vec<Vital>,
    /// Words to the process itself.
    pub run: RunControl,
    /// From the sentinel: the one judgement behind every health route.
    pub sentinel: SentinelReadings,
    /// What readers of the page and of the streams were shown.
    pub page: PageReadings,
    /// Each venue's instruments, as configured.
    pub symbols: BTreeMap<VenueId, Vec<Symbol>>,
    /// Where each built-in strategy trades.
    pub markets: BTreeMap<StrategyId, (VenueId, Symbol)>,
    /// How often each venue is asked for a sign of life, milliseconds.
    pub beat_interval_ms: u64,
    /// Is there anything that trades?
    pub trades: bool,
    /// The running tree; set once it has begun.
    pub tree: Arc<OnceLock<Tree>>,
}

/// The ends that others hold on the components that trade; empty when nothing trades.
#[derive(Clone, Default)]
pub struct Parts {
    /// The order management.
    pub oms: Option<OmsHandle>,
    /// The database, for reading.
    pub readers: Option<Readers>,
    /// The drift sentry, when series are watched.
    pub drift: Option<DriftHandle>,
    /// The kill switch.
    pub kill: Option<KillSwitch>,
    /// The alert router.
    pub alerts: Option<AlertDesk>,
    /// The journal's lane for requests that steered nothing else.
    pub controls: Option<Port<AppendControls>>,
}

/// Declares the whole tree. The sentinel begins before everything that it judges and ends after it: nothing trades
/// without its lease, and nothing that ends is judged by nobody.
#[must_use]
pub fn tree(
    readings: &mut Readings,
    trading: Option<Trading>,
    watch: SentinelPlan,
) -> (SupervisorDecl, Parts) {
    readings.sentinel = SentinelReadings::new(crate::clock::monotonic(), watch.lasts);
    let wires = SentinelWires::default();
    let (_, watcher) = sentinel::declare(watch.clone(), Arc::clone(&wires));
    let infra = supervisor("infra")
        .intensity(5, Duration::from_secs(60))
        .child(clock_sentry::declare(readings.clock.clone()))
        .child(process_monitor::declare(readings.process.clone()))
        .child(watcher);
    let root = supervisor("plimsoll").intensity(3, Duration::from_secs(300));
    let declared = match trading {
        Some(trading) => trading_tree(readings, trading, watch, root, infra),
        None => (root.child(infra), Parts::default(), Hands::default()),
    };
    let (root, parts, hands) = declared;
    // Set once, here.
    let _ = wires.set(Watched { readings: readings.clone(), hands });
    (root, parts)
}

fn trading_tree(
    readings: &mut Readings,
    trading: Trading,
    watch: SentinelPlan,
    root: SupervisorDecl,
    infra: SupervisorDecl,
) -> (SupervisorDecl, Parts, Hands) {
    readings.trades = true;
    readings.beat_interval_ms = trading.heartbeat.interval_ms;
    readings.symbols = trading.venues.iter().map(|venue| (venue.id.clone(), venue.symbols.clone())).collect();
    readings.markets = trading
        .strategies
        .iter()
        .map(|setup| (setup.strategy.clone(), (setup.venue.clone(), setup.symbol.clone())))
        .collect();
    let infra = match trading.embedded.clone() {
        Some((config, address)) => infra.child(paper_exchange::declare(config, address)),
        None => infra,
    };
    let (kill, kill_news) = (trading.kill.clone(), KillOutlet::default());
    let (_, kill_cell) = kill_switch::declare(kill.clone(), readings.alerts.clone(), Arc::clone(&kill_news));
    let infra = infra.child(kill_cell);
    let readers = Readers::lazy(&trading.data_dir);
    let kept = JournalSettings { keep_alerts: trading.keep_alerts, ..JournalSettings::default() };
    let (journal, journal_cell) =
        journal::declare_with(trading.data_dir.clone(), readings.journal.clone(), kept);
    let controls = Some(journal.port());
    let save = journal.port();
    let books = Books { readers: readers.clone(), journal: journal.port() };
    let (alerts, router) = alert_router::declare(AlertSetup {
        board: readings.alerts.clone(),
        oms: readings.oms.clone(),
        readers: readers.clone(),
        journal: journal.port(),
        channels: trading.channels.clone(),
        settings: trading.alerts.clone(),
        data_dir: trading.data_dir.clone(),
        readings: readings.alerting.clone(),
    });
    let alerting = supervisor("alerting").intensity(5, Duration::from_secs(60)).child(router);
    readings.vitals = dead_man::router_vitals(&readings.alerting, trading.vitals);
    // A sentinel that has completed no judgement lately speaks for nobody.
    readings.vitals.push(judging(&readings.sentinel));
    let alerting = match trading.dead_man.clone() {
        Some(plan) => {
            alerting.child(dead_man::declare(plan, readings.vitals.clone(), readings.dead_man.clone()).1)
        }
        None => alerting,
    };
    readings.performance = PerformanceReadings::new(&trading.performance);
    let figures = performance::declare(
        readings.performance.clone(),
        readers.clone(),
        readings.oms.clone(),
        journal.port(),
    );
    let wires = Wires {
        journal,
        readers: readers.clone(),
        connectors: Arc::new(OnceLock::new()),
        strategies: Arc::new(OnceLock::new()),
        boards: trading.venues.iter().map(|venue| (venue.id.clone(), MarketBoard::default())).collect(),
        cursors: Cursors::default(),
        kill: kill.clone(),
        run: readings.run.clone(),
        lease: watch.lease,
    };
    readings.boards.clone_from(&wires.boards);
    let (mut beats, mut hands) = (Vec::new(), Hands::default());
    let (order_path, oms, requests, news) =
        order_path(readings, &trading, &wires, journal_cell, (&mut beats, &mut hands));
    // Set once, here.
    let _ = kill_news.set(news);
    let heartbeats =
        beats.into_iter().fold(supervisor("heartbeats"), |all, setup| all.child(heartbeat::declare(setup).1));
    let (strategies, subscribers) = strategies(readings, &trading, &wires, &requests);
    let market = market(readings, &trading, &subscribers, &mut hands);
    (hands.oms, hands.books) = (Some(oms.clone()), Some(books));
    let (drift, sentry) = drift(readings, &trading, &oms, &readers, save);
    let root = root.child(infra).child(order_path).child(alerting).child(heartbeats);
    let root = match sentry {
        Some(sentry) => root.child(sentry),
        None => root,
    };
    let parts = Parts {
        oms: Some(oms),
        readers: Some(readers),
        drift,
        kill: Some(kill),
        alerts: Some(alerts),
        controls,
    };
    (root.child(market).child(strategies).child(figures), parts, hands)
}

/// The sentry, when series are watched; whoever measures drops its numbers from then on.
fn drift(
    readings: &Readings,
    trading: &Trading,
    oms: &OmsHandle,
    readers: &Readers,
    save: Port<SaveDrift>,
) -> (Option<DriftHandle>, Option<Cell<DriftSentry>>) {
    let Some(plan) = trading.drift.clone() else { return (None, None) };
    readings.oms.measure_into(readings.drift_tap.clone());
    let (handle, cell) = drift_sentry::declare(DriftSetup {
        plan,
        tap: readings.drift_tap.clone(),
        oms: oms.clone(),
        oms_readings: readings.oms.clone(),
        readers: readers.clone(),
        save,
        alerts: readings.alerts.clone(),
        readings: readings.drift.clone(),
    });
    (Some(handle), Some(cell))
}

/// The sentinel as a vital: how long ago it last completed a judgement and handed its consequences on.
fn judging(sentinel: &SentinelReadings) -> Vital {
    let (shown, max_age) = (sentinel.clone(), sentinel.lasts());
    let age =
        Arc::new(move || shown.completed().map(|at| crate::clock::monotonic().saturating_duration_since(at)));
    Vital { name: "sentinel", age, max_age }
}

type Requests = Port<strategy::StrategyRequest>;

fn order_path(
    readings: &mut Readings,
    trading: &Trading,
    wires: &Wires,
    journal: Cell<Journal>,
    (beats, hands): (&mut Vec<HeartbeatSetup>, &mut Hands),
) -> (SupervisorDecl, OmsHandle, Requests, Port<KillNews>) {
    let (oms, handle, oms_cell) =
        oms::declare(ORDER_ARBITER, trading.oms.clone(), wires.clone(), readings.oms.clone());
    let mut path = supervisor("order_path")
        .strategy(Strategy::RestForOne)
        .intensity(5, Duration::from_secs(60))
        .child(journal)
        .child(oms_cell);
    let mut ports = BTreeMap::new();
    for venue in &trading.venues {
        let seen = VenueReadings::default();
        readings.orders.insert(venue.id.clone(), seen.clone());
        let open = resuming(venue, &wires.cursors);
        let name = format!("connector-{}", venue.id);
        let (connector, cell) = connector::declare(&name, ORDER_ARBITER, open, oms.port(), seen);
        ports.insert(venue.id.clone(), connector.port());
        hands.orders.insert(venue.id.clone(), connector.port());
        hands.beats.insert(venue.id.clone(), connector.port());
        path = path.child(cell);
        beats.push(heartbeat_setup(readings, trading, venue, connector.port()));
    }
    // Set once, here.
    let _ = wires.connectors.set(ports);
    (path, handle, oms.port(), oms.port())
}

fn heartbeat_setup(
    readings: &mut Readings,
    trading: &Trading,
    venue: &VenueWire,
    ask: Port<Beat>,
) -> HeartbeatSetup {
    let shown = HeartbeatReadings::default();
    readings.heartbeats.insert(venue.id.clone(), shown.clone());
    HeartbeatSetup {
        venue: venue.id.clone(),
        knobs: trading.heartbeat,
        ask,
        seen: readings.orders.get(&venue.id).cloned().unwrap_or_default(),
        alerts: readings.alerts.clone(),
        readings: shown,
    }
}

/// Opens a venue's order session where the journal's fills end.
fn resuming(
    venue: &VenueWire,
    cursors: &Cursors,
) -> impl Fn() -> Result<Binance, String> + Send + Sync + 'static {
    let (id, open, cursors) = (venue.id.clone(), Arc::clone(&venue.open_orders), cursors.clone());
    move || {
        let session = open()?;
        for (symbol, last) in cursors.of(&id) {
            session.resume_after(&symbol, &last);
        }
        Ok(session)
    }
}

fn strategies(
    readings: &mut Readings,
    trading: &Trading,
    wires: &Wires,
    requests: &Requests,
) -> (SupervisorDecl, BTreeMap<VenueId, Vec<Subscriber>>) {
    let mut all = supervisor("strategies");
    let (mut news, mut subscribers) = (BTreeMap::new(), BTreeMap::<VenueId, Vec<Subscriber>>::new());
    for setup in &trading.strategies {
        let seen = StrategyReadings::default();
        if trading.drift.is_some() {
            seen.1.connect(readings.drift_tap.clone(), &setup.strategy);
        }
        readings.strategies.insert(setup.strategy.clone(), seen.clone());
        let (ports, decl) = strategy::declare(setup.clone(), requests.clone(), seen);
        news.insert(setup.strategy.clone(), ports.news);
        subscribers.entry(setup.venue.clone()).or_default().push(Subscriber::new(ports.market));
        all = all.child(decl);
    }
    // Set once, here.
    let _ = wires.strategies.set(news);
    (all, subscribers)
}

fn market(
    readings: &mut Readings,
    trading: &Trading,
    subscribers: &BTreeMap<VenueId, Vec<Subscriber>>,
    hands: &mut Hands,
) -> SupervisorDecl {
    let mut all = supervisor("market").intensity(5, Duration::from_secs(60));
    for venue in &trading.venues {
        let outlets = MarketOutlets {
            board: readings.boards.get(&venue.id).cloned().unwrap_or_default(),
            subscribers: subscribers.get(&venue.id).cloned().unwrap_or_default(),
            drift: trading
                .drift
                .is_some()
                .then(|| MarketTap { tap: readings.drift_tap.clone(), venue: venue.id.clone() }),
            ..MarketOutlets::default()
        };
        readings.market.insert(venue.id.clone(), outlets.readings.clone());
        let open = Arc::clone(&venue.open_market);
        let (session, cell) = market_data::declare(&format!("market-{}", venue.id), move || open(), outlets);
        hands.market.insert(venue.id.clone(), session.port());
        all = all.child(cell);
    }
    all
}
