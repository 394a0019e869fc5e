//! What share of a corpus of capsules still shows its failure after edits that change nothing that matters.
//!
//! `cargo run --release -p tumbler --example survival [NAME…]`: copies the tracked files to a scratch
//! directory, builds them, and makes the corpus: a capsule of each planted bug, as it was found and as it
//! was shrunk. Then each patch of `harness/tests/harmless` is applied to a copy and built, and that build
//! replays the corpus with `--bisect`. Slow (a build per patch), so no test; that each patch still applies
//! is one.
//!
//! Exit 0: at least 90 of 100 survive, over all patches. 1 is never ours, so less than that is 15.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

type Failure = Box<dyn std::error::Error>;

/// Survivors and capsules, of the long ones and of the shrunk ones.
#[derive(Clone, Copy, Default)]
struct Share {
    found: (u32, u32),
    shrunk: (u32, u32),
}

fn main() -> Result<ExitCode, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the harness lies in the workspace")?;
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let scratch = tempfile::tempdir()?;
    let home = scratch.path();
    let corpus = corpus(root, home)?;
    let mut patches: Vec<PathBuf> = std::fs::read_dir(root.join("harness/tests/harmless"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    patches.sort();
    println!("{:<20} {:>14} {:>14}  lost", "patch", "as found", "as shrunk");
    let mut total = Share::default();
    for patch in patches {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.is_empty() && !wanted.contains(&name) {
            continue;
        }
        let binary = built(root, home, &name, Some(&patch))?;
        let (share, lost) = replayed(&binary, &corpus)?;
        let (found, shrunk) = (percent(share.found), percent(share.shrunk));
        println!("{name:<20} {found:>14} {shrunk:>14}  {}", lost.join(", "));
        for (sum, part) in [(&mut total.found, share.found), (&mut total.shrunk, share.shrunk)] {
            *sum = (sum.0 + part.0, sum.1 + part.1);
        }
    }
    let all = (total.found.0 + total.shrunk.0, total.found.1 + total.shrunk.1);
    println!("{:<20} {:>14} {:>14}", "all", percent(total.found), percent(total.shrunk));
    println!("{} of all capsules still fail as they did; the aim is 90 %", percent(all));
    let enough = u64::from(all.0) * 100 >= u64::from(all.1) * 90;
    Ok(if enough { ExitCode::SUCCESS } else { ExitCode::from(15) })
}

/// The capsules that the unpatched build makes: as found, and as shrunk.
fn corpus(root: &Path, home: &Path) -> Result<Vec<(PathBuf, bool)>, Failure> {
    let binary = built(root, home, "base", None)?;
    let out = home.join("corpus");
    let mut run = Command::new(&binary);
    run.args(["run", "planted", "--quiet", "--out"]).arg(&out).stdout(Stdio::null()).stderr(Stdio::null());
    if !run.status()?.success() {
        return Err("the unpatched build does not catch every planted bug".into());
    }
    let mut found: Vec<PathBuf> = std::fs::read_dir(&out)?
        .map(|entry| entry.map(|entry| entry.path()))
        .filter(|path| path.as_ref().is_ok_and(|path| path.to_string_lossy().ends_with(".repro.json")))
        .collect::<Result<_, _>>()?;
    found.sort();
    let mut corpus = Vec::new();
    for capsule in found {
        let small = PathBuf::from(capsule.display().to_string().replace(".repro.json", ".min.repro.json"));
        let mut shrink = Command::new(&binary);
        shrink.arg("shrink").arg(&capsule).arg("--out").arg(&small).stdout(Stdio::null());
        if !shrink.status()?.success() {
            return Err(format!("{} does not shrink", capsule.display()).into());
        }
        corpus.extend([(capsule, false), (small, true)]);
    }
    Ok(corpus)
}

/// A build of the tracked files, with a patch.
fn built(root: &Path, home: &Path, name: &str, patch: Option<&Path>) -> Result<PathBuf, Failure> {
    let source = home.join(name);
    std::fs::create_dir(&source)?;
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output()?;
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let target = source.join(name);
        std::fs::create_dir_all(target.parent().ok_or("a file lies in a folder")?)?;
        std::fs::copy(root.join(name), target)?;
    }
    if let Some(patch) = patch {
        run(Command::new("git").args(["init", "-q"]).current_dir(&source))?;
        run(Command::new("git").arg("apply").arg(patch).current_dir(&source))?;
    }
    let target = root.join("target/mutants");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--release", "-q", "-p", "tumbler"]).current_dir(&source);
    run(build.env("CARGO_TARGET_DIR", &target).env_remove("RUSTFLAGS"))?;
    let binary = home.join(format!("tumbler-{name}"));
    std::fs::copy(target.join("release/tumbler"), &binary)?;
    std::fs::remove_dir_all(source)?;
    Ok(binary)
}

/// How many still fail as they did, and the names of the others.
fn replayed(binary: &Path, corpus: &[(PathBuf, bool)]) -> Result<(Share, Vec<String>), Failure> {
    let mut share = Share::default();
    let mut lost = Vec::new();
    for (capsule, is_shrunk) in corpus {
        let mut replay = Command::new(binary);
        replay.arg("replay").arg(capsule).arg("--bisect").stdout(Stdio::null()).stderr(Stdio::null());
        let code = replay.status()?.code();
        let part = if *is_shrunk { &mut share.shrunk } else { &mut share.found };
        part.1 += 1;
        if code == Some(10) {
            part.0 += 1;
            continue;
        }
        let name = capsule.file_name().unwrap_or_default().to_string_lossy().replace(".repro.json", "");
        lost.push(format!("{} ({})", name, code.unwrap_or(-1)));
    }
    Ok((share, lost))
}

fn percent((part, whole): (u32, u32)) -> String {
    format!("{part}/{whole} {:>3} %", u64::from(part) * 100 / u64::from(whole.max(1)))
}

fn run(command: &mut Command) -> Result<(), Failure> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}").into()) }
}
