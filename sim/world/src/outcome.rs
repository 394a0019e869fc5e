//! What a run is asked for and what it gives back.

use crate::realize::Realized;
use tumbler_plan::{Checkpoint, Digest, Plan};
use tumbler_spec::Judgement;
use tumbler_types::{Build, FaultId, Instant, NodeId, Observed, role::v1::Role};

/// Makes the role of a node as a build. Called once per incarnation, on the run's own thread.
pub type RoleFactory = dyn Fn(&Plan, NodeId, Build) -> Box<dyn Role> + Send + Sync;

/// Which driver executes the nodes. The digest is the same for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driver {
    /// One madsim task; roles are plain calls.
    Queue,
    /// A madsim node and task per node.
    Tasks,
}

/// How to run, without influence on what happens.
#[derive(Clone, Debug)]
pub struct Options {
    pub driver: Driver,
    /// Seed handed to madsim; must not matter.
    pub madsim_seed: u64,
    pub judge: bool,
    /// Take the digest. Without it a run has that of nothing: for benches, which ask what it costs.
    pub digest: bool,
    /// Keep every event in memory.
    pub keep_trace: bool,
    /// Note what faults of links do to single messages.
    pub realize: bool,
    /// Stop after the event with this number.
    pub until: Option<u64>,
    /// Called with every 1,024th event's number, virtual time and node: for a watchdog's last words.
    pub heartbeat: Option<fn(u64, Instant, NodeId)>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            driver: Driver::Queue,
            madsim_seed: 0,
            judge: true,
            digest: true,
            keep_trace: false,
            realize: false,
            until: None,
            heartbeat: None,
        }
    }
}

/// A role's panic, caught: the run ends there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic {
    pub node: NodeId,
    pub seq: u64,
    pub at: Instant,
    pub message: String,
}

/// What happened in a run.
#[derive(Clone, Debug)]
#[must_use]
pub struct Outcome {
    pub digest: Digest,
    pub checkpoints: Vec<Checkpoint>,
    pub events: u64,
    pub messages: u64,
    pub end_at: Instant,
    /// The plan's faults that fired, in order of firing: the realized plan.
    pub fired: Vec<FaultId>,
    /// `None` with judges off. Its verdict is `Crashed` if a role panicked.
    pub judgement: Option<Judgement>,
    pub panic: Option<Panic>,
    /// Empty unless kept.
    pub trace: Vec<Observed>,
    /// What faults of links did to single messages, in order; empty unless asked for.
    pub realized: Vec<Realized>,
}
