//! Agents that take a wrong decision about a lease, its renewal, or their own health.

use super::flaw::{Flaw, Out, answer, call, instead, returned};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{NodeId, SecretId, SecretValue, Span, Token, VersionId, Wall};
use tumbler_wire::Frame;
use tumbler_wire::frame::GetReply;

/// Waits for ever for the answer to a renewal that was lost.
#[derive(Default)]
pub struct RenewerDies {
    renewing: Out<()>,
}

impl Flaw for RenewerDies {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let is_lost = self.renewing.take(&input).is_some() && matches!(input, Input::Unknown { .. });
        (!is_lost).then_some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::HeartbeatRequest(_))) = call(&effect) {
            self.renewing.put(token, ());
        }
        out.push(effect);
    }
}

/// Counts the whole life of a lease from every answer about it, as if each issued it anew.
pub struct RestartsLease {
    ttl: Span,
    period: Span,
    /// Per secret: the lease's real end, and the imagined one.
    ends: BTreeMap<SecretId, (Wall, Wall)>,
}

impl RestartsLease {
    pub fn new(ttl: Span, period: Span) -> Self {
        RestartsLease { ttl, period, ends: BTreeMap::new() }
    }
}

impl Flaw for RestartsLease {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let Some((token, Frame::HeartbeatReply(mut reply))) = answer(&input) else { return Some(input) };
        if reply.version == VersionId(0) {
            return Some(input);
        }
        let imagined = now.wall.plus(self.ttl);
        let ends = self.ends.entry(reply.secret).or_insert((reply.until, imagined));
        // One renewal per period: more would be a write and a heartbeat without end.
        if imagined.since(ends.1) >= self.period {
            ends.1 = imagined;
        }
        ends.0 = reply.until;
        reply.until = ends.1;
        reply.left = ends.1.since(now.wall);
        returned(token, reply)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((_, _, Frame::HeartbeatRequest(mut report))) => {
                if let Some((real, imagined)) = self.ends.get(&report.secret)
                    && report.until == *imagined
                {
                    report.until = *real;
                }
                out.push(instead(effect, report));
            }
            Some(_) | None => out.push(effect),
        }
    }
}

/// Delivers on two paths, and refreshes one: every second workload keeps what was mounted first.
#[derive(Default)]
pub struct RefreshesOnePath {
    asking: BTreeMap<Token, NodeId>,
    mounted: BTreeMap<(NodeId, SecretId), GetReply>,
}

impl Flaw for RefreshesOnePath {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if let Input::Called { call, from, frame: _ } = &input {
            self.asking.insert(*call, *from);
        }
        Some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Effect::Reply { call, frame } = &effect
            && let Some(from) = self.asking.remove(call)
            && from.0 % 4 < 2
            && let Ok(Frame::GetReply(fresh)) = Frame::from_bytes(frame)
            && fresh.version != VersionId(0)
        {
            let mounted = self.mounted.entry((from, fresh.secret)).or_insert(fresh);
            return out.push(Effect::Reply { call: *call, frame: Frame::from(mounted.clone()).to_bytes() });
        }
        out.push(effect);
    }
}

/// Once unhealthy, always unhealthy: nothing but a restart clears the mark.
#[derive(Default)]
pub struct StaysUnhealthy {
    served: BTreeSet<SecretId>,
    unhealthy: BTreeSet<SecretId>,
}

impl Flaw for StaysUnhealthy {
    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        let Effect::Reply { call, frame } = &effect else { return out.push(effect) };
        let Ok(Frame::GetReply(mut reply)) = Frame::from_bytes(frame) else { return out.push(effect) };
        if reply.version != VersionId(0) {
            self.served.insert(reply.secret);
        } else if self.served.contains(&reply.secret) {
            self.unhealthy.insert(reply.secret);
        }
        if self.unhealthy.contains(&reply.secret) {
            reply.version = VersionId(0);
            reply.value = SecretValue::new(Vec::new());
        }
        out.push(Effect::Reply { call: *call, frame: Frame::from(reply).to_bytes() });
    }
}
