//! Ledger and invariants; abstract state and actions; refinement.
pub mod judgement;

pub use judgement::{Divergence, Exercise, Finding, Judgement, Tally};

use tumbler_types::{Bounds, Instant, Observed, Timing, Topology};

/// Both judges of one run, fed event by event.
pub struct Judges {}

impl Judges {
    pub fn new(_topology: &Topology, _timing: &Timing, _bounds: &Bounds, _canaries: u16) -> Self {
        Judges {}
    }

    pub fn observe(&mut self, _observed: &Observed) {}

    pub fn finish(self, _end: Instant) -> Judgement {
        Judgement {
            verdict: tumbler_types::Verdict::Inconclusive,
            findings: Vec::new(),
            divergence: None,
            exercised: Vec::new(),
            tally: Tally::default(),
        }
    }
}
