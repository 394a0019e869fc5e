//! Keeping back what the path does not have yet: its message is lost.

use super::End;
use super::realize::{Compiler, Sent};
use tumbler_plan::FaultAction;
use tumbler_types::event::FrameKind;
use tumbler_types::{CallId, Command, Event, Instant, Observed, RoleKind};

impl Compiler<'_> {
    /// Somebody did what the path does not have yet: its message is lost.
    pub(super) fn prevent(&mut self, trace: &[Observed], ahead: Observed) -> Result<(), End> {
        let unprevented = || End::Unrealizable { why: format!("{} comes first", ahead.event.kind()) };
        let until = trace.iter().position(|observed| observed.seq == ahead.seq).unwrap_or(trace.len());
        let past = &trace[..until];
        let (frame, is_answer) = match ahead.event {
            Event::Committed { command, .. } => (request_of(command), false),
            Event::Enforced { .. } => (FrameKind::ApplyRequest, false),
            Event::Stored { .. } => (FrameKind::HeartbeatRequest, true),
            _ => return Err(unprevented()),
        };
        let arrived = past.iter().rev().find_map(|observed| match observed.event {
            Event::CallArrived { call, from, frame: kind }
                if kind == frame && (!is_answer || from == ahead.node) =>
            {
                Some((call, observed.at))
            }
            _ => None,
        });
        let Some((call, arrived)) = arrived else { return Err(unprevented()) };
        let Some(sent) = sent_as(past, call) else { return Err(unprevented()) };
        if is_answer {
            self.draft.strike(sent.node, sent.frame, sent.at, FaultAction::LoseReply);
        } else if let Some(stale) = self.stale(past, sent) {
            self.draft.strike(stale.node, stale.frame, stale.at, FaultAction::LoseReply);
        } else if let Some(reported) = self.reported(past, arrived) {
            // The report that the path wanted is followed by a grant that it does not have.
            self.draft.forget_after_commit(self.draft.topology().authority(), reported);
        } else {
            self.draft.strike(sent.node, sent.frame, sent.at, FaultAction::LoseRequest);
        }
        Ok(())
    }

    /// When a report was recorded that is part of the path, of a heartbeat that has arrived then or since.
    pub(super) fn reported(&self, past: &[Observed], arrived: Instant) -> Option<Instant> {
        let is_report = |observed: &&Observed| {
            matches!(observed.event, Event::Committed { command: Command::Acknowledge { .. }, .. })
                && observed.at >= arrived
                && observed.at <= self.now
        };
        past.iter().find(is_report).map(|observed| observed.at)
    }

    /// A rotator goes by a record that it was sent before it was stopped: it never gets that one.
    pub(super) fn stale(&self, past: &[Observed], sent: Sent) -> Option<Sent> {
        if sent.at <= self.now
            || !self.draft.topology().of_kind(RoleKind::Rotator).any(|node| node == sent.node)
        {
            return None;
        }
        let (call, _) = past.iter().rev().find_map(|observed| match observed.event {
            Event::Returned { call, frame: FrameKind::RecordReply, .. }
                if observed.node == sent.node && observed.at <= sent.at =>
            {
                Some((call, observed.at))
            }
            _ => None,
        })?;
        sent_as(past, call).filter(|asked| asked.at <= self.now)
    }
}

fn sent_as(trace: &[Observed], wanted: CallId) -> Option<Sent> {
    trace.iter().find_map(|observed| match observed.event {
        Event::Called { call, frame, .. } if call == wanted => {
            Some(Sent { call, node: observed.node, frame, at: observed.at })
        }
        _ => None,
    })
}

/// The request that a command answers.
fn request_of(command: Command) -> FrameKind {
    match command {
        Command::AcquireLease { .. } | Command::RenewLease { .. } => FrameKind::LeaseRequest,
        Command::Begin { .. } => FrameKind::BeginRequest,
        Command::Advance { .. } => FrameKind::AdvanceRequest,
        Command::ConfirmRefused { .. } => FrameKind::ConfirmRequest,
        Command::Grant { .. } | Command::Acknowledge { .. } => FrameKind::HeartbeatRequest,
        Command::Attempt { .. } => FrameKind::AttemptRequest,
        Command::Fill { .. } => FrameKind::FillRequest,
        Command::RollBack { .. }
        | Command::OrderRotation {}
        | Command::Revoke { .. }
        | Command::RaiseFloor { .. }
        | Command::Enroll { .. } => FrameKind::OrderRequest,
    }
}
