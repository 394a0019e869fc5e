//! Assumptions as an interface: what is owed under each fault, as data.
//!
//! An invariant is a promise under conditions. The conditions are declared here, in one table that is
//! total over invariants and faults, so that a new one of either kind must say what it means. The
//! judges' bounds follow it: a clock that starts only when the path opens is a cell of this table.
//!
//! Beyond an assumption nothing is owed of the invariants that it carries: the judges write down
//! what breaks them as excused. It deliberately does no timing: the invariants' functions do.

use std::collections::BTreeSet;
use tumbler_types::{Assumption, FaultKind, Invariant, RHO_PPM, Timing};

/// What the system owes of an invariant while, and after, a fault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owed {
    /// At every moment, as if there were no fault.
    Holds,
    /// Within its bound, which goes on running while the fault stands.
    Bound,
    /// Within its bound, counted from the moment at which the path is open again.
    Reachable,
    /// Within its bound, counted from the end of the last fault.
    Calm,
}

impl Owed {
    pub const ALL: [Owed; 4] = [Owed::Holds, Owed::Bound, Owed::Reachable, Owed::Calm];

    pub const fn name(self) -> &'static str {
        match self {
            Owed::Holds => "holds",
            Owed::Bound => "bound",
            Owed::Reachable => "reachable",
            Owed::Calm => "calm",
        }
    }

    pub const fn about(self) -> &'static str {
        match self {
            Owed::Holds => "at every moment, as if there were no fault",
            Owed::Bound => "within its bound, which runs on while the fault stands",
            Owed::Reachable => "within its bound, counted from when the path is open again",
            Owed::Calm => "within its bound, counted from the end of the last fault",
        }
    }
}

/// The table. Faults that take a node or link away move the bounds to when it is back; faults of one
/// message or write must be absorbed by the bounds as they are.
pub const fn owed(invariant: Invariant, fault: FaultKind) -> Owed {
    let takes_away = match fault {
        FaultKind::Partition
        | FaultKind::Crash
        | FaultKind::Pause
        | FaultKind::Redeploy
        | FaultKind::Suspend
        | FaultKind::TornWrite
        | FaultKind::DiskFull
        | FaultKind::DiskStall
        | FaultKind::BitRot
        | FaultKind::DiskRestore
        | FaultKind::Slow
        | FaultKind::CrashLoop
        | FaultKind::Reconfigure
        | FaultKind::SlowLink
        | FaultKind::LossyLink
        | FaultKind::Corrupt
        | FaultKind::NarrowLink
        | FaultKind::HalfOpen => true,
        FaultKind::Hold
        | FaultKind::LoseReply
        | FaultKind::LoseRequest
        | FaultKind::Duplicate
        | FaultKind::Strip
        | FaultKind::ClockStep
        | FaultKind::FailPersist
        | FaultKind::DiskReorder
        | FaultKind::LyingSync
        | FaultKind::ClockDrift
        | FaultKind::ClockFreeze
        | FaultKind::ClockStrobe
        | FaultKind::Reset => false,
    };
    match invariant {
        Invariant::AppliedOnce
        | Invariant::DurableAck
        | Invariant::NoDowngrade
        | Invariant::PrivilegePreserved
        | Invariant::TransitionsLegal => Owed::Holds,
        Invariant::RevokedUndelivered
        | Invariant::RevokedRefused
        | Invariant::HolderServed
        | Invariant::OrphanFree => {
            if takes_away {
                Owed::Reachable
            } else {
                Owed::Bound
            }
        }
        // Its state predicate holds always; its goal, like convergence, is a matter of calm.
        Invariant::RollbackPossible | Invariant::Converges | Invariant::RotatedWhenDue => Owed::Calm,
    }
}

/// An assumption with the parameters of a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub assumption: Assumption,
    pub sentence: String,
    /// What is void when it does not hold.
    pub carries: &'static [Invariant],
}

/// What every run assumes, with the parameters of its scenario.
pub fn assumptions(timing: &Timing) -> Vec<Declared> {
    let declared = |assumption| {
        let sentence = match assumption {
            Assumption::ClockWithinEpsilon => {
                format!("every wall clock is within {} ms of true time (ε)", timing.epsilon.millis())
            }
            Assumption::ClockRateTrue => {
                format!("every clock runs within {RHO_PPM} ppm of the rate of true time (ρ)")
            }
            Assumption::FsyncHonest => "a write that was reported durable survives every crash".to_owned(),
            Assumption::DisksKept => "no disk is lost, restored to an older state, or shared".to_owned(),
            Assumption::TargetFenced => {
                "the target does with fences what it declares, and persists before it answers".to_owned()
            }
            Assumption::ActorLifetime => format!(
                "where the last write wins, a call lands within {} s of its caller's decision, or never",
                timing.actor_lifetime.millis() / 1_000
            ),
            Assumption::TwoPrincipals => {
                "the target accepts two versions at once; where it declares one, the \
                version to return to is one effect away instead of accepted, and holders are refused for the \
                declared outage"
                    .to_owned()
            }
            Assumption::ReplicaCloses => format!(
                "a replica that has not heard for {} ms refuses everything",
                timing.visibility.millis()
            ),
            Assumption::IdentitiesTrue => {
                "nobody forges a sender, a frame or a record; stripping a frame is a fault".to_owned()
            }
        };
        Declared { assumption, sentence, carries: carries(assumption) }
    };
    Assumption::ALL.map(declared).to_vec()
}

/// The invariants of which nothing is owed once this does not hold.
///
/// Who hands out a version stops by its wall clock, so delivery and service rest on ε. All else was
/// seen to hold with clocks an hour off: fences, floors and durable answers ask no clock, and a rotation
/// waits for acknowledgements as well as for ends. Disks that forget take along what was granted,
/// revoked and due, and what was closed at the target: one that is restored to a snapshot from before a
/// revocation accepts what its record says is refused, and nobody looks again while nothing is open
/// (`forgetful-disks`, seed 1075 and nine more of 1,200). Privileges stay.
pub const fn carries(assumption: Assumption) -> &'static [Invariant] {
    match assumption {
        Assumption::ClockWithinEpsilon => &[Invariant::RevokedUndelivered, Invariant::HolderServed],
        Assumption::ClockRateTrue => &[Invariant::RevokedUndelivered, Invariant::RevokedRefused],
        Assumption::FsyncHonest => &[
            Invariant::DurableAck,
            Invariant::AppliedOnce,
            Invariant::RollbackPossible,
            Invariant::NoDowngrade,
            Invariant::RevokedUndelivered,
            Invariant::RevokedRefused,
            Invariant::HolderServed,
            Invariant::TransitionsLegal,
        ],
        Assumption::DisksKept => &[
            Invariant::DurableAck,
            Invariant::AppliedOnce,
            Invariant::RollbackPossible,
            Invariant::Converges,
            Invariant::NoDowngrade,
            Invariant::RevokedUndelivered,
            Invariant::RevokedRefused,
            Invariant::HolderServed,
            Invariant::TransitionsLegal,
            Invariant::RotatedWhenDue,
            Invariant::OrphanFree,
        ],
        Assumption::TargetFenced => &[Invariant::AppliedOnce, Invariant::RollbackPossible],
        Assumption::ActorLifetime => {
            &[Invariant::AppliedOnce, Invariant::RevokedRefused, Invariant::OrphanFree]
        }
        Assumption::TwoPrincipals => &[Invariant::RollbackPossible, Invariant::HolderServed],
        Assumption::ReplicaCloses => &[Invariant::RevokedRefused],
        Assumption::IdentitiesTrue => &Invariant::ALL,
    }
}

/// What is excused when these do not hold: what they carry, and nothing else.
pub fn excused(broken: &BTreeSet<Assumption>) -> BTreeSet<Invariant> {
    broken.iter().flat_map(|assumption| carries(*assumption)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells that the judges' timing implements, spelled out: a changed cell is a changed promise.
    #[test]
    fn the_table_is_what_the_judges_implement() {
        let row = |invariant| FaultKind::ALL.map(|fault| owed(invariant, fault).name());
        assert_eq!(row(Invariant::AppliedOnce), ["holds"; FaultKind::ALL.len()]);
        assert_eq!(row(Invariant::DurableAck), ["holds"; FaultKind::ALL.len()]);
        let refused = row(Invariant::RevokedRefused);
        let absorbed: Vec<&str> = FaultKind::ALL
            .into_iter()
            .zip(refused)
            .filter(|(_, cell)| *cell == "bound")
            .map(|(fault, _)| fault.name())
            .collect();
        assert_eq!(
            absorbed,
            [
                "hold",
                "lose-reply",
                "lose-request",
                "clock-step",
                "fail-persist",
                "duplicate",
                "strip",
                "disk-reorder",
                "lying-sync",
                "clock-drift",
                "clock-freeze",
                "clock-strobe",
                "reset",
            ]
        );
        assert!(refused.iter().all(|cell| matches!(*cell, "bound" | "reachable")));
        assert_eq!(row(Invariant::Converges), ["calm"; FaultKind::ALL.len()]);
    }

    /// Spelled out, because a cell too many hides findings.
    #[test]
    fn clocks_carry_delivery_and_service_and_no_fence() {
        let clocks = excused(&BTreeSet::from([Assumption::ClockWithinEpsilon]));
        assert_eq!(clocks, BTreeSet::from([Invariant::RevokedUndelivered, Invariant::HolderServed]));
        assert_eq!(excused(&BTreeSet::new()), BTreeSet::new());
    }

    #[test]
    fn every_assumption_carries_something_and_every_invariant_rests_on_one() {
        let all = assumptions(&Timing::default());
        assert!(all.iter().all(|each| !each.carries.is_empty()));
        for invariant in Invariant::ALL {
            assert!(all.iter().any(|each| each.carries.contains(&invariant)), "{}", invariant.id());
        }
    }
}
