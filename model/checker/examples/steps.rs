//! The machine's steps by the C calling convention, so that Spin can search it: see `harness/examples/spin.rs`.
#![expect(unsafe_code, reason = "a symbol with a name that C can link")]

use std::cell::RefCell;
use tumbler_checker::CheckBounds;
use tumbler_spec::machine::{Machine, Packed};

/// A packed state, by value: no pointer crosses the border.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words(u64, u64, u64, u64);

/// The state that was asked about last, and where its steps lead.
struct Expanded {
    machine: Machine,
    from: Option<Words>,
    to: Vec<Words>,
}

thread_local! {
    static LAST: RefCell<Option<Expanded>> = const { RefCell::new(None) };
}

/// Takes every step of a state, unless it was the last one asked about, and says how many there are.
/// `bounds`: 0 tiny, 1 small, 2 medium.
#[unsafe(no_mangle)]
pub extern "C" fn tumbler_expand(bounds: u32, state: Words) -> u32 {
    LAST.with_borrow_mut(|last| {
        let last = last.get_or_insert_with(|| {
            let bounds = match bounds {
                0 => CheckBounds::tiny(),
                1 => CheckBounds::small(),
                _ => CheckBounds::medium(),
            };
            Expanded { machine: Machine::new(bounds), from: None, to: Vec::new() }
        });
        if last.from != Some(state) {
            last.expand(state);
        }
        u32::try_from(last.to.len()).expect("a state has few steps")
    })
}

/// Where a step of the state that was expanded last leads.
#[unsafe(no_mangle)]
pub extern "C" fn tumbler_take(step: u32) -> Words {
    LAST.with_borrow(|last| {
        let expanded = last.as_ref().expect("a state was expanded");
        expanded.to[usize::try_from(step).expect("a small number")]
    })
}

impl Expanded {
    fn expand(&mut self, state: Words) {
        let Words(a, b, c, d) = state;
        let from = self.machine.unpack(&Packed::from_words([a, b, c, d]));
        let mut enabled = Vec::with_capacity(32);
        self.machine.enabled(&from, &mut enabled);
        self.to.clear();
        let mut next = from.clone();
        for action in enabled {
            let to = match self.machine.step_into(&from, action, &mut next) {
                (_, true) => {
                    let [a, b, c, d] = self.machine.pack(&next).words();
                    Words(a, b, c, d)
                }
                // It only looks.
                (_, false) => state,
            };
            self.to.push(to);
        }
        self.from = Some(state);
    }
}
