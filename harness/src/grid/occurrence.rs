//! Occurrences: every external call and durable write of a run's rotations, each with its ordinal.
//!
//! They are read off the trace of an undisturbed run. A cell's run is equal up to its fault, so an
//! ordinal counted here names the same moment there; phases are those of the ledger's own fold.
//!
//! What it deliberately leaves out: workloads' calls (they use a secret and rotate nothing), one-way
//! messages, and what happens while nothing is open, ordered, due or owed. Polls and heartbeats are
//! alike within a stay in a phase: the first few are taken, the others counted as skipped.
//!
//! `Model:` a call does not say which secret it concerns; with rotations of several secrets open at
//! once, it is shown in the phase of the first.

use std::collections::{BTreeMap, VecDeque};
use tumbler_plan::Plan;
use tumbler_reports::grid::Stage;
use tumbler_spec::Ledger;
use tumbler_types::event::FrameKind;
use tumbler_types::{
    CallId, Event, Instant, NodeId, Observed, Phase, RecordId, RoleKind, SecretId, Topology,
};

/// One moment at which something external or durable begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    pub at: Instant,
    pub node: NodeId,
    pub role: RoleKind,
    pub secret: SecretId,
    pub stage: Stage,
    pub deed: Deed,
    /// From 1, among the node's deeds of this kind since time zero.
    pub nth: u32,
}

/// What begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A request leaves; it was answered, or not.
    Call { frame: FrameKind, reply: Option<Reply> },
    /// A record's write, and its ordinal among the node's finished ones.
    Record { done: Option<u32> },
    /// A log entry's write, likewise.
    Entry { done: Option<u32> },
}

/// Where and as the how-manieth of its kind a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    pub callee: NodeId,
    pub frame: FrameKind,
    pub nth: u32,
}

impl Deed {
    /// The request's name, or which durable write it is.
    pub const fn name(&self) -> &'static str {
        match self {
            Deed::Call { frame, reply: _ } => frame.name(),
            Deed::Record { done: _ } => "persist",
            Deed::Entry { done: _ } => "propose",
        }
    }
}

/// All occurrences of a run, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Occurrences {
    pub taken: Vec<Occurrence>,
    /// Polls and heartbeats beyond the first [`ALIKE_MAX`] of a node in a stay.
    pub skipped: u64,
}

impl Occurrences {
    pub fn of(plan: &Plan, trace: &[Observed]) -> Occurrences {
        let mut scan = Scan::new(&plan.topology);
        for observed in trace {
            scan.before(observed);
            scan.ledger.fold(observed);
            scan.move_on();
        }
        scan.found
    }
}

/// A call that tells retrying from calm: not a poll, and not a workload's.
pub fn is_counted(topology: &Topology, observed: &Observed) -> bool {
    let Event::Called { frame, .. } = observed.event else { return false };
    let role = topology.kind(observed.node).map(|(role, _)| role);
    let rotates = matches!(role, Some(RoleKind::Rotator | RoleKind::Agent | RoleKind::Operator));
    rotates && !is_poll(frame)
}

const fn is_poll(frame: FrameKind) -> bool {
    matches!(frame, FrameKind::ReadRequest | FrameKind::HeartbeatRequest)
}

/// What is counted per node, as the nemesis counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Sending(FrameKind),
    Replying(FrameKind),
    PersistBegins,
    PersistDone,
    ProposeBegins,
    ProposeDone,
}

/// The walk along the trace.
struct Scan<'a> {
    topology: &'a Topology,
    ledger: Ledger,
    counts: BTreeMap<(NodeId, Counted), u32>,
    /// Calls that were taken and are not answered yet.
    calls: BTreeMap<CallId, usize>,
    /// Writes begun and not done, oldest first; none: not taken.
    records: BTreeMap<(NodeId, RecordId), VecDeque<Option<usize>>>,
    entries: VecDeque<Option<usize>>,
    /// The operator's call under way.
    ordering: Option<CallId>,
    stage: Option<(Stage, SecretId)>,
    /// Polls and heartbeats of this stay.
    alike: BTreeMap<(NodeId, FrameKind), u32>,
    found: Occurrences,
}

impl<'a> Scan<'a> {
    fn new(topology: &'a Topology) -> Self {
        Scan {
            topology,
            ledger: Ledger::new(topology),
            counts: BTreeMap::new(),
            calls: BTreeMap::new(),
            records: BTreeMap::new(),
            entries: VecDeque::new(),
            ordering: None,
            stage: None,
            alike: BTreeMap::new(),
            found: Occurrences::default(),
        }
    }

    /// Takes an event, in the phase that it found.
    fn before(&mut self, observed: &Observed) {
        let Observed { seq: _, at, node, event } = *observed;
        match event {
            Event::Sent { frame, .. } => {
                self.count(node, Counted::Sending(frame));
            }
            Event::Called { call, frame, .. } => self.called(at, node, call, frame),
            Event::Ordered { secret, .. } => {
                // It is recorded with its call, and says what the call does not.
                if let Some(last) = self.found.taken.last_mut().filter(|last| last.node == node) {
                    last.secret = secret;
                }
            }
            Event::Replied { call, frame, .. } => {
                let nth = self.count(node, Counted::Replying(frame));
                if let Some(index) = self.calls.remove(&call)
                    && let Deed::Call { reply, .. } = &mut self.found.taken[index].deed
                {
                    *reply = Some(Reply { callee: node, frame, nth });
                }
            }
            Event::Returned { call, .. } | Event::CallUnknown { call, .. } => {
                self.ordering.take_if(|ordering| *ordering == call);
            }
            Event::PersistBegan { record, .. } => {
                let nth = self.count(node, Counted::PersistBegins);
                let index = self.take(at, node, Deed::Record { done: None }, nth);
                self.records.entry((node, record)).or_default().push_back(index);
            }
            Event::Persisted { record } => {
                let nth = self.count(node, Counted::PersistDone);
                let begun = self.records.get_mut(&(node, record)).and_then(VecDeque::pop_front);
                if let Some(index) = begun.flatten() {
                    self.found.taken[index].deed = Deed::Record { done: Some(nth) };
                }
            }
            Event::ProposeBegan { .. } => {
                let nth = self.count(node, Counted::ProposeBegins);
                let index = self.take(at, node, Deed::Entry { done: None }, nth);
                self.entries.push_back(index);
            }
            Event::Committed { .. } => {
                // The entries of genesis were never proposed.
                if let Some(index) = self.entries.pop_front() {
                    let nth = self.count(node, Counted::ProposeDone);
                    if let Some(index) = index {
                        self.found.taken[index].deed = Deed::Entry { done: Some(nth) };
                    }
                }
            }
            _ => {}
        }
    }

    fn called(&mut self, at: Instant, node: NodeId, call: CallId, frame: FrameKind) {
        let nth = self.count(node, Counted::Sending(frame));
        let Some((role, _)) = self.topology.kind(node) else { return };
        match role {
            RoleKind::Operator => {
                self.ordering = Some(call);
                self.move_on();
            }
            RoleKind::Rotator | RoleKind::Agent => {}
            RoleKind::Authority | RoleKind::Target | RoleKind::Replica | RoleKind::Workload => return,
        }
        // What is due by its time, only the request that begins it says.
        let begins = role == RoleKind::Rotator && !is_poll(frame) && self.stage.is_none();
        if begins {
            self.stage = Some((Stage::Due, SecretId(0)));
        }
        if self.stage.is_some() && is_poll(frame) {
            let alike = self.alike.entry((node, frame)).or_default();
            *alike += 1;
            if *alike > ALIKE_MAX {
                self.found.skipped += 1;
                return;
            }
        }
        if let Some(index) = self.take(at, node, Deed::Call { frame, reply: None }, nth) {
            self.calls.insert(call, index);
        }
        if begins {
            self.stage = None;
        }
    }

    fn count(&mut self, node: NodeId, counted: Counted) -> u32 {
        let count = self.counts.entry((node, counted)).or_default();
        *count += 1;
        *count
    }

    fn take(&mut self, at: Instant, node: NodeId, deed: Deed, nth: u32) -> Option<usize> {
        let (stage, secret) = self.stage?;
        let (role, _) = self.topology.kind(node)?;
        self.found.taken.push(Occurrence { at, node, role, secret, stage, deed, nth });
        Some(self.found.taken.len() - 1)
    }

    /// Where things stand now: the first secret's rotation that is open, due or owed.
    fn move_on(&mut self) {
        let found = self.stage_now();
        if found != self.stage {
            self.stage = found;
            self.alike.clear();
        }
    }

    fn stage_now(&self) -> Option<(Stage, SecretId)> {
        let slices =
            || self.topology.secrets().filter_map(|secret| Some((secret, self.ledger.slice(secret)?)));
        if let Some((secret, slice)) = slices().find(|(_, slice)| slice.phase != Phase::Idle) {
            return Some((Stage::Open(slice.phase), secret));
        }
        if let Some((secret, _)) = slices().find(|(_, slice)| slice.is_due()) {
            return Some((Stage::Due, secret));
        }
        if let Some((secret, _)) = slices().find(|(_, slice)| slice.versions.iter().any(|each| each.owed)) {
            return Some((Stage::Owed, secret));
        }
        self.ordering.map(|_| (Stage::Ordered, SecretId(0)))
    }
}

/// Polls and heartbeats of one node that are tried in each stay in a phase.
pub const ALIKE_MAX: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grid::cell, roles};
    use tumbler_reports::grid::Strike;
    use tumbler_types::Command;
    use tumbler_types::event::LossCause;
    use tumbler_world::{Options, Outcome};

    fn run(plan: &Plan) -> Outcome {
        tumbler_world::run(plan, &roles::role, &Options { keep_trace: true, ..Options::default() })
    }

    fn calm() -> (Plan, Occurrences) {
        let mut plan = tumbler_scenarios::scenario("zombie-rotator").expect("shipped").scenario().plan(0);
        plan.faults.clear();
        let found = Occurrences::of(&plan, &run(&plan).trace);
        (plan, found)
    }

    fn first(outcome: &Outcome, matching: impl Fn(&Event) -> bool) -> Option<&Observed> {
        outcome.trace.iter().find(|observed| matching(&observed.event))
    }

    /// Ordinals are counted as the nemesis counts them: every strike comes at its occurrence.
    #[test]
    fn every_strike_begins_at_the_moment_of_its_occurrence() {
        let (plan, found) = calm();
        assert!(found.taken.len() > 50);
        for occurrence in &found.taken {
            let struck = cell::plan(&plan, occurrence, Strike::CrashedBefore).expect("anybody can crash");
            let outcome = run(&struck);
            let began = first(&outcome, |event| matches!(event, Event::FaultBegan { .. }));
            assert_eq!(began.map(|began| began.at), Some(occurrence.at), "{occurrence:?}");
            let crashed = first(&outcome, |event| matches!(event, Event::Crashed { .. }));
            assert_eq!(crashed.map(|crashed| crashed.node), Some(occurrence.node), "{occurrence:?}");
        }
    }

    /// A call is applied before its caller crashes, and a held one arrives when another has closed.
    #[test]
    fn strikes_do_what_their_columns_say() {
        let (plan, found) = calm();
        let apply = |occurrence: &&Occurrence| {
            matches!(occurrence.deed, Deed::Call { frame: FrameKind::ApplyRequest, .. })
        };
        let occurrence = found.taken.iter().find(apply).expect("a rotation applies something");
        assert_eq!(occurrence.stage, Stage::Open(Phase::Draft));
        let after = cell::plan(&plan, occurrence, Strike::AppliedThenCrashed).expect("it was answered");
        let outcome = run(&after);
        let enforced = first(&outcome, |event| matches!(event, Event::Enforced { .. })).expect("applied");
        let crashed = first(&outcome, |event| matches!(event, Event::Crashed { .. })).expect("crashed");
        assert!(enforced.seq < crashed.seq);
        let lost = |event: &Event| {
            let Event::Lost { to, frame: FrameKind::ApplyReply, cause } = event else { return false };
            (*to, *cause) == (occurrence.node, LossCause::Down)
        };
        assert!(first(&outcome, lost).is_some_and(|lost| crashed.seq < lost.seq));

        let held = cell::plan(&plan, occurrence, Strike::Held).expect("a call can be held");
        let outcome = run(&held);
        let closed = |event: &Event| {
            matches!(event, Event::Committed { command: Command::Advance { to: Phase::Idle, .. }, .. })
        };
        let closed = first(&outcome, closed).expect("the successor closes it");
        let released = first(&outcome, |event| matches!(event, Event::Released { .. })).expect("released");
        let resumed = first(&outcome, |event| matches!(event, Event::Resumed {})).expect("resumed");
        assert!(closed.seq < released.seq && closed.seq < resumed.seq);
        assert_eq!((closed.at, resumed.node), (released.at, occurrence.node));
    }
}
