//! Rotators that take a wrong decision about an effect at the target.

use super::flaw::{Flaw, Out, answer, aside, call, instead, is_aside, returned};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{Fence, NodeId, Phase, Privileges, SecretId, Span, Step, Token, TxnId};
use tumbler_wire::Frame;
use tumbler_wire::frame::{ApplyReply, ApplyRequest, Labeled, LoginReply, QueryRequest};

/// Sets a fresh value at the target first, and asks for the record of it afterwards.
pub struct AppliesUnrecorded {
    target: NodeId,
    /// Requests to begin that wait for their effect.
    held: BTreeMap<Token, Effect>,
}

impl AppliesUnrecorded {
    pub fn new(target: NodeId) -> Self {
        AppliesUnrecorded { target, held: BTreeMap::new() }
    }
}

impl Flaw for AppliesUnrecorded {
    fn hear(&mut self, _now: Now, input: Input, out: &mut Effects) -> Option<Input> {
        match &input {
            Input::Returned { token, .. } | Input::Unknown { token } if is_aside(*token) => {
                self.held.remove(token).into_iter().for_each(|effect| out.push(effect));
                None
            }
            _ => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        let (Effect::Call { timeout, .. }, Some((token, _, Frame::BeginRequest(begin)))) =
            (&effect, call(&effect))
        else {
            return out.push(effect);
        };
        let fence = Fence { epoch: begin.epoch, txn: begin.txn, step: Step::Set }.into();
        let apply =
            ApplyRequest { secret: begin.secret, fence, principal: begin.principal, value: begin.value };
        let frame = Frame::from(apply).to_bytes();
        out.push(Effect::Call { token: aside(token), to: self.target, frame, timeout: *timeout });
        self.held.insert(aside(token), effect);
    }
}

/// Puts the value back that it was configured with, whenever a rotation has closed on another one.
pub struct RestoresOriginal {
    target: NodeId,
    timeout: Span,
    configured: BTreeMap<SecretId, Labeled>,
    restored: BTreeMap<SecretId, TxnId>,
}

impl RestoresOriginal {
    pub fn new(target: NodeId, timeout: Span) -> Self {
        RestoresOriginal { target, timeout, configured: BTreeMap::new(), restored: BTreeMap::new() }
    }
}

impl Flaw for RestoresOriginal {
    fn hear(&mut self, _now: Now, input: Input, out: &mut Effects) -> Option<Input> {
        let Some((token, frame)) = answer(&input) else {
            return (!matches!(&input, Input::Unknown { token } if is_aside(*token))).then_some(input);
        };
        if is_aside(token) {
            return None;
        }
        if let Frame::RecordReply(reply) = frame
            && let record = reply.record
            && let Some(current) = record.current
        {
            let configured = self.configured.entry(record.secret).or_insert(current.clone());
            let is_other = record.phase == Phase::Idle && current.version != configured.version;
            if is_other && self.restored.insert(record.secret, record.txn) != Some(record.txn) {
                let Labeled { version: _, principal, value } = configured.clone();
                // As if it was the next rotation: above everything that the closed one did.
                let fence = Fence { epoch: record.epoch, txn: record.txn.next(), step: Step::Set }.into();
                let apply = ApplyRequest { secret: record.secret, fence, principal, value };
                let frame = Frame::from(apply).to_bytes();
                out.push(Effect::Call { token: aside(token), to: self.target, frame, timeout: self.timeout });
            }
        }
        Some(input)
    }
}

/// Removes the previous version as soon as the rotation drains, and lets the record object later.
#[derive(Default)]
pub struct ValidatesAfterwards {
    applying: Out<(SecretId, TxnId)>,
    applied: BTreeSet<(SecretId, TxnId)>,
}

impl Flaw for ValidatesAfterwards {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let applying = self.applying.take(&input);
        match answer(&input) {
            Some((_, Frame::ApplyReply(reply))) if reply.applied => self.applied.extend(applying),
            Some((token, Frame::RecordReply(mut reply))) if reply.record.phase == Phase::Drain => {
                if !self.applied.contains(&(reply.record.secret, reply.record.txn)) {
                    reply.record.phase = Phase::Retire;
                    return returned(token, reply);
                }
            }
            Some(_) | None => {}
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::ApplyRequest(request))) = call(&effect)
            && request.fence.step == Step::Retire
        {
            self.applying.put(token, (request.secret, request.fence.txn));
        }
        out.push(effect);
    }
}

/// Closes a principal with one request, and takes one that is lost for done.
#[derive(Default)]
pub struct ForgetsRevocation {
    closing: Out<SecretId>,
    testing: Out<SecretId>,
    /// Where the last request to close was lost.
    believed: BTreeSet<SecretId>,
}

impl Flaw for ForgetsRevocation {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let (closing, testing) = (self.closing.take(&input), self.testing.take(&input));
        match (&input, closing, testing) {
            (Input::Unknown { token }, Some(secret), _) => {
                self.believed.insert(secret);
                returned(*token, ApplyReply { applied: true, last: None })
            }
            (Input::Returned { token, .. }, _, Some(secret)) if self.believed.contains(&secret) => returned(
                *token,
                LoginReply {
                    refusal: Some(Refusal::WrongValue),
                    blue: Privileges::ALL,
                    green: Privileges::ALL,
                },
            ),
            _ => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, _, Frame::ApplyRequest(request))) => {
                self.believed.remove(&request.secret);
                if request.value.is_empty() {
                    self.closing.put(token, request.secret);
                }
            }
            Some((token, _, Frame::LoginRequest(request))) => self.testing.put(token, request.secret),
            Some(_) | None => {}
        }
        out.push(effect);
    }
}

/// Takes the closing of the previous version for done without asking for it: the rotation is over, the
/// version is not.
#[derive(Default)]
pub struct ForgetsRetire {
    closing: Out<()>,
    testing: Out<SecretId>,
    believed: BTreeSet<SecretId>,
}

impl Flaw for ForgetsRetire {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let (closing, testing) = (self.closing.take(&input), self.testing.take(&input));
        match (&input, closing, testing) {
            (Input::Returned { token, .. }, Some(()), _) => {
                returned(*token, ApplyReply { applied: true, last: None })
            }
            (Input::Returned { token, .. }, _, Some(secret)) if self.believed.contains(&secret) => {
                let (blue, green) = (Privileges::ALL, Privileges::ALL);
                returned(*token, LoginReply { refusal: Some(Refusal::WrongValue), blue, green })
            }
            _ => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, _, Frame::ApplyRequest(request))) => {
                let secret = request.secret;
                self.believed.remove(&secret);
                if request.fence.step == Step::Retire {
                    self.believed.insert(secret);
                    self.closing.put(token, ());
                    return out.push(instead(effect, QueryRequest { secret }));
                }
            }
            Some((token, _, Frame::LoginRequest(request))) => self.testing.put(token, request.secret),
            Some(_) | None => {}
        }
        out.push(effect);
    }
}

/// Strikes a secret off its list when the target did not answer six times.
pub struct GivesUp {
    target: NodeId,
    counts: Counts,
    asking: Out<SecretId>,
    failed: BTreeMap<SecretId, u32>,
}

/// Which failures a count of attempts counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    InARow,
    /// An answer does not put it back to zero.
    ForLife,
}

impl GivesUp {
    const ATTEMPTS: u32 = 6;

    pub fn new(target: NodeId, counts: Counts) -> Self {
        GivesUp { target, counts, asking: Out::default(), failed: BTreeMap::new() }
    }
}

impl Flaw for GivesUp {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Some(secret) = self.asking.take(&input) {
            let failed = self.failed.entry(secret).or_default();
            match input {
                Input::Unknown { .. } => *failed += 1,
                _ if *failed < Self::ATTEMPTS && self.counts == Counts::InARow => *failed = 0,
                _ => {}
            }
        }
        if let Some((token, Frame::RecordReply(mut reply))) = answer(&input)
            && self.failed.get(&reply.record.secret).is_some_and(|failed| *failed >= Self::ATTEMPTS)
        {
            reply.record.phase = Phase::Idle;
            reply.record.due = false;
            reply.record.owed.clear();
            return returned(token, reply);
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, to, Frame::ApplyRequest(ApplyRequest { secret, .. }))) if to == self.target => {
                self.asking.put(token, secret);
            }
            Some((token, to, Frame::QueryRequest(request))) if to == self.target => {
                self.asking.put(token, request.secret);
            }
            Some(_) | None => {}
        }
        out.push(effect);
    }
}

/// Keeps the connection that it opened first, also when nobody is at its other end any more.
pub struct PinsConnection {
    target: NodeId,
    asking: Out<()>,
    is_dead: bool,
}

impl PinsConnection {
    pub fn new(target: NodeId) -> Self {
        PinsConnection { target, asking: Out::default(), is_dead: false }
    }
}

impl Flaw for PinsConnection {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let asked = self.asking.take(&input);
        self.is_dead |= asked.is_some() && matches!(input, Input::Unknown { .. });
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            // A request that says nothing gets no answer: it goes into the dead end.
            Some((_, to, _)) if to == self.target && self.is_dead => {
                out.push(instead(effect, tumbler_wire::frame::Unsupported {}));
            }
            Some((token, to, _)) if to == self.target => {
                self.asking.put(token, ());
                out.push(effect);
            }
            Some(_) | None => out.push(effect),
        }
    }
}
