//! A run is a pure function of (build, scenario, seed): every way of running it gives one digest.
//!
//! Six seeds of every shipped scenario, through the binary and through the library. That the check can
//! fail is shown in the world's own tests, by a planted hash-order leak and a planted clock leak.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use tumbler::{probe, roles};
use tumbler_plan::{Digest, Plan};
use tumbler_types::{Event, FaultId, Observed};
use tumbler_world::{Options, Outcome};

/// Seeds of each of the shipped scenarios.
const SEEDS: u64 = 6;

type Digests = BTreeMap<(String, u64), String>;

/// Arguments, folder and environment of one way to run the same seeds.
type Way<'a> = (&'a [&'a str], &'a Path, &'a [(&'a str, &'a str)]);

/// Digests of all scenarios, from `results.csv` of a run with these arguments.
fn swept(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Digests {
    let out = folder.join(arguments.join("_").replace(['-', ' '], "x")).join("out");
    let scenarios = tumbler_scenarios::catalog().iter().map(|shipped| shipped.name);
    let run = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .arg("run")
        .args(scenarios)
        .args(["--quiet", "--seeds", &format!("0..{SEEDS}"), "--out"])
        .arg(&out)
        .args(arguments)
        .envs(variables.iter().copied())
        .output()
        .expect("the binary runs");
    let text = std::fs::read_to_string(out.join("results.csv"))
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&run.stderr)));
    let digests: Digests = text
        .lines()
        .skip(1)
        .map(|line| {
            let fields: Vec<&str> = line.split(',').collect();
            ((fields[0].to_owned(), fields[1].parse().expect("a seed")), fields[4].to_owned())
        })
        .collect();
    assert!(digests.len() >= 200, "{} rows", digests.len());
    assert!(digests.values().all(|digest| digest.len() == 64));
    digests
}

#[test]
fn the_digest_is_the_same_however_a_seed_is_run() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let elsewhere = tempfile::tempdir().expect("another");
    let base = swept(&["--jobs", "1", "--recheck", "0"], home.path(), &[]);
    let disturbed =
        [("TZ", "Asia/Tokyo"), ("LANG", "tr_TR.UTF-8"), ("MADSIM_TEST_SEED", "99"), ("HOME", "/")];
    let ways: [Way<'_>; 6] = [
        (&["--jobs", "2", "--recheck", "0"], home.path(), &[]),
        (&["--jobs", "2"], elsewhere.path(), &disturbed),
        (&["--judges", "off", "--recheck", "0"], home.path(), &[]),
        (&["--madsim-seed", "1", "--recheck", "0"], home.path(), &[]),
        (&["--madsim-seed", "18446744073709551615", "--recheck", "0"], home.path(), &[]),
        (&["--driver", "tasks", "--recheck", "0"], home.path(), &[]),
    ];
    for (arguments, folder, variables) in ways {
        let other = swept(arguments, folder, variables);
        let differing: Vec<_> = base.iter().filter(|(key, digest)| other.get(*key) != Some(digest)).collect();
        assert!(differing.is_empty(), "{arguments:?}: {differing:?}");
    }
    // Alone, each in a world of its own and in no worker.
    for shipped in tumbler_scenarios::catalog() {
        let scenario = shipped.scenario();
        for seed in 0..SEEDS {
            let alone = ran(&scenario.plan(seed), &Options::default()).digest.to_string();
            assert_eq!(base[&(shipped.name.to_owned(), seed)], alone, "{} {seed}", shipped.name);
        }
    }
}

#[test]
fn removing_any_one_fault_leaves_the_trace_before_it_identical() {
    let kept = Options { keep_trace: true, judge: false, ..Options::default() };
    let mut removed = 0;
    for shipped in tumbler_scenarios::catalog() {
        let scenario = shipped.scenario();
        for seed in 0..2 {
            let plan = scenario.plan(seed);
            let whole = ran(&plan, &kept);
            for fault in &plan.faults {
                let mut without = plan.clone();
                without.faults.retain(|each| each.id != fault.id);
                let part = ran(&without, &kept);
                let place = began(&whole.trace, fault.id).unwrap_or(whole.trace.len());
                let what = format!("{} seed {seed} without {}", shipped.name, fault.id);
                let differs =
                    whole.trace[..place].iter().zip(&part.trace).find(|(left, right)| left != right);
                assert_eq!(differs, None, "{what}");
                assert!(part.trace.len() >= place, "{what}");
                removed += usize::from(place < whole.trace.len());
            }
        }
    }
    assert!(removed >= 50, "only {removed} faults had begun");
}

#[test]
fn a_rollback_probe_starts_from_a_state_that_its_run_reached() {
    let kept = Options { keep_trace: true, judge: false, ..Options::default() };
    let mut points = 0;
    for seed in 0..8 {
        let plan = tumbler_scenarios::scenario("rollback-under-fire").expect("shipped").scenario().plan(seed);
        let base = ran(&plan, &kept);
        for candidate in probe::candidates(&plan, &base.trace) {
            let fired = probe::fired_before(&base.trace, candidate.at);
            let probed = ran(&probe::edited(&plan, candidate, &fired), &kept);
            let before = |trace: &[Observed]| trace.partition_point(|observed| observed.at < candidate.at);
            let place = before(&base.trace);
            assert_eq!(before(&probed.trace), place, "seed {seed}, {candidate:?}");
            assert_eq!(base.trace[..place], probed.trace[..place], "seed {seed}, {candidate:?}");
            points += 1;
        }
    }
    assert!(points >= 10, "only {points} points");
}

fn ran(plan: &Plan, options: &Options) -> Outcome {
    let outcome = tumbler_world::run(plan, &roles::role, options);
    assert_ne!(outcome.digest, Digest::of(b""));
    outcome
}

fn began(trace: &[Observed], id: FaultId) -> Option<usize> {
    trace.iter().position(|each| matches!(each.event, Event::FaultBegan { fault, .. } if fault == id))
}
