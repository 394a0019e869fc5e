//! A seed that two runs answer differently is noticed, whatever else was said of it, and is exit 14.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use tumbler::exit::Exit;
use tumbler::{judgement, roles};
use tumbler_plan::Plan;
use tumbler_reports::{Facts, Floor, Sweep, summary};
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Build, NodeId, Span, TimerId, Verdict};
use tumbler_world::{Options, Outcome, run};

/// Sets one timer more than its role wants, of a length that the process has counted.
struct Leaky(Box<dyn Role>);

const OWN: TimerId = TimerId(1_000);
static COUNT: AtomicU64 = AtomicU64::new(0);

impl Role for Leaky {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        if matches!(input, Input::Timer { timer: OWN }) {
            return Effects::new();
        }
        let is_boot = matches!(input, Input::Boot { .. });
        let mut effects = self.0.handle(now, input);
        if is_boot {
            let after = Span::from_millis(1 + COUNT.fetch_add(1, Ordering::Relaxed));
            effects.push(Effect::SetTimer { timer: OWN, after });
        }
        effects
    }
}

fn plan() -> Plan {
    tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(1)
}

fn outcome(is_leaky: bool) -> Outcome {
    let plan = plan();
    let agent = plan.topology.by_name("agent-1").expect("a node of quiet");
    let factory = move |plan: &Plan, node: NodeId, build: Build| match is_leaky && node == agent {
        true => Box::new(Leaky(roles::role(plan, node, build))),
        false => roles::role(plan, node, build),
    };
    run(&plan, &factory, &Options::default())
}

/// The code of a sweep of one seed that was run twice, and what is printed.
fn swept(is_leaky: bool) -> (u8, String) {
    let (first, second) = (outcome(is_leaky), outcome(is_leaky));
    let mut report = judgement::report("quiet", &plan(), &first, None);
    assert_eq!(report.row.verdict, Verdict::Pass);
    judgement::rechecked(&mut report, first.digest == second.digest);
    let mut sweep = Sweep::new(1);
    sweep.absorb(Verdict::Pass, &report);
    let facts = Facts {
        elapsed_ms: 1,
        assumed: Vec::new(),
        floor: Floor::default(),
        ended: tumbler_reports::report::v2::Ended::Whole,
        reached: None,
        files: Vec::new(),
    };
    let code = Exit::Verdict(sweep.verdict(&facts.floor)).code();
    (code, summary(&sweep, &facts))
}

#[test]
fn two_digests_of_one_seed_are_exit_14_though_both_runs_passed() {
    let (code, text) = swept(true);
    assert_eq!(code, 14, "{text}");
    assert!(text.starts_with("FAIL nondeterministic  1/1 seed"), "{text}");
    assert!(text.contains("rechecked        0/1 equal"), "{text}");
}

#[test]
fn equal_digests_change_nothing() {
    let (code, text) = swept(false);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("rechecked        1/1 equal"), "{text}");
}

/// Code and standard output of a command line.
fn ran(home: &Path, line: &str) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(home)
        .args(line.split_whitespace())
        .output()
        .expect("the program runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

/// A process that agrees with itself, run after run, is found out by another one.
#[test]
fn a_leak_that_is_the_same_all_through_a_process_is_found_by_a_fresh_one() {
    let home = tempfile::tempdir().expect("a scratch folder");
    for (share, differ) in [("100%", true), ("0", false)] {
        let line =
            format!("run quiet --seeds 1..4 --jobs 1 --recheck {share} --plant-process birth@2 --out out");
        let (code, text) = ran(home.path(), &line);
        assert_eq!(code == Some(14), differ, "{text}");
        assert_eq!(text.contains("rechecked        2/3 equal"), differ, "{text}");
        assert_eq!(text.contains(", authority-1: field `time`"), differ, "{text}");
    }
}

/// The other process may die of what the first survived. That is told, and the sweep goes on.
#[test]
fn a_process_that_dies_in_a_recheck_is_told_and_the_seeds_after_it_are_still_rechecked() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let line = "run quiet --seeds 0..8 --jobs 1 --recheck 100% --plant-process again@2 --out out";
    let (code, text) = ran(home.path(), line);
    assert_eq!(code, Some(14), "{text}");
    assert!(text.contains("rechecked        7/8 equal"), "{text}");
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("died: run again in another process, the worker died of signal 6 (SIGABRT)"),
        "{text}"
    );
}

/// What the process knows gets into seed 2: the sweep's own recheck finds it, and names the place.
#[test]
fn a_leak_is_told_with_its_step_node_both_events_and_the_field() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let ran = |line: &str| ran(home.path(), line);
    let (code, text) = ran("run quiet --seeds 1..4 --recheck 100% --plant-process leak@2 --out out");
    assert_eq!(code, Some(14), "{text}");
    assert!(text.contains("rechecked        2/3 equal"), "{text}");
    let told = text.split("NONDETERMINISTIC  quiet seed 2").nth(1).expect("it is told");
    let first = told.lines().find(|line| line.starts_with("  first difference at step ")).expect("a place");
    assert!(first.ends_with(", authority-1: field `time`"), "{first}");
    let both = told.lines().filter(|line| line.contains("authority-1 TimerFired timer=timer-1000"));
    assert!(both.count() >= 2, "{told}");
    assert!(told.contains("    time: once 70.000"), "{told}");
    // The capsule's own run cannot be had again, but two runs now show the same leak.
    let (code, text) = ran("replay out/quiet-2.repro.json --plant-process leak@2");
    assert_eq!(code, Some(14), "{text}");
    assert!(text.starts_with("DIFFERS AT STEP "), "{text}");
    assert!(text.contains("two runs of it now differ as well:\n  first difference at step "), "{text}");
    let (code, text) = ran("replay out/quiet-2.repro.json");
    assert_eq!(code, Some(14), "{text}");
    assert!(text.contains("two runs of it now are the same"), "{text}");
    // The second look of a sweep that did not recheck the seed finds it too.
    let line = "run standard+target-ignores-fences --seeds 1..2 --recheck 0 --plant-process leak@1 --out out";
    let (code, text) = ran(line);
    assert_eq!(code, Some(14), "{text}");
    assert!(text.contains("  first difference at step "), "{text}");
}
