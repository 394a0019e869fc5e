//! Programs over the plain protocol: what they leave behind, and what the check tells of wrong ones.

use super::{flat, tumbler};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder with an executable `rotator`.
fn program(script: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("rotator");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the scratch folder takes files");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

/// Starts two children, writes their numbers down, and never says a word.
const LEAVES: &str =
    "sleep 300 &\necho $! >> \"$0.pids\"\nread line\nsleep 301 &\necho $! >> \"$0.pids\"\nwait";

fn started(folder: &Path) -> Vec<u32> {
    let told = std::fs::read_to_string(folder.join("rotator.pids")).unwrap_or_default();
    told.lines().filter_map(|line| line.parse().ok()).collect()
}

/// Whether a process is there and has not ended: one that nobody waited for has.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[track_caller]
fn all_end(folder: &Path, at_least: usize) {
    let pids = started(folder);
    assert!(pids.len() >= at_least, "{pids:?}");
    let until = Instant::now() + Duration::from_secs(5);
    while pids.iter().any(|pid| is_alive(*pid)) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    let left: Vec<&u32> = pids.iter().filter(|pid| is_alive(**pid)).collect();
    assert!(left.is_empty(), "still there: {left:?} of {pids:?}");
}

#[test]
fn children_of_a_program_end_with_it() {
    let folder = program(LEAVES);
    let out = tempfile::tempdir().expect("a scratch folder");
    let rotator = folder.path().to_str().expect("UTF-8");
    let run = tumbler(out.path(), &["grid", "--rotator", rotator, "--watchdog", "1"]);
    assert_eq!(run.status.code(), Some(13), "{}", String::from_utf8_lossy(&run.stdout));
    all_end(folder.path(), 2);
}

#[test]
fn children_of_a_program_end_with_ctrl_c() {
    for what in [&["role-host", "--check"][..], &["run", "--rotator"]] {
        let folder = program(LEAVES);
        let out = tempfile::tempdir().expect("a scratch folder");
        let asked = match what {
            ["run", ..] => folder.path().to_path_buf(),
            _ => folder.path().join("rotator"),
        };
        let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
        command.args(what).arg(asked).current_dir(out.path()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the program starts");
        while started(folder.path()).len() < 2 {
            std::thread::sleep(Duration::from_millis(20));
        }
        let sent = Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().expect("kill");
        assert!(sent.success());
        assert_eq!(child.wait().expect("it ends").code(), Some(130), "{what:?}");
        all_end(folder.path(), 2);
    }
}

/// A script, and what the check says of it.
const WRONG: [(&str, &str); 9] = [
    (
        "echo '{\"done\": {\"log\": []}}'; cat >/dev/null",
        "FAIL it waits until it is spoken to: it spoke before, and said `{\"done\"",
    ),
    (
        "read l; echo '{\"done\": {\"log\": []}}'; echo '{\"done\": {\"log\": []}}'",
        "FAIL createSecret whose calls all fail ends by itself: it spoke when it was not its turn, and said",
    ),
    (
        "read l; echo '{\"done\": {}}'",
        "FAIL an undisturbed run of three rotations: expected the list `log` of texts in done",
    ),
    (
        "read l; echo '{\"done\": {\"log\": []}}'",
        "FAIL an undisturbed run of three rotations: it made no call, so nothing of it was seen",
    ),
    (
        "read l; echo '{\"raised\": {\"kind\": \"K\", \"message\": \"m\", \"at\": null, \"log\": []}}'",
        "FAIL an undisturbed run of three rotations: it made no call",
    ),
    (
        "read l; echo '{\"call\": {\"op\": \"sleep\", \"args\": {}, \"log\": []}}'; read l; \
         echo '{\"raised\": {\"kind\": \"K\", \"message\": \"m\", \"at\": null, \"log\": []}}'",
        "FAIL an undisturbed run of three rotations: no rotation closed: an invocation raises K: m",
    ),
    (
        "read l; echo '{\"done\": {\"log\": []}}'; sleep 60",
        "it did not end within two seconds of its last line",
    ),
    ("read l", "FAIL the program ends with its input: the program ended without a word: exit status: 0"),
    ("read l; exit 3", "FAIL the same twice: not compared"),
];

#[test]
fn the_check_tells_each_wrong_program_what_is_wrong_in_the_width_of_a_terminal() {
    let out = tempfile::tempdir().expect("a scratch folder");
    for (script, expect) in WRONG {
        let folder = program(script);
        let path = folder.path().join("rotator");
        let check = tumbler(out.path(), &["role-host", "--check", path.to_str().expect("UTF-8")]);
        let text = String::from_utf8_lossy(&check.stdout).into_owned();
        assert_eq!(check.status.code(), Some(10), "{script}\n{text}");
        assert!(flat(&text).contains(expect), "{script}: {expect}\n{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
            assert!(!["Overdue(", "Ended("].iter().any(|raw| line.contains(raw)), "{line}");
        }
    }
    let check = tumbler(out.path(), &["role-host", "--check", "./no-such-program"]);
    assert_eq!(check.status.code(), Some(2), "what is not there is not checked");
    let text = String::from_utf8_lossy(&check.stderr).into_owned();
    assert!(text.contains("failed to start ./no-such-program"), "{text}");
    assert!(check.stdout.is_empty());
}
