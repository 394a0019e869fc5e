//! What is on disks: one record per secret, on targets and agents.

use crate::{DecodeError, number};
use minicbor::{Decode, Encode};
use tumbler_types::{
    Epoch, Fence, Format, Principal, Privileges, RecordId, SecretId, SecretValue, Serial, Step, Tag, TxnId,
    VersionId, Wall,
};

/// The record that holds a secret on any node.
pub const fn record_of(secret: SecretId) -> RecordId {
    RecordId(secret.0 as u32)
}

/// The secret that a record holds; `None` for a record that is not of this layout.
pub fn secret_of(record: RecordId) -> Option<SecretId> {
    u16::try_from(record.0).ok().map(SecretId)
}

/// A fence as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct WireFence {
    #[cbor(n(0), with = "number")]
    pub epoch: Epoch,
    #[cbor(n(1), with = "number")]
    pub txn: TxnId,
    #[cbor(n(2), with = "number")]
    pub step: Step,
}

impl From<Fence> for WireFence {
    fn from(Fence { epoch, txn, step }: Fence) -> Self {
        WireFence { epoch, txn, step }
    }
}

impl From<WireFence> for Fence {
    fn from(WireFence { epoch, txn, step }: WireFence) -> Self {
        Fence { epoch, txn, step }
    }
}

/// The target's row for one secret: the last fence, and the verifier of each principal.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct TargetRecord {
    #[n(0)]
    pub fence: Option<WireFence>,
    #[cbor(n(1), with = "number")]
    pub blue: Tag,
    #[cbor(n(2), with = "number")]
    pub green: Tag,
    /// The principal that the last effect touched.
    #[cbor(n(3), with = "number")]
    pub touched: Principal,
    /// What each principal may do, open or not.
    #[cbor(n(4), with = "number::sparse", has_nil)]
    pub blue_may: Privileges,
    #[cbor(n(5), with = "number::sparse", has_nil)]
    pub green_may: Privileges,
}

impl Default for TargetRecord {
    fn default() -> Self {
        TargetRecord {
            fence: None,
            blue: Tag::NONE,
            green: Tag::NONE,
            touched: Principal::Blue,
            blue_may: Privileges::ALL,
            green_may: Privileges::ALL,
        }
    }
}

impl TargetRecord {
    pub const fn accepts(&self, principal: Principal) -> Tag {
        match principal {
            Principal::Blue => self.blue,
            Principal::Green => self.green,
        }
    }

    pub fn set(&mut self, principal: Principal, value: Tag) {
        match principal {
            Principal::Blue => self.blue = value,
            Principal::Green => self.green = value,
        }
    }

    pub const fn may(&self, principal: Principal) -> Privileges {
        match principal {
            Principal::Blue => self.blue_may,
            Principal::Green => self.green_may,
        }
    }

    pub fn permit(&mut self, principal: Principal, privileges: Privileges) {
        match principal {
            Principal::Blue => self.blue_may = privileges,
            Principal::Green => self.green_may = privileges,
        }
    }

    pub fn fence(&self) -> Option<Fence> {
        self.fence.map(Fence::from)
    }
}

/// The agent's record for one secret. Version 0 is none.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct AgentRecord {
    #[cbor(n(0), with = "number")]
    pub version: VersionId,
    #[cbor(n(1), with = "number")]
    pub principal: Principal,
    #[cbor(n(2), with = "number::secret")]
    pub value: SecretValue,
    /// End of the grant on the authority's wall clock.
    #[cbor(n(3), with = "number")]
    pub until: Wall,
    /// Since format 2.
    #[cbor(n(4), with = "number::optional", has_nil)]
    pub serial: Option<Serial>,
    #[cbor(n(5), with = "number::list")]
    pub revoked: Vec<VersionId>,
}

impl AgentRecord {
    /// An agent that never stored anything.
    pub fn empty() -> Self {
        AgentRecord {
            version: VersionId(0),
            principal: Principal::Blue,
            value: SecretValue::new(Vec::new()),
            until: Wall::ZERO,
            serial: None,
            revoked: Vec::new(),
        }
    }
}

/// A record's or log entry's bytes as `format` has them: marked so, and without what it lacks. What
/// is kept is written at the floor, so that every build that may still come back can read it, and no
/// build that may not.
pub fn in_format(mut bytes: Vec<u8>, format: Format) -> Vec<u8> {
    if format < Format(2)
        && let Ok(mut record) = AgentRecord::from_bytes(&bytes)
        && record.serial.take().is_some()
    {
        bytes = record.to_bytes();
    }
    if let Some(mark) = bytes.first_mut() {
        *mark = format.0;
    }
    bytes
}

/// The format that a record or log entry is marked with.
pub fn format_of(bytes: &[u8]) -> Option<Format> {
    bytes.first().copied().and_then(Format::from_number)
}

macro_rules! on_disk {
    ($($name:ident = $kind:literal),*) => {$(
        impl $name {
            const KIND: u8 = $kind;

            /// Marked as of the lowest format: see [`in_format`].
            pub fn to_bytes(&self) -> Vec<u8> {
                let mut out = vec![Format::LOWEST.0, Self::KIND];
                minicbor::encode(self, &mut out).expect("writing to a vector cannot fail");
                out
            }

            /// Reads a record of any format.
            pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
                let [format, kind, body @ ..] = bytes else { return Err(DecodeError::Truncated) };
                if Format::from_number(*format).is_none() {
                    return Err(DecodeError::Format { got: *format });
                }
                if *kind != Self::KIND {
                    return Err(DecodeError::Kind { got: *kind });
                }
                Ok(minicbor::decode(body)?)
            }
        }
    )*};
}

on_disk!(TargetRecord = 128, AgentRecord = 129);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_target_record_survives_its_bytes_and_damage_never_panics(
            epoch: u32, txn: u32, blue: u64, green: u64, cut in 0usize..40, flip in 0usize..40
        ) {
            let fence = Fence { epoch: Epoch(epoch), txn: TxnId(txn), step: Step::Retire };
            let record = TargetRecord { fence: Some(fence.into()), blue: Tag(blue), green: Tag(green), touched: Principal::Green, blue_may: Privileges::READ_ONLY, green_may: Privileges::ALL };
            let bytes = record.to_bytes();
            prop_assert_eq!(TargetRecord::from_bytes(&bytes), Ok(record));
            let _ = TargetRecord::from_bytes(&bytes[..cut.min(bytes.len())]);
            let mut damaged = bytes.clone();
            let at = flip % damaged.len();
            damaged[at] ^= 0x55;
            let _ = TargetRecord::from_bytes(&damaged);
        }
    }
}
