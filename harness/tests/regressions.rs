//! What was found once and mended is not found again: the corpus passes, is replayed first in every run,
//! and one that is back is a finding like any other.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn ran(folder: &Path, line: &str) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .args(line.split_whitespace())
        .output()
        .expect("the binary runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

#[track_caller]
fn check(folder: &Path, line: &str, code: i32) -> String {
    let (got, text) = ran(folder, line);
    assert_eq!(got, Some(code), "tumbler {line}\n{text}");
    text
}

#[test]
fn no_regression_is_reproduced_and_all_are_embedded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/regressions");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(&folder).expect("the folder is there") {
        let path = entry.expect("a readable folder").path();
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".repro.json") else { continue };
        let text = check(&folder, &format!("replay {file}"), 0);
        assert!(text.starts_with("NOT REPRODUCED"), "{file}: {text}");
        names.insert(name.to_owned());
    }
    assert!(names.len() >= 2, "the capsules are there");
    let embedded: BTreeSet<String> =
        tumbler_scenarios::regressions().iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(embedded, names);
}

#[test]
fn every_run_replays_the_corpus_first_and_says_so() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let count = tumbler_scenarios::regressions().len();
    let line = format!("  regressions      {count} replayed first, none is back\n");
    let text = check(home.path(), "run quiet --seeds 0..2", 0);
    assert!(text.starts_with("PASS  2/2 seeds") && text.contains(&line), "{text}");
    let text = check(home.path(), "run quiet --seeds 0..2 --quiet", 0);
    assert_eq!(text.lines().count(), 1, "{text}");
    // Where nobody judges there is nothing to replay for.
    let text = check(home.path(), "run quiet --seeds 0..2 --judges off", 15);
    assert!(!text.contains("replayed first"), "{text}");
}

#[test]
fn a_regression_that_is_back_fails_a_run_that_is_green_otherwise() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run zombie-rotator+target-ignores-fences --seeds 0..1 --out corpus", 10);
    let text = check(home, "run quiet --seeds 0..2 --corpus corpus --out out", 10);
    let name = "regressions/zombie-rotator+target-ignores-fences-0";
    assert!(text.starts_with("FAIL violated  3/3 seeds"), "{text}");
    assert!(text.contains(&format!("  regressions      1 replayed first, BACK: {name}\n")), "{text}");
    assert!(text.contains(&format!("VIOLATED applied-once  {name} seed 0")), "{text}");
    let replay = text.lines().find_map(|line| line.strip_prefix("  replay: tumbler ")).expect("a line");
    assert!(check(home, replay, 10).starts_with("REPRODUCED"));
    let rows = std::fs::read_to_string(home.join("out/results.csv")).expect("rows");
    assert!(rows.lines().nth(1).is_some_and(|row| row.starts_with(&format!("{name},0,violated,"))), "{rows}");
    let refused = check(home, "gate out/report.json --policy ci", 20);
    assert!(refused.contains("expected pass, got violated"), "{refused}");
    // Planted bugs that are caught do not make up for it.
    let text = check(home, "run planted --seeds 0..1 --corpus corpus --out planted", 10);
    assert!(text.contains(&format!("BACK: {name}")), "{text}");
    let report = std::fs::read_to_string(home.join("planted/report.json")).expect("a report");
    assert!(report.contains("\"verdict\": \"violated\"") && report.contains("is back"), "{report}");
    // A capsule that cannot be read is no corpus.
    std::fs::write(home.join("corpus/half.repro.json"), "{").expect("writable");
    let text = check(home, "run quiet --seeds 0..2 --corpus corpus --out out", 125);
    assert!(text.contains("half.repro.json does not apply"), "{text}");
}
