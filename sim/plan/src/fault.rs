//! Faults as data: what is done, to whom, when, and for how long.

use crate::harm::{ClockHarm, DiskHarm, LinkHarm, ProcessHarm};
use serde::{Deserialize, Serialize};
use tumbler_types::{
    Build, FaultId, FaultKind, Instant, NodeId, Phase, SecretId, Span, Step, event::FrameKind,
};

/// One planned disturbance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Stable name within the plan: editing a plan never renumbers the faults that stay.
    pub id: FaultId,
    pub trigger: Trigger,
    pub action: FaultAction,
}

/// When a fault begins. Each fault fires at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Trigger {
    At(Instant),
    /// At the `nth` occurrence (from 1) of a point, counted from `after`.
    On {
        pattern: Pattern,
        nth: u32,
        after: Instant,
    },
}

/// A class of moments in a run that a fault can wait for. What is not said is not written, so that a plan
/// of before peers and steps keeps its digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub point: Point,
    /// The node where it happens; none: anywhere.
    #[serde(default)]
    pub node: Option<NodeId>,
    /// The other node of it: whom the message goes to, or, where it was handled, whom it came from; of a
    /// phase, the rotator by whose command it was entered. None: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<NodeId>,
    /// The step that the request asks for, where it leaves its sender. None: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
}

impl Pattern {
    /// Whoever the peer is, and whatever the step.
    pub const fn new(point: Point, node: Option<NodeId>) -> Self {
        Pattern { point, node, peer: None, step: None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Point {
    /// Before the node's message or request of this kind leaves.
    Sending(FrameKind),
    /// When the node's message, request or reply of this kind has left; what it would do next is not
    /// done if it crashes here.
    Sent(FrameKind),
    /// When a message or request of this kind has been handled by its receiver.
    Handled(FrameKind),
    /// Before the node's reply of this kind leaves.
    Replying(FrameKind),
    /// When a durable write of the node begins.
    PersistBegins,
    /// When a durable write of the node is done, before the role is told.
    PersistDone,
    /// When the node proposes a log entry, before it is on its way to the disk.
    ProposeBegins,
    /// When a log entry of the node is durable, before the role is told.
    ProposeDone,
    /// When the secret enters the phase, by the log.
    Entered { secret: SecretId, phase: Phase },
}

/// What is done. Durations are true time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultAction {
    /// `left` and `right` exchange nothing; asymmetric: nothing passes from `left` to `right`.
    Partition {
        left: Vec<NodeId>,
        right: Vec<NodeId>,
        symmetric: bool,
        until: Until,
    },
    Crash {
        node: NodeId,
        until: Until,
    },
    Pause {
        node: NodeId,
        until: Until,
    },
    /// The message that triggered (a `Sending` or `Replying` point) arrives when `until` is met.
    Hold {
        until: Until,
    },
    /// The reply to the call that triggered (a `Sending` point) never arrives; the call does.
    LoseReply,
    /// The message that triggered (a `Sending` point) never arrives.
    LoseRequest,
    ClockStep {
        node: NodeId,
        offset_nanos: i64,
        until: Until,
    },
    /// The durable write that triggered (a `PersistBegins` point) fails.
    FailPersist,
    /// The message that triggered (a `Sending` or `Replying` point) arrives, and once more later.
    Duplicate,
    /// The node goes down, and is up again as this build when `until` is met.
    Redeploy {
        node: NodeId,
        build: Build,
        until: Until,
    },
    /// The message that triggered (a `Sending` or `Replying` point) arrives as if its sender spoke the
    /// lowest format alone.
    Strip,
    /// The nodes sleep: like a pause, but their monotonic clocks, and with them their timers, stand still.
    Suspend {
        nodes: Vec<NodeId>,
        until: Until,
    },
    Disk {
        node: NodeId,
        harm: DiskHarm,
        until: Until,
    },
    Clock {
        node: NodeId,
        harm: ClockHarm,
        until: Until,
    },
    Process {
        node: NodeId,
        harm: ProcessHarm,
        until: Until,
    },
    /// Of what `left` sends to `right`; symmetric: both ways.
    Link {
        left: Vec<NodeId>,
        right: Vec<NodeId>,
        symmetric: bool,
        harm: LinkHarm,
        until: Until,
    },
    /// Between any of `left` and any of `right`, both ways.
    Reset {
        left: Vec<NodeId>,
        right: Vec<NodeId>,
    },
}

/// When a standing fault ends; always at the plan's `heal_at` at the latest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Until {
    After(Span),
    /// At the `nth` next occurrence (from 1) of a point, or after the span if that comes first.
    On {
        pattern: Pattern,
        #[serde(default = "first", skip_serializing_if = "is_first")]
        nth: u32,
        at_most: Span,
    },
}

const fn first() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_first(nth: &u32) -> bool {
    *nth == first()
}

impl Until {
    /// The longest that a fault stands that ends so.
    pub const fn at_most(self) -> Span {
        match self {
            Until::After(span) => span,
            Until::On { pattern: _, nth: _, at_most } => at_most,
        }
    }
}

impl FaultAction {
    /// When it ends; none for what happens at once.
    pub fn until(&self) -> Option<Until> {
        self.clone().until_mut().copied()
    }

    pub const fn until_mut(&mut self) -> Option<&mut Until> {
        match self {
            FaultAction::Partition { until, .. }
            | FaultAction::Crash { until, .. }
            | FaultAction::Pause { until, .. }
            | FaultAction::Hold { until }
            | FaultAction::ClockStep { until, .. }
            | FaultAction::Redeploy { until, .. }
            | FaultAction::Suspend { until, .. }
            | FaultAction::Disk { until, .. }
            | FaultAction::Clock { until, .. }
            | FaultAction::Process { until, .. }
            | FaultAction::Link { until, .. } => Some(until),
            FaultAction::LoseReply
            | FaultAction::LoseRequest
            | FaultAction::FailPersist
            | FaultAction::Duplicate
            | FaultAction::Strip
            | FaultAction::Reset { .. } => None,
        }
    }

    pub const fn kind(&self) -> FaultKind {
        match self {
            FaultAction::Partition { .. } => FaultKind::Partition,
            FaultAction::Crash { .. } => FaultKind::Crash,
            FaultAction::Pause { .. } => FaultKind::Pause,
            FaultAction::Hold { .. } => FaultKind::Hold,
            FaultAction::LoseReply => FaultKind::LoseReply,
            FaultAction::LoseRequest => FaultKind::LoseRequest,
            FaultAction::ClockStep { .. } => FaultKind::ClockStep,
            FaultAction::FailPersist => FaultKind::FailPersist,
            FaultAction::Duplicate => FaultKind::Duplicate,
            FaultAction::Redeploy { .. } => FaultKind::Redeploy,
            FaultAction::Strip => FaultKind::Strip,
            FaultAction::Suspend { .. } => FaultKind::Suspend,
            FaultAction::Disk { harm, .. } => harm.kind(),
            FaultAction::Clock { harm, .. } => harm.kind(),
            FaultAction::Process { harm, .. } => harm.kind(),
            FaultAction::Link { harm, .. } => harm.kind(),
            FaultAction::Reset { .. } => FaultKind::Reset,
        }
    }

    /// Nodes that it names, in its order.
    pub fn nodes(&self) -> Vec<NodeId> {
        self.named_nodes().into_iter().flat_map(|(_, nodes)| nodes).copied().collect()
    }

    /// The same by the field that names them.
    pub fn named_nodes(&self) -> Vec<(&'static str, &[NodeId])> {
        match self {
            FaultAction::Partition { left, right, symmetric: _, until: _ }
            | FaultAction::Link { left, right, symmetric: _, harm: _, until: _ }
            | FaultAction::Reset { left, right } => vec![("left", left), ("right", right)],
            FaultAction::Crash { node, until: _ }
            | FaultAction::Pause { node, until: _ }
            | FaultAction::Redeploy { node, build: _, until: _ }
            | FaultAction::ClockStep { node, offset_nanos: _, until: _ }
            | FaultAction::Disk { node, harm: _, until: _ }
            | FaultAction::Clock { node, harm: _, until: _ }
            | FaultAction::Process { node, harm: _, until: _ } => vec![("node", std::slice::from_ref(node))],
            FaultAction::Suspend { nodes, until: _ } => vec![("nodes", nodes)],
            FaultAction::Hold { until: _ }
            | FaultAction::LoseReply
            | FaultAction::LoseRequest
            | FaultAction::FailPersist
            | FaultAction::Duplicate
            | FaultAction::Strip => Vec::new(),
        }
    }
}
