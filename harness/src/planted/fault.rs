//! Roles that are fine in a kind world, and believe something that one kind of fault makes untrue.

use super::flaw::{Flaw, Out, call};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Mono, NodeId, Span, Token, VersionId};
use tumbler_wire::AgentRecord;

/// Takes every write for done, also one that the disk had no room for, or failed: it asks the disk again,
/// which reports an error once.
pub struct IgnoresFailure;

impl Flaw for IgnoresFailure {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        Some(match input {
            Input::PersistFailed { token } => Input::Persisted { token },
            other => other,
        })
    }
}

/// Takes a write for done that was given to the disk long ago: disks are not as slow as that.
#[derive(Default)]
pub struct OverlooksStall {
    writing: BTreeMap<Token, Mono>,
    /// Told to be done before they were.
    told: BTreeSet<Token>,
}

impl Flaw for OverlooksStall {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        match input {
            Input::Persisted { token } | Input::PersistFailed { token } => {
                self.writing.remove(&token);
                (!self.told.remove(&token)).then_some(input)
            }
            // Whoever asks again waits for the answer to the write; the question itself is dropped.
            Input::Called { .. } => {
                let old = |began: &Mono| now.mono.since(*began) >= PATIENCE;
                let overdue = self.writing.iter().find(|(_, began)| old(began)).map(|(token, _)| *token);
                let Some(token) = overdue else { return Some(input) };
                self.writing.remove(&token);
                self.told.insert(token);
                Some(Input::Persisted { token })
            }
            other => Some(other),
        }
    }

    fn say(&mut self, now: Now, effect: Effect, out: &mut Effects) {
        if let Effect::Persist { token, .. } = &effect {
            self.writing.insert(*token, now.mono);
        }
        out.push(effect);
    }
}

/// Counts a lease's whole life from each start of the process.
pub struct RenewsAtStart {
    pub ttl: Span,
}

impl Flaw for RenewsAtStart {
    fn hear(&mut self, now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let Input::Boot { mut disk, log, entropy } = input else { return Some(input) };
        for record in &mut disk {
            if let Ok(mut held) = AgentRecord::from_bytes(&record.bytes)
                && held.version != VersionId(0)
            {
                held.until = now.wall.plus(self.ttl);
                record.bytes = held.to_bytes();
            }
        }
        Some(Input::Boot { disk, log, entropy })
    }
}

/// Adds the margin for a clock that is off to a lease's end, from which it is to be taken.
pub struct AddsEpsilon<R> {
    role: R,
    epsilon: Span,
}

impl<R> AddsEpsilon<R> {
    pub fn new(role: R, epsilon: Span) -> Self {
        AddsEpsilon { role, epsilon }
    }
}

impl<R: Role> Role for AddsEpsilon<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let wall = now.wall.minus(self.epsilon.times(2));
        self.role.handle(Now { wall, ..now }, input)
    }
}

/// Waits for the answer of a connection that it has no reason to call broken.
pub struct TrustsHalfOpen {
    target: NodeId,
    asking: Out<()>,
}

impl TrustsHalfOpen {
    pub fn new(target: NodeId) -> Self {
        TrustsHalfOpen { target, asking: Out::default() }
    }
}

impl Flaw for TrustsHalfOpen {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let is_silent = self.asking.take(&input).is_some() && matches!(input, Input::Unknown { .. });
        (!is_silent).then_some(input)
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        if let Some((token, to, _)) = call(&effect)
            && to == self.target
        {
            self.asking.put(token, ());
        }
        out.push(effect);
    }
}

/// Longer than any write takes on a disk that works.
const PATIENCE: Span = Span::from_millis(500);
