//! The envelope of a frame: who speaks, which formats, and a seal over the exchange.
//!
//! Its layout is older than every format and never changes, so that builds that share no format can
//! still tell each other so. An answer's seal covers the seal of its request: what somebody changed
//! on the way, in either, shows at whoever checks.
//!
//! What it deliberately does not do: decide which format to speak. That is a role's business.
//!
//! `Model:` one key for the cluster and a 64-bit keyed tag stand for signatures; the nemesis changes
//! bytes and has no key.

use crate::DecodeError;
use crate::tag::tag_of_parts;
use tumbler_types::event::FrameKind;
use tumbler_types::{Format, NodeId, Tag};

/// First byte of an envelope; no format has this number.
const MARK: u8 = 0xe1;
/// Mark, range, floor, speaker, echo; then the seal.
const SEALED: usize = 13;
/// Where the frame begins.
pub const HEADER: usize = SEALED + 8;
/// Key of the seals, known to every node and to nobody else.
const SEAL_KEY: [u8; 16] = *b"tumbler/seal/v1\0";

/// What an envelope says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The highest format that the sender speaks; it speaks all below, down to the floor.
    pub highest: Format,
    /// The lowest format that the sender still accepts.
    pub floor: Format,
    pub speaker: NodeId,
    /// In an answer the seal of its request; otherwise a number that the sender uses once, so that no
    /// two requests have the same seal.
    pub echo: Tag,
}

impl Envelope {
    /// Wraps a frame. Returns the bytes and their seal.
    pub fn seal(self, frame: &[u8]) -> (Vec<u8>, Tag) {
        let Envelope { highest, floor, speaker, echo } = self;
        let mut out = Vec::with_capacity(HEADER + frame.len());
        out.extend_from_slice(&[MARK, highest.0, floor.0]);
        out.extend_from_slice(&speaker.0.to_le_bytes());
        out.extend_from_slice(&echo.0.to_le_bytes());
        let seal = tag_of_parts(&SEAL_KEY, [&out, frame]);
        out.extend_from_slice(&seal.0.to_le_bytes());
        out.extend_from_slice(frame);
        (out, seal)
    }

    /// Reads an envelope without looking at its seal.
    pub fn read(bytes: &[u8]) -> Result<(Envelope, &[u8]), DecodeError> {
        let (header, frame) = bytes.split_at_checked(HEADER).ok_or(DecodeError::Truncated)?;
        if header[0] != MARK {
            return Err(DecodeError::Format { got: header[0] });
        }
        let format = |got: u8| Format::from_number(got).ok_or(DecodeError::Format { got });
        let envelope = Envelope {
            highest: format(header[1])?,
            floor: format(header[2])?,
            speaker: NodeId(u16::from_le_bytes([header[3], header[4]])),
            echo: Tag(u64_at(header, 5)),
        };
        Ok((envelope, frame))
    }

    /// Reads an envelope whose seal is right. Returns the frame and the seal with it.
    pub fn open(bytes: &[u8]) -> Result<(Envelope, &[u8], Tag), DecodeError> {
        let (envelope, frame) = Envelope::read(bytes)?;
        let seal = Tag(u64_at(bytes, SEALED));
        if tag_of_parts(&SEAL_KEY, [&bytes[..SEALED], frame]) != seal {
            return Err(DecodeError::Seal);
        }
        Ok((envelope, frame, seal))
    }
}

/// The frame inside, if there is an envelope around it; the bytes themselves otherwise.
pub fn unwrapped(bytes: &[u8]) -> &[u8] {
    match bytes {
        [MARK, ..] => bytes.get(HEADER..).unwrap_or(&[]),
        _ => bytes,
    }
}

/// What a man in the middle does who wants an older format spoken: the sender seems to know no other,
/// and to have agreed to nothing. He has no key: the seal stays as it was.
pub fn strip(bytes: &mut [u8]) {
    if let [MARK, highest, floor, ..] = bytes {
        (*highest, *floor) = (Format::LOWEST.0, Format::LOWEST.0);
    }
}

/// Changes the frame inside an envelope and seals it again, as only a node can.
pub fn resealed(bytes: &[u8], change: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    match Envelope::read(bytes) {
        Ok((envelope, frame)) => envelope.seal(&change(frame)).0,
        Err(_) => change(bytes),
    }
}

/// Kind of the frame, read from its header alone.
pub fn kind_of(bytes: &[u8]) -> FrameKind {
    match unwrapped(bytes) {
        [format, kind, ..] if Format::from_number(*format).is_some() => {
            FrameKind::from_number(*kind).unwrap_or(FrameKind::Garbage)
        }
        _ => FrameKind::Garbage,
    }
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let word: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes are eight");
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn envelope() -> Envelope {
        Envelope { highest: Format(2), floor: Format(1), speaker: NodeId(7), echo: Tag(9) }
    }

    proptest! {
        #[test]
        fn an_envelope_opens_as_it_was_sealed_and_not_after_any_change(
            frame in proptest::collection::vec(any::<u8>(), 2..40), at in 0usize..61, flip in 1u8..=255
        ) {
            let (bytes, seal) = envelope().seal(&frame);
            prop_assert_eq!(Envelope::open(&bytes), Ok((envelope(), &frame[..], seal)));
            let mut changed = bytes.clone();
            let at = at % changed.len();
            changed[at] ^= flip;
            prop_assert!(Envelope::open(&changed).is_err(), "byte {at}");
            prop_assert!(Envelope::open(&bytes[..at]).is_err());
        }
    }

    #[test]
    fn a_stripped_envelope_reads_lower_and_does_not_open() {
        let mut bytes = Envelope { floor: Format(2), ..envelope() }.seal(&[2, 1]).0;
        strip(&mut bytes);
        let (read, frame) = Envelope::read(&bytes).expect("its layout is whole");
        assert_eq!((read.highest, read.floor, frame), (Format(1), Format(1), &[2u8, 1][..]));
        assert_eq!(Envelope::open(&bytes), Err(DecodeError::Seal));
        // An envelope that had nothing to strip is unharmed.
        let mut lowest = Envelope { highest: Format(1), ..envelope() }.seal(&[1, 1]).0;
        strip(&mut lowest);
        assert!(Envelope::open(&lowest).is_ok());
    }

    #[test]
    fn kinds_are_read_with_and_without_an_envelope() {
        let frame = [2, FrameKind::GetReply as u8];
        assert_eq!(kind_of(&frame), FrameKind::GetReply);
        assert_eq!(kind_of(&envelope().seal(&frame).0), FrameKind::GetReply);
        assert_eq!(kind_of(&[9, 1]), FrameKind::Garbage);
    }
}
