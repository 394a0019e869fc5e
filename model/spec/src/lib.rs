//! Ledger and invariants; abstract state and actions; refinement: the only place where the
//! protocol's meaning is written down.
//!
//! It is told the time and never asks. It deliberately shares no transition code with the system:
//! the same code on both sides proves nothing.

pub mod assumption;
pub mod invariant;
pub mod judgement;
pub mod ledger;
pub mod machine;
mod monitor;
pub mod rule;
mod view;
mod watch;

pub use invariant::{Claims, Why, rollback_goal, rollback_goal_of};
pub use judgement::{Divergence, Exercise, Finding, Judgement, Tally};
pub use ledger::Ledger;
pub use rule::Rules;
pub use view::RecordView;

use monitor::Monitor;
use std::collections::BTreeSet;
use tumbler_types::{
    Assumption, Bounds, Instant, Invariant, LogIndex, NodeId, Observed, Timing, Topology, Verdict,
};
use watch::Watch;

/// Both judges of one run, fed event by event.
#[derive(Clone, Debug)]
pub struct Judges {
    ledger: Ledger,
    watch: Watch,
    monitor: Monitor,
    /// Of the record that was compared last.
    viewed: LogIndex,
}

impl Judges {
    /// `canaries`: how many of the first agents are in the canary cohort.
    pub fn new(topology: &Topology, timing: &Timing, bounds: &Bounds, canaries: u16) -> Self {
        let claims = Claims { timing: timing.clone(), bounds: bounds.clone() };
        // Nobody can try a version beside the one that it ends.
        let canaries = if topology.adapter.is_single() { 0 } else { canaries };
        let rules = Rules { timing: timing.clone(), canaries, adapter: topology.adapter };
        Judges {
            ledger: Ledger::new(topology),
            watch: Watch::new(claims, usize::from(topology.secrets)),
            monitor: Monitor::new(rules, usize::from(topology.secrets)),
            viewed: LogIndex(0),
        }
    }

    /// The same judges for a world that leaves these assumptions: what breaks an invariant that one
    /// of them carries is written down as excused, and what breaks any other is a finding.
    #[must_use]
    pub fn breaking(mut self, broken: &BTreeSet<Assumption>) -> Self {
        self.watch.excuse(assumption::excused(broken));
        // The spec has no disk that forgets: it cannot follow one.
        if broken.contains(&Assumption::FsyncHonest) || broken.contains(&Assumption::DisksKept) {
            self.monitor.rest();
        }
        self
    }

    /// What has become true so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where the run left the spec, if it did.
    pub fn divergence(&self) -> Option<&Divergence> {
        self.monitor.divergence()
    }

    pub fn observe(&mut self, observed: &Observed) {
        self.watch.observe(&mut self.ledger, &mut self.monitor, observed);
    }

    /// A record that reflects the log up to there would tell something: nothing of the log is under way, and
    /// none of this entry has been looked at.
    pub fn awaits_view(&self, index: LogIndex) -> bool {
        index > self.viewed && index == self.ledger.length && self.monitor.follows()
    }

    /// Holds what the authority said, after the event before `seq`, against what its log says.
    pub fn look(&mut self, seq: u64, at: Instant, node: NodeId, view: &RecordView) {
        self.viewed = view.index;
        self.monitor.look(&self.ledger, (seq, at, node), view);
    }

    pub fn finish(mut self, end: Instant) -> Judgement {
        let (findings, excused, exercised, tally) = self.watch.finish(&mut self.ledger, end);
        let divergence = self.monitor.into_divergence();
        Judgement {
            verdict: verdict(&findings, &divergence),
            findings,
            excused,
            divergence,
            exercised,
            tally,
        }
    }
}

/// Violated outranks Diverged, which outranks Stalled.
fn verdict(findings: &[Finding], divergence: &Option<Divergence>) -> Verdict {
    if findings.iter().any(|finding| finding.invariant != Invariant::Converges) {
        Verdict::Violated
    } else if divergence.is_some() {
        Verdict::Diverged
    } else if !findings.is_empty() {
        Verdict::Stalled
    } else {
        Verdict::Pass
    }
}
