//! Probes: moments that the search of the model must have seen, looked for in runs.
//!
//! It exists so that the same names say what the model reached and what runs did: a sweep that never
//! saw a late call enforced says nothing of late calls, however green it is.
//!
//! It deliberately judges nothing. Two moments cannot be told from a trace, and are not declared: whether
//! a late heartbeat was recorded, or ignored.

use std::collections::BTreeSet;
use tumbler_plan::Plan;
use tumbler_spec::Ledger;
use tumbler_spec::ledger::Slice;
use tumbler_spec::machine::Mark;
use tumbler_types::event::{FrameKind, Refusal};
use tumbler_types::{CallId, Command, Event, NodeId, Observed, Phase, RoleKind, Topology, Wall};

/// Names of all that a run can show.
pub fn declared() -> Vec<String> {
    let hidden = [Mark::LateReportRecorded, Mark::LateReportIgnored];
    Mark::ALL.into_iter().filter(|mark| !hidden.contains(mark)).map(Mark::name).collect()
}

/// What a run has shown so far.
pub struct Sometimes<'a> {
    topology: &'a Topology,
    met: BTreeSet<Mark>,
    /// Requests to the target that were held and are on their way now.
    released: u32,
    /// One of them is being handled.
    is_late: bool,
    /// Requests to the authority that were held and are on their way now.
    asked_late: u32,
    /// One of them, and whether the record has moved since it arrived.
    late_call: Option<(CallId, bool)>,
}

impl<'a> Sometimes<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Sometimes {
            topology: &plan.topology,
            met: BTreeSet::new(),
            released: 0,
            is_late: false,
            asked_late: 0,
            late_call: None,
        }
    }

    /// `ledger`: before the event.
    pub fn observe(&mut self, ledger: &Ledger, observed: &Observed) {
        let Observed { node, event, .. } = *observed;
        let target = ledger.target();
        let slice = event.secret().and_then(|secret| ledger.slice(secret));
        self.follow_late(node, event);
        match (event, slice) {
            (Event::Committed { at, expected, command, .. }, Some(slice)) if slice.revision == expected => {
                self.commit(slice, at, command);
            }
            (Event::Crashed { .. }, _) if self.is_participant(node) => {
                self.met.extend(ledger.slices.iter().map(|slice| Mark::crash_in(slice.phase)));
            }
            (Event::Released { to, frame: FrameKind::ApplyRequest }, _) if to == target => self.released += 1,
            (Event::CallArrived { frame: FrameKind::ApplyRequest, .. }, _) if node == target => {
                // The first one to arrive is taken for it: others on their way are as young as any.
                self.is_late = self.released > 0;
                self.released = self.released.saturating_sub(1);
            }
            (Event::Enforced { .. }, _) if node == target && self.is_late => {
                self.is_late = false;
                self.met.insert(Mark::LateCallEnforced);
            }
            (Event::Replied { frame: FrameKind::ApplyReply, .. }, _) if node == target && self.is_late => {
                self.is_late = false;
                self.met.insert(Mark::LateCallRefused);
            }
            (Event::Promised { fence, .. }, Some(slice)) if slice.promised == Some(fence) => {
                self.met.insert(Mark::RepeatAnswered);
            }
            (Event::HandedOut { version, .. }, Some(slice)) if slice.is_revoked(version) => {
                self.met.insert(Mark::RevokedHandedOutInTime);
            }
            (Event::Refused { value, reason: Refusal::WrongValue, .. }, Some(slice))
                if slice.version_of(value).is_some_and(|version| version.revoked.is_some()) =>
            {
                self.met.insert(Mark::RevokedLoginRefused);
            }
            _ => {}
        }
    }

    /// Names of what was met.
    pub fn met(self) -> BTreeSet<String> {
        self.met.into_iter().map(Mark::name).collect()
    }

    /// A request of a rotator that comes late, and moves the record all the same.
    fn follow_late(&mut self, node: NodeId, event: Event) {
        let authority = self.topology.authority();
        let is_request = |frame| matches!(frame, FrameKind::AdvanceRequest | FrameKind::ConfirmRequest);
        match event {
            Event::Released { to, frame } if to == authority && is_request(frame) => self.asked_late += 1,
            // As of the target's: the first one to arrive is taken for it.
            Event::CallArrived { call, frame, .. }
                if node == authority && is_request(frame) && self.asked_late > 0 =>
            {
                self.asked_late -= 1;
                self.late_call = Some((call, false));
            }
            Event::Committed { command, .. } => {
                if let (Some((_, moved)), Command::Advance { .. } | Command::ConfirmRefused { .. }) =
                    (&mut self.late_call, command)
                {
                    *moved = true;
                }
            }
            Event::Replied { call, .. } if self.late_call.is_some_and(|(late, _)| late == call) => {
                let is_taken = self.late_call.take().is_some_and(|(_, moved)| moved);
                self.met.extend(is_taken.then_some(Mark::LateRequestTaken));
            }
            Event::Crashed { .. } if node == authority => self.late_call = None,
            _ => {}
        }
    }

    fn commit(&mut self, slice: &Slice, at: Wall, command: Command) {
        let mark = match (command, slice.phase) {
            (Command::Advance { from: Phase::Retire, to: Phase::Idle, .. }, _) => Mark::RotationPromoted,
            (Command::Advance { from: Phase::Discard, to: Phase::Idle, .. }, _) => Mark::RotationRolledBack,
            (Command::Advance { from: Phase::Drain, to: Phase::Retire, .. }, _)
                if is_waited_out(slice, at) =>
            {
                Mark::GrantExpiredInDrain
            }
            (Command::RollBack { .. }, phase) => match Mark::roll_back_from(phase) {
                Some(mark) => mark,
                None => return,
            },
            (Command::Revoke { .. }, Phase::Canary) => Mark::RevokedInCanary,
            (Command::Revoke { .. }, Phase::Drain) => Mark::RevokedInDrain,
            (Command::Revoke { .. }, Phase::Idle) => Mark::RevokedAtRest,
            (Command::ConfirmRefused { .. }, _) => Mark::DebtConfirmed,
            (Command::AcquireLease { rotator, .. }, phase)
                if phase != Phase::Idle && slice.lease.is_some_and(|lease| lease.rotator != rotator) =>
            {
                Mark::TakeoverInRotation
            }
            _ => return,
        };
        self.met.insert(mark);
    }

    /// Those whose crash the model has.
    fn is_participant(&self, node: NodeId) -> bool {
        let kind = self.topology.kind(node).map(|(kind, _)| kind);
        matches!(kind, Some(RoleKind::Rotator | RoleKind::Agent | RoleKind::Target))
    }
}

/// Some holder never acknowledged the next version: its grant on the previous one had to end.
fn is_waited_out(slice: &Slice, at: Wall) -> bool {
    let Some(previous) = slice.previous else { return false };
    slice
        .holders
        .iter()
        .any(|holder| holder.grant(previous).is_some_and(|grant| !grant.ended && grant.until <= at))
}
