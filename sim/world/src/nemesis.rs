//! The nemesis: executes the plan's faults. It draws nothing; it only looks things up.

use crate::call::Calls;
use crate::engine::{Due, Engine, Message};
use crate::node::State;
use crate::queue::{Class, Key};
use std::collections::BTreeMap;
use tumbler_plan::{DiskHarm, Fault, FaultAction, Pattern, Point, Trigger, Until};
use tumbler_types::event::FrameKind;
use tumbler_types::{Build, Event, FaultId, Instant, NodeId, Span, Step};

/// What stands at a point, so that a fault knows whether it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Message,
    Call,
    Write,
    /// A log entry; only what concerns the whole node applies to it.
    Entry,
}

/// What is known of a point beside its node: see [`Pattern`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct About {
    pub peer: Option<NodeId>,
    pub step: Option<Step>,
}

/// What faults do to the subject of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    pub lose: bool,
    pub lose_reply: bool,
    pub fails: bool,
    pub tears: bool,
    pub doubles: bool,
    pub strips: bool,
    /// Held by the fault with this index.
    pub hold: Option<usize>,
}

/// A fault that waits for a point.
struct Armed {
    index: usize,
    pattern: Pattern,
    left: u32,
    after: Instant,
}

struct Held {
    latency: Span,
    key: Key,
    message: Message,
}

/// State of the plan's faults in a run.
pub struct Nemesis {
    timed: Vec<(usize, Instant)>,
    armed: Vec<Armed>,
    /// Standing faults that end at a point, and how many more times it has to come.
    endings: Vec<(usize, Pattern, u32)>,
    /// Some pattern names a step, so that requests have to be read.
    watches_steps: bool,
    standing: Vec<bool>,
    /// How often each fault has turned, where it does.
    turns: Vec<u32>,
    held: BTreeMap<usize, Held>,
    healed: bool,
    pub fired: Vec<FaultId>,
    /// The message whose handling is in progress: by whom, of what kind, from whom.
    pub handling: Option<(NodeId, FrameKind, NodeId)>,
}

impl Nemesis {
    pub fn new(faults: &[Fault]) -> Self {
        let mut timed = Vec::new();
        let mut armed = Vec::new();
        for (index, fault) in faults.iter().enumerate() {
            match fault.trigger {
                Trigger::At(at) => timed.push((index, at)),
                Trigger::On { pattern, nth, after } => {
                    armed.push(Armed { index, pattern, left: nth.max(1), after });
                }
            }
        }
        Nemesis {
            timed,
            armed,
            endings: Vec::new(),
            watches_steps: faults.iter().any(names_step),
            standing: vec![false; faults.len()],
            turns: vec![0; faults.len()],
            held: BTreeMap::new(),
            healed: false,
            fired: Vec::new(),
            handling: None,
        }
    }

    pub fn timed(&self) -> Vec<(usize, Instant)> {
        self.timed.clone()
    }

    pub fn hold(&mut self, index: usize, latency: Span, key: Key, message: Message) {
        self.held.insert(index, Held { latency, key, message });
    }

    pub fn is_standing(&self, index: usize) -> bool {
        self.standing[index]
    }

    /// Tie ordinal of a fault's next turn: after its beginning and its end.
    pub fn next_turn(&mut self, index: usize) -> u32 {
        self.turns[index] += 1;
        self.turns[index] + 1
    }

    pub fn watches(&self) -> bool {
        !self.armed.is_empty() || !self.endings.is_empty()
    }

    pub const fn watches_steps(&self) -> bool {
        self.watches_steps
    }

    /// Standing faults that this point ends.
    fn ended_by(&mut self, node: NodeId, point: Point, about: About) -> Vec<usize> {
        let mut ended = Vec::new();
        for (index, pattern, left) in &mut self.endings {
            if matches(pattern, node, point, about) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    ended.push(*index);
                }
            }
        }
        ended
    }

    /// Armed faults whose turn this point is; each is disarmed.
    fn begun_by(&mut self, now: Instant, node: NodeId, point: Point, about: About) -> Vec<usize> {
        let mut begun = Vec::new();
        self.armed.retain_mut(|armed| {
            if now < armed.after || !matches(&armed.pattern, node, point, about) {
                return true;
            }
            armed.left -= 1;
            if armed.left == 0 {
                begun.push(armed.index);
            }
            armed.left > 0
        });
        begun
    }
}

fn matches(pattern: &Pattern, at: NodeId, here: Point, about: About) -> bool {
    let Pattern { point, node, peer, step } = *pattern;
    point == here
        && node.is_none_or(|wanted| wanted == at)
        && (peer.is_none() || peer == about.peer)
        && (step.is_none() || step == about.step)
}

fn names_step(fault: &Fault) -> bool {
    let begins = match fault.trigger {
        Trigger::At(_) => None,
        Trigger::On { pattern, .. } => pattern.step,
    };
    let ends = match fault.action.until() {
        Some(Until::On { pattern, .. }) => pattern.step,
        Some(Until::After(_)) | None => None,
    };
    begins.or(ends).is_some()
}

impl Engine<'_> {
    /// A point was reached: ends and begins the faults that wait for it.
    pub fn at_point(
        &mut self,
        node: NodeId,
        point: Point,
        about: About,
        subject: Option<Subject>,
    ) -> Disposition {
        let mut disposition = Disposition::default();
        if !self.nemesis.watches() {
            return disposition;
        }
        for index in self.nemesis.ended_by(node, point, about) {
            self.end_fault(index);
        }
        let now = self.now;
        for index in self.nemesis.begun_by(now, node, point, about) {
            let other = self.begin_fault(index, subject);
            disposition.lose |= other.lose;
            disposition.lose_reply |= other.lose_reply;
            disposition.fails |= other.fails;
            disposition.tears |= other.tears;
            disposition.doubles |= other.doubles;
            disposition.strips |= other.strips;
            disposition.hold = disposition.hold.or(other.hold);
        }
        disposition
    }

    /// Begins a fault, if it applies: a crash of a node that is down does not.
    pub fn begin_fault(&mut self, index: usize, subject: Option<Subject>) -> Disposition {
        let mut disposition = Disposition::default();
        let plan = self.plan;
        let fault = &plan.faults[index];
        if self.nemesis.healed || !self.applies(&fault.action, subject) {
            return disposition;
        }
        self.nemesis.fired.push(fault.id);
        self.record(NodeId::WORLD, Event::FaultBegan { fault: fault.id, kind: fault.action.kind() });
        match &fault.action {
            FaultAction::Partition { left, right, symmetric, until: _ } => self.cut(left, right, *symmetric),
            FaultAction::Crash { node, until: _ } => self.crash(*node),
            FaultAction::Pause { node, until: _ } => {
                self.node_mut(*node).state = State::Paused;
                self.record(*node, Event::Paused {});
            }
            FaultAction::ClockStep { node, offset_nanos, until: _ } => self.set_clock(*node, *offset_nanos),
            FaultAction::Hold { until: _ } => disposition.hold = Some(index),
            FaultAction::LoseReply => disposition.lose_reply = true,
            FaultAction::LoseRequest => disposition.lose = true,
            FaultAction::FailPersist => disposition.fails = true,
            FaultAction::Duplicate => disposition.doubles = true,
            FaultAction::Redeploy { node, build, until: _ } => {
                self.crash(*node);
                self.node_mut(*node).build = *build;
            }
            FaultAction::Strip => disposition.strips = true,
            FaultAction::Suspend { nodes, until: _ } => nodes.iter().for_each(|node| self.suspend(*node)),
            FaultAction::Disk { node, harm, until: _ } => {
                disposition.tears = *harm == DiskHarm::Torn;
                self.harm_disk(*node, fault.id, *harm);
            }
            FaultAction::Clock { node, harm, until: _ } => self.harm_clock(*node, *harm),
            FaultAction::Process { node, harm, until: _ } => self.harm_process(*node, index, *harm),
            FaultAction::Link { left, right, symmetric, harm, until: _ } => {
                for (from, to) in directed(left, right, *symmetric) {
                    self.links.harm(from, to, fault.id, *harm);
                }
            }
            FaultAction::Reset { left, right } => self.reset(left, right),
        }
        match fault.action.until() {
            Some(until) => self.stand(index, until),
            None => {
                self.record(NodeId::WORLD, Event::FaultEnded { fault: fault.id, kind: fault.action.kind() });
            }
        }
        self.update_reachability();
        disposition
    }

    fn applies(&self, action: &FaultAction, subject: Option<Subject>) -> bool {
        match action {
            FaultAction::Partition { .. } | FaultAction::Link { .. } | FaultAction::Reset { .. } => true,
            FaultAction::ClockStep { node, .. } => !self.node(*node).clocks.is_harmed(),
            FaultAction::Clock { node, .. } => self.node(*node).clocks.is_right(),
            FaultAction::Disk { node, harm, .. } => {
                let is_write = matches!(subject, Some(Subject::Write | Subject::Entry));
                self.disk_applies(*node, *harm, is_write)
            }
            FaultAction::Process { node, harm, .. } => self.process_applies(*node, *harm),
            FaultAction::Crash { node, .. } | FaultAction::Redeploy { node, .. } => {
                self.node(*node).state != State::Down
            }
            FaultAction::Pause { node, .. } => self.node(*node).state == State::Up,
            FaultAction::Suspend { nodes, .. } => {
                nodes.iter().any(|node| self.node(*node).state == State::Up)
            }
            FaultAction::Hold { .. }
            | FaultAction::LoseRequest
            | FaultAction::Duplicate
            | FaultAction::Strip => {
                matches!(subject, Some(Subject::Message | Subject::Call))
            }
            FaultAction::LoseReply => subject == Some(Subject::Call),
            FaultAction::FailPersist => subject == Some(Subject::Write),
        }
    }

    fn stand(&mut self, index: usize, until: Until) {
        self.nemesis.standing[index] = true;
        let span = match until {
            Until::After(span) => span,
            Until::On { pattern, nth, at_most } => {
                self.nemesis.endings.push((index, pattern, nth));
                at_most
            }
        };
        let end = self.now.plus(span);
        if end < self.plan.heal_at {
            let entity = u32::from(self.plan.faults[index].id.0);
            self.queue.push(end, Key::new(Class::Nemesis, entity, 1), Due::EndFault(index));
        }
    }

    /// Ends a standing fault.
    pub fn end_fault(&mut self, index: usize) {
        if !std::mem::replace(&mut self.nemesis.standing[index], false) {
            return;
        }
        self.nemesis.endings.retain(|(other, ..)| *other != index);
        let plan = self.plan;
        let fault = &plan.faults[index];
        match &fault.action {
            FaultAction::Partition { left, right, symmetric, .. } => self.mend(left, right, *symmetric),
            FaultAction::Crash { node, .. } | FaultAction::Redeploy { node, .. } => {
                let incarnation = self.node(*node).incarnation;
                let key = Key::new(Class::Boot, u32::from(node.0), incarnation.0);
                self.queue.push(self.now, key, Due::Boot(*node));
            }
            FaultAction::Pause { node, .. } => self.resume(*node),
            FaultAction::Suspend { nodes, .. } => nodes.iter().for_each(|node| self.rouse(*node)),
            FaultAction::ClockStep { node, .. } => {
                let base = self.node(*node).clocks.offset_base;
                self.set_clock(*node, base);
            }
            FaultAction::Disk { node, harm, .. } => self.heal_disk(*node, *harm),
            FaultAction::Clock { node, .. } => self.heal_clock(*node),
            FaultAction::Process { node, harm, .. } => self.heal_process(*node, *harm),
            FaultAction::Link { left, right, symmetric, .. } => {
                for (from, to) in directed(left, right, *symmetric) {
                    self.links.heal(from, to, fault.id);
                }
            }
            FaultAction::Hold { .. } => self.release(index),
            FaultAction::LoseReply
            | FaultAction::LoseRequest
            | FaultAction::FailPersist
            | FaultAction::Duplicate
            | FaultAction::Strip
            | FaultAction::Reset { .. } => {
                unreachable!("faults of an instant never stand")
            }
        }
        self.record(NodeId::WORLD, Event::FaultEnded { fault: fault.id, kind: fault.action.kind() });
        self.update_reachability();
    }

    /// The fault phase is over: everything that stands ends, in plan order.
    pub fn heal(&mut self) {
        self.nemesis.healed = true;
        self.nemesis.armed.clear();
        for index in 0..self.nemesis.standing.len() {
            self.end_fault(index);
        }
        self.give_builds_back();
    }

    /// What cannot take part as it is gets the build back that the plan began with, or the oldest one
    /// that speaks the floor.
    fn give_builds_back(&mut self) {
        let floor = self.observer.floor();
        for index in 0..self.nodes.len() {
            let id = self.nodes[index].id;
            if self.nodes[index].build.highest() >= floor {
                continue;
            }
            let speaks = |build: &Build| build.highest() >= floor;
            let begun = Some(self.plan.build(id)).filter(speaks);
            let Some(build) = begun.or_else(|| Build::ALL.into_iter().find(speaks)) else { continue };
            if self.nodes[index].state != State::Down {
                self.crash(id);
            }
            self.node_mut(id).build = build;
            let incarnation = self.node(id).incarnation;
            let key = Key::new(Class::Boot, u32::from(id.0), incarnation.0);
            self.queue.push(self.now, key, Due::Boot(id));
        }
        self.update_reachability();
    }

    fn cut(&mut self, left: &[NodeId], right: &[NodeId], symmetric: bool) {
        directed(left, right, symmetric).for_each(|(from, to)| self.links.cut(from, to));
    }

    fn mend(&mut self, left: &[NodeId], right: &[NodeId], symmetric: bool) {
        directed(left, right, symmetric).for_each(|(from, to)| self.links.mend(from, to));
    }

    /// Breaks connections. Who waits for an answer hears of it at once, unless nothing reaches it.
    fn reset(&mut self, left: &[NodeId], right: &[NodeId]) {
        for (caller, callee) in directed(left, right, true) {
            self.links.reset(caller, callee);
            if self.links.is_cut(callee, caller) || self.node(caller).state == State::Down {
                continue;
            }
            let now = self.node(caller).clocks.mono(self.now);
            for call in self.calls.open(caller, callee) {
                let due = Due::CallTimeout { call, deadline: now };
                self.queue.push(self.now, Calls::timeout_key(call), due);
            }
        }
    }

    fn set_clock(&mut self, id: NodeId, offset: i64) {
        self.node_mut(id).clocks.offset = offset;
        self.record(id, Event::ClockSet { offset });
    }

    pub fn crash(&mut self, id: NodeId) {
        self.forget_speech(id);
        let survival = self.survival(id);
        let node = self.node_mut(id);
        let incarnation = node.incarnation;
        node.forget();
        let survivors = node.store.crash(survival);
        let lies_since = node.disk.lies_since;
        self.calls.abandon(id);
        self.crashed.push(id);
        self.record(id, Event::Crashed { incarnation });
        for pending in survivors {
            self.keep(id, pending);
        }
        if let Some(since) = lies_since {
            self.node_mut(id).store.go_back(since);
            self.reread(id);
        }
    }

    fn resume(&mut self, id: NodeId) {
        let now = self.now;
        let node = self.node_mut(id);
        if node.state != State::Paused {
            return;
        }
        node.state = State::Up;
        let incarnation = node.incarnation;
        let waiting = std::mem::take(&mut node.waiting);
        let first = node.wake_ordinal;
        let count = u32::try_from(waiting.len()).expect("few inputs wait") + 1;
        node.wake_ordinal += count;
        self.record(id, Event::Resumed {});
        let inputs = std::iter::once(None).chain(waiting.into_iter().map(Some));
        for (input, ordinal) in inputs.zip(first..) {
            let key = Key::new(Class::Wake, u32::from(id.0), ordinal);
            self.queue.push(now, key, Due::Wake { node: id, incarnation, input });
        }
    }

    fn suspend(&mut self, id: NodeId) {
        let now = self.now;
        let node = self.node_mut(id);
        if node.state == State::Up {
            node.state = State::Paused;
            node.clocks.asleep_since = Some(now);
            self.record(id, Event::Paused {});
        }
    }

    /// Ends a node's sleep, unless it has crashed since. Its monotonic clock goes on where it stopped.
    fn rouse(&mut self, id: NodeId) {
        let now = self.now;
        let node = self.node_mut(id);
        let Some(since) = node.clocks.asleep_since.take() else { return };
        node.clocks.slept = node.clocks.slept.plus(now.since(since));
        for (key, due) in std::mem::take(&mut node.overslept) {
            let (Due::Timer { deadline, .. } | Due::CallTimeout { deadline, .. }) = due else {
                unreachable!("only deadlines on a monotonic clock are overslept")
            };
            let left = self.node(id).clocks.until(now, deadline);
            self.queue.push(now.plus(left), key, due);
        }
        self.resume(id);
    }

    fn release(&mut self, index: usize) {
        let Some(Held { latency, key, message }) = self.nemesis.held.remove(&index) else { return };
        let frame = tumbler_wire::envelope::kind_of(&message.frame);
        self.record(message.from, Event::Released { to: message.to, frame });
        self.queue.push(self.now.plus(latency), key, Due::Arrive(message));
    }

    /// Recomputes every node's path and records what changed; see [`Event::Reachable`].
    pub fn update_reachability(&mut self) {
        use tumbler_types::RoleKind;
        let authority = self.plan.topology.authority();
        let target = self.plan.topology.target();
        // A node whose build does not speak the floor takes no part, whether or not it runs.
        let floor = self.observer.floor();
        let takes_part = |engine: &Self, node: NodeId| {
            let node = engine.node(node);
            node.is_running() && node.hindrances == 0 && node.build.highest() >= floor
        };
        let authority_up = takes_part(self, authority);
        let path = |engine: &Self, node: NodeId| {
            authority_up && takes_part(engine, node) && engine.links.is_open_both_ways(node, authority)
        };
        let target_open = takes_part(self, target)
            && self
                .of_kind(RoleKind::Rotator)
                .any(|rotator| path(self, rotator) && self.links.is_open_both_ways(rotator, target));
        for index in 0..self.nodes.len() {
            let (id, kind) = (self.nodes[index].id, self.nodes[index].kind);
            let open = match kind {
                RoleKind::Agent | RoleKind::Rotator => path(self, id),
                RoleKind::Target => target_open,
                RoleKind::Replica => target_open && takes_part(self, id),
                RoleKind::Authority | RoleKind::Workload | RoleKind::Operator => continue,
            };
            if std::mem::replace(&mut self.reachable[index], open) != open {
                self.record(id, if open { Event::Reachable {} } else { Event::Unreachable {} });
            }
        }
    }
}

/// All links from one group to the other, or both ways.
fn directed<'a>(
    left: &'a [NodeId],
    right: &'a [NodeId],
    symmetric: bool,
) -> impl Iterator<Item = (NodeId, NodeId)> + 'a {
    let both = move |(from, to)| [Some((from, to)), symmetric.then_some((to, from))].into_iter().flatten();
    pairs(left, right).flat_map(both)
}

/// All pairs of different nodes.
fn pairs<'a>(left: &'a [NodeId], right: &'a [NodeId]) -> impl Iterator<Item = (NodeId, NodeId)> + 'a {
    left.iter().flat_map(move |from| right.iter().map(move |to| (*from, *to))).filter(|(from, to)| from != to)
}
