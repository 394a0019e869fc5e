//! How much a search may use. Part of every claim that it makes.

use crate::graph::estimate;
use tumbler_spec::machine::Limits;

/// The bounds of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckBounds {
    pub rotators: u8,
    pub agents: u8,
    pub rotations: u8,
    pub crashes: u8,
    pub zombies: u8,
    pub revocations: u8,
}

impl CheckBounds {
    /// For tests: below a second when optimized.
    pub const fn small() -> Self {
        CheckBounds { rotators: 2, agents: 1, rotations: 1, crashes: 1, zombies: 1, revocations: 1 }
    }

    /// Two rotations, two rotators, two agents, one crash, one zombie.
    pub const fn medium() -> Self {
        CheckBounds { rotators: 2, agents: 2, rotations: 2, crashes: 1, zombies: 1, revocations: 0 }
    }

    /// One rotation less than [`CheckBounds::medium`], and a revocation of any version at any time.
    pub const fn revoked() -> Self {
        CheckBounds { rotators: 2, agents: 2, rotations: 1, crashes: 1, zombies: 1, revocations: 1 }
    }

    /// Both: minutes.
    pub const fn large() -> Self {
        CheckBounds { rotators: 2, agents: 2, rotations: 2, crashes: 1, zombies: 1, revocations: 1 }
    }

    pub fn limits(self) -> Limits {
        let CheckBounds { rotators, agents, rotations, crashes, zombies, revocations } = self;
        Limits { rotators, agents, rotations, crashes, zombies, revocations }
    }

    /// Bytes that the graph within these bounds is expected to take. Measured where it was searched;
    /// elsewhere the largest measured one within, times what one more of each was seen to cost at most.
    pub fn bytes(self) -> u64 {
        let axes = [self.agents, self.rotations, self.zombies, self.revocations];
        let larger =
            |measured: &&Measured| measured.axes.iter().zip(axes).all(|(known, asked)| *known <= asked);
        let Some(base) = MEASURED.iter().filter(larger).max_by_key(|measured| measured.states) else {
            return 0;
        };
        let mut states = base.states;
        for ((known, asked), factor) in base.axes.iter().zip(axes).zip(FACTORS) {
            (*known..asked).for_each(|_| states = states.saturating_mul(factor));
        }
        estimate(states, states.saturating_mul(EDGES))
    }
}

/// A graph that was searched whole.
struct Measured {
    /// Agents, rotations, zombies, revocations.
    axes: [u8; 4],
    states: u64,
}

const MEASURED: [Measured; 7] = [
    Measured { axes: [1, 1, 0, 0], states: 722 },
    Measured { axes: [1, 1, 1, 1], states: 82_493 },
    Measured { axes: [1, 2, 1, 1], states: 604_553 },
    Measured { axes: [2, 1, 1, 0], states: 127_088 },
    Measured { axes: [2, 1, 0, 1], states: 434_199 },
    Measured { axes: [2, 2, 1, 0], states: 1_092_432 },
    Measured { axes: [2, 1, 1, 1], states: 4_499_922 },
];
/// By how many times there are more states with one more of each.
const FACTORS: [u64; 4] = [55, 8, 12, 36];
/// Edges per state, at most.
const EDGES: u64 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_what_was_measured_or_more() {
        let small = CheckBounds::small().bytes();
        assert!(small >= estimate(82_493, 756_126) && small < estimate(200_000, 2_000_000), "{small}");
        assert!(CheckBounds::large().bytes() > CheckBounds::revoked().bytes() * 7);
        let huge = CheckBounds { agents: 9, rotations: 9, ..CheckBounds::large() };
        assert!(huge.bytes() > 1 << 50);
    }
}
