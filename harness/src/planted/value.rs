//! Rotators that take a wrong decision about a rotation's value.

use super::flaw::{Flaw, Out, answer, call, returned};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{Phase, Privileges, SecretId, SecretValue, Token, TxnId};
use tumbler_wire::Frame;
use tumbler_wire::frame::{LoginReply, Record};

/// The rotations that this incarnation began itself.
#[derive(Default)]
struct Own(BTreeSet<(SecretId, TxnId)>);

impl Own {
    fn note(&mut self, effect: &Effect) {
        if let Some((_, _, Frame::BeginRequest(begin))) = call(effect) {
            self.0.insert((begin.secret, begin.txn));
        }
    }

    /// Whether the record is a draft of somebody else's.
    fn is_foreign(&self, record: &Record) -> bool {
        record.phase == Phase::Draft && !self.0.contains(&(record.secret, record.txn))
    }
}

/// Generates anew for a draft whose value it does not have in memory.
#[derive(Default)]
pub struct Regenerates {
    own: Own,
    entropy: [u8; 32],
}

impl Flaw for Regenerates {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Input::Boot { entropy, .. } = &input {
            (self.own, self.entropy) = (Own::default(), *entropy);
        }
        if let Some((token, Frame::RecordReply(mut reply))) = answer(&input)
            && self.own.is_foreign(&reply.record)
            && let Some(pending) = &mut reply.record.pending
        {
            // The incarnation's entropy and the number of the rotation: another value for each.
            let mut bytes = self.entropy[..16].to_vec();
            bytes.extend(reply.record.txn.0.to_le_bytes());
            pending.value = SecretValue::new(bytes);
            return returned(token, reply);
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        self.own.note(&effect);
        out.push(effect);
    }
}

/// Takes "somebody else has begun" for success, and goes on with the empty value that it has.
#[derive(Default)]
pub struct TakesOverEmpty {
    own: Own,
    foreign: BTreeSet<SecretId>,
    testing: Out<SecretId>,
}

impl Flaw for TakesOverEmpty {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let testing = self.testing.take(&input);
        match answer(&input) {
            Some((token, Frame::RecordReply(mut reply))) => {
                let secret = reply.record.secret;
                if !self.own.is_foreign(&reply.record) {
                    self.foreign.remove(&secret);
                    return Some(input);
                }
                self.foreign.insert(secret);
                if let Some(pending) = &mut reply.record.pending {
                    pending.value = SecretValue::new(Vec::new());
                }
                returned(token, reply)
            }
            Some((token, Frame::LoginReply(_)))
                if testing.is_some_and(|secret| self.foreign.contains(&secret)) =>
            {
                returned(token, LoginReply { refusal: None, blue: Privileges::ALL, green: Privileges::ALL })
            }
            Some(_) | None => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        self.own.note(&effect);
        if let Some((token, _, Frame::LoginRequest(request))) = call(&effect) {
            self.testing.put(token, request.secret);
        }
        out.push(effect);
    }
}

/// Applies what a given-up attempt has left behind: it expects one leftover per secret at most.
#[derive(Default)]
pub struct ReplaysLeftovers {
    leftover: BTreeMap<SecretId, SecretValue>,
    closing: BTreeMap<Token, SecretId>,
}

impl Flaw for ReplaysLeftovers {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let Some((token, Frame::RecordReply(mut reply))) = answer(&input) else { return Some(input) };
        // Only an attempt that succeeded tidies up behind itself.
        if let Some(secret) = self.closing.remove(&token)
            && reply.done
        {
            self.leftover.remove(&secret);
        }
        if reply.record.phase == Phase::Draft
            && let Some(pending) = &mut reply.record.pending
        {
            let leftover = self.leftover.entry(reply.record.secret);
            pending.value = leftover.or_insert_with(|| pending.value.clone()).clone();
            return returned(token, reply);
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::AdvanceRequest(request))) = call(&effect)
            && request.from == Phase::Retire
        {
            self.closing.insert(token, request.secret);
        }
        out.push(effect);
    }
}
