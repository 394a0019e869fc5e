//! More than one way to break a sentence.
//!
//! The shortest way convinces, and is often one that no implementation would take. Whoever looks for a run
//! that fails as well needs others: unlike each other first, and short.

use super::decide::refuted;
use super::explore::Graph;
use std::collections::BTreeMap;
use tumbler_spec::machine::{Action, Machine, Property, StepProperty, Temporal};

/// At most so many paths on which the sentence is broken, the shortest first; ways that end with different
/// steps take turns. Of what must come only the first is known.
pub fn witnesses(machine: &Machine, graph: &Graph, id: &str, max: usize) -> Vec<Vec<Action>> {
    let mut ends = Ends { by_step: BTreeMap::new(), max };
    if let Some(property) = Property::ALL.into_iter().find(|each| each.id() == id) {
        for node in 0..graph.table.len() as u32 {
            if !property.holds(graph.table.state(node).broken()) {
                ends.note(graph.path(node));
            }
        }
    } else if let Some(property) = StepProperty::ALL.into_iter().find(|each| each.id() == id) {
        steps(machine, graph, property, &mut ends);
    } else if let Some(temporal) = Temporal::ALL.into_iter().find(|each| each.id() == id) {
        refuted(graph, temporal).into_iter().for_each(|node| ends.note(graph.path(node)));
    }
    ends.in_turns()
}

/// Steps that break the sentence, from whatever state.
fn steps(machine: &Machine, graph: &Graph, property: StepProperty, ends: &mut Ends) {
    for node in 0..graph.expanded() {
        let state = machine.unpack(graph.table.state(node));
        for edge in graph.edges(node) {
            let next = machine.unpack(graph.table.state(edge.to));
            if machine.judge_step(&state, &next) & property.bit() != 0 {
                let mut path = graph.path(node);
                path.push(graph.actions[usize::from(edge.label)]);
                ends.note(path);
            }
        }
        if ends.is_full() {
            return;
        }
    }
}

/// Paths by the name of their last step.
struct Ends {
    by_step: BTreeMap<&'static str, Vec<Vec<Action>>>,
    max: usize,
}

impl Ends {
    fn note(&mut self, path: Vec<Action>) {
        let ways = self.by_step.entry(path.last().map_or("", |action| action.name())).or_default();
        if ways.len() < self.max {
            ways.push(path);
        }
    }

    fn is_full(&self) -> bool {
        self.by_step.values().map(Vec::len).sum::<usize>() >= self.max.saturating_mul(ENOUGH)
    }

    fn in_turns(self) -> Vec<Vec<Action>> {
        let mut ways: Vec<_> = self.by_step.into_values().map(Vec::into_iter).collect();
        ways.sort_by_key(|ways| ways.as_slice().first().map(Vec::len));
        let mut turns = Vec::new();
        while turns.len() < self.max {
            let before = turns.len();
            turns.extend(ways.iter_mut().filter_map(Iterator::next));
            if turns.len() == before {
                break;
            }
        }
        turns.truncate(self.max);
        turns
    }
}

/// Kinds of last steps to expect.
const ENOUGH: usize = 4;
