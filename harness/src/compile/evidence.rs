//! What in a run shows that a step of the machine was taken.
//!
//! One table, from steps to events. A step that changes what a run shows must besides lead to the state
//! that the machine gives it; that is [`super::realize()`]'s to compare.

use tumbler_spec::Ledger;
use tumbler_spec::machine::{Action, State};
use tumbler_types::event::{FrameKind, LossCause};
use tumbler_types::{CallId, Command, Event, NodeId, Observed, SecretId, VersionId};

/// Who is who in a run.
#[derive(Clone, Copy, Debug)]
pub struct Cast {
    /// The rotator whose step it is.
    pub rotator: NodeId,
    /// The agent, if it is an agent's.
    pub agent: NodeId,
    pub authority: NodeId,
    pub target: NodeId,
    /// The call that is held, if one is.
    pub held: Option<CallId>,
}

/// The agent that the step names.
pub const fn agent_of(action: Action) -> Option<u8> {
    match action {
        Action::Report { agent }
        | Action::Ask { agent }
        | Action::HoldLetter { agent }
        | Action::LoseReply { agent }
        | Action::Store { agent }
        | Action::Renew { agent }
        | Action::Stop { agent }
        | Action::ExpireGrant { agent }
        | Action::CrashAgent { agent }
        | Action::HandOut { agent } => Some(agent),
        _ => None,
    }
}

/// A step of the rotator that holds, or acquires, the lease.
pub const fn is_rotators(action: Action) -> bool {
    matches!(
        action,
        Action::Acquire { .. }
            | Action::Begin
            | Action::Advance
            | Action::ConfirmRefused { .. }
            | Action::Apply
            | Action::HoldCall
            | Action::HoldAdvance
            | Action::HoldConfirm { .. }
            | Action::Query
            | Action::CrashRotator
    )
}

/// The event shows that the step was taken. `before` is the machine's state, and `ledger` the run's.
pub fn shows(action: Action, before: &State, cast: Cast, ledger: &Ledger, observed: &Observed) -> bool {
    let Cast { rotator, agent, authority, target, held } = cast;
    let (node, event) = (observed.node, observed.event);
    let committed = match event {
        Event::Committed { command, .. } => Some(command),
        _ => None,
    };
    let reply_to = |to: NodeId, kind: FrameKind| matches!(event, Event::Replied { to: other, frame, .. } if other == to && frame == kind);
    match action {
        Action::Acquire { .. } => {
            matches!(committed, Some(Command::AcquireLease { rotator: other, .. }) if other == rotator)
        }
        Action::Begin => matches!(committed, Some(Command::Begin { .. })),
        Action::Advance => matches!(committed, Some(Command::Advance { .. })),
        Action::ConfirmRefused { .. } => matches!(committed, Some(Command::ConfirmRefused { .. })),
        Action::RollBack => matches!(committed, Some(Command::RollBack { .. })),
        Action::Revoke { .. } => matches!(committed, Some(Command::Revoke { .. })),
        Action::Apply => node == target && reply_to(rotator, FrameKind::ApplyReply),
        Action::Query => node == rotator && returned(event, &[FrameKind::ApplyReply, FrameKind::QueryReply]),
        Action::HoldCall => {
            node == rotator && matches!(event, Event::Held { frame: FrameKind::ApplyRequest, .. })
        }
        Action::HoldAdvance => {
            node == rotator && matches!(event, Event::Held { frame: FrameKind::AdvanceRequest, .. })
        }
        Action::HoldConfirm { .. } => {
            node == rotator && matches!(event, Event::Held { frame: FrameKind::ConfirmRequest, .. })
        }
        Action::Report { .. } => {
            matches!(committed, Some(Command::Acknowledge { agent: other, .. }) if other == agent)
        }
        Action::Ask { .. } => node == authority && reply_to(agent, FrameKind::HeartbeatReply),
        Action::HoldLetter { .. } => {
            node == agent && matches!(event, Event::Held { frame: FrameKind::HeartbeatRequest, .. })
        }
        // What was held is answered, whether or not anybody still listens.
        Action::Release => matches!(event, Event::Replied { call, .. } if Some(call) == held),
        Action::LoseReply { .. } => matches!(
            event,
            Event::Lost { to, frame: FrameKind::HeartbeatReply, cause: LossCause::Dropped } if to == agent
        ),
        Action::Store { agent: which } => {
            let reply = before.replies[usize::from(which)];
            let stored = before.holder(which).stored;
            let is_new =
                reply.is_some_and(|reply| reply.version != stored.version || reply.serial != stored.serial);
            node == agent
                && (matches!(event, Event::Stored { .. })
                    || !is_new && returned(event, &[FrameKind::HeartbeatReply]))
        }
        Action::Renew { .. } => {
            matches!(committed, Some(Command::Grant { agent: other, .. }) if other == agent)
        }
        // Time is no event: see `realize`.
        Action::Stop { .. } | Action::ExpireGrant { .. } => false,
        Action::CrashRotator => node == rotator && matches!(event, Event::Crashed { .. }),
        Action::CrashAgent { .. } => node == agent && matches!(event, Event::Crashed { .. }),
        Action::CrashTarget => node == target && matches!(event, Event::TargetRecovered { .. }),
        Action::HandOut { agent: which } => {
            let held = before.holder(which).stored.version;
            node == agent && matches!(event, Event::HandedOut { version, .. } if version == held)
        }
        Action::Login { version } => {
            let slice = ledger.slice(SecretId(0));
            let value =
                slice.and_then(|slice| slice.version(VersionId(u32::from(version)))).map(|each| each.value);
            node == target
                && match event {
                    Event::Authenticated { value: tried, .. } | Event::Refused { value: tried, .. } => {
                        value == Some(tried)
                    }
                    _ => false,
                }
        }
    }
}

fn returned(event: Event, kinds: &[FrameKind]) -> bool {
    matches!(event, Event::Returned { frame, .. } if kinds.contains(&frame))
}
