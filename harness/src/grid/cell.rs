//! Cells: one occurrence, one strike, and the plan that brings them together.
//!
//! A cell's plan is the undisturbed one with one fault more, triggered by the occurrence's ordinal.
//! Only a rotator's held call needs a second: its caller stops a nanosecond after the call left, or
//! it would renew its lease and no successor would ever take over.
//!
//! It deliberately judges nothing, and draws nothing.

use super::occurrence::{Deed, Occurrence, Reply};
use tumbler_plan::{Fault, FaultAction, Pattern, Plan, Point, Trigger, Until};
use tumbler_reports::grid::Strike;
use tumbler_types::{Enforcement, FaultId, Instant, NodeId, Phase, RoleKind, Span};

/// The plan of a cell; none if the strike means nothing here.
pub fn plan(base: &Plan, occurrence: &Occurrence, strike: Strike) -> Option<Plan> {
    let held_max = match base.topology.adapter.enforcement {
        Enforcement::Fenced => HELD_MAX,
        // Beyond the declared lifetime nothing is owed there.
        Enforcement::LastWriteWins => HELD_MAX.min(base.timing.actor_lifetime.minus(Span::from_secs(1))),
    };
    let actions = faults(occurrence, strike, held_max)?;
    let mut plan = base.clone();
    let named = |(index, (trigger, action)): (u16, (Trigger, FaultAction))| Fault {
        id: FaultId(STRIKE.0 + index),
        trigger,
        action,
    };
    plan.faults = (0..).zip(actions).map(named).collect();
    Some(plan)
}

fn faults(occurrence: &Occurrence, strike: Strike, held_max: Span) -> Option<Vec<(Trigger, FaultAction)>> {
    let Occurrence { at, node, role, secret, stage: _, deed, nth } = *occurrence;
    let crash = FaultAction::Crash { node, until: Until::After(RESTART) };
    let here = |point| on(point, node, nth);
    let fault = match (deed, strike) {
        (Deed::Call { frame, .. }, Strike::RequestLost) => {
            (here(Point::Sending(frame)), FaultAction::LoseRequest)
        }
        (Deed::Call { frame, reply }, Strike::ReplyLost) => {
            reply?;
            (here(Point::Sending(frame)), FaultAction::LoseReply)
        }
        (Deed::Call { frame, .. }, Strike::CrashedBefore) => (here(Point::Sending(frame)), crash),
        (Deed::Call { reply, .. }, Strike::AppliedThenCrashed) => {
            let Reply { callee, frame, nth } = reply?;
            (on(Point::Replying(frame), callee, nth), crash)
        }
        (Deed::Call { frame, .. }, Strike::Held) => {
            let closed = Pattern::new(Point::Entered { secret, phase: Phase::Idle }, None);
            let until = Until::On { pattern: closed, nth: 1, at_most: held_max };
            let mut both = vec![(here(Point::Sending(frame)), FaultAction::Hold { until })];
            if role == RoleKind::Rotator {
                both.push((Trigger::At(at.plus(Span(1))), FaultAction::Pause { node, until }));
            }
            return Some(both);
        }
        (Deed::Call { frame, .. }, Strike::Doubled) => (here(Point::Sending(frame)), FaultAction::Duplicate),
        (Deed::Record { .. }, Strike::RequestLost) => (here(Point::PersistBegins), FaultAction::FailPersist),
        (Deed::Record { .. }, Strike::CrashedBefore) => (here(Point::PersistBegins), crash),
        (Deed::Record { done }, Strike::AppliedThenCrashed) => (on(Point::PersistDone, node, done?), crash),
        (Deed::Entry { .. }, Strike::CrashedBefore) => (here(Point::ProposeBegins), crash),
        (Deed::Entry { done }, Strike::AppliedThenCrashed) => (on(Point::ProposeDone, node, done?), crash),
        (Deed::Entry { .. }, Strike::RequestLost)
        | (Deed::Record { .. } | Deed::Entry { .. }, Strike::ReplyLost | Strike::Held | Strike::Doubled) => {
            return None;
        }
    };
    Some(vec![fault])
}

fn on(point: Point, node: NodeId, nth: u32) -> Trigger {
    Trigger::On { pattern: Pattern::new(point, Some(node)), nth, after: Instant::ZERO }
}

/// The fault that must have fired for the cell to show anything.
pub const STRIKE: FaultId = FaultId(0);
/// How long a crashed node stays down: longer than any call waits, shorter than a lease lives.
const RESTART: Span = Span::from_secs(3);
/// Longest that a call is held, should its rotation never close.
pub const HELD_MAX: Span = Span::from_secs(120);
