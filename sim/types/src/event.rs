//! Observed events: what the world executed and saw, never what a role claims.
//!
//! One list, written once, gives the type, its words for the digest, and its fields by name for
//! stories and exported traces. Events carry ids, instants and tags only: no secret bytes.
//!
//! Events in the first groups are the world's mechanics. The *semantic* events, from
//! [`Event::Committed`] on, are decoded by the world from log entries, records and frames, at the
//! moment at which the thing became true (bytes durable, frame sent), and are what judges read.

use crate::{
    Attempt, CallId, Cause, Epoch, FaultId, FaultKind, Fence, Format, Incarnation, Instant, LogIndex, NodeId,
    Phase, Principal, Privileges, RecordId, Revision, SecretId, Serial, Tag, TimerId, TxnId, VersionId, Wall,
};
use std::fmt;

/// One event of a run: `seq` counts from 0 without gaps, `at` never decreases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    pub seq: u64,
    pub at: Instant,
    /// Where it happened; [`NodeId::WORLD`] for faults.
    pub node: NodeId,
    pub event: Event,
}

/// Receives the fields of an event in declaration order.
pub trait FieldVisitor {
    fn field(&mut self, name: &'static str, value: &dyn fmt::Display);
}

macro_rules! events {
    ($enum:ident: $($(#[$doc:meta])* $name:ident = $number:literal { $($field:ident: $ty:ty),* };)*) => {
        #[doc = concat!("See the [module](self). Generated with its field visitors.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $enum {
            $($(#[$doc])* $name { $($field: $ty),* },)*
        }

        impl $enum {
            /// Stable name of the kind of event.
            pub const fn kind(&self) -> &'static str {
                match self { $($enum::$name { .. } => stringify!($name),)* }
            }

            /// Stable number of the kind of event.
            pub const fn number(&self) -> u8 {
                match self { $($enum::$name { .. } => $number,)* }
            }

            /// All kinds, for tables by kind.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Appends the event's canonical words: the digest's input.
            pub fn words(&self, out: &mut Vec<u8>) {
                out.push(self.number());
                match *self {
                    $($enum::$name { $($field),* } => { $(Word::word($field, out);)* })*
                }
            }

            /// Visits the fields by name.
            pub fn visit(&self, visitor: &mut dyn FieldVisitor) {
                let _ = &visitor;
                match self {
                    $($enum::$name { $($field),* } => {
                        $(visitor.field(stringify!($field), &Shown($field));)*
                    })*
                }
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                struct Fields<'a, 'b>(&'a mut fmt::Formatter<'b>, fmt::Result);
                impl FieldVisitor for Fields<'_, '_> {
                    fn field(&mut self, name: &'static str, value: &dyn fmt::Display) {
                        if self.1.is_ok() {
                            // `{:#}` leaves out no digit, so that events that differ look different.
                            self.1 = match self.0.alternate() {
                                true => write!(self.0, " {name}={value:#}"),
                                false => write!(self.0, " {name}={value}"),
                            };
                        }
                    }
                }
                f.write_str(self.kind())?;
                let mut fields = Fields(f, Ok(()));
                self.visit(&mut fields);
                fields.1
            }
        }
    };
}

events! { Event:
    // --- processes
    /// A node's incarnation began.
    Started = 1 { incarnation: Incarnation };
    /// A node lost its volatile state.
    Crashed = 2 { incarnation: Incarnation };
    /// A node stopped making progress, its memory kept.
    Paused = 3 {};
    Resumed = 4 {};
    /// A node's wall clock is now this many nanoseconds off true time.
    ClockSet = 5 { offset: i64 };
    /// A role panicked: the run's verdict is Crashed.
    Panicked = 6 { incarnation: Incarnation };
    // --- faults, at NodeId::WORLD
    FaultBegan = 8 { fault: FaultId, kind: FaultKind };
    FaultEnded = 9 { fault: FaultId, kind: FaultKind };
    /// The node's path opened. For an agent or rotator: both run, and messages pass both ways
    /// between it and the authority. For the target: some rotator whose own path is open also
    /// exchanges messages with it, and it runs. For a replica: it runs and the target's path is
    /// open; a replica cut off from its primary closes itself within `visibility`.
    Reachable = 10 {};
    Unreachable = 11 {};
    // --- links
    Sent = 16 { to: NodeId, frame: FrameKind, tag: Tag };
    Received = 17 { from: NodeId, frame: FrameKind, tag: Tag };
    Lost = 18 { to: NodeId, frame: FrameKind, cause: LossCause };
    Held = 19 { to: NodeId, frame: FrameKind };
    Released = 20 { to: NodeId, frame: FrameKind };
    // --- calls
    Called = 24 { call: CallId, to: NodeId, frame: FrameKind, tag: Tag };
    CallArrived = 25 { call: CallId, from: NodeId, frame: FrameKind };
    Replied = 26 { call: CallId, to: NodeId, frame: FrameKind, tag: Tag };
    Returned = 27 { call: CallId, from: NodeId, frame: FrameKind };
    CallUnknown = 28 { call: CallId, to: NodeId };
    // --- disk and timers
    PersistBegan = 32 { record: RecordId, tag: Tag };
    /// The role was told that its record is durable.
    Persisted = 33 { record: RecordId };
    PersistFailed = 34 { record: RecordId };
    ProposeBegan = 35 { tag: Tag };
    TimerFired = 36 { timer: TimerId };
    // --- the authority's log: the only source of the ledger's slices
    /// The entry at `index` is durable. It takes effect iff `expected` equals the slice's revision.
    Committed = 64 { index: LogIndex, at: Wall, secret: SecretId, expected: Revision, command: Command };
    /// The authority restarted, with this many entries durable.
    LogRecovered = 65 { length: LogIndex };
    /// The authority sent an answer that reflects its log up to `index`.
    Answered = 66 { index: LogIndex };
    // --- the target
    /// The primary's durable state changed (or was rewritten) under `fence`: `principal` now accepts
    /// `value`, or nothing if the tag is none.
    Enforced = 72 { secret: SecretId, fence: Fence, principal: Principal, value: Tag };
    /// The primary told a rotator that the effect with `fence` is applied.
    Promised = 73 { secret: SecretId, fence: Fence };
    /// What the restarted primary found durable for this secret; `fence` is none if nothing ever was.
    TargetRecovered = 74 { secret: SecretId, fence: Option<Fence>, blue: Tag, green: Tag };
    /// A replica's copy is now this.
    Mirrored = 75 { secret: SecretId, blue: Tag, green: Tag };
    /// The node (primary or replica) accepted a login.
    Authenticated = 76 { secret: SecretId, principal: Principal, value: Tag };
    /// The node (primary or replica) refused a login.
    Refused = 77 { secret: SecretId, principal: Principal, value: Tag, reason: Refusal };
    /// What the primary's two principals may do, from now on.
    Privileged = 78 { secret: SecretId, blue: Privileges, green: Privileges };
    // --- delivery
    /// The agent's durable record for the secret is now this; `until` is its grant's end on the
    /// authority's wall clock.
    Stored = 80 { secret: SecretId, version: VersionId, serial: Serial, until: Wall };
    /// The agent restarted and found this durable (version 0: nothing).
    AgentRecovered = 81 { secret: SecretId, version: VersionId, serial: Serial };
    /// The agent told the authority that it has stored this.
    Acknowledged = 82 { secret: SecretId, version: VersionId, serial: Serial };
    /// The agent gave the version to a workload.
    HandedOut = 83 { secret: SecretId, version: VersionId, value: Tag, to: NodeId };
    /// The agent was asked and gave nothing.
    Withheld = 84 { secret: SecretId, to: NodeId };
    // --- formats
    /// The node sent `peer` a request or an answer in `format`, saying that nothing below `floor` may be
    /// spoken. Recorded when either differs from the last time, in an incarnation.
    Spoke = 86 { peer: NodeId, format: Format, floor: Format };
    // --- the operator
    /// The operator issued an order (it may be refused; the log tells).
    Ordered = 88 { secret: SecretId, order: OrderKind };
}

impl Event {
    /// The secret that the event is about, if it is about one.
    pub const fn secret(&self) -> Option<SecretId> {
        match *self {
            Event::Committed { secret, .. }
            | Event::Enforced { secret, .. }
            | Event::Promised { secret, .. }
            | Event::TargetRecovered { secret, .. }
            | Event::Mirrored { secret, .. }
            | Event::Authenticated { secret, .. }
            | Event::Refused { secret, .. }
            | Event::Privileged { secret, .. }
            | Event::Stored { secret, .. }
            | Event::AgentRecovered { secret, .. }
            | Event::Acknowledged { secret, .. }
            | Event::HandedOut { secret, .. }
            | Event::Withheld { secret, .. }
            | Event::Ordered { secret, .. } => Some(secret),
            _ => None,
        }
    }
}

events! { Command:
    /// Genesis: the first version, current, accepted at the target under the zero fence.
    Enroll = 1 { version: VersionId, principal: Principal, value: Tag };
    /// `rotator` holds the lease from now on, with a new epoch.
    AcquireLease = 2 { rotator: NodeId, epoch: Epoch, until: Wall };
    /// The holder's lease is longer; same epoch.
    RenewLease = 3 { rotator: NodeId, epoch: Epoch, until: Wall };
    /// Phase `Idle → Draft`: `version` is pending. The value is durable with the command.
    Begin = 4 { epoch: Epoch, txn: TxnId, version: VersionId, principal: Principal, value: Tag, cause: Cause };
    /// The rotation moves along a forward edge, or `Revert → Discard`, or to `Idle`.
    Advance = 5 { epoch: Epoch, txn: TxnId, from: Phase, to: Phase };
    /// The rotation is given up, by an operator or because its version was revoked.
    RollBack = 6 { txn: TxnId };
    /// An operator wants a rotation.
    OrderRotation = 7 {};
    /// `version` must not be used from now on; the secret's revocation serial becomes `serial`.
    Revoke = 8 { version: VersionId, serial: Serial };
    /// A rotator saw that the target refuses the revoked `version`: the debt is closed.
    ConfirmRefused = 9 { epoch: Epoch, version: VersionId };
    /// `agent` may hold and hand out `version` until then.
    Grant = 10 { agent: NodeId, version: VersionId, until: Wall };
    /// `agent` says that it has durably stored `version` and every revocation up to `serial`.
    Acknowledge = 11 { agent: NodeId, version: VersionId, serial: Serial };
    /// Nothing below `floor` is spoken or written from now on.
    RaiseFloor = 12 { floor: Format };
    /// The rotator tries, from now on under this number, to have the pending version's key minted; what
    /// an earlier attempt minted belongs to nobody.
    Attempt = 13 { epoch: Epoch, txn: TxnId, attempt: Attempt };
    /// The target minted this under the open attempt: the pending version has its value. The value is
    /// durable with the command.
    Fill = 14 { epoch: Epoch, txn: TxnId, attempt: Attempt, principal: Principal, value: Tag };
}

macro_rules! named {
    ($($(#[$doc:meta])* $enum:ident { $($(#[$vdoc:meta])* $name:ident = $number:literal $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $enum { $($(#[$vdoc])* $name = $number,)* }

        impl $enum {
            pub const ALL: &'static [$enum] = &[$($enum::$name),*];

            pub const fn name(self) -> &'static str {
                match self { $($enum::$name => $text,)* }
            }

            pub fn from_number(number: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|each| *each as u8 == number)
            }
        }

        impl fmt::Display for $enum {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl Word for $enum {
            fn word(self, out: &mut Vec<u8>) {
                out.push(self as u8);
            }
        }
    )*};
}

named! {
    /// Kind of frame on a link, read from its header without decoding the rest.
    FrameKind {
        /// Not a frame of ours.
        Garbage = 0 "garbage",
        ReadRequest = 1 "read-request",
        LeaseRequest = 2 "lease-request",
        BeginRequest = 3 "begin-request",
        AdvanceRequest = 4 "advance-request",
        ConfirmRequest = 5 "confirm-request",
        RecordReply = 6 "record-reply",
        HeartbeatRequest = 7 "heartbeat-request",
        HeartbeatReply = 8 "heartbeat-reply",
        OrderRequest = 9 "order-request",
        OrderReply = 10 "order-reply",
        ApplyRequest = 11 "apply-request",
        ApplyReply = 12 "apply-reply",
        QueryRequest = 13 "query-request",
        QueryReply = 14 "query-reply",
        LoginRequest = 15 "login-request",
        LoginReply = 16 "login-reply",
        Replicate = 17 "replicate",
        GetRequest = 18 "get-request",
        GetReply = 19 "get-reply",
        /// The answer to a request in a format that the callee does not speak; every build reads it.
        Unsupported = 20 "unsupported",
        PrivilegeRequest = 21 "privilege-request",
        PrivilegeReply = 22 "privilege-reply",
        AttemptRequest = 23 "attempt-request",
        FillRequest = 24 "fill-request",
        MintRequest = 25 "mint-request",
        MintReply = 26 "mint-reply",
        DeleteRequest = 27 "delete-request",
        DeleteReply = 28 "delete-reply",
    }
    /// Why a message never arrived.
    LossCause {
        /// A partition stood when it was sent or when it would have arrived.
        Cut = 1 "cut",
        /// The receiver was down, or had restarted since.
        Down = 2 "down",
        /// A planned loss of just this message.
        Dropped = 3 "dropped",
        /// The queue before a narrow link was full.
        Full = 4 "full",
        /// It had changed on the way, and its framing showed it.
        Corrupted = 5 "corrupted",
        /// Its connection broke while it was in flight.
        Reset = 6 "reset",
    }
    /// Why a login was refused.
    Refusal {
        /// The principal accepts another value, or none.
        WrongValue = 1 "wrong-value",
        /// The replica has not heard from its primary in time and closed itself.
        Stale = 2 "stale",
    }
    /// What an operator can order.
    OrderKind {
        Rotate = 1 "rotate",
        RollBack = 2 "roll-back",
        RevokeCurrent = 3 "revoke-current",
        RevokePrevious = 4 "revoke-previous",
        RevokePending = 5 "revoke-pending",
        /// Raise the floor to format 2; refused unless everybody is known to speak it.
        RequireFormat2 = 6 "require-format-2",
        /// The same for format 3.
        RequireFormat3 = 7 "require-format-3",
        /// At the target: the secret's principals may not write any more.
        Restrict = 8 "restrict",
        /// At the target: they may do everything.
        Extend = 9 "extend",
    }
}

impl OrderKind {
    /// The floor that the order asks for.
    pub const fn floor(self) -> Option<Format> {
        match self {
            OrderKind::RequireFormat2 => Some(Format(2)),
            OrderKind::RequireFormat3 => Some(Format(3)),
            OrderKind::Rotate
            | OrderKind::RollBack
            | OrderKind::RevokeCurrent
            | OrderKind::RevokePrevious
            | OrderKind::RevokePending
            | OrderKind::Restrict
            | OrderKind::Extend => None,
        }
    }
}

/// Canonical little-endian bytes of one field.
pub trait Word {
    fn word(self, out: &mut Vec<u8>);
}

macro_rules! words {
    ($($name:ty),*) => {$(
        impl Word for $name {
            fn word(self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0.to_le_bytes());
            }
        }
    )*};
}

words!(
    Attempt,
    NodeId,
    SecretId,
    VersionId,
    TxnId,
    Epoch,
    Revision,
    Serial,
    LogIndex,
    CallId,
    TimerId,
    RecordId,
    Incarnation,
    FaultId,
    Tag,
    Wall,
    Format,
    Privileges
);

impl Word for i64 {
    fn word(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }
}

impl Word for Command {
    fn word(self, out: &mut Vec<u8>) {
        self.words(out);
    }
}

impl Word for Fence {
    fn word(self, out: &mut Vec<u8>) {
        let Fence { epoch, txn, step } = self;
        epoch.word(out);
        txn.word(out);
        out.push(step.number());
    }
}

impl Word for Option<Fence> {
    fn word(self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(fence) => {
                out.push(1);
                fence.word(out);
            }
        }
    }
}

macro_rules! numbered {
    ($($name:ty),*) => {$(
        impl Word for $name {
            fn word(self, out: &mut Vec<u8>) {
                out.push(self as u8);
            }
        }
    )*};
}

numbered!(Principal, Phase, Cause, FaultKind);

/// Shows a field as stories spell it.
struct Shown<'a, T>(&'a T);

macro_rules! shown {
    (display $($name:ty),*; debug $($other:ty),*) => {
        $(impl fmt::Display for Shown<'_, $name> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Display::fmt(self.0, f) }
        })*
        $(impl fmt::Display for Shown<'_, $other> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(self.0, f) }
        })*
    };
}

shown!(display Attempt, NodeId, SecretId, VersionId, TxnId, Epoch, Revision, Serial, LogIndex, CallId, TimerId,
    RecordId, Incarnation, FaultId, Tag, Wall, Format, i64, Command, Fence, FrameKind, LossCause, Refusal, OrderKind, Privileges;
    debug Principal);

impl fmt::Display for Shown<'_, Phase> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Display for Shown<'_, Cause> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for Shown<'_, FaultKind> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Display for Shown<'_, Option<Fence>> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(fence) => fmt::Display::fmt(fence, f),
            None => f.write_str("none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_shows_its_fields_and_differs_in_words_when_a_field_differs() {
        let one = Event::Sent { to: NodeId(3), frame: FrameKind::GetRequest, tag: Tag(7) };
        let two = Event::Sent { to: NodeId(4), frame: FrameKind::GetRequest, tag: Tag(7) };
        assert_eq!(one.to_string(), "Sent to=node-3 frame=get-request tag=#0000000000000007");
        let until = Wall(1_000_000_001);
        let granted = Command::Grant { agent: NodeId(3), version: VersionId(1), until };
        assert_eq!(granted.to_string(), "Grant agent=node-3 version=v1 until=1.000000 s");
        assert_eq!(format!("{granted:#}"), "Grant agent=node-3 version=v1 until=1.000000001 s");
        let (mut left, mut right) = (Vec::new(), Vec::new());
        one.words(&mut left);
        two.words(&mut right);
        assert_ne!(left, right);
    }
}
