//! Byte formats on links and disks.
//!
//! Frames and records are CBOR maps and arrays with numbered fields, behind a header of two bytes:
//! format version and kind. An unknown field is skipped, a missing optional one reads as absent, so
//! formats can grow. Bytes are parsed once, here, into the typed values that roles work with.
//!
//! There are three formats. The types here are the newest one's; what an older format lacks is an
//! `Option`, absent when it was read from there:
//!
//! | format | build | differs |
//! |---|---|---|
//! | 1 | n-1 | a confirmation has no epoch; heartbeats and agents' records have no revocation serial |
//! | 2 | n | has both |
//! | 3 | n+1 | a lease request must name the latest time at which it may be granted |
//!
//! What this crate deliberately does not do: decide anything. It holds no protocol rule.

pub mod command;
pub mod envelope;
pub mod frame;
mod number;
pub mod record;
pub mod tag;

pub use command::LogCommand;
pub use envelope::Envelope;
pub use frame::{Frame, Labeled, Record};
pub use record::{AgentRecord, TargetRecord};

use std::fmt;
use tumbler_types::Format;

/// Bytes that are no frame, record or command of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// Shorter than a header.
    Truncated,
    /// The first byte names a format that this build does not read.
    Format { got: u8 },
    /// The second byte names no kind that fits here.
    Kind { got: u8 },
    /// The body does not parse.
    Body,
    /// A field is absent that this format requires.
    Missing { field: &'static str },
    /// The seal does not fit the bytes.
    Seal,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("shorter than its header of two bytes"),
            DecodeError::Format { got } => {
                write!(f, "format {got}, expected {} to {}", Format::LOWEST.0, Format::HIGHEST.0)
            }
            DecodeError::Kind { got } => write!(f, "kind {got} does not fit here"),
            DecodeError::Body => f.write_str("the body does not parse"),
            DecodeError::Missing { field } => write!(f, "the field `{field}` is missing"),
            DecodeError::Seal => f.write_str("the seal does not fit"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        DecodeError::Body
    }
}
