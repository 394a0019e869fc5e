//! Manners of `run --rotator` and `grid --rotator`: ends before time, gates, baselines, widths.

use super::{example, flat, function, has, replay_of, rotate, tumbler};
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_sweep_stops_after_enough_failures_and_says_so_in_its_report() {
    if !has("python3") {
        return;
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let (folder, place) = (example("naive"), out.path().to_str().expect("UTF-8"));
    let rotator = folder.to_str().expect("UTF-8");
    for jobs in ["1", "2"] {
        let args = ["run", "--rotator", rotator, "--seeds", "0..5000", "--max-fail", "3", "--jobs", jobs];
        let output = tumbler(out.path(), &[&args[..], &["--out", place]].concat());
        assert_eq!(output.status.code(), Some(10));
        let rows = std::fs::read_to_string(out.path().join("results.csv")).expect("the sweep wrote it");
        let failed = rows.lines().skip(1).filter(|row| !row.contains(",pass,")).count();
        assert_eq!(failed, 3, "{rows}");
        let report = std::fs::read_to_string(out.path().join("report.json")).expect("the sweep wrote it");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["ended"], "stopped");
    }
}

/// Interrupts the command at its first word, whole process group, as a terminal would.
#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_report_of_what_was_done() {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    if !has("python3") {
        return;
    }
    for what in [&["run", "--seeds", "0..100000", "--show-progress", "counter"][..], &["grid"]] {
        let out = tempfile::tempdir().expect("a scratch folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        // Slow enough that it is still running when the first line comes.
        let slow = function(&format!(
            "{}\nfor _ in range(0): pass\n",
            std::fs::read_to_string(example("careful").join("lambda_function.py"))
                .expect("the example")
                .replace(
                    "    client = boto3.client(\"secretsmanager\")",
                    "    sum(range(3_000_000))\n    client = boto3.client(\"secretsmanager\")"
                )
        ));
        command.args(what).arg("--rotator").arg(slow.path()).arg("--out").arg(out.path());
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let stderr = child.stderr.take().expect("it is piped");
        BufReader::new(stderr).read_line(&mut line).expect("a line of progress");
        let group = format!("-{}", child.id());
        let sent = Command::new("kill").args(["-s", "INT", "--", &group]).status().expect("kill");
        assert!(sent.success());
        let output = child.wait_with_output().expect("it ends");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(130), "{what:?} {line}\n{text}");
        assert!(!text.contains("CRASHED"), "{text}");
        // What was not run has shown nothing.
        assert!(text.starts_with("INTERRUPTED INCONCLUSIVE  "), "{text}");
        let report = std::fs::read_to_string(out.path().join("report.json")).expect("it was written");
        let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["ended"], "interrupted");
        assert!(report["totals"]["done"].as_u64().is_some_and(|done| done > 0), "{line}\n{text}");
    }
}

#[test]
fn a_gate_takes_the_report_of_a_careful_function_and_no_other() {
    if !has("python3") {
        return;
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let report = |name: &str| {
        let (folder, place) = (example(name), out.path().join(name));
        let rotator = folder.to_str().expect("UTF-8");
        let args =
            ["run", "--rotator", rotator, "--seeds", "0..120", "--out", place.to_str().expect("UTF-8")];
        tumbler(out.path(), &args);
        place.join("report.json").to_str().expect("UTF-8").to_owned()
    };
    let gate = |report: &str, policy: &str| {
        let output = tumbler(out.path(), &["gate", report, "--policy", policy]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let careful = report("careful");
    let (code, text) = gate(&careful, "foreign");
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = gate(&careful, "ci");
    assert_eq!(code, Some(20), "that policy is for builds of the simulated system: {text}");
    let (code, text) = gate(&report("naive"), "foreign");
    assert_eq!(code, Some(20), "{text}");
    assert!(text.contains("verdict: expected pass, got violated"), "{text}");
    assert!(text.contains("new_findings_max: expected at most 0"), "{text}");
}

#[test]
fn a_grid_fails_by_what_its_baseline_does_not_hold() {
    if !has("python3") {
        return;
    }
    let out = tempfile::tempdir().expect("a scratch folder");
    let folder = example("naive");
    let grid = |folder: &Path, place: &str, more: &[&str]| {
        let (place, rotator) = (out.path().join(place), folder.to_str().expect("UTF-8"));
        let args = ["grid", "--rotator", rotator, "--out", place.to_str().expect("UTF-8")];
        let output = tumbler(out.path(), &[&args[..], more].concat());
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(grid(&folder, "first", &[]).0, Some(10));
    let known = out.path().join("first/report.json");
    let known = ["--baseline", known.to_str().expect("UTF-8")];
    let (code, text) = grid(&folder, "second", &known);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(" cells of the baseline"), "{text}");
    assert!(!text.contains("VIOLATED"), "what is known is not told again: {text}");
    // One that fails otherwise: no user is found again, and none is dropped.
    let (code, text) = grid(function(include_str!("functions/fresh.py")).path(), "third", &known);
    assert_eq!(code, Some(10), "{text}");
    assert!(text.contains("violated orphan-free"), "{text}");
    let refused = tumbler(out.path(), &[&["grid", "standard"], &known[..]].concat());
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn strikes_that_a_failure_does_not_need_are_left_out_and_its_line_runs_verbatim() {
    if !has("python3") {
        return;
    }
    let folder = example("naive");
    let strikes = ["--strike", "1:1:late", "--strike", "1:3:reply-lost", "--strike", "2:1:late"];
    let args = [&strikes[..], &["--seeds", "0..2", "--shrink", "--recheck", "0"]].concat();
    let (text, code) = rotate("run", &folder, &args);
    assert_eq!(code, Some(11), "{text}");
    let line = replay_of(&text).expect("a replay line");
    assert!(line.contains("1:3:reply-lost") && !line.contains("late"), "{line}");
    let out = tempfile::tempdir().expect("a scratch folder");
    // From where the folder's name is enough, since no report holds a path of the machine.
    let parent = folder.parent().expect("a folder of examples");
    let from_there = |args: &[&str], place: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.args(args).args(["--out", place]).env("NO_COLOR", "1").current_dir(parent);
        let output = command.output().expect("the program starts");
        (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
    };
    let place = out.path().to_str().expect("UTF-8");
    let args = ["run", "--rotator", "naive", "--seeds", "0..40", "--shrink"];
    let (text, code) = from_there(&args, place);
    assert_eq!(code, Some(10), "{text}");
    let report = std::fs::read_to_string(out.path().join("report.json")).expect("the sweep wrote it");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let findings = report["findings"].as_array().expect("a list");
    assert!(findings.len() >= 3, "{findings:?}");
    for finding in findings.iter().take(3) {
        let line = finding["replay"].as_str().expect("a line");
        assert!((1..=2).contains(&line.matches("--strike").count()), "{line}");
        let words = shlex::split(line).expect("as a shell takes it");
        let words: Vec<&str> = words.iter().skip(1).map(String::as_str).collect();
        let (_, code) = from_there(&words, out.path().join("again").to_str().expect("UTF-8"));
        assert!(matches!(code, Some(10 | 11)), "{line}");
    }
    assert!(replay_of(&text).is_some_and(|line| line.contains("--strike")), "{text}");
}

#[test]
fn all_that_is_said_of_a_rotator_fits_a_terminal() {
    if !has("python3") {
        return;
    }
    let naive = example("naive");
    let raises = function("def lambda_handler(event, context):\n    raise KeyError('x' * 200)\n");
    let asks = function("import boto3\ndef lambda_handler(event, context):\n    boto3.client('s3')\n");
    for (what, folder, args) in [
        ("grid", naive.as_path(), &[][..]),
        ("run", naive.as_path(), &["--seeds", "0..30", "--shrink"]),
        ("run", naive.as_path(), &["--strike", "1:12:tls-fails", "--strike", "2:3:cancelled"]),
        ("run", naive.as_path(), &["--strike", "1:9:interleaved"]),
        ("grid", raises.path(), &[]),
        ("grid", asks.path(), &[]),
        ("run", asks.path(), &["--seeds", "0..2"]),
    ] {
        let (text, _) = rotate(what, folder, args);
        // A path is as long as it is.
        let long =
            |line: &&str| line.chars().count() > 80 && !line.contains("/tmp") && !line.contains(".csv");
        let long: Vec<&str> =
            text.lines().filter(long).filter(|line| !line.contains("--rotator /")).collect();
        assert!(long.is_empty(), "{what} {args:?}: {long:#?}");
    }
}

#[test]
fn an_interpreter_that_is_missing_or_too_old_is_told_before_anything_runs() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a scratch folder");
    let run = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.args(["grid", "--rotator"]).arg(example("naive")).env("PATH", place.path());
        let output = command.current_dir(place.path()).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let expect = |saw: &str| {
        let (code, text) = run();
        assert_eq!(code, Some(2), "{text}");
        for part in [saw, "run by Python 3.11 or later", "give an executable `rotator`"] {
            assert!(flat(&text).contains(part), "{part}\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    };
    expect("failed to start python3: No such file");
    let program = place.path().join("python3");
    for (script, saw) in
        [("echo 3 9", "python3 is 3.9"), ("exit 7", "did not tell its version, but ended with")]
    {
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("the scratch folder takes files");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
        expect(saw);
    }
}
