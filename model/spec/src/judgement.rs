//! What the two judges say about a run.

use tumbler_types::{Instant, Invariant, NodeId, Phase, SecretId, Span, Verdict};

/// A broken invariant, at the first event that shows it. A finding never ends the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub invariant: Invariant,
    pub seq: u64,
    pub at: Instant,
    pub node: NodeId,
    pub secret: SecretId,
    /// Phase of the secret's rotation at that event.
    pub phase: Phase,
    /// One sentence with expected and got.
    pub why: String,
}

/// The first event that the spec does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    pub seq: u64,
    pub at: Instant,
    pub node: NodeId,
    pub secret: SecretId,
    pub phase: Phase,
    /// What happened, and why it fits no step of the spec.
    pub why: String,
    /// The steps that the spec would have allowed there.
    pub allowed: Vec<String>,
}

/// How often an invariant's antecedent was met: zero over a suite is Inconclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exercise {
    pub invariant: Invariant,
    pub count: u64,
    /// Those while at least one fault was standing, or within one converge bound after one ended.
    pub under_fault: u64,
    /// Closest approach to the bound, where there is one.
    pub worst: Option<Span>,
    pub bound: Option<Span>,
}

/// Counts of what happened in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rotations that closed through `Retire`.
    pub promoted: u64,
    /// Rotations that closed through `Discard`.
    pub rolled_back: u64,
    /// Rotations still open at the end.
    pub open: u64,
    pub faults_fired: u64,
    /// Faults that began while some secret's phase was not `Idle`.
    pub faults_in_rotation: u64,
    /// Effective commands in the log.
    pub commands: u64,
}

/// Outcome of judging one run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Judgement {
    pub verdict: Verdict,
    /// At most one per (invariant, secret), the first.
    pub findings: Vec<Finding>,
    /// What broke an invariant that a broken assumption carries. Counts against nothing, is told.
    pub excused: Vec<Finding>,
    pub divergence: Option<Divergence>,
    /// One per invariant, in the order of [`Invariant::ALL`].
    pub exercised: Vec<Exercise>,
    pub tally: Tally,
}
