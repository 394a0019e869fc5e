//! What is demanded of more than one state: of steps, of what stays possible, and of what must come.
//!
//! A state predicate cannot say that there is always a way back, nor that taking it leads anywhere.
//! Here are the predicates and the classes of steps that such sentences are made of; a graph of all
//! states decides them.
//!
//! *Fault-free* means: nothing is lost, held or crashed, no lease is taken over, and whoever should hold a
//! version can renew it. Time passes: what is left over expires.

use super::{Action, Machine, State};
use crate::invariant::rollback_goal_of;
use tumbler_types::{Fence, Phase, Tag, VersionId};

/// Whose step it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Taken by a participant that works. If it can be taken for ever, it is taken (weak fairness).
    System,
    /// Time, and what is under way. Time passes; what is under way may or may not arrive.
    Environment,
    Operator,
    /// Something is lost, held, crashed, taken over, or cut off.
    Fault,
}

/// What is true of a state, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts(pub u8);

impl Facts {
    /// There is a way back: before the point of no return, and what it leads to is not revoked.
    pub const RETURNABLE: u8 = 1;
    /// A rotation was given up and is not closed.
    pub const GIVEN_UP: u8 = 2;
    pub const IDLE: u8 = 4;
    /// Every agent has a version that it was granted, that the target accepts, and that is not revoked.
    pub const SERVED: u8 = 8;
    /// Some agent is entitled to nothing, because what it should hold is revoked.
    pub const UNENTITLED: u8 = 16;

    pub const fn has(self, bits: u8) -> bool {
        self.0 & bits == bits
    }
}

/// A sentence about every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepProperty {
    /// The primary's last fence never falls.
    FencesRise,
    /// What the target stops accepting nobody may still hand out, unless it was revoked.
    RemovalIsSafe,
}

impl StepProperty {
    pub const ALL: [StepProperty; 2] = [StepProperty::FencesRise, StepProperty::RemovalIsSafe];

    pub const fn id(self) -> &'static str {
        match self {
            StepProperty::FencesRise => "fences-rise",
            StepProperty::RemovalIsSafe => "removal-is-safe",
        }
    }

    pub const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A sentence about continuations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Temporal {
    /// AG EF: before the point of no return, operator and system can bring every holder onto an accepted
    /// version with the rotation given up, through states that break nothing.
    RollbackAvailable,
    /// AG EF: from everywhere the system can close what is open. With the former: never wedged.
    ClosingAvailable,
    /// Leads-to: once given up, every fair fault-free continuation reaches that.
    RollbackLeads,
    /// Leads-to: every fair fault-free continuation of an open rotation closes it.
    RotationCloses,
}

impl Temporal {
    pub const ALL: [Temporal; 4] = [
        Temporal::RollbackAvailable,
        Temporal::ClosingAvailable,
        Temporal::RollbackLeads,
        Temporal::RotationCloses,
    ];

    pub const fn id(self) -> &'static str {
        match self {
            Temporal::RollbackAvailable => "rollback-available",
            Temporal::ClosingAvailable => "closing-available",
            Temporal::RollbackLeads => "rollback-leads",
            Temporal::RotationCloses => "rotation-closes",
        }
    }

    /// Every continuation, and not some.
    pub const fn is_inevitable(self) -> bool {
        matches!(self, Temporal::RollbackLeads | Temporal::RotationCloses)
    }

    /// States of which it is demanded.
    pub const fn is_asked(self, facts: Facts) -> bool {
        match self {
            Temporal::RollbackAvailable => facts.has(Facts::RETURNABLE),
            Temporal::ClosingAvailable => true,
            Temporal::RollbackLeads => facts.has(Facts::GIVEN_UP),
            Temporal::RotationCloses => !facts.has(Facts::IDLE),
        }
    }

    pub const fn is_goal(self, facts: Facts) -> bool {
        match self {
            Temporal::RollbackAvailable => facts.has(Facts::GIVEN_UP | Facts::SERVED),
            // Closed counts too: discarding goes on while holders come back.
            Temporal::RollbackLeads => facts.has(Facts::SERVED) || facts.has(Facts::UNENTITLED),
            Temporal::ClosingAvailable | Temporal::RotationCloses => facts.has(Facts::IDLE),
        }
    }

    /// Steps that a continuation may consist of.
    pub const fn follows(self, class: Class, action: Action) -> bool {
        match class {
            Class::System | Class::Environment => {
                // Another rotation is another matter.
                !(matches!(self, Temporal::RollbackAvailable) && matches!(action, Action::Begin))
            }
            Class::Operator => {
                matches!(self, Temporal::RollbackAvailable) && !matches!(action, Action::Begin)
            }
            Class::Fault => false,
        }
    }
}

impl Machine {
    /// Whose step it would be, and whether it is taken when it can be taken for ever.
    pub fn class(&self, state: &State, action: Action) -> (Class, bool) {
        let slice = state.slice();
        match action {
            Action::Acquire { .. } if slice.lease.is_none() => (Class::System, true),
            Action::Begin if slice.is_due() => (Class::System, true),
            Action::Begin | Action::Revoke { .. } => (Class::Operator, false),
            // Whoever rotates to a revoked version gives up by itself.
            Action::RollBack if slice.target_version().is_some_and(|version| slice.is_revoked(version)) => {
                (Class::System, true)
            }
            Action::RollBack => (Class::Operator, false),
            Action::Advance
            | Action::ConfirmRefused { .. }
            | Action::Apply
            | Action::Query
            | Action::Report { .. }
            | Action::Ask { .. }
            | Action::Renew { .. }
            | Action::Store { .. } => (Class::System, true),
            // What ends for the agent ends soon for the authority too.
            Action::Stop { agent } | Action::ExpireGrant { agent } => {
                let holder = state.holder(agent);
                let first = match action {
                    Action::Stop { .. } => Some(holder.stored.version),
                    _ => holder.grants.first().map(|grant| grant.version),
                };
                let held = self.rules.should_hold(slice, usize::from(agent));
                let is_kept = first == held && held.is_some_and(|version| !slice.is_revoked(version));
                if is_kept { (Class::Fault, false) } else { (Class::Environment, true) }
            }
            Action::Release | Action::HandOut { .. } | Action::Login { .. } => (Class::Environment, false),
            Action::Acquire { .. }
            | Action::HoldCall
            | Action::HoldLetter { .. }
            | Action::HoldAdvance
            | Action::HoldConfirm { .. }
            | Action::LoseReply { .. }
            | Action::CrashRotator
            | Action::CrashTarget
            | Action::CrashAgent { .. } => (Class::Fault, false),
        }
    }

    /// The version is current and not revoked, and every agent has it, accepted.
    pub fn is_settled_on(&self, state: &State, version: VersionId) -> bool {
        let slice = state.slice();
        slice.current == Some(version)
            && !slice.is_revoked(version)
            && slice.is_accepted(version)
            && (0..self.limits.agents)
                .all(|agent| state.is_serving(agent) && state.holder(agent).stored.version == version)
    }

    /// A budget is used up here: a rotation, a held message or a revocation more is beyond the bounds. What
    /// must stay possible, or must come, needs none of them, and is demanded here all the same.
    pub fn is_spent(&self, state: &State) -> bool {
        let (limits, slice) = (self.limits, state.slice());
        slice.txn.0 >= u32::from(limits.rotations)
            || state.zombies >= limits.zombies
            || slice.serial.0 >= u32::from(limits.revocations)
    }

    pub fn facts(&self, state: &State) -> Facts {
        let slice = state.slice();
        let mut bits = 0;
        if slice.return_version().is_some_and(|version| !slice.is_revoked(version)) {
            bits |= Facts::RETURNABLE;
        }
        if matches!(slice.phase, Phase::Revert | Phase::Discard) {
            bits |= Facts::GIVEN_UP;
        }
        if slice.phase == Phase::Idle {
            bits |= Facts::IDLE;
        }
        let serving = (0..self.limits.agents).all(|agent| state.is_serving(agent));
        if serving && rollback_goal_of(&state.ledger, super::SECRET).is_ok() {
            bits |= Facts::SERVED;
        }
        let is_revoked =
            |version: Option<VersionId>| version.is_some_and(|version| slice.is_revoked(version));
        if (0..usize::from(self.limits.agents)).any(|agent| is_revoked(self.rules.should_hold(slice, agent)))
        {
            bits |= Facts::UNENTITLED;
        }
        Facts(bits)
    }

    /// Bits of the step properties that this step breaks.
    pub fn judge_step(&self, before: &State, after: &State) -> u8 {
        let (old, new) = (before.slice(), after.slice());
        let mut broken = 0;
        // Epochs are renamed to ranks; whoever holds them, a transaction's steps come in one order.
        let order = |fence: Option<Fence>| fence.map(|fence| (fence.txn, fence.step));
        if order(new.fence) < order(old.fence) {
            broken |= StepProperty::FencesRise.bit();
        }
        for (place, value) in old.accepted.iter().enumerate() {
            let is_removed = !value.is_none() && new.accepted[place] != *value;
            if is_removed && self.is_held(after, *value) {
                broken |= StepProperty::RemovalIsSafe.bit();
            }
        }
        broken
    }

    /// Some agent may hand this value out, and it was not revoked.
    fn is_held(&self, state: &State, value: Tag) -> bool {
        let slice = state.slice();
        (0..self.limits.agents).any(|agent| {
            let version = state.holder(agent).stored.version;
            state.is_serving(agent)
                && !slice.is_revoked(version)
                && slice.version(version).is_some_and(|each| each.value == value)
        })
    }
}
