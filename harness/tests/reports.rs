//! Reports and the gate at the command line; and every face is red for a planted violation.

use roxmltree::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use tempfile::TempDir;
use tumbler::folder::Folder;
use tumbler::{judgement, roles};
use tumbler_plan::{Build, Digest, Plan, Planted};
use tumbler_reports::report::{Claim, Context, of_sweep, v2};
use tumbler_reports::{Floor, Report, Sweep, coverage, junit, markdown};
use tumbler_types::{Invariant, Verdict};
use tumbler_world::Options;

/// A scratch folder, and the program in it.
struct Shell(TempDir);

impl Shell {
    fn new() -> Self {
        Shell(tempfile::tempdir().expect("a scratch folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a scratch file");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Runs the line, expects the code, and gives what was printed on either side.
    #[track_caller]
    fn check(&self, line: &str, code: i32) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
            .current_dir(self.0.path())
            .args(line.split_whitespace())
            .env_remove("RUST_LOG")
            .output()
            .expect("the program runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8(text).expect("text");
        assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
        text
    }
}

/// One seed with a planted bug, absorbed as if it was the shipped system.
fn planted(name: &str, seed: u64, bug: Planted) -> Report {
    let scenario = tumbler_scenarios::scenario(name).expect("shipped").scenario();
    let plan = Plan { planted: Some(bug), ..scenario.plan(seed) };
    let outcome = tumbler_world::run(&plan, &roles::role, &Options::default());
    let mut sweep = Sweep::new(1);
    sweep.absorb(Verdict::Pass, &judgement::report(name, &plan, &outcome, None));
    let claim = Claim {
        expect: scenario.expect(),
        breaks: scenario.breaks().to_vec(),
        not_owed: Vec::new(),
        epsilon: plan.timing.epsilon,
        bounds: plan.bounds.clone(),
    };
    let build = Build { version: "0.1.0".to_owned(), digest: Digest::of(b"build") };
    let claims = BTreeMap::from([(name.to_owned(), claim)]);
    of_sweep(
        &sweep,
        &Context {
            kind: v2::Kind::Sweep,
            build,
            ended: v2::Ended::Whole,
            floor: Floor::default(),
            assumptions: tumbler::report::assumed(&[plan.timing], &claims),
            owed: tumbler::report::owed(),
            claims,
            map: None,
        },
    )
}

#[test]
fn every_face_is_red_for_a_planted_violation() {
    let report = planted("zombie-rotator", 0, Planted::TargetIgnoresFences);
    assert_eq!(report.verdict, Verdict::Violated);
    assert_eq!(report.findings[0].fingerprint.invariant, Some(Invariant::AppliedOnce));
    assert_eq!(Report::parse(&report.to_text()), Ok(report.clone()));

    let text = junit::junit(&report);
    let document = Document::parse(&text).expect("XML");
    let case = document
        .descendants()
        .find(|node| {
            node.attribute("classname") == Some("zombie-rotator")
                && node.attribute("name") == Some("applied-once")
        })
        .expect("a case for the invariant");
    assert!(case.children().any(|child| child.tag_name().name() == "failure"), "{text}");
    assert!(text.contains("tumbler replay zombie-rotator --seed 0"), "{text}");

    let page = markdown::summary(&report);
    assert!(page.starts_with("## ❌ Tumbler: violated"), "{page}");
    assert!(page.contains("`violated/applied-once/"), "{page}");

    let table = coverage::coverage(&report).expect("memory");
    assert!(table.contains("zombie-rotator,applied-once,broken,"), "{table}");
    assert!(table.contains("(whole),verdict,violated,"), "{table}");

    let shell = Shell::new();
    shell.write("report.json", &report.to_text());
    let got = shell.check("gate report.json --policy ci", 20);
    assert!(got.contains("verdict: expected pass, got violated"), "{got}");
    let flat = got.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = "new_findings_max: expected at most 0, got 1, the first violated/applied-once/";
    assert!(flat.contains(first), "{got}");
    assert!(got.lines().all(|line| line.chars().count() <= 80), "{got}");
}

#[test]
fn reports_are_equal_for_every_number_of_jobs_and_every_folder() {
    let (one, two) = (Shell::new(), Shell::new());
    one.check("run zombie-rotator quiet --seeds 0..8 --jobs 1 --out one", 0);
    two.check(
        &format!("run quiet zombie-rotator --seeds 0..8 --jobs 3 --out {}", two.path("deep").display()),
        0,
    );
    for name in ["report.json", "junit.xml", "summary.md"] {
        let text = one.read(&format!("one/{name}"));
        assert_eq!(text, two.read(&format!("deep/{name}")), "{name}");
    }
    // A failing run too: its capsules are named, and no folder is.
    for (shell, out) in [(&one, "bad".to_owned()), (&two, two.path("bad").display().to_string())] {
        shell.check(&format!("run standard --seeds 0..4 --plant-process panic@3 --out {out}"), 13);
    }
    let text = one.read("bad/report.json");
    assert_eq!(text, two.read("bad/report.json"));
    assert!(text.contains("\"capsule\": \"standard-3.repro.json\""), "{text}");
    assert!(text.contains("\"replay\": \"tumbler replay standard-3.repro.json\""), "{text}");
    assert!(!text.contains(" /") && !text.contains("\"/"), "an absolute path: {text}");
    assert!(one.read("bad/junit.xml").contains("<error type=\"crashed\""));
}

/// Clean runs that several planted bugs share are run once, and so they are counted.
#[test]
fn a_report_counts_each_row_once_also_of_planted_bugs_and_of_what_was_bred() {
    let shell = Shell::new();
    shell.check("run planted --seeds 0..1 --out planted", 15);
    shell.check("run hostile-world --search coverage --seeds 0..60 --out bred", 0);
    for name in ["planted", "bred"] {
        let report = Report::parse(&shell.read(&format!("{name}/report.json"))).expect("a report");
        // No field of these is quoted.
        let text = shell.read(&format!("{name}/results.csv"));
        let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|line| line.split(',').collect()).collect();
        let number = |row: &Vec<&str>, column: usize| row[column].parse::<u64>().expect("a number");
        let sum = |column: usize| -> u64 { rows.iter().map(|row| number(row, column)).sum() };
        let v2::Totals { planned, done, bred, promoted, faults_fired, distinct_traces, .. } = report.totals;
        assert_eq!((planned, done), (rows.len() as u64, rows.len() as u64), "{name}");
        assert_eq!([promoted, faults_fired], [sum(7), sum(9)], "{name}");
        let digests: BTreeSet<&str> = rows.iter().map(|row| row[4]).collect();
        assert_eq!(distinct_traces, digests.len() as u64, "{name}");
        let keys: BTreeSet<(&str, &str)> = rows.iter().map(|row| (row[0], row[1])).collect();
        assert_eq!(keys.len(), rows.len(), "{name}: no row stands for another");
        let named = rows.iter().filter(|row| row[0].contains("-bred-")).count() as u64;
        assert_eq!(bred, named, "{name}");
        assert_eq!(bred > 0, name == "bred");
    }
}

#[test]
fn only_shards_of_one_build_add_up_and_each_once() {
    let shell = Shell::new();
    for (seeds, out) in [("0..4", "a"), ("4..8", "b")] {
        shell.check(&format!("run standard --seeds {seeds} --follow 100% --out {out}"), 0);
    }
    let got = shell.check("report a/report.json b/report.json --format reached", 0);
    assert!(got.contains("followed 8 seeds"), "{got}");
    let got = shell.check("report a/report.json a/report.json --format reached", 2);
    assert!(got.contains("a/report.json: expected each shard once"), "{got}");
    let digest = Report::parse(&shell.read("b/report.json")).expect("a report").build.digest.to_string();
    shell.write("other.json", &shell.read("b/report.json").replacen(&digest, &"0".repeat(64), 1));
    let got = shell.check("report a/report.json other.json --format reached", 2);
    assert!(got.contains("other.json: expected build ") && got.contains("got 0000000000000000"), "{got}");
}

#[test]
fn only_findings_that_the_baseline_has_not_fail() {
    let shell = Shell::new();
    let line = "run standard --seeds 0..4 --plant-process panic@3";
    shell.check(&format!("{line} --out main"), 13);
    // The baseline may stand in the folder that the run writes to.
    let got = shell.check(&format!("{line} --baseline main/report.json --out main"), 0);
    assert!(got.starts_with("PASS") && got.contains("known: crashed/"), "{got}");
    let report = Report::parse(&shell.read("main/report.json")).expect("a report");
    assert_eq!((report.totals.failed, report.totals.known, report.findings[0].known), (1, 1, true));
    shell.check(&format!("{line} --baseline main/report.json --max-fail 1 --out main"), 0);
    shell.check("run quiet --seeds 0..6 --out clean", 0);
    let got = shell.check(&format!("{line} --baseline clean/report.json --out new"), 13);
    assert!(got.starts_with("FAIL crashed") && !got.contains("known: "), "{got}");
    let got = shell.check("run planted --seeds 0..1 --baseline clean/report.json", 2);
    assert!(got.contains("--baseline is for scenarios"), "{got}");
    shell.check("run planted --seeds 0..1 --out bugs", 15);
    for line in ["run quiet --seeds 0..6 --out new", "gate clean/report.json --policy ci"] {
        let got = shell.check(&format!("{line} --baseline bugs/report.json"), 2);
        assert!(got.contains("bugs/report.json: it is of planted bugs"), "{got}");
    }
}

#[test]
fn a_gate_lets_through_what_its_policy_asks_and_names_each_rule_that_is_broken() {
    let shell = Shell::new();
    shell.check("run quiet zombie-rotator --seeds 0..8 --recheck 100% --out sweep", 0);
    shell.check("run planted --seeds 0..8 --out planted", 0);
    let policy = "schema = 1\nname = \"mine\"\nabout = \"a test\"\nverdict = \"pass\"\nseeds_min = 16\n\
                  rechecks_min = 16\nnew_findings_max = 0\nplanted = \"all-caught\"\nexercised_min = 1\n\
                  under_fault_min = 0\n";
    shell.write("mine.toml", policy);
    let both = "sweep/report.json planted/report.json";
    let got = shell.check(&format!("gate {both} --policy mine.toml"), 0);
    assert!(got.starts_with("PASS  policy mine"), "{got}");
    shell.write("more.toml", &policy.replace("seeds_min = 16", "seeds_min = 17"));
    let got = shell.check(&format!("gate {both} --policy more.toml"), 20);
    assert!(got.contains("1 of") && got.contains("  seeds_min: expected at least 17, got 16\n"), "{got}");
    let got = shell.check("gate sweep/report.json --policy mine.toml", 20);
    assert!(got.contains("planted: expected a report of planted bugs, got none"), "{got}");
    shell.check("run planted --seeds 0..4 --blind applied-once --out blind", 15);
    let got = shell.check("gate sweep/report.json blind/report.json --policy mine.toml", 20);
    assert!(got.contains("planted: expected all caught, got missed: target-ignores-fences"), "{got}");
    let got = shell.check("report blind/report.json --format junit", 0);
    assert!(got.contains("<failure type=\"missed\""), "{got}");
    let got = shell.check("gate sweep/report.json sweep/report.json --policy mine.toml", 20);
    assert!(got.contains("scenarios: expected each in one report, got quiet in two"), "{got}");
}

#[test]
fn damaged_reports_and_policies_are_answered_with_their_place() {
    let shell = Shell::new();
    shell.check("run quiet --seeds 0..6 --out out", 0);
    let report = shell.read("out/report.json");
    shell.write("cut.json", &report[..report.len() / 2]);
    shell.write("typo.json", &report.replacen("\"verdict\"", "\"verdikt\"", 1));
    shell.write("lie.json", &report.replacen("\"done\": 6", "\"done\": 5", 1));
    let policy = tumbler_reports::Policy::CI;
    shell.write("typo.toml", &policy.replacen("seeds_min", "seed_min", 1));
    let line = policy.lines().position(|line| line.starts_with("seeds_min")).expect("a floor") + 1;
    let typo = format!("typo.toml:{line}:1: unknown field `seed_min`");
    let table = [
        ("gate cut.json --policy ci", "cut.json:"),
        ("gate typo.json --policy ci", "typo.json:8:11: unknown field `verdikt`"),
        ("gate lie.json --policy ci", "lie.json:1:1: the parts disagree: totals.done is 5"),
        ("gate missing.json --policy ci", "failed to read missing.json"),
        ("gate out/report.json --policy typo.toml", typo.as_str()),
        ("gate out/report.json --policy missing.toml", "failed to read missing.toml"),
        (
            "gate out/report.json --policy strict",
            "unknown policy `strict`: expected `ci`, `foreign`, or a path",
        ),
        ("gate out/report.json", "--policy"),
        ("gate out/report.json --policy ci --baseline cut.json", "cut.json:"),
        ("report typo.json --format md", "typo.json:8:11"),
        ("report out/report.json --format html", "possible values: md, junit, csv"),
        ("run quiet --seeds 0..6 --baseline typo.json", "typo.json:8:11"),
    ];
    for (line, expect) in table {
        let got = shell.check(line, 2);
        assert!(got.contains(expect), "tumbler {line}\nexpected {expect}\ngot {got}");
    }
}

#[test]
fn a_run_that_cannot_write_its_report_says_so_and_leaves_no_older_one() {
    let shell = Shell::new();
    shell.check("run quiet --seeds 0..6 --out out", 0);
    shell.check("run standard --seeds 0..3 --plant-process panic@1 --out out", 13);
    assert!(shell.read("out/junit.xml").contains("<error "));
    std::fs::create_dir_all(shell.path("taken/report.json")).expect("a folder in the file's place");
    let got = shell.check("run quiet --seeds 0..6 --out taken", 74);
    assert!(got.contains("error: failed to write") && !got.contains("seeds"), "{got}");
}

/// One face that cannot be written takes no other with it, and leaves no half of itself.
#[test]
fn what_can_be_written_is_and_only_that_is_said_to_be() {
    let shell = Shell::new();
    std::fs::create_dir_all(shell.path("out/junit.xml/x")).expect("a folder in the file's place");
    let folder = Folder::of(&shell.path("out/any")).expect("it is there");
    let (shown, kept) = tumbler::report::keep(&folder, &planted("standard", 1, Planted::TargetIgnoresFences));
    assert!(shown.ends_with("out/results.csv, report.json, summary.md"), "{shown}");
    let why = kept.expect_err("a folder is in the way").to_string();
    assert!(why.contains("failed to write") && why.contains("junit.xml"), "{why}");
    let left = std::fs::read_dir(shell.path("out")).expect("it is there");
    let mut left: Vec<String> =
        left.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    left.sort();
    assert_eq!(left, ["junit.xml", "report.json", "summary.md"]);
}

/// A report that a full disk swallowed is no report, whatever it would have said.
#[test]
fn standard_output_that_takes_nothing_ends_with_74() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(_) = full() else { return println!("skipped: needs /dev/full") };
    let shell = Shell::new();
    shell.check("run quiet --seeds 0..3 --out out", 0);
    let lines = [
        "report out/report.json --format md",
        "report out/report.json --format junit",
        "trace export quiet@1 --format jsonl",
        "list scenarios",
        "run quiet --seeds 0..3 --out again",
        "man",
        "gate out/report.json --policy ci",
    ];
    for line in lines {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.current_dir(shell.0.path()).args(line.split_whitespace());
        let output = command.stdout(full().expect("it was there")).output().expect("the program runs");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(74), "tumbler {line}\n{told}");
        assert!(told.contains("error: failed to write to standard output: No space left"), "{line}: {told}");
    }
}

#[test]
fn a_finding_of_a_retold_incident_names_it() {
    let shell = Shell::new();
    let line = "run revocation-lost+rotator-forgets-revocation standard+target-ignores-fences --seeds 0..12";
    let text = shell.check(line, 10);
    let incident = tumbler_scenarios::scenario("revocation-lost").expect("shipped").scenario();
    let reference = &incident.incident().expect("it retells one").reference;
    let told: Vec<&str> = text.lines().filter(|line| line.starts_with("  retells ")).collect();
    assert!(!told.is_empty() && told.iter().all(|line| line.contains(reference.as_str())), "{text}");
    assert!(text.matches("\n  fingerprint ").count() > told.len(), "the other scenario retells none\n{text}");
}
