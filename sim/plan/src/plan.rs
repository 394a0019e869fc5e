//! The plan: the complete list of timed faults and operations of a run, as data.

use crate::Fault;
use serde::{Deserialize, Serialize};
use tumbler_types::{Bounds, Instant, NodeId, SecretId, Span, Timing, Topology, event::OrderKind};

/// Everything that a run depends on, besides the build. Pure data; equal plans give equal runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form; [`Plan::SCHEMA`].
    pub schema: u32,
    pub scenario: String,
    pub seed: u64,
    pub topology: Topology,
    pub timing: Timing,
    pub bounds: Bounds,
    pub network: Network,
    pub store: Store,
    /// How many agents, from the first, are canaries.
    pub canaries: u16,
    /// No fault begins from here on, and standing ones are healed.
    pub heal_at: Instant,
    /// The run ends here.
    pub end_at: Instant,
    /// Wall-clock offsets from the start, in nanoseconds.
    pub offsets: Vec<Offset>,
    pub orders: Vec<Order>,
    pub faults: Vec<Fault>,
    /// A deliberately flawed seam, if this run is to be caught.
    pub planted: Option<Planted>,
}

impl Plan {
    pub const SCHEMA: u32 = 1;
}

/// A node's wall clock differs from true time by this from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    pub node: NodeId,
    pub nanos: i64,
}

/// What every link does to a message: uniformly drawn latency, one draw per message and direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Network {
    pub latency_min: Span,
    pub latency_max: Span,
}

/// Time until a write is durable, uniformly drawn, for records and for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    pub latency_min: Span,
    pub latency_max: Span,
}

/// One thing that the operator does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub at: Instant,
    pub secret: SecretId,
    pub order: OrderKind,
}

/// Planted bugs at the world's seams: each must be caught by the invariant that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Planted {
    /// The disk says that a record is durable, and writes it much later; caught by `durable-ack`.
    LyingFsync,
    /// The driver completes a `Persist` before the disk did it; caught by `durable-ack`.
    SendBeforePersist,
    /// The target is built without its fence check; caught by `applied-once`.
    TargetIgnoresFences,
    /// The agent's shell acknowledges a revocation when it hears of it; caught by `durable-ack`.
    AgentAcknowledgesUnstored,
    /// The agent's shell goes on handing out its last version; caught by `revoked-undelivered`.
    AgentServesPastLease,
    /// One replica never takes a value away; caught by `revoked-refused`.
    ReplicaKeepsRevoked,
    /// The agent's shell hands out nothing more after a while; caught by `holder-served`.
    AgentFallsSilent,
    /// The store forgets the previous version's value at promote; caught by `rollback-possible`.
    StoreLosesPrevious,
    /// The rotator's shell takes every quarantine to be over; caught by `applied-once`.
    RotatorSkipsQuarantine,
    /// The rotator's shell closes the principal instead of restoring it; caught by `rollback-possible`.
    RotatorForgetsRestore,
    /// The target's disk drops the transport of a principal that comes into force; caught by
    /// `privilege-preserved`.
    TargetDropsTransport,
}

impl Planted {
    pub const ALL: [Planted; 11] = [
        Planted::LyingFsync,
        Planted::SendBeforePersist,
        Planted::TargetIgnoresFences,
        Planted::AgentAcknowledgesUnstored,
        Planted::AgentServesPastLease,
        Planted::ReplicaKeepsRevoked,
        Planted::AgentFallsSilent,
        Planted::StoreLosesPrevious,
        Planted::RotatorSkipsQuarantine,
        Planted::RotatorForgetsRestore,
        Planted::TargetDropsTransport,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Planted::LyingFsync => "lying-fsync",
            Planted::SendBeforePersist => "send-before-persist",
            Planted::TargetIgnoresFences => "target-ignores-fences",
            Planted::AgentAcknowledgesUnstored => "agent-acknowledges-unstored",
            Planted::AgentServesPastLease => "agent-serves-past-lease",
            Planted::ReplicaKeepsRevoked => "replica-keeps-revoked",
            Planted::AgentFallsSilent => "agent-falls-silent",
            Planted::StoreLosesPrevious => "store-loses-previous",
            Planted::RotatorSkipsQuarantine => "rotator-skips-quarantine",
            Planted::RotatorForgetsRestore => "rotator-forgets-restore",
            Planted::TargetDropsTransport => "target-drops-transport",
        }
    }
}
