//! How many runs it takes to find each planted bug: the plain swarm, and the one that searches.
//!
//! `cargo run --release -p tumbler --example search [BASES [BUDGET]]` prints the table of
//! `harness/README.md`: for each bug the scenario that is to catch it, and `hostile-world`, where nothing
//! was arranged for it. The median over so many base seeds (5); a `-` was not found within the budget
//! (200 runs) in most of them. Found is: the invariant that the suite names is broken.

use tumbler::search::{Member, Search};
use tumbler::visited::Follower;
use tumbler::{judgement, roles};
use tumbler_plan::{Plan, Planted};
use tumbler_scenarios::{Scenario, scenario, suite};
use tumbler_types::Invariant;
use tumbler_world::{Options, Outcome, run};

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let mut next = |default| words.next().and_then(Result::ok).unwrap_or(default);
    let (bases, budget) = (next(5).max(1), next(200));
    println!("| planted bug | scenario | plain | steered | in `hostile-world`: plain | steered |");
    println!("|---|---|---|---|---|---|");
    let hostile = scenario("hostile-world").expect("it is shipped").scenario();
    let mut sums = [[0; 2]; 3];
    for entry in suite("planted").expect("it is shipped").entries {
        let Some((planted, expect)) = entry.planted else { continue };
        let own = scenario(&entry.scenario).expect("it is shipped").scenario();
        let mut cells = Vec::new();
        for place in [&own, &hostile] {
            let hunt = Hunt { scenario: place, planted, expect, budget };
            let plain = median((0..bases).map(|base| hunt.plain(base * APART)).collect());
            let steered = median((0..bases).map(|base| hunt.steered(base * APART)).collect());
            let which = match plain.unwrap_or(u64::MAX).cmp(&steered.unwrap_or(u64::MAX)) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => 1,
                std::cmp::Ordering::Greater => 2,
            };
            sums[which][usize::from(std::ptr::eq(place, &raw const hostile))] += 1;
            cells.extend([plain, steered].map(|found| found.map_or("-".to_owned(), |runs| runs.to_string())));
        }
        println!("| `{}` | `{}` | {} |", planted.name(), entry.scenario, cells.join(" | "));
    }
    let [sooner, equal, later] = sums;
    println!(
        "\nsteered is later for {}, equal for {}, sooner for {} in their own scenarios;",
        sooner[0], equal[0], later[0]
    );
    println!("later for {}, equal for {}, sooner for {} in hostile-world", sooner[1], equal[1], later[1]);
}

/// One bug in one scenario.
struct Hunt<'a> {
    scenario: &'a Scenario,
    planted: Planted,
    expect: Invariant,
    budget: u64,
}

impl Hunt<'_> {
    /// Runs until it is found, from this seed on.
    fn plain(&self, first: u64) -> Option<u64> {
        (0..self.budget).find(|run| self.finds(&self.plan(first + run)).1).map(|run| run + 1)
    }

    fn steered(&self, first: u64) -> Option<u64> {
        let follower = Follower::new();
        let mut search = Search::new(first.., self.budget, first);
        let mut runs = 0;
        loop {
            let members = search.generation(|seed| self.plan(seed));
            if members.is_empty() {
                return None;
            }
            for Member { plan, bred: _ } in members {
                runs += 1;
                let (outcome, found) = self.finds(&plan);
                if found {
                    return Some(runs);
                }
                let reached = follower.follow(&plan, &outcome.fired, &outcome.trace);
                search.learn(&plan, &outcome.fired, &reached);
            }
        }
    }

    fn plan(&self, seed: u64) -> Plan {
        Plan { planted: Some(self.planted), ..self.scenario.plan(seed) }
    }

    fn finds(&self, plan: &Plan) -> (Outcome, bool) {
        let outcome = run(plan, &roles::role, &Options { keep_trace: true, ..Options::default() });
        let report = judgement::report(self.scenario.name(), plan, &outcome, None);
        let found = report.broken.iter().any(|broken| broken.invariant == Some(self.expect));
        (outcome, found)
    }
}

/// What is not found is later than everything.
fn median(mut runs: Vec<Option<u64>>) -> Option<u64> {
    runs.sort_by_key(|found| found.unwrap_or(u64::MAX));
    runs[runs.len() / 2]
}

/// Between base seeds.
const APART: u64 = 100_000;
