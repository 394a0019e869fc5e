//! The watch: what a worker was doing, for when it can no longer say so itself.
//!
//! Every role is wrapped so that the node whose input is being handled stands in an atomic; the world
//! adds the number of the last event. A side thread of the worker reads them while the run may spin.
//! Only the harness may hold process-wide state, and nothing here reaches the run.
//!
//! The same wrapper carries process faults, which tests plant to see that a worker's death is told.

use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use tumbler_plan::Plan;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Build, Instant, NodeId, Span, TimerId};
use tumbler_world::RoleFactory;

/// What was seen last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Number of an event that was recorded; at most 1,024 are later.
    pub seq: u64,
    pub at: Instant,
    /// Whose input was handled last.
    pub node: Option<NodeId>,
    /// Inputs handled in this run.
    pub inputs: u64,
}

/// What is on the watch now.
pub fn seen() -> Seen {
    let node = u16::try_from(NODE.load(Relaxed)).ok().map(NodeId);
    Seen { seq: SEQ.load(Relaxed), at: Instant(AT.load(Relaxed)), node, inputs: INPUTS.load(Relaxed) }
}

/// A run begins.
pub fn reset() {
    SEQ.store(0, Relaxed);
    AT.store(0, Relaxed);
    NODE.store(u32::MAX, Relaxed);
    INPUTS.store(0, Relaxed);
}

/// For [`tumbler_world::Options::heartbeat`].
pub fn beat(seq: u64, at: Instant, _node: NodeId) {
    SEQ.store(seq, Relaxed);
    AT.store(at.nanos(), Relaxed);
}

/// Wraps every role that the factory makes. `announce` is called before each input is handled.
pub fn watched(
    roles: Box<RoleFactory>,
    fault: Option<ProcessFault>,
    announce: Option<fn(Seen)>,
) -> Box<RoleFactory> {
    Box::new(move |plan: &Plan, node: NodeId, build: Build| {
        let fault = fault.filter(|fault| fault.seed == plan.seed).map(|fault| fault.kind);
        Box::new(Watched { role: roles(plan, node, build), node, fault, announce })
    })
}

struct Watched {
    role: Box<dyn Role>,
    node: NodeId,
    fault: Option<ProcessFaultKind>,
    announce: Option<fn(Seen)>,
}

impl Role for Watched {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        NODE.store(u32::from(self.node.0), Relaxed);
        let inputs = INPUTS.fetch_add(1, Relaxed);
        if let Some(announce) = self.announce {
            announce(seen());
        }
        if let Some(kind) = self.fault
            && inputs >= STRIKES_AT
        {
            kind.strike();
        }
        tracing::trace!(node = %self.node, mono = %now.mono, ?input, "handle");
        let known = || u64::from(std::process::id());
        match self.fault {
            Some(ProcessFaultKind::Leak) => {
                self.leak(now, input, || known() + BOOTS.fetch_add(1, Relaxed) * 7_919)
            }
            Some(ProcessFaultKind::Birth) => self.leak(now, input, known),
            _ => self.role.handle(now, input),
        }
    }
}

impl Watched {
    /// Sets one timer more than the role wants, longer by what only this process knows.
    fn leak(&mut self, now: Now, input: Input, known: impl FnOnce() -> u64) -> Effects {
        if matches!(input, Input::Timer { timer: LEAKED }) {
            return Effects::new();
        }
        let boots = matches!(input, Input::Boot { .. });
        let mut effects = self.role.handle(now, input);
        if boots {
            let after = Span(LEAKS_AFTER.nanos() + known());
            effects.push(Effect::SetTimer { timer: LEAKED, after });
        }
        effects
    }
}

/// A fault of the worker's process, at a fixed input of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessFault {
    pub kind: ProcessFaultKind,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProcessFaultKind {
    Panic,
    Abort,
    Overflow,
    Spin,
    /// What the process knows gets into the run, and what it counts.
    Leak,
    /// What the process has known since it began gets into the run: all its runs agree.
    Birth,
    /// The process aborts, but only one that runs the seed again.
    Again,
}

impl ProcessFault {
    /// What it is in a process that runs a seed again.
    pub fn rechecking(self) -> Self {
        let kind = match self.kind {
            ProcessFaultKind::Again => ProcessFaultKind::Abort,
            kind => kind,
        };
        ProcessFault { kind, ..self }
    }
}

/// `spin@7`.
impl FromStr for ProcessFault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected panic|abort|overflow|spin|leak|birth|again@SEED, got `{text}`");
        let (kind, seed) = text.split_once('@').ok_or_else(expected)?;
        let kind = match kind {
            "panic" => ProcessFaultKind::Panic,
            "abort" => ProcessFaultKind::Abort,
            "overflow" => ProcessFaultKind::Overflow,
            "spin" => ProcessFaultKind::Spin,
            "leak" => ProcessFaultKind::Leak,
            "birth" => ProcessFaultKind::Birth,
            "again" => ProcessFaultKind::Again,
            _ => return Err(expected()),
        };
        Ok(ProcessFault { kind, seed: seed.parse().map_err(|_| expected())? })
    }
}

impl ProcessFaultKind {
    fn strike(self) {
        match self {
            ProcessFaultKind::Panic => panic!("a planted panic"),
            ProcessFaultKind::Abort => std::process::abort(),
            ProcessFaultKind::Overflow => {
                dig(1);
            }
            ProcessFaultKind::Spin => loop {
                std::hint::spin_loop();
            },
            // Leaks begin with the role; the last strikes elsewhere.
            ProcessFaultKind::Leak | ProcessFaultKind::Birth | ProcessFaultKind::Again => {}
        }
    }
}

/// Never returns within any real stack.
#[inline(never)]
fn dig(depth: u64) -> u64 {
    let frame = black_box([depth; 128]);
    if depth == 0 { 0 } else { dig(depth + 1) + frame[127] }
}

static BOOTS: AtomicU64 = AtomicU64::new(0);
static SEQ: AtomicU64 = AtomicU64::new(0);
static AT: AtomicU64 = AtomicU64::new(0);
static NODE: AtomicU32 = AtomicU32::new(u32::MAX);
static INPUTS: AtomicU64 = AtomicU64::new(0);

const LEAKED: TimerId = TimerId(1_000);
/// Behind the first checkpoint of a run, so that there is something to search.
const LEAKS_AFTER: Span = Span::from_secs(70);
/// Late enough that a story exists, early enough that every scenario gets there.
const STRIKES_AT: u64 = 200;
