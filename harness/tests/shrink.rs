//! `tumbler shrink` at the command line: a smaller plan, the same failure, and capsules that do not fail.

use std::path::Path;
use std::process::Command;

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

fn read(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file")).expect("JSON")
}

fn length(capsule: &serde_json::Value, list: &str) -> usize {
    capsule["plan"][list].as_array().map_or(0, Vec::len)
}

#[test]
fn a_failure_of_many_faults_becomes_one_of_few_that_replays() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run standard+target-ignores-fences --seeds 1..2 --out out", 10);
    let before = home.join("out/standard+target-ignores-fences-1.repro.json");
    let text = check(home, &format!("shrink {}", before.display()), 0);
    assert!(text.starts_with("SHRUNK  standard+target-ignores-fences seed 1  "), "{text}");
    assert!(text.contains("VIOLATED applied-once"), "{text}");
    let told = text.lines().filter(|line| line.starts_with("  does ")).count();
    assert!(text.lines().all(|line| line.len() <= 80 || line.contains("replay")), "{text}");
    let after = home.join("out/standard+target-ignores-fences-1.min.repro.json");
    assert!(home.join("out/report.json").exists(), "what stands beside it stays");
    let (large, small) = (read(&before), read(&after));
    assert!(length(&large, "faults") >= 8 && length(&small, "faults") <= 2, "{}", small["plan"]["faults"]);
    assert!(length(&small, "orders") < length(&large, "orders"));
    assert_eq!(told, length(&small, "faults") + length(&small, "orders"), "{text}");
    assert_eq!(length(&small, "offsets"), 0, "no clock has to be off for this");
    assert!(small["events"].as_u64() < large["events"].as_u64());
    let again = check(home, &format!("replay {}", after.display()), 10);
    assert!(again.starts_with("REPRODUCED  "), "{again}");
    // What is smallest stays, and goes where it is told to.
    check(home, &format!("shrink {} --out twice.repro.json", after.display()), 0);
    let twice = read(&home.join("twice.repro.json"));
    assert_eq!(twice["plan"], small["plan"]);
    let names: Vec<_> =
        std::fs::read_dir(home).expect("a folder").flatten().map(|each| each.file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left over: {names:?}");
}

#[test]
fn what_does_not_fail_is_not_shrunk() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "run standard+target-ignores-fences --seeds 1..2 --out out", 10);
    let file = home.join("out/standard+target-ignores-fences-1.repro.json");
    let mut capsule = read(&file);
    capsule["plan"]["planted"] = serde_json::Value::Null;
    std::fs::write(home.join("honest.repro.json"), capsule.to_string()).expect("a file");
    let text = check(home, "shrink honest.repro.json", 125);
    assert!(text.contains("plan") && text.contains("digest"), "{text}");
    check(home, "shrink missing.repro.json", 125);
    let text = check(home, "shrink", 2);
    assert!(text.contains("<CAPSULE>"), "{text}");
}

#[test]
fn a_run_shrinks_the_first_failure_of_each_fingerprint_if_asked() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    let text = check(home, "run standard+target-ignores-fences --seeds 1..2 --shrink --out out", 10);
    let replay = "out/standard+target-ignores-fences-1.min.repro.json";
    assert!(text.contains(replay), "{text}");
    let (large, small) =
        (read(&home.join("out/standard+target-ignores-fences-1.repro.json")), read(&home.join(replay)));
    assert!(length(&small, "faults") < length(&large, "faults"));
    check(home, &format!("replay {replay}"), 10);
    // The row is the seed's, whatever was made of it.
    let plain = check(home, "run standard+target-ignores-fences --seeds 1..2 --out plain", 10);
    assert!(!plain.contains(".min."), "{plain}");
    let rows = |folder: &str| std::fs::read_to_string(home.join(folder).join("results.csv")).expect("rows");
    assert_eq!(rows("out"), rows("plain"));
}
