//! Roles that believe something of clocks and periods that only most clocks and configurations keep.

use super::flaw::{Flaw, Out, call};
use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{Mono, Phase, SecretId, SecretValue, Span, VersionId, Wall};
use tumbler_wire::Frame;

/// Takes the time of an exchange on the wall clock. One that ended before it began spoils the mean, and an
/// agent that thinks so ill of its authority hands out nothing.
#[derive(Default)]
pub struct MeasuresByTheWall {
    asking: Out<Wall>,
    is_spoiled: bool,
}

impl Flaw for MeasuresByTheWall {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        self.is_spoiled |= self.asking.take(&input).is_some_and(|sent| now.wall < sent);
        Some(input)
    }

    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::HeartbeatRequest(_))) = call(&effect) {
            self.asking.put(token, now.wall);
        }
        out.push(if self.is_spoiled { withheld(effect) } else { effect });
    }
}

/// Hands out nothing when three periods have gone by without news: of the period that it was built with, not
/// of the one that it is configured with.
pub struct HardcodesPeriod {
    patience: Span,
    asking: Out<()>,
    heard: Mono,
}

impl HardcodesPeriod {
    pub fn new(period: Span) -> Self {
        HardcodesPeriod { patience: period.times(3), asking: Out::default(), heard: Mono::ZERO }
    }
}

impl Flaw for HardcodesPeriod {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        if self.asking.take(&input).is_some() && matches!(input, Input::Returned { .. }) {
            self.heard = now.mono;
        }
        Some(input)
    }

    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, _, Frame::HeartbeatRequest(_))) = call(&effect) {
            self.asking.put(token, ());
        }
        let is_silent = now.mono.since(self.heard) > self.patience;
        out.push(if is_silent { withheld(effect) } else { effect });
    }
}

/// A hand-out without a version.
fn withheld(effect: Effect) -> Effect {
    match effect {
        Effect::Reply { call, frame } => match Frame::from_bytes(&frame) {
            Ok(Frame::GetReply(mut reply)) => {
                reply.version = VersionId(0);
                reply.value = SecretValue::new(Vec::new());
                Effect::Reply { call, frame: Frame::from(reply).to_bytes() }
            }
            Ok(_) | Err(_) => Effect::Reply { call, frame },
        },
        other => other,
    }
}

/// A due time that is found to have passed long ago counts as missed: the next one comes a period later.
pub struct SkipsMissed {
    period: Span,
    /// When the secret was last seen not to be due.
    looked: BTreeMap<SecretId, Wall>,
    skipped: BTreeMap<SecretId, Wall>,
}

impl SkipsMissed {
    pub fn new(period: Span) -> Self {
        SkipsMissed { period, looked: BTreeMap::new(), skipped: BTreeMap::new() }
    }
}

impl Flaw for SkipsMissed {
    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        let Effect::Reply { call, frame } = &effect else { return out.push(effect) };
        let Ok(Frame::RecordReply(mut reply)) = Frame::from_bytes(frame) else { return out.push(effect) };
        let secret = reply.record.secret;
        if !reply.record.due || reply.record.phase != Phase::Idle {
            self.looked.insert(secret, now.wall);
            return out.push(effect);
        }
        // Rotators ask every few seconds: so long without a look, and the clock was not there.
        let looked = *self.looked.entry(secret).or_insert(now.wall);
        if now.wall.since(looked) > MISSED_AFTER && !self.skipped.contains_key(&secret) {
            self.skipped.insert(secret, now.wall.plus(self.period));
        }
        if self.skipped.get(&secret).is_some_and(|until| now.wall < *until) {
            reply.record.due = false;
        }
        out.push(Effect::Reply { call: *call, frame: Frame::from(reply).to_bytes() });
    }
}

/// After which a scheduler gives a slot up.
const MISSED_AFTER: Span = Span::from_secs(10);
