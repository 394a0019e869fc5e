//! What one seed came to: the words between a worker, the harness and the renderers.
//!
//! It exists so that `reports` need not know the judges: the harness writes their judgement down in
//! this form, which crosses a pipe, and nothing here is computed from it.

use crate::reached::Reached;
use crate::{Difference, Point, Story};
use serde::{Deserialize, Serialize};
use tumbler_plan::{Fingerprint, LastWords, Row};
use tumbler_types::{FaultId, Instant, Invariant, Phase, Span};

/// Outcome of one seed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedReport {
    pub row: Row,
    /// Rotations open at the end.
    pub open: u64,
    /// Effective commands in the authority's log.
    pub commands: u64,
    /// Faults in the plan, fired or not.
    pub planned_faults: u64,
    pub exercised: Vec<Exercised>,
    /// Everything that a judge found, in the order of the trace; the verdict is the row's.
    pub broken: Vec<Broken>,
    /// What broke an invariant of which nothing is owed in this run.
    pub excused: Vec<Broken>,
    /// None for a pass.
    pub fingerprint: Option<Fingerprint>,
    pub fired: Vec<FaultId>,
    pub last: Option<LastWords>,
    /// The seed was run again in another process, and this is whether the digests were equal.
    pub recheck: Option<Recheck>,
    /// Rollback commands tried from points of this run.
    pub points: Vec<Point>,
    pub story: Option<Story>,
    /// The published incident that its scenario retells, if it was found in one.
    #[serde(default)]
    pub retells: Option<String>,
    /// Where two runs of the seed first differed, if they did and it could be recorded.
    #[serde(default)]
    pub difference: Option<Difference>,
    /// What the run reached, if it was followed.
    #[serde(default)]
    pub reached: Option<Reached>,
}

/// One thing that a judge found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broken {
    /// None: the trace left the spec.
    pub invariant: Option<Invariant>,
    pub seq: u64,
    pub at: Instant,
    pub node: String,
    pub secret: String,
    pub phase: Phase,
    pub why: String,
    /// What the spec would have allowed there, for a divergence.
    pub allowed: Vec<String>,
    /// What the model breaks from there, for a divergence that is told.
    pub ahead: Vec<String>,
}

/// How often the antecedent of an invariant was met, and how close its bound came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exercised {
    pub invariant: Invariant,
    pub count: u64,
    pub under_fault: u64,
    pub worst: Option<Span>,
    pub bound: Option<Span>,
}

/// Whether a second run gave the same digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recheck {
    Equal,
    Differs,
}
