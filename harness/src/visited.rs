//! What a run reached, in the words of the specification's machine and of the plan.
//!
//! It exists because a count of seeds says nothing of what they were worth. The denominators are exact:
//! the graph of the small bounds, projected as runs are (`spec::machine::project`): one secret, one canary
//! agent, without what a run cannot show.
//!
//! It deliberately forgives no run: a state that the graph does not have is counted apart, and shown.

use crate::sometimes::{self, Sometimes};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_checker::graph::Graph;
use tumbler_checker::{CheckBounds, Limit};
use tumbler_plan::swarm::crash_points;
use tumbler_plan::{FaultAction, Pattern, Plan, Point, Trigger};
use tumbler_reports::reached::{Map, Place, Reached, Walk};
use tumbler_spec::Ledger;
use tumbler_spec::machine::{Machine, Packed, is_shown};
use tumbler_types::{Adapter, Command, Event, FaultId, Observed, Phase, RoleKind, Span, TxnId};

/// Searches the small bounds, and notes what else is declared.
pub fn map() -> Map {
    let machine = Machine::new(CheckBounds::small());
    let graph = Graph::explore(&machine, Limit { bytes: 1 << 30, stop_at: None, stop: None });
    let shown: Vec<Option<Place>> = (0..graph.expanded())
        .map(|node| machine.project_state(&machine.unpack(graph.table.state(node)), 0).map(place))
        .collect();
    let places: BTreeSet<Place> = shown.iter().flatten().copied().collect();
    let mut steps: BTreeMap<(Place, Place), &'static str> = BTreeMap::new();
    for node in 0..graph.expanded() {
        for edge in graph.edges(node) {
            if let (Some(from), Some(to)) = (shown[node as usize], shown[edge.to as usize])
                && from != to
            {
                steps.entry((from, to)).or_insert_with(|| graph.actions[usize::from(edge.label)].name());
            }
        }
    }
    let points = crash_points().map(|(role, point)| point_name(role, point)).collect();
    Map::new(BOUNDS.to_owned(), points, sometimes::declared(), &places, &steps)
}

/// Follows runs through the machine's states.
pub struct Follower(Machine);

impl Follower {
    pub fn new() -> Self {
        Follower(Machine::new(CheckBounds::small()))
    }

    /// What a run of the plan reached, by its trace and the faults that fired.
    pub fn follow(&self, plan: &Plan, fired: &[FaultId], trace: &[Observed]) -> Reached {
        let mut ledger = Ledger::new(&plan.topology);
        let mut reached = Reached {
            planned: plan.faults.iter().map(|fault| fault.action.kind()).collect(),
            points: points(plan, fired),
            ..Reached::default()
        };
        let mut sometimes = Sometimes::new(plan);
        // A world in which an assumption is broken on purpose is none of the machine's.
        let is_shown = plan.topology.adapter == Adapter::default() && plan.broken().is_empty();
        let mut steps = is_shown.then(|| Steps::new(plan));
        for observed in trace {
            sometimes.observe(&ledger, observed);
            ledger.fold(observed);
            if let Event::FaultBegan { fault: _, kind } = observed.event {
                reached.faults.extend(phases(&ledger).into_iter().map(|phase| (kind, phase)));
            }
            if let Some(steps) = &mut steps {
                steps.observe(&self.0, &ledger, observed);
            }
        }
        reached.probes = sometimes.met();
        reached.walk = steps.map(Steps::walk);
        reached
    }

    /// A state in words, for whoever wonders how a run came to it.
    pub fn describe(&self, state: &Packed) -> String {
        format!("{:?}", self.0.unpack(state).slice())
    }
}

impl Default for Follower {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a run is, by secret and canary, and where it was.
struct Steps {
    canaries: usize,
    secrets: u16,
    epsilon: Span,
    /// By secret: the first rotation that was begun after an older format was given up. What agents were told
    /// before has no serials, which the machine's always has.
    whole: Vec<TxnId>,
    here: Vec<Option<u32>>,
    places: Vec<Place>,
    numbers: BTreeMap<Place, u32>,
    steps: BTreeSet<(u32, u32)>,
}

impl Steps {
    fn new(plan: &Plan) -> Self {
        let canaries = usize::from(plan.canaries.min(plan.topology.agents));
        let secrets = plan.topology.secrets;
        let here = vec![None; canaries * usize::from(secrets)];
        Steps {
            canaries,
            secrets,
            epsilon: plan.timing.epsilon,
            whole: vec![TxnId(0); usize::from(secrets)],
            here,
            places: Vec::new(),
            numbers: BTreeMap::new(),
            steps: BTreeSet::new(),
        }
    }

    fn observe(&mut self, machine: &Machine, ledger: &Ledger, observed: &Observed) {
        // An agent's own record is shown to nobody else, and a secret's to no other.
        let Some(secret) =
            observed.event.secret().filter(|secret| is_shown(&observed.event) && secret.0 < self.secrets)
        else {
            return;
        };
        let Some(slice) = ledger.slice(secret) else { return };
        let whole = &mut self.whole[usize::from(secret.0)];
        let is_told = slice.holders.iter().any(|holder| !holder.grants.is_empty());
        if is_told && matches!(observed.event, Event::Committed { command: Command::RaiseFloor { .. }, .. }) {
            *whole = slice.txn.next();
        }
        let is_whole = slice.txn >= *whole;
        let only = match observed.event {
            Event::Stored { .. } | Event::AgentRecovered { .. } => Some(ledger.agent(observed.node)),
            _ => None,
        };
        for agent in 0..self.canaries {
            if only.is_some_and(|only| only != Some(agent)) {
                continue;
            }
            let slot = usize::from(secret.0) * self.canaries + agent;
            let projected = machine.project(ledger, secret, agent, self.epsilon).filter(|_| is_whole);
            let Some(here) = projected.map(place) else {
                self.here[slot] = None;
                continue;
            };
            let next = u32::try_from(self.places.len()).expect("a run is short");
            let number = *self.numbers.entry(here).or_insert(next);
            if number == next {
                self.places.push(here);
            }
            if let Some(before) = self.here[slot].replace(number).filter(|before| *before != number) {
                self.steps.insert((before, number));
            }
        }
    }

    fn walk(self) -> Walk {
        Walk { places: self.places, steps: self.steps.into_iter().collect() }
    }
}

/// The phases of the rotations that are open; `idle` if none is.
fn phases(ledger: &Ledger) -> Vec<Phase> {
    let open: Vec<Phase> =
        ledger.slices.iter().map(|slice| slice.phase).filter(|phase| *phase != Phase::Idle).collect();
    if open.is_empty() { vec![Phase::Idle] } else { open }
}

/// Points at which a crash cut in.
fn points(plan: &Plan, fired: &[FaultId]) -> BTreeSet<String> {
    let point = |fault: &tumbler_plan::Fault| match (&fault.action, fault.trigger) {
        (FaultAction::Crash { node, until: _ }, Trigger::On { pattern: Pattern { point, .. }, .. }) => {
            let (role, _) = plan.topology.kind(*node)?;
            Some(point_name(role, point))
        }
        _ => None,
    };
    plan.faults.iter().filter(|fault| fired.contains(&fault.id)).filter_map(point).collect()
}

/// `rotator sending apply-request`.
fn point_name(role: RoleKind, point: Point) -> String {
    let what = match point {
        Point::Sending(frame) => format!("sending {frame}"),
        Point::Sent(frame) => format!("sent {frame}"),
        Point::Handled(frame) => format!("handled {frame}"),
        Point::Replying(frame) => format!("replying {frame}"),
        Point::PersistBegins => "persist-begins".to_owned(),
        Point::PersistDone => "persist-done".to_owned(),
        Point::ProposeBegins => "propose-begins".to_owned(),
        Point::ProposeDone => "propose-done".to_owned(),
        Point::Entered { secret: _, phase } => format!("entered {}", phase.name()),
    };
    format!("{} {what}", role.name())
}

fn place(packed: Packed) -> Place {
    Place(packed.words())
}

/// What the graph's numbers are exact for.
const BOUNDS: &str = "bounds small: one secret, one rotation, two rotators, one agent";
