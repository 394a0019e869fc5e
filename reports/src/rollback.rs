//! Rollback points: from where a rollback command was tried, and whether it led home.
//!
//! A point is a moment of a judged run; the plan is run again with a rollback command there and no
//! disturbance after it. It exists because `rollback-possible` speaks of *every* state, and one run
//! shows one continuation only.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tumbler_types::{Instant, Phase};

/// One rollback command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    pub at: Instant,
    /// Phase that the command found.
    pub phase: Phase,
    /// A fault stood when the command was given.
    pub under_fault: bool,
    /// Why the goal was missed; none if it was reached.
    pub missed: Option<String>,
}

/// Points tried, by phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollback(BTreeMap<Phase, Tried>);

/// Points tried in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tried {
    pub count: u64,
    pub under_fault: u64,
    pub missed: u64,
}

impl Rollback {
    /// Phases in which a rollback has a promise to keep.
    pub const PHASES: [Phase; 5] = [Phase::Draft, Phase::Staged, Phase::Canary, Phase::Promote, Phase::Drain];

    pub fn absorb(&mut self, point: &Point) {
        let tried = self.0.entry(point.phase).or_default();
        tried.count += 1;
        tried.under_fault += u64::from(point.under_fault);
        tried.missed += u64::from(point.missed.is_some());
    }

    pub fn tried(&self, phase: Phase) -> Tried {
        self.0.get(&phase).copied().unwrap_or_default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
