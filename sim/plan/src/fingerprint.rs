//! The fingerprint: what makes two findings the same finding.
//!
//! Verdict, invariant, role, phase and the kinds of the faults that fired; never ids, times or
//! seeds, so that it survives another seed, another build and shrinking to the same faults.
//!
//! It deliberately does not look at the text of a finding, which may be reworded.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use tumbler_types::{FaultKind, Invariant, Phase, RoleKind, Verdict};

/// Identity of a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fingerprint {
    pub verdict: Verdict,
    pub invariant: Option<Invariant>,
    /// Where it was seen; none for the world itself, or when a worker died without last words.
    pub role: Option<RoleKind>,
    pub phase: Option<Phase>,
    pub faults: BTreeSet<FaultKind>,
}

/// `violated/applied-once/target/draft/crash+hold`, with `-` for what is not there.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fingerprint { verdict, invariant, role, phase, faults } = self;
        let invariant = invariant.map_or("-", Invariant::id);
        let role = role.map_or("-", RoleKind::name);
        let phase = phase.map_or("-", Phase::name);
        write!(f, "{}/{invariant}/{role}/{phase}/", verdict.name())?;
        if faults.is_empty() {
            return f.write_str("-");
        }
        for (index, fault) in faults.iter().enumerate() {
            let separator = if index == 0 { "" } else { "+" };
            write!(f, "{separator}{}", fault.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_shows_every_part_and_a_dash_for_the_missing() {
        let full = Fingerprint {
            verdict: Verdict::Violated,
            invariant: Some(Invariant::AppliedOnce),
            role: Some(RoleKind::Target),
            phase: Some(Phase::Draft),
            faults: BTreeSet::from([FaultKind::Hold, FaultKind::Crash]),
        };
        assert_eq!(full.to_string(), "violated/applied-once/target/draft/crash+hold");
        let bare = Fingerprint { invariant: None, role: None, phase: None, faults: BTreeSet::new(), ..full };
        assert_eq!(bare.to_string(), "violated/-/-/-/-");
    }
}
