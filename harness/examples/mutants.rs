//! Patches to the system itself, each of which the suite `smoke` must find.
//!
//! `cargo run --release -p tumbler --example mutants [NAME…]`: copies the tracked files to a scratch
//! directory, applies one patch of `harness/tests/mutants`, builds, runs `smoke`, and prints what
//! found it. Slow (a build per patch), so no test; that each patch still applies is one.
//!
//! Exit 0: every patch was found. 1 is never ours, so a surviving one is 15.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the harness lies in the workspace")?;
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut patches: Vec<PathBuf> = std::fs::read_dir(root.join("harness/tests/mutants"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    patches.sort();
    let mut survivors = 0;
    println!("{:<28} {:>4}  found by (runs of `smoke`)", "patch", "exit");
    for patch in patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let (code, found) = try_patch(root, &patch)?;
        survivors += u32::from(code == 0);
        let found: Vec<String> = found.iter().map(|(what, count)| format!("{what} {count}")).collect();
        println!(
            "{name:<28} {code:>4}  {}",
            if code == 0 { "NOT FOUND".to_owned() } else { found.join(", ") }
        );
    }
    Ok(if survivors == 0 { ExitCode::SUCCESS } else { ExitCode::from(15) })
}

/// Exit code of `smoke` with the patch, and how often each verdict and invariant was reported.
fn try_patch(root: &Path, patch: &Path) -> Result<(i32, BTreeMap<String, u32>), Failure> {
    let scratch = tempfile::tempdir()?;
    copy_tracked(root, scratch.path())?;
    run(Command::new("git").args(["init", "-q"]).current_dir(scratch.path()))?;
    run(Command::new("git").arg("apply").arg(patch).current_dir(scratch.path()))?;
    let target = root.join("target/mutants");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "-q", "-p", "tumbler"]).current_dir(scratch.path());
    run(build.env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS"))?;
    let out = scratch.path().join("out");
    let status = Command::new(target.join("release/tumbler"))
        .args(["run", "smoke", "--quiet", "--out"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let mut found = BTreeMap::new();
    for line in std::fs::read_to_string(out.join("results.csv"))?.lines().skip(1) {
        let mut cells = line.split(',').skip(2);
        let (verdict, invariant) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        if verdict != "pass" {
            let what = if invariant.is_empty() { verdict } else { invariant };
            *found.entry(what.to_owned()).or_insert(0) += 1;
        }
    }
    Ok((status.code().unwrap_or(-1), found))
}

fn copy_tracked(root: &Path, to: &Path) -> Result<(), Failure> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let target = to.join(name);
        std::fs::create_dir_all(target.parent().ok_or("a file lies in a folder")?)?;
        std::fs::copy(root.join(name), target)?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
