//! Named random streams: ChaCha8 keyed by (seed, stream, entity, kind).
//!
//! Each stream belongs to one entity (a node, a directed link, a fault kind) and is consumed in
//! that entity's own order, a fixed number of draws per ordinal. So one more draw in one stream
//! moves no other, and removing a fault leaves every stream's prefix as it was.
//!
//! Source: tree-based generators, as in Oxide's `typed-rng`.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tumbler_types::Span;

/// What a stream is for. The number is part of the key and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamName {
    /// Latency of the messages of one directed link.
    Link = 1,
    /// Latency of the durable writes of one node.
    Store = 2,
    /// Whether unsynced writes survive a crash of one node.
    Torn = 3,
    /// Entropy handed to one incarnation of one role.
    Entropy = 4,
    /// The fault plan of one scenario.
    Faults = 5,
    /// Clock offsets of one scenario.
    Clocks = 6,
    /// The operator's orders of one scenario.
    Orders = 7,
    /// The key under which a run's tags are computed.
    Tags = 8,
    /// Which points of a run are probed for rollback.
    Probes = 9,
    /// The builds that the nodes of one scenario begin as.
    Builds = 10,
    /// How late copies are visible at the replicas of one scenario.
    Lags = 11,
    /// Which durable bit of one node one fault flips.
    Rot = 12,
    /// Which unsynced writes of one node survive a crash under a reordering cache.
    Reorder = 13,
    /// What one fault does to the messages of one directed link.
    Harm = 14,
    /// Which plans a search breeds from those that reached something new.
    Search = 15,
}

/// One stream of one entity.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream `name` of `entity` (two words: a link has two ends) and `kind` in the run `seed`.
    pub fn new(seed: u64, name: StreamName, entity: (u32, u32), kind: u32) -> Self {
        let mut key = [0u8; 32];
        key[0..8].copy_from_slice(&seed.to_le_bytes());
        key[8..12].copy_from_slice(&(name as u32).to_le_bytes());
        key[12..16].copy_from_slice(&entity.0.to_le_bytes());
        key[16..20].copy_from_slice(&entity.1.to_le_bytes());
        key[20..24].copy_from_slice(&kind.to_le_bytes());
        key[24..32].copy_from_slice(b"tumbler1");
        Stream(ChaCha8Rng::from_seed(key))
    }

    /// The next 64 bits: exactly one draw.
    pub fn draw(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `limit`, in one draw; zero if `limit` is zero. The bias is below 2⁻³² for the
    /// ranges used here, and a fixed number of draws matters more.
    pub fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.draw()) * u128::from(limit);
        u64::try_from(wide >> 64).expect("the high half of a product of two 64-bit numbers has 64 bits")
    }

    /// A span in `min..=max`, in one draw.
    pub fn span(&mut self, min: Span, max: Span) -> Span {
        Span(min.0 + self.below(max.0.saturating_sub(min.0).saturating_add(1)))
    }

    /// True in `numerator` of `denominator` cases, in one draw.
    pub fn chance(&mut self, numerator: u64, denominator: u64) -> bool {
        self.below(denominator) < numerator
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill_bytes(&mut out);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_each_part_of_their_key_and_repeat_when_equal() {
        let draw = |seed, name, entity, kind| Stream::new(seed, name, entity, kind).draw();
        let base = draw(1, StreamName::Link, (2, 3), 4);
        assert_eq!(base, draw(1, StreamName::Link, (2, 3), 4));
        let others = [
            draw(2, StreamName::Link, (2, 3), 4),
            draw(1, StreamName::Store, (2, 3), 4),
            draw(1, StreamName::Link, (3, 3), 4),
            draw(1, StreamName::Link, (2, 4), 4),
            draw(1, StreamName::Link, (2, 3), 5),
        ];
        assert!(others.iter().all(|other| *other != base));
    }

    #[test]
    fn the_generator_is_pinned_so_that_old_capsules_replay() {
        assert_eq!(Stream::new(7, StreamName::Faults, (0, 0), 0).draw(), PINNED);
    }

    const PINNED: u64 = 261_677_203_801_555_748;
}
