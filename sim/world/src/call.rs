//! External calls: who waits for what, so that each token completes at most once.

use crate::observe::Context;
use crate::queue::{Class, Key};
use tumbler_types::{CallId, Incarnation, NodeId, Token};

/// One call of one incarnation.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub caller: NodeId,
    pub callee: NodeId,
    /// The caller's incarnation: a reply to a crashed caller reaches nobody.
    pub incarnation: Incarnation,
    pub token: Token,
    /// What the request asked for, as far as the reply's meaning depends on it.
    pub context: Context,
    /// The reply is planned to be lost.
    pub reply_lost: bool,
    /// The caller has its completion, or is gone.
    pub done: bool,
    /// Answers that the callee may still send: one for each copy of the request.
    pub answers_left: u8,
}

/// All calls of a run, by caller and the caller's ordinal.
pub struct Calls {
    by_caller: Vec<Vec<Call>>,
}

impl Calls {
    pub fn new(nodes: u16) -> Self {
        Calls { by_caller: std::iter::repeat_with(Vec::new).take(usize::from(nodes)).collect() }
    }

    pub fn begin(&mut self, call: Call) -> CallId {
        let calls = &mut self.by_caller[usize::from(call.caller.0)];
        calls.push(call);
        CallId(u64::from(call.caller.0) << 32 | (calls.len() as u64 - 1))
    }

    /// Tie key of a call's time-out: by caller and the caller's ordinal.
    pub fn timeout_key(call: CallId) -> Key {
        let (caller, ordinal) = Self::split(call);
        let narrow = |number: usize| u32::try_from(number).expect("it was split from 32 bits");
        Key::new(Class::CallTimeout, narrow(caller), narrow(ordinal))
    }

    /// The token by which a callee answers.
    pub const fn token(call: CallId) -> Token {
        Token(call.0)
    }

    /// The call that a callee's reply token names; `None` for a token that no call has.
    pub fn named_by(&self, token: Token) -> Option<CallId> {
        let (caller, ordinal) = Self::split(CallId(token.0));
        self.by_caller.get(caller)?.get(ordinal)?;
        Some(CallId(token.0))
    }

    fn split(call: CallId) -> (usize, usize) {
        let caller = usize::try_from(call.0 >> 32).expect("32 bits fit");
        let ordinal = usize::try_from(call.0 & 0xffff_ffff).expect("32 bits fit");
        (caller, ordinal)
    }

    pub fn get(&self, call: CallId) -> &Call {
        let (caller, ordinal) = Self::split(call);
        &self.by_caller[caller][ordinal]
    }

    pub fn get_mut(&mut self, call: CallId) -> &mut Call {
        let (caller, ordinal) = Self::split(call);
        &mut self.by_caller[caller][ordinal]
    }

    /// Completes a call; its token, unless it was complete before.
    pub fn complete(&mut self, call: CallId) -> Option<Token> {
        let call = self.get_mut(call);
        (!std::mem::replace(&mut call.done, true)).then_some(call.token)
    }

    /// Calls between the two that have no completion yet.
    pub fn open(&self, caller: NodeId, callee: NodeId) -> Vec<CallId> {
        let calls = self.by_caller[usize::from(caller.0)].iter().zip(0u64..);
        let open = calls.filter(|(call, _)| !call.done && call.callee == callee);
        open.map(|(_, ordinal)| CallId(u64::from(caller.0) << 32 | ordinal)).collect()
    }

    /// The caller crashed: none of its calls completes any more.
    pub fn abandon(&mut self, caller: NodeId) {
        for call in &mut self.by_caller[usize::from(caller.0)] {
            call.done = true;
        }
    }
}
