//! The steps of the machine, and which of them some participant could take.

use super::{Letter, Machine, Mutation, Property, State};
use crate::ledger::{Report, Slice};
use crate::rule::Effect;
use tumbler_types::{Instant, Phase, Step, Tag, VersionId, Wall};

/// One step. Parameters are ordinals, so that an action means the same in every state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The lease has ended: somebody acquires it.
    Acquire {
        rotator: u8,
    },
    /// A rotation is ordered, if none is due, and begun.
    Begin,
    Advance,
    /// The rotator reports that the target refuses this version.
    ConfirmRefused {
        version: u8,
    },
    RollBack,
    Revoke {
        version: u8,
    },
    /// The effect that the record asks for arrives at the target: enforced, refused, or answered
    /// from the record.
    Apply,
    /// The effect that the record asks for is sent, and held.
    HoldCall,
    /// The rotator asks the target, and sees the effect.
    Query,
    /// A heartbeat whose report is news: the authority records it.
    Report {
        agent: u8,
    },
    /// A heartbeat: the authority grants, if it must, and replies.
    Ask {
        agent: u8,
    },
    HoldLetter {
        agent: u8,
    },
    /// What `Advance` would ask of the authority is asked, and held.
    HoldAdvance,
    /// The same of `ConfirmRefused`.
    HoldConfirm {
        version: u8,
    },
    /// The held message arrives.
    Release,
    LoseReply {
        agent: u8,
    },
    Store {
        agent: u8,
    },
    /// The agent's grant on the version that it should hold is the oldest of several, and is renewed.
    Renew {
        agent: u8,
    },
    /// What the agent has stored ends by the agent's clock: it hands out no more.
    Stop {
        agent: u8,
    },
    /// The agent's oldest grant ends by the authority's clock.
    ExpireGrant {
        agent: u8,
    },
    CrashRotator,
    CrashTarget,
    CrashAgent {
        agent: u8,
    },
    /// The agent gives a revoked version to a workload.
    HandOut {
        agent: u8,
    },
    /// A workload logs in with a version that was revoked long ago.
    Login {
        version: u8,
    },
}

impl Action {
    /// A number of its own, below 256 and not much above the number of all actions.
    pub const fn code(self) -> u8 {
        let (kind, parameter) = match self {
            Action::Acquire { rotator } => (0, rotator),
            Action::Revoke { version } => (1, version),
            Action::ConfirmRefused { version } => (2, version),
            Action::Login { version } => (3, version),
            Action::Report { agent } => (4, agent),
            Action::Ask { agent } => (5, agent),
            Action::HoldLetter { agent } => (6, agent),
            Action::LoseReply { agent } => (7, agent),
            Action::Store { agent } => (8, agent),
            Action::Renew { agent } => (9, agent),
            Action::ExpireGrant { agent } => (10, agent),
            Action::CrashAgent { agent } => (11, agent),
            Action::HandOut { agent } => (12, agent),
            Action::Stop { agent } => (13, agent),
            Action::HoldConfirm { version } => (14, version),
            Action::Begin => (15, 0),
            Action::Advance => (15, 1),
            Action::RollBack => (15, 2),
            Action::Apply => (15, 3),
            Action::HoldCall => (15, 4),
            Action::Query => (15, 5),
            Action::Release => (15, 6),
            Action::CrashRotator => (15, 7),
            Action::CrashTarget => (15, 8),
            Action::HoldAdvance => (15, 9),
        };
        assert!(parameter < 16, "the machine has few of everything");
        kind * 16 + parameter
    }

    /// Without its parameters.
    pub const fn name(self) -> &'static str {
        match self {
            Action::Acquire { .. } => "Acquire",
            Action::Begin => "Begin",
            Action::Advance => "Advance",
            Action::ConfirmRefused { .. } => "ConfirmRefused",
            Action::RollBack => "RollBack",
            Action::Revoke { .. } => "Revoke",
            Action::Apply => "Apply",
            Action::HoldCall => "HoldCall",
            Action::Query => "Query",
            Action::Report { .. } => "Report",
            Action::Ask { .. } => "Ask",
            Action::HoldLetter { .. } => "HoldLetter",
            Action::HoldAdvance => "HoldAdvance",
            Action::HoldConfirm { .. } => "HoldConfirm",
            Action::Release => "Release",
            Action::LoseReply { .. } => "LoseReply",
            Action::Store { .. } => "Store",
            Action::Renew { .. } => "Renew",
            Action::Stop { .. } => "Stop",
            Action::ExpireGrant { .. } => "ExpireGrant",
            Action::CrashRotator => "CrashRotator",
            Action::CrashTarget => "CrashTarget",
            Action::CrashAgent { .. } => "CrashAgent",
            Action::HandOut { .. } => "HandOut",
            Action::Login { .. } => "Login",
        }
    }
}

impl Machine {
    /// All steps that some participant could take, in a fixed order. A state in which a property is
    /// broken has none, unless it was a rule alone: what the broken rule leads to is worth knowing.
    pub fn enabled(&self, state: &State, out: &mut Vec<Action>) {
        if state.broken & !Property::TransitionsLegal.bit() != 0 {
            return;
        }
        self.enabled_record(state, out);
        self.enabled_call(state, out);
        for agent in 0..self.limits.agents {
            self.enabled_agent(state, agent, out);
        }
        self.enabled_revocation(state, out);
        if self.limits.crashes > 0 {
            out.extend([Action::CrashRotator, Action::CrashTarget]);
        }
        if state.held.is_some() {
            out.push(Action::Release);
        }
    }

    fn enabled_record(&self, state: &State, out: &mut Vec<Action>) {
        let slice = state.slice();
        out.extend((0..self.limits.rotators).map(|rotator| Action::Acquire { rotator }));
        let may_begin = slice.txn.0 < u32::from(self.limits.rotations);
        let is_held = slice.lease.is_some();
        if is_held && slice.phase == Phase::Idle && may_begin {
            out.push(Action::Begin);
        }
        if is_held && self.may_advance(state) {
            out.push(Action::Advance);
            if self.may_hold(state) {
                out.push(Action::HoldAdvance);
            }
        }
        if let (Some(abandoned), Some(version)) = (slice.target_version(), slice.return_version()) {
            let both = slice.is_revoked(abandoned) && !slice.is_promoted();
            let barred = self.is(Mutation::NoRollbackAfterPromote) && slice.is_promoted();
            let free = self.is(Mutation::RollBackToRevoked);
            if !barred && (free || !slice.is_revoked(version) || both) {
                out.push(Action::RollBack);
            }
        }
        for each in &slice.versions {
            let version = small(each.version);
            let labelled = [slice.current, slice.previous, slice.pending].contains(&Some(each.version));
            let budget = slice.serial.0 < u32::from(self.limits.revocations);
            if labelled && each.revoked.is_none() && budget {
                out.push(Action::Revoke { version });
            }
            let seen = state.confirmed && self.settles(state) == Some(each.version);
            if is_held && each.owed && (seen || self.is(Mutation::ForgiveDebt)) {
                out.push(Action::ConfirmRefused { version });
                if self.may_hold(state) {
                    out.push(Action::HoldConfirm { version });
                }
            }
        }
    }

    /// The rotator has seen what the edge needs, or the authority's own record shows it.
    fn may_advance(&self, state: &State) -> bool {
        let slice = state.slice();
        match slice.phase {
            Phase::Idle => false,
            Phase::Draft => state.confirmed,
            Phase::Retire => state.confirmed || self.is(Mutation::RetireUnseen),
            Phase::Discard => state.confirmed || self.is(Mutation::CloseUnfenced),
            // Nothing is to be seen that the way here has not shown.
            Phase::Staged | Phase::Promote | Phase::Canary | Phase::Drain | Phase::Revert => {
                self.record_allows(slice)
            }
        }
    }

    /// The record by itself, which is all that the authority knows, does not stand in the way.
    pub(super) fn record_allows(&self, slice: &Slice) -> bool {
        let allows = |to| self.rules.allow_edge(slice, super::now_wall(), slice.phase, to).is_ok();
        match slice.phase {
            Phase::Canary => self.is(Mutation::PromoteUntried) || allows(Phase::Promote),
            Phase::Drain => self.is(Mutation::RetireEarly) || allows(Phase::Retire),
            Phase::Revert => self.is(Mutation::DiscardEarly) || allows(Phase::Discard),
            Phase::Idle => false,
            Phase::Draft | Phase::Staged | Phase::Promote | Phase::Retire | Phase::Discard => true,
        }
    }

    fn enabled_call(&self, state: &State, out: &mut Vec<Action>) {
        if state.confirmed || self.effect(state).is_none() {
            return;
        }
        out.push(Action::Apply);
        if self.is_shown(state) || self.is(Mutation::SkipQuery) {
            out.push(Action::Query);
        }
        if self.may_hold(state) {
            out.push(Action::HoldCall);
        }
    }

    fn enabled_agent(&self, state: &State, agent: u8, out: &mut Vec<Action>) {
        let reply = state.replies[usize::from(agent)];
        if reply.is_some() {
            out.push(Action::Store { agent });
            out.push(Action::LoseReply { agent });
            if self.is(Mutation::AcknowledgeEarly) {
                out.push(Action::Report { agent });
            }
        } else {
            let letter = self.letter(state, agent);
            if self.records(state, agent, letter) {
                out.push(Action::Report { agent });
            } else if self.is_news(state, agent) {
                out.push(Action::Ask { agent });
            }
            if self.may_hold(state) {
                out.push(Action::HoldLetter { agent });
            }
        }
        let holder = state.holder(agent);
        if state.is_serving(agent) {
            out.push(Action::Stop { agent });
        }
        if self.may_expire(state, agent) {
            out.push(Action::ExpireGrant { agent });
        }
        if self.renews(state, agent) {
            out.push(Action::Renew { agent });
        }
        let serves = state.is_serving(agent) && state.slice().is_revoked(holder.stored.version);
        let serves_late =
            self.is(Mutation::ServeExpired) && holder.stored.version.0 != 0 && !state.is_serving(agent);
        if serves || serves_late {
            out.push(Action::HandOut { agent });
        }
        if self.limits.crashes > 0 && reply.is_some() {
            out.push(Action::CrashAgent { agent });
        }
    }

    /// Its oldest grant may be over for the authority: the agent has stopped, or need not have.
    fn may_expire(&self, state: &State, agent: u8) -> bool {
        let holder = state.holder(agent);
        let Some(oldest) = holder.grants.first() else { return false };
        holder.stored.version != oldest.version || !state.is_serving(agent) || self.may_outlive()
    }

    /// An agent may still hand out what the authority takes to be over. An agent stops ε before the end,
    /// the authority waits for 2ε after it, each by a clock that is off by `skew` ε at most, one way or
    /// the other. Which way is nothing to remember: within its bound a clock may step at any time.
    fn may_outlive(&self) -> bool {
        let waits = if self.is(Mutation::SkewForgotten) { 0 } else { AUTHORITY_WAITS };
        2 * self.limits.skew > AGENT_STOPS + waits
    }

    /// A grant on what the agent should hold would otherwise end before an older matter does. An agent
    /// asks one thing at a time, and what it has to report comes first.
    fn renews(&self, state: &State, agent: u8) -> bool {
        if state.replies[usize::from(agent)].is_some()
            || self.records(state, agent, self.letter(state, agent))
        {
            return false;
        }
        let grants = &state.holder(agent).grants;
        let wanted = self.rules.should_hold(state.slice(), usize::from(agent));
        grants.len() > 1
            && grants.first().is_some_and(|first| Some(first.version) == wanted && !first.ended)
            && wanted.is_some_and(|version| self.may_give(state, version))
    }

    /// The answer would change something.
    fn is_news(&self, state: &State, agent: u8) -> bool {
        let slice = state.slice();
        let holder = state.holder(agent);
        let wanted = self.given(slice, agent).filter(|version| self.may_give(state, *version));
        let is_current = wanted.unwrap_or_default() == holder.stored.version;
        let is_serving = wanted.is_none() || state.is_serving(agent);
        !(is_current && is_serving && holder.stored.serial == slice.serial)
    }

    /// What the authority gives to an agent that asks.
    pub(super) fn given(&self, slice: &Slice, agent: u8) -> Option<VersionId> {
        let pending = match (self.mutation, slice.phase) {
            (Some(Mutation::GrantToAll), Phase::Canary) => slice.pending,
            (Some(Mutation::GrantEarly), Phase::Staged) => slice.pending,
            _ => None,
        };
        pending.or_else(|| self.rules.should_hold(slice, usize::from(agent)))
    }

    pub(super) fn may_give(&self, state: &State, version: VersionId) -> bool {
        if self.is(Mutation::RevertGivesNothing) && state.slice().phase == Phase::Revert {
            return false;
        }
        !state.slice().is_revoked(version) || self.is(Mutation::GrantRevoked)
    }

    /// The heartbeat that the agent would send now.
    pub(super) fn letter(&self, state: &State, agent: u8) -> Letter {
        let holder = state.holder(agent);
        let report = Report { version: holder.stored.version, serial: holder.stored.serial };
        let on_record = holder.grant(report.version).is_some_and(|grant| !grant.ended);
        Letter { report, is_fresh: on_record && holder.stored.until != Wall::ZERO }
    }

    fn enabled_revocation(&self, state: &State, out: &mut Vec<Action>) {
        for each in &state.slice().versions {
            if each.revoked.is_some_and(|revocation| revocation.at == Instant::ZERO) {
                out.push(Action::Login { version: small(each.version) });
            }
        }
    }

    /// The effect that the lease's holder sends.
    pub(super) fn effect(&self, state: &State) -> Option<Effect> {
        let slice = state.slice();
        if self.is(Mutation::EffectBeforeIntent) && slice.phase == Phase::Drain {
            let previous = slice.version(slice.previous?)?;
            let fence =
                tumbler_types::Fence { epoch: slice.lease?.epoch, txn: slice.txn, step: Step::Retire };
            return Some(Effect { fence, principal: previous.principal, value: Tag::NONE });
        }
        let version = |version: Option<VersionId>| version.and_then(|version| slice.version(version));
        let closes = |of: Option<VersionId>, step| {
            let fence = tumbler_types::Fence { epoch: slice.lease?.epoch, txn: slice.txn, step };
            Some(Effect { fence, principal: version(of)?.principal, value: Tag::NONE })
        };
        match (self.mutation, slice.phase) {
            (Some(Mutation::RevokeBeforeIntent), Phase::Staged) => {
                closes(slice.current, Step::DisablePrevious)
            }
            (Some(Mutation::RetireUnsent), Phase::Retire) => None,
            (Some(Mutation::RetireWrongOne), Phase::Retire) => closes(slice.current, Step::Retire),
            (Some(Mutation::DiscardInRevert), Phase::Revert) => closes(slice.pending, Step::Discard),
            (Some(Mutation::SetInDiscard), Phase::Discard) => {
                let fence =
                    tumbler_types::Fence { epoch: slice.lease?.epoch, txn: slice.txn, step: Step::Set };
                let pending = version(slice.pending)?;
                Some(Effect { fence, principal: pending.principal, value: pending.value })
            }
            _ => self.rules.effect(slice),
        }
    }

    /// The target shows the effect that the record asks for, by its rows and under the holder's own fence.
    /// What an older epoch left there is sent again: until then an older call might land on it.
    fn is_shown(&self, state: &State) -> bool {
        let slice = state.slice();
        let Some(effect) = self.effect(state) else { return false };
        slice.fence == Some(effect.fence) && slice.accepted[effect.principal.index()] == effect.value
    }

    /// The debt that the effect which the record asks for would settle.
    fn settles(&self, state: &State) -> Option<VersionId> {
        let slice = state.slice();
        match slice.phase {
            Phase::Idle | Phase::Revert => slice.current,
            Phase::Staged | Phase::Canary | Phase::Promote | Phase::Drain => slice.return_version(),
            Phase::Draft | Phase::Retire | Phase::Discard => None,
        }
    }

    /// The authority records this report before it answers.
    pub(super) fn records(&self, state: &State, agent: u8, letter: Letter) -> bool {
        let holder = state.holder(agent);
        let known = holder.acknowledged;
        let news = letter.report.version != known.version || letter.report.serial > known.serial;
        let stale = self.is(Mutation::RecordStale) && holder.grant(letter.report.version).is_some();
        news && letter.report.version.0 != 0 && (letter.is_fresh || stale)
    }

    pub(super) fn may_hold(&self, state: &State) -> bool {
        state.held.is_none() && state.zombies < self.limits.zombies
    }
}

/// In ε: how long before the end of its grant an agent stops, and how long after it the authority waits
/// (`sim/rotation/README.md`; the latter is [`crate::rule::Rules::is_live`]'s).
const AGENT_STOPS: u8 = 1;
const AUTHORITY_WAITS: u8 = 2;

pub(super) fn small(version: VersionId) -> u8 {
    u8::try_from(version.0).expect("the machine has few versions")
}
