//! Seats the Binance connector at the table: a paper exchange of its own for every card.

use super::desk::{Desk, btc, config, run};
use super::table::{Exchange, Table};
use super::{market_faults, order_faults, orders, sessions};
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, EncodePublicKey};
use plimsoll::domain::ids::Symbol;
use plimsoll::domain::order_types::{OrderStatus, Side};
use plimsoll::domain::outcome::Outcome;
use plimsoll::paper_exchange::config::{KeyConfig, KeyProof};
use plimsoll::paper_exchange::{PaperConfig, PaperExchange, Running};
use plimsoll::venues::Venue as _;
use plimsoll::venues::binance::signing::Secret;
use plimsoll::venues::binance::{Binance, BinanceConfig, OrderPath};
use std::time::Duration;

fn exchange() -> Running {
    let mut paper = PaperConfig::default();
    paper.wire.ping_every = Duration::from_millis(100);
    paper.limits.weight_per_minute = 1_000_000;
    let public = ed25519().verifying_key().to_public_key_pem(LineEnding::LF).unwrap();
    paper.accounts[0]
        .keys
        .push(KeyConfig { api_key: "demo-ed25519".to_owned(), proof: KeyProof::PublicKeyPem(public) });
    PaperExchange::start(paper).unwrap()
}

/// A key pair that exists for these tests only.
fn ed25519() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn with_ed25519(settings: &mut BinanceConfig) {
    let pem = ed25519().to_pkcs8_pem(LineEnding::LF).unwrap();
    let secret = Secret::Ed25519Pem(pem.as_str().into());
    settings.credentials = Some(("demo-ed25519".into(), secret));
}

fn table(running: &Running, settings: BinanceConfig) -> Table<Binance> {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    Table { desk: Desk::open(settings), exchange: Exchange { addr: running.addr(), http } }
}

fn settings(running: &Running) -> BinanceConfig {
    let mut settings = config(running.addr());
    settings.symbols.push(Symbol::new("SHIBUSDT").unwrap());
    settings.probe_every_ms = 200;
    settings.probe_timeout_ms = 400;
    settings.report_overdue_ms = 300;
    settings.order_session.setup_timeout_ms = 1_500;
    settings.market_session.setup_timeout_ms = 3_000;
    settings
}

/// One test per card: an exchange, a venue with the usual settings (changed by the card's), the card.
macro_rules! cards {
    ($($name:ident: $card:path $(, $change:expr)?;)+) => {$(
        #[test]
        fn $name() {
            let running = exchange();
            run(|| async {
                #[allow(unused_mut, reason = "most cards change nothing")]
                let mut settings = settings(&running);
                $(let change: fn(&mut BinanceConfig) = $change; change(&mut settings);)?
                $card(table(&running, settings)).await;
            });
            running.stop().unwrap();
        }
    )+};
}

/// Waits until the venue is live before the card begins.
macro_rules! live {
    ($($name:ident: $card:path $(, $change:expr)?;)+) => {$(
        #[test]
        fn $name() {
            let running = exchange();
            run(|| async {
                #[allow(unused_mut, reason = "most cards change nothing")]
                let mut settings = settings(&running);
                $(let change: fn(&mut BinanceConfig) = $change; change(&mut settings);)?
                let table = table(&running, settings);
                table.desk.until_state(plimsoll::domain::connection::State::Live).await;
                $card(table).await;
            });
            running.stop().unwrap();
        }
    )+};
}

cards! {
    v01: orders::v01_connects;
    v02: orders::v02_refused_key,
        |s| s.credentials = Some(("demo".into(), Secret::Hmac("not the secret".into())));
}

live! {
    v03: orders::v03_rest_and_cancel;
    v03_ed25519: orders::v03_rest_and_cancel, with_ed25519;
    v04_ed25519_over_rest: orders::v04_fill, |s| {
        with_ed25519(s);
        s.order_path = OrderPath::Rest;
    };
    v10_ed25519: v10_on_paper, with_ed25519;
    v03_over_rest: orders::v03_rest_and_cancel, |s| s.order_path = OrderPath::Rest;
    v04: orders::v04_fill;
    v04_over_rest: orders::v04_fill, |s| s.order_path = OrderPath::Rest;
    v05: orders::v05_refusals;
    v05_over_rest: orders::v05_refusals, |s| s.order_path = OrderPath::Rest;
    v06: orders::v06_cancel_of_nothing;
    v07: orders::v07_instruments;
    v11: sessions::v11_refused_connections;
    v12: sessions::v12_half_open;
    v13: sessions::v13_mute_market, |s| s.market_session.stale_after_ms = Some(1_500);
    v14: sessions::v14_stale_but_pinging, |s| s.market_session.stale_after_ms = Some(1_500);
    v15: sessions::v15_mute_user_data;
    v16: sessions::v16_renewal, |s| {
        s.order_session.renew_after_ms = 150;
        s.market_session.renew_after_ms = 150;
    };
    v17: sessions::v17_gap_in_depth;
    v20: order_faults::v20_lost_response;
    v20_over_rest: order_faults::v20_lost_response, |s| s.order_path = OrderPath::Rest;
    v21: order_faults::v21_lost_request;
    v21_over_rest: order_faults::v21_lost_request, |s| s.order_path = OrderPath::Rest;
    v22: order_faults::v22_server_error;
    v22_over_rest: order_faults::v22_server_error, |s| s.order_path = OrderPath::Rest;
    v23: order_faults::v23_delay, |s| s.probe_timeout_ms = 5_000;
    v24: order_faults::v24_reject_orders;
    v25: order_faults::v25_rate_limit;
    v26: order_faults::v26_ban;
    v27: order_faults::v27_duplicate_reports;
    v28: order_faults::v28_reordered_reports;
    v29: order_faults::v29_dropped_report;
    v30: order_faults::v30_hidden_orders;
    v31: order_faults::v31_clock_skew;
    v40: market_faults::v40_book_under_storm;
    v08: v08_on_paper;
    v10: v10_on_paper;
}

/// A second connection to the same account, as a person on the venue's web page would be.
async fn elsewhere(t: &Table<Binance>) -> Desk {
    let mut settings = config(t.exchange.addr);
    settings.symbols = vec![btc()];
    Desk::live(settings).await
}

async fn v08_on_paper(t: Table<Binance>) {
    orders::v08_strangers(t, async |t, name| {
        let desk = elsewhere(t).await;
        let mut order = t.resting("x").await;
        order.client_order_id = plimsoll::domain::ids::ClientOrderId::from_venue(name).unwrap();
        let outcome = desk.venue.place(order).await;
        assert!(matches!(outcome, Outcome::Confirmed(_)), "{outcome:?}");
    })
    .await;
}

async fn v10_on_paper(t: Table<Binance>) {
    sessions::v10_disconnect(t, async |t| {
        let ask = t.best(Side::Sell).await.price;
        let price =
            plimsoll::domain::money::Price::new((ask.get() * rust_decimal::Decimal::new(101, 2)).round_dp(2));
        let desk = elsewhere(t).await;
        let order = super::desk::limit("elsewhere", Side::Buy, "0.0005", &price.unwrap().to_string());
        let Outcome::Confirmed(report) = desk.venue.place(order).await else { panic!() };
        assert_eq!(report.status, OrderStatus::Filled);
        report.fills[0].trade_id.to_string()
    })
    .await;
}
