//! What the search demands of every state and step, and the goals that prove it was not idle.

use super::{Machine, State};
use crate::invariant::{
    Judged, invariant_applied_once, invariant_durable_ack, invariant_revoked_refused,
    invariant_revoked_undelivered, invariant_rollback_possible,
};
use tumbler_types::{Observed, Phase};

/// One sentence that holds in every reachable state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Property {
    AppliedOnce,
    RevokedUndelivered,
    RevokedRefused,
    RollbackPossible,
    DurableAck,
    /// Every step that participants take from what they know is one that the rules allow.
    TransitionsLegal,
    /// What an agent may hand out is accepted at the target, unless it was revoked.
    HeldAccepted,
    /// With no rotation open the target accepts the current version, unless revoked, and no other.
    RestAgrees,
}

impl Property {
    pub const ALL: [Property; 8] = [
        Property::AppliedOnce,
        Property::RevokedUndelivered,
        Property::RevokedRefused,
        Property::RollbackPossible,
        Property::DurableAck,
        Property::TransitionsLegal,
        Property::HeldAccepted,
        Property::RestAgrees,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Property::AppliedOnce => "applied-once",
            Property::RevokedUndelivered => "revoked-undelivered",
            Property::RevokedRefused => "revoked-refused",
            Property::RollbackPossible => "rollback-possible",
            Property::DurableAck => "durable-ack",
            Property::TransitionsLegal => "transitions-legal",
            Property::HeldAccepted => "held-accepted",
            Property::RestAgrees => "rest-agrees",
        }
    }

    /// Neither broken on the way here nor in this state.
    pub const fn holds(self, broken: u8) -> bool {
        broken & self.bit() == 0
    }

    pub(super) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A moment that the search must have seen: the antecedent of some property, or a corner of the
/// protocol that would otherwise be claimed unseen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mark {
    RotationPromoted,
    RotationRolledBack,
    RollBackFromDraft,
    RollBackFromStaged,
    RollBackFromCanary,
    RollBackFromPromote,
    RollBackFromDrain,
    LateCallEnforced,
    LateCallRefused,
    LateReportRecorded,
    LateReportIgnored,
    LateRequestTaken,
    RepeatAnswered,
    CrashInDraft,
    CrashInStaged,
    CrashInCanary,
    CrashInPromote,
    CrashInDrain,
    CrashInRetire,
    CrashInRevert,
    CrashInDiscard,
    CrashInIdle,
    TakeoverInRotation,
    RevokedInCanary,
    RevokedInDrain,
    RevokedAtRest,
    RevokedHandedOutInTime,
    RevokedLoginRefused,
    DebtConfirmed,
    GrantExpiredInDrain,
}

impl Mark {
    pub const ALL: [Mark; 30] = [
        Mark::RotationPromoted,
        Mark::RotationRolledBack,
        Mark::RollBackFromDraft,
        Mark::RollBackFromStaged,
        Mark::RollBackFromCanary,
        Mark::RollBackFromPromote,
        Mark::RollBackFromDrain,
        Mark::LateCallEnforced,
        Mark::LateCallRefused,
        Mark::LateReportRecorded,
        Mark::LateReportIgnored,
        Mark::LateRequestTaken,
        Mark::RepeatAnswered,
        Mark::CrashInDraft,
        Mark::CrashInStaged,
        Mark::CrashInCanary,
        Mark::CrashInPromote,
        Mark::CrashInDrain,
        Mark::CrashInRetire,
        Mark::CrashInRevert,
        Mark::CrashInDiscard,
        Mark::CrashInIdle,
        Mark::TakeoverInRotation,
        Mark::RevokedInCanary,
        Mark::RevokedInDrain,
        Mark::RevokedAtRest,
        Mark::RevokedHandedOutInTime,
        Mark::RevokedLoginRefused,
        Mark::DebtConfirmed,
        Mark::GrantExpiredInDrain,
    ];

    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }

    /// A rotation is given up in this phase, if it may be.
    pub const fn roll_back_from(phase: Phase) -> Option<Mark> {
        match phase {
            Phase::Draft => Some(Mark::RollBackFromDraft),
            Phase::Staged => Some(Mark::RollBackFromStaged),
            Phase::Canary => Some(Mark::RollBackFromCanary),
            Phase::Promote => Some(Mark::RollBackFromPromote),
            Phase::Drain => Some(Mark::RollBackFromDrain),
            Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => None,
        }
    }

    /// A crash while a rotation is in this phase.
    pub const fn crash_in(phase: Phase) -> Mark {
        match phase {
            Phase::Idle => Mark::CrashInIdle,
            Phase::Draft => Mark::CrashInDraft,
            Phase::Staged => Mark::CrashInStaged,
            Phase::Canary => Mark::CrashInCanary,
            Phase::Promote => Mark::CrashInPromote,
            Phase::Drain => Mark::CrashInDrain,
            Phase::Retire => Mark::CrashInRetire,
            Phase::Revert => Mark::CrashInRevert,
            Phase::Discard => Mark::CrashInDiscard,
        }
    }

    pub const fn bit(self) -> u64 {
        1 << self as u64
    }

    /// Whether these limits leave room for it.
    pub const fn is_owed(self, limits: super::Limits) -> bool {
        match self {
            Mark::LateCallEnforced | Mark::LateCallRefused | Mark::LateReportIgnored => limits.zombies > 0,
            Mark::LateReportRecorded | Mark::LateRequestTaken => limits.zombies > 0,
            Mark::TakeoverInRotation => limits.rotators > 1,
            Mark::CrashInDraft
            | Mark::CrashInStaged
            | Mark::CrashInCanary
            | Mark::CrashInPromote
            | Mark::CrashInDrain
            | Mark::CrashInRetire
            | Mark::CrashInRevert
            | Mark::CrashInDiscard
            | Mark::CrashInIdle => limits.crashes > 0,
            Mark::RevokedInCanary
            | Mark::RevokedInDrain
            | Mark::RevokedAtRest
            | Mark::RevokedHandedOutInTime
            | Mark::RevokedLoginRefused
            | Mark::DebtConfirmed => limits.revocations > 0,
            Mark::GrantExpiredInDrain => limits.agents > 0,
            Mark::RotationPromoted
            | Mark::RotationRolledBack
            | Mark::RollBackFromDraft
            | Mark::RollBackFromStaged
            | Mark::RollBackFromCanary
            | Mark::RollBackFromPromote
            | Mark::RollBackFromDrain
            | Mark::RepeatAnswered => limits.rotations > 0,
        }
    }
}

impl Machine {
    /// The run's invariants, on one event. Returns the bits of those broken.
    pub(super) fn judge_before(&self, state: &State, observed: &Observed) -> u8 {
        let ledger = &state.ledger;
        broken(Property::AppliedOnce, &invariant_applied_once(ledger, observed))
            | broken(
                Property::RevokedUndelivered,
                &invariant_revoked_undelivered(ledger, &self.claims, observed),
            )
            | broken(Property::RevokedRefused, &invariant_revoked_refused(ledger, &self.claims, observed))
            | broken(Property::DurableAck, &invariant_durable_ack(ledger, observed))
    }

    /// The state, with what it breaks by itself.
    pub fn judged(&self, state: &State) -> State {
        let mut state = state.clone();
        state.broken |= self.judge_state(&state);
        state
    }

    /// The sentences about a state by itself.
    pub(super) fn judge_state(&self, state: &State) -> u8 {
        let held = if held_accepted(state) { 0 } else { Property::HeldAccepted.bit() };
        let rest = if rest_agrees(state) { 0 } else { Property::RestAgrees.bit() };
        held | rest
    }

    pub(super) fn judge_after(&self, state: &State, observed: &Observed) -> u8 {
        broken(Property::RollbackPossible, &invariant_rollback_possible(&state.ledger, observed))
    }
}

fn broken(property: Property, judged: &Judged) -> u8 {
    match judged {
        Judged::Broken(_) => property.bit(),
        Judged::Silent | Judged::Near(_) | Judged::Held => 0,
    }
}

fn held_accepted(state: &State) -> bool {
    let slice = state.slice();
    (0u8..).zip(&slice.holders).all(|(agent, holder)| {
        let version = holder.stored.version;
        !state.is_serving(agent) || slice.is_revoked(version) || slice.is_accepted(version)
    })
}

fn rest_agrees(state: &State) -> bool {
    let slice = state.slice();
    if slice.phase != Phase::Idle {
        return true;
    }
    let Some(current) = slice.current.and_then(|current| slice.version(current)) else { return false };
    let other = slice.accepted[current.principal.other().index()];
    let own = slice.accepted[current.principal.index()];
    other.is_none()
        && (own == current.value || (own.is_none() && current.revoked.is_some()))
        && slice.pending.is_none()
        && slice.previous.is_none()
}
