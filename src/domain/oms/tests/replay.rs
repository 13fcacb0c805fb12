//! The journal read back is the state before the crash, after any history.

use super::desk::*;
use crate::domain::oms::books::Books;
use crate::domain::oms::*;
use crate::domain::order::{OrderNumber, OrderState, ReplaceRequest};
use crate::domain::order_types::{NewOrder, OrderReport, OrderStatus, Side};
use crate::domain::outcome::{Denial, Lookup, Outcome, RejectClass, Rejection, UnknownWhy};
use crate::domain::run_state::Verb;
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Op {
    Submit {
        strategy: usize,
        sell: bool,
    },
    /// The n-th order that was sent is answered.
    Answer {
        nth: usize,
        how: usize,
    },
    Fill {
        nth: usize,
        milli: u64,
        told: bool,
    },
    Cancel {
        nth: usize,
    },
    CancelAll,
    Replace {
        nth: usize,
    },
    Foreign,
    Deposit,
    Halt {
        on: bool,
    },
    Switch {
        on: bool,
    },
    Journal {
        writes: bool,
    },
    Refuse,
    Reconnect,
    Wait {
        ms: u64,
    },
    Crash,
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..4_usize, any::<bool>()).prop_map(|(strategy, sell)| Op::Submit { strategy, sell }),
        12 => (0..8_usize, 0..10_usize).prop_map(|(nth, how)| Op::Answer { nth, how }),
        8 => (0..8_usize, 1..700_u64, any::<bool>()).prop_map(|(nth, milli, told)| Op::Fill { nth, milli, told }),
        4 => (0..8_usize).prop_map(|nth| Op::Cancel { nth }),
        1 => Just(Op::CancelAll),
        2 => (0..8_usize).prop_map(|nth| Op::Replace { nth }),
        1 => Just(Op::Foreign),
        1 => Just(Op::Deposit),
        1 => any::<bool>().prop_map(|on| Op::Halt { on }),
        1 => any::<bool>().prop_map(|on| Op::Switch { on }),
        2 => any::<bool>().prop_map(|writes| Op::Journal { writes }),
        1 => Just(Op::Refuse),
        1 => Just(Op::Reconnect),
        4 => (0..4_000_u64).prop_map(|ms| Op::Wait { ms }),
        1 => Just(Op::Crash),
    ]
}

/// What both sides agree on: the moment of sending has no row.
fn settled(books: &Books) -> Books {
    let mut books = books.clone();
    for order in books.orders.values_mut() {
        if matches!(order.state, OrderState::PendingSubmit | OrderState::Submitted) {
            books.index.count(Some(order.state), Some(OrderState::PendingSubmit));
            order.state = OrderState::PendingSubmit;
            order.attempts = order.attempts.saturating_sub(u32::from(order.attempts == 1));
        }
    }
    // A number whose intent was refused may be given again: nothing of it was sent.
    books.next = 0;
    books
}

struct Run {
    desk: Desk,
    sent: Vec<(NewOrder, OrderReport)>,
    trade: u64,
    names: usize,
}

impl Run {
    fn took(&mut self, effects: &[Effect]) {
        for order in sent(effects) {
            let known = self.sent.iter().any(|(known, _)| known.client_order_id == order.client_order_id);
            if !known {
                let report = self.desk.report(&order, OrderStatus::New, "0");
                self.sent.push((order, report));
            }
        }
    }

    fn step(&mut self, event: Event) {
        let effects = self.desk.step(event);
        self.took(&effects);
    }

    fn name(&self, nth: usize) -> Option<crate::domain::ids::ClientOrderId> {
        let orders: Vec<_> = self.desk.oms.orders().collect();
        orders.get(nth % orders.len().max(1)).map(|order| order.client_order_id.clone())
    }

    fn answer(&mut self, nth: usize, how: usize) {
        if self.sent.is_empty() {
            return;
        }
        let at = nth % self.sent.len();
        let (order, report) = self.sent[at].clone();
        let (venue, id) = (venue(), order.client_order_id.clone());
        let with = |status| OrderReport { status, ..report.clone() };
        let placed = |outcome| Event::Placed { venue: venue.clone(), order: id.clone(), outcome };
        let reject = |class| Outcome::Rejected(Rejection { code: -1, reason: "no".to_owned(), class });
        self.step(match how {
            0 => placed(Outcome::Confirmed(report.clone())),
            1 => Event::Report { venue, report: with(OrderStatus::New) },
            2 => Event::Report { venue, report: with(OrderStatus::Canceled) },
            3 => Event::Report { venue, report: with(OrderStatus::Expired) },
            4 => placed(Outcome::Unknown(UnknownWhy::Disconnected)),
            5 => placed(reject(RejectClass::InsufficientBalance)),
            6 => placed(reject(RejectClass::DuplicateClientOrderId)),
            7 => placed(Outcome::DeniedHere(Denial::QueueFull { limit: 1 })),
            8 => Event::Looked { venue, order: id, answer: Ok(Lookup::Found(Box::new(report.clone()))) },
            _ => Event::Looked { venue, order: id, answer: Ok(Lookup::Absent) },
        });
    }

    fn fill(&mut self, nth: usize, milli: u64, told: bool) {
        if self.sent.is_empty() {
            return;
        }
        let at = nth % self.sent.len();
        let mut report = self.sent[at].1.clone();
        let quantity = format!("0.{milli:03}");
        let executed = report.executed.checked_add(qty(&quantity)).unwrap();
        if executed > report.quantity {
            return;
        }
        self.trade += 1;
        let fill = self.desk.execute(&report, self.trade, &quantity);
        report.executed = executed;
        report.status =
            if executed == report.quantity { OrderStatus::Filled } else { OrderStatus::PartiallyFilled };
        self.sent[at].1 = report.clone();
        if told {
            report.fills.push(fill);
        }
        self.step(Event::Report { venue: venue(), report });
    }

    fn run(&mut self, op: &Op) {
        let by = || operator("prop");
        match op {
            Op::Submit { strategy, sell } => {
                self.names += 1;
                let strategy = ["adopt", "requeue", "cancel", "hold"][*strategy];
                let side = if *sell { Side::Sell } else { Side::Buy };
                let request = request(&format!("n{}", self.names), strategy, side, "1");
                self.step(Event::Submit { request, reply: None });
            }
            Op::Answer { nth, how } => self.answer(*nth, *how),
            Op::Fill { nth, milli, told } => self.fill(*nth, *milli, *told),
            Op::Cancel { nth } => {
                if let Some(order) = self.name(*nth) {
                    self.step(Event::Cancel { order, by: by(), reply: None });
                }
            }
            Op::CancelAll => self.step(Event::CancelAll { scope: Default::default(), by: by(), reply: None }),
            Op::Replace { nth } => {
                if let Some(original) = self.name(*nth) {
                    let request = ReplaceRequest {
                        original,
                        client_order_id: None,
                        price: price("99"),
                        quantity: qty("1.5"),
                    };
                    self.step(Event::Replace { request, by: by(), reply: None });
                }
            }
            Op::Foreign => {
                self.names += 1;
                let mut order = request(&format!("f{}", self.names), "hold", Side::Buy, "1");
                order.price = Some(price("90"));
                let new = NewOrder {
                    client_order_id: id(&format!("f{}", self.names)),
                    symbol: symbol(),
                    side: Side::Buy,
                    order_type: crate::domain::order_types::OrderType::Limit,
                    quantity: qty("1"),
                    price: order.price,
                    stop_price: None,
                    time_in_force: None,
                };
                let report = self.desk.report(&new, OrderStatus::New, "0");
                self.sent.push((new, report.clone()));
                self.step(Event::Report { venue: venue(), report });
            }
            Op::Deposit => {
                let delta = amount("3");
                self.step(Event::BalanceMoved { venue: venue(), asset: asset("USDT"), delta });
            }
            Op::Halt { on: true } => self.step(Event::Halt { by: by() }),
            Op::Halt { on: false } => {
                let effects = self.desk.steer(Verb::Reset);
                self.took(&effects);
                let effects = self.desk.steer(Verb::Resume);
                self.took(&effects);
            }
            Op::Switch { on } => {
                let strategy = "hold".parse().unwrap();
                self.step(Event::SwitchStrategy { strategy, enabled: *on, by: by(), reply: None });
            }
            Op::Journal { writes } => {
                self.desk.writes = *writes;
                if *writes {
                    let effects = self.desk.sync();
                    self.took(&effects);
                }
            }
            Op::Refuse => {
                if let Some(at) = self.desk.pending.iter().position(|batch| batch.refusable) {
                    let ticket = self.desk.pending.remove(at).unwrap().ticket;
                    self.step(Event::NotDurable { ticket, why: "full".to_owned() });
                }
            }
            Op::Reconnect => {
                self.step(Event::VenueLive { venue: venue(), live: false });
                self.step(Event::VenueLive { venue: venue(), live: true });
                self.desk.reconcile();
            }
            Op::Wait { ms } => {
                let effects = self.desk.wait(*ms);
                self.took(&effects);
            }
            Op::Crash => {
                self.desk.restart();
                self.desk.writes = true;
                self.desk.connect(StartHow::Warm);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_read_back_is_the_state(ops in prop::collection::vec(op(), 1..80)) {
        let mut run = Run { desk: Desk::running(), sent: Vec::new(), trade: 0, names: 0 };
        for op in &ops {
            run.run(op);
            if !run.desk.pending.is_empty() {
                continue;
            }
            let mut read = Oms::new(settings()).unwrap();
            replay(&mut read, &run.desk.disk);
            prop_assert_eq!(settled(&read.books), settled(&run.desk.oms.books), "after {:?}", op);
            // The snapshot says what the rows say, in another form.
            let restored = Oms::restore(settings(), &run.desk.oms.snapshot().unwrap()).unwrap();
            prop_assert_eq!(settled(&restored.books), settled(&run.desk.oms.books));
        }
        // I2: one name is sent again only after a row that says so.
        let resends = run.desk.disk.iter().flat_map(|batch| &batch.rows).filter(|row| row.kind == "resend").count();
        prop_assert!(resends <= run.sent.len());
    }
}

/// Killed before it has written many rows of its own, over and over: what a start must read stays bounded.
#[test]
fn many_short_lives_still_leave_a_snapshot() {
    let mut short = settings();
    (short.limits.facts_per_snapshot, short.limits.facts_per_held_order) = (40, 0);
    let mut rows = Vec::new();
    let mut taken = 0;
    for life in 0..20 {
        let mut oms = Oms::new(short.clone()).unwrap();
        // From the last snapshot on, as a start does it.
        replay(&mut oms, &rows);
        let mut desk = Desk::stopped(oms);
        desk.connect(StartHow::Warm);
        for n in 0..3 {
            desk.step(Event::Submit {
                request: request(&format!("o-{life}-{n}"), "hold", Side::Buy, "0.001"),
                reply: None,
            });
        }
        let written = desk.disk.iter().map(|batch| batch.rows.len()).sum::<usize>();
        assert!(written < 40, "a short life: {written}");
        match desk.disk.iter().rposition(|batch| batch.snapshot.is_some()) {
            // What comes after it is all that a start reads; here the lives begin anew.
            Some(_) => {
                taken += 1;
                rows.clear();
            }
            None => rows.extend(std::mem::take(&mut desk.disk)),
        }
        let waiting = rows.iter().map(|batch| batch.rows.len()).sum::<usize>();
        assert!(waiting < 80, "life {life}: {waiting} rows without a snapshot");
    }
    assert!(taken > 1);
}

#[test]
fn books_that_hold_many_orders_are_written_more_rarely() {
    let taken = |per_held_order: u64, most: u64| {
        let mut desk = Desk::running();
        let limits = &mut desk.oms.settings.limits;
        (limits.facts_per_snapshot, limits.facts_per_held_order) = (10, per_held_order);
        limits.facts_per_snapshot_max = most;
        desk.disk.clear();
        for n in 0..30 {
            desk.working(request(&format!("o-{n}"), "hold", Side::Buy, "0.1"));
        }
        assert_eq!(desk.oms.books.orders.len(), 30);
        desk.disk.iter().filter(|batch| batch.snapshot.is_some()).count()
    };
    let (by_rows, by_orders) = (taken(0, 1_000), taken(100, 1_000));
    assert!(by_rows >= 3 && by_orders == 0, "{by_rows} {by_orders}");
    assert_eq!(taken(100, 10), by_rows, "there is a bound");
}

#[test]
fn a_snapshot_of_another_journal_or_format_is_refused() {
    let desk = Desk::running();
    let text = desk.oms.snapshot().unwrap();
    let mut other = settings();
    other.tag = "plother1".to_owned();
    assert!(matches!(Oms::restore(other, &text), Err(RestoreError::Tag { .. })));
    let text = text.replacen("\"format\":1", "\"format\":2", 1);
    assert!(matches!(
        Oms::restore(settings(), &text),
        Err(RestoreError::Snapshot(SnapshotError::Format { found: 2 }))
    ));
}

#[test]
fn every_kind_is_read_back_and_strange_ones_are_refused() {
    assert!(Fact::from_row("genesis", "{}").unwrap().is_none());
    assert!(Fact::from_row("dance", "{}").is_err());
    let missing = Fact::Moved(crate::domain::oms::fact::Moved {
        order: OrderNumber(9),
        state: OrderState::Working,
        executed: qty("0"),
        venue_order_id: None,
        reason: None,
        sent: true,
    });
    let read = Fact::from_row(missing.kind(), &missing.payload().unwrap()).unwrap().unwrap();
    assert_eq!(read, missing);
    assert!(Oms::new(settings()).unwrap().apply(&missing, desk_time()).is_err());
    assert_eq!(Fact::KINDS.len(), 25);
}

fn desk_time() -> crate::domain::time::WallMs {
    crate::domain::time::WallMs(1)
}

#[test]
fn memory_follows_open_state() {
    let mut small = settings();
    (small.limits.closed_orders, small.limits.closed_orders_max, small.limits.closed_for_ms) =
        (10, 20, 1_000_000);
    let mut desk = Desk::running_with(small);
    for n in 0..200 {
        let order = desk.submit(request(&format!("o{n}"), "hold", Side::Buy, "1"));
        let report = desk.report(&order, OrderStatus::Canceled, "0");
        desk.step(Event::Report { venue: venue(), report });
    }
    assert_eq!(desk.oms.orders().count(), 20);
    assert!(desk.oms.watch.is_empty() && desk.oms.waiting.is_empty());
    desk.now.wall.0 += 2_000_000;
    let order = desk.submit(request("late", "hold", Side::Buy, "1"));
    let report = desk.report(&order, OrderStatus::Canceled, "0");
    desk.step(Event::Report { venue: venue(), report });
    assert_eq!(desk.oms.orders().count(), 10);
}
