//! What was reached, as part of version 2 of `report.json`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tumbler_plan::Digest;
use tumbler_types::{FaultKind, Phase};

/// What the runs of a sweep reached, out of what could be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// Seeds whose runs were followed.
    pub followed: u64,
    /// Each kind of fault that some plan held, once, in a fixed order.
    pub faults: Vec<ReachedFault>,
    /// Every crash point that is declared.
    pub points: Vec<Hits>,
    /// Every probe that is declared.
    pub probes: Vec<Hits>,
    pub walk: ReachedWalk,
}

/// Seeds in which a kind of fault began in each phase of a rotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachedFault {
    pub fault: FaultKind,
    pub phases: BTreeMap<Phase, u64>,
}

/// Seeds that hit what has this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hits {
    pub name: String,
    pub seeds: u64,
}

/// States and steps of the specification's graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachedWalk {
    /// Of all states and steps, in their order: bits of another graph mean something else.
    pub graph: Digest,
    /// Within which the graph is whole.
    pub bounds: String,
    /// Seeds whose world the machine has.
    pub seeds: u64,
    pub states: u64,
    pub states_visited: u64,
    /// By name; their steps stand in this order.
    pub actions: Vec<ReachedAction>,
    /// States that were met and that no path leads to.
    pub unknown: u64,
    /// The first seeds that met some.
    pub strayed: Vec<Strayed>,
    /// A bit per state, four to a hexadecimal digit, the lowest first.
    pub state_bits: String,
    /// The same of steps.
    pub step_bits: String,
}

/// Steps that one action makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReachedAction {
    pub action: String,
    pub steps: u64,
    pub visited: u64,
}

/// A seed that left the graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strayed {
    pub scenario: String,
    pub seed: u64,
}

impl ReachedWalk {
    /// Steps visited, and all.
    pub fn steps(&self) -> (u64, u64) {
        self.actions.iter().fold((0, 0), |(visited, steps), each| {
            (visited.saturating_add(each.visited), steps.saturating_add(each.steps))
        })
    }
}
