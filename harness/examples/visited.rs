//! Prints how much of the machine's reachable states and steps runs visit, as in `model/README.md`:
//! `cargo run --release -p tumbler --example visited [SEEDS]`.

use tumbler::visited::{Reachable, Visited};

const SCENARIOS: [&str; 6] = [
    "standard",
    "rollback-under-fire",
    "revoke-everywhere",
    "crash-points",
    "lost-reply",
    "partition-in-each-phase",
];

fn main() {
    let seeds: u64 = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(100);
    let reachable = Reachable::new();
    let mut visited = Visited::default();
    println!("| runs | states | of reachable | steps | of reachable | states unknown to the graph |");
    println!("|---|---|---|---|---|---|");
    let mut next = 1;
    for seed in 0..seeds {
        for name in SCENARIOS {
            let scenario = tumbler_scenarios::scenario(name).expect("it is shipped").scenario();
            reachable.follow(&scenario.plan(seed), &mut visited);
        }
        if seed + 1 == next || seed + 1 == seeds {
            next *= 10;
            let (states, all) = reachable.states(&visited);
            let (steps, whole) =
                reachable.steps(&visited).values().fold((0, 0), |sum, each| (sum.0 + each.0, sum.1 + each.1));
            println!(
                "| {} | {states} of {all} | {} | {steps} of {whole} | {} | {} |",
                visited.runs,
                percent(states, all),
                percent(steps, whole),
                visited.unknown.len()
            );
        }
    }
    println!("\n| action | steps visited | of reachable |\n|---|---|---|");
    for (name, (steps, all)) in reachable.steps(&visited) {
        println!("| `{name}` | {steps} of {all} | {} |", percent(steps, all));
    }
    println!();
    for (state, (scenario, seed, seq)) in visited.unknown.iter().take(8) {
        println!("unknown: {scenario} seed {seed} step {seq}\n  {}", reachable.describe(state));
    }
}

fn percent(part: u64, whole: u64) -> String {
    let permille = part * 1_000 / whole.max(1);
    format!("{}.{} %", permille / 10, permille % 10)
}
