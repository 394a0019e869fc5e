//! States by number, and numbers by state: exact, by comparing all 32 bytes.
//!
//! Open addressing over the states' own array. A fingerprint would save memory, and would make every
//! count and every verdict true with some probability only.

use tumbler_spec::machine::Packed;

/// Distinct states, numbered in the order in which they were found.
#[derive(Debug, Default)]
pub struct Table {
    states: Vec<Packed>,
    /// Upper half of the hash, and number plus one of the state in each slot; zero: none. A power of two.
    slots: Vec<u64>,
}

impl Table {
    pub fn new() -> Self {
        Table { states: Vec::new(), slots: vec![0; FIRST] }
    }

    pub fn len(&self) -> usize {
        self.states.len()
    }

    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }

    pub fn state(&self, number: u32) -> &Packed {
        &self.states[number as usize]
    }

    /// The state's number, and whether it is new.
    pub fn insert(&mut self, state: Packed) -> (u32, bool) {
        let mut inserted = (0, false);
        self.insert_all(&[state], |number, is_new| inserted = (number, is_new));
        inserted
    }

    /// Inserts them in turn, and tells each one's number and whether it was new.
    ///
    /// Nearly all the time goes into waiting for memory. So whatever the states will need is asked for
    /// before the first of them is looked at, and the waits overlap.
    pub fn insert_all(&mut self, states: &[Packed], mut tell: impl FnMut(u32, bool)) {
        while (self.states.len() + states.len()) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        for part in states.chunks(AHEAD) {
            let mut hashes = [0; AHEAD];
            let mut found = [0; AHEAD];
            for (hash, state) in hashes.iter_mut().zip(part) {
                *hash = hashed(state);
            }
            let mask = self.slots.len() - 1;
            for (found, hash) in found.iter_mut().zip(&hashes[..part.len()]) {
                *found = self.slots[(hash >> 32) as usize & mask];
            }
            let mut touched = 0;
            for slot in &found[..part.len()] {
                let number = (*slot as u32 as usize).saturating_sub(1);
                touched ^= self.states.get(number).map_or(0, |state| state.words()[0]);
            }
            std::hint::black_box(touched);
            for (state, hash) in part.iter().zip(&hashes) {
                let (number, is_new) = self.place(*state, *hash);
                tell(number, is_new);
            }
        }
    }

    fn place(&mut self, state: Packed, hash: u64) -> (u32, bool) {
        let mask = self.slots.len() - 1;
        let mut slot = (hash >> 32) as usize & mask;
        let tag = tagged(hash);
        loop {
            let taken = self.slots[slot];
            if taken == 0 {
                break;
            }
            let number = taken as u32 - 1;
            if taken & TAG == tag && self.states[number as usize] == state {
                return (number, false);
            }
            slot = (slot + 1) & mask;
        }
        let number = u32::try_from(self.states.len()).expect("memory ends before 32 bits do");
        self.states.push(state);
        self.slots[slot] = tag | u64::from(number + 1);
        (number, true)
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        let mask = self.slots.len() - 1;
        for (state, number) in self.states.iter().zip(1u32..) {
            let hash = hashed(state);
            let mut slot = (hash >> 32) as usize & mask;
            while self.slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            self.slots[slot] = tagged(hash) | u64::from(number);
        }
    }
}

/// A multiplicative hash of the words. Its upper half says where the search for a state begins.
fn hashed(state: &Packed) -> u64 {
    let mut hash = 0u64;
    for word in state.words() {
        hash = (hash.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
    hash ^ hash >> 29
}

/// The lower half, which says nothing of the place: most states that are not the same need no look.
const fn tagged(hash: u64) -> u64 {
    hash << 32
}

const TAG: u64 = 0xFFFF_FFFF_0000_0000;
const FIRST: usize = 1 << 12;
/// States whose memory is asked for together.
const AHEAD: usize = 32;
/// Bytes per state: itself, and its slots while the table is emptiest.
pub const BYTES: u64 = 32 + 8 * 8 / 3;
