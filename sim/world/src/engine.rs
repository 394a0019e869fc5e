//! The engine: pops the next deadline, turns it into one input for one node, executes the effects.
//!
//! It owns everything but the roles, which live with the driver. All decisions are functions of the
//! plan and of keyed streams; nothing here reads a clock, draws from a shared generator, or depends
//! on the order in which containers iterate.

use crate::call::{Call, Calls};
use crate::link::{Links, checksum_of};
use crate::nemesis::{About, Nemesis};
use crate::node::{Node, State};
use crate::observe::Observer;
use crate::outcome::{Options, Outcome, Panic};
use crate::queue::{Class, Key, Queue};
use crate::realize::Notes;
use crate::recorder::Recorder;
use crate::store::Store;
use std::borrow::Cow;
use tumbler_plan::{DiskHarm, FaultAction, Plan, Planted, Point, Stream, StreamName};
use tumbler_spec::Judges;
use tumbler_types::role::v1::{Effects, Input};
use tumbler_types::{
    CallId, Event, Format, Incarnation, Instant, Mono, NodeId, RoleKind, Span, Tag, TimerId, Verdict,
};

/// What happens at a deadline.
pub enum Due {
    BeginFault(usize),
    EndFault(usize),
    Heal,
    Boot(NodeId),
    /// A pending write of the node's store reached its time.
    Write {
        node: NodeId,
        ordinal: u32,
    },
    /// A lied-about record is really written now.
    LateWrite {
        node: NodeId,
        ordinal: u32,
    },
    /// A waiting input, or the effects that a pause cut off.
    Wake {
        node: NodeId,
        incarnation: Incarnation,
        input: Option<Input>,
    },
    Arrive(Message),
    Timer {
        node: NodeId,
        timer: TimerId,
        ordinal: u32,
        /// On the node's monotonic clock.
        deadline: Mono,
    },
    CallTimeout {
        call: CallId,
        deadline: Mono,
    },
    /// A node that crashes again and again crashes, or starts.
    Turn(usize),
}

/// Bytes in flight.
#[derive(Clone)]
pub struct Message {
    pub from: NodeId,
    pub to: NodeId,
    /// The receiver's incarnation when this left: a connection does not survive a restart.
    pub incarnation: Incarnation,
    pub frame: Vec<u8>,
    pub carries: Carries,
    /// The connection that it travels on.
    pub connection: u32,
    /// Of what was sent, if something has changed it.
    pub checksum: Option<Tag>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    OneWay,
    Request(CallId),
    Reply(CallId),
}

/// The next thing that the driver must do.
pub enum Step {
    /// Nothing for a role: go on.
    Quiet,
    /// Make a fresh role for the node, then hand it this input.
    Boot {
        node: NodeId,
        input: Input,
    },
    Handle {
        node: NodeId,
        input: Input,
    },
    /// The run is over.
    End,
}

pub struct Engine<'p> {
    pub plan: &'p Plan,
    pub now: Instant,
    pub queue: Queue<Due>,
    pub nodes: Vec<Node>,
    pub links: Links,
    pub calls: Calls,
    pub nemesis: Nemesis,
    pub observer: Observer,
    pub recorder: Recorder,
    pub reachable: Vec<bool>,
    /// What each node last said to each other one: format and floor.
    pub spoken: Vec<Option<(Format, Format)>>,
    pub messages: u64,
    /// Nodes that the driver must forget before anything else happens.
    pub crashed: Vec<NodeId>,
    pub panic: Option<Panic>,
    /// None unless asked for.
    pub notes: Option<Notes>,
    until: u64,
}

impl<'p> Engine<'p> {
    pub fn new(plan: &'p Plan, options: &Options) -> Self {
        let judges =
            options.judge.then(|| Judges::new(&plan.topology, &plan.timing, &plan.bounds, plan.canaries));
        let judges = judges.map(|judges| judges.breaking(&plan.broken()));
        let mut nodes: Vec<Node> = plan
            .topology
            .nodes()
            .map(|id| {
                let (kind, _) = plan.topology.kind(id).expect("ids come from the topology");
                let offset =
                    plan.offsets.iter().find(|offset| offset.node == id).map_or(0, |offset| offset.nanos);
                Node::new(
                    id,
                    kind,
                    Store::new(plan.seed, plan.entity(id), plan.planted),
                    plan.build(id),
                    offset,
                )
            })
            .collect();
        let mut recorder = Recorder::new(judges, options);
        let mut observer = Observer::new(plan);
        observer.genesis(plan, &mut nodes, &mut recorder);
        for fault in &plan.faults {
            let goes_back = |harm| matches!(harm, DiskHarm::Lie | DiskHarm::Restore { .. });
            if let FaultAction::Disk { node, harm, until: _ } = fault.action
                && goes_back(harm)
            {
                nodes[usize::from(node.0)].store.remember();
            }
        }
        let mut engine = Engine {
            plan,
            now: Instant::ZERO,
            queue: Queue::new(),
            nodes,
            links: Links::new(plan),
            calls: Calls::new(plan.topology.node_count()),
            nemesis: Nemesis::new(&plan.faults),
            observer,
            recorder,
            reachable: vec![false; usize::from(plan.topology.node_count())],
            spoken: vec![None; usize::from(plan.topology.node_count()).pow(2)],
            messages: 0,
            crashed: Vec::new(),
            panic: None,
            notes: options.realize.then(Notes::default),
            until: options.until.unwrap_or(u64::MAX),
        };
        engine.arm();
        engine
    }

    /// Puts the plan's fixed deadlines into the queue.
    fn arm(&mut self) {
        for node in self.plan.topology.nodes() {
            self.queue.push(Instant::ZERO, Key::new(Class::Boot, u32::from(node.0), 0), Due::Boot(node));
        }
        for (index, at) in self.nemesis.timed() {
            if at < self.plan.heal_at {
                let entity = u32::from(self.plan.faults[index].id.0);
                self.queue.push(at, Key::new(Class::Nemesis, entity, 0), Due::BeginFault(index));
            }
        }
        // After every fault id, so that a fault that begins at `heal_at` is already refused.
        self.queue.push(self.plan.heal_at, Key::new(Class::Nemesis, u32::from(u16::MAX) + 1, 0), Due::Heal);
    }

    pub fn node(&self, node: NodeId) -> &Node {
        &self.nodes[usize::from(node.0)]
    }

    pub fn node_mut(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(node.0)]
    }

    pub fn record(&mut self, node: NodeId, event: Event) {
        self.recorder.record(self.now, node, event);
    }

    /// Advances to the next deadline and says what the driver must do for it.
    pub fn step(&mut self) -> Step {
        if self.panic.is_some() || self.recorder.events() > self.until {
            return Step::End;
        }
        let Some((at, due)) = self.queue.pop() else { return Step::End };
        assert!(at >= self.now, "the queue never goes backward");
        if at > self.plan.end_at {
            self.now = self.plan.end_at;
            return Step::End;
        }
        self.now = at;
        match due {
            Due::BeginFault(index) => {
                self.begin_fault(index, None);
                Step::Quiet
            }
            Due::EndFault(index) => {
                self.end_fault(index);
                Step::Quiet
            }
            Due::Heal => {
                self.heal();
                Step::Quiet
            }
            Due::Boot(node) => self.boot(node),
            Due::Write { node, ordinal } => self.write_due(node, ordinal),
            Due::LateWrite { node, ordinal } => {
                self.late_write(node, ordinal);
                Step::Quiet
            }
            Due::Wake { node, incarnation, input } => self.wake(node, incarnation, input),
            Due::Arrive(message) => self.arrive(message),
            Due::Turn(index) => {
                self.turn(index);
                Step::Quiet
            }
            Due::Timer { node, timer, ordinal, deadline } => {
                if !self.node(node).is_armed(timer, ordinal) {
                    return Step::Quiet;
                }
                let key = Key::new(Class::Timer, u32::from(node.0), ordinal);
                if self.put_off(node, key, deadline, || Due::Timer { node, timer, ordinal, deadline }) {
                    return Step::Quiet;
                }
                self.offer(node, Input::Timer { timer })
            }
            Due::CallTimeout { call, deadline } => {
                let caller = self.calls.get(call).caller;
                let key = Calls::timeout_key(call);
                let due = || Due::CallTimeout { call, deadline };
                if !self.calls.get(call).done && self.put_off(caller, key, deadline, due) {
                    return Step::Quiet;
                }
                self.call_timeout(call)
            }
        }
    }

    /// Hands an input to a node that runs; at a starved one it waits in line.
    pub fn offer(&mut self, id: NodeId, input: Input) -> Step {
        let Some(turn) = self.line_up(id) else { return self.hand(id, input) };
        let node = self.node_mut(id);
        let (incarnation, ordinal) = (node.incarnation, node.wake_ordinal);
        node.wake_ordinal += 1;
        let key = Key::new(Class::Wake, u32::from(id.0), ordinal);
        self.queue.push(turn, key, Due::Wake { node: id, incarnation, input: Some(input) });
        Step::Quiet
    }

    /// A place in a starved node's line; none if the node has none.
    pub fn line_up(&mut self, id: NodeId) -> Option<Instant> {
        let now = self.now;
        let node = self.node_mut(id);
        let turn = node.process.busy_until.max(now).plus(node.process.lag);
        if turn <= now || node.state == State::Down {
            return None;
        }
        node.process.busy_until = turn;
        Some(turn)
    }

    /// Hands an input to a node that runs, or lets it wait at a paused one.
    pub fn hand(&mut self, node: NodeId, input: Input) -> Step {
        match self.node(node).state {
            State::Down => Step::Quiet,
            State::Paused => {
                self.node_mut(node).waiting.push_back(input);
                Step::Quiet
            }
            State::Up => {
                if let Input::Timer { timer } = &input {
                    self.record(node, Event::TimerFired { timer: *timer });
                }
                Step::Handle { node, input }
            }
        }
    }

    fn boot(&mut self, id: NodeId) -> Step {
        if self.node(id).state != State::Down {
            return Step::Quiet;
        }
        let now = self.now;
        let node = self.node_mut(id);
        node.state = State::Up;
        node.incarnation = node.incarnation.next();
        node.clocks.boot(now);
        node.disk.has_stopped = false;
        let (incarnation, kind, offset) = (node.incarnation, node.kind, node.clocks.offset);
        let mounted = node.store.mount();
        self.record(id, Event::Started { incarnation });
        let Some((disk, log)) = mounted else {
            self.stop(id);
            return Step::Quiet;
        };
        if incarnation == Incarnation(1) {
            if offset != 0 {
                self.record(id, Event::ClockSet { offset });
            }
        } else {
            self.observer.recovered(id, kind, &self.nodes[usize::from(id.0)].store, now, &mut self.recorder);
        }
        self.update_reachability();
        let mut entropy = Stream::new(
            self.plan.seed,
            StreamName::Entropy,
            (u32::from(self.plan.entity(id).0), incarnation.0),
            0,
        );
        Step::Boot { node: id, input: Input::Boot { disk, log, entropy: entropy.bytes() } }
    }

    /// A deadline on a node's monotonic clock came. True if the node sleeps, or its clock does not show
    /// the deadline yet, because it slept or is slow: then it comes later, by as much.
    fn put_off(&mut self, id: NodeId, key: Key, deadline: Mono, due: impl Fn() -> Due) -> bool {
        let now = self.now;
        let node = self.node_mut(id);
        if node.clocks.asleep_since.is_some() {
            node.overslept.push((key, due()));
            return true;
        }
        let left = node.clocks.until(now, deadline);
        if left > Span::ZERO {
            self.queue.push(now.plus(left), key, due());
            return true;
        }
        false
    }

    /// The plan as the node knows it: with the periods of its own configuration.
    pub fn configured(&self, id: NodeId) -> Cow<'p, Plan> {
        let Some(period) = self.node(id).process.period else { return Cow::Borrowed(self.plan) };
        let mut plan = self.plan.clone();
        (plan.timing.heartbeat, plan.timing.poll) = (period, period);
        Cow::Owned(plan)
    }

    fn wake(&mut self, id: NodeId, incarnation: Incarnation, input: Option<Input>) -> Step {
        if self.node(id).incarnation != incarnation {
            return Step::Quiet;
        }
        match input {
            Some(input) => self.hand(id, input),
            None => {
                if self.node(id).is_running() {
                    let suspended: Effects =
                        std::mem::take(&mut self.node_mut(id).suspended).into_iter().collect();
                    self.execute(id, suspended);
                }
                Step::Quiet
            }
        }
    }

    fn arrive(&mut self, message: Message) -> Step {
        let Message { from, to, incarnation, frame, carries, connection, checksum } = message;
        let kind = tumbler_wire::envelope::kind_of(&frame);
        let lost = if self.links.is_cut(from, to) {
            Some(tumbler_types::event::LossCause::Cut)
        } else if self.node(to).state == State::Down || self.node(to).incarnation != incarnation {
            Some(tumbler_types::event::LossCause::Down)
        } else if self.links.connection(from, to) != connection {
            Some(tumbler_types::event::LossCause::Reset)
        } else if checksum.is_some_and(|checksum| checksum_of(&frame) != checksum)
            && !self.is_planted(Planted::HostSkipsChecksum)
        {
            Some(tumbler_types::event::LossCause::Corrupted)
        } else {
            None
        };
        if let Some(cause) = lost {
            self.record(to, Event::Lost { to, frame: kind, cause });
            return Step::Quiet;
        }
        match carries {
            Carries::OneWay => {
                let tag = self.observer.frame_tag(&frame);
                self.record(to, Event::Received { from, frame: kind, tag });
                self.observer.received(to, self.node(to).kind, &frame, self.now, &mut self.recorder);
                self.offer_message(to, kind, from, Input::Received { from, frame })
            }
            Carries::Request(call) => {
                self.record(to, Event::CallArrived { call, from, frame: kind });
                let token = Calls::token(call);
                self.offer_message(to, kind, from, Input::Called { call: token, from, frame })
            }
            Carries::Reply(call) => {
                let Some(token) = self.calls.complete(call) else { return Step::Quiet };
                self.record(to, Event::Returned { call, from, frame: kind });
                self.offer(to, Input::Returned { token, frame })
            }
        }
    }

    /// Offers an input whose handling is a point that faults may wait for.
    fn offer_message(
        &mut self,
        to: NodeId,
        kind: tumbler_types::event::FrameKind,
        from: NodeId,
        input: Input,
    ) -> Step {
        self.nemesis.handling = Some((to, kind, from));
        self.offer(to, input)
    }

    fn call_timeout(&mut self, call: CallId) -> Step {
        let Call { caller, callee, .. } = *self.calls.get(call);
        match self.calls.complete(call) {
            Some(token) => {
                if self.links.redial(caller, callee) {
                    self.update_reachability();
                }
                self.record(caller, Event::CallUnknown { call, to: callee });
                self.offer(caller, Input::Unknown { token })
            }
            None => Step::Quiet,
        }
    }

    /// After a role handled a message: the `Handled` point, now that its effects are executed.
    pub fn handled(&mut self) {
        if let Some((node, kind, from)) = self.nemesis.handling.take() {
            let about = About { peer: Some(from), step: None };
            self.at_point(node, Point::Handled(kind), about, None);
        }
    }

    /// The step gave the driver nothing to do: a message that waits at a paused node is not handled.
    pub fn nothing_handled(&mut self) {
        self.nemesis.handling = None;
    }

    /// Ends the run because a role panicked.
    pub fn role_panicked(&mut self, node: NodeId, message: String) {
        let incarnation = self.node(node).incarnation;
        self.record(node, Event::Panicked { incarnation });
        self.panic = Some(Panic { node, seq: self.recorder.events() - 1, at: self.now, message });
    }

    pub fn is_planted(&self, planted: Planted) -> bool {
        self.plan.planted == Some(planted)
    }

    pub fn of_kind(&self, kind: RoleKind) -> impl Iterator<Item = NodeId> + use<> {
        self.plan.topology.of_kind(kind)
    }

    pub fn into_outcome(self) -> Outcome {
        let events = self.recorder.events();
        let (chain, judges, trace) = self.recorder.into_parts();
        let (digest, checkpoints) = chain.finish();
        let judgement = judges.map(|judges| {
            let mut judgement = judges.finish(self.now);
            if self.panic.is_some() && judgement.verdict.severity() < Verdict::Crashed.severity() {
                judgement.verdict = Verdict::Crashed;
            }
            judgement
        });
        Outcome {
            digest,
            checkpoints,
            events,
            messages: self.messages,
            end_at: self.now,
            fired: self.nemesis.fired,
            judgement,
            panic: self.panic,
            trace,
            realized: self.notes.map_or(Vec::new(), Notes::into_realized),
        }
    }
}
