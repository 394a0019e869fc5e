//! `run --search coverage`: a swarm that searches.
//!
//! Seeds alone try the same things again and again. Here a run that reaches something new, a state or a
//! step of the model or a fault in another phase of a rotation, breeds neighbours: the same world with
//! one or a few of its faults changed. Half of each generation are seeds of the scenario as before, so
//! that a scenario's own variety is never given up.
//!
//! `Determinism:` a generation has a fixed size and is bred from what the ones before it reached, taken in
//! order; all is drawn from a stream that the first seed keys. So a search is a function of build,
//! scenario and seeds, whatever the number of jobs.
//!
//! It deliberately judges nothing, and looks at no verdict: a run that fails breeds like any other.
//!
//! Source: M. Zalewski, afl (coverage as fitness); A. Groce and others, "Swarm testing" (ISSTA 2012).

mod breed;

use self::breed::bred;
use tumbler_plan::{Plan, Stream, StreamName};
use tumbler_reports::reached::{Reached, Sum};
use tumbler_types::FaultId;

/// The search of one scenario.
pub struct Search<S> {
    /// Seeds that were not run yet.
    seeds: S,
    /// Runs that are left.
    left: u64,
    first: u64,
    generation: u32,
    reached: Sum,
    parents: Vec<Parent>,
}

/// One run of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub plan: Plan,
    /// Its number among all runs, if it was bred: then no seed alone gives this plan.
    pub bred: Option<u64>,
}

/// A run that reached something new: its realized plan.
struct Parent {
    plan: Plan,
    new: u64,
    /// How often it was bred from.
    bred: u64,
}

impl<S: Iterator<Item = u64>> Search<S> {
    /// As many runs as there are seeds.
    pub fn new(seeds: S, count: u64, first: u64) -> Self {
        Search { seeds, left: count, first, generation: 0, reached: Sum::default(), parents: Vec::new() }
    }

    /// The next generation; empty when the budget is used up. `draw` gives a seed's own plan.
    pub fn generation(&mut self, draw: impl Fn(u64) -> Plan) -> Vec<Member> {
        let size = self.left.min(GENERATION);
        let done = u64::from(self.generation) * GENERATION;
        let mut members = Vec::new();
        for slot in 0..size {
            let mut stream = Stream::new(
                self.first,
                StreamName::Search,
                (self.generation, u32::try_from(slot).unwrap_or(0)),
                0,
            );
            let Some(seed) = self.seeds.next() else { break };
            let fresh = draw(seed);
            let parent = (slot % 2 == 1).then(|| self.parent(&mut stream)).flatten();
            let begun = |kind, phase| {
                let seeds = self.reached.faults.get(&kind).and_then(|phases| phases.get(&phase));
                seeds.copied().unwrap_or(0)
            };
            let child =
                parent.and_then(|parent| bred(&self.parents[parent].plan, &fresh, begun, &mut stream));
            members.push(match child {
                Some(plan) => Member { plan, bred: Some(done + slot) },
                None => Member { plan: fresh, bred: None },
            });
        }
        self.left -= size;
        self.generation += 1;
        members
    }

    /// What a member of the last generation reached, in the order of the members.
    pub fn learn(&mut self, plan: &Plan, fired: &[FaultId], reached: &Reached) {
        let new = self.reached.absorb(&plan.scenario, plan.seed, reached);
        if new == 0 {
            return;
        }
        let mut plan = plan.clone();
        plan.faults.retain(|fault| fired.contains(&fault.id));
        self.parents.push(Parent { plan, new, bred: 0 });
    }

    /// Of three, the one that reached most, for how often it was bred from.
    fn parent(&mut self, stream: &mut Stream) -> Option<usize> {
        let count = self.parents.len() as u64;
        let drawn = [0; 3].map(|_| usize::try_from(stream.below(count)).unwrap_or(0));
        let worth =
            |index: &usize| self.parents.get(*index).map(|parent| parent.new * 1_000 / (1 + parent.bred));
        let best = drawn.into_iter().max_by_key(worth).filter(|_| count > 0)?;
        self.parents[best].bred += 1;
        Some(best)
    }
}

/// Runs of a generation. A larger one learns later, a smaller one leaves workers idle at its end.
const GENERATION: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tumbler_types::{FaultKind, Phase};

    fn draw(seed: u64) -> Plan {
        tumbler_scenarios::scenario("hostile-world").expect("shipped").scenario().plan(seed)
    }

    /// Every plan of a search in which some runs reach something new.
    fn searched(first: u64, count: u64, is_new: impl Fn(u64) -> bool) -> Vec<Member> {
        let mut search = Search::new(first.., count, first);
        let mut all = Vec::new();
        loop {
            let members = search.generation(draw);
            if members.is_empty() {
                return all;
            }
            for (slot, member) in (0..).zip(members) {
                let kind = FaultKind::ALL[all.len() % FaultKind::ALL.len()];
                let phase = Phase::ALL[all.len() / FaultKind::ALL.len() % Phase::ALL.len()];
                let faults = if is_new(slot) { BTreeSet::from([(kind, phase)]) } else { BTreeSet::new() };
                let fired: Vec<FaultId> = member.plan.faults.iter().map(|fault| fault.id).collect();
                search.learn(&member.plan, &fired, &Reached { faults, ..Reached::default() });
                all.push(member);
            }
        }
    }

    #[test]
    fn a_search_is_the_same_again_and_another_one_from_another_seed() {
        let one = searched(3, 160, |slot| slot % 7 == 0);
        assert_eq!(one, searched(3, 160, |slot| slot % 7 == 0));
        assert_eq!(one.len(), 160);
        let two = searched(4, 160, |slot| slot % 7 == 0);
        let bred = |all: &[Member]| all.iter().filter(|each| each.bred.is_some()).count();
        assert!(
            bred(&one) > 50 && bred(&one) <= 64,
            "nearly half of all but the first generation: {}",
            bred(&one)
        );
        assert!(bred(&two) > 50);
        assert!(one.iter().zip(&two).filter(|(one, two)| one.bred.is_some() && one == two).count() == 0);
    }

    #[test]
    fn where_nothing_new_is_reached_the_search_is_the_swarm() {
        let all = searched(0, 100, |_| false);
        assert!(all.iter().zip(0..).all(|(member, seed)| *member == Member { plan: draw(seed), bred: None }));
    }

    #[test]
    fn a_child_has_its_parents_world_other_faults_and_no_more_of_them_than_the_scenario_allows() {
        let all = searched(0, 640, |_| true);
        let children: Vec<&Member> = all.iter().filter(|each| each.bred.is_some()).collect();
        assert!(children.len() > 250);
        for child in children {
            // In its parent's world or in the other one: one that the scenario draws.
            let own = draw(child.plan.seed);
            let Plan { faults, .. } = &child.plan;
            assert_eq!(
                Plan { faults: Vec::new(), ..child.plan.clone() },
                Plan { faults: Vec::new(), ..own.clone() }
            );
            let ids: BTreeSet<FaultId> = faults.iter().map(|fault| fault.id).collect();
            assert_eq!(ids.len(), faults.len(), "each fault has a name of its own");
            assert!(faults.len() <= 12, "{} faults", faults.len());
            assert!(child.plan.exceeded().is_empty(), "{:?}", child.plan.exceeded());
            assert_eq!(tumbler_plan::contradiction::contradiction(&child.plan), None);
        }
    }
}
