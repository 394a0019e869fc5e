//! Planted leaks: a role that looks behind the world's back gives another digest under another
//! madsim seed, so that the check "the digest is the same for every madsim seed" turns red.

use crate::toy::{CLIENT, SERVER, plan, toy};
use std::collections::BTreeSet;
use tumbler_plan::Plan;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{NodeId, SecretId, Span, TimerId};
use tumbler_wire::Frame;
use tumbler_wire::frame::QueryRequest;
use tumbler_world::{Driver, Options, RoleFactory, run};

/// How many different digests three madsim seeds and both drivers give.
fn digests(roles: &RoleFactory) -> usize {
    let plan = plan(vec![]);
    let mut seen = BTreeSet::new();
    for driver in [Driver::Queue, Driver::Tasks] {
        for madsim_seed in [0, 1, 99] {
            let options = Options { driver, madsim_seed, judge: false, ..Options::default() };
            seen.insert(run(&plan, roles, &options).digest);
        }
    }
    seen.len()
}

#[test]
fn honest_roles_give_one_digest() {
    assert_eq!(digests(&toy), 1);
}

#[test]
fn a_leak_of_hash_order_turns_the_check_red() {
    assert!(digests(&|plan: &Plan, node, _| leaky(plan, node, hash_order)) > 1);
}

#[test]
fn a_leak_of_the_wall_clock_turns_the_check_red() {
    assert!(digests(&|plan: &Plan, node, _| leaky(plan, node, wall_clock)) > 1);
}

#[test]
fn a_leak_of_entropy_turns_the_check_red() {
    assert!(digests(&|plan: &Plan, node, _| leaky(plan, node, entropy)) > 1);
}

fn leaky(plan: &Plan, node: NodeId, leak: fn() -> u16) -> Box<dyn Role> {
    if node == CLIENT { Box::new(Leaky(leak)) } else { toy(plan, node, tumbler_types::Build::Current) }
}

/// Sends a frame with a number that it should not know.
struct Leaky(fn() -> u16);

impl Role for Leaky {
    fn handle(&mut self, _: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        if matches!(input, Input::Boot { .. } | Input::Timer { .. }) {
            let frame = Frame::from(QueryRequest { secret: SecretId((self.0)()) }).to_bytes();
            effects.push(Effect::Send { to: SERVER, frame });
            effects.push(Effect::SetTimer { timer: TimerId(0), after: Span::from_secs(1) });
        }
        effects
    }
}

#[expect(clippy::disallowed_types, reason = "the planted leak")]
fn hash_order() -> u16 {
    let set: std::collections::HashSet<u16> = (0..1000).collect();
    set.into_iter().next().unwrap_or(0)
}

#[expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the planted leak")]
fn wall_clock() -> u16 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u16::try_from(since.map_or(0, |since| since.as_secs()) % 65_000).unwrap_or(0)
}

/// Through a hasher's random keys: the standard library asks the system for them.
#[expect(clippy::disallowed_types, reason = "the planted leak")]
fn entropy() -> u16 {
    use std::hash::{BuildHasher, Hasher};
    let hash = std::collections::hash_map::RandomState::new().build_hasher().finish();
    u16::try_from(hash % 65_000).unwrap_or(0)
}
