//! The kill switch's cell: whoever stands for the order management hears how the latch stands until it says so.

use actix::{Actor, Handler};
use plimsoll::actors::alert_board::AlertBoard;
use plimsoll::actors::kill_switch::{self, KillNews, KillOutlet, KillSwitch};
use plimsoll::domain::kill_switch::Cause;
use plimsoll::supervision::{ChildSpec, Ctx, Fault, Tree, TreeOptions, cell, supervisor};
use std::time::Duration;
use tokio::sync::mpsc;

/// Says at its start that it knows nothing, and takes note only of what it is allowed to.
struct Oms {
    kill: KillSwitch,
    heard: mpsc::Sender<KillNews>,
    deaf_below: u64,
}

impl Actor for Oms {
    type Context = Ctx<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.kill.begin_anew();
    }
}

impl Handler<KillNews> for Oms {
    type Result = ();

    fn handle(&mut self, news: KillNews, _: &mut Self::Context) {
        let generation = news.record().generation;
        self.heard.try_send(news).unwrap();
        if self.deaf_below == 0 {
            self.kill.acknowledge(generation);
        } else {
            self.deaf_below -= 1;
        }
    }
}

async fn next(heard: &mut mpsc::Receiver<KillNews>) -> KillNews {
    tokio::time::timeout(Duration::from_secs(10), heard.recv()).await.unwrap().unwrap()
}

fn codes(alerts: &AlertBoard) -> Vec<&'static str> {
    alerts.open().iter().map(|alert| alert.code).collect()
}

async fn until(what: &str, mut good: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if good() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}

#[test]
fn the_news_is_told_until_it_is_acknowledged_and_to_every_incarnation() {
    let folder = tempfile::tempdir().unwrap();
    let kill = KillSwitch::open(folder.path()).unwrap();
    actix_rt::System::new().block_on(async {
        let (alerts, outlet) = (AlertBoard::default(), KillOutlet::default());
        let (tell, mut heard) = mpsc::channel(1_000);
        let (_, kill_cell) = kill_switch::declare(kill.clone(), alerts.clone(), outlet.clone());
        let switch = kill.clone();
        let (oms, oms_cell) = cell("oms", ChildSpec::default(), move |_: &mut Ctx<Oms>| {
            Ok(Oms { kill: switch.clone(), heard: tell.clone(), deaf_below: 2 })
        });
        let _ = outlet.set(oms.port());
        let tree = Tree::start(supervisor("root").child(kill_cell).child(oms_cell), TreeOptions::default());
        let tree = tree.unwrap();

        // It hears how things stand, and again while it does not say that it took note.
        for _ in 0..3 {
            assert!(matches!(next(&mut heard).await, KillNews::Reset(record) if record.generation == 1));
        }
        until("acknowledged", || kill.acknowledged() == Some(1)).await;
        while heard.try_recv().is_ok() {}

        kill.engage(Cause::Sentinel, "sentinel", "no truth for 5 s");
        let KillNews::Engaged(record) = next(&mut heard).await else { panic!("not engaged") };
        assert_eq!((record.generation, record.cause), (2, Some(Cause::Sentinel)));
        until("the alert", || codes(&alerts) == ["kill_switch_engaged"]).await;
        assert!(alerts.open()[0].reason.contains("no truth for 5 s"));
        until("acknowledged", || kill.acknowledged() == Some(2)).await;
        while heard.try_recv().is_ok() {}

        // A new incarnation knows nothing.
        assert!(tree.inject("root/oms", Fault::Panic).await);
        assert!(matches!(next(&mut heard).await, KillNews::Engaged(record) if record.generation == 2));
        // The cell itself dies: the latch does not care, and its successor tells what stands.
        assert!(tree.inject("root/kill_switch", Fault::Panic).await);
        assert!(kill.tripwire().is_tripped());
        until("acknowledged again", || kill.acknowledged() == Some(2)).await;
        while heard.try_recv().is_ok() {}

        kill.reset(2, "anna", "the sentinel was wrong", &[]).unwrap();
        let news = loop {
            match next(&mut heard).await {
                KillNews::Engaged(record) => assert_eq!(record.generation, 2, "an old word, late"),
                reset @ KillNews::Reset(_) => break reset,
            }
        };
        assert_eq!((news.record().generation, news.record().actor.as_str()), (3, "anna"));
        until("the alert is cleared", || codes(&alerts).is_empty()).await;
        tree.shutdown(Duration::from_secs(5)).await;
    });
}
