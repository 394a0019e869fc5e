//! A search of the graph, told: which sentence holds within the bounds, and which way it is broken.

use super::{Cut, Graph, Limit, decide};
use crate::bounds::CheckBounds;
use crate::verdict::{CheckReport, Engine, Sentence, Verdict, reached};
use std::time::Instant;
use tumbler_spec::machine::{Machine, Mutation, Property, StepProperty, Temporal};

/// Searches everything within the bounds, and decides every sentence.
pub fn check_graph(bounds: &CheckBounds, limit: Limit<'_>) -> CheckReport {
    search(*bounds, &Machine::new(*bounds), limit)
}

/// The same with a planted flaw in the machine.
pub fn check_graph_mutated(bounds: &CheckBounds, mutation: Mutation, limit: Limit<'_>) -> CheckReport {
    search(*bounds, &Machine::mutated(*bounds, mutation), limit)
}

fn search(bounds: CheckBounds, machine: &Machine, limit: Limit<'_>) -> CheckReport {
    let begun = Instant::now();
    let graph = Graph::explore(machine, limit);
    let states = graph.table.len() as u64;
    let cut = graph.cut.map(|cut| Verdict::Inconclusive { why: told(cut).to_owned() });
    let holds = |asked: u64| match &cut {
        Some(cut) => cut.clone(),
        None if asked == 0 => Verdict::Inconclusive { why: "it was demanded of no state".to_owned() },
        None => Verdict::Holds { bounds, asked },
    };
    let mut sentences = Vec::new();
    for property in Property::ALL {
        let broken =
            (0..graph.table.len() as u32).find(|node| !property.holds(graph.table.state(*node).broken()));
        let verdict = match broken {
            Some(node) => Verdict::Violated { path: graph.path(node), cycle: Vec::new() },
            None => holds(states),
        };
        sentences.push(Sentence::invariant(property, verdict));
    }
    for property in StepProperty::ALL {
        let broken = graph.broken_steps.iter().find(|(_, _, bits)| bits & property.bit() != 0);
        let verdict = match broken {
            Some((node, label, _)) => {
                let mut path = graph.path(*node);
                path.push(graph.actions[usize::from(*label)]);
                Verdict::Violated { path, cycle: Vec::new() }
            }
            None => holds(graph.edge_count()),
        };
        sentences.push(Sentence::step(property, verdict));
    }
    for temporal in Temporal::ALL {
        // Beyond a cut anything may follow.
        let verdict = match &cut {
            Some(cut) => cut.clone(),
            None => {
                let decision = decide(&graph, temporal);
                match decision.refutation {
                    Some(refuted) => Verdict::Violated { path: refuted.path, cycle: refuted.cycle },
                    None => holds(decision.asked),
                }
            }
        };
        sentences.push(Sentence::temporal(temporal, verdict));
    }
    let is_clean = |sentence: &Sentence| !matches!(sentence.verdict, Verdict::Violated { .. });
    let is_exhausted = graph.cut.is_none() && sentences.iter().take(Property::ALL.len()).all(is_clean);
    let reached = reached(bounds, graph.marks);
    CheckReport {
        engine: Engine::Graph,
        bounds,
        sentences,
        reached,
        states,
        edges: graph.edge_count(),
        spent: Some(graph.spent),
        depth: graph.depth,
        elapsed: begun.elapsed(),
        is_exhausted,
    }
}

const fn told(cut: Cut) -> &'static str {
    match cut {
        Cut::Memory => "memory ended first",
        Cut::Deadline => "the deadline came first",
        Cut::Stopped => "it was stopped",
    }
}
