//! What could be reached: a graph's states and steps in an order that every build of it agrees on.
//!
//! States are in the order of their packed words; steps in the order of the action's name, then of
//! their ends, so that the bits of one action stand together and can be counted without the graph.

use super::Place;
use crate::reached::Sum;
use crate::report::v2::{Hits, Reach, ReachedAction, ReachedFault, ReachedWalk, Strayed};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_plan::Digest;
use tumbler_types::Phase;

/// Everything that is declared.
#[derive(Clone, Debug)]
pub struct Map {
    /// In words: the bounds within which the graph is whole.
    bounds: String,
    points: Vec<String>,
    probes: Vec<String>,
    places: BTreeMap<Place, u32>,
    steps: BTreeMap<(Place, Place), u32>,
    /// Name and number of steps.
    actions: Vec<(String, u64)>,
    identity: Digest,
}

impl Map {
    /// `steps`: by their ends, with the action that makes each.
    pub fn new(
        bounds: String,
        points: Vec<String>,
        probes: Vec<String>,
        places: &BTreeSet<Place>,
        steps: &BTreeMap<(Place, Place), &'static str>,
    ) -> Self {
        let mut ordered: Vec<(&str, (Place, Place))> =
            steps.iter().map(|(step, name)| (*name, *step)).collect();
        ordered.sort_unstable();
        let mut text = Vec::new();
        let words = |text: &mut Vec<u8>, place: &Place| {
            place.0.iter().for_each(|word| text.extend_from_slice(&word.to_le_bytes()));
        };
        places.iter().for_each(|place| words(&mut text, place));
        let mut actions: Vec<(String, u64)> = Vec::new();
        for (name, (from, to)) in &ordered {
            text.extend_from_slice(name.as_bytes());
            words(&mut text, from);
            words(&mut text, to);
            match actions.last_mut() {
                Some((last, count)) if last == name => *count += 1,
                _ => actions.push(((*name).to_owned(), 1)),
            }
        }
        Map {
            bounds,
            points,
            probes,
            places: places.iter().copied().zip(0..).collect(),
            steps: ordered.into_iter().map(|(_, step)| step).zip(0..).collect(),
            actions,
            identity: Digest::of(&text),
        }
    }

    /// The number of a state; none if no path leads there.
    pub fn place(&self, place: &Place) -> Option<u32> {
        self.places.get(place).copied()
    }

    /// The number of a step; none if no single action makes it.
    pub fn step(&self, from: Place, to: Place) -> Option<u32> {
        self.steps.get(&(from, to)).copied()
    }

    /// A sweep's sum in the form of a report.
    pub fn reach(&self, sum: &Sum) -> Reach {
        let hits = |declared: &[String], hit: &BTreeMap<String, u64>| -> Vec<Hits> {
            let one = |name: &String| Hits { name: name.clone(), seeds: hit.get(name).copied().unwrap_or(0) };
            declared.iter().map(one).collect()
        };
        let faults = sum.planned.iter().map(|kind| {
            let began = sum.faults.get(kind);
            let seeds = |phase: &Phase| began.and_then(|began| began.get(phase)).copied().unwrap_or(0);
            ReachedFault {
                fault: *kind,
                phases: Phase::ALL.iter().map(|phase| (*phase, seeds(phase))).collect(),
            }
        });
        Reach {
            followed: sum.followed,
            faults: faults.collect(),
            points: hits(&self.points, &sum.points),
            probes: hits(&self.probes, &sum.probes),
            walk: self.walk(sum),
        }
    }

    fn walk(&self, sum: &Sum) -> ReachedWalk {
        let mut states = Bits::new(self.places.len());
        let mut strayed: Vec<Strayed> = Vec::new();
        let mut unknown = 0;
        for (place, (scenario, seed)) in &sum.places {
            match self.place(place) {
                Some(number) => states.set(number),
                None => {
                    unknown += 1;
                    strayed.push(Strayed { scenario: scenario.clone(), seed: *seed });
                }
            }
        }
        strayed.sort();
        strayed.dedup();
        strayed.truncate(STRAYED_MAX);
        let mut steps = Bits::new(self.steps.len());
        sum.steps.iter().filter_map(|(from, to)| self.step(*from, *to)).for_each(|number| steps.set(number));
        let mut first = 0;
        let action = |(action, count): &(String, u64)| {
            let visited = steps.count(first, *count);
            first += count;
            ReachedAction { action: action.clone(), steps: *count, visited }
        };
        ReachedWalk {
            graph: self.identity,
            bounds: self.bounds.clone(),
            seeds: sum.walked,
            states: self.places.len() as u64,
            states_visited: states.count(0, self.places.len() as u64),
            actions: self.actions.iter().map(action).collect(),
            unknown,
            strayed,
            state_bits: states.hex(),
            step_bits: steps.hex(),
        }
    }
}

/// A set of numbers below a limit, a bit each; in text four to a digit, the lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bits(Vec<u8>);

impl Bits {
    fn new(count: usize) -> Self {
        Bits(vec![0; count.div_ceil(4)])
    }

    /// None if this is no set of numbers below the limit.
    pub(super) fn parse(text: &str, limit: u64) -> Option<Self> {
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
        let bits = Bits(digits?);
        let beyond = (bits.0.len() as u64 * 4).checked_sub(limit)?;
        (beyond < 4 && bits.count(limit, beyond) == 0).then_some(bits)
    }

    pub(super) fn join(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(mine, other)| *mine |= other);
    }

    /// How many of `count` numbers from `first` on are in it.
    pub(super) fn count(&self, first: u64, count: u64) -> u64 {
        (first..first + count).filter(|number| self.has(*number)).count() as u64
    }

    pub(super) fn hex(&self) -> String {
        self.0.iter().map(|digit| char::from_digit(u32::from(*digit), 16).expect("four bits")).collect()
    }

    fn set(&mut self, number: u32) {
        self.0[number as usize / 4] |= 1 << (number % 4);
    }

    fn has(&self, number: u64) -> bool {
        usize::try_from(number / 4)
            .is_ok_and(|digit| self.0.get(digit).is_some_and(|bits| bits >> (number % 4) & 1 == 1))
    }
}

/// Seeds named that were in a state which no path leads to.
const STRAYED_MAX: usize = 8;
