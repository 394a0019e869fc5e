//! `tumbler check` at the command line: what it claims, refuses, and tells when it is stopped.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn run(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
    command.args(line.split_whitespace()).output().expect("the program runs")
}

#[track_caller]
fn check(line: &str, code: i32) -> String {
    let output = run(line);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let text = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80) || code == 2, "{text}");
    text
}

#[test]
fn both_engines_agree_and_every_sentence_says_how_often_it_was_asked() {
    let text = check("check --bounds small --engine both", 0);
    assert!(text.starts_with("PASS  specification, exhausted\n"), "{text}");
    for line in [
        "  both engines agree on states, edges, moments and verdicts",
        "  applied-once         always     holds, asked 85,273 times",
        "  removal-is-safe      each step  holds, asked 774,405 times",
        "  rollback-available   possible   holds, asked 5,932 times",
        "  rollback-leads       leads to   holds, asked 28,318 times",
        "  moments that must be seen: 30 of 30",
        "  a budget is used up in 85,249 states, none of them excused",
    ] {
        assert!(text.lines().any(|each| each == line), "{line}\n{text}");
    }
    for engine in ["graph", "stateright"] {
        let found = text.lines().find(|line| line.starts_with(&format!("  {engine} "))).expect("a line each");
        assert!(found.contains("85,273 states, 774,405 edges, depth 29"), "{found}");
    }
}

#[test]
fn nothing_is_lost_for_good_but_what_is_meant_to_be() {
    let text = check("check irreversible --bounds small", 0);
    assert!(!text.contains("SURPRISE"), "{text}");
    let system: Vec<&str> = text.lines().filter(|line| line.starts_with("  system ")).collect();
    assert_eq!(system.len(), 1, "the point of no return is the only one of the system's own\n{text}");
    assert!(system[0].contains("Advance") && system[0].contains("drain"), "{text}");
}

#[test]
fn bounds_that_would_not_fit_are_refused_before_the_search() {
    let text = check("check --bounds large --memory 100", 2);
    assert!(text.contains("are expected to take") && text.contains("--memory allows 100"), "{text}");
}

#[test]
fn a_search_that_is_stopped_tells_what_it_explored_and_claims_nothing() {
    let child = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .args(["check", "--bounds", "large"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program runs");
    std::thread::sleep(Duration::from_secs(2));
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(kill.success());
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(output.status.code(), Some(130), "{text}");
    assert!(text.starts_with("INCONCLUSIVE  specification, not exhausted\n"), "{text}");
    assert!(!text.contains("holds") && text.contains("inconclusive: it was stopped"), "{text}");
    assert!(text.contains(" states, "), "{text}");
}

/// A sentence that a flaw breaks comes with a run that breaks one too, in a capsule that replays: for each of
/// the brief's invariants, and for what participants say of their disks.
#[test]
fn a_broken_sentence_becomes_a_capsule() {
    let table = [
        ("ignore-fence", "rest-agrees", "violated: applied-once"),
        ("regenerate-on-unknown", "applied-once", "violated: applied-once"),
        ("serve-expired", "revoked-undelivered", "violated: revoked-undelivered"),
        ("effect-before-intent", "rollback-possible", "violated: rollback-possible"),
        ("acknowledge-early", "durable-ack", "violated: durable-ack"),
        ("retire-unsent", "closing-available", "violated: transitions-legal"),
        ("forgive-debt", "transitions-legal", "diverged"),
        ("compare-reread", "transitions-legal", "violated: transitions-legal"),
    ];
    for (flaw, sentence, verdict) in table {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().display();
        let output = run(&format!("check --bounds small --flaw {flaw} --out {out}"));
        let text = String::from_utf8(output.stdout).expect("text");
        assert_eq!(output.status.code(), Some(10), "{text}");
        let told = text.split("COMPILED  ").find(|told| told.starts_with(&format!("{sentence}: realized, ")));
        let told = told.unwrap_or_else(|| panic!("{flaw}: {sentence} is realized in\n{text}"));
        assert!(told.contains(&format!("the run is {verdict}\n")), "{flaw}: {told}");
        let replay =
            told.lines().find_map(|line| line.trim().strip_prefix("tumbler ")).expect("a line to replay");
        let replayed = run(replay);
        let told = String::from_utf8_lossy(&replayed.stdout);
        assert!(told.starts_with("REPRODUCED"), "{flaw}: {told}");
        assert_eq!(
            replayed.status.code(),
            Some(if verdict == "diverged" { 12 } else { 10 }),
            "{flaw}: {told}"
        );
    }
}

/// A flaw that no planted bug shares: the code as it is leaves the path, and where is told.
#[test]
fn a_flaw_without_a_twin_is_told_with_the_step_where_the_code_parts_from_it() {
    let text = check("check --bounds small --flaw grant-revoked", 10);
    assert!(text.contains("COMPILED  revoked-undelivered: diverged at step 6, Ask\n"), "{text}");
    assert!(text.contains("  agent-1 grants: expected v1, got none\n"), "{text}");
    assert!(text.contains("grant-revoked has no twin"), "{text}");
}

#[test]
fn a_flaw_that_does_not_exist_is_refused_with_the_nearest() {
    let text = check("check --flaw ignore-fences", 2);
    assert!(text.contains("did you mean `ignore-fence`?"), "{text}");
}
