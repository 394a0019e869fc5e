//! The plan: the complete list of timed faults and operations of a run, as data.

use crate::{ClockHarm, DiskHarm, Fault, FaultAction};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use tumbler_types::{
    Assumption, Bounds, Build, Format, Instant, NodeId, RHO_PPM, SecretId, Span, Timing, Topology,
    event::OrderKind,
};

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
    /// Nodes that begin as another build than the current one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub builds: Vec<Deployed>,
    /// The lowest format that may be spoken, from the start.
    #[serde(default = "floor", skip_serializing_if = "is_floor")]
    pub floor: Format,
    /// How much later than it came a copy is visible at a replica.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lags: Vec<Lag>,
    /// Under which ids the nodes draw, if not their own: in a smaller world those that they had in the
    /// larger one, rising, so that a node less moves nobody else's draws.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<NodeId>,
    /// Wall-clock offsets from the start, in nanoseconds.
    pub offsets: Vec<Offset>,
    pub orders: Vec<Order>,
    pub faults: Vec<Fault>,
    /// A deliberately flawed seam, if this run is to be caught.
    pub planted: Option<Planted>,
    /// Assumptions that the scenario says it breaks, in rising order. What is not said is not written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breaks: Vec<Assumption>,
}

impl Plan {
    pub const SCHEMA: u32 = 1;

    /// Assumptions that the plan's own offsets and faults leave, each with what does it. A planted
    /// bug is none: it breaks a promise of the system, which is to be found and never excused.
    pub fn exceeded(&self) -> Vec<(Assumption, String)> {
        let epsilon = self.timing.epsilon;
        let beyond = |nanos: i64| nanos.unsigned_abs() > epsilon.nanos();
        let offset = self.offsets.iter().find(|offset| beyond(offset.nanos)).map(|Offset { node, nanos }| {
            let off = Span(nanos.unsigned_abs());
            let what =
                format!("the clock of {} is off by {off}, and ε is {epsilon}", self.topology.name(*node));
            (Assumption::ClockWithinEpsilon, what)
        });
        let mut exceeded: Vec<(Assumption, String)> = Vec::new();
        for each in offset.into_iter().chain(self.faults.iter().flat_map(|fault| self.leaves(fault))) {
            if exceeded.iter().all(|(assumption, _)| *assumption != each.0) {
                exceeded.push(each);
            }
        }
        exceeded
    }

    /// Assumptions that one fault leaves.
    fn leaves(&self, fault: &Fault) -> Vec<(Assumption, String)> {
        let epsilon = self.timing.epsilon;
        let clock = |reached: Span| {
            let what = format!("{} steps a clock to {reached} off, and ε is {epsilon}", fault.id);
            (reached > epsilon).then_some((Assumption::ClockWithinEpsilon, what))
        };
        match fault.action {
            FaultAction::ClockStep { offset_nanos, .. } => {
                clock(Span(offset_nanos.unsigned_abs())).into_iter().collect()
            }
            FaultAction::Clock { node, harm, until } => {
                let base =
                    self.offsets.iter().find(|offset| offset.node == node).map_or(0, |each| each.nanos);
                let rate = match harm {
                    ClockHarm::Drift { ppm } => ppm.unsigned_abs(),
                    ClockHarm::Freeze | ClockHarm::Strobe { .. } => 0,
                };
                let what = format!("{} lets a clock gain {rate} ppm, and ρ is {RHO_PPM} ppm", fault.id);
                let rate = (rate > RHO_PPM).then_some((Assumption::ClockRateTrue, what));
                clock(harm.furthest(base, until.at_most())).into_iter().chain(rate).collect()
            }
            FaultAction::Disk { node, harm: DiskHarm::Lie, .. } => {
                let what = format!("{} lets the disk of {} lie", fault.id, self.topology.name(node));
                vec![(Assumption::FsyncHonest, what)]
            }
            FaultAction::Disk { node, harm: DiskHarm::Restore { .. }, .. } => {
                let what = format!("{} restores an older disk of {}", fault.id, self.topology.name(node));
                vec![(Assumption::DisksKept, what)]
            }
            FaultAction::Disk {
                node: _,
                harm: DiskHarm::Torn | DiskHarm::Full | DiskHarm::Stall | DiskHarm::Reorder | DiskHarm::Rot,
                until: _,
            }
            | FaultAction::Partition { .. }
            | FaultAction::Crash { .. }
            | FaultAction::Pause { .. }
            | FaultAction::Hold { .. }
            | FaultAction::LoseReply
            | FaultAction::LoseRequest
            | FaultAction::FailPersist
            | FaultAction::Duplicate
            | FaultAction::Redeploy { .. }
            | FaultAction::Strip
            | FaultAction::Suspend { .. }
            | FaultAction::Process { .. }
            | FaultAction::Link { .. }
            | FaultAction::Reset { .. } => Vec::new(),
        }
    }

    /// Assumptions that the plan both leaves and says to leave. What it only says excuses nothing.
    pub fn broken(&self) -> BTreeSet<Assumption> {
        let exceeded = self.exceeded().into_iter().map(|(assumption, _)| assumption);
        exceeded.filter(|assumption| self.breaks.contains(assumption)).collect()
    }

    /// How much later what reaches a replica is visible there.
    pub fn lag(&self, node: NodeId) -> Span {
        self.lags.iter().find(|lag| lag.node == node).map_or(Span::ZERO, |lag| lag.span)
    }

    /// The id under which a node draws.
    pub fn entity(&self, node: NodeId) -> NodeId {
        self.entities.get(usize::from(node.0)).copied().unwrap_or(node)
    }

    /// The build that a node begins with.
    pub fn build(&self, node: NodeId) -> Build {
        self.builds
            .iter()
            .find(|deployed| deployed.node == node)
            .map_or_else(Build::default, |each| each.build)
    }
}

/// What is not said is not written, so that a plan of before formats were plural keeps its digest.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_floor(format: &Format) -> bool {
    *format == floor()
}

/// What every build but the oldest speaks.
const fn floor() -> Format {
    Build::Current.highest()
}

/// A node begins as this build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    pub node: NodeId,
    pub build: Build,
}

/// What reaches this replica is visible there only this much later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lag {
    pub node: NodeId,
    pub span: Span,
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
    /// Somebody translates for nodes below the floor; caught by `no-downgrade`.
    AuthorityTakesOlder,
    /// The rotator's shell takes every quarantine to be over; caught by `applied-once`.
    RotatorSkipsQuarantine,
    /// The rotator's shell closes the principal instead of restoring it; caught by `rollback-possible`.
    RotatorForgetsRestore,
    /// A value is set at the target before it is on record; caught by `applied-once`.
    RotatorAppliesUnrecorded,
    /// A given-up attempt's value is applied by the next one; caught by `holder-served`.
    RotatorReplaysLeftovers,
    /// A second writer puts its configured value back; caught by `revoked-refused`.
    RotatorRestoresOriginal,
    /// The effect comes first, the check after; caught by `rollback-possible`.
    RotatorValidatesLate,
    /// A request is waited out and taken for done; caught by `holder-served`.
    RotatorSkipsTest,
    /// What is there already is taken for an error; caught by `converges`.
    RotatorRejectsRepetition,
    /// A dead connection is kept; caught by `converges`.
    RotatorPinsConnection,
    /// A value that was only in memory is made anew; caught by `applied-once`.
    RotatorRegenerates,
    /// Begun by another counts as success, with no value; caught by `holder-served`.
    RotatorTakesOverEmpty,
    /// What is due is not rebuilt after a restart; caught by `converges`.
    AuthorityForgetsQueue,
    /// One lost renewal is the last; caught by `holder-served`.
    AgentRenewerDies,
    /// Each answer about a lease starts it anew; caught by `revoked-undelivered`.
    AgentRestartsLease,
    /// One of two copies is never refreshed; caught by `revoked-undelivered`.
    AgentRefreshesOnePath,
    /// A lost request to close is taken for done; caught by `revoked-refused`.
    RotatorForgetsRevocation,
    /// A new version is named once to each agent; caught by `holder-served`.
    AuthorityNotifiesOnce,
    /// One doubt about the clock is for ever; caught by `holder-served`.
    AgentStaysUnhealthy,
    /// Six failures strike a secret off the list; caught by `converges`.
    RotatorGivesUp,
    /// The rotator's shell takes the closing for done; caught by `transitions-legal`.
    RotatorForgetsRetire,
    /// Due times are lost at a restart; caught by `rotated-when-due`.
    AuthorityForgetsDueTime,
    /// The target's disk drops the transport of a principal that comes into force; caught by
    /// `privilege-preserved`.
    TargetDropsTransport,
    /// A key that no record names is overlooked; caught by `orphan-free`.
    RotatorForgetsOrphan,
    /// A write that failed is taken for done; caught by `durable-ack`.
    TargetIgnoresFullDisk,
    /// A write that a slow disk has not finished is taken for done; caught by `durable-ack`.
    TargetOverlooksStall,
    /// Each start begins the lease anew; caught by `revoked-undelivered`.
    AgentRenewsAtStart,
    /// The margin for a clock that is off is added to a lease's end; caught by `revoked-undelivered`.
    AgentAddsEpsilon,
    /// An answer is waited for as long as nobody says that its connection is broken; caught by `converges`.
    RotatorTrustsHalfOpen,
    /// A write that failed is taken for done, because the disk reports an error once; caught by `durable-ack`.
    AgentSyncsAgain,
    /// A write goes over what it replaces, so that half of one leaves neither; caught by `durable-ack`.
    StoreWritesInPlace,
    /// What a disk hands out is believed; caught by `durable-ack`.
    StoreSkipsChecksum,
    /// A time is taken on a clock that jumps; caught by `holder-served`.
    AgentMeasuresByTheWall,
    /// A due time that was missed is left out; caught by `rotated-when-due`.
    AuthoritySkipsMissed,
    /// The period of heartbeats is taken for what it was when built; caught by `holder-served`.
    AgentHardcodesPeriod,
    /// A late answer is read as that of the next request; caught by `converges`.
    RotatorReadsLateAnswer,
    /// Failures are counted for ever, successes do not make up for them; caught by `converges`.
    RotatorNeverForgives,
    /// A host hands on what was damaged on its way; caught by `orphan-free`.
    HostSkipsChecksum,
    /// A connection that breaks is taken for a success; caught by `transitions-legal`.
    RotatorTakesResetForDone,
    /// A mint that was answered is taken for one mint; caught by `orphan-free`.
    RotatorTrustsAnsweredMint,
    /// An answer that cannot be read is asked for again in the oldest format; caught by `no-downgrade`.
    RotatorFallsBack,
    /// A request of a rotator that was replaced is taken like its successor's; caught by `transitions-legal`.
    AuthorityIgnoresEpoch,
}

impl Planted {
    pub const ALL: [Planted; 50] = [
        Planted::LyingFsync,
        Planted::SendBeforePersist,
        Planted::TargetIgnoresFences,
        Planted::AgentAcknowledgesUnstored,
        Planted::AgentServesPastLease,
        Planted::ReplicaKeepsRevoked,
        Planted::AgentFallsSilent,
        Planted::StoreLosesPrevious,
        Planted::AuthorityTakesOlder,
        Planted::RotatorSkipsQuarantine,
        Planted::RotatorForgetsRestore,
        Planted::RotatorAppliesUnrecorded,
        Planted::RotatorReplaysLeftovers,
        Planted::RotatorRestoresOriginal,
        Planted::RotatorValidatesLate,
        Planted::RotatorSkipsTest,
        Planted::RotatorRejectsRepetition,
        Planted::RotatorPinsConnection,
        Planted::RotatorRegenerates,
        Planted::RotatorTakesOverEmpty,
        Planted::AuthorityForgetsQueue,
        Planted::AgentRenewerDies,
        Planted::AgentRestartsLease,
        Planted::AgentRefreshesOnePath,
        Planted::RotatorForgetsRevocation,
        Planted::AuthorityNotifiesOnce,
        Planted::AgentStaysUnhealthy,
        Planted::RotatorGivesUp,
        Planted::RotatorForgetsRetire,
        Planted::AuthorityForgetsDueTime,
        Planted::TargetDropsTransport,
        Planted::RotatorForgetsOrphan,
        Planted::TargetIgnoresFullDisk,
        Planted::TargetOverlooksStall,
        Planted::AgentRenewsAtStart,
        Planted::AgentAddsEpsilon,
        Planted::RotatorTrustsHalfOpen,
        Planted::AgentSyncsAgain,
        Planted::StoreWritesInPlace,
        Planted::StoreSkipsChecksum,
        Planted::AgentMeasuresByTheWall,
        Planted::AuthoritySkipsMissed,
        Planted::AgentHardcodesPeriod,
        Planted::RotatorReadsLateAnswer,
        Planted::RotatorNeverForgives,
        Planted::HostSkipsChecksum,
        Planted::RotatorTakesResetForDone,
        Planted::RotatorTrustsAnsweredMint,
        Planted::RotatorFallsBack,
        Planted::AuthorityIgnoresEpoch,
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
            Planted::AuthorityTakesOlder => "authority-takes-older",
            Planted::RotatorSkipsQuarantine => "rotator-skips-quarantine",
            Planted::RotatorForgetsRestore => "rotator-forgets-restore",
            Planted::RotatorAppliesUnrecorded => "rotator-applies-unrecorded",
            Planted::RotatorReplaysLeftovers => "rotator-replays-leftovers",
            Planted::RotatorRestoresOriginal => "rotator-restores-original",
            Planted::RotatorValidatesLate => "rotator-validates-late",
            Planted::RotatorSkipsTest => "rotator-skips-test",
            Planted::RotatorRejectsRepetition => "rotator-rejects-repetition",
            Planted::RotatorPinsConnection => "rotator-pins-connection",
            Planted::RotatorRegenerates => "rotator-regenerates",
            Planted::RotatorTakesOverEmpty => "rotator-takes-over-empty",
            Planted::AuthorityForgetsQueue => "authority-forgets-queue",
            Planted::AgentRenewerDies => "agent-renewer-dies",
            Planted::AgentRestartsLease => "agent-restarts-lease",
            Planted::AgentRefreshesOnePath => "agent-refreshes-one-path",
            Planted::RotatorForgetsRevocation => "rotator-forgets-revocation",
            Planted::AuthorityNotifiesOnce => "authority-notifies-once",
            Planted::AgentStaysUnhealthy => "agent-stays-unhealthy",
            Planted::RotatorGivesUp => "rotator-gives-up",
            Planted::RotatorForgetsRetire => "rotator-forgets-retire",
            Planted::AuthorityForgetsDueTime => "authority-forgets-due-time",
            Planted::TargetDropsTransport => "target-drops-transport",
            Planted::RotatorForgetsOrphan => "rotator-forgets-orphan",
            Planted::TargetIgnoresFullDisk => "target-ignores-full-disk",
            Planted::TargetOverlooksStall => "target-overlooks-stall",
            Planted::AgentRenewsAtStart => "agent-renews-at-start",
            Planted::AgentAddsEpsilon => "agent-adds-epsilon",
            Planted::RotatorTrustsHalfOpen => "rotator-trusts-half-open",
            Planted::AgentSyncsAgain => "agent-syncs-again",
            Planted::StoreWritesInPlace => "store-writes-in-place",
            Planted::StoreSkipsChecksum => "store-skips-checksum",
            Planted::AgentMeasuresByTheWall => "agent-measures-by-the-wall",
            Planted::AuthoritySkipsMissed => "authority-skips-missed",
            Planted::AgentHardcodesPeriod => "agent-hardcodes-period",
            Planted::RotatorReadsLateAnswer => "rotator-reads-late-answer",
            Planted::RotatorNeverForgives => "rotator-never-forgives",
            Planted::HostSkipsChecksum => "host-skips-checksum",
            Planted::RotatorTakesResetForDone => "rotator-takes-reset-for-done",
            Planted::RotatorTrustsAnsweredMint => "rotator-trusts-answered-mint",
            Planted::RotatorFallsBack => "rotator-falls-back",
            Planted::AuthorityIgnoresEpoch => "authority-ignores-epoch",
        }
    }
}
