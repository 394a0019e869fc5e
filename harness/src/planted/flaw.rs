//! A flaw: what a shell around a role does to what goes in and what comes out.
//!
//! It exists so that a wrapper says only which decision it takes wrongly. It deliberately gives a flaw
//! no view of the role's state: like the network, it sees frames and tokens.

use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{NodeId, Token};
use tumbler_wire::Frame;

/// One decision taken wrongly, at the seam of a role.
pub trait Flaw: Send {
    /// What the role hears instead of `input`; none: nothing. `out` takes effects of the shell's own.
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        Some(input)
    }

    /// Puts into `out` what is done instead of the role's `effect`.
    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        out.push(effect);
    }
}

/// A role in a flawed shell.
pub struct Flawed<R, F> {
    role: R,
    flaw: F,
}

impl<R, F> Flawed<R, F> {
    pub fn new(role: R, flaw: F) -> Self {
        Flawed { role, flaw }
    }
}

impl<R: Role, F: Flaw> Role for Flawed<R, F> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut out = Effects::new();
        if let Some(input) = self.flaw.hear(now, input, &mut out) {
            for effect in self.role.handle(now, input) {
                self.flaw.say(now, effect, &mut out);
            }
        }
        out
    }
}

/// The calls of one kind that are out, with what the shell has to know of each.
pub(super) struct Out<T>(BTreeMap<Token, T>);

impl<T> Default for Out<T> {
    fn default() -> Self {
        Out(BTreeMap::new())
    }
}

impl<T> Out<T> {
    pub fn put(&mut self, token: Token, what: T) {
        self.0.insert(token, what);
    }

    /// Takes out the call that `input` completes.
    pub fn take(&mut self, input: &Input) -> Option<T> {
        match input {
            Input::Returned { token, .. } | Input::Unknown { token } => self.0.remove(token),
            _ => None,
        }
    }
}

/// The parts of a call to somebody.
pub(super) fn call(effect: &Effect) -> Option<(Token, NodeId, Frame)> {
    match effect {
        Effect::Call { token, to, frame, timeout: _ } => Some((*token, *to, Frame::from_bytes(frame).ok()?)),
        _ => None,
    }
}

/// The answer that an input brings, with its call.
pub(super) fn answer(input: &Input) -> Option<(Token, Frame)> {
    match input {
        Input::Returned { token, frame } => Some((*token, Frame::from_bytes(frame).ok()?)),
        _ => None,
    }
}

/// An answer to be heard.
pub(super) fn returned(token: Token, frame: impl Into<Frame>) -> Option<Input> {
    Some(Input::Returned { token, frame: frame.into().to_bytes() })
}

/// The same call with another request.
pub(super) fn instead(effect: Effect, frame: impl Into<Frame>) -> Effect {
    match effect {
        Effect::Call { token, to, frame: _, timeout } => {
            Effect::Call { token, to, frame: frame.into().to_bytes(), timeout }
        }
        other => other,
    }
}

/// Tokens of the shell's own calls; no role counts as far.
pub(super) const fn aside(token: Token) -> Token {
    Token(token.0 | 1 << 62)
}

pub(super) const fn is_aside(token: Token) -> bool {
    token.0 & 1 << 62 != 0
}
