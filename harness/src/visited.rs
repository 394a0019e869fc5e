//! Which of the machine's states and steps runs visit, out of all that are reachable.
//!
//! It exists because a count of seeds says nothing of what they were worth. The denominators are exact:
//! the graph of the small bounds, projected as runs are (`spec::machine::project`): one secret, one canary
//! agent, without what a run cannot show.
//!
//! It deliberately forgives no run: a state that the graph does not have is counted apart, and shown.

use std::collections::{BTreeMap, BTreeSet};
use tumbler_checker::graph::Graph;
use tumbler_checker::{CheckBounds, Limit};
use tumbler_plan::Plan;
use tumbler_spec::Ledger;
use tumbler_spec::machine::{Machine, Packed};
use tumbler_types::Event;
use tumbler_world::{Options, run};

/// What is reachable.
pub struct Reachable {
    machine: Machine,
    states: BTreeSet<Packed>,
    /// Steps that change what a run shows, by the action that makes them.
    steps: BTreeMap<(Packed, Packed), &'static str>,
}

/// What was visited, over any number of runs. Sums of shards are unions.
#[derive(Clone, Debug, Default)]
pub struct Visited {
    pub runs: u64,
    pub states: BTreeSet<Packed>,
    pub steps: BTreeSet<(Packed, Packed)>,
    /// States that the graph does not have, with the first run and step that showed each.
    pub unknown: BTreeMap<Packed, (String, u64, u64)>,
}

impl Reachable {
    /// Searches the small bounds.
    pub fn new() -> Self {
        let machine = Machine::new(CheckBounds::small());
        let graph = Graph::explore(&machine, Limit { bytes: 1 << 30, stop_at: None, stop: None });
        let shown: Vec<Option<Packed>> = (0..graph.expanded())
            .map(|node| machine.project_state(&machine.unpack(graph.table.state(node)), 0))
            .collect();
        let mut reachable =
            Reachable { machine, states: shown.iter().flatten().copied().collect(), steps: BTreeMap::new() };
        for node in 0..graph.expanded() {
            for edge in graph.edges(node) {
                if let (Some(from), Some(to)) = (shown[node as usize], shown[edge.to as usize])
                    && from != to
                {
                    let name = graph.actions[usize::from(edge.label)].name();
                    reachable.steps.entry((from, to)).or_insert(name);
                }
            }
        }
        reachable
    }

    /// Follows a run through the machine's states.
    pub fn follow(&self, plan: &Plan, visited: &mut Visited) {
        let outcome = run(plan, &crate::roles::role, &Options { keep_trace: true, ..Options::default() });
        let mut ledger = Ledger::new(&plan.topology);
        let canaries = usize::from(plan.canaries.min(plan.topology.agents));
        let mut places: BTreeMap<(u16, usize), Packed> = BTreeMap::new();
        visited.runs += 1;
        for observed in &outcome.trace {
            ledger.fold(observed);
            let is_shown = matches!(
                observed.event,
                Event::Committed { .. }
                    | Event::Enforced { .. }
                    | Event::TargetRecovered { .. }
                    | Event::Stored { .. }
                    | Event::AgentRecovered { .. }
            );
            if !is_shown {
                continue;
            }
            for secret in plan.topology.secrets() {
                for agent in 0..canaries {
                    let Some(here) = self.machine.project(&ledger, secret, agent, plan.timing.epsilon) else {
                        places.remove(&(secret.0, agent));
                        continue;
                    };
                    if !self.states.contains(&here) {
                        let first = (plan.scenario.clone(), plan.seed, observed.seq);
                        visited.unknown.entry(here).or_insert(first);
                    }
                    let before = places.insert((secret.0, agent), here);
                    visited.states.insert(here);
                    if let Some(before) = before.filter(|before| *before != here) {
                        visited.steps.insert((before, here));
                    }
                }
            }
        }
    }

    /// States visited that are reachable, and all that are.
    pub fn states(&self, visited: &Visited) -> (u64, u64) {
        (self.states.intersection(&visited.states).count() as u64, self.states.len() as u64)
    }

    /// The same for steps, by action.
    pub fn steps(&self, visited: &Visited) -> BTreeMap<&'static str, (u64, u64)> {
        let mut counts: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
        for (step, name) in &self.steps {
            let count = counts.entry(name).or_default();
            count.0 += u64::from(visited.steps.contains(step));
            count.1 += 1;
        }
        counts
    }

    pub fn describe(&self, state: &Packed) -> String {
        format!("{:?}", self.machine.unpack(state).slice())
    }
}

impl Default for Reachable {
    fn default() -> Self {
        Self::new()
    }
}
