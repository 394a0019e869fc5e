//! What the runs of a sweep reached together.

use super::{Place, Reached};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::{FaultKind, Phase};

/// Unions and counts of seeds, equal whatever the order of the seeds but for who was first.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    /// Seeds that were followed.
    pub followed: u64,
    pub planned: BTreeSet<FaultKind>,
    pub faults: BTreeMap<FaultKind, BTreeMap<Phase, u64>>,
    pub points: BTreeMap<String, u64>,
    pub probes: BTreeMap<String, u64>,
    /// Seeds with a walk.
    pub walked: u64,
    /// States, with the scenario and seed that was there first.
    pub places: BTreeMap<Place, (String, u64)>,
    pub steps: BTreeSet<(Place, Place)>,
}

impl Sum {
    /// Takes a run; gives the number of states, steps and pairs of fault and phase that are new.
    pub fn absorb(&mut self, scenario: &str, seed: u64, reached: &Reached) -> u64 {
        let Reached { planned, faults, points, probes, walk } = reached;
        let mut new = 0;
        self.followed += 1;
        self.planned.extend(planned);
        for (kind, phase) in faults {
            let seeds = self.faults.entry(*kind).or_default().entry(*phase).or_default();
            new += u64::from(*seeds == 0);
            *seeds += 1;
        }
        for (sums, names) in [(&mut self.points, points), (&mut self.probes, probes)] {
            names.iter().for_each(|name| *sums.entry(name.clone()).or_default() += 1);
        }
        let Some(walk) = walk else { return new };
        self.walked += 1;
        for place in &walk.places {
            self.places.entry(*place).or_insert_with(|| {
                new += 1;
                (scenario.to_owned(), seed)
            });
        }
        let place = |index: u32| walk.places.get(index as usize).copied();
        for (from, to) in &walk.steps {
            if let (Some(from), Some(to)) = (place(*from), place(*to)) {
                new += u64::from(self.steps.insert((from, to)));
            }
        }
        new
    }
}
