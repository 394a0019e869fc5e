//! What each step changes: it emits the events that a run would show, and folds them.

use super::{
    Action, Held, Machine, Mark, Mutation, NOW, Property, Request, SECRET, State, live, now_wall, stopped,
};
use crate::ledger::Report;
use crate::rule::Effect;
use tumbler_types::event::Refusal;
use tumbler_types::{
    Cause, Command, Epoch, Event, NodeId, Observed, Phase, Step, Tag, TxnId, VersionId, Wall,
};

impl Machine {
    /// The state after a step, and the marks that it reached. None if nobody could take it.
    pub fn apply(&self, state: &State, action: Action) -> Option<(State, u64)> {
        let mut enabled = Vec::with_capacity(24);
        self.enabled(state, &mut enabled);
        enabled.contains(&action).then(|| self.step(state, action))
    }

    /// The state after a step that is known to be enabled, and the marks that it reached.
    pub fn step(&self, state: &State, action: Action) -> (State, u64) {
        let mut next = state.clone();
        let (marks, _) = self.step_into(state, action, &mut next);
        (next, marks)
    }

    /// The same into a state that exists, which saves every allocation; whatever it was before. Returns the
    /// marks, and whether the step led elsewhere: many only look, and break nothing.
    pub fn step_into(&self, state: &State, action: Action, next: &mut State) -> (u64, bool) {
        next.clone_from(state);
        let mut run = Run { machine: self, state: next, marks: 0 };
        run.take(action);
        let marks = run.marks;
        if self.only_looks(state, action) && next.broken == state.broken {
            return (marks, false);
        }
        if next.confirmed && self.wanted(next) != self.wanted(state) {
            next.confirmed = false;
        }
        next.canonize(self.keeps_dead());
        next.broken |= self.judge_state(next);
        (marks, true)
    }

    /// A flaw gives meaning to what would otherwise be dead.
    fn keeps_dead(&self) -> bool {
        [Mutation::ServeExpired, Mutation::RecordStale, Mutation::CompareReread]
            .iter()
            .any(|mutation| self.is(*mutation))
    }

    /// Rotators are alike, and renamed: marks of a step that leads where the one offered just before it
    /// leads. None: it is not such a step.
    pub fn alias(&self, state: &State, action: Action) -> Option<u64> {
        let is_alias = matches!(action, Action::Acquire { rotator: 1.. });
        is_alias.then(|| takeover(state, action))
    }

    /// A step that changes nothing, unless it breaks something.
    fn only_looks(&self, state: &State, action: Action) -> bool {
        match action {
            Action::HandOut { .. } | Action::Login { .. } => true,
            Action::CrashRotator => !state.confirmed,
            Action::CrashTarget => !self.is(Mutation::TargetForgets),
            _ => false,
        }
    }

    /// What the record asks for, whoever holds the lease.
    fn wanted(&self, state: &State) -> Option<(TxnId, Step)> {
        self.effect(state).map(|effect| (effect.fence.txn, effect.fence.step))
    }
}

/// Another rotator acquires the lease while a rotation is open.
fn takeover(state: &State, action: Action) -> u64 {
    let (slice, Action::Acquire { rotator }) = (state.slice(), action) else { return 0 };
    let is_other = slice.lease.is_some_and(|lease| lease.rotator != NodeId(1 + u16::from(rotator)));
    if is_other && slice.phase != Phase::Idle { Mark::TakeoverInRotation.bit() } else { 0 }
}

/// One step under way.
struct Run<'a> {
    machine: &'a Machine,
    state: &'a mut State,
    marks: u64,
}

impl Run<'_> {
    fn take(&mut self, action: Action) {
        match action {
            Action::Acquire { rotator } => self.acquire(rotator),
            Action::Begin => self.begin(),
            Action::Advance => self.advance(self.epoch()),
            Action::ConfirmRefused { version } => {
                self.confirm_refused(self.epoch(), VersionId(u32::from(version)));
                self.state.confirmed = false;
            }
            Action::RollBack => self.roll_back(),
            Action::Revoke { version } => self.revoke(VersionId(u32::from(version))),
            Action::Apply => self.apply(),
            Action::HoldCall => {
                self.state.held = self.machine.effect(self.state).map(Held::Call);
                self.state.zombies += 1;
            }
            Action::Query => self.state.confirmed = true,
            Action::Report { agent } => self.report(agent),
            Action::Ask { agent } => {
                self.heartbeat(agent, None);
                let reply = self.grant(agent);
                self.state.replies[usize::from(agent)] = Some(reply);
            }
            Action::HoldLetter { agent } => {
                self.heartbeat(agent, None);
                let letter = self.machine.letter(self.state, agent);
                self.state.held = Some(Held::Letter { agent, letter });
                self.state.zombies += 1;
            }
            Action::HoldAdvance => {
                let from = self.state.slice().phase;
                self.hold_request(Request::Advance { from });
            }
            Action::HoldConfirm { version } => {
                self.hold_request(Request::ConfirmRefused { version: VersionId(u32::from(version)) });
            }
            Action::Release => self.release(),
            Action::LoseReply { agent } => self.state.replies[usize::from(agent)] = None,
            Action::Store { agent } => self.store(agent),
            Action::Renew { agent } => self.renew(agent),
            Action::Stop { agent } => {
                self.state.slice_mut().holders[usize::from(agent)].stored.until = stopped();
            }
            Action::ExpireGrant { agent } => self.expire_grant(agent),
            Action::CrashRotator => {
                self.crash();
                self.state.confirmed = false;
            }
            Action::CrashTarget => {
                self.crash();
                let (fence, [blue, mut green]) = (self.state.slice().fence, self.state.slice().accepted);
                if self.machine.is(Mutation::TargetForgets) {
                    green = Tag::NONE;
                }
                self.at_target(Event::TargetRecovered { secret: SECRET, fence, blue, green });
            }
            Action::CrashAgent { agent } => {
                self.crash();
                self.state.replies[usize::from(agent)] = None;
                let stored = self.state.holder(agent).stored;
                let (version, serial) = (stored.version, stored.serial);
                self.at_agent(agent, Event::AgentRecovered { secret: SECRET, version, serial });
            }
            Action::HandOut { agent } => {
                let version = self.state.holder(agent).stored.version;
                let value = self.state.slice().version(version).map_or(Tag::NONE, |each| each.value);
                self.mark(Mark::RevokedHandedOutInTime);
                self.at_agent(agent, Event::HandedOut { secret: SECRET, version, value, to: NodeId::WORLD });
            }
            Action::Login { version } => self.login(VersionId(u32::from(version))),
        }
    }

    // The record.

    fn acquire(&mut self, rotator: u8) {
        self.marks |= takeover(self.state, Action::Acquire { rotator });
        let rotator = NodeId(1 + u16::from(rotator));
        let epoch = self.epoch().next();
        self.commit(Command::AcquireLease { rotator, epoch, until: live() });
        if let Some(lease) = &mut self.state.slice_mut().lease {
            // Its end is not modelled: whoever acquires next does so after it.
            lease.until = Wall::ZERO;
        }
        self.state.confirmed = false;
    }

    fn begin(&mut self) {
        if !self.state.slice().is_due() {
            self.commit(Command::OrderRotation {});
        }
        let slice = self.state.slice();
        let version = VersionId(slice.txn.0 + 2);
        let current = slice.current.and_then(|current| slice.version(current));
        let principal = current.expect("a secret at rest has a current version").principal.other();
        let cause = if slice.ordered { Cause::Order } else { Cause::Revoked };
        let (epoch, txn, value) = (self.epoch(), slice.txn.next(), Tag(u64::from(version.0)));
        self.commit(Command::Begin { epoch, txn, version, principal, value, cause });
    }

    fn confirm_refused(&mut self, epoch: Epoch, version: VersionId) {
        self.commit(Command::ConfirmRefused { epoch, version });
        self.mark(Mark::DebtConfirmed);
    }

    fn advance(&mut self, epoch: Epoch) {
        let slice = self.state.slice();
        let (from, txn) = (slice.phase, slice.txn);
        let to = match from {
            Phase::Draft => Phase::Staged,
            Phase::Staged => Phase::Canary,
            Phase::Canary => Phase::Promote,
            Phase::Promote => Phase::Drain,
            Phase::Drain => Phase::Retire,
            Phase::Revert => Phase::Discard,
            Phase::Retire | Phase::Discard | Phase::Idle => Phase::Idle,
        };
        match from {
            Phase::Retire => self.mark(Mark::RotationPromoted),
            Phase::Discard => self.mark(Mark::RotationRolledBack),
            Phase::Idle
            | Phase::Draft
            | Phase::Staged
            | Phase::Canary
            | Phase::Promote
            | Phase::Drain
            | Phase::Revert => {}
        }
        self.commit(Command::Advance { epoch, txn, from, to });
    }

    fn roll_back(&mut self) {
        let slice = self.state.slice();
        let txn = slice.txn;
        if let Some(mark) = Mark::roll_back_from(slice.phase) {
            self.mark(mark);
        }
        self.commit(Command::RollBack { txn });
        if self.machine.is(Mutation::ForgetDebts) {
            self.state.slice_mut().versions.iter_mut().for_each(|each| each.owed = false);
        }
    }

    fn revoke(&mut self, version: VersionId) {
        let slice = self.state.slice();
        let serial = slice.serial.next();
        match slice.phase {
            Phase::Canary => self.mark(Mark::RevokedInCanary),
            Phase::Drain => self.mark(Mark::RevokedInDrain),
            Phase::Idle => self.mark(Mark::RevokedAtRest),
            Phase::Draft
            | Phase::Staged
            | Phase::Promote
            | Phase::Retire
            | Phase::Revert
            | Phase::Discard => {}
        }
        self.commit(Command::Revoke { version, serial });
    }

    fn commit(&mut self, command: Command) {
        let index = self.state.ledger.length.next();
        let expected = self.state.slice().revision;
        let legal = self.machine.rules.allow_command(&self.state.ledger, SECRET, now_wall(), &command);
        self.judge_legal(legal.is_ok());
        self.emit(NodeId(0), Event::Committed { index, at: now_wall(), secret: SECRET, expected, command });
    }

    // The target.

    /// A flawed rotator generates again; the record's value is another one then.
    fn generated(&self, effect: Effect) -> Effect {
        let again = self.machine.is(Mutation::RegenerateOnUnknown)
            && effect.fence.step == Step::Set
            && self.state.slice().applied.iter().any(|(txn, _)| *txn == effect.fence.txn);
        if again { Effect { value: Tag(effect.value.0 + 8), ..effect } } else { effect }
    }

    fn apply(&mut self) {
        let Some(effect) = self.machine.effect(self.state).map(|effect| self.generated(effect)) else {
            return;
        };
        let is_repeat = self.state.slice().fence == Some(effect.fence);
        if is_repeat || self.machine.is(Mutation::PromiseEarly) {
            self.at_target(Event::Promised { secret: SECRET, fence: effect.fence });
        }
        self.arrive(effect);
    }

    /// A request at the target: a lower fence is refused, an equal one is answered from the record.
    fn arrive(&mut self, effect: Effect) -> bool {
        let Effect { fence, principal, value } = effect;
        let last = self.state.slice().fence;
        let again = self.machine.is(Mutation::IgnoreFence) || self.machine.is(Mutation::RepeatEnforced);
        if last == Some(fence) && !again {
            self.mark(Mark::RepeatAnswered);
            return true;
        }
        let again = last == Some(fence) && again;
        let is_enforced = Some(fence) > last || again || self.machine.is(Mutation::IgnoreFence);
        if is_enforced {
            self.at_target(Event::Enforced { secret: SECRET, fence, principal, value });
        }
        is_enforced
    }

    fn login(&mut self, version: VersionId) {
        let Some(each) = self.state.slice().version(version) else { return };
        let (principal, value) = (each.principal, each.value);
        if self.state.slice().is_accepted(version) {
            self.at_target(Event::Authenticated { secret: SECRET, principal, value });
        } else {
            let reason = Refusal::WrongValue;
            self.mark(Mark::RevokedLoginRefused);
            self.at_target(Event::Refused { secret: SECRET, principal, value, reason });
        }
    }

    // Delivery.

    /// The agent reports its durable record; a flawed one, what it is about to store.
    fn heartbeat(&mut self, agent: u8, coming: Option<Report>) -> Report {
        let stored = self.state.holder(agent).stored;
        let report = coming.unwrap_or(Report { version: stored.version, serial: stored.serial });
        let Report { version, serial } = report;
        let legal = self.machine.rules.allow_report(self.state.holder(agent), report);
        self.judge_legal(legal.is_ok());
        self.at_agent(agent, Event::Acknowledged { secret: SECRET, version, serial });
        report
    }

    fn report(&mut self, agent: u8) {
        let coming = self.state.replies[usize::from(agent)];
        let report = self.heartbeat(agent, coming);
        if report.version.0 != 0 {
            self.acknowledge(agent, report);
        }
    }

    fn acknowledge(&mut self, agent: u8, report: Report) {
        let Report { version, serial } = report;
        let serial = serial.max(self.state.holder(agent).acknowledged.serial);
        self.commit(Command::Acknowledge {
            agent: self.state.ledger.agent_node(usize::from(agent)),
            version,
            serial,
        });
        self.outdate(agent, |other| other != version);
    }

    /// Grants what the agent should hold, if it needs to, and tells what to answer.
    fn grant(&mut self, agent: u8) -> Report {
        let slice = self.state.slice();
        let serial = slice.serial;
        let wanted = self.machine.given(slice, agent);
        let Some(version) = wanted.filter(|version| self.machine.may_give(self.state, *version)) else {
            return Report { version: VersionId(0), serial };
        };
        let holder = self.state.holder(agent);
        let has = holder.grant(version).is_some_and(|grant| !grant.ended);
        // Near its end a grant is given anew, and the agent's record is of none any more.
        let is_late = holder.stored.version == version && holder.stored.until == stopped();
        if has && is_late {
            self.half_over(agent, version);
        }
        if !has || is_late {
            let agent_node = self.state.ledger.agent_node(usize::from(agent));
            self.commit(Command::Grant { agent: agent_node, version, until: live() });
            self.outdate(agent, |other| other == version);
        }
        Report { version, serial }
    }

    fn store(&mut self, agent: u8) {
        let Some(Report { version, serial }) = self.state.replies[usize::from(agent)].take() else {
            return;
        };
        let holder = self.state.holder(agent);
        let until = holder.grant(version).map_or(Wall::ZERO, |grant| grant.until);
        let stored = crate::ledger::Stored { version, serial, until };
        if stored == holder.stored {
            return;
        }
        let legal = self.machine.rules.allow_store(self.state.slice(), holder, stored);
        let is_over = version.0 != 0 && holder.grant(version).is_none();
        self.judge_legal(legal.is_ok() || is_over);
        self.at_agent(agent, Event::Stored { secret: SECRET, version, serial, until });
    }

    fn renew(&mut self, agent: u8) {
        let version = self.state.holder(agent).grants[0].version;
        self.half_over(agent, version);
        let agent = self.state.ledger.agent_node(usize::from(agent));
        self.commit(Command::Grant { agent, version, until: live() });
    }

    /// Half of a grant's life has passed: a new one is due. A record that has ended is of the old one.
    fn half_over(&mut self, agent: u8, version: VersionId) {
        let holder = &mut self.state.slice_mut().holders[usize::from(agent)];
        for grant in holder.grants.iter_mut().filter(|grant| grant.version == version) {
            grant.until = now_wall();
        }
        let stored = &mut holder.stored;
        if stored.version == version && stored.until == stopped() {
            stored.until = Wall::ZERO;
        }
    }

    fn expire_grant(&mut self, agent: u8) {
        if self.state.slice().phase == Phase::Drain {
            self.mark(Mark::GrantExpiredInDrain);
        }
        let holder = &mut self.state.slice_mut().holders[usize::from(agent)];
        let version = holder.grants.remove(0).version;
        if holder.stored.version == version && holder.stored.until == stopped() {
            holder.stored.until = Wall::ZERO;
        }
        self.outdate(agent, |other| other == version);
    }

    fn hold_request(&mut self, request: Request) {
        self.state.held = Some(Held::Request { epoch: self.epoch(), request });
        self.state.zombies += 1;
    }

    /// The authority judges a request by its own record: it sees no target.
    fn receive(&mut self, epoch: Epoch, request: Request) {
        let slice = self.state.slice();
        let is_holder = slice.lease.is_some_and(|lease| lease.epoch == epoch);
        if !is_holder && !self.machine.is(Mutation::CompareReread) {
            return;
        }
        match request {
            Request::Advance { from } if slice.phase == from && self.machine.record_allows(slice) => {
                self.mark(Mark::LateRequestTaken);
                self.advance(epoch);
            }
            Request::ConfirmRefused { version } if slice.is_owed(version) => {
                self.mark(Mark::LateRequestTaken);
                self.confirm_refused(epoch, version);
            }
            Request::Advance { .. } | Request::ConfirmRefused { .. } => {}
        }
    }

    fn release(&mut self) {
        match self.state.held.take() {
            None => {}
            Some(Held::Call(effect)) => {
                let before = self.state.slice().fence;
                if self.arrive(effect) && self.state.slice().fence != before {
                    self.mark(Mark::LateCallEnforced);
                } else {
                    self.mark(Mark::LateCallRefused);
                }
            }
            Some(Held::Request { epoch, request }) => self.receive(epoch, request),
            Some(Held::Letter { agent, letter }) => {
                if self.machine.records(self.state, agent, letter) {
                    self.mark(Mark::LateReportRecorded);
                    self.acknowledge(agent, letter.report);
                } else {
                    self.mark(Mark::LateReportIgnored);
                }
                // The agent has given this heartbeat up: nobody hears the answer.
                let _ = self.grant(agent);
            }
        }
    }

    /// A held letter that names a grant of these versions speaks of one that is no longer on record.
    fn outdate(&mut self, agent: u8, is_concerned: impl Fn(VersionId) -> bool) {
        if let Some(Held::Letter { agent: sender, letter }) = &mut self.state.held
            && *sender == agent
        {
            letter.is_fresh &= !is_concerned(letter.report.version);
        }
    }

    // Everyone.

    fn crash(&mut self) {
        self.mark(Mark::crash_in(self.state.slice().phase));
    }

    fn epoch(&self) -> Epoch {
        self.state.slice().lease.map_or(Epoch(0), |lease| lease.epoch)
    }

    fn mark(&mut self, mark: Mark) {
        self.marks |= mark.bit();
    }

    fn judge_legal(&mut self, is_legal: bool) {
        if !is_legal {
            self.state.broken |= Property::TransitionsLegal.bit();
        }
    }

    fn at_target(&mut self, event: Event) {
        let target = self.state.ledger.target();
        self.emit(target, event);
    }

    fn at_agent(&mut self, agent: u8, event: Event) {
        let node = self.state.ledger.agent_node(usize::from(agent));
        self.emit(node, event);
    }

    /// Judges the event as a run's judge would, and folds it.
    fn emit(&mut self, node: NodeId, event: Event) {
        let observed = Observed { seq: 0, at: NOW, node, event };
        self.state.broken |= self.machine.judge_before(self.state, &observed);
        self.state.ledger.fold(&observed);
        self.state.broken |= self.machine.judge_after(self.state, &observed);
    }
}
