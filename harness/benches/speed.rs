//! How fast a run is, as ratios within one process: `cargo bench -p tumbler --bench speed`.
//!
//! Prints medians over rounds: events per second, nanoseconds per event with and without judges,
//! virtual over wall time, log commands per closed rotation (a saga that spins on refusals would
//! stay green and waste them), and the cost of a delivered message beside madsim's bare Endpoint
//! echo. It asserts nothing: machines are noisy, and a number is for reading.

#[path = "../src/planted/mod.rs"]
mod planted;
#[path = "../src/roles.rs"]
mod roles;
#[path = "../src/shim.rs"]
mod shim;

use std::time::{Duration, Instant};
use tumbler_plan::Plan;
use tumbler_world::{Options, run};

const ROUNDS: usize = 7;
const SEEDS: u64 = 100;
const ECHO_ROUNDS: u32 = 100_000;
/// A frame of ours is about this long.
const FRAME_SIZE: usize = 48;

#[derive(Default)]
struct Sums {
    events: u64,
    messages: u64,
    virtual_ns: u64,
    commands: u64,
    closed: u64,
}

fn main() {
    let scenario =
        tumbler_scenarios::scenario("standard").expect("the standard scenario is shipped").scenario();
    let plans: Vec<Plan> = (0..SEEDS).map(|seed| scenario.plan(seed)).collect();
    let (mut judged, mut plain, mut echo) = (Vec::new(), Vec::new(), Vec::new());
    let mut sums = Sums::default();
    for _ in 0..ROUNDS {
        sums = Sums::default();
        judged.push(sweep(&plans, true, &mut sums));
        plain.push(sweep(&plans, false, &mut Sums::default()));
        let start = Instant::now();
        let delivered = tumbler_world::echo(ECHO_ROUNDS, FRAME_SIZE);
        echo.push(per(start.elapsed(), delivered));
    }
    let per_event = |spans: &[Duration]| median(spans.iter().map(|span| per(*span, sums.events)).collect());
    let (with, without) = (per_event(&judged), per_event(&plain));
    let per_message = median(judged.iter().map(|span| per(*span, sums.messages)).collect());
    let echo = median(echo);
    let wall = judged.iter().min().copied().unwrap_or_default();
    println!("standard scenario, {SEEDS} seeds, medians of {ROUNDS} rounds");
    println!("  events             {:>10} a run, {:.2} million/s", sums.events / SEEDS, 1e3 / with);
    println!(
        "  per event          {with:>10.0} ns judged, {without:.0} ns unjudged: judges {:.0} ns",
        with - without
    );
    println!(
        "  per message        {per_message:>10.0} ns, madsim's echo {echo:.0} ns: ratio {:.2}",
        per_message / echo
    );
    println!(
        "  virtual / wall     {:>10.0}",
        Duration::from_nanos(sums.virtual_ns).as_secs_f64() / wall.as_secs_f64()
    );
    println!("  seeds per hour     {:>10.0} a core", 3600.0 * SEEDS as f64 / wall.as_secs_f64());
    println!(
        "  commands           {:>10.1} per closed rotation, heartbeats included",
        sums.commands as f64 / sums.closed as f64
    );
}

fn sweep(plans: &[Plan], judge: bool, sums: &mut Sums) -> Duration {
    let options = Options { judge, ..Options::default() };
    let start = Instant::now();
    for plan in plans {
        let outcome = run(plan, &roles::role, &options);
        sums.events += outcome.events;
        sums.messages += outcome.messages;
        sums.virtual_ns += outcome.end_at.nanos();
        if let Some(judgement) = &outcome.judgement {
            sums.commands += judgement.tally.commands;
            sums.closed += judgement.tally.promoted + judgement.tally.rolled_back;
        }
    }
    start.elapsed()
}

fn per(span: Duration, count: u64) -> f64 {
    span.as_secs_f64() * 1e9 / count.max(1) as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
