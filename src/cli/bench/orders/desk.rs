//! The runtime in this process on a folder of its own, and the resting orders that it trades against.

use crate::actors::oms::{OmsHandle, OmsReadings};
use crate::app::{App, Launch};
use crate::clock;
use crate::config::{ProcessEnv, Settings, Source, load_source};
use crate::domain::connection::State;
use crate::domain::ids::{ClientOrderId, Symbol, VenueId};
use crate::domain::money::{Price, Quantity};
use crate::domain::oms::Phase;
use crate::domain::order_types::{NewOrder, OrderType, Side, TimeInForce};
use crate::domain::outcome::Outcome;
use crate::venues::Venue as _;
use crate::venues::binance::signing::Secret;
use crate::venues::binance::{Binance, BinanceConfig};
use anyhow::{Context as _, bail};
use rust_decimal::Decimal;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Wide limits, every one of them set: the bench walks the whole chain.
const LIMITS: &str = include_str!("../../../../config/rehearsal-limits.yaml");

/// What is traded.
pub(super) const SYMBOL: &str = "BTCUSDT";
/// Longest wait for anything to come up.
const PATIENCE: Duration = Duration::from_secs(30);

/// Best bid and ask of the exchange, as it tells anybody.
pub(super) fn top(exchange: &str) -> anyhow::Result<(Price, Price)> {
    /// The exchange's words.
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Ticker {
        bid_price: Price,
        ask_price: Price,
    }
    let local = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let url = format!("http://{exchange}/api/v3/ticker/bookTicker?symbol={SYMBOL}");
    let ticker: Ticker = local.block_on(async {
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build()?;
        http.get(url).send().await?.error_for_status()?.json().await
    })?;
    Ok((ticker.bid_price, ticker.ask_price))
}

/// A folder and a configuration; the folder goes with it.
pub(super) struct Desk {
    folder: PathBuf,
    yaml: String,
}

impl Desk {
    pub(super) fn open(below: &Path, exchange: &str) -> anyhow::Result<Self> {
        let folder = below.join(format!("bench-orders-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let yaml = format!(
            "deployment: {{ name: bench, environment: development, instance: local }}
telemetry: {{ log_level: warn }}
web: {{ listen: 127.0.0.1:0 }}
data_dir: {}
venues:
  - {{ name: paper, kind: binance_spot, rest_url: http://{exchange}, paper_account: demo, symbols: [{SYMBOL}] }}
strategies:
  - {{ name: bench, kind: manual, on_unknown: adopt }}
orders: {{ at_shutdown: keep }}
{LIMITS}",
            folder.join("data").display()
        );
        std::fs::write(folder.join("bench.yaml"), &yaml)?;
        Ok(Self { folder, yaml })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder.join("bench.yaml")
    }

    /// Starts the runtime on a thread of its own.
    pub(super) fn run(&self, top: (Price, Price)) -> anyhow::Result<Runtime> {
        let source = Source::new("bench.yaml", &self.yaml)?;
        let loaded = load_source::<Settings>(Some(source), &ProcessEnv, &[]);
        let loaded = loaded.map_err(|errors| anyhow::anyhow!("the bench's own settings: {errors}"))?;
        let hash = loaded.hash()?;
        let app = App::build(loaded.settings, &loaded.document, hash, Launch::warm())?;
        let (oms, readings) = app.order_path().context("no venue was configured")?;
        let address = app.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::Builder::new().name("runtime".to_owned()).spawn(move || {
            let run = app.run(async {
                // Dropped means that the bench has failed: the runtime ends all the same.
                let _ = stopped.await;
            });
            actix_rt::System::new().block_on(run).map(drop).map_err(anyhow::Error::from)
        })?;
        Ok(Runtime { oms, readings, address, top, stop, thread })
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // What is left has a name that says what it was.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The running runtime.
pub(super) struct Runtime {
    pub(super) oms: OmsHandle,
    pub(super) readings: OmsReadings,
    /// Where it answers over HTTP.
    pub(super) address: SocketAddr,
    /// Best bid and ask; the market stands still.
    pub(super) top: (Price, Price),
    stop: oneshot::Sender<()>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Runtime {
    /// Waits until orders are taken.
    pub(super) async fn until_ready(&self) -> anyhow::Result<()> {
        let began = clock::monotonic();
        loop {
            let view = self.readings.view();
            let priced = !view.prices.is_empty() && view.prices.iter().all(|price| price.known);
            if view.phase == Phase::Running && view.gates.iter().all(|gate| gate.open) && priced {
                return Ok(());
            }
            if clock::monotonic().saturating_duration_since(began) > PATIENCE {
                bail!("the runtime takes no orders: {:?} {:?} {:?}", view.phase, view.reason, view.gates);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A price at which nothing trades.
    pub(super) fn far(&self) -> anyhow::Result<Price> {
        let hundred = Decimal::ONE_HUNDRED;
        let away = self.top.0.get().checked_sub(hundred.checked_mul(Decimal::TEN).unwrap_or(hundred));
        Ok(Price::new(away.unwrap_or_default())?)
    }

    /// Rests a huge order at each side's best price from the second account. They stand as long as the exchange does.
    pub(super) async fn counterpart(&self, exchange: &str) -> anyhow::Result<Binance> {
        let symbol = Symbol::new(SYMBOL)?;
        let mut config = BinanceConfig::at(VenueId::new("counterpart")?, exchange, vec![symbol.clone()]);
        config.credentials = Some(("demo-2".into(), Secret::Hmac("demo-2-secret".into())));
        config.follow_market = false;
        let venue = Binance::start(config)?;
        let mut events = venue.take_order_events().context("the events were taken")?;
        tokio::task::spawn_local(async move { while events.recv().await.is_some() {} });
        let began = clock::monotonic();
        while venue.evidence().orders.state != State::Live {
            if clock::monotonic().saturating_duration_since(began) > PATIENCE {
                bail!("the counterpart's session did not go live");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        for (name, side, quantity, price) in
            [("rest-ask", Side::Sell, "60", self.top.1), ("rest-bid", Side::Buy, "15", self.top.0)]
        {
            let order = NewOrder {
                client_order_id: ClientOrderId::new(name)?,
                symbol: symbol.clone(),
                side,
                order_type: OrderType::Limit,
                quantity: Quantity::parse(quantity)?,
                price: Some(price),
                stop_price: None,
                time_in_force: Some(TimeInForce::Gtc),
            };
            match venue.place(order).await {
                Outcome::Confirmed(_) => {}
                other => bail!("the counterpart's {name} was not confirmed: {other:?}"),
            }
        }
        Ok(venue)
    }

    /// Ends it in order; resting orders stay.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        // It may have ended by itself; then its own answer says why.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow::anyhow!("the runtime's thread panicked"))?
    }
}
