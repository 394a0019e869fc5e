//! Prints the table of negative traces that stands in `model/README.md`, and the first survivors:
//! `cargo run --release -p tumbler --example negatives [SEEDS]`.

use tumbler::negative::{Negatives, Survivor};

const SCENARIOS: [&str; 7] = [
    "standard",
    "rollback-under-fire",
    "revoke-everywhere",
    "crash-points",
    "last-write-wins",
    "single-principal",
    "api-keys",
];

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(6);
    let mut negatives = Negatives::default();
    for name in SCENARIOS {
        let scenario = tumbler_scenarios::scenario(name).expect("it is shipped").scenario();
        (0..seeds).for_each(|seed| negatives.try_plan(&scenario.plan(seed), 1));
    }
    println!("{} traces of {} scenarios", negatives.traces, SCENARIOS.len());
    println!("{}", negatives.table());
    for ((kind, change), survivors) in &negatives.survivors {
        for Survivor { seed, seq, text } in survivors {
            println!("{kind:<16} {change:<8?} seed {seed} step {seq}: {text}");
        }
    }
}
