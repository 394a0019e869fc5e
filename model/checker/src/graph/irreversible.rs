//! Steps that nobody can take back: after them some earlier good state cannot be reached any more.
//!
//! A good state, for a version: it is current and not revoked, the target accepts it, and every agent has
//! it. A step is irreversible for a version if such a state could be reached before it, by operator and
//! system and without a fault, and cannot be after it. What is lost so on purpose is the point of no
//! return; anything else in the list is a surprise.

use super::decide::backward;
use super::explore::Graph;
use std::collections::BTreeMap;
use tumbler_spec::machine::{Class, Machine};
use tumbler_types::{Phase, VersionId};

/// One kind of step, in one phase, and what it takes away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Irreversible {
    pub class: Class,
    pub step: &'static str,
    /// Before the step.
    pub phase: Phase,
    /// Which version is lost, by its label before the step.
    pub lost: &'static str,
}

/// Every irreversible kind of step, with how often it occurs in the graph.
pub fn irreversible(machine: &Machine, graph: &Graph) -> BTreeMap<Irreversible, u64> {
    let mut found = BTreeMap::new();
    let count = graph.expanded();
    let states: Vec<_> = (0..count).map(|node| machine.unpack(graph.table.state(node))).collect();
    let versions = u32::from(machine.limits().rotations) + 1;
    for version in (1..=versions).map(VersionId) {
        let is_goal = |node: u32| machine.is_settled_on(&states[node as usize], version);
        let follows = |class: Class| class != Class::Fault;
        let reaches = backward(graph, is_goal, |edge| follows(edge.class));
        for node in (0..count).filter(|node| reaches[*node as usize]) {
            let state = &states[node as usize];
            for edge in graph.edges(node) {
                let is_lost = graph.table.state(edge.to).broken() == 0 && !reaches[edge.to as usize];
                if !is_lost {
                    continue;
                }
                let slice = state.slice();
                let lost = match Some(version) {
                    label if label == slice.current => "current",
                    label if label == slice.pending => "pending",
                    label if label == slice.previous => "previous",
                    _ => "a later one",
                };
                let step = graph.actions[usize::from(edge.label)].name();
                let kind = Irreversible { class: edge.class, step, phase: slice.phase, lost };
                *found.entry(kind).or_default() += 1;
            }
        }
    }
    found
}
