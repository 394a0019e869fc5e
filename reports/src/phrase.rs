//! An event in a few words, and how much it says: for charts, where a line has no room for every field.
//!
//! It deliberately leaves fields out: a record's index, the secret that the chart is about, most digits
//! of a tag. `tumbler replay --filter` prints an event whole.

use crate::number::seconds;
use crate::teller::named;
use tumbler_types::{
    Command, Event, Observed, Tag, Topology, VersionId, Wall,
    event::{FrameKind, LossCause},
};

/// How much an event says of a failure, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A fault, or what one did to a process.
    Fault,
    /// A state that the specification knows changed; a message did not get through.
    Change,
    /// A promise about it, or a copy of it.
    Promise,
    /// Daily use of a credential, a path that opened or closed.
    Use,
    /// Mere transport.
    Transport,
}

pub(crate) fn rank(event: &Event) -> Rank {
    match event {
        Event::FaultBegan { .. }
        | Event::FaultEnded { .. }
        | Event::Crashed { .. }
        | Event::Paused {}
        | Event::Resumed {}
        | Event::Panicked { .. }
        | Event::ClockSet { .. } => Rank::Fault,
        Event::Started { incarnation } if incarnation.0 > 1 => Rank::Fault,
        Event::Committed { command: Command::RenewLease { .. } | Command::Grant { .. }, .. } => Rank::Use,
        Event::Committed { command: Command::Acknowledge { .. } | Command::RaiseFloor { .. }, .. } => {
            Rank::Promise
        }
        // What nobody waits for is sent again soon.
        Event::Lost { frame, cause: LossCause::Cut | LossCause::Down, .. } if !is_awaited(*frame) => {
            Rank::Use
        }
        Event::Committed { .. }
        | Event::Enforced { .. }
        | Event::Privileged { .. }
        | Event::Ordered { .. }
        | Event::Lost { .. }
        | Event::Held { .. }
        | Event::Released { .. }
        | Event::CallUnknown { .. }
        | Event::PersistFailed { .. }
        | Event::LogRecovered { .. }
        | Event::TargetRecovered { .. }
        | Event::AgentRecovered { .. } => Rank::Change,
        Event::Promised { .. } | Event::Stored { .. } | Event::Mirrored { .. } => Rank::Promise,
        Event::Authenticated { .. }
        | Event::Refused { .. }
        | Event::HandedOut { .. }
        | Event::Withheld { .. }
        | Event::Acknowledged { .. }
        | Event::Reachable {}
        | Event::Unreachable {}
        | Event::Spoke { .. } => Rank::Use,
        Event::Started { .. }
        | Event::Sent { .. }
        | Event::Received { .. }
        | Event::Called { .. }
        | Event::CallArrived { .. }
        | Event::Replied { .. }
        | Event::Returned { .. }
        | Event::PersistBegan { .. }
        | Event::Persisted { .. }
        | Event::ProposeBegan { .. }
        | Event::TimerFired { .. }
        | Event::Answered { .. } => Rank::Transport,
    }
}

/// What an event is part of, for counting what a chart leaves out.
pub(crate) fn work(event: &Event) -> &'static str {
    match event {
        Event::Sent { frame, .. }
        | Event::Received { frame, .. }
        | Event::Called { frame, .. }
        | Event::CallArrived { frame, .. }
        | Event::Replied { frame, .. }
        | Event::Returned { frame, .. }
        | Event::Lost { frame, .. }
        | Event::Held { frame, .. }
        | Event::Released { frame, .. } => traffic(*frame),
        Event::Acknowledged { .. }
        | Event::Committed { command: Command::Grant { .. } | Command::Acknowledge { .. }, .. } => {
            "heartbeats"
        }
        Event::HandedOut { .. }
        | Event::Withheld { .. }
        | Event::Authenticated { .. }
        | Event::Refused { .. } => "daily use",
        Event::Committed { command: Command::RenewLease { .. }, .. } | Event::Answered { .. } => {
            "reads and leases"
        }
        Event::Mirrored { .. } => "copies",
        Event::TimerFired { .. } => "timers",
        Event::PersistBegan { .. } | Event::Persisted { .. } | Event::ProposeBegan { .. } => "writes",
        _ => "others",
    }
}

/// Somebody's rotation or lease stands still until it is answered.
fn is_awaited(frame: FrameKind) -> bool {
    !matches!(traffic(frame), "daily use" | "copies")
}

fn traffic(frame: FrameKind) -> &'static str {
    match frame {
        FrameKind::HeartbeatRequest | FrameKind::HeartbeatReply => "heartbeats",
        FrameKind::GetRequest | FrameKind::GetReply | FrameKind::LoginRequest | FrameKind::LoginReply => {
            "daily use"
        }
        FrameKind::Replicate => "copies",
        FrameKind::ReadRequest | FrameKind::LeaseRequest | FrameKind::RecordReply => "reads and leases",
        _ => "requests",
    }
}

/// The event in a few words. `effective`: a command that the log took, and did not only keep.
pub(crate) fn phrase(topology: &Topology, observed: &Observed, effective: bool) -> String {
    let name = |node| topology.name(node);
    match observed.event {
        Event::Committed { command, .. } => {
            let refused = if effective { "" } else { ", without effect" };
            format!("log: {}{refused}", commanded(topology, &command))
        }
        Event::Enforced { fence, principal, value, .. } => {
            let (step, epoch, txn) = (fence.step, fence.epoch, fence.txn);
            format!("{principal:?} accepts {} ({step:?} {epoch} {txn})", short(value))
        }
        Event::Promised { fence, .. } => {
            format!("says {:?} {} {} is applied", fence.step, fence.epoch, fence.txn)
        }
        Event::TargetRecovered { blue, green, .. } => {
            format!("finds Blue {}, Green {}", short(blue), short(green))
        }
        Event::Mirrored { blue, green, .. } => {
            format!("copies Blue {}, Green {}", short(blue), short(green))
        }
        Event::Authenticated { principal, value, .. } => {
            format!("accepts a login, {principal:?} {}", short(value))
        }
        Event::Refused { principal, value, reason, .. } => {
            format!("refuses a login, {principal:?} {}: {reason}", short(value))
        }
        Event::Privileged { blue, green, .. } => format!("privileges: Blue {blue}, Green {green}"),
        Event::Stored { version: VersionId(0), .. } => "stores that it has nothing".to_owned(),
        Event::Stored { version, serial, until, .. } => {
            format!("stores {version} {serial}, lease to {}", wall(until))
        }
        Event::AgentRecovered { version, serial, .. } => format!("finds {version} {serial} stored"),
        Event::LogRecovered { length } => format!("finds its log up to {length}"),
        Event::Acknowledged { version, serial, .. } => format!("acknowledges {version} {serial}"),
        Event::HandedOut { version, to, .. } => format!("hands {version} to {}", name(to)),
        Event::Withheld { to, .. } => format!("has nothing for {}", name(to)),
        Event::Ordered { order, .. } => format!("orders {order}"),
        Event::Spoke { peer, format, floor } => format!("speaks {format} to {}, floor {floor}", name(peer)),
        Event::Crashed { incarnation } => format!("crashes ({incarnation})"),
        Event::Started { incarnation } => format!("starts ({incarnation})"),
        Event::Paused {} => "stands still".to_owned(),
        Event::Resumed {} => "goes on".to_owned(),
        Event::Panicked { .. } => "panics".to_owned(),
        Event::ClockSet { offset } => {
            let sign = if offset < 0 { "-" } else { "+" };
            format!("clock is {sign}{} s off", seconds(offset.unsigned_abs()))
        }
        Event::FaultBegan { fault, kind } => format!("{fault} begins: {}", kind.name()),
        Event::FaultEnded { fault, kind } => format!("{fault} ends: {}", kind.name()),
        Event::Lost { frame, cause, .. } => format!("{frame} lost ({cause})"),
        Event::Held { frame, .. } => format!("{frame} held"),
        Event::Released { frame, to } => format!("{frame} to {} released", name(to)),
        Event::CallUnknown { to, .. } => format!("gets no answer from {}", name(to)),
        Event::Persisted { .. } => "is told that its write is durable".to_owned(),
        Event::PersistFailed { .. } => "write fails".to_owned(),
        Event::Sent { frame, .. }
        | Event::Received { frame, .. }
        | Event::Called { frame, .. }
        | Event::CallArrived { frame, .. }
        | Event::Replied { frame, .. }
        | Event::Returned { frame, .. } => frame.to_string(),
        event => named(topology, &event.to_string()),
    }
}

fn commanded(topology: &Topology, command: &Command) -> String {
    let name = |node| topology.name(node);
    match *command {
        Command::Enroll { version, principal, value } => {
            format!("{version} enrolled, {principal:?} {}", short(value))
        }
        Command::AcquireLease { rotator, epoch, until } => {
            format!("lease {epoch} to {} until {}", name(rotator), wall(until))
        }
        Command::RenewLease { epoch, until, .. } => format!("lease {epoch} longer, to {}", wall(until)),
        Command::Begin { epoch, txn, version, principal, cause, .. } => {
            format!("{txn} begins {version} on {principal:?} ({epoch}, {cause:?})")
        }
        Command::Advance { epoch, txn, from, to } => {
            format!("{txn} {} to {} ({epoch})", from.name(), to.name())
        }
        Command::RollBack { txn } => format!("{txn} rolls back"),
        Command::OrderRotation {} => "rotation ordered".to_owned(),
        Command::Revoke { version, serial } => format!("{version} revoked ({serial})"),
        Command::ConfirmRefused { version, .. } => format!("{version} seen refused"),
        Command::Grant { agent, version, until } => {
            format!("{version} granted to {} until {}", name(agent), wall(until))
        }
        Command::Acknowledge { agent, version, serial } => {
            format!("{} acknowledged {version} {serial}", name(agent))
        }
        Command::RaiseFloor { floor } => format!("floor is {floor}"),
        Command::Attempt { epoch, txn, attempt } => format!("{txn} opens {attempt} ({epoch})"),
        Command::Fill { txn, attempt, principal, value, .. } => {
            format!("{txn} {attempt} is {principal:?} {}", short(value))
        }
    }
}

/// The first digits of a tag, as many as tell the few of a chart apart.
pub(crate) fn short(tag: Tag) -> String {
    if tag.is_none() {
        return "nothing".to_owned();
    }
    tag.to_string().chars().take(TAG).collect()
}

/// Seconds since the run began, on the clock that it is read from.
fn wall(wall: Wall) -> String {
    match wall >= Wall::EPOCH {
        true => seconds(wall.since(Wall::EPOCH).nanos()),
        false => format!("-{}", seconds(Wall::EPOCH.since(wall).nanos())),
    }
}

/// `#` and four digits.
const TAG: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::id::Principal;
    use tumbler_types::{Epoch, Fence, Instant, LogIndex, NodeId, Phase, Revision, SecretId, Step, TxnId};

    #[test]
    fn an_event_is_told_without_what_a_chart_has_no_room_for() {
        let topology = Topology {
            rotators: 2,
            agents: 2,
            replicas: 1,
            workloads: 1,
            secrets: 1,
            adapter: Default::default(),
        };
        let secret = SecretId(0);
        let (epoch, txn) = (Epoch(2), TxnId(1));
        let command = Command::Advance { epoch, txn, from: Phase::Drain, to: Phase::Retire };
        let committed =
            Event::Committed { index: LogIndex(9), at: Wall::EPOCH, secret, expected: Revision(3), command };
        let fence = Fence { epoch, txn, step: Step::Retire };
        let (principal, value) = (Principal::Blue, Tag(0));
        let table = [
            (committed, "log: txn-1 drain to retire (e2)", "others"),
            (
                Event::Enforced { secret, fence, principal, value },
                "Blue accepts nothing (Retire e2 txn-1)",
                "others",
            ),
            (Event::Withheld { secret, to: NodeId(7) }, "has nothing for workload-1", "daily use"),
            (
                Event::Received { from: NodeId(5), frame: FrameKind::Replicate, tag: Tag(1) },
                "replicate",
                "copies",
            ),
            (Event::ClockSet { offset: -250_000_000 }, "clock is -0.250 s off", "others"),
        ];
        for (event, expect, part) in table {
            let observed = Observed { seq: 0, at: Instant(0), node: NodeId(0), event };
            assert_eq!((phrase(&topology, &observed, true).as_str(), work(&event)), (expect, part));
        }
        assert_eq!(short(Tag(0x593e_a44b_425f_ebdc)), "#593e");
        assert!(rank(&table[0].0) < rank(&table[2].0));
    }
}
