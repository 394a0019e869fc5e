//! States by number, and numbers by state: exact, by comparing all 32 bytes.
//!
//! Open addressing over the states' own array. A fingerprint would save memory, and would make every
//! count and every verdict true with some probability only.

use tumbler_spec::machine::Packed;

/// Distinct states, numbered in the order in which they were found.
#[derive(Debug, Default)]
pub struct Table {
    states: Vec<Packed>,
    /// Number plus one of the state in each slot; zero: none. A power of two of them.
    slots: Vec<u32>,
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
        if (self.states.len() + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mut slot = self.place(&state);
        loop {
            match self.slots[slot] {
                0 => break,
                taken if self.states[taken as usize - 1] == state => return (taken - 1, false),
                _ => slot = (slot + 1) & (self.slots.len() - 1),
            }
        }
        let number = u32::try_from(self.states.len()).expect("memory ends before 32 bits do");
        self.states.push(state);
        self.slots[slot] = number + 1;
        (number, true)
    }

    fn grow(&mut self) {
        self.slots = vec![0; self.slots.len() * 2];
        for (state, number) in self.states.iter().zip(1..) {
            let mut slot = self.place(state);
            while self.slots[slot] != 0 {
                slot = (slot + 1) & (self.slots.len() - 1);
            }
            self.slots[slot] = number;
        }
    }

    /// Where the search for a state begins: a multiplicative hash of its words, folded.
    fn place(&self, state: &Packed) -> usize {
        let mut hash = 0u64;
        for word in state.words() {
            hash = (hash.rotate_left(29) ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        (hash >> 24) as usize & (self.slots.len() - 1)
    }
}

const FIRST: usize = 1 << 12;
/// Bytes per state: itself, and its slots while the table is emptiest.
pub const BYTES: u64 = 32 + 4 * 4;
