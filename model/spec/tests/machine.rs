//! The machine by itself, without an engine.

use std::collections::{BTreeSet, VecDeque};
use tumbler_spec::machine::{Limits, Machine};

const LIMITS: Limits =
    Limits { rotators: 2, agents: 2, rotations: 2, crashes: 1, zombies: 1, revocations: 1, skew: 1 };

#[test]
fn a_state_survives_packing_and_every_enabled_step_can_be_taken() {
    let machine = Machine::new(LIMITS);
    let mut queue = VecDeque::from([machine.pack(machine.initial())]);
    let mut seen = BTreeSet::new();
    let mut actions = Vec::new();
    while let Some(packed) = queue.pop_front() {
        let state = machine.unpack(&packed);
        assert_eq!(machine.pack(&state), packed);
        actions.clear();
        machine.enabled(&state, &mut actions);
        let distinct: BTreeSet<_> = actions.iter().collect();
        assert_eq!(distinct.len(), actions.len(), "no action is offered twice");
        let (mut next, mut last) = (machine.initial().clone(), None);
        for action in &actions {
            let (taken, marks) = machine.apply(&state, *action).expect("an enabled step can be taken");
            let stepped = machine.step_into(&state, *action, &mut next);
            assert_eq!((&next, stepped.0), (&taken, marks), "{action:?} depends on what it overwrites");
            assert!(stepped.1 || next == state, "{action:?} only looks, and changed something");
            if let Some(alias) = machine.alias(&state, *action) {
                assert_eq!((Some(&next), alias), (last.as_ref(), marks), "{action:?} leads elsewhere");
            }
            last = Some(taken);
            let packed = machine.pack(&next);
            assert_eq!(machine.unpack(&packed), next, "after {action:?}");
            if seen.len() < 20_000 && seen.insert(packed) {
                queue.push_back(packed);
            }
        }
    }
}

#[test]
fn a_packed_state_takes_32_bytes() {
    assert_eq!(size_of::<tumbler_spec::machine::Packed>(), 32);
}
