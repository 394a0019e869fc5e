//! Capsules of foreign rotators: what a replay says of the same function, of a changed one, of none.

use super::{example, flat, has, tumbler};
use std::fs;
use std::path::{Path, PathBuf};

/// Both outputs of a command in this folder, and its exit code.
fn told(place: &Path, args: &[&str]) -> (String, Option<i32>) {
    let output = tumbler(place, args);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.code())
}

/// A copy of the naive function in `mine/fn`, and the capsule of these strikes in `out`.
fn kept(place: &Path, strikes: &[&str]) -> String {
    let folder = place.join("mine/fn");
    fs::create_dir_all(&folder).expect("the scratch folder takes folders");
    fs::copy(example("naive").join("lambda_function.py"), folder.join("lambda_function.py")).expect("a copy");
    let mut args = vec!["run", "--rotator", "mine/fn", "--out", "out"];
    args.extend(strikes.iter().flat_map(|strike| ["--strike", strike]));
    let (text, code) = told(place, &args);
    assert_eq!(code, Some(11), "{text}");
    let line = "\n  or:     tumbler replay out/fn-postgres-0.repro.json\n";
    assert!(text.contains(line), "{text}");
    "out/fn-postgres-0.repro.json".to_owned()
}

fn edit(file: PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(&file).expect("it is there");
    assert!(text.contains(from), "{from} in {text}");
    fs::write(&file, text.replacen(from, to, 1)).expect("it takes text");
}

#[test]
fn a_capsule_replays_to_the_record_from_anywhere_and_so_do_its_records() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let place = scratch.path();
    let capsule = kept(place, &["1:3:reply-lost"]);
    let (text, code) = told(place, &["replay", &capsule]);
    assert_eq!((code, text.lines().next()), (Some(11), Some("REPRODUCED  fn-postgres seed 0")), "{text}");
    assert!(text.contains("replay: tumbler run --rotator mine/fn "), "{text}");
    let (elsewhere, code) = told(&place.join("mine"), &["replay", &format!("../{capsule}")]);
    assert_eq!(code, Some(11), "{elsewhere}");
    assert_eq!(elsewhere, text.replace("--rotator mine/fn", "--rotator fn"));
    let (story, code) = told(place, &["explain", &capsule]);
    assert_eq!((code, text.split_once('\n').map(|(_, rest)| rest)), (Some(0), Some(story.as_str())));

    let (records, code) = told(place, &["trace", "export", &capsule, "--format", "jsonl"]);
    assert_eq!(code, Some(0), "{records}");
    let records: Vec<serde_json::Value> =
        records.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let numbers: Vec<Option<u64>> = records.iter().map(|record| record["seq"].as_u64()).collect();
    assert_eq!(numbers, (0..records.len() as u64).map(Some).collect::<Vec<_>>());
    assert_eq!(records.last().map(|record| record["text"].as_str()), Some(Some("the end")));
    assert_eq!(records.iter().filter(|record| record["strike"] == "reply-lost").count(), 1);
}

#[test]
fn of_another_function_only_the_failure_is_asked_and_bisect_gives_its_codes() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let place = scratch.path();
    let capsule = kept(place, &["1:3:reply-lost"]);
    let check = |args: &[&str], code: i32, bisect: i32, says: &str| {
        let mut all = vec!["replay", capsule.as_str()];
        all.extend(args);
        let (text, got) = told(place, &all);
        assert_eq!(got, Some(code), "{text}");
        assert!(flat(&text).starts_with(says), "{says}\n{text}");
        all.push("--bisect");
        assert_eq!(told(place, &all).1, Some(bisect), "{all:?}");
    };
    check(&[], 11, 10, "REPRODUCED fn-postgres seed 0");
    edit(place.join("mine/fn/lambda_function.py"), "import ", "# A harmless line.\nimport ");
    check(&[], 11, 10, "SAME FAILURE, of a changed function (lambda_function.py) fn-postgres");
    let careful = example("careful");
    let careful = careful.to_str().expect("UTF-8");
    let says = "NOT REPRODUCED, of a changed function (lambda_function.py): retried careful-postgres";
    check(&["--rotator", careful], 0, 0, says);
    fs::rename(place.join("mine/fn"), place.join("moved")).expect("it moves");
    let says = "error: out/fn-postgres-0.repro.json does not apply: expected its function in out/../mine/fn";
    let (text, code) = told(place, &["replay", &capsule]);
    assert_eq!((code, flat(&text).starts_with(says)), (Some(125), true), "{text}");
    let (text, code) = told(place, &["replay", &capsule, "--bisect"]);
    assert_eq!((code, text.starts_with("tumbler: NOT APPLICABLE")), (Some(125), true), "{text}");
    check(&["--rotator", "moved"], 11, 10, "SAME FAILURE, of a changed function (lambda_function.py) moved-");
}

#[test]
fn a_function_that_is_not_the_same_twice_differs_at_the_record_and_ends_with_14() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let place = scratch.path();
    let capsule = kept(place, &["1:3:reply-lost"]);
    // What another run of an unsteady function would have left: one record is another.
    let text = fs::read_to_string(place.join(&capsule)).expect("it is there");
    let mut unsteady: tumbler::foreign::capsule::Capsule = serde_json::from_str(&text).expect("a capsule");
    unsteady.records[7] = unsteady.records[6].clone();
    unsteady.digest = tumbler_plan::Digest::of(b"another run");
    fs::write(place.join(&capsule), unsteady.sealed().to_text()).expect("it takes text");
    let (text, code) = told(place, &["replay", &capsule]);
    assert_eq!(code, Some(14), "{text}");
    assert!(
        text.starts_with("DIFFERS AT STEP 7 (equal through step 6)  fn-postgres seed 0\n  there"),
        "{text}"
    );
    assert_eq!(told(place, &["replay", &capsule, "--bisect"]).1, Some(125));
}

#[test]
fn a_capsule_shrinks_to_the_strike_that_it_needs_and_the_smaller_one_replays() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let place = scratch.path();
    let capsule = kept(place, &["1:1:late", "1:3:reply-lost", "2:1:late"]);
    let (text, code) = told(place, &["shrink", &capsule]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.starts_with("SHRUNK  fn-postgres seed 0"), "{text}");
    assert!(text.contains("\n  strikes     3 to 1\n"), "{text}");
    let smaller = "out/fn-postgres-0.min.repro.json";
    assert!(text.contains(&format!("\n  or:     tumbler replay {smaller}\n")), "{text}");
    let (text, code) = told(place, &["replay", smaller]);
    assert_eq!((code, text.lines().next()), (Some(11), Some("REPRODUCED  fn-postgres seed 0")), "{text}");
    assert!(text.contains("--strike 1:3:reply-lost") && !text.contains(":late"), "{text}");
    let careful = example("careful");
    let args = ["shrink", capsule.as_str(), "--rotator", careful.to_str().expect("UTF-8")];
    let (text, code) = told(place, &args);
    assert_eq!(code, Some(125), "{text}");
}

#[test]
fn damaged_capsules_and_what_does_not_go_with_them_are_refused() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let place = scratch.path();
    let capsule = kept(place, &["1:3:reply-lost"]);
    let check = |args: &[&str], code: i32, says: &str| {
        let (text, got) = told(place, args);
        assert_eq!(got, Some(code), "{text}");
        assert!(flat(&text).contains(says), "{says}\n{text}");
    };
    check(&["replay", &capsule, "--until", "9"], 2, "--until is for scenarios");
    check(&["trace", "export", &capsule, "--format", "itf"], 2, "written with --format jsonl");
    check(&["trace", "diff", &capsule, &capsule], 125, "it is of a rotation function");
    check(&["replay", "standard", "--seed", "1", "--rotator", "mine/fn"], 2, "and standard is none");
    edit(place.join(&capsule), "\"seed\": 0", "\"seed\": 1");
    check(&["replay", &capsule], 125, "the chain of digests is damaged");
    edit(place.join(&capsule), "\"seed\": 1", "\"sead\": 1");
    check(&["replay", &capsule], 125, "line 14, column 8: unknown field `sead`");
    edit(place.join(&capsule), "\"foreign\": 1", "\"foreign\": 9");
    check(&["shrink", &capsule], 125, "expected capsule schema 1 or an older one, got 9");
}

#[test]
fn a_grid_keeps_a_capsule_of_each_story() {
    if !has("python3") {
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let naive = example("naive");
    let args = ["grid", "--rotator", naive.to_str().expect("UTF-8"), "--out", "out"];
    let (text, code) = told(scratch.path(), &args);
    assert_eq!(code, Some(10), "{text}");
    let lines: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("  or:     tumbler ")).collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        let (text, code) = told(scratch.path(), &words);
        assert!(text.starts_with("REPRODUCED  naive-postgres seed "), "{text}");
        assert!(matches!(code, Some(10 | 11)), "{code:?}");
    }
    let report = fs::read_to_string(scratch.path().join("out/report.json")).expect("the grid wrote it");
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    for finding in report["findings"].as_array().expect("a list") {
        let name = finding["capsule"].as_str().expect("each finding has one");
        assert!(scratch.path().join("out").join(name).is_file(), "{name}");
    }
}
