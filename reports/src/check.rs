//! The check: one thing that a scenario's seeds are looked at for.
//!
//! Every invariant is one; so is following the specification, staying alive, giving one digest and
//! coming to a conclusion. It exists because a failure that no invariant names still needs a place
//! in reports, and a name that is the same for every seed.
//!
//! It deliberately decides nothing: which check a verdict speaks of is a matter of naming.

use serde::{Deserialize, Serialize};
use tumbler_types::{Invariant, Verdict};

/// One thing looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Check {
    Invariant(Invariant),
    FollowsSpec,
    Survives,
    Deterministic,
    Conclusive,
}

impl Check {
    /// Invariants first.
    pub fn all() -> impl Iterator<Item = Check> {
        let rest = [Check::FollowsSpec, Check::Survives, Check::Deterministic, Check::Conclusive];
        Invariant::ALL.into_iter().map(Check::Invariant).chain(rest)
    }

    pub const fn id(self) -> &'static str {
        match self {
            Check::Invariant(invariant) => invariant.id(),
            Check::FollowsSpec => "follows-spec",
            Check::Survives => "survives",
            Check::Deterministic => "deterministic",
            Check::Conclusive => "conclusive",
        }
    }

    /// What a seed does that fails it, after `3 seeds`.
    pub const fn failing(self) -> &'static str {
        match self {
            Check::Invariant(_) => "broke it",
            Check::FollowsSpec => "left the specification",
            Check::Survives => "killed the worker",
            Check::Deterministic => "gave another digest when run again",
            Check::Conclusive => "came to no conclusion",
        }
    }

    /// What a verdict speaks of; nothing for a pass.
    pub const fn of(verdict: Verdict, invariant: Option<Invariant>) -> Option<Check> {
        match (verdict, invariant) {
            (Verdict::Pass, _) => None,
            (Verdict::Violated | Verdict::Stalled, Some(invariant)) => Some(Check::Invariant(invariant)),
            (Verdict::Stalled, None) => Some(Check::Invariant(Invariant::Converges)),
            (Verdict::Diverged | Verdict::Violated, _) => Some(Check::FollowsSpec),
            (Verdict::Crashed, _) => Some(Check::Survives),
            (Verdict::Nondeterministic, _) => Some(Check::Deterministic),
            (Verdict::Inconclusive, _) => Some(Check::Conclusive),
        }
    }
}

impl TryFrom<String> for Check {
    type Error = String;

    fn try_from(id: String) -> Result<Self, String> {
        Check::all().find(|check| check.id() == id).ok_or_else(|| format!("unknown check `{id}`"))
    }
}

impl From<Check> for String {
    fn from(check: Check) -> String {
        check.id().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_failure_speaks_of_a_check_and_ids_are_distinct() {
        let ids: BTreeSet<&str> = Check::all().map(Check::id).collect();
        assert_eq!(ids.len(), Check::all().count());
        for verdict in Verdict::ALL {
            assert_eq!(Check::of(verdict, None).is_none(), verdict == Verdict::Pass);
        }
        for check in Check::all() {
            assert_eq!(Check::try_from(check.id().to_owned()), Ok(check));
        }
        assert!(Check::try_from("applied-twice".to_owned()).is_err());
    }
}
