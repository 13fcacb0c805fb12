//! The pure machine under random events: whatever happens, in whatever order, its promises hold.
//!
//! The test plays the shell: it performs the actions, keeps its own books of what lives, and checks each
//! action against them. Children answer late, wrongly, never, or for an incarnation that is long over.

use plimsoll::supervision::machine::*;
use plimsoll::supervision::*;
use proptest::prelude::*;
use proptest::strategy::Strategy;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What may happen next; `nth` picks one of the children that it can happen to.
#[derive(Debug, Clone)]
pub enum Step {
    Up {
        nth: usize,
    },
    Crash {
        nth: usize,
    },
    Leave {
        nth: usize,
    },
    FailStart {
        nth: usize,
    },
    Ignore {
        nth: usize,
    },
    Hang {
        nth: usize,
    },
    /// A report of an incarnation that is over.
    Stale {
        nth: usize,
        down: bool,
    },
    /// Time moves to the next wake.
    Wake,
    Pass {
        millis: u64,
    },
    StartChild {
        restart: Restart,
        instance: bool,
    },
    Terminate {
        nth: usize,
    },
    RestartChild {
        nth: usize,
    },
    Delete {
        nth: usize,
    },
    Shutdown,
    Kill,
    /// The supervisor is started anew by its parent.
    Start,
}

/// A supervisor and its children, as declared.
#[derive(Debug, Clone)]
pub struct Setup {
    spec: SupervisorSpec,
    children: Vec<(ChildSpec, bool)>,
    seed: u64,
}

fn restart() -> impl Strategy<Value = Restart> {
    prop_oneof![3 => Just(Restart::Permanent), 1 => Just(Restart::Transient), 1 => Just(Restart::Temporary)]
}

fn child(auto: AutoShutdown) -> impl Strategy<Value = (ChildSpec, bool)> {
    let backoffs = prop_oneof![
        Just(Backoff::NONE),
        Just(Backoff::exponential(Duration::from_millis(100), Duration::from_secs(2))),
    ];
    let stops = prop_oneof![
        4 => Just(Shutdown::Graceful(Duration::from_millis(500))),
        1 => Just(Shutdown::BrutalKill),
    ];
    (restart(), any::<bool>(), backoffs, stops, proptest::option::weighted(0.2, 0_u32..3)).prop_map(
        move |(restart, significant, backoff, shutdown, own)| {
            let significant = significant && restart != Restart::Permanent && auto != AutoShutdown::Never;
            let intensity = own.map(|n| Intensity::new(n, Duration::from_secs(5)));
            (ChildSpec { restart, significant, backoff, shutdown, intensity, ..ChildSpec::default() }, true)
        },
    )
}

fn setup() -> impl Strategy<Value = Setup> {
    let strategies = prop_oneof![
        Just(plimsoll::supervision::Strategy::OneForOne),
        Just(plimsoll::supervision::Strategy::OneForAll),
        Just(plimsoll::supervision::Strategy::RestForOne),
    ];
    let autos = prop_oneof![
        3 => Just(AutoShutdown::Never),
        1 => Just(AutoShutdown::AnySignificant),
        1 => Just(AutoShutdown::AllSignificant),
    ];
    (strategies, autos, 0_u32..6, any::<u64>())
        .prop_flat_map(|(strategy, auto_shutdown, max, seed)| {
            let intensity = Intensity::new(max, Duration::from_secs(5));
            let spec = SupervisorSpec { strategy, auto_shutdown, intensity, ..SupervisorSpec::default() };
            (Just(spec), proptest::collection::vec(child(auto_shutdown), 0..5), Just(seed))
        })
        .prop_map(|(spec, children, seed)| Setup { spec, children, seed })
}

fn step() -> impl Strategy<Value = Step> {
    let nth = 0_usize..8;
    prop_oneof![
        20 => nth.clone().prop_map(|nth| Step::Up { nth }),
        6 => nth.clone().prop_map(|nth| Step::Crash { nth }),
        6 => nth.clone().prop_map(|nth| Step::Leave { nth }),
        3 => nth.clone().prop_map(|nth| Step::FailStart { nth }),
        1 => nth.clone().prop_map(|nth| Step::Ignore { nth }),
        2 => nth.clone().prop_map(|nth| Step::Hang { nth }),
        3 => (nth.clone(), any::<bool>()).prop_map(|(nth, down)| Step::Stale { nth, down }),
        8 => Just(Step::Wake),
        4 => (0_u64..4000).prop_map(|millis| Step::Pass { millis }),
        2 => (restart(), any::<bool>()).prop_map(|(restart, instance)| Step::StartChild { restart, instance }),
        2 => nth.clone().prop_map(|nth| Step::Terminate { nth }),
        2 => nth.clone().prop_map(|nth| Step::RestartChild { nth }),
        1 => nth.prop_map(|nth| Step::Delete { nth }),
        1 => Just(Step::Shutdown),
        1 => Just(Step::Kill),
        2 => Just(Step::Start),
    ]
}

/// Nothing to model beforehand: every step is legal at any time, and the promises are checked as it runs.
pub struct Anything;

impl ReferenceStateMachine for Anything {
    type State = Setup;
    type Transition = Step;
    fn init_state() -> BoxedStrategy<Setup> {
        setup().boxed()
    }
    fn transitions(_: &Setup) -> BoxedStrategy<Step> {
        step().boxed()
    }
    fn apply(state: Setup, _: &Step) -> Setup {
        state
    }
}

/// The shell's own books.
pub struct Shell {
    machine: Machine,
    spec: SupervisorSpec,
    now: Moment,
    rules: BTreeMap<ChildId, ChildRules>,
    /// Unfenced incarnations, and whether they were asked to stop.
    live: BTreeMap<ChildId, (Epoch, bool)>,
    /// The last incarnation of each child.
    last: BTreeMap<ChildId, Epoch>,
    /// Starts of each child since the supervisor's own start.
    starts: BTreeMap<ChildId, u32>,
    /// Starts that somebody asked for.
    asked_starts: BTreeMap<ChildId, u32>,
    tickets: BTreeSet<Ticket>,
    next_ticket: u64,
    counted: Vec<Moment>,
    meltdowns: u32,
    up: bool,
    ending: bool,
}

impl Shell {
    fn new(setup: &Setup) -> Self {
        let mut machine = Machine::new(&setup.spec, setup.seed);
        let mut rules = BTreeMap::new();
        for (n, (spec, _)) in setup.children.iter().enumerate() {
            let one = ChildRules::worker(&format!("c{n}"), spec, Origin::Declared);
            rules.insert(machine.declare(one.clone()), one);
        }
        Self {
            machine,
            spec: setup.spec.clone(),
            now: Moment::ZERO,
            rules,
            live: BTreeMap::new(),
            last: BTreeMap::new(),
            starts: BTreeMap::new(),
            asked_starts: BTreeMap::new(),
            tickets: BTreeSet::new(),
            next_ticket: 0,
            counted: Vec::new(),
            meltdowns: 0,
            up: false,
            ending: false,
        }
    }

    fn feed(&mut self, event: Event) {
        if event == Event::Start && self.machine.is_down() {
            (self.counted, self.meltdowns, self.ending) = (Vec::new(), 0, false);
            self.starts.clear();
            self.asked_starts.clear();
        }
        let actions = on_event(&mut self.machine, event, self.now);
        for action in actions {
            self.perform(action);
        }
        self.check();
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start { child, epoch } => {
                assert!(!self.live.contains_key(&child), "I4: two live incarnations of {child}");
                let before = self.last.insert(child, epoch);
                assert!(epoch > before.unwrap_or(0), "epochs rise");
                assert!(!self.ending, "nothing starts while the supervisor ends");
                self.check_start_order(child);
                *self.starts.entry(child).or_default() += 1;
                let (rules, asked) = (&self.rules[&child], self.asked_starts.get(&child));
                if rules.restart == Restart::Temporary {
                    let allowed = 1 + asked.copied().unwrap_or(0);
                    assert!(self.starts[&child] <= allowed, "temporary {child} was restarted");
                }
                self.live.insert(child, (epoch, false));
            }
            Action::Stop { child, epoch } => {
                let entry = self.live.get_mut(&child).expect("only what lives is stopped");
                assert_eq!(entry.0, epoch);
                entry.1 = true;
                if self.ending {
                    self.check_stop_order(child);
                }
            }
            Action::Kill { child, epoch, why } => {
                // One that hangs, or had been asked before the end began, does not wait for its turn.
                if self.ending && why == KillWhy::Brutal {
                    self.check_stop_order(child);
                }
                assert_eq!(self.live.remove(&child).map(|l| l.0), Some(epoch), "only what lives is killed");
            }
            Action::Close { child } | Action::Forget { child } => {
                assert!(!self.live.contains_key(&child), "a live child keeps its mailbox");
            }
            Action::Answer { ticket, .. } => {
                assert!(self.tickets.remove(&ticket), "{ticket:?} was answered twice");
            }
            Action::Note(Note::Meltdown { .. }) => {
                self.meltdowns += 1;
                self.ending = true;
                assert_eq!(self.meltdowns, 1, "I6: exactly one meltdown");
            }
            Action::Note(Note::RestartScheduled { .. }) => {
                // Every failure that leads here was counted, and the window was not exceeded.
                self.counted.push(self.now);
                let period = self.spec.intensity.period;
                self.counted.retain(|at| self.now.since(*at) <= period);
                let max = usize::try_from(self.spec.intensity.max_restarts).unwrap();
                assert!(self.counted.len() <= max, "I6: {} restarts within {period:?}", self.counted.len());
            }
            Action::Note(Note::ChildDown { .. } | Note::StopTimedOut { .. }) | Action::Abort { .. } => {}
            Action::Up => {
                assert!(!self.up);
                self.up = true;
            }
            Action::Down(_) => {
                assert!(self.live.is_empty(), "down with {:?} alive", self.live);
                self.up = false;
                self.ending = true;
            }
        }
    }

    /// I7: within a group nobody starts before those to its left that will be started, too.
    fn check_start_order(&self, child: ChildId) {
        let own_start = self.asked_starts.contains_key(&child);
        if self.spec.strategy == plimsoll::supervision::Strategy::OneForOne || own_start {
            return;
        }
        for status in self.machine.which_children().iter().filter(|c| c.id < child) {
            let planned = matches!(status.state, ChildState::Waiting | ChildState::Backoff);
            assert!(!planned, "I7: {child} starts before {}, which waits for its own start", status.name);
        }
    }

    /// I7: at the end nobody is stopped before those to its right.
    fn check_stop_order(&self, child: ChildId) {
        let right = self.live.range(child..).find(|(id, _)| **id > child);
        assert!(right.is_none_or(|(_, (_, asked))| *asked), "I7: {child} stops before {right:?}");
    }

    fn check(&mut self) {
        for status in self.machine.which_children() {
            let lives = self.live.get(&status.id).map(|l| l.0);
            let expected = status.state.is_live().then_some(status.epoch);
            assert_eq!(lives, expected, "I10: {} claims to be {:?}", status.name, status.state);
        }
        if self.machine.is_down() {
            assert!(self.live.is_empty(), "down, and something lives");
            assert_eq!(self.machine.next_wake(), None, "down, and something is planned");
            assert!(self.tickets.is_empty(), "down, and somebody waits: {:?}", self.tickets);
        }
        if let Some(wake) = self.machine.next_wake() {
            assert!(wake >= self.now || self.tick_progresses(), "a wake in the past that does nothing");
        }
        let counts = self.machine.count_children();
        assert_eq!(counts.active, self.live.len());
    }

    /// Ticking at a wake that is due must move it: otherwise the control loop would spin.
    fn tick_progresses(&self) -> bool {
        let mut probe = self.machine.clone();
        let before = probe.next_wake();
        on_event(&mut probe, Event::Tick, self.now);
        probe.next_wake() != before
    }

    fn pick(&self, nth: usize, which: impl Fn(&ChildStatus) -> bool) -> Option<ChildStatus> {
        let fitting: Vec<ChildStatus> = self.machine.which_children().into_iter().filter(which).collect();
        if fitting.is_empty() { None } else { fitting.get(nth % fitting.len()).cloned() }
    }

    fn down(&mut self, one: Option<ChildStatus>, reason: ExitReason) {
        let Some(one) = one else { return };
        // The shell's driver is gone before it reports.
        let (_, asked) = self.live.remove(&one.id).unwrap();
        let reason = if asked && reason == ExitReason::Normal { ExitReason::Shutdown } else { reason };
        self.feed(Event::Down { child: one.id, epoch: one.epoch, reason });
    }

    fn ask(&mut self, request: AdminRequest) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.tickets.insert(ticket);
        self.feed(Event::Admin { ticket, request });
    }

    fn take(&mut self, step: Step) {
        let panic = || {
            let report = PanicReport { message: "x".into(), location: None, during: "test" };
            ExitReason::Panic(report)
        };
        let live = |c: &ChildStatus| c.state.is_live();
        let starting = |c: &ChildStatus| c.state == ChildState::Starting;
        let running = |c: &ChildStatus| c.state == ChildState::Running;
        match step {
            Step::Up { nth } => {
                if let Some(one) = self.pick(nth, starting) {
                    self.feed(Event::Up { child: one.id, epoch: one.epoch });
                }
            }
            Step::Crash { nth } => self.down(self.pick(nth, live), panic()),
            Step::Leave { nth } => {
                self.down(self.pick(nth, |c| live(c) && !starting(c)), ExitReason::Normal);
            }
            Step::FailStart { nth } => {
                self.down(self.pick(nth, starting), ExitReason::StartFailed("x".into()));
            }
            Step::Ignore { nth } => self.down(self.pick(nth, starting), ExitReason::Ignored),
            Step::Hang { nth } => {
                if let Some(one) = self.pick(nth, running) {
                    self.feed(Event::Hung { child: one.id, epoch: one.epoch, kind: HangKind::Handler });
                }
            }
            Step::Stale { nth, down } => self.stale(nth, down),
            Step::Wake => {
                if let Some(at) = self.machine.next_wake() {
                    self.now = self.now.max(at);
                    assert!(self.tick_progresses(), "livelock: a tick at its own wake does nothing");
                    self.feed(Event::Tick);
                }
            }
            Step::Pass { millis } => {
                self.now = self.now.after(Duration::from_millis(millis));
                self.feed(Event::Tick);
            }
            Step::StartChild { restart, instance } => {
                let id = self.machine.reserve();
                let origin = if instance { Origin::Instance } else { Origin::Added };
                let spec = ChildSpec { restart, backoff: Backoff::NONE, ..ChildSpec::default() };
                let rules = ChildRules::worker(&format!("d{id}"), &spec, origin);
                self.rules.insert(id, rules.clone());
                self.asked_starts.insert(id, 0);
                self.ask(AdminRequest::StartChild(id, rules));
            }
            Step::Terminate { nth } => {
                if let Some(one) = self.pick(nth, |_| true) {
                    self.ask(AdminRequest::TerminateChild(one.id));
                }
            }
            Step::RestartChild { nth } => {
                if let Some(one) = self.pick(nth, |_| true) {
                    *self.asked_starts.entry(one.id).or_default() += 1;
                    self.ask(AdminRequest::RestartChild(one.id));
                }
            }
            Step::Delete { nth } => {
                if let Some(one) = self.pick(nth, |_| true) {
                    self.ask(AdminRequest::DeleteChild(one.id));
                }
            }
            Step::Shutdown => {
                self.ending |= !self.machine.is_down();
                self.feed(Event::Shutdown);
            }
            Step::Kill => {
                self.feed(Event::Kill);
                assert!(self.machine.is_down(), "a kill ends at once");
            }
            Step::Start => self.feed(Event::Start),
        }
        // An end may begin within any step (a first start that failed, a significant child's end).
        self.ending |= self.machine.is_ending();
    }

    /// I9: a report of an old incarnation changes nothing.
    fn stale(&mut self, nth: usize, down: bool) {
        let Some(one) = self.pick(nth, |c| c.epoch > 1) else { return };
        let (child, epoch) = (one.id, one.epoch - 1);
        let before = self.machine.which_children();
        let event = if down {
            Event::Down { child, epoch, reason: ExitReason::Killed }
        } else {
            Event::Up { child, epoch }
        };
        let actions = on_event(&mut self.machine, event, self.now);
        let due = self.machine.next_wake().is_some_and(|at| at <= self.now);
        assert!(due || (actions.is_empty() && before == self.machine.which_children()), "I9: {actions:?}");
        for action in actions {
            self.perform(action);
        }
        self.check();
    }
}

pub struct Promises;

impl StateMachineTest for Promises {
    type SystemUnderTest = Shell;
    type Reference = Anything;

    fn init_test(setup: &Setup) -> Shell {
        let mut shell = Shell::new(setup);
        shell.feed(Event::Start);
        shell
    }

    fn apply(mut shell: Shell, _: &Setup, step: Step) -> Shell {
        shell.take(step);
        shell
    }

    /// From any state a shutdown comes to its end in bounded time, even when nobody answers any more.
    fn teardown(mut shell: Shell, _: Setup) {
        shell.ending |= !shell.machine.is_down();
        shell.feed(Event::Shutdown);
        for _ in 0..100 {
            let Some(at) = shell.machine.next_wake() else { break };
            shell.now = shell.now.max(at);
            shell.feed(Event::Tick);
        }
        assert!(shell.machine.is_down(), "the shutdown hangs: {:?}", shell.machine.which_children());
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_machine_keeps_its_promises(sequential 1..120 => Promises);
}
