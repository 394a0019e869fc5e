//! `replay --bisect` under `git bisect run`, on a history of five commits that git made.
//!
//! Building five versions of the program would take minutes, so each commit holds, instead of a source,
//! the name of the planted bug that its build has (`none`, or `unbuildable`), and a script that stands for
//! building and replaying. That the flaw comes from a flag is the only pretence: the program, its exit
//! codes, the capsule of another build and git are real.

use std::path::Path;
use std::process::Command;

const SCRIPT: &str = r#"#!/bin/sh
flaw=$(cat flaw)
echo "$flaw" >> "$TRIED"
[ "$flaw" = unbuildable ] && exit 125
exec "$TUMBLER" replay "$CAPSULE" --bisect --flaw "$flaw"
"#;

/// Each commit's flaw, the oldest first; the first is known to be good and the last to be bad.
const HISTORY: [&str; 5] =
    ["none", "target-ignores-fences", "unbuildable", "target-ignores-fences", "target-ignores-fences"];

fn git(folder: &Path, line: &[&str]) -> String {
    let mut command = Command::new("git");
    command.current_dir(folder).args(["-c", "user.name=test", "-c", "user.email=test@localhost"]);
    command.args(["-c", "commit.gpgsign=false"]).args(line);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().expect("git runs");
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "git {line:?}\n{text}");
    text
}

/// False, and a line that says so, where git is missing; a failure where tools must be there.
fn has_git() -> bool {
    if Command::new("git").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return true;
    }
    assert_ne!(std::env::var("TUMBLER_REQUIRE_TOOLS").as_deref(), Ok("1"), "needs git");
    println!("skipped: needs git");
    false
}

/// A capsule of the flaw, as an older build would have written it.
fn capsule(home: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(home)
        .args(["run", "zombie-rotator+target-ignores-fences", "--seeds", "0..1", "--out", "out"])
        .output()
        .expect("the program runs");
    assert_eq!(output.status.code(), Some(10));
    let path = home.join("out/zombie-rotator+target-ignores-fences-0.repro.json");
    let text = std::fs::read_to_string(path).expect("a capsule");
    let mut capsule = tumbler_plan::Capsule::parse(&text).expect("what was written");
    capsule.build.digest = tumbler_plan::Digest::of(b"an older build");
    let path = home.join("older.repro.json");
    std::fs::write(&path, capsule.to_text()).expect("writable");
    path.display().to_string()
}

#[test]
fn git_bisect_finds_the_commit_that_brought_a_failure_past_one_that_does_not_build() {
    if !has_git() {
        return;
    }
    let home = tempfile::tempdir().expect("a scratch folder");
    let (capsule, tried) = (capsule(home.path()), home.path().join("tried"));
    let repository = home.path().join("repository");
    std::fs::create_dir(&repository).expect("writable");
    git(&repository, &["init", "-q", "-b", "main"]);
    let mut commits = Vec::new();
    for (index, flaw) in HISTORY.iter().enumerate() {
        std::fs::write(repository.join("flaw"), flaw).expect("writable");
        std::fs::write(repository.join("script"), SCRIPT).expect("writable");
        std::fs::write(repository.join("number"), index.to_string()).expect("writable");
        git(&repository, &["add", "."]);
        git(&repository, &["commit", "-q", "-m", &format!("commit {index}")]);
        commits.push(git(&repository, &["rev-parse", "HEAD"]).trim().to_owned());
    }
    git(&repository, &["bisect", "start", &commits[4], &commits[0]]);
    let output = Command::new("git")
        .current_dir(&repository)
        .args(["bisect", "run", "sh", "./script"])
        .env("TUMBLER", env!("CARGO_BIN_EXE_tumbler"))
        .env("CAPSULE", capsule)
        .env("TRIED", &tried)
        .output()
        .expect("git runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains(&format!("{} is the first bad commit", commits[1])), "{text}");
    let tried = std::fs::read_to_string(tried).expect("the script ran");
    assert!(tried.contains("unbuildable") && tried.contains("target-ignores-fences"), "{tried}");
}

#[test]
fn bisect_codes_are_0_for_good_10_for_bad_and_125_for_anything_else() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let capsule = capsule(home.path());
    let code = |capsule: &str, more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        let output =
            command.current_dir(home.path()).args(["replay", capsule, "--bisect"]).args(more).output();
        output.expect("the program runs").status.code()
    };
    let table = [
        (code(&capsule, &[]), 10),
        (code(&capsule, &["--flaw", "target-ignores-fences"]), 10),
        (code(&capsule, &["--flaw", "none"]), 0),
        // Another failure is not this one.
        (code(&capsule, &["--flaw", "lying-fsync"]), 0),
        // The same build, and another run: nothing can be said.
        (code("out/zombie-rotator+target-ignores-fences-0.repro.json", &["--flaw", "none"]), 125),
        (code("missing.repro.json", &[]), 125),
    ];
    for (index, (got, expect)) in table.into_iter().enumerate() {
        assert_eq!(got, Some(expect), "line {index}");
    }
}
