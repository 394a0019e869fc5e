//! Ids of the faults that a plan can hold.

use serde::{Deserialize, Serialize};

/// What is done to the world. Parameters live in the plan; this is the id that events, reports and
/// the assumptions table share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Two groups of nodes exchange no message, in one direction or both, also none already in flight.
    Partition,
    /// A node loses its volatile state and restarts later from what was durable.
    Crash,
    /// A node makes no progress and keeps its memory.
    Pause,
    /// One message or call is withheld and delivered later.
    Hold,
    /// One call is applied at the callee and its reply is lost.
    LoseReply,
    /// One request or message is lost.
    LoseRequest,
    /// A node's wall clock jumps to another offset.
    ClockStep,
    /// One durable write fails, and the role is told.
    FailPersist,
    /// One message or request is delivered twice.
    Duplicate,
    /// A node restarts with another build of the software.
    Redeploy,
    /// Somebody on the way strips what one message says about the formats its sender speaks.
    Strip,
    /// A group of nodes sleeps: nothing runs, monotonic clocks stand still, wall clocks go on.
    Suspend,
    /// A node goes down in the middle of one durable write, of which a part is on the disk.
    TornWrite,
    /// A node's disk takes no more writes: a record fails, a log entry stops the node.
    DiskFull,
    /// A node's durable writes come to an end only when the fault does.
    DiskStall,
    /// In a crash of the node any of its unsynced writes survive, not only the first of them.
    DiskReorder,
    /// One durable record or entry of a node changes on its disk.
    BitRot,
    /// What a node's disk reports durable is lost in a crash while the fault stands.
    LyingSync,
    /// A node comes back with its disk as it was some time ago.
    DiskRestore,
    /// A node's clocks run at another rate.
    ClockDrift,
    /// A node's wall clock stands still, and jumps back when the fault ends.
    ClockFreeze,
    /// A node's wall clock jumps to and fro.
    ClockStrobe,
    /// A node handles one input after the other, each late.
    Slow,
    /// A node crashes again and again.
    CrashLoop,
    /// A node restarts with an older configuration, and at the end with its own.
    Reconfigure,
    /// Messages between two groups take longer, some of them or all.
    SlowLink,
    /// Some messages between two groups are lost.
    LossyLink,
    /// Some messages between two groups change on the way, and their framing shows it.
    Corrupt,
    /// Messages between two groups leave at a limited rate, from a limited queue.
    NarrowLink,
    /// What one group sends to another vanishes until a call shows it or the connection is closed.
    HalfOpen,
    /// All connections between two groups break: what is in flight is lost, callers are told.
    Reset,
}

impl FaultKind {
    pub const ALL: [FaultKind; 31] = [
        FaultKind::Partition,
        FaultKind::Crash,
        FaultKind::Pause,
        FaultKind::Hold,
        FaultKind::LoseReply,
        FaultKind::LoseRequest,
        FaultKind::ClockStep,
        FaultKind::FailPersist,
        FaultKind::Duplicate,
        FaultKind::Redeploy,
        FaultKind::Strip,
        FaultKind::Suspend,
        FaultKind::TornWrite,
        FaultKind::DiskFull,
        FaultKind::DiskStall,
        FaultKind::DiskReorder,
        FaultKind::BitRot,
        FaultKind::LyingSync,
        FaultKind::DiskRestore,
        FaultKind::ClockDrift,
        FaultKind::ClockFreeze,
        FaultKind::ClockStrobe,
        FaultKind::Slow,
        FaultKind::CrashLoop,
        FaultKind::Reconfigure,
        FaultKind::SlowLink,
        FaultKind::LossyLink,
        FaultKind::Corrupt,
        FaultKind::NarrowLink,
        FaultKind::HalfOpen,
        FaultKind::Reset,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Partition => "partition",
            FaultKind::Crash => "crash",
            FaultKind::Pause => "pause",
            FaultKind::Hold => "hold",
            FaultKind::LoseReply => "lose-reply",
            FaultKind::LoseRequest => "lose-request",
            FaultKind::ClockStep => "clock-step",
            FaultKind::FailPersist => "fail-persist",
            FaultKind::Duplicate => "duplicate",
            FaultKind::Redeploy => "redeploy",
            FaultKind::Strip => "strip",
            FaultKind::Suspend => "suspend",
            FaultKind::TornWrite => "torn-write",
            FaultKind::DiskFull => "disk-full",
            FaultKind::DiskStall => "disk-stall",
            FaultKind::DiskReorder => "disk-reorder",
            FaultKind::BitRot => "bit-rot",
            FaultKind::LyingSync => "lying-sync",
            FaultKind::DiskRestore => "disk-restore",
            FaultKind::ClockDrift => "clock-drift",
            FaultKind::ClockFreeze => "clock-freeze",
            FaultKind::ClockStrobe => "clock-strobe",
            FaultKind::Slow => "slow",
            FaultKind::CrashLoop => "crash-loop",
            FaultKind::Reconfigure => "reconfigure",
            FaultKind::SlowLink => "slow-link",
            FaultKind::LossyLink => "lossy-link",
            FaultKind::Corrupt => "corrupt",
            FaultKind::NarrowLink => "narrow-link",
            FaultKind::HalfOpen => "half-open",
            FaultKind::Reset => "reset",
        }
    }

    /// What the fault stands for in production.
    pub const fn about(self) -> &'static str {
        match self {
            FaultKind::Partition => "two groups exchange no message, in one direction or both",
            FaultKind::Crash => "a node loses its memory and restarts from what was durable",
            FaultKind::Pause => "a node stops for a while and goes on as if nothing had happened",
            FaultKind::Hold => {
                "one message arrives much later, also after its sender's successor has finished"
            }
            FaultKind::LoseReply => "a call takes effect and its caller never learns of it",
            FaultKind::LoseRequest => "a request or message never arrives",
            FaultKind::ClockStep => "a node's wall clock jumps",
            FaultKind::FailPersist => "a durable write fails and says so",
            FaultKind::Duplicate => "a message or request arrives twice",
            FaultKind::Redeploy => "a node restarts as another build: an upgrade or a downgrade",
            FaultKind::Strip => "a man in the middle makes a sender look older than it is",
            FaultKind::Suspend => {
                "nodes sleep and wake: their monotonic clocks miss the time, their wall clocks do not"
            }
            FaultKind::TornWrite => {
                "power fails in the middle of a durable write, and half of it is on the disk"
            }
            FaultKind::DiskFull => {
                "a disk is full: a record fails and says so, a log that cannot be written stops its node"
            }
            FaultKind::DiskStall => "a disk answers nothing for a while: a device resets, a volume is moved",
            FaultKind::DiskReorder => {
                "a write cache writes in an order of its own, so that a crash keeps any of the unsynced writes"
            }
            FaultKind::BitRot => {
                "a bit of a durable record or entry flips; the node that finds it does not start until it is restored"
            }
            FaultKind::LyingSync => {
                "a disk reports writes durable that are in its cache alone, and a crash loses them"
            }
            FaultKind::DiskRestore => "a node is restored from an older snapshot",
            FaultKind::ClockDrift => {
                "an oscillator is off: wall and monotonic clock run too fast or too slow"
            }
            FaultKind::ClockFreeze => {
                "a wall clock stands still: a clock source that is gone, a guest that is not told the time"
            }
            FaultKind::ClockStrobe => "two time sources quarrel, and a wall clock jumps between them",
            FaultKind::Slow => "a starved node: each input takes its time, and the others wait in line",
            FaultKind::CrashLoop => "a node crashes soon after each start",
            FaultKind::Reconfigure => {
                "a node restarts with an older configuration: other periods than its peers expect"
            }
            FaultKind::SlowLink => {
                "a congested or far link: some or all messages take an extra time, drawn for each"
            }
            FaultKind::LossyLink => "a bad cable or radio link loses a share of the messages",
            FaultKind::Corrupt => {
                "bits flip on the way; the receiver's framing finds it and the message is dropped"
            }
            FaultKind::NarrowLink => {
                "little bandwidth and a short queue: messages wait in line, and are dropped where it is full"
            }
            FaultKind::HalfOpen => {
                "one side still believes in a connection that is gone: what it sends vanishes until a time-out makes it connect anew"
            }
            FaultKind::Reset => {
                "connections are reset: what is in flight is lost and callers hear it at once, unless they are cut off"
            }
        }
    }

    /// Whether a call that meets it may land much later than it was made.
    pub const fn puts_off(self) -> bool {
        match self {
            FaultKind::Hold
            | FaultKind::Pause
            | FaultKind::Suspend
            | FaultKind::DiskStall
            | FaultKind::Slow
            | FaultKind::SlowLink
            | FaultKind::NarrowLink => true,
            FaultKind::Partition
            | FaultKind::Crash
            | FaultKind::LoseReply
            | FaultKind::LoseRequest
            | FaultKind::ClockStep
            | FaultKind::FailPersist
            | FaultKind::Duplicate
            | FaultKind::Redeploy
            | FaultKind::Strip
            | FaultKind::TornWrite
            | FaultKind::DiskFull
            | FaultKind::DiskReorder
            | FaultKind::BitRot
            | FaultKind::LyingSync
            | FaultKind::DiskRestore
            | FaultKind::ClockDrift
            | FaultKind::ClockFreeze
            | FaultKind::ClockStrobe
            | FaultKind::CrashLoop
            | FaultKind::Reconfigure
            | FaultKind::LossyLink
            | FaultKind::Corrupt
            | FaultKind::HalfOpen
            | FaultKind::Reset => false,
        }
    }

    /// Whether it lasts; the others happen at once, and may end without an event of their own.
    pub const fn stands(self) -> bool {
        match self {
            FaultKind::LoseReply
            | FaultKind::LoseRequest
            | FaultKind::FailPersist
            | FaultKind::Duplicate
            | FaultKind::Strip
            | FaultKind::Reset => false,
            FaultKind::Partition
            | FaultKind::Crash
            | FaultKind::Pause
            | FaultKind::Hold
            | FaultKind::ClockStep
            | FaultKind::Redeploy
            | FaultKind::Suspend
            | FaultKind::TornWrite
            | FaultKind::DiskFull
            | FaultKind::DiskStall
            | FaultKind::DiskReorder
            | FaultKind::BitRot
            | FaultKind::LyingSync
            | FaultKind::DiskRestore
            | FaultKind::ClockDrift
            | FaultKind::ClockFreeze
            | FaultKind::ClockStrobe
            | FaultKind::Slow
            | FaultKind::CrashLoop
            | FaultKind::Reconfigure
            | FaultKind::SlowLink
            | FaultKind::LossyLink
            | FaultKind::Corrupt
            | FaultKind::NarrowLink
            | FaultKind::HalfOpen => true,
        }
    }

    /// What a scenario says of it, with units; times are spelled like `250ms`.
    pub const fn parameters(self) -> &'static str {
        match self {
            FaultKind::Partition => "left, right: nodes; symmetric; lasts: time",
            FaultKind::Crash | FaultKind::Pause | FaultKind::Suspend => "node; lasts: time",
            FaultKind::Hold => "point (sending, replying); lasts: time",
            FaultKind::LoseReply | FaultKind::LoseRequest => "point (sending)",
            FaultKind::ClockStep => "node; offset: time, signed; lasts: time",
            FaultKind::FailPersist => "point (persist-begins)",
            FaultKind::Duplicate | FaultKind::Strip => "point (sending, replying)",
            FaultKind::Redeploy => "node; build; lasts: time down",
            FaultKind::TornWrite => "point (persist-begins, propose-begins); node; lasts: time",
            FaultKind::DiskFull => "node; lasts: time",
            FaultKind::DiskStall => "node; lasts: time",
            FaultKind::DiskReorder => "node; lasts: time",
            FaultKind::BitRot => "node; lasts: time until a good copy is back",
            FaultKind::LyingSync => "node; lasts: time",
            FaultKind::DiskRestore => "node; back: time to the snapshot; lasts: time down",
            FaultKind::ClockDrift => "node; rate: ppm, signed; lasts: time",
            FaultKind::ClockFreeze => "node; lasts: time",
            FaultKind::ClockStrobe => "node; offset: time, signed; period: time; lasts: time",
            FaultKind::Slow => "node; lag: time for each input; lasts: time",
            FaultKind::CrashLoop => "node; up: time; down: time; lasts: time",
            FaultKind::Reconfigure => "node; period: time of heartbeats and polls; lasts: time",
            FaultKind::SlowLink => {
                "left, right: nodes; symmetric; extra: time; share: ratio of messages; lasts: time"
            }
            FaultKind::LossyLink => "left, right: nodes; symmetric; share: ratio of messages; lasts: time",
            FaultKind::Corrupt => "left, right: nodes; symmetric; share: ratio of messages; lasts: time",
            FaultKind::NarrowLink => {
                "left, right: nodes; symmetric; rate: bytes per second; queue: bytes; lasts: time"
            }
            FaultKind::HalfOpen => "left (sends), right: nodes; lasts: time until keep-alive",
            FaultKind::Reset => "left, right: nodes",
        }
    }
}
