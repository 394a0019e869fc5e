//! Planted bugs outside a session: somebody in front of a node speaks for it.
//!
//! They stand apart from [`crate::planted`], whose wrappers sit between a role and its session and see
//! plain frames. These have the cluster's key and undo what the session refuses.

use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Format, NodeId, Tag, Token};
use tumbler_wire::record::format_of;
use tumbler_wire::{Envelope, Frame};

/// Translates requests of the oldest format for a node that would refuse them, and its answers back,
/// so that nobody has to be upgraded.
pub struct CompatibilityShim<R> {
    role: R,
    /// Seals of the requests that were translated.
    translated: BTreeMap<Token, Tag>,
}

impl<R> CompatibilityShim<R> {
    pub fn new(role: R) -> Self {
        CompatibilityShim { role, translated: BTreeMap::new() }
    }

    fn raise(&mut self, call: Token, bytes: Vec<u8>) -> Vec<u8> {
        let Ok((envelope, frame, seal)) = Envelope::open(&bytes) else { return bytes };
        if format_of(frame) != Some(Format::LOWEST) {
            return bytes;
        }
        let mut frame = frame.to_vec();
        frame[0] = NEWER.0;
        self.translated.insert(call, seal);
        Envelope { highest: NEWER, ..envelope }.seal(&frame).0
    }

    fn lower(&self, call: Token, bytes: Vec<u8>) -> Vec<u8> {
        let (Some(echo), Ok((envelope, frame))) = (self.translated.get(&call), Envelope::read(&bytes)) else {
            return bytes;
        };
        match Frame::in_format(frame.to_vec(), Format::LOWEST) {
            Ok(frame) => Envelope { floor: Format::LOWEST, echo: *echo, ..envelope }.seal(&frame).0,
            Err(_) => bytes,
        }
    }
}

impl<R: Role> Role for CompatibilityShim<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let input = match input {
            Input::Called { call, from, frame } => {
                Input::Called { call, from, frame: self.raise(call, frame) }
            }
            other => other,
        };
        let effects = self.role.handle(now, input);
        let edited = |effect| match effect {
            Effect::Reply { call, frame } => Effect::Reply { call, frame: self.lower(call, frame) },
            other => other,
        };
        effects.into_iter().map(edited).collect()
    }
}

/// Unwraps what comes and wraps it anew, without a look at the seal that was there.
pub struct Rewrapper<R>(pub R);

impl<R: Role> Role for Rewrapper<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let anew = |bytes: Vec<u8>| match Envelope::read(&bytes) {
            Ok((envelope, frame)) => envelope.seal(frame).0,
            Err(_) => bytes,
        };
        let input = match input {
            Input::Called { call, from, frame } => Input::Called { call, from, frame: anew(frame) },
            other => other,
        };
        self.0.handle(now, input)
    }
}

/// Asks once more in the oldest format when an answer could not be read, for the sake of old servers.
pub struct Fallback<R> {
    role: R,
    asked: BTreeMap<Token, NodeId>,
    /// Whose last answer could not be read.
    unread: BTreeSet<NodeId>,
}

impl<R> Fallback<R> {
    pub fn new(role: R) -> Self {
        Fallback { role, asked: BTreeMap::new(), unread: BTreeSet::new() }
    }

    fn outgoing(&mut self, effect: Effect) -> Effect {
        let Effect::Call { token, to, frame, timeout } = effect else { return effect };
        self.asked.insert(token, to);
        let is_unread = self.unread.remove(&to);
        let older = match Envelope::read(&frame) {
            Ok((envelope, inner)) if is_unread => {
                Frame::in_format(inner.to_vec(), Format::LOWEST).ok().map(|inner| {
                    let (highest, floor) = (Format::LOWEST, Format::LOWEST);
                    Envelope { highest, floor, ..envelope }.seal(&inner).0
                })
            }
            Ok(_) | Err(_) => None,
        };
        Effect::Call { token, to, frame: older.unwrap_or(frame), timeout }
    }
}

impl<R: Role> Role for Fallback<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        match &input {
            Input::Returned { token, frame } => {
                let peer = self.asked.remove(token);
                self.unread.extend(peer.filter(|_| Envelope::open(frame).is_err()));
            }
            Input::Unknown { token } => drop(self.asked.remove(token)),
            _ => {}
        }
        let effects = self.role.handle(now, input);
        effects.into_iter().map(|effect| self.outgoing(effect)).collect()
    }
}

const NEWER: Format = Format(2);
