//! The journal's cell: groups, answers in order, refusals, recovery, sessions, damage.

use crate::support::*;
use actix::prelude::*;
use plimsoll::actors::journal::*;
use plimsoll::db::{AlertFilter, DATABASE, Keep, Readers};
use plimsoll::domain::journal::{Batch, Seq, Snapshot, Ticket};
use plimsoll::domain::order::OrderState;
use plimsoll::supervision::*;
use std::path::Path;
use std::time::Duration;
use tokio::sync::mpsc;

const WITHIN: Duration = Duration::from_secs(20);

/// Hands the journal's answers to the test.
struct Listener(mpsc::UnboundedSender<JournalAnswer>);

impl Actor for Listener {
    type Context = Ctx<Self>;
}

impl Handler<JournalAnswer> for Listener {
    type Result = ();
    fn handle(&mut self, answer: JournalAnswer, _: &mut Self::Context) {
        self.0.send(answer).unwrap();
    }
}

struct Desk {
    tree: Tree,
    journal: Handle<Journal>,
    readings: JournalReadings,
    answers: mpsc::UnboundedReceiver<JournalAnswer>,
    port: Port<JournalAnswer>,
}

impl Desk {
    async fn start(dir: &Path) -> Self {
        Self::start_with(
            dir,
            JournalSettings { busy_timeout: Duration::from_millis(20), ..JournalSettings::default() },
        )
        .await
    }

    async fn start_with(dir: &Path, settings: JournalSettings) -> Self {
        let readings = JournalReadings::default();
        let (journal, journal_cell) = declare_with(dir.to_owned(), readings.clone(), settings);
        let (sender, answers) = mpsc::unbounded_channel();
        let (listener, listener_cell) =
            cell("listener", ChildSpec::default(), move |_: &mut Ctx<Listener>| Ok(Listener(sender.clone())));
        let root = supervisor("test").child(journal_cell).child(listener_cell);
        let tree = Tree::start(root, TreeOptions::default()).unwrap();
        tree.up().await.unwrap();
        Self { tree, journal, readings, answers, port: listener.port() }
    }

    async fn open(&self) -> Result<Session, JournalFailure> {
        self.journal.ask(OpenSession, WITHIN).await.unwrap()
    }

    fn send(&self, session: u64, batches: Vec<Batch>) {
        self.journal.tell(Append { session, batches, done: self.port.clone() }).unwrap();
    }

    async fn hear(&mut self) -> JournalAnswer {
        tokio::time::timeout(WITHIN, self.answers.recv()).await.expect("an answer").unwrap()
    }

    /// Answers up to and including the one that says that a ticket is durable.
    async fn until_durable(&mut self, wanted: u64) -> Vec<JournalAnswer> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.hear().await);
            if matches!(heard.last(), Some(JournalAnswer::Durable { ticket, .. }) if ticket.0 >= wanted) {
                return heard;
            }
        }
    }

    async fn end(self) {
        self.tree.shutdown(WITHIN).await;
    }
}

fn run<F: Future<Output = ()>>(test: F) {
    actix_rt::System::new().block_on(test);
}

fn intent(ticket: u64) -> Batch {
    Batch { refusable: true, ..rows(ticket, 1) }
}

#[test]
fn what_waits_together_is_written_together_and_answered_in_order() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(dir.path()).await;
        let session = desk.open().await.unwrap();
        assert_eq!((session.number, session.snapshot.clone(), session.head), (1, None, Seq(1)));
        for ticket in 1..=300 {
            desk.send(session.number, vec![rows(ticket, 2)]);
        }
        let heard = desk.until_durable(300).await;
        assert!(heard.iter().all(|answer| matches!(answer, JournalAnswer::Durable { session: 1, .. })));
        let (buckets, beyond, _) = desk.readings.commits().read();
        let commits = buckets.iter().sum::<u64>() + beyond;
        assert!(commits < 300, "{commits} commits for 300 batches");
        assert_eq!(desk.readings.latest().head, Seq(601));
        let read = desk.journal.ask(ReadRows { after: Seq(1), limit: 1_000 }, WITHIN).await.unwrap().unwrap();
        assert_eq!(read.len(), 600);
        assert_eq!(Readers::open(dir.path()).unwrap().head().unwrap().seq, Seq(601));
        desk.end().await;
    });
}

#[test]
fn a_snapshot_is_where_the_next_session_begins() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(dir.path()).await;
        let first = desk.open().await.unwrap();
        desk.send(first.number, vec![rows(1, 3), with_snapshot(2, 2, r#"{"a":1}"#), rows(3, 1)]);
        desk.until_durable(3).await;
        let second = desk.open().await.unwrap();
        assert_eq!(second.number, 2);
        assert_eq!(second.snapshot, Some((Seq(6), r#"{"a":1}"#.to_owned())));
        assert_eq!(second.head, Seq(7));
        // The session before is over.
        desk.send(first.number, vec![rows(4, 1)]);
        let over = desk.hear().await;
        assert!(matches!(over, JournalAnswer::Refused { session: 1, ticket: Ticket(4), .. }), "{over:?}");
        assert_eq!(desk.readings.latest().head, Seq(7));
        desk.end().await;
    });
}

#[test]
fn a_foreign_lock_refuses_intents_keeps_evidence_and_passes() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(dir.path()).await;
        let session = desk.open().await.unwrap().number;
        desk.send(session, vec![rows(1, 1)]);
        desk.until_durable(1).await;
        let mut foreign = plain(dir.path());
        execute(&mut foreign, "BEGIN IMMEDIATE").unwrap();
        let stale =
            Batch { snapshot: Some(Snapshot { state: "{}".to_owned(), refusals_seen: 0 }), ..rows(4, 1) };
        desk.send(session, vec![intent(2), rows(3, 1), stale]);
        let refused = desk.hear().await;
        assert!(
            matches!(&refused, JournalAnswer::Refused { ticket: Ticket(2), why, .. } if why.contains("locked")),
            "{refused:?}"
        );
        assert!(matches!(desk.hear().await, JournalAnswer::Writable { writable: false, .. }));
        desk.send(session, vec![intent(5)]);
        assert!(matches!(desk.hear().await, JournalAnswer::Refused { ticket: Ticket(5), .. }));
        let reading = desk.readings.latest();
        assert!(!reading.writable && reading.waiting_rows == 2 && reading.failure.is_some(), "{reading:?}");
        execute(&mut foreign, "COMMIT").unwrap();
        assert!(matches!(desk.hear().await, JournalAnswer::Durable { ticket: Ticket(4), .. }));
        assert!(matches!(desk.hear().await, JournalAnswer::Writable { writable: true, .. }));
        desk.send(session, vec![intent(6)]);
        desk.until_durable(6).await;
        assert!(desk.readings.latest().writable);
        let again = desk.open().await.unwrap();
        assert_eq!(again.snapshot, None, "a snapshot that did not hear of the refusals is not kept");
        assert_eq!(again.head, Seq(5));
        desk.end().await;
    });
}

#[test]
fn a_full_database_refuses_and_an_idle_one_notices() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let settings = JournalSettings {
            pages_max: Some(60),
            heartbeat: Duration::from_millis(500),
            ..JournalSettings::default()
        };
        let mut desk = Desk::start_with(dir.path(), settings).await;
        let session = desk.open().await.unwrap().number;
        let mut ticket = 0;
        let refused = loop {
            ticket += 1;
            desk.send(session, vec![Batch { refusable: true, ..rows(ticket, 50) }]);
            match desk.hear().await {
                JournalAnswer::Durable { .. } => assert!(ticket < 100, "never full"),
                refused => break refused,
            }
        };
        assert!(
            matches!(&refused, JournalAnswer::Refused { why, .. } if why.contains("full")),
            "{refused:?}"
        );
        assert!(matches!(desk.hear().await, JournalAnswer::Writable { writable: false, .. }));
        // Small writes still fit: nothing waits, so the heartbeat finds that out.
        assert!(matches!(desk.hear().await, JournalAnswer::Writable { writable: true, .. }));
        desk.end().await;
    });
}

#[test]
fn one_contradiction_does_not_refuse_its_neighbours() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(dir.path()).await;
        let session = desk.open().await.unwrap().number;
        let mut twice = order(2, OrderState::PendingSubmit);
        twice.client_order_id = order(1, OrderState::Filled).client_order_id;
        desk.send(
            session,
            vec![
                Batch { orders: vec![order(1, OrderState::Filled)], ..rows(1, 1) },
                Batch { orders: vec![twice], ..intent(2) },
                rows(3, 1),
            ],
        );
        assert!(matches!(desk.hear().await, JournalAnswer::Durable { ticket: Ticket(1), .. }));
        assert!(matches!(desk.hear().await, JournalAnswer::Refused { ticket: Ticket(2), .. }));
        assert!(matches!(desk.hear().await, JournalAnswer::Durable { ticket: Ticket(3), .. }));
        assert_eq!(desk.readings.latest().head, Seq(3));
        desk.end().await;
    });
}

#[test]
fn what_was_sent_before_the_end_is_written() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let mut desk = Desk::start(dir.path()).await;
        let session = desk.open().await.unwrap().number;
        desk.send(session, (1..=50).map(|ticket| rows(ticket, 30)).collect());
        // One group is on the disk, so the whole was read; the rest waits for its turn.
        desk.hear().await;
        desk.end().await;
        assert_eq!(writer(dir.path()).head().seq, Seq(1_501));
    });
}

#[test]
fn a_damaged_journal_lets_the_process_start_and_opens_no_session() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        writer(dir.path()).append(&[rows(1, 20)]).unwrap();
        sql(
            dir.path(),
            "DROP TRIGGER journal_rows_never_change; UPDATE journal SET payload = '{}' WHERE seq = 7",
        )
        .unwrap();
        let desk = Desk::start(dir.path()).await;
        let failure = desk.open().await.unwrap_err();
        assert!(matches!(failure, JournalFailure::Corrupt { .. }), "{failure}");
        assert!(
            failure.to_string().contains("row 7") && failure.to_string().contains("journal_corrupt"),
            "{failure}"
        );
        assert!(desk.readings.latest().failure.is_some());
        desk.end().await;
        std::fs::remove_file(dir.path().join(DATABASE)).unwrap();
        let desk = Desk::start(dir.path()).await;
        let failure = desk.open().await.unwrap_err();
        assert!(failure.to_string().contains("gone"), "{failure}");
        desk.send(1, vec![rows(1, 1)]);
        desk.end().await;
        assert!(!dir.path().join(DATABASE).exists(), "nothing was begun in its place");
    });
}

#[test]
fn old_rows_leave_when_it_is_quiet() {
    run(async {
        let dir = tempfile::tempdir().unwrap();
        let settings = JournalSettings { keep: Keep { rows: 100, slice: 50 }, ..JournalSettings::default() };
        let mut desk = Desk::start_with(dir.path(), settings).await;
        let session = desk.open().await.unwrap().number;
        for batch in [with_snapshot(1, 150, "1"), with_snapshot(2, 100, "2"), rows(3, 10)] {
            let ticket = batch.ticket.0;
            desk.send(session, vec![batch]);
            desk.until_durable(ticket).await;
        }
        let readers = Readers::open(dir.path()).unwrap();
        // 261 rows, 100 of them stay; the second newest snapshot stands at row 151.
        tokio::time::timeout(WITHIN, async {
            while readers.counts().unwrap().archived_rows < 150 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .expect("three slices");
        desk.end().await;
    });
}

#[test]
fn old_alerts_leave_by_themselves_and_the_youngest_number_stays() {
    use plimsoll::domain::alert::router::Work;
    use plimsoll::domain::alert::{Alert, Condition, batch};
    use plimsoll::domain::ids::Correlation;
    use plimsoll::domain::time::WallMs;
    run(async {
        let dir = tempfile::tempdir().unwrap();
        // Over since the beginning of time; the last one since a moment ago.
        let alert = |number: u64, cleared: i64| {
            let condition = Condition::new("disk_low", number.to_string(), "5 % free");
            let at = WallMs(cleared.saturating_sub(1));
            Alert { cleared_at: Some(WallMs(cleared)), ..Alert::raised(number, "pl", &condition, at, at) }
        };
        let now = plimsoll::clock::wall_millis();
        let alerts = (1..=200).map(|n| alert(n, 1_000)).chain([alert(201, now)]).collect();
        let work = Work { alerts, ..Work::default() };
        let batch = batch(&work, &Correlation::new("alerts").unwrap()).unwrap();
        writer(dir.path()).append(&[batch]).unwrap();
        let settings =
            JournalSettings { keep_alerts: Duration::from_secs(86_400), ..JournalSettings::default() };
        let desk = Desk::start_with(dir.path(), settings).await;
        let readers = Readers::lazy(dir.path());
        let began = plimsoll::clock::monotonic();
        loop {
            let left = readers.alerts(AlertFilter::default(), None, 1_000).unwrap();
            if left.iter().map(|alert| alert.number).collect::<Vec<_>>() == [201] {
                break;
            }
            assert!(began.elapsed() < WITHIN, "{} are left", left.len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        desk.end().await;
    });
}
