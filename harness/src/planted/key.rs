//! Rotators that take a wrong decision about a key that the target minted.

use super::flaw::{Flaw, Out, answer, call, returned};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{SecretId, Tag};
use tumbler_wire::Frame;
use tumbler_wire::tag::value_tag;

/// Looks in the target's list for keys that it knows, and at nothing else: what a mint without an
/// answer left there is forgotten.
#[derive(Default)]
pub struct ForgetsOrphans {
    known: BTreeMap<SecretId, BTreeSet<Tag>>,
    lists: Out<SecretId>,
}

impl Flaw for ForgetsOrphans {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let list = self.lists.take(&input);
        match (answer(&input), list) {
            (Some((token, Frame::QueryReply(mut reply))), Some(secret)) => {
                let known = self.known.get(&secret);
                for key in [&mut reply.blue, &mut reply.green] {
                    if known.is_none_or(|known| !known.contains(key)) {
                        *key = Tag::NONE;
                    }
                }
                returned(token, reply)
            }
            (Some((_, Frame::RecordReply(reply))), _) => {
                let record = &reply.record;
                let labeled = [&record.current, &record.pending, &record.previous];
                let known = self.known.entry(record.secret).or_default();
                known.extend(labeled.into_iter().flatten().map(|version| value_tag(&version.value)));
                Some(input)
            }
            _ => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::QueryRequest(request))) = call(&effect) {
            self.lists.put(token, request.secret);
        }
        out.push(effect);
    }
}

/// Looks for leftovers only where one of its own mints had no answer: a mint that was answered was one mint.
#[derive(Default)]
pub struct TrustsAnsweredMint {
    minting: Out<SecretId>,
    /// Where the last mint of this incarnation was answered.
    answered: BTreeSet<SecretId>,
    known: BTreeMap<SecretId, BTreeSet<Tag>>,
    lists: Out<SecretId>,
}

impl Flaw for TrustsAnsweredMint {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let (minted, list) = (self.minting.take(&input), self.lists.take(&input));
        match (answer(&input), minted, list) {
            (Some((_, Frame::MintReply(reply))), Some(secret), _) => {
                self.answered.insert(secret);
                self.known.entry(secret).or_default().insert(value_tag(&reply.value));
            }
            (Some((token, Frame::QueryReply(mut reply))), _, Some(secret))
                if self.answered.contains(&secret) =>
            {
                let known = self.known.get(&secret);
                for key in [&mut reply.blue, &mut reply.green] {
                    if known.is_none_or(|known| !known.contains(key)) {
                        *key = Tag::NONE;
                    }
                }
                return returned(token, reply);
            }
            (Some((_, Frame::RecordReply(reply))), _, _) => {
                let record = &reply.record;
                let labeled = [&record.current, &record.pending, &record.previous];
                let known = self.known.entry(record.secret).or_default();
                known.extend(labeled.into_iter().flatten().map(|version| value_tag(&version.value)));
            }
            _ => {}
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, _, Frame::QueryRequest(request))) => self.lists.put(token, request.secret),
            Some((token, _, Frame::MintRequest(request))) => {
                self.answered.remove(&request.secret);
                self.minting.put(token, request.secret);
            }
            Some(_) | None => {}
        }
        out.push(effect);
    }
}
