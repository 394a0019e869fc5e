//! Shards: what was reached in several reports, as one.
//!
//! States and steps are sets, and their union is exact however the seeds were shared out. Seeds are
//! counted, so that a seed that is in two reports counts twice. Reports that speak of other graphs, or
//! of other points or probes, are of other builds and do not add up.

use super::map::Bits;
use crate::report::v2::{Hits, Reach, ReachedWalk};
use std::collections::BTreeMap;

/// Why reports do not add up. `index`: of the report that differs from those before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {what} {expected}, got {got}: reports of different builds do not add up")]
pub struct Clash {
    pub index: usize,
    pub what: &'static str,
    pub expected: String,
    pub got: String,
}

/// The union; none of nothing.
pub fn merge(parts: &[&Reach]) -> Result<Option<Reach>, Clash> {
    let Some((first, others)) = parts.split_first() else { return Ok(None) };
    let mut whole = (*first).clone();
    for (index, part) in (1..).zip(others) {
        let clash = |what, expected, got| Clash { index, what, expected, got };
        if part.walk.graph != whole.walk.graph {
            return Err(clash("the graph", short(&whole.walk), short(&part.walk)));
        }
        whole.followed = whole.followed.saturating_add(part.followed);
        add(&mut whole.points, &part.points)
            .map_err(|(expected, got)| clash("the crash points", expected, got))?;
        add(&mut whole.probes, &part.probes).map_err(|(expected, got)| clash("the probes", expected, got))?;
        for row in &part.faults {
            match whole.faults.iter_mut().find(|known| known.fault == row.fault) {
                None => whole.faults.push(row.clone()),
                Some(known) => sum(&mut known.phases, &row.phases),
            }
        }
        whole.faults.sort_by_key(|row| row.fault);
        join(&mut whole.walk, &part.walk)
            .ok_or_else(|| clash("bits of the graph", short(&whole.walk), "others".to_owned()))?;
    }
    Ok(Some(whole))
}

fn short(walk: &ReachedWalk) -> String {
    walk.graph.to_string().chars().take(16).collect()
}

fn sum<K: Ord + Copy>(whole: &mut BTreeMap<K, u64>, part: &BTreeMap<K, u64>) {
    for (key, seeds) in part {
        let known = whole.entry(*key).or_default();
        *known = known.saturating_add(*seeds);
    }
}

fn add(whole: &mut [Hits], part: &[Hits]) -> Result<(), (String, String)> {
    let names = |hits: &[Hits]| hits.iter().map(|each| each.name.clone()).collect::<Vec<_>>().join(", ");
    if whole.len() != part.len() || whole.iter().zip(part).any(|(one, two)| one.name != two.name) {
        return Err((names(whole), names(part)));
    }
    for (known, each) in whole.iter_mut().zip(part) {
        known.seeds = known.seeds.saturating_add(each.seeds);
    }
    Ok(())
}

/// None if one of them has bits that its own counts do not know.
fn join(whole: &mut ReachedWalk, part: &ReachedWalk) -> Option<()> {
    let mut states = Bits::parse(&whole.state_bits, whole.states)?;
    states.join(&Bits::parse(&part.state_bits, whole.states)?);
    let count = whole.actions.iter().map(|each| each.steps).sum();
    let mut steps = Bits::parse(&whole.step_bits, count)?;
    steps.join(&Bits::parse(&part.step_bits, count)?);
    whole.seeds = whole.seeds.saturating_add(part.seeds);
    whole.states_visited = states.count(0, whole.states);
    let mut first = 0;
    for each in &mut whole.actions {
        each.visited = steps.count(first, each.steps);
        first += each.steps;
    }
    // Not a set: the same state may be unknown in both.
    whole.unknown = whole.unknown.max(part.unknown);
    whole.strayed.extend(part.strayed.iter().cloned());
    whole.strayed.sort();
    whole.strayed.dedup();
    (whole.state_bits, whole.step_bits) = (states.hex(), steps.hex());
    Some(())
}

/// Whether a walk's bits are as many as it says.
pub(crate) fn is_sound(walk: &ReachedWalk) -> bool {
    let Some(count) = walk.actions.iter().try_fold(0u64, |sum, each| sum.checked_add(each.steps)) else {
        return false;
    };
    let (states, steps) = (Bits::parse(&walk.state_bits, walk.states), Bits::parse(&walk.step_bits, count));
    let (Some(states), Some(steps)) = (states, steps) else { return false };
    let mut first = 0;
    let is_counted = walk.actions.iter().all(|each| {
        let visited = steps.count(first, each.steps);
        first += each.steps;
        visited == each.visited
    });
    is_counted && states.count(0, walk.states) == walk.states_visited
}
