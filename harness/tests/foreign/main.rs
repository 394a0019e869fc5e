//! Foreign rotators, through the command line: our examples, and bad input.
//!
//! They need Python 3.11 (`TUMBLER_REQUIRE_TOOLS=1` makes its absence a failure), and Perl for the
//! example over the plain protocol.

mod bad;
mod capsules;
mod examples;
mod lockouts;
mod manners;
mod programs;
mod standins;
mod surface;
mod turns;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Whether a tool is there. Without it a test says so and ends, unless tools are required.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        assert!(std::env::var_os("TUMBLER_REQUIRE_TOOLS").is_none(), "{tool} is required and not there");
        println!("skipped: needs {tool}");
    }
    found
}

fn example(name: &str) -> PathBuf {
    let harness = Path::new(env!("CARGO_MANIFEST_DIR"));
    harness.parent().expect("a folder of the repository").join("scenarios/foreign").join(name)
}

/// Runs the program with results in a scratch folder.
fn tumbler(out: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tumbler"));
    command.args(args).env("NO_COLOR", "1").current_dir(out);
    command.output().expect("the program starts")
}

/// Both outputs of a command with `--rotator FOLDER`, and its exit code.
#[track_caller]
fn rotate(what: &str, folder: &Path, args: &[&str]) -> (String, Option<i32>) {
    let out = tempfile::tempdir().expect("a scratch folder");
    let folder = folder.to_str().expect("UTF-8");
    let place = out.path().to_str().expect("UTF-8");
    let mut all = vec![what, "--rotator", folder, "--out", place];
    all.extend(args);
    let output = tumbler(out.path(), &all);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (text, output.status.code())
}

/// A folder with a function of its own.
fn function(source: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a scratch folder");
    std::fs::write(folder.path().join("lambda_function.py"), source).expect("the scratch folder takes files");
    folder
}

/// The first line to replay, as a shell joins it.
fn replay_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("  replay: ")?;
    let mut line = String::new();
    for part in rest.lines() {
        match part.strip_suffix('\\') {
            Some(part) => line.push_str(part),
            None => return Some(line + part),
        }
    }
    Some(line)
}

/// Words in a row, whatever the wrapping.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
