//! The capsule of a foreign rotator: one failing run as a file that anyone who has the function can
//! replay.
//!
//! It names the function's folder, and the digest of each of its files: the function itself stays
//! where it is. Every record of the run has a digest, so that a replay names the first that differs.
//! Like a scenario's capsule it holds no bytes of a secret, no wall-clock time, and a digest over all
//! of it; variables of `--env` stand in it as they were given.
//!
//! It deliberately runs nothing: see [`super::again`].

use super::story::seed_report;
use super::{Rotator, Setting};
use crate::exit::Failure;
use crate::folder::{Folder, capsule_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tumbler_foreign::{Engine, Layout, Plan, Report, Strike};
use tumbler_plan::{Build, CapsuleError, Digest, Expect, Fingerprint};
use tumbler_reports::finding::decisive;

/// Version 1 of a `*.repro.json` of a foreign rotator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// [`Capsule::SCHEMA`]; a scenario's capsule has no such field.
    pub foreign: u32,
    pub build: Build,
    /// The function's folder, seen from the capsule's own.
    pub rotator: String,
    /// Each file of that folder, by its name there.
    pub files: BTreeMap<String, Digest>,
    pub engine: String,
    pub layout: String,
    /// `NAME=VALUE`
    pub env: Vec<String>,
    pub seed: u64,
    /// `ROTATION:CALL:FAULT`
    pub strikes: Vec<String>,
    pub expect: Expect,
    pub outcome: String,
    pub fingerprint: Fingerprint,
    /// Of the whole run.
    pub digest: Digest,
    /// Of each record, its first half.
    pub records: Vec<String>,
    /// The line that replays this file, from the folder that it is in.
    pub replay: String,
    /// Of this file without this field.
    pub seal: Option<Digest>,
}

/// A capsule, and the run that it asks for.
pub struct Opened {
    pub capsule: Capsule,
    pub rotator: Rotator,
    pub plan: Plan,
    /// Files of the function that are not those that the capsule knows.
    pub changed: Vec<String>,
}

impl Capsule {
    pub const SCHEMA: u32 = 1;

    /// A failing run, for a file of this name in this folder.
    pub fn of(
        rotator: &Rotator,
        plan: &Plan,
        report: &Report,
        build: Build,
        folder: &Path,
        file: &str,
    ) -> Result<Capsule, Failure> {
        let seed = seed_report(rotator, plan, report);
        let capsule = Capsule {
            foreign: Self::SCHEMA,
            build,
            rotator: seen_from(folder, &rotator.folder)?,
            files: files(&rotator.folder)?,
            engine: plan.engine.name().to_owned(),
            layout: plan.layout.name().to_owned(),
            env: rotator.env.iter().map(ToString::to_string).collect(),
            seed: plan.seed,
            strikes: plan.strikes.iter().map(ToString::to_string).collect(),
            expect: Expect {
                verdict: seed.row.verdict,
                invariant: seed.row.invariant,
                step: decisive(&seed).map(|broken| broken.seq),
            },
            outcome: report.outcome.name().to_owned(),
            fingerprint: seed.fingerprint.expect("only failures are kept"),
            digest: report.digest,
            records: records(report),
            replay: format!("tumbler replay {file}"),
            seal: None,
        };
        Ok(capsule.sealed())
    }

    /// With the digest of what it says now.
    #[must_use]
    pub fn sealed(self) -> Capsule {
        Capsule { seal: Some(self.seal()), ..self }
    }

    /// What a file holds; none if it is no such capsule, or nothing that can be read.
    pub fn read(file: &str) -> Result<Option<Capsule>, Failure> {
        let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
        let Ok(Kind { foreign: Some(schema) }) = serde_json::from_str(&text) else { return Ok(None) };
        let refused = |why| Failure::Capsule { file: file.to_owned(), why };
        if schema != Self::SCHEMA {
            return Err(refused(CapsuleError::UnknownSchema { got: schema, known: Self::SCHEMA }));
        }
        let capsule: Capsule = serde_json::from_str(&text).map_err(|error| refused(error.into()))?;
        match capsule.seal {
            Some(expected) if expected != capsule.seal() => {
                Err(refused(CapsuleError::ChainDamaged { expected, got: capsule.seal() }))
            }
            None => Err(refused(CapsuleError::Inconsistent {
                what: "there is no digest of the whole".to_owned(),
            })),
            Some(_) => Ok(Some(capsule)),
        }
    }

    /// Looks for the function where the capsule says, or where it was moved to.
    pub fn open(self, file: &str, moved: Option<&Path>) -> Result<Opened, Failure> {
        let refused = |why: String| Failure::Inapplicable { file: file.to_owned(), why };
        let beside = Path::new(file).parent().unwrap_or(Path::new("")).join(&self.rotator);
        let folder = match moved {
            Some(folder) => folder.to_path_buf(),
            None if beside.is_dir() => PathBuf::from(seen_from(Path::new("."), &beside)?),
            None => {
                let place = beside.display();
                return Err(refused(format!(
                    "expected its function in {place}:\n  name the folder with --rotator"
                )));
            }
        };
        let unknown = |what: &str, name: &str| refused(format!("this build knows no {what} `{name}`"));
        let engine = Engine::ALL.into_iter().find(|engine| engine.name() == self.engine);
        let engine = engine.ok_or_else(|| unknown("engine", &self.engine))?;
        let layout = Layout::ALL.into_iter().find(|layout| layout.name() == self.layout);
        let layout = layout.ok_or_else(|| unknown("layout", &self.layout))?;
        let env: Result<Vec<Setting>, String> = self.env.iter().map(|text| text.parse()).collect();
        let strikes: Result<Vec<Strike>, String> = self.strikes.iter().map(|text| text.parse()).collect();
        let rotator = Rotator::open(&folder, engine, layout, env.map_err(refused)?)?;
        let plan = rotator.plan(self.seed, strikes.map_err(refused)?);
        let now = files(&rotator.folder)?;
        let names = self.files.keys().chain(now.keys());
        let mut changed: Vec<String> =
            names.filter(|name| self.files.get(*name) != now.get(*name)).cloned().collect();
        changed.sort();
        changed.dedup();
        Ok(Opened { capsule: self, rotator, plan, changed })
    }

    fn seal(&self) -> Digest {
        let bare = Capsule { seal: None, ..self.clone() };
        Digest::of(&serde_json::to_vec(&bare).expect("a capsule holds only plain data"))
    }

    pub fn to_text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a capsule holds only plain data");
        text.push('\n');
        text
    }
}

/// Writes the capsule of a failing run into the folder; its path.
pub fn keep(
    folder: &Folder,
    build: &Build,
    rotator: &Rotator,
    plan: &Plan,
    report: &Report,
    suffix: &str,
) -> Result<PathBuf, Failure> {
    let scenario = seed_report(rotator, plan, report).row.scenario;
    let file = capsule_name(&scenario, plan.seed, suffix);
    let capsule = Capsule::of(rotator, plan, report, build.clone(), &folder.path(""), &file)?;
    folder.write(&file, &capsule.to_text())
}

/// The digest of each record, its first half.
pub fn records(report: &Report) -> Vec<String> {
    report
        .records
        .iter()
        .map(|record| Digest::of(record.line().as_bytes()).to_string()[..32].to_owned())
        .collect()
}

/// Every file below the folder, but for what Python and version control keep there.
fn files(folder: &Path) -> Result<BTreeMap<String, Digest>, Failure> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(next) = waiting.pop() {
        let unreadable = |why| Failure::Unreadable { file: next.display().to_string(), why };
        for entry in std::fs::read_dir(&next).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with('.') || name == "__pycache__" {
                continue;
            }
            if path.is_dir() {
                waiting.push(path);
            } else if path.is_file() {
                let unreadable = |why| Failure::Unreadable { file: path.display().to_string(), why };
                let bytes = std::fs::read(&path).map_err(unreadable)?;
                let inner = path.strip_prefix(folder).expect("it was found below it");
                found.insert(inner.display().to_string(), Digest::of(&bytes));
            }
        }
    }
    Ok(found)
}

/// The way from one folder to another.
fn seen_from(from: &Path, to: &Path) -> Result<String, Failure> {
    let whole = |path: &Path| {
        path.canonicalize().map_err(|why| Failure::Unreadable { file: path.display().to_string(), why })
    };
    let (from, to) = (whole(from)?, whole(to)?);
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Path::new(".."));
    let way: PathBuf =
        up.map(Path::as_os_str).chain(to.components().skip(shared).map(|part| part.as_os_str())).collect();
    Ok(if way.as_os_str().is_empty() { ".".to_owned() } else { way.display().to_string() })
}

/// The one field that tells which kind of capsule a file holds.
#[derive(Deserialize)]
struct Kind {
    foreign: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_between_two_folders_goes_up_and_down() {
        let root = tempfile::tempdir().expect("a scratch folder");
        for name in ["a/b", "a/c/d"] {
            std::fs::create_dir_all(root.path().join(name)).expect("the scratch folder takes folders");
        }
        let check = |from: &str, to: &str, expect: &str| {
            let got = seen_from(&root.path().join(from), &root.path().join(to)).expect("both are there");
            assert_eq!(got, expect);
        };
        check("a/b", "a/c/d", "../c/d");
        check("a/c/d", "a/b", "../../b");
        check("a", "a/c/d", "c/d");
        check("a", "a", ".");
    }
}
