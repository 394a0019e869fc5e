//! Exhausts the machine within its bounds.
//!
//! Stateright is the engine: a plain `Model` over packed states, never `ActorModel`, never
//! `eventually`, never symmetry. Its defects are worked around where they bite: a truncated search
//! is reported as inconclusive (it looks finished to Stateright), its time-out is not relied on, and
//! its counterexamples are replayed, step by step, through the machine before anyone sees them.
//!
//! It deliberately claims nothing beyond the bounds that it prints, and no liveness.
//!
//! Source: Stateright 0.31.0, `checker/bfs.rs`, `job_market.rs` and `lib.rs`.

use crate::bounds::CheckBounds;
use crate::verdict::{CheckReport, Engine, Sentence, Verdict, reached};
use stateright::{Checker, Model};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tumbler_spec::machine::{Action, Machine, Mutation, Packed, Property, State};

/// Searches everything within the bounds, or until the deadline.
pub fn check(bounds: &CheckBounds, threads: usize, deadline: Option<Duration>) -> CheckReport {
    search(*bounds, Machine::new(*bounds), threads, deadline)
}

/// The same with a planted flaw in the machine.
pub fn check_mutated(
    bounds: &CheckBounds,
    mutation: Mutation,
    threads: usize,
    deadline: Option<Duration>,
) -> CheckReport {
    search(*bounds, Machine::mutated(*bounds, mutation), threads, deadline)
}

fn search(bounds: CheckBounds, machine: Machine, threads: usize, deadline: Option<Duration>) -> CheckReport {
    let begun = Instant::now();
    let counts = Arc::new(Counts::default());
    let model = Search {
        machine: machine.clone(),
        counts: counts.clone(),
        stop_at: deadline.map(|span| begun + span),
    };
    let checker = model.checker().threads(threads.max(1)).spawn_bfs().join();
    let is_cut = counts.cut.load(Ordering::Relaxed) != 0;
    let states = checker.unique_state_count() as u64;
    // It counts states, and a depth is a number of steps.
    let depth = (checker.max_depth() as u64).saturating_sub(1);
    let edges = counts.edges.load(Ordering::Relaxed);
    let marks = counts.marks.load(Ordering::Relaxed);
    let found = checker.discoveries();
    let is_exhausted = checker.is_done() && !is_cut && found.is_empty();
    let sentences = Property::ALL
        .map(|property| {
            let verdict = match found.get(property.id()) {
                Some(path) => replayed(&machine, property, path.clone().into_actions()),
                None if is_cut => Verdict::Inconclusive { why: "the deadline came first".to_owned() },
                None if !found.is_empty() => {
                    Verdict::Inconclusive { why: "states beyond a violation are not searched".to_owned() }
                }
                None => Verdict::Holds { bounds, asked: states },
            };
            Sentence::invariant(property, verdict)
        })
        .to_vec();
    let reached = reached(bounds, marks);
    let elapsed = begun.elapsed();
    let engine = Engine::Stateright;
    CheckReport {
        engine,
        bounds,
        sentences,
        reached,
        states,
        edges,
        spent: None,
        depth,
        elapsed,
        is_exhausted,
    }
}

/// Believes a counterexample only after taking its steps.
fn replayed(machine: &Machine, property: Property, path: Vec<Action>) -> Verdict {
    let mut state = machine.initial().clone();
    for (step, action) in path.iter().enumerate() {
        match machine.apply(&state, *action) {
            Some((next, _)) => state = next,
            None => {
                return Verdict::Inconclusive {
                    why: format!("the counterexample's step {step} is not enabled"),
                };
            }
        }
    }
    if property.holds(state.broken) {
        Verdict::Inconclusive { why: "the counterexample does not end in a violation".to_owned() }
    } else {
        Verdict::Violated { path, cycle: Vec::new() }
    }
}

#[derive(Default)]
struct Counts {
    edges: AtomicU64,
    marks: AtomicU64,
    cut: AtomicU64,
}

struct Search {
    machine: Machine,
    counts: Arc<Counts>,
    stop_at: Option<Instant>,
}

thread_local! {
    /// The state unpacked last by this thread: its steps are asked for one after the other.
    static LAST: RefCell<Option<(Packed, State)>> = const { RefCell::new(None) };
}

impl Search {
    fn unpacked<'a>(&self, last: &'a mut Option<(Packed, State)>, packed: &Packed) -> &'a State {
        if last.as_ref().is_none_or(|(key, _)| key != packed) {
            *last = Some((*packed, self.machine.unpack(packed)));
        }
        &last.as_ref().expect("it was unpacked just now").1
    }
}

impl Model for Search {
    type State = Packed;
    type Action = Action;

    fn init_states(&self) -> Vec<Packed> {
        vec![self.machine.pack(self.machine.initial())]
    }

    fn actions(&self, state: &Packed, actions: &mut Vec<Action>) {
        if self.stop_at.is_some_and(|stop_at| Instant::now() >= stop_at) {
            self.counts.cut.store(1, Ordering::Relaxed);
            return;
        }
        LAST.with_borrow_mut(|last| self.machine.enabled(self.unpacked(last, state), actions));
    }

    fn next_state(&self, last: &Packed, action: Action) -> Option<Packed> {
        let (next, marks) =
            LAST.with_borrow_mut(|cached| self.machine.step(self.unpacked(cached, last), action));
        self.counts.edges.fetch_add(1, Ordering::Relaxed);
        if self.counts.marks.load(Ordering::Relaxed) | marks != self.counts.marks.load(Ordering::Relaxed) {
            self.counts.marks.fetch_or(marks, Ordering::Relaxed);
        }
        Some(self.machine.pack(&next))
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        // Conditions are bare function pointers: one per property, all from one table.
        macro_rules! always {
            ($($property:ident),*) => {
                vec![$(stateright::Property::always(Property::$property.id(), |_: &Search, packed: &Packed| {
                    Property::$property.holds(packed.broken())
                })),*]
            };
        }
        always!(
            AppliedOnce,
            RevokedUndelivered,
            RevokedRefused,
            RollbackPossible,
            DurableAck,
            TransitionsLegal,
            HeldAccepted,
            RestAgrees
        )
    }
}
