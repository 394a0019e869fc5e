//! Frames on links.

use crate::envelope::unwrapped;
use crate::record::WireFence;
use crate::{DecodeError, number};
use minicbor::{Decode, Encode};
use tumbler_types::event::{FrameKind, OrderKind, Refusal};
use tumbler_types::{
    Attempt, Epoch, Format, LogIndex, NodeId, Phase, Principal, Privileges, Revision, SecretId, SecretValue,
    Serial, Span, Tag, TxnId, VersionId, Wall,
};

macro_rules! frames {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $n:literal $field:ident: $ty:ty $(, with $with:literal $($nil:ident)?)?;)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
            pub struct $name {
                $($(#[$fdoc])* #[cbor(n($n) $(, with = $with $(, $nil)?)?)] pub $field: $ty,)*
            }

            impl From<$name> for Frame {
                fn from(body: $name) -> Frame {
                    Frame::$name(body)
                }
            }
        )*

        /// Any frame, parsed.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum Frame { $($name($name),)* }

        impl Frame {
            pub const fn kind(&self) -> FrameKind {
                match self { $(Frame::$name(_) => FrameKind::$name,)* }
            }

            /// The frame with all that it has, marked as of the highest format. A session brings it
            /// to the format that both ends speak.
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut out = Vec::with_capacity(64);
                out.extend_from_slice(&[Format::HIGHEST.0, self.kind() as u8]);
                match self {
                    $(Frame::$name(body) => minicbor::encode(body, &mut out),)*
                }
                .expect("writing to a vector cannot fail");
                out
            }

            /// Reads a frame of any format, in an envelope or without. What its format lacks is absent.
            pub fn from_bytes(bytes: &[u8]) -> Result<Frame, DecodeError> {
                let [format, kind, body @ ..] = unwrapped(bytes) else { return Err(DecodeError::Truncated) };
                if Format::from_number(*format).is_none() {
                    return Err(DecodeError::Format { got: *format });
                }
                match FrameKind::from_number(*kind) {
                    $(Some(FrameKind::$name) => Ok(Frame::$name(minicbor::decode(body)?)),)*
                    Some(FrameKind::Garbage) | None => Err(DecodeError::Kind { got: *kind }),
                }
            }
        }
    };
}

frames! {
    /// A rotator reads a secret's record.
    ReadRequest { 0 secret: SecretId, with "number"; }
    /// A rotator asks for the lease, or for a longer one.
    LeaseRequest {
        0 secret: SecretId, with "number";
        /// The latest time, by the sender's wall clock, at which it may be granted. Since format 3,
        /// and there required.
        1 latest: Option<Wall>, with "number::optional" has_nil;
    }
    /// A rotator opens a rotation with a fresh value.
    BeginRequest {
        0 secret: SecretId, with "number";
        1 epoch: Epoch, with "number";
        2 txn: TxnId, with "number";
        3 version: VersionId, with "number";
        4 principal: Principal, with "number";
        5 value: SecretValue, with "number::secret";
    }
    /// A rotator moves a rotation along an edge.
    AdvanceRequest {
        0 secret: SecretId, with "number";
        1 epoch: Epoch, with "number";
        2 txn: TxnId, with "number";
        3 from: Phase, with "number";
        4 to: Phase, with "number";
    }
    /// A rotator saw that the target refuses a revoked version.
    ConfirmRequest {
        0 secret: SecretId, with "number";
        /// Since format 2, and there required.
        1 epoch: Option<Epoch>, with "number::optional" has_nil;
        2 version: VersionId, with "number";
    }
    /// The record, after the command or unchanged with a refusal.
    RecordReply {
        /// Whether the record shows what was asked for.
        0 done: bool, with "number";
        /// The log position that this answer reflects.
        1 index: LogIndex, with "number";
        2 record: Record;
    }
    /// An agent reports what it has durably stored, and asks what it should hold.
    HeartbeatRequest {
        0 secret: SecretId, with "number";
        1 version: VersionId, with "number";
        /// Since format 2; absent while the authority does not tell one.
        2 serial: Option<Serial>, with "number::optional" has_nil;
        /// End of the grant that it knows of.
        3 until: Wall, with "number";
    }
    /// What the agent may hold now. Version 0: nothing.
    HeartbeatReply {
        0 secret: SecretId, with "number";
        1 index: LogIndex, with "number";
        2 version: VersionId, with "number";
        3 principal: Principal, with "number";
        /// Empty if the agent already reported this version.
        4 value: SecretValue, with "number::secret";
        5 until: Wall, with "number";
        /// Time left of the grant when the reply was made, on the authority's clock.
        6 left: Span, with "number";
        /// Since format 2; absent while the floor is below, because a record could not keep it.
        7 serial: Option<Serial>, with "number::optional" has_nil;
        8 revoked: Vec<VersionId>, with "number::list";
    }
    /// An operator's order, or a rotator's wish to give up transaction `txn`.
    OrderRequest {
        0 secret: SecretId, with "number";
        1 order: OrderKind, with "number";
        2 txn: Option<TxnId>, with "number";
    }
    OrderReply {
        0 accepted: bool, with "number";
        1 index: LogIndex, with "number";
    }
    /// Sets (or, with the none tag's empty value, closes) a principal at the target.
    ApplyRequest {
        0 secret: SecretId, with "number";
        1 fence: WireFence;
        2 principal: Principal, with "number";
        /// Empty: the principal accepts nothing from now on.
        3 value: SecretValue, with "number::secret";
    }
    ApplyReply {
        0 applied: bool, with "number";
        /// The highest fence that the target has seen.
        1 last: Option<WireFence>;
    }
    /// Asks a target what is in force.
    QueryRequest { 0 secret: SecretId, with "number"; }
    QueryReply {
        0 fence: Option<WireFence>;
        1 blue: Tag, with "number";
        2 green: Tag, with "number";
    }
    LoginRequest {
        0 secret: SecretId, with "number";
        1 principal: Principal, with "number";
        2 value: SecretValue, with "number::secret";
    }
    /// With what both principals may do there. All of it is not written.
    LoginReply {
        0 refusal: Option<Refusal>, with "number";
        1 blue: Privileges, with "number::sparse" has_nil;
        2 green: Privileges, with "number::sparse" has_nil;
    }
    /// The primary's whole state for one secret, to its replicas.
    Replicate {
        0 secret: SecretId, with "number";
        1 fence: Option<WireFence>;
        2 blue: Tag, with "number";
        3 green: Tag, with "number";
        /// The primary's wall clock when it sent this.
        4 sent: Wall, with "number";
        5 blue_may: Privileges, with "number::sparse" has_nil;
        6 green_may: Privileges, with "number::sparse" has_nil;
    }
    /// The operator says what the secret's open principals may do.
    PrivilegeRequest {
        0 secret: SecretId, with "number";
        1 privileges: Privileges, with "number";
    }
    PrivilegeReply { 0 done: bool, with "number"; }
    /// A rotator opens a further attempt at having the pending version's key minted.
    AttemptRequest {
        0 secret: SecretId, with "number";
        1 epoch: Epoch, with "number";
        2 txn: TxnId, with "number";
        3 attempt: Attempt, with "number";
    }
    /// A rotator was told the key that the target minted under the open attempt.
    FillRequest {
        0 secret: SecretId, with "number";
        1 epoch: Epoch, with "number";
        2 txn: TxnId, with "number";
        3 attempt: Attempt, with "number";
        4 principal: Principal, with "number";
        5 value: SecretValue, with "number::secret";
    }
    /// Asks a target to mint one more key. The fence says on whose behalf; it orders nothing.
    MintRequest {
        0 secret: SecretId, with "number";
        1 fence: WireFence;
    }
    /// The new key, told this once. Empty: there are as many as there may be.
    MintReply {
        0 principal: Principal, with "number";
        1 value: SecretValue, with "number::secret";
    }
    /// Asks a target to delete the key of this name, if it has it.
    DeleteRequest {
        0 secret: SecretId, with "number";
        1 fence: WireFence;
        2 key: Tag, with "number";
    }
    DeleteReply {
        /// The target has no such key, now.
        0 gone: bool, with "number";
    }
    /// A workload asks its agent for the credential.
    GetRequest { 0 secret: SecretId, with "number"; }
    /// Version 0: the agent has nothing to give.
    GetReply {
        0 secret: SecretId, with "number";
        1 version: VersionId, with "number";
        2 principal: Principal, with "number";
        3 value: SecretValue, with "number::secret";
    }
    /// The request's format is not spoken here; the envelope says which are.
    Unsupported { }
}

impl Frame {
    /// The frame's bytes in `format`: marked so, without what it lacks. Errs if it lacks what the
    /// format requires. Bytes of most kinds are the same in every format and only get their mark.
    pub fn in_format(mut bytes: Vec<u8>, format: Format) -> Result<Vec<u8>, DecodeError> {
        let kind = match &bytes[..] {
            [_, kind, ..] => FrameKind::from_number(*kind),
            _ => return Err(DecodeError::Truncated),
        };
        let differs = matches!(
            kind,
            Some(
                FrameKind::LeaseRequest
                    | FrameKind::ConfirmRequest
                    | FrameKind::HeartbeatRequest
                    | FrameKind::HeartbeatReply
            )
        );
        if differs {
            let mut frame = Frame::from_bytes(&bytes)?;
            frame.required(format)?;
            if frame.lower(format) {
                bytes = frame.to_bytes();
            }
        }
        bytes[0] = format.0;
        Ok(bytes)
    }

    /// Removes what the format lacks. Returns whether anything was removed.
    fn lower(&mut self, format: Format) -> bool {
        match self {
            Frame::LeaseRequest(body) if format < Format(3) => body.latest.take().is_some(),
            Frame::ConfirmRequest(body) if format < Format(2) => body.epoch.take().is_some(),
            Frame::HeartbeatRequest(body) if format < Format(2) => body.serial.take().is_some(),
            Frame::HeartbeatReply(body) if format < Format(2) => body.serial.take().is_some(),
            _ => false,
        }
    }

    /// Whether the frame has all that the format requires.
    pub fn required(&self, format: Format) -> Result<(), DecodeError> {
        match self {
            Frame::LeaseRequest(body) if format >= Format(3) && body.latest.is_none() => {
                Err(DecodeError::Missing { field: "latest" })
            }
            Frame::ConfirmRequest(body) if format >= Format(2) && body.epoch.is_none() => {
                Err(DecodeError::Missing { field: "epoch" })
            }
            _ => Ok(()),
        }
    }
}

/// A version that carries a staging label.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Labeled {
    #[cbor(n(0), with = "number")]
    pub version: VersionId,
    #[cbor(n(1), with = "number")]
    pub principal: Principal,
    #[cbor(n(2), with = "number::secret")]
    pub value: SecretValue,
}

/// What a rotator needs to know of a secret.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
    #[cbor(n(0), with = "number")]
    pub secret: SecretId,
    #[cbor(n(1), with = "number")]
    pub revision: Revision,
    #[cbor(n(2), with = "number")]
    pub phase: Phase,
    #[cbor(n(3), with = "number")]
    pub txn: TxnId,
    #[cbor(n(4), with = "number")]
    pub epoch: Epoch,
    /// Holder of the lease with that epoch; meaningless at epoch 0.
    #[cbor(n(5), with = "number")]
    pub holder: NodeId,
    /// Time left of that lease when the reply was made, on the authority's clock.
    #[cbor(n(6), with = "number")]
    pub lease_left: Span,
    #[n(7)]
    pub current: Option<Labeled>,
    #[n(8)]
    pub previous: Option<Labeled>,
    #[n(9)]
    pub pending: Option<Labeled>,
    /// The highest version ever begun.
    #[cbor(n(10), with = "number")]
    pub version_last: VersionId,
    #[cbor(n(11), with = "number::list")]
    pub revoked: Vec<VersionId>,
    #[cbor(n(12), with = "number::list")]
    pub owed: Vec<VersionId>,
    /// A rotation is wanted.
    #[cbor(n(13), with = "number")]
    pub due: bool,
    /// The guard of the phase's next edge holds.
    #[cbor(n(14), with = "number")]
    pub ready: bool,
    /// Time left, on the authority's clock, until nothing earlier can land at the target any more.
    /// Zero, which is not written, where fences are enforced.
    #[cbor(n(15), with = "number::sparse", has_nil)]
    pub quarantine_left: Span,
    /// The open attempt at having the pending version's key minted. Zero, which is not written, where
    /// rotators mint.
    #[cbor(n(16), with = "number::sparse", has_nil)]
    pub attempt: Attempt,
}

impl Record {
    pub fn is_revoked(&self, version: VersionId) -> bool {
        self.revoked.contains(&version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::kind_of;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_heartbeat_reply_survives_its_bytes(
            index: u32, version: u32, until: u64, left: u64, serial: u32, revoked in proptest::collection::vec(any::<u32>(), 0..5)
        ) {
            let frame = Frame::from(HeartbeatReply {
                secret: SecretId(3), index: LogIndex(index), version: VersionId(version),
                principal: Principal::Green, value: SecretValue::new(vec![1, 2, 3]), until: Wall(until),
                left: Span(left), serial: Some(Serial(serial)), revoked: revoked.into_iter().map(VersionId).collect(),
            });
            let bytes = frame.to_bytes();
            prop_assert_eq!(kind_of(&bytes), FrameKind::HeartbeatReply);
            prop_assert_eq!(Frame::from_bytes(&bytes), Ok(frame));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80), kind in 0u8..24) {
            let _ = Frame::from_bytes(&bytes);
            let mut framed = vec![Format::HIGHEST.0, kind];
            framed.extend_from_slice(&bytes);
            let _ = Frame::from_bytes(&framed);
        }
    }
}
