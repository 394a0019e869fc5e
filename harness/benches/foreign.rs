//! How many rotations a foreign function gets through: `cargo bench -p tumbler --bench foreign`.
//!
//! Runs the careful example without any fault, one run after the other on one fork server, and prints
//! rotations per second, by the clock and by the processors' time (this program's and its children's),
//! which a busy machine does not change as much. The median of several rounds; it asserts nothing but
//! that each run is fine: machines are noisy, and a number is for reading.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};
use tumbler::foreign::Rotator;
use tumbler::foreign::batch::run_batch;
use tumbler::foreign::processor::keep_to_one;
use tumbler_foreign::{Engine, Layout, Outcome, Plan};

fn main() {
    // The number that is asked for is that of one core.
    keep_to_one(0, tumbler::cli::cores());
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = harness.parent().expect("a folder of the repository").join("scenarios/foreign/careful");
    let rotator =
        Rotator::open(&folder, Engine::Postgres, Layout::default(), Vec::new()).expect("it is shipped");
    let plans: Vec<Plan> = (0..RUNS).map(|seed| rotator.plan(seed, Vec::new())).collect();
    let (mut clock, mut work) = (Vec::new(), Vec::new());
    let (mut rotations, mut invocations, mut calls) = (0, 0, 0);
    for _ in 0..ROUNDS {
        let (began, before) = (Instant::now(), processor_time());
        let batch = run_batch(&rotator, &plans, 1, Duration::from_secs(5), |_| ControlFlow::Continue(()));
        let reports = batch.expect("nobody interrupts").reports;
        clock.push(began.elapsed().as_secs_f64());
        work.push((processor_time() - before).as_secs_f64());
        assert!(reports.iter().all(|report| report.outcome == Outcome::Fine), "a run without faults is fine");
        rotations = reports.iter().map(|report| report.rotations_closed).sum();
        invocations = reports.iter().map(|report| report.invocations).sum();
        calls = reports.iter().map(|report| report.sites.len()).sum();
    }
    let (clock, work) = (median(clock), median(work));
    println!(
        "careful, postgres, one fork server, one core: {rotations} rotations, {invocations} invocations, {calls} calls"
    );
    println!(
        "  rotations  {:>6.0} /s by the clock, {:.0} /s of processor time",
        per(rotations, clock),
        per(rotations, work)
    );
    println!(
        "  one takes  {:>6.2} ms of processor time, {:.0} us an invocation",
        1e3 * work / rotations as f64,
        1e6 * work / invocations as f64
    );
}

fn per(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Of this program, and of its children that have ended: fields 14 to 17 of `/proc/self/stat`.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells it");
    let (_, fields) = stat.rsplit_once(") ").expect("a name in parentheses");
    let ticks: u64 = fields.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

const RUNS: u64 = 100;
const ROUNDS: usize = 5;
