//! For every planted bug: `run` finds it, `shrink` brings it to at most three faults, `replay` reproduces
//! what is left, and `explain` fits on a screen.
//!
//! `cargo build --release && cargo run --release -p tumbler --example planted [BUG…]` prints a line for
//! each, with the program that stands beside it, and exits with 15 if one of them is not so.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};
use tumbler_plan::Capsule;
use tumbler_scenarios::suite;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let entries = suite("planted").ok_or("the suite is shipped")?.entries;
    let names =
        |name: &str| entries.iter().any(|entry| entry.planted.is_some_and(|(bug, _)| bug.name() == name));
    if let Some(unknown) = wanted.iter().find(|name| !names(name)) {
        return Err(format!("unknown planted bug `{unknown}`: `tumbler list planted` shows them").into());
    }
    let binary = binary()?;
    let scratch = tempfile::tempdir()?;
    println!(
        "{:<28}{:>7}{:>8}{:>11}  {:<12}explain",
        "planted bug", "found", "faults", "as shrunk", "replay"
    );
    let (mut whole, mut good) = (0, 0);
    for entry in &entries {
        let Some((planted, expect)) = entry.planted else { continue };
        if !wanted.is_empty() && !wanted.iter().any(|name| name == planted.name()) {
            continue;
        }
        whole += 1;
        let case = Case { binary: &binary, folder: scratch.path().join(planted.name()) };
        let word = format!("{}+{}", entry.scenario, planted.name());
        match case.line(&word, &format!("{}..{}", entry.seeds.start, entry.seeds.end), expect.id()) {
            Ok((line, is_good)) => {
                println!("{:<28}{line}", planted.name());
                good += u32::from(is_good);
            }
            Err(why) => println!("{:<28}{why}", planted.name()),
        }
    }
    println!("{good} of {whole}: found, at most {FAULTS_MAX} faults, reproduced, on one screen");
    Ok(if good == whole { ExitCode::SUCCESS } else { ExitCode::from(15) })
}

/// One planted bug.
struct Case<'a> {
    binary: &'a Path,
    folder: PathBuf,
}

impl Case<'_> {
    /// What came of it, and whether it is all that is promised.
    fn line(&self, word: &str, seeds: &str, expect: &str) -> Result<(String, bool), Failure> {
        let out = self.folder.display().to_string();
        self.run(&["run", word, "--seeds", seeds, "--quiet", "--recheck", "0%", "--out", &out])?;
        let (found, capsule) =
            self.found(expect)?.ok_or_else(|| format!("not found: {expect} held in {seeds}"))?;
        let small = self.folder.join("small.repro.json");
        let (given, place) = (found.display().to_string(), small.display().to_string());
        self.run(&["shrink", &given, "--out", &place])?;
        let shrunk = Capsule::parse(&std::fs::read_to_string(&small)?)?;
        let replayed = self.run(&["replay", &place])?;
        let answer = text(&replayed)
            .lines()
            .next()
            .unwrap_or_default()
            .split("  ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let explained = text(&self.run(&["explain", &place])?);
        let (lines, columns) = (
            explained.lines().count(),
            explained.lines().map(|line| line.chars().count()).max().unwrap_or(0),
        );
        let faults = shrunk.plan.faults.len();
        let is_good = faults <= FAULTS_MAX
            && answer == "REPRODUCED"
            && (1..=LINES_MAX).contains(&lines)
            && columns <= COLUMNS_MAX;
        let seen = format!("seed {}", capsule.seed);
        let named = capsule.fingerprint.invariant.map_or("diverged", |invariant| invariant.id());
        let by = if named == expect { String::new() } else { format!(" {named}") };
        let mark = if is_good { by } else { format!("{by}  NOT SO") };
        let before = capsule.plan.faults.len();
        Ok((format!("{seen:>7}{before:>8}{faults:>11}  {answer:<12}{lines}x{columns}{mark}"), is_good))
    }

    /// The first capsule whose failure is the one that the suite names; else the first: there another
    /// invariant breaks earlier in the same run, and the line says which.
    fn found(&self, expect: &str) -> Result<Option<(PathBuf, Capsule)>, Failure> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.retain(|file| file.to_string_lossy().ends_with(".repro.json"));
        files.sort();
        let mut found: Option<(PathBuf, Capsule)> = None;
        let mut is_named = false;
        for file in files {
            let capsule = Capsule::parse(&std::fs::read_to_string(&file)?)?;
            let named = capsule.fingerprint.invariant.map(|invariant| invariant.id());
            if found.is_none() || (named == Some(expect) && !is_named) {
                is_named = named == Some(expect);
                found = Some((file, capsule));
            }
        }
        Ok(found)
    }

    fn run(&self, words: &[&str]) -> Result<Output, Failure> {
        let output = Command::new(self.binary).args(words).env_remove("RUST_LOG").output()?;
        match output.status.code() {
            // Verdicts; the others speak of the call.
            Some(0 | 10..=15) => Ok(output),
            code => Err(format!(
                "tumbler {}: {code:?}\n{}",
                words.join(" "),
                String::from_utf8_lossy(&output.stderr)
            )
            .into()),
        }
    }
}

/// The program itself, built beside this one.
fn binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let place = own.ancestors().nth(2).map(|folder| folder.join("tumbler")).filter(|place| place.is_file());
    place.ok_or_else(|| "the program is not built: first `cargo build --release`".into())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const FAULTS_MAX: usize = 3;
/// A screen.
const LINES_MAX: usize = 45;
const COLUMNS_MAX: usize = 80;
