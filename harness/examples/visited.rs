//! Prints how much of the machine's reachable states and steps runs visit, as in `model/README.md`:
//! `cargo run --release -p tumbler --example visited [SEEDS [SCENARIO…]]`; and what it costs to follow a run.
//! A state that the graph does not have is told in words, with the run that was in it.

use std::time::{Duration, Instant};
use tumbler::roles::role;
use tumbler::visited::{Follower, map};
use tumbler_reports::reached::{Place, Sum};
use tumbler_reports::report::v2::Reach;
use tumbler_spec::machine::Packed;
use tumbler_world::{Options, run};

const SCENARIOS: [&str; 6] = [
    "standard",
    "rollback-under-fire",
    "revoke-everywhere",
    "crash-points",
    "lost-reply",
    "partition-in-each-phase",
];

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let seeds: u64 = words.first().and_then(|word| word.parse().ok()).unwrap_or(100);
    let named: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
    let names = if named.is_empty() { &SCENARIOS[..] } else { &named[..] };
    let mut strayed = Vec::new();
    let (map, follower) = (map(), Follower::new());
    let options = Options { keep_trace: true, ..Options::default() };
    let mut sum = Sum::default();
    println!("| runs | states | of reachable | steps | of reachable | states unknown to the graph |");
    println!("|---|---|---|---|---|---|");
    let (mut bare, mut followed) = (Duration::ZERO, Duration::ZERO);
    let mut next = 1;
    for seed in 0..seeds {
        for name in names {
            let plan =
                tumbler_scenarios::scenario(name).expect("a scenario that is shipped").scenario().plan(seed);
            let begun = Instant::now();
            drop(run(&plan, &role, &Options::default()));
            bare += begun.elapsed();
            let begun = Instant::now();
            let outcome = run(&plan, &role, &options);
            let reached = follower.follow(&plan, &outcome.fired, &outcome.trace);
            sum.absorb(name, seed, &reached);
            followed += begun.elapsed();
            let places = reached.walk.into_iter().flat_map(|walk| walk.places);
            let unknown = places.filter(|place| map.place(place).is_none());
            strayed.extend(
                unknown.map(|Place(words)| (*name, seed, follower.describe(&Packed::from_words(words)))),
            );
        }
        if seed + 1 == next || seed + 1 == seeds {
            next *= 10;
            row(sum.walked, &map.reach(&sum));
        }
    }
    let extra = followed.as_micros() * 1_000 / bare.as_micros().max(1);
    println!("\nfollowing a run makes it {}.{:03} times as long", extra / 1_000, extra % 1_000);
    let walk = map.reach(&sum).walk;
    println!("\n| action | steps visited | of reachable |\n|---|---|---|");
    for each in &walk.actions {
        println!(
            "| `{}` | {} of {} | {} |",
            each.action,
            each.visited,
            each.steps,
            percent(each.visited, each.steps)
        );
    }
    println!();
    for (name, seed, state) in strayed {
        println!("unknown: {name} seed {seed}: {state}");
    }
}

fn row(runs: u64, reach: &Reach) {
    let walk = &reach.walk;
    let (steps, whole) = walk.steps();
    println!(
        "| {runs} | {} of {} | {} | {steps} of {whole} | {} | {} |",
        walk.states_visited,
        walk.states,
        percent(walk.states_visited, walk.states),
        percent(steps, whole),
        walk.unknown
    );
}

fn percent(part: u64, whole: u64) -> String {
    let permille = part * 1_000 / whole.max(1);
    format!("{}.{} %", permille / 10, permille % 10)
}
