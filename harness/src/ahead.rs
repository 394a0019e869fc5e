//! From a run that left the spec to the model: what the place where it left leads to.
//!
//! A divergence says that a step was not allowed, and not why that matters. So the state after it seeds a
//! search of the abstract machine, whose participants go on as the spec allows: the nearest sentence that
//! they break, along a shortest path, is what the step was forbidden for.
//!
//! It deliberately says nothing where the machine has no such state: other targets, or more revocations
//! than its bounds allow.

use tumbler_checker::graph::Graph;
use tumbler_checker::{CheckBounds, Limit};
use tumbler_plan::Plan;
use tumbler_reports::number::{count, grouped};
use tumbler_spec::Ledger;
use tumbler_spec::machine::{Machine, Property};
use tumbler_types::Observed;

/// What lies ahead of the event `seq`, told; a line per sentence that the nearest bad state breaks.
pub fn ahead(plan: &Plan, trace: &[Observed], seq: u64) -> Vec<String> {
    let mut ledger = Ledger::new(&plan.topology);
    trace.iter().take_while(|observed| observed.seq <= seq).for_each(|observed| ledger.fold(observed));
    let Some(last) = trace.iter().find(|observed| observed.seq == seq) else { return Vec::new() };
    let machine = Machine::new(CheckBounds::small());
    let secret = last.event.secret().unwrap_or_default();
    let mut nearest: Option<Graph> = None;
    let mut searched = 0;
    // The machine takes each for a canary: before `Promote` that allows one that is none a little more.
    for agent in 0..usize::from(plan.topology.agents) {
        let Some(here) = machine.project(&ledger, secret, agent, plan.timing.epsilon) else { continue };
        let graph = Graph::nearest(&machine, &machine.unpack(&here), LIMIT);
        searched += graph.table.len() as u64;
        let is_nearer =
            nearest.as_ref().is_none_or(|best| found(&graph).is_some() && steps(&graph) < steps(best));
        if is_nearer {
            nearest = Some(graph);
        }
    }
    let Some(graph) = nearest else { return Vec::new() };
    let Some(node) = found(&graph) else {
        return vec![format!("nothing that the model breaks, in {} states from there", grouped(searched))];
    };
    let broken = graph.table.state(node).broken();
    let ids: Vec<&str> =
        Property::ALL.into_iter().filter(|property| !property.holds(broken)).map(Property::id).collect();
    let path = graph.path(node);
    if path.is_empty() {
        return vec![format!("that state itself breaks {}", ids.join(" and "))];
    }
    let told: Vec<String> = path.iter().map(|action| format!("{action:?}")).collect();
    let steps = count(path.len() as u64, "step");
    vec![format!("{} is broken {steps} on: {}", ids.join(" and "), told.join(", "))]
}

/// The nearest node that breaks something: the last one, where the search ended.
fn found(graph: &Graph) -> Option<u32> {
    let last = u32::try_from(graph.table.len()).ok()?.checked_sub(1)?;
    (graph.table.state(last).broken() != 0).then_some(last)
}

fn steps(graph: &Graph) -> usize {
    found(graph).map_or(usize::MAX, |node| graph.path(node).len())
}

/// Some hundred thousand states: below a second.
const LIMIT: Limit<'static> = Limit { bytes: 24 << 20, stop_at: None, stop: None };
