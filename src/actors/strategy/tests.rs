//! The strategy's cell between a scripted order component and a scripted market.

use super::*;
use crate::domain::ids::Asset;
use crate::domain::instrument::Step;
use crate::domain::market::{BookLoss, Level, Top};
use crate::domain::money::{Price, Quantity};
use crate::domain::order::OrderKind;
use crate::domain::order_types::Side;
use crate::supervision::{Fault, NodeState, Tree, TreeOptions};
use tokio::sync::mpsc;

/// Stands where the order component stands: hands on what it is asked, as far as there is room.
struct Ear(mpsc::UnboundedSender<StrategyRequest>);

impl Actor for Ear {
    type Context = Ctx<Self>;
}

impl Handler<StrategyRequest> for Ear {
    type Result = ();
    fn handle(&mut self, request: StrategyRequest, _: &mut Self::Context) {
        self.0.send(request).unwrap();
    }
}

/// Buys once per top, and says what it was told; a trade makes it panic.
#[derive(Debug)]
struct Eager {
    brief: Brief,
    inputs: mpsc::UnboundedSender<Input>,
}

impl Strategy for Eager {
    fn on(&mut self, _: Mono, input: &Input) -> Vec<Intent> {
        self.inputs.send(input.clone()).unwrap();
        assert!(!matches!(input, Input::Trade(_)), "a trade");
        if !matches!(input, Input::Top(Some(_))) {
            return Vec::new();
        }
        vec![Intent::Submit(Box::new(OrderRequest {
            client_order_id: None,
            venue: self.brief.venue.clone(),
            symbol: self.brief.symbol.clone(),
            side: Side::Buy,
            kind: OrderKind::Market,
            quantity: Quantity::parse("1").unwrap(),
            price: None,
            time_in_force: None,
            stop_loss: None,
            reduce_only: false,
            strategy: self.brief.strategy.clone(),
            correlation: Some(Correlation::new(&format!("{}-1", self.brief.prefix)).unwrap()),
        }))]
    }
}

struct Stage {
    tree: Tree,
    ports: StrategyPorts,
    readings: StrategyReadings,
    asked: mpsc::UnboundedReceiver<StrategyRequest>,
    inputs: mpsc::UnboundedReceiver<Input>,
}

fn symbol() -> Symbol {
    Symbol::new("BTCUSDT").unwrap()
}

fn stage(room: usize) -> Stage {
    let (tell, asked) = mpsc::unbounded_channel();
    let (hear, inputs) = mpsc::unbounded_channel();
    let ear_spec = ChildSpec {
        mailbox: MailboxPolicy { capacity: room, on_restart: OnRestart::Keep },
        ..ChildSpec::default()
    };
    let (ear, ear_cell) = cell("ear", ear_spec, move |_: &mut Ctx<Ear>| Ok(Ear(tell.clone())));
    let make: Make = Box::new(move |brief| Box::new(Eager { brief: brief.clone(), inputs: hear.clone() }));
    let setup = StrategySetup {
        strategy: StrategyId::new("eager").unwrap(),
        venue: VenueId::new("paper").unwrap(),
        symbol: symbol(),
        make: Arc::new(make),
    };
    let readings = StrategyReadings::default();
    let (ports, alone) = declare(setup, ear.port(), readings.clone());
    let strategies = supervisor("strategies").child(alone);
    let root = supervisor("root").child(ear_cell).child(strategies);
    let tree = Tree::start(root, TreeOptions::default()).unwrap();
    Stage { tree, ports, readings, asked, inputs }
}

fn hello(greeting: u64) -> Hello {
    let instrument = Instrument {
        symbol: symbol(),
        base: Asset::new("BTC").unwrap(),
        quote: Asset::new("USDT").unwrap(),
        trading: true,
        price: Step::default(),
        lot: Step::default(),
        market_lot: None,
        min_notional: None,
        max_notional: None,
        max_open_orders: None,
        unknown_filters: Vec::new(),
    };
    Hello {
        greeting,
        orders: Vec::new(),
        positions: Vec::new(),
        instruments: vec![instrument],
        enabled: true,
        phase: Phase::Running,
    }
}

fn top() -> MarketUpdate {
    let level = Level { price: Price::parse("1").unwrap(), quantity: Quantity::parse("1").unwrap() };
    let top = Some(Top { update_id: 1, bid: level, ask: level });
    MarketUpdate { event: MarketEvent::Book { symbol: symbol(), top }, missed: 0 }
}

impl Stage {
    async fn asked(&mut self) -> StrategyRequest {
        tokio::time::timeout(Duration::from_secs(20), self.asked.recv()).await.unwrap().unwrap()
    }

    /// The next thing asked that is no repeated greeting.
    async fn wanted(&mut self) -> StrategyRequest {
        loop {
            match self.asked().await {
                StrategyRequest::Greet { .. } => {}
                other => return other,
            }
        }
    }

    async fn greet(&mut self) {
        let StrategyRequest::Greet { greeting, .. } = self.asked().await else { panic!("no greeting") };
        self.ports.news.tell(StrategyNews::Hello(Box::new(hello(greeting)))).unwrap();
    }

    async fn input(&mut self) -> Input {
        tokio::time::timeout(Duration::from_secs(20), self.inputs.recv()).await.unwrap().unwrap()
    }

    async fn end(self) {
        self.tree.shutdown(Duration::from_secs(5)).await;
    }
}

fn on_stage(room: usize, act: impl AsyncFnOnce(Stage)) {
    actix_rt::System::new().block_on(async { act(stage(room)).await });
}

#[test]
fn it_decides_nothing_before_it_knows_where_it_stands() {
    on_stage(64, async |mut stage| {
        stage.ports.market.tell(top()).unwrap();
        let StrategyRequest::Greet { greeting, .. } = stage.asked().await else { panic!("no greeting") };
        // An answer to another greeting is none.
        stage.ports.news.tell(StrategyNews::Hello(Box::new(hello(greeting + 100)))).unwrap();
        stage.ports.news.tell(StrategyNews::Hello(Box::new(hello(greeting)))).unwrap();
        assert_eq!(stage.input().await, Input::Enabled);
        stage.ports.market.tell(top()).unwrap();
        assert!(matches!(stage.input().await, Input::Top(Some(_))));
        assert!(matches!(stage.wanted().await, StrategyRequest::Submit(_)));
        assert!(stage.readings.latest().trading);
        stage.end().await;
    });
}

#[test]
fn switches_phases_and_missed_data_reach_it() {
    on_stage(64, async |mut stage| {
        stage.greet().await;
        assert_eq!(stage.input().await, Input::Enabled);
        let phase = |phase| {
            StrategyNews::Changed(Change::Phase {
                phase,
                reason: String::new(),
                actor: String::new(),
                version: 0,
            })
        };
        let switch = |enabled| {
            let strategy = StrategyId::new("eager").unwrap();
            StrategyNews::Changed(Change::Strategy { strategy, enabled })
        };
        stage.ports.news.tell(switch(false)).unwrap();
        assert_eq!(stage.input().await, Input::Disabled);
        stage.ports.news.tell(switch(true)).unwrap();
        assert_eq!(stage.input().await, Input::Enabled);
        stage.ports.news.tell(phase(Phase::Halted)).unwrap();
        assert_eq!(stage.input().await, Input::Disabled);
        // While others decide it hears no market at all.
        stage.ports.news.tell(phase(Phase::Reconciling)).unwrap();
        stage.ports.market.tell(top()).unwrap();
        stage.ports.news.tell(phase(Phase::Running)).unwrap();
        assert_eq!(stage.input().await, Input::Enabled);
        let lost = MarketEvent::BookLost { symbol: symbol(), why: BookLoss::Disconnected };
        stage.ports.market.tell(MarketUpdate { event: lost, missed: 0 }).unwrap();
        assert_eq!(stage.input().await, Input::Top(None));
        let elsewhere = MarketEvent::Book { symbol: Symbol::new("ETHUSDT").unwrap(), top: None };
        stage.ports.market.tell(MarketUpdate { event: elsewhere, missed: 3 }).unwrap();
        assert_eq!(stage.input().await, Input::Top(None), "the loss of its own book may be what it missed");
        stage.end().await;
    });
}

#[test]
fn a_full_port_drops_the_request_and_says_so() {
    on_stage(1, async |mut stage| {
        stage.greet().await;
        assert_eq!(stage.input().await, Input::Enabled);
        // The other side sticks at its next turn, and may take requests before. Once stuck, one request waits; the
        // others come back as refused.
        assert!(stage.tree.inject("root/ear", Fault::Wedge).await);
        let mut refused = 0;
        while refused < 3 {
            stage.ports.market.tell(top()).unwrap();
            while let Input::Refused(correlation) = stage.input().await {
                assert!(correlation.as_str().starts_with("eager-"));
                refused += 1;
            }
        }
        assert!(stage.readings.latest().dropped >= 3);
        stage.end().await;
    });
}

#[test]
fn it_fails_alone_and_in_the_end_stays_down_alone() {
    on_stage(64, async |mut stage| {
        let trade = crate::domain::market::PublicTrade {
            symbol: symbol(),
            trade_id: 1.into(),
            price: Price::parse("1").unwrap(),
            quantity: Quantity::parse("1").unwrap(),
            aggressor: Side::Buy,
            at: crate::domain::time::WallMs(0),
        };
        let mut greetings = 0;
        while stage.ports.news.tell(StrategyNews::Refused(Correlation::new("x").unwrap())).is_ok() {
            let Ok(Some(asked)) = tokio::time::timeout(Duration::from_secs(3), stage.asked.recv()).await
            else {
                continue;
            };
            let StrategyRequest::Greet { greeting, .. } = asked else { panic!("{asked:?}") };
            greetings += 1;
            stage.ports.news.tell(StrategyNews::Hello(Box::new(hello(greeting)))).ok();
            let event = MarketEvent::Trade(trade.clone());
            stage.ports.market.tell(MarketUpdate { event, missed: 0 }).ok();
        }
        assert!(greetings >= RESTARTS_MAX, "{greetings} lives");
        let nodes = stage.tree.snapshot();
        let state = |path: &str| nodes.iter().find(|node| node.path == path).map(|node| node.state);
        assert_eq!(state("root/ear"), Some(NodeState::Running));
        assert_eq!(state("root/strategies"), Some(NodeState::Running));
        assert_ne!(state("root/strategies/eager"), Some(NodeState::Running));
        stage.end().await;
    });
}
