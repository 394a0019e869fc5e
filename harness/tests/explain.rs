//! `tumbler explain`: what led to a failure fits on a screen, for every planted bug, and nothing that
//! is left out goes uncounted.

use std::path::Path;
use std::process::Command;
use tumbler::{judgement, roles};
use tumbler_plan::{Plan, Planted};
use tumbler_reports::explain;
use tumbler_types::Observed;
use tumbler_world::Options;

#[track_caller]
fn check(folder: &Path, line: &str, code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .args(line.split_whitespace())
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let text = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
    text
}

/// The trace up to the failure, and its explanation. None if the seed does not fail.
fn explained(name: &str, plan: &Plan) -> Option<(Vec<Observed>, String)> {
    let options = Options { keep_trace: true, ..Options::default() };
    let outcome = tumbler_world::run(plan, &roles::role, &options);
    let report = judgement::report(name, plan, &outcome, None);
    let text = explain(plan, &outcome.trace, &report)?;
    Some((outcome.trace, text))
}

fn fits(name: &str, text: &str) {
    assert!(text.lines().count() <= explain::LINES, "{name}: {} lines\n{text}", text.lines().count());
    let wide = text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{name}");
}

/// The numbers of the last paragraph: all, cannot have, can, left out, and the parts.
fn account(text: &str) -> Vec<u64> {
    let start = text.find(" events up to there").expect("there is an account");
    let start = text[..start].rfind("\n").map_or(0, |at| at + 1);
    let plain = text[start..].replace(',', "");
    plain.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn every_planted_bug_is_explained_on_one_screen_before_it_is_shrunk() {
    let suite = tumbler_scenarios::suite("planted").expect("shipped");
    let mut count = 0;
    for entry in suite.entries {
        let Some((planted, _)) = entry.planted else { continue };
        let scenario = tumbler_scenarios::scenario(&entry.scenario).expect("shipped").scenario();
        let (name, seeds) = (format!("{}+{}", entry.scenario, planted.name()), entry.seeds.clone());
        let shown = seeds.clone().find_map(|seed| {
            let plan = Plan { planted: Some(planted), ..scenario.plan(seed) };
            explained(&name, &plan)
        });
        let (_, text) = shown.unwrap_or_else(|| panic!("{name} fails in {seeds:?}"));
        fits(&name, &text);
        assert!(text.contains("◆") || text.contains("HERE it is noticed"), "{name}\n{text}");
        let numbers = account(&text);
        let [all, outside, past, hidden] = numbers[..4] else { panic!("{name}: {numbers:?}") };
        assert_eq!(all, outside + past, "{name}\n{text}");
        assert_eq!(hidden, numbers[4..].iter().sum::<u64>(), "{name}\n{text}");
        assert!(hidden < past, "{name}: something is shown");
        count += 1;
    }
    assert_eq!(count, Planted::ALL.len());
}

#[test]
fn the_chart_shows_the_hold_the_late_arrival_and_the_fence_that_came_between() {
    let scenario = tumbler_scenarios::scenario("zombie-rotator").expect("shipped").scenario();
    let plan = Plan { planted: Some(Planted::TargetIgnoresFences), ..scenario.plan(0) };
    let (_, text) = explained("zombie", &plan).expect("it fails");
    for part in ["begins: hold", "apply-request held", "(Retire e", "◆", "HERE: Green accepts"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn a_capsule_is_explained_and_what_does_not_apply_or_not_fail_is_refused() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run renewer-dies+agent-renewer-dies --seeds 0..1 --out out", 10);
    let name = "out/renewer-dies+agent-renewer-dies-0";
    check(home, &format!("shrink {name}.repro.json"), 0);
    let text = check(home, &format!("explain {name}.min.repro.json"), 0);
    fits(name, &text);
    for part in ["VIOLATED holder-served", "heartbeat-reply lost (dropped)", "HERE: has nothing for"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // On its own build, a capsule that does not fail is not the same twice.
    let blind = check(home, &format!("explain {name}.min.repro.json --blind holder-served"), 14);
    assert!(blind.contains("does not reproduce"), "{blind}");
    let text = std::fs::read_to_string(home.join(format!("{name}.min.repro.json"))).expect("a capsule");
    let digest = text.split("\"digest\": \"").nth(1).and_then(|rest| rest.get(..64)).expect("the build's");
    let other = text.replacen(digest, &"0".repeat(64), 1);
    std::fs::write(home.join("other.repro.json"), other).expect("writable");
    let other = check(home, "explain other.repro.json --blind holder-served", 125);
    assert!(other.contains("this build does not show violated/holder-served"), "{other}");
    std::fs::write(home.join("half.repro.json"), &text[..text.len() / 2]).expect("writable");
    check(home, "explain half.repro.json", 125);
    check(home, "explain missing.repro.json", 125);
}

#[test]
fn a_run_that_kills_its_process_is_explained_as_far_as_it_came() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run quiet --seeds 3..4 --out out --plant-process abort@3", 13);
    let text = check(home, "explain out/quiet-3.repro.json --plant-process abort@3", 0);
    fits("abort", &text);
    assert!(text.starts_with("CRASHED  quiet seed 3\n  died: "), "{text}");
    assert!(text.contains("HERE: "), "{text}");
}
