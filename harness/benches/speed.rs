//! How fast and how large runs are, as ratios in one go: `cargo bench -p tumbler --bench speed`.
//!
//! It prints a table of everything that the design promises of speed and size, each beside what was aimed at;
//! the things compared take turns over many rounds, and of each the fastest counts: what else a machine does
//! only ever adds. It asserts nothing: machines are noisy, and a number is for reading.

#[path = "speed/outside.rs"]
mod outside;

use std::time::{Duration, Instant};
use tumbler::roles;
use tumbler_checker::graph::Graph;
use tumbler_checker::{CheckBounds, Limit};
use tumbler_plan::{DigestChain, Plan};
use tumbler_spec::Judges;
use tumbler_spec::machine::Machine;
use tumbler_types::{Assumption, Observed};
use tumbler_world::{Options, run};

const ROUNDS: usize = 25;
const SEEDS: u64 = 20;
const TRACES: usize = 12;
const ECHO_ROUNDS: u32 = 30_000;
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
    println!("standard scenario, {SEEDS} seeds, the fastest of {ROUNDS} rounds\n");
    println!("| what | measured | aim | of the aim |\n|---|---|---|---|");
    runs();
    judges();
    search();
    outside::outside();
}

/// A line: the measure, its unit, the aim, and how much of it was reached (more is better, always).
pub fn line(what: &str, measured: &str, aim: &str, reached: Option<f64>) {
    let reached = reached.map_or("-".to_owned(), |reached| format!("{:.0} %", reached * 100.0));
    println!("| {what} | {measured} | {aim} | {reached} |");
}

fn runs() {
    let scenario =
        tumbler_scenarios::scenario("standard").expect("the standard scenario is shipped").scenario();
    let plans: Vec<Plan> = (0..SEEDS).map(|seed| scenario.plan(seed)).collect();
    let mut spans: [Vec<Duration>; 4] = Default::default();
    let mut echo = Vec::new();
    let mut sums = Sums::default();
    for _ in 0..ROUNDS {
        for (spans, (judge, digest)) in
            spans.iter_mut().zip([(true, true), (false, true), (true, false), (false, false)])
        {
            let mut now = Sums::default();
            spans.push(sweep(&plans, judge, digest, &mut now));
            if judge {
                sums = now;
            }
        }
        let start = Instant::now();
        let delivered = tumbler_world::echo(ECHO_ROUNDS, FRAME_SIZE);
        echo.push(per(start.elapsed(), delivered));
    }
    let [whole, unjudged, undigested, bare] = spans.map(|spans| fastest(&spans).as_secs_f64() * 1e9);
    let events = sums.events as f64;
    let [whole_each, bare_each] = [whole, bare].map(|span| span / events);
    let rate = 1e9 / whole_each;
    line("events a second, one core", &format!("{:.2} M", rate / 1e6), "2 M", Some(rate / 2e6));
    let parts = format!("{whole_each:.0} ns = {bare_each:.0} + the lines below");
    line("an event, everything on", &parts, "500 ns", Some(500.0 / whole_each));
    let judging = (whole - unjudged) / events;
    line("- judges, in the run", &format!("{judging:.0} ns"), "100 ns", Some(100.0 / judging));
    let digesting = (whole - undigested) / events;
    line("- digest, in the run", &format!("{digesting:.0} ns"), "-", None);
    let recording = whole / bare;
    line("recording and judging against neither", &format!("{recording:.2}"), "2", Some(2.0 / recording));
    let times = sums.virtual_ns as f64 / whole;
    line("virtual over real time", &format!("{times:.0}"), "50,000", Some(times / 5e4));
    let seeds = 3_600e9 * SEEDS as f64 / whole;
    line("seeds an hour and core", &format!("{:.0} k", seeds / 1e3), "500 k", Some(seeds / 5e5));
    let messages = sums.messages as f64;
    let echo = echo.into_iter().fold(f64::INFINITY, f64::min);
    let each = whole / messages;
    let both = format!("{each:.0} ns, madsim's echo {echo:.0} ns");
    line("a delivered message", &both, "madsim's", Some(echo / each));
    let density =
        format!("{:.1}, {:.0} messages a second", events / messages, messages * 1e9 / sums.virtual_ns as f64);
    line("events a message", &density, "-", None);
    let commands = sums.commands as f64 / sums.closed as f64;
    line("log commands a closed rotation", &format!("{commands:.0}"), "-", None);
}

fn sweep(plans: &[Plan], judge: bool, digest: bool, sums: &mut Sums) -> Duration {
    let options = Options { judge, digest, ..Options::default() };
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

/// The judges and the digest over recorded traces, each with the other away.
fn judges() {
    let scenario = tumbler_scenarios::scenario("standard").expect("shipped").scenario();
    let kept = Options { keep_trace: true, judge: false, ..Options::default() };
    let traces: Vec<(Plan, Vec<Observed>)> = (0..TRACES as u64)
        .map(|seed| scenario.plan(seed))
        .map(|plan| (plan.clone(), run(&plan, &roles::role, &kept).trace))
        .collect();
    let events: usize = traces.iter().map(|(_, trace)| trace.len()).sum();
    let judge = |plan: &Plan, is_monitored: bool| {
        let judges = Judges::new(&plan.topology, &plan.timing, &plan.bounds, plan.canaries);
        // Under a disk that lies the monitor rests.
        let broken = (!is_monitored).then_some(Assumption::FsyncHonest).into_iter().collect();
        judges.breaking(&broken)
    };
    let (mut both, mut ledger, mut digest) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (spans, is_monitored) in [(&mut both, true), (&mut ledger, false)] {
            let start = Instant::now();
            for (plan, trace) in &traces {
                let mut judges = judge(plan, is_monitored);
                trace.iter().for_each(|observed| judges.observe(observed));
                std::hint::black_box(&judges);
            }
            spans.push(start.elapsed());
        }
        let start = Instant::now();
        for (_, trace) in &traces {
            let mut chain = DigestChain::new();
            trace.iter().for_each(|observed| chain.push(observed));
            std::hint::black_box(chain.sample());
        }
        digest.push(start.elapsed());
    }
    let each = |spans: Vec<Duration>| per(fastest(&spans), events as u64);
    let (both, ledger, digest) = (each(both), each(ledger), each(digest));
    let parts = format!("{both:.1} ns = ledger {ledger:.1} + monitor {:.1}", both - ledger);
    line("judges, over a recorded trace", &parts, "100 ns", Some(100.0 / both));
    line("digest, over a recorded trace", &format!("{digest:.0} ns"), "-", None);
}

/// The graph engine at the small bounds.
fn search() {
    let machine = Machine::new(CheckBounds::small());
    let mut rates = Vec::new();
    let mut states = 0;
    for _ in 0..5 {
        let start = Instant::now();
        let graph = Graph::explore(&machine, Limit { bytes: 4 << 30, stop_at: None, stop: None });
        states = graph.table.len();
        rates.push(states as f64 / start.elapsed().as_secs_f64());
    }
    let rate = rates.into_iter().fold(0.0, f64::max);
    let measured = format!("{:.2} M, of {states} in all", rate / 1e6);
    line("graph engine, states a second, small bounds", &measured, "1 M", Some(rate / 1e6));
}

fn per(span: Duration, count: u64) -> f64 {
    span.as_secs_f64() * 1e9 / count.max(1) as f64
}

pub fn fastest(spans: &[Duration]) -> Duration {
    spans.iter().min().copied().unwrap_or_default()
}
