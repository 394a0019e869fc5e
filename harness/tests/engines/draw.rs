//! Draws from a seed: SplitMix64, which is all that scripts need.

pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A few of them, at least one, in their order.
    pub fn some<T: Copy>(&mut self, from: &[T]) -> Vec<T> {
        let sure = self.below(from.len());
        let few = from.len().max(3);
        let taken: Vec<bool> = (0..from.len()).map(|index| index == sure || self.below(few) == 0).collect();
        from.iter().zip(taken).filter(|(_, taken)| *taken).map(|(each, _)| *each).collect()
    }
}
