//! Rolling digest over a trace, with checkpoints.
//!
//! The digest is BLAKE3 over the canonical words of every event in order, with its instant and node.
//! Checkpoints name prefixes, so that two runs that differ can be told where.

use serde::{Deserialize, Serialize};
use std::fmt;
use tumbler_types::{Instant, Observed};

/// 256-bit digest of a trace or a prefix of it; written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// Digest of the first `events` events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    pub events: u64,
    pub at: Instant,
    pub digest: Digest,
}

/// Accumulates a digest, event by event.
pub struct DigestChain {
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
    events: u64,
    at: Instant,
    checkpoints: Vec<Checkpoint>,
}

impl DigestChain {
    /// Events between two checkpoints. A first difference is searched for inside one interval by
    /// running both sides again, so the interval only bounds the work of that.
    pub const INTERVAL: u64 = 4096;

    pub fn new() -> Self {
        DigestChain {
            hasher: blake3::Hasher::new(),
            buffer: Vec::with_capacity(Self::BUFFER + 256),
            events: 0,
            at: Instant::ZERO,
            checkpoints: Vec::new(),
        }
    }

    /// Takes the next event.
    pub fn push(&mut self, observed: &Observed) {
        let Observed { seq, at, node, event } = observed;
        assert_eq!(*seq, self.events, "events are numbered without gaps");
        assert!(*at >= self.at, "virtual time never runs backward");
        self.buffer.extend_from_slice(&at.nanos().to_le_bytes());
        self.buffer.extend_from_slice(&node.0.to_le_bytes());
        event.words(&mut self.buffer);
        self.events += 1;
        self.at = *at;
        if self.buffer.len() >= Self::BUFFER {
            self.flush();
        }
        if self.events.is_multiple_of(Self::INTERVAL) {
            self.flush();
            self.checkpoints.push(Checkpoint { events: self.events, at: self.at, digest: self.prefix() });
        }
    }

    /// Digest of everything so far, between two events.
    pub fn sample(&mut self) -> Checkpoint {
        self.flush();
        Checkpoint { events: self.events, at: self.at, digest: self.prefix() }
    }

    /// Digest of everything so far, and the checkpoints before it.
    pub fn finish(mut self) -> (Digest, Vec<Checkpoint>) {
        self.flush();
        (self.prefix(), self.checkpoints)
    }

    fn flush(&mut self) {
        self.hasher.update(&self.buffer);
        self.buffer.clear();
    }

    fn prefix(&self) -> Digest {
        Digest(*self.hasher.finalize().as_bytes())
    }

    /// BLAKE3 is fastest on chunks of many kibibytes.
    const BUFFER: usize = 16 * 1024;
}

impl Default for DigestChain {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// Digest of plain bytes, for scenario files and builds.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(*blake3::hash(bytes).as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let hash = blake3::Hash::from_hex(&text)
            .map_err(|_| format!("expected 64 hexadecimal digits, got `{text}`"))?;
        Ok(Digest(*hash.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{Event, NodeId};

    fn chain(count: u64, change: Option<u64>) -> (Digest, Vec<Checkpoint>) {
        let mut chain = DigestChain::new();
        for seq in 0..count {
            let offset = if change == Some(seq) { 1 } else { 0 };
            let event = Event::ClockSet { offset };
            chain.push(&Observed { seq, at: Instant(seq), node: NodeId(0), event });
        }
        chain.finish()
    }

    #[test]
    fn one_changed_field_changes_the_digest_and_every_later_checkpoint_only() {
        let (plain, checkpoints) = chain(20_000, None);
        let (other, others) = chain(20_000, Some(9_000));
        assert_ne!(plain, other);
        assert_eq!(checkpoints.len(), 4);
        let equal: Vec<bool> = checkpoints.iter().zip(&others).map(|(a, b)| a == b).collect();
        assert_eq!(equal, [true, true, false, false]);
        assert_eq!(plain, chain(20_000, None).0);
    }

    #[test]
    fn a_digest_survives_its_text_form() {
        let digest = Digest::of(b"tumbler");
        assert_eq!(Digest::try_from(digest.to_string()), Ok(digest));
        assert!(Digest::try_from("12".to_owned()).is_err());
    }
}
