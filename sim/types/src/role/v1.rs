//! Role ABI, version 1: `handle(now, input) -> effects`.
//!
//! A role is a state machine. It is told the time and given randomness, it holds no thread, socket
//! or file, and all that it wants done leaves as an [`Effect`]. Everything here is plain data, so
//! that a role can as well live in another process.
//!
//! # Contract
//!
//! - **Order.** A driver executes the effects of one `handle` in the order in which they stand.
//!   An effect's consequence may still come late: only its completion says that it happened.
//! - **Completion.** `Persist` completes as `Persisted` or `PersistFailed`; `Call` as `Returned` or
//!   `Unknown`; `Propose` as `Committed`. Each token completes at most once, and never in a later
//!   incarnation. `Send`, `Reply` and the timer effects do not complete.
//! - **Durability.** `Persisted` and `Committed` mean that a crash from here on keeps the bytes.
//!   A role that acknowledges anything waits for them first.
//! - **Boot.** The first input of every incarnation is `Boot`, with what was durable.
//! - **Silence.** `Unknown` says nothing about whether the call took effect, now or later.
//!
//! Bytes are opaque here, and may hold secrets: `Debug` shows their length and nothing else.
//!
//! It deliberately has no way to report a judgment: what a role did is what the world saw it do.

use crate::{LogIndex, Mono, NodeId, RecordId, Span, TimerId, Token, Wall};
use derive_more::Debug;
use serde::{Deserialize, Serialize};

/// What the node's own two clocks show when the input is handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    pub wall: Wall,
    pub mono: Mono,
}

/// One durable record, as found at boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub record: RecordId,
    #[debug("{} bytes", bytes.len())]
    pub bytes: Vec<u8>,
}

/// One entry of the durable log. `at` is the proposer's wall clock at the time of proposing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    pub index: LogIndex,
    pub at: Wall,
    #[debug("{} bytes", command.len())]
    pub command: Vec<u8>,
}

/// What a role is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// A new incarnation starts with what survived: records by id, log by index.
    Boot {
        disk: Vec<Record>,
        log: Vec<LogEntry>,
        #[debug("32 bytes")]
        entropy: [u8; 32],
    },
    /// The record is durable.
    Persisted { token: Token },
    /// The record was not written; the former one, if any, stands.
    PersistFailed { token: Token },
    /// The callee's reply.
    Returned {
        token: Token,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
    },
    /// No reply in time: the call may have been applied, may be applied later, or never.
    Unknown { token: Token },
    /// The command is durable at this index; it is to be applied now. A command that another
    /// proposer placed has no token.
    Committed { token: Option<Token>, entry: LogEntry },
    /// A one-way message arrived.
    Received {
        from: NodeId,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
    },
    /// A call arrived; it is answered with [`Effect::Reply`], by this token, at most once.
    Called {
        call: Token,
        from: NodeId,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
    },
    /// The timer that was armed last under this id is due.
    Timer { timer: TimerId },
}

/// What a role wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Writes the record durably and atomically.
    Persist {
        token: Token,
        record: RecordId,
        #[debug("{} bytes", bytes.len())]
        bytes: Vec<u8>,
    },
    /// Appends the command to the durable log, stamped with the node's wall clock.
    Propose {
        token: Token,
        #[debug("{} bytes", command.len())]
        command: Vec<u8>,
    },
    /// One-way message; may be lost.
    Send {
        to: NodeId,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
    },
    /// Request that expects a reply within `timeout` on the node's monotonic clock.
    Call {
        token: Token,
        to: NodeId,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
        timeout: Span,
    },
    /// Answers a [`Input::Called`].
    Reply {
        call: Token,
        #[debug("{} bytes", frame.len())]
        frame: Vec<u8>,
    },
    /// Arms, or re-arms, a timer on the node's monotonic clock.
    SetTimer { timer: TimerId, after: Span },
}

/// Effects of one input, in contract order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[must_use = "effects that are not executed did not happen"]
pub struct Effects(Vec<Effect>);

impl Effects {
    pub const fn new() -> Self {
        Effects(Vec::new())
    }

    pub fn push(&mut self, effect: Effect) {
        self.0.push(effect);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> std::slice::Iter<'_, Effect> {
        self.0.iter()
    }
}

impl IntoIterator for Effects {
    type Item = Effect;
    type IntoIter = std::vec::IntoIter<Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Effect> for Effects {
    fn from_iter<I: IntoIterator<Item = Effect>>(iter: I) -> Self {
        Effects(iter.into_iter().collect())
    }
}

/// A node's state machine. Object-safe: drivers hold `Box<dyn Role>`. `Send`, because a driver may
/// keep a role in a task of its own; it is never shared.
pub trait Role: Send {
    fn handle(&mut self, now: Now, input: Input) -> Effects;
}

impl<R: Role + ?Sized> Role for Box<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        (**self).handle(now, input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_and_effects_survive_serialization() {
        let disk = vec![Record { record: RecordId(1), bytes: vec![1, 2] }];
        let log = vec![LogEntry { index: LogIndex(1), at: Wall(u64::MAX), command: vec![3] }];
        let inputs = vec![
            Input::Boot { disk, log, entropy: [7; 32] },
            Input::Called { call: Token(u64::MAX), from: NodeId(3), frame: vec![9; 3] },
            Input::Unknown { token: Token(1) },
        ];
        let text = serde_json::to_string(&inputs).expect("plain data");
        assert_eq!(serde_json::from_str::<Vec<Input>>(&text).expect("its own text"), inputs);
        let effects: Effects =
            [Effect::Call { token: Token(1), to: NodeId(2), frame: vec![5], timeout: Span(6) }]
                .into_iter()
                .collect();
        let text = serde_json::to_string(&effects).expect("plain data");
        assert_eq!(serde_json::from_str::<Effects>(&text).expect("its own text"), effects);
    }

    #[test]
    fn debug_output_holds_no_bytes() {
        let input = Input::Returned { token: Token(1), frame: vec![222, 173] };
        assert_eq!(format!("{input:?}"), "Returned { token: t1, frame: 2 bytes }");
        let effect = Effect::Persist { token: Token(1), record: RecordId(2), bytes: vec![222; 40] };
        assert_eq!(format!("{effect:?}"), "Persist { token: t1, record: record-2, bytes: 40 bytes }");
        let boot = Input::Boot {
            disk: vec![Record { record: RecordId(1), bytes: vec![222] }],
            log: vec![],
            entropy: [222; 32],
        };
        assert!(!format!("{boot:?}").contains("222"));
        let value = crate::SecretValue::new(vec![222]);
        assert_eq!(format!("{value:?}"), "SecretValue(redacted)");
    }
}
