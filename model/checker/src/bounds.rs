//! How much a search may use. Part of every claim that it makes.

use crate::graph::estimate;

pub use tumbler_spec::machine::Limits as CheckBounds;

/// Bytes that the graph within these bounds is expected to take. Measured where it was searched;
/// elsewhere the largest measured one within, times what one more of each was seen to cost at most.
pub fn bytes(bounds: CheckBounds) -> u64 {
    let axes = [bounds.agents, bounds.rotations, bounds.zombies, bounds.revocations];
    let larger = |measured: &&Measured| measured.axes.iter().zip(axes).all(|(known, asked)| *known <= asked);
    let Some(base) = MEASURED.iter().filter(larger).max_by_key(|measured| measured.states) else {
        return 0;
    };
    let mut states = base.states;
    for ((known, asked), factor) in base.axes.iter().zip(axes).zip(FACTORS) {
        (*known..asked).for_each(|_| states = states.saturating_mul(factor));
    }
    estimate(states, states.saturating_mul(EDGES))
}

/// A graph that was searched whole.
struct Measured {
    /// Agents, rotations, zombies, revocations.
    axes: [u8; 4],
    states: u64,
}

const MEASURED: [Measured; 7] = [
    Measured { axes: [1, 1, 0, 0], states: 761 },
    Measured { axes: [1, 1, 1, 1], states: 85_273 },
    Measured { axes: [1, 2, 1, 1], states: 609_106 },
    Measured { axes: [2, 1, 1, 0], states: 158_738 },
    Measured { axes: [2, 1, 0, 1], states: 537_994 },
    Measured { axes: [2, 2, 1, 0], states: 1_279_244 },
    Measured { axes: [2, 1, 1, 1], states: 5_659_659 },
];
/// By how many times there are more states with one more of each.
const FACTORS: [u64; 4] = [67, 9, 11, 36];
/// Edges per state, at most.
const EDGES: u64 = 13;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_what_was_measured_or_more() {
        let small = bytes(CheckBounds::small());
        assert!(small >= estimate(85_273, 774_405) && small < estimate(200_000, 2_000_000), "{small}");
        assert!(bytes(CheckBounds::large()) > bytes(CheckBounds::revoked()) * 7);
        let huge = CheckBounds { agents: 9, rotations: 9, ..CheckBounds::large() };
        assert!(bytes(huge) > 1 << 50);
    }
}
