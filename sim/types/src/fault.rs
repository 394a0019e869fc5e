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
}

impl FaultKind {
    pub const ALL: [FaultKind; 12] = [
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
        }
    }
}
