//! The compilation of one path: run, look where it got, add what the next step needs, run again.

use super::draft::Draft;
use super::evidence::{Cast, agent_of, is_rotators, shows};
use super::{Compiled, End, differ};
use tumbler_plan::{FaultAction, Planted, Until};
use tumbler_spec::Ledger;
use tumbler_spec::machine::{Action, Machine, Packed, State, is_shown};
use tumbler_types::event::{FrameKind, OrderKind};
use tumbler_types::{CallId, Event, FaultId, Instant, NodeId, Observed, RoleKind, SecretId, Span, VersionId};
use tumbler_world::{Options, run};

/// Compiles a path that begins at the machine's initial state.
///
/// # Panics
///
/// If the path is none of this machine.
pub fn realize(machine: &Machine, path: &[Action], planted: Option<Planted>) -> Compiled {
    let limits = machine.limits();
    let takeovers = path.iter().filter(|action| matches!(action, Action::Acquire { .. })).count() as u64;
    let is_used = |action: &Action| matches!(action, Action::HandOut { .. } | Action::Login { .. });
    let workloads = u16::from(path.iter().any(is_used));
    let draft = Draft::new(limits.rotators, limits.agents, workloads, takeovers, planted);
    let mut compiler = Compiler {
        machine,
        state: machine.initial().clone(),
        now: Instant::ZERO,
        held: None,
        applied_at: Instant::ZERO,
        answered_at: Instant::ZERO,
        calls: Vec::new(),
        runs: 0,
        draft,
    };
    for (step, action) in path.iter().enumerate() {
        let (next, _) = machine.apply(&compiler.state, *action).expect("the path is one of the machine");
        if let Err(end) = compiler.take(*action, &next, &path[step + 1..]) {
            return compiler.done(end, step);
        }
        compiler.state = next;
    }
    compiler.done(End::Realized, path.len())
}

pub(super) struct Compiler<'m> {
    pub(super) machine: &'m Machine,
    pub(super) draft: Draft,
    /// Where the path is.
    pub(super) state: State,
    /// When its last step was seen.
    pub(super) now: Instant,
    /// The message that is held.
    pub(super) held: Option<Withheld>,
    /// When the target last did, or said, what the rotator wanted, and when the rotator last heard of it.
    pub(super) applied_at: Instant,
    pub(super) answered_at: Instant,
    /// Calls that were seen leaving: the last one of each kind can still lose its answer.
    pub(super) calls: Vec<Sent>,
    pub(super) runs: u64,
}

#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) call: CallId,
    pub(super) node: NodeId,
    pub(super) frame: FrameKind,
    pub(super) at: Instant,
}

#[derive(Clone, Copy)]
pub(super) struct Withheld {
    pub(super) fault: FaultId,
    pub(super) sent: Instant,
    pub(super) call: Option<CallId>,
}

/// What a probe saw.
enum Seen {
    Taken(Instant),
    Elsewhere {
        differences: Vec<String>,
    },
    /// Somebody did something else first.
    Ahead(Observed),
    Nothing,
}

impl Compiler<'_> {
    pub(super) fn done(self, end: End, realized: usize) -> Compiled {
        let plan = self.draft.plan(self.now.plus(MARGIN), SETTLE);
        Compiled { end, realized, plan, runs: self.runs }
    }

    pub(super) fn probe(&mut self, end: Instant) -> Vec<Observed> {
        self.runs += 1;
        let plan = self.draft.plan(end.plus(Span(1)), Span::ZERO);
        let options = Options { keep_trace: true, judge: false, ..Options::default() };
        let mut trace = run(&plan, &crate::roles::role, &options).trace;
        trace.retain(|observed| observed.at <= end);
        trace
    }

    /// The run's ledger where the path is.
    pub(super) fn ledger(&mut self) -> Ledger {
        let trace = self.probe(self.now);
        let mut ledger = self.fold(&trace);
        // Time passes without events too.
        ledger.now = self.now;
        ledger
    }

    pub(super) fn fold(&self, trace: &[Observed]) -> Ledger {
        let mut ledger = Ledger::new(self.draft.topology());
        trace.iter().for_each(|observed| ledger.fold(observed));
        ledger
    }

    /// What a run can show, of each agent.
    pub(super) fn shown(&self, ledger: &Ledger) -> Vec<Option<Packed>> {
        let epsilon = self.draft.timing().epsilon;
        let agents = 0..usize::from(self.machine.limits().agents);
        agents.map(|agent| self.machine.project(ledger, SecretId(0), agent, epsilon)).collect()
    }

    /// The same of the machine's own state.
    pub(super) fn meant(&self, state: &State) -> Vec<Option<Packed>> {
        let agents = 0..usize::from(self.machine.limits().agents);
        agents.map(|agent| self.machine.project_state(state, agent)).collect()
    }

    pub(super) fn cast(&self, action: Action, ledger: &Ledger) -> Cast {
        let topology = self.draft.topology();
        let holder = ledger.slice(SecretId(0)).and_then(|slice| slice.lease).map(|lease| lease.rotator);
        let rotators: Vec<NodeId> = topology.of_kind(RoleKind::Rotator).collect();
        let first = holder.unwrap_or(rotators[0]);
        let rotator = match action {
            // The machine calls whoever holds the lease the first.
            Action::Acquire { rotator: 1.. } => {
                rotators.iter().copied().find(|rotator| *rotator != first).unwrap_or(first)
            }
            _ => first,
        };
        let agent = ledger.agent_node(usize::from(agent_of(action).unwrap_or(0)));
        let held = self.held.and_then(|held| held.call);
        Cast { rotator, agent, authority: topology.authority(), target: topology.target(), held }
    }

    /// Brings the run one step further along the path.
    pub(super) fn take(&mut self, action: Action, next: &State, rest: &[Action]) -> Result<(), End> {
        let ledger = self.ledger();
        let cast = self.cast(action, &ledger);
        match action {
            Action::Stop { agent } => {
                let end = self.stops(agent, &ledger);
                self.wait(end, next, &ledger, cast, rest)
            }
            Action::ExpireGrant { agent } => {
                let end = self.expires(agent, &ledger);
                self.wait(end, next, &ledger, cast, rest)
            }
            Action::LoseReply { .. } => self.lose_reply(cast),
            // The answer has come, and waits for a rotator that is stopped.
            Action::Query if self.answered_at > self.applied_at => Ok(()),
            Action::Apply if self.is_repetition() => {
                let before = (self.draft.clone(), self.now);
                self.await_step(action, next, rest, &ledger, cast).or_else(|_| {
                    // A rotator that remembers does not repeat itself; the network may.
                    (self.draft, self.now) = before;
                    self.duplicate(cast)
                })
            }
            Action::Store { agent } => {
                self.await_step(action, next, rest, &ledger, cast)?;
                if rest.contains(&Action::HandOut { agent }) {
                    self.offer(cast);
                }
                Ok(())
            }
            _ => self.await_step(action, next, rest, &ledger, cast),
        }
    }

    /// What an agent hands out while it may is no step of the machine. An agent that goes on too long must
    /// have begun, so it is let, if nothing else comes of it.
    fn offer(&mut self, cast: Cast) {
        let before = self.draft.clone();
        let second = Span::from_secs(1);
        let begin = Instant(self.now.plus(second).0 / second.nanos() * second.nanos());
        let ledger = self.ledger();
        for _ in 0..ATTEMPTS {
            let trace = self.probe(begin);
            let Some(ahead) = self.before(&trace, begin, &ledger) else { break };
            if self.prevent(&trace, ahead).is_err() {
                self.draft = before;
                return;
            }
        }
        self.draft.open(cast.agent, begin);
        let trace = self.probe(begin.plus(second));
        let handed = trace.iter().find(|observed| {
            observed.node == cast.agent
                && observed.at >= begin
                && matches!(observed.event, Event::HandedOut { .. })
        });
        match handed {
            Some(handed) => {
                self.now = handed.at;
                self.draft.close(cast.agent, handed.at);
            }
            None => self.draft = before,
        }
    }

    /// Somebody takes the step by itself, once everything is as it needs it.
    pub(super) fn await_step(
        &mut self,
        action: Action,
        next: &State,
        rest: &[Action],
        ledger: &Ledger,
        cast: Cast,
    ) -> Result<(), End> {
        if let Action::Ask { agent } = action {
            self.spread(agent, next, cast, rest)?;
        }
        let begin = self.prepare(action, ledger, cast)?;
        for _ in 0..ATTEMPTS {
            let trace = self.probe(begin.plus(WINDOW));
            match self.look(&trace, action, next, cast, ledger) {
                Seen::Taken(at) => return self.taken(action, at, cast, &trace, rest),
                Seen::Elsewhere { differences } => return Err(End::Diverged { differences }),
                Seen::Ahead(observed) => self.prevent(&trace, observed)?,
                Seen::Nothing => return unrealizable("nobody does it".to_owned()),
            }
        }
        unrealizable("something else comes first, again and again".to_owned())
    }

    /// Lets whoever takes the step go on, and does what the world must do for it. Returns from when on
    /// the step can be expected.
    pub(super) fn prepare(&mut self, action: Action, ledger: &Ledger, cast: Cast) -> Result<Instant, End> {
        let mut at = self.now.plus(GAP);
        let slice = ledger.slice(SecretId(0)).expect("there is one secret");
        match action {
            Action::Acquire { .. } => {
                if let Some(lease) = slice.lease {
                    let over = lease.until.plus(self.draft.timing().epsilon.times(2)).plus(GAP);
                    at = at.max(over.true_instant());
                }
                // Nobody asks for a lease without something to do.
                let is_idle = slice.phase == tumbler_types::Phase::Idle;
                if is_idle && !slice.is_due() && !slice.versions.iter().any(|version| version.owed) {
                    self.draft.order(OrderKind::Rotate, self.now.plus(GAP));
                }
            }
            Action::Begin if !slice.is_due() => self.draft.order(OrderKind::Rotate, at),
            Action::RollBack => self.draft.order(OrderKind::RollBack, at),
            Action::Revoke { version } => {
                let version = Some(VersionId(u32::from(version)));
                let order = match slice {
                    _ if slice.current == version => OrderKind::RevokeCurrent,
                    _ if slice.previous == version => OrderKind::RevokePrevious,
                    _ => OrderKind::RevokePending,
                };
                self.draft.order(order, at);
            }
            Action::Renew { .. } => {
                let agent = u8::try_from(ledger.agent(cast.agent).unwrap_or(0)).expect("the machine has few");
                if let Some(first) = self.oldest(agent, slice) {
                    at = at.max(first.at.plus(Span(first.ttl.nanos() / 2 + GAP.nanos())));
                }
            }
            Action::HoldCall => self.hold(cast.rotator, FrameKind::ApplyRequest, at),
            Action::HoldLetter { .. } => self.hold(cast.agent, FrameKind::HeartbeatRequest, at),
            Action::HoldAdvance => self.hold(cast.rotator, FrameKind::AdvanceRequest, at),
            Action::HoldConfirm { .. } => self.hold(cast.rotator, FrameKind::ConfirmRequest, at),
            Action::Release => {
                let Some(Withheld { fault, sent, .. }) = self.held else {
                    return Err(End::Unrealizable { why: "nothing is held".to_owned() });
                };
                self.draft.release(fault, sent, at);
            }
            Action::CrashRotator => self.draft.crash(cast.rotator, at),
            Action::CrashAgent { .. } => self.draft.crash(cast.agent, at),
            Action::CrashTarget => self.draft.restart(cast.target, at),
            _ => {}
        }
        let is_crash = matches!(action, Action::CrashRotator | Action::CrashAgent { .. });
        if is_rotators(action) && !is_crash {
            self.draft.open(cast.rotator, at);
        }
        let is_agents = matches!(
            action,
            Action::Report { .. }
                | Action::Ask { .. }
                | Action::HoldLetter { .. }
                | Action::Store { .. }
                | Action::Renew { .. }
                | Action::HandOut { .. }
        );
        if is_agents {
            self.draft.open(cast.agent, at);
        }
        Ok(at)
    }

    pub(super) fn hold(&mut self, node: NodeId, frame: FrameKind, at: Instant) {
        let action = FaultAction::Hold { until: Until::After(FOREVER) };
        let fault = self.draft.strike(node, frame, at, action);
        self.held = Some(Withheld { fault, sent: at, call: None });
    }

    /// The target shows what the record asks for: an `Apply` would be a repetition.
    pub(super) fn is_repetition(&self) -> bool {
        let (next, _) = self.machine.step(&self.state, Action::Apply);
        self.meant(&next) == self.meant(&self.state)
    }

    /// Looks for the first thing after `now` that matters.
    fn look(&self, trace: &[Observed], action: Action, next: &State, cast: Cast, before: &Ledger) -> Seen {
        let old = self.shown(before);
        let new = self.meant(next);
        let mut ledger = Ledger::new(self.draft.topology());
        let mut index = 0;
        while index < trace.len() {
            let at = trace[index].at;
            let end = index + trace[index..].iter().take_while(|observed| observed.at == at).count();
            let instant = &trace[index..end];
            index = end;
            let mut is_taken = false;
            let mut other = None;
            for observed in instant {
                ledger.fold(observed);
                if shows(action, &self.state, cast, &ledger, observed) {
                    is_taken = true;
                } else if is_shown(&observed.event) {
                    other = Some(*observed);
                }
            }
            if at <= self.now {
                continue;
            }
            let here = self.shown(&ledger);
            if is_taken {
                if here == new {
                    return Seen::Taken(at);
                }
                // Two things at one instant: the other one is too early.
                if let Some(other) = other {
                    return Seen::Ahead(other);
                }
                return Seen::Elsewhere { differences: self.differences(&new, &here) };
            }
            if here != old && here != new {
                return Seen::Ahead(other.unwrap_or(instant[0]));
            }
        }
        Seen::Nothing
    }

    /// Where the run's state is not the machine's, as seen by the first agent for which it is not.
    pub(super) fn differences(&self, meant: &[Option<Packed>], shown: &[Option<Packed>]) -> Vec<String> {
        let Some((meant, shown)) = meant.iter().zip(shown).find(|(meant, shown)| meant != shown) else {
            return Vec::new();
        };
        match (meant, shown) {
            (Some(meant), Some(shown)) => {
                let (meant, shown) = (self.machine.unpack(meant), self.machine.unpack(shown));
                differ::differences(meant.slice(), shown.slice())
            }
            _ => vec!["the run is in no state of the machine".to_owned()],
        }
    }

    /// The step was seen: everybody who was let go on is stopped again.
    pub(super) fn taken(
        &mut self,
        action: Action,
        at: Instant,
        cast: Cast,
        trace: &[Observed],
        rest: &[Action],
    ) -> Result<(), End> {
        self.now = at;
        self.draft.close(cast.rotator, at);
        self.draft.close(cast.agent, at);
        for observed in trace.iter().filter(|observed| observed.at <= at) {
            let is_answer = matches!(
                observed.event,
                Event::Returned { frame: FrameKind::ApplyReply | FrameKind::QueryReply, .. }
            );
            if is_answer && observed.node == cast.rotator {
                self.answered_at = observed.at;
            }
            if let Event::Called { call, frame, .. } = observed.event {
                let sent = Sent { call, node: observed.node, frame, at: observed.at };
                self.calls.retain(|known| (known.node, known.frame) != (sent.node, sent.frame));
                self.calls.push(sent);
            }
        }
        match action {
            Action::HoldCall => self.note_held(cast.rotator, FrameKind::ApplyRequest),
            Action::HoldLetter { .. } => self.note_held(cast.agent, FrameKind::HeartbeatRequest),
            Action::HoldAdvance => self.note_held(cast.rotator, FrameKind::AdvanceRequest),
            Action::HoldConfirm { .. } => self.note_held(cast.rotator, FrameKind::ConfirmRequest),
            Action::Apply if is_asked_next(rest) => self.applied_at = at,
            // In the machine an answer is a step of its own, which the path has or has not.
            Action::Apply => {
                self.applied_at = at;
                if let Some(sent) = self.last(cast.rotator, FrameKind::ApplyRequest) {
                    self.draft.strike(sent.node, sent.frame, sent.at, FaultAction::LoseReply);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn note_held(&mut self, node: NodeId, frame: FrameKind) {
        if let (Some(sent), Some(held)) = (self.last(node, frame), &mut self.held) {
            held.sent = sent.at;
            held.call = Some(sent.call);
        }
    }

    pub(super) fn last(&self, node: NodeId, frame: FrameKind) -> Option<Sent> {
        self.calls.iter().copied().find(|call| (call.node, call.frame) == (node, frame))
    }

    /// The answer is on its way, or waits at the agent, who is stopped.
    pub(super) fn lose_reply(&mut self, cast: Cast) -> Result<(), End> {
        match self.last(cast.agent, FrameKind::HeartbeatRequest) {
            Some(sent) => {
                self.draft.strike(sent.node, sent.frame, sent.at, FaultAction::LoseReply);
                Ok(())
            }
            None => unrealizable("no heartbeat was seen".to_owned()),
        }
    }

    /// The request that was answered last arrives once more.
    pub(super) fn duplicate(&mut self, cast: Cast) -> Result<(), End> {
        let never = || End::Unrealizable { why: "the code asks before it repeats an effect".to_owned() };
        let sent = self.last(cast.rotator, FrameKind::ApplyRequest).ok_or_else(never)?;
        self.draft.strike(sent.node, sent.frame, sent.at, FaultAction::Duplicate);
        let trace = self.probe(self.now.plus(WINDOW));
        let is_answer = |observed: &&Observed| {
            observed.at >= self.now
                && matches!(observed.event, Event::Replied { frame: FrameKind::ApplyReply, .. })
        };
        // The first answer, if that was the step before, and the second.
        let answers: Vec<Instant> = trace.iter().filter(is_answer).map(|observed| observed.at).collect();
        let is_first = usize::from(answers.first() == Some(&self.now));
        self.now = *answers.get(is_first).ok_or_else(never)?;
        Ok(())
    }
}

/// The next that the path has of the rotator is that it hears the answer.
fn is_asked_next(rest: &[Action]) -> bool {
    rest.iter().find(|action| is_rotators(**action)) == Some(&Action::Query)
}

pub(super) fn unrealizable<T>(why: String) -> Result<T, End> {
    Err(End::Unrealizable { why })
}

/// Between two steps.
pub(super) const GAP: Span = Span(400_000);
/// A step that has not come by then does not come.
pub(super) const WINDOW: Span = Span::from_secs(3);
/// How often something else may be kept from coming first.
pub(super) const ATTEMPTS: u32 = 16;
/// After the path everything is healed, and the system left to itself.
const MARGIN: Span = Span::from_secs(1);
const SETTLE: Span = Span::from_secs(600);
/// A held message waits until it is released.
const FOREVER: Span = Span::from_secs(1 << 20);
