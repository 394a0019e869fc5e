//! The session in the README is a real one: every command is run, and says what stands there.
//!
//! `…` in the README stands for anything; all else must come, line by line and in its order.

use std::path::Path;
use std::process::Command;

#[test]
fn the_session_in_the_readme_goes_as_it_is_told() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let text = std::fs::read_to_string(readme).expect("there is a README");
    let (_, rest) = text.split_once("```console\n").expect("it has a session");
    let (session, _) = rest.split_once("```").expect("the session ends");
    let home = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(home.path().join("Cargo.toml"), "[workspace]\n").expect("writable");
    let mut exits = Vec::new();
    for told in session.split("$ tumbler ").skip(1) {
        let (line, expected) = told.split_once('\n').expect("a command ends its line");
        let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
            .args(line.split_whitespace())
            .current_dir(home.path())
            .output()
            .expect("the binary runs");
        let got = String::from_utf8_lossy(&output.stdout).into_owned();
        check(line, expected, &got);
        exits.push(output.status.code());
    }
    assert_eq!(exits, [Some(10), Some(10), Some(0), Some(0), Some(20)]);
}

#[track_caller]
fn check(line: &str, expected: &str, got: &str) {
    let mut rest = got;
    for part in expected.split('…').map(|part| part.trim_matches('\n')).filter(|part| !part.is_empty()) {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("tumbler {line}\nexpected\n{part}\nin\n{rest}"));
        rest = &rest[at + part.len()..];
    }
}
