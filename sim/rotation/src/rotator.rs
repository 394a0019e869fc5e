//! The rotator: moves rotations along, under a lease, one call at a time.
//!
//! Written as one function from the authority's record to the next call (`next_call`). Nothing
//! that a crash could lose is needed: phase, value and debts are in the record, and what it
//! remembers between two calls only spares it repetitions. A refused command waits for the next
//! poll; an unknown outcome is queried, and the same effect repeated with the same fence.
//!
//! What it deliberately does not do: trust its lease at the target. The fence there decides.
//!
//! Upholds `applied-once`, `revoked-refused`.

mod keys;

use crate::guard::next_phase;
use crate::settings::Settings;
use tumbler_types::event::{OrderKind, Refusal};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{
    Enforcement, Epoch, Fence, Mono, NodeId, Phase, Principal, SecretId, SecretValue, Span, Step, Tag,
    TimerId, Token, TxnId,
};
use tumbler_wire::frame::{
    AdvanceRequest, ApplyRequest, BeginRequest, ConfirmRequest, LeaseRequest, LoginReply, LoginRequest,
    OrderRequest, QueryRequest, ReadRequest,
};
use tumbler_wire::tag::{minted, value_tag};
use tumbler_wire::{Frame, Labeled, Record};

pub struct Rotator {
    settings: Settings,
    entropy: [u8; 32],
    desks: Vec<Desk>,
    tokens: u64,
    minted: u64,
}

/// One secret at this rotator. All of it volatile.
struct Desk {
    secret: SecretId,
    waiting: Option<Waiting>,
    lease: Option<Lease>,
    progress: Option<Progress>,
    /// The value for a rotation whose `Begin` was not confirmed: a repetition carries the same one.
    value: Option<(TxnId, SecretValue)>,
    record: Option<Record>,
    /// A rotation whose pending version was seen to have other privileges than the current one.
    unequal: Option<TxnId>,
    /// What is known of the open attempt at having a key minted.
    minting: Option<keys::Minting>,
    /// A key that the target was seen to accept, and that the record does not want there.
    surplus: Option<Tag>,
    /// Calls to the target in a row that got no answer.
    unheard: u32,
    /// Until then the lease is left to somebody whom the target may hear.
    back_until: Option<Mono>,
}

/// The lease as this rotator knows it, on its own monotonic clock.
#[derive(Clone, Copy)]
struct Lease {
    epoch: Epoch,
    until: Mono,
}

/// How far the effect under `fence` is known to have come.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Progress {
    fence: Fence,
    phase: Phase,
    stage: Stage,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The outcome of the effect is unknown.
    InDoubt,
    /// The target was seen not to have it.
    Missing,
    /// The target has it; so many verifiers were seen to agree.
    Applied { verifiers: usize },
}

/// The one call that is out.
#[derive(Clone)]
struct Waiting {
    token: Token,
    sent: Mono,
    call: Call,
}

/// What a rotator can ask for, apart from the bytes.
#[derive(Clone)]
enum Call {
    Record,
    Apply {
        progress: Progress,
    },
    Query {
        progress: Progress,
        principal: Principal,
        expected: Tag,
    },
    /// A login that must succeed, or must be refused.
    Login {
        progress: Progress,
        accepted: bool,
    },
    /// One of the calls that a target which mints keys knows besides.
    Key(keys::KeyCall),
}

/// The next call: its meaning, where to, and the request.
struct Next {
    call: Call,
    to: NodeId,
    frame: Frame,
}

/// An effect at the target that the record makes necessary.
struct Wanted<'r> {
    step: Step,
    /// What the principal gets; nothing closes it.
    written: Option<&'r Labeled>,
    /// The version by which it is seen to have come everywhere; it lives in that principal.
    seen: &'r Labeled,
    /// Whether that version must be accepted then, or refused.
    accepted: bool,
    /// The effect answers a revocation, and is followed by closing its debt.
    settles: bool,
}

impl Rotator {
    pub fn new(settings: Settings) -> Self {
        let desk = |secret| Desk {
            secret,
            waiting: None,
            lease: None,
            progress: None,
            value: None,
            record: None,
            unequal: None,
            minting: None,
            surplus: None,
            unheard: 0,
            back_until: None,
        };
        Rotator {
            desks: settings.topology.secrets().map(desk).collect(),
            settings,
            entropy: [0; 32],
            tokens: 0,
            minted: 0,
        }
    }

    fn handle_timer(&mut self, now: Now, timer: TimerId, effects: &mut Effects) {
        let Ok(index) = usize::try_from(timer.0) else { return };
        effects.push(Effect::SetTimer { timer, after: self.settings.timing.poll });
        let Some(desk) = self.desks.get(index) else { return };
        if desk.waiting.is_none() {
            let frame = ReadRequest { secret: desk.secret }.into();
            let to = self.settings.topology.authority();
            self.call(now, index, Next { call: Call::Record, to, frame }, effects);
        }
    }

    fn call(&mut self, now: Now, index: usize, next: Next, effects: &mut Effects) {
        self.tokens += 1;
        let token = Token(self.tokens);
        let Next { call, to, frame } = next;
        self.desks[index].waiting = Some(Waiting { token, sent: now.mono, call });
        let timeout = self.settings.timing.call_timeout;
        effects.push(Effect::Call { token, to, frame: frame.to_bytes(), timeout });
    }

    /// Takes the call with this token out, with its desk.
    fn take(&mut self, token: Token) -> Option<(usize, Waiting)> {
        let index =
            self.desks.iter().position(|desk| desk.waiting.as_ref().is_some_and(|out| out.token == token))?;
        self.desks[index].waiting.take().map(|waiting| (index, waiting))
    }

    fn handle_returned(&mut self, now: Now, token: Token, bytes: &[u8], effects: &mut Effects) {
        let Some((index, Waiting { token: _, sent, call })) = self.take(token) else { return };
        if asks_target(&call) {
            self.desks[index].unheard = 0;
        }
        // An answer that does not parse, or does not fit, leaves everything to the next poll.
        let Ok(frame) = Frame::from_bytes(bytes) else { return };
        let goes_on = match (call, frame) {
            (Call::Record, Frame::RecordReply(reply)) => {
                self.learn(index, sent, reply.record);
                reply.done
            }
            (Call::Apply { progress }, Frame::ApplyReply(reply)) => {
                // Where the last write wins, another one may have come since: only looking tells.
                let stage = match self.settings.topology.adapter.enforcement {
                    Enforcement::Fenced => Stage::Applied { verifiers: 0 },
                    Enforcement::LastWriteWins => Stage::InDoubt,
                };
                self.desks[index].progress = reply.applied.then_some(Progress { stage, ..progress });
                reply.applied
            }
            (Call::Key(call), frame) => self.handle_key(index, sent, call, frame),
            (Call::Query { progress, .. }, Frame::QueryReply(reply))
                if self.settings.topology.adapter.is_minting() =>
            {
                self.look(index, progress, &reply);
                true
            }
            (Call::Query { progress, principal, expected }, Frame::QueryReply(reply)) => {
                let value = if principal == Principal::Blue { reply.blue } else { reply.green };
                let is_fenced = match self.settings.topology.adapter.enforcement {
                    Enforcement::Fenced => reply.fence.map(Fence::from) == Some(progress.fence),
                    Enforcement::LastWriteWins => true,
                };
                let stage = if is_fenced && value == expected {
                    Stage::Applied { verifiers: 0 }
                } else {
                    Stage::Missing
                };
                self.desks[index].progress = Some(Progress { stage, ..progress });
                true
            }
            (Call::Login { progress, accepted }, Frame::LoginReply(reply)) => {
                // A verifier that has closed itself, being out of touch, uses no version at all.
                let is_equal = self.is_equal(index, progress.fence.step, &reply);
                if !is_equal {
                    self.desks[index].unequal = Some(progress.fence.txn);
                }
                let is_hoped = reply.refusal == Some(Refusal::Stale) || reply.refusal.is_none() == accepted;
                let agrees = is_hoped && is_equal;
                self.count_verifier(index, progress, agrees);
                agrees
            }
            _ => false,
        };
        if goes_on {
            self.proceed(now, index, effects);
        }
    }

    /// A login that works is not enough: the pending version must be able to do what the current one
    /// can. One principal has one set, and nothing to compare it with; nor has a closed one.
    fn is_equal(&self, index: usize, step: Step, reply: &LoginReply) -> bool {
        let has_other = self.desks[index].record.as_ref().is_some_and(has_current);
        let is_compared = step == Step::Set && reply.refusal.is_none() && has_other;
        !is_compared || self.settings.topology.adapter.is_single() || reply.blue == reply.green
    }

    fn learn(&mut self, index: usize, sent: Mono, record: Record) {
        let me = self.settings.me;
        let desk = &mut self.desks[index];
        desk.lease = (record.holder == me && record.epoch > Epoch(0))
            .then(|| Lease { epoch: record.epoch, until: sent.plus(record.lease_left) });
        // What was seen during a quarantine may be overwritten until it ends.
        let was_quiet = desk.record.as_ref().is_none_or(|known| known.quarantine_left == Span::ZERO);
        if !was_quiet || record.quarantine_left > Span::ZERO {
            desk.progress = None;
        }
        if desk.value.as_ref().is_some_and(|(txn, _)| *txn <= record.txn) {
            desk.value = None;
        }
        desk.record = Some(record);
    }

    fn count_verifier(&mut self, index: usize, progress: Progress, agrees: bool) {
        let Stage::Applied { verifiers } = progress.stage else { return };
        let stage = if agrees {
            Stage::Applied { verifiers: verifiers + 1 }
        } else {
            Stage::Applied { verifiers: 0 }
        };
        self.desks[index].progress = Some(Progress { stage, ..progress });
    }

    fn handle_unknown(&mut self, now: Now, token: Token, effects: &mut Effects) {
        let Some((index, Waiting { token: _, sent: _, call })) = self.take(token) else { return };
        if asks_target(&call) {
            self.stand_back(now, index);
        }
        match call {
            Call::Apply { progress } => {
                self.desks[index].progress = Some(Progress { stage: Stage::InDoubt, ..progress });
                self.proceed(now, index, effects);
            }
            Call::Key(call) => {
                if self.doubt_key(index, &call) {
                    self.proceed(now, index, effects);
                }
            }
            // A replica that does not answer serves nobody that could be waited for.
            Call::Login { progress, .. } if progress.stage != (Stage::Applied { verifiers: 0 }) => {
                self.count_verifier(index, progress, true);
                self.proceed(now, index, effects);
            }
            Call::Record | Call::Query { .. } | Call::Login { .. } => {}
        }
    }

    /// A holder whom the target does not hear would renew its lease for ever, and keep away the one
    /// whom it hears: after a few calls in vain it lets the lease end, and waits until somebody else
    /// had his chance.
    fn stand_back(&mut self, now: Now, index: usize) {
        let timing = &self.settings.timing;
        let chance = timing.lease_ttl.plus(timing.epsilon.times(2)).plus(timing.poll.times(2));
        let desk = &mut self.desks[index];
        desk.unheard += 1;
        if desk.unheard == UNHEARD_MAX && self.settings.topology.rotators > 1 {
            desk.unheard = 0;
            desk.back_until = Some(now.mono.plus(chance));
        }
    }

    /// Does what the record asks for next, if anything.
    fn proceed(&mut self, now: Now, index: usize, effects: &mut Effects) {
        let Some(record) = self.desks[index].record.clone() else { return };
        if let Some(next) = self.next_call(now, index, &record) {
            self.call(now, index, next, effects);
        }
    }

    /// Record → next call.
    fn next_call(&mut self, now: Now, index: usize, record: &Record) -> Option<Next> {
        if record.phase == Phase::Idle && !record.due && record.owed.is_empty() {
            return None;
        }
        if self.desks[index].back_until.is_some_and(|until| now.mono < until) {
            return None;
        }
        let Some(lease) = self.desks[index].lease.filter(|lease| self.is_safe(now, *lease)) else {
            let is_free = record.lease_left == Span::ZERO || record.holder == self.settings.me;
            return is_free.then(|| self.ask_lease(now, record));
        };
        let half = Span(self.settings.timing.lease_ttl.nanos() / 2);
        if lease.until.since(now.mono) < half {
            return Some(self.ask_lease(now, record));
        }
        let is_unequal = record.phase == Phase::Draft && self.desks[index].unequal == Some(record.txn);
        if is_unequal && has_current(record) || wants_rollback(record) {
            let (secret, txn) = (record.secret, Some(record.txn));
            return Some(self.ask(OrderRequest { secret, order: OrderKind::RollBack, txn }.into()));
        }
        let is_quiet = record.quarantine_left == Span::ZERO;
        if self.is_unfilled(record) {
            return Some(self.next_for_key(index, lease.epoch, record));
        }
        if let Some(wanted) = self.wanted(record) {
            if wanted.step == Step::Set && !is_quiet {
                return None;
            }
            if let Some(next) = self.next_at_target(index, lease.epoch, record, &wanted) {
                return Some(next);
            }
            // Until then its own `Set` may come late, and undo what closes the transaction.
            if matches!(record.phase, Phase::Retire | Phase::Discard) && !is_quiet {
                return None;
            }
        }
        self.next_command(index, lease.epoch, record)
    }

    /// Two call time-outs are left: whatever leaves now is answered, or unknown, before the end.
    fn is_safe(&self, now: Now, lease: Lease) -> bool {
        now.mono.plus(self.settings.timing.call_timeout.times(2)) < lease.until
    }

    /// A request that was held until its caller has given up must not tie up the lease.
    fn ask_lease(&self, now: Now, record: &Record) -> Next {
        let latest = Some(now.wall.plus(self.settings.timing.call_timeout));
        self.ask(LeaseRequest { secret: record.secret, latest }.into())
    }

    fn ask(&self, frame: Frame) -> Next {
        Next { call: Call::Record, to: self.settings.topology.authority(), frame }
    }

    fn wanted<'r>(&self, record: &'r Record) -> Option<Wanted<'r>> {
        if self.settings.topology.adapter.is_single() { wanted_of_one(record) } else { wanted_of_two(record) }
    }

    /// The next call for an effect: apply, or query a doubtful one, then look at every verifier.
    fn next_at_target(
        &self,
        index: usize,
        epoch: Epoch,
        record: &Record,
        wanted: &Wanted<'_>,
    ) -> Option<Next> {
        let Wanted { step, written, seen, accepted, settles: _ } = *wanted;
        let Labeled { version: _, principal, value } = seen;
        let fence = Fence { epoch, txn: record.txn, step };
        let secret = record.secret;
        let fresh = Progress { fence, phase: record.phase, stage: Stage::InDoubt };
        let known =
            self.desks[index].progress.filter(|known| known.fence == fence && known.phase == record.phase);
        let target = self.settings.topology.target();
        let unknown = match self.settings.topology.adapter.enforcement {
            Enforcement::Fenced => Stage::Missing,
            Enforcement::LastWriteWins => Stage::InDoubt,
        };
        let is_minting = self.settings.topology.adapter.is_minting();
        let (call, to, frame) = match known.map_or(unknown, |known| known.stage) {
            Stage::Missing if is_minting => return Some(self.next_for_surplus(index, record, fresh)),
            Stage::Missing => {
                let value = written.map_or(SecretValue::new(Vec::new()), |version| version.value.clone());
                let apply = ApplyRequest { secret, fence: fence.into(), principal: *principal, value };
                (Call::Apply { progress: fresh }, target, apply.into())
            }
            Stage::InDoubt => {
                let expected = written.map_or(Tag::NONE, |version| value_tag(&version.value));
                let call = Call::Query { progress: fresh, principal: *principal, expected };
                (call, target, QueryRequest { secret }.into())
            }
            // A key that was never told is no one's to try.
            Stage::Applied { .. } if value.is_empty() => return None,
            stage @ Stage::Applied { verifiers } => {
                let to = self.settings.verifiers().get(verifiers).copied()?;
                let login = LoginRequest { secret, principal: *principal, value: value.clone() };
                (Call::Login { progress: Progress { stage, ..fresh }, accepted }, to, Frame::from(login))
            }
        };
        Some(Next { call, to, frame })
    }

    /// The next command, once the target shows what the record asks for.
    fn next_command(&mut self, index: usize, epoch: Epoch, record: &Record) -> Option<Next> {
        let secret = record.secret;
        if let Some(version) = self.wanted(record).filter(|wanted| wanted.settles).map(|wanted| wanted.seen) {
            let confirm = ConfirmRequest { secret, epoch: Some(epoch), version: version.version };
            return Some(self.ask(confirm.into()));
        }
        if record.phase == Phase::Idle {
            return self.begin(index, epoch, record);
        }
        let (from, to) = (record.phase, next_phase(record.phase)?);
        let advance = AdvanceRequest { secret, epoch, txn: record.txn, from, to };
        record.ready.then(|| self.ask(advance.into()))
    }

    fn begin(&mut self, index: usize, epoch: Epoch, record: &Record) -> Option<Next> {
        let current = record.current.as_ref().filter(|_| record.due)?;
        let (txn, version) = (record.txn.next(), record.version_last.next());
        let value = match self.desks[index].value.clone() {
            _ if self.settings.topology.adapter.is_minting() => SecretValue::new(Vec::new()),
            Some((minted, value)) if minted == txn => value,
            Some(_) | None => self.mint(),
        };
        self.desks[index].value = Some((txn, value.clone()));
        let principal = self.settings.next_principal(current.principal);
        let begin = BeginRequest { secret: record.secret, epoch, txn, version, principal, value };
        Some(self.ask(begin.into()))
    }

    /// 128 fresh bits from this incarnation's entropy.
    fn mint(&mut self) -> SecretValue {
        let value = minted(&self.entropy, self.minted);
        self.minted += 1;
        value
    }
}

/// The effect that the record makes necessary at a target with two principals, if any.
fn wanted_of_two(record: &Record) -> Option<Wanted<'_>> {
    let owed = |version: &Option<Labeled>| version.as_ref().is_some_and(|v| record.owed.contains(&v.version));
    let (step, version) = match record.phase {
        Phase::Idle if owed(&record.current) => (Step::DisableCurrent, &record.current),
        Phase::Idle => return None,
        Phase::Draft => (Step::Set, &record.pending),
        Phase::Staged | Phase::Canary if owed(&record.current) => (Step::DisablePrevious, &record.current),
        Phase::Staged | Phase::Canary => return None,
        Phase::Promote | Phase::Drain if owed(&record.previous) => (Step::DisablePrevious, &record.previous),
        Phase::Promote | Phase::Drain => return None,
        Phase::Retire => (Step::Retire, &record.previous),
        // Holders of the abandoned version may take a grant's life to drain: a revocation of the
        // version that was returned to does not wait for them.
        Phase::Revert if owed(&record.current) => (Step::DisablePrevious, &record.current),
        Phase::Revert => return None,
        Phase::Discard => (Step::Discard, &record.pending),
    };
    let seen = version.as_ref()?;
    let (written, accepted) = if step == Step::Set { (Some(seen), true) } else { (None, false) };
    let settles = matches!(step, Step::DisablePrevious | Step::DisableCurrent);
    Some(Wanted { step, written, seen, accepted, settles })
}

/// The same where all versions share one principal: what ends one version is that another is
/// written, and every step writes the same value whenever it is taken in its transaction.
fn wanted_of_one(record: &Record) -> Option<Wanted<'_>> {
    let Record { current, previous, pending, .. } = record;
    let owed = |version: &Option<Labeled>| version.as_ref().is_some_and(|v| record.owed.contains(&v.version));
    let is_lost = current.as_ref().is_some_and(|current| record.is_revoked(current.version));
    let (step, written, seen, accepted) = match record.phase {
        Phase::Idle if owed(current) => (Step::DisableCurrent, None, current, false),
        Phase::Idle => return None,
        Phase::Draft => (Step::Set, pending.as_ref(), pending, true),
        Phase::Staged | Phase::Canary if owed(current) => {
            (Step::DisablePrevious, pending.as_ref(), current, false)
        }
        Phase::Staged | Phase::Canary => return None,
        Phase::Promote | Phase::Drain if owed(previous) => {
            (Step::DisablePrevious, current.as_ref(), previous, false)
        }
        Phase::Promote | Phase::Drain => return None,
        Phase::Retire => (Step::Retire, current.as_ref(), previous, false),
        Phase::Revert if owed(current) => (Step::Discard, None, current, false),
        Phase::Revert if is_lost => return None,
        Phase::Revert => (Step::Restore, current.as_ref(), current, true),
        Phase::Discard if is_lost => (Step::Discard, None, pending, false),
        Phase::Discard => (Step::Restore, current.as_ref(), pending, false),
    };
    let settles = match step {
        Step::DisablePrevious | Step::DisableCurrent => true,
        Step::Discard => record.phase == Phase::Revert,
        Step::Set | Step::Restore | Step::Retire | Step::Reap => false,
    };
    Some(Wanted { step, written, seen: seen.as_ref()?, accepted, settles })
}

/// There is a current version, and it is not revoked: a way back, and something to compare with.
fn has_current(record: &Record) -> bool {
    record.current.as_ref().is_some_and(|current| !record.is_revoked(current.version))
}

/// A call to the primary: a replica that does not answer is another matter.
fn asks_target(call: &Call) -> bool {
    match call {
        Call::Apply { .. } | Call::Query { .. } => true,
        Call::Login { progress, .. } => progress.stage == Stage::Applied { verifiers: 0 },
        Call::Key(call) => call.asks_target(),
        Call::Record => false,
    }
}

/// Calls in vain after which a holder stands back.
const UNHEARD_MAX: u32 = 3;

/// The version being rotated to is revoked, and the rotation can be given up.
fn wants_rollback(record: &Record) -> bool {
    let is_revoked =
        |version: &Option<Labeled>| version.as_ref().is_some_and(|v| record.is_revoked(v.version));
    match record.phase {
        Phase::Draft | Phase::Staged | Phase::Canary => is_revoked(&record.pending),
        Phase::Promote | Phase::Drain => is_revoked(&record.current) && !is_revoked(&record.previous),
        Phase::Idle | Phase::Retire | Phase::Revert | Phase::Discard => false,
    }
}

impl Role for Rotator {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            Input::Boot { disk: _, log: _, entropy } => {
                self.entropy = entropy;
                for index in 0..self.desks.len() {
                    let timer = TimerId(u32::try_from(index).expect("a topology counts secrets in 16 bits"));
                    self.handle_timer(now, timer, &mut effects);
                }
            }
            Input::Timer { timer } => self.handle_timer(now, timer, &mut effects),
            Input::Returned { token, frame } => self.handle_returned(now, token, &frame, &mut effects),
            Input::Unknown { token } => self.handle_unknown(now, token, &mut effects),
            // It writes nothing, proposes nothing, and nobody calls it.
            Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Committed { .. }
            | Input::Received { .. }
            | Input::Called { .. } => {}
        }
        effects
    }
}
