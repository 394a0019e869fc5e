//! Byte formats on links and disks.
//!
//! Frames and records are CBOR maps and arrays with numbered fields, behind a header of two bytes:
//! format version and kind. An unknown field is skipped, a missing optional one reads as absent, so
//! formats can grow. Bytes are parsed once, here, into the typed values that roles work with.
//!
//! What this crate deliberately does not do: decide anything. It holds no protocol rule.

pub mod command;
pub mod frame;
mod number;
pub mod record;
pub mod tag;

pub use command::LogCommand;
pub use frame::{Frame, Labeled, Record};
pub use record::{AgentRecord, TargetRecord};

use std::fmt;

/// Version of the formats that this build writes.
pub const FORMAT: u8 = 1;

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
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Truncated => f.write_str("shorter than its header of two bytes"),
            DecodeError::Format { got } => write!(f, "format {got}, expected {FORMAT}"),
            DecodeError::Kind { got } => write!(f, "kind {got} does not fit here"),
            DecodeError::Body => f.write_str("the body does not parse"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        DecodeError::Body
    }
}
