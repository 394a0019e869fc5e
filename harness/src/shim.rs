//! A planted bug outside a session: somebody in front of a node speaks for it.
//!
//! It stands apart from [`crate::planted`], whose wrappers sit between a role and its session and see
//! plain frames. This one has the cluster's key and undoes what the session refuses.

use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Format, Tag, Token};
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

const NEWER: Format = Format(2);
