//! A suite: which scenarios run under which seeds, and which planted bug must be caught there.
//!
//! It deliberately holds no runs and no results; whether a planted bug was caught is for the harness
//! to say, over all seeds of its entry.

use crate::ScenarioError;
use crate::error::{Mistake, of_toml};
use crate::file::{OTHER_SCHEMA, SCHEMA};
use crate::names;
use crate::scenario::{about_of, name_of};
use serde::Deserialize;
use toml::Spanned;
use tumbler_plan::Planted;
use tumbler_types::Invariant;

/// A named set of scenarios and seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    pub name: String,
    /// One sentence: what the suite is for.
    pub about: String,
    pub entries: Vec<SuiteEntry>,
}

/// One scenario under some seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteEntry {
    /// Name of a shipped scenario, or the path of a file of one's own, from the suite's folder.
    pub scenario: String,
    /// Half-open.
    pub seeds: std::ops::Range<u64>,
    /// A bug to plant, and the invariant that must name it in at least one seed.
    pub planted: Option<(Planted, Invariant)>,
}

impl Suite {
    /// Reads a suite file. `file_name` is only shown.
    pub fn parse(file_name: &str, text: &str) -> Result<Suite, ScenarioError> {
        let read: Result<SuiteFile, _> = toml::from_str(text);
        read.map_err(|error| of_toml(&error))
            .and_then(|file| Suite::check(&file))
            .map_err(|mistake| mistake.at(file_name, text).into())
    }

    /// Whether a file is meant as one: it has entries, or nothing of a scenario's own.
    pub fn is_meant(text: &str) -> bool {
        match toml::from_str::<toml::Table>(text) {
            Ok(file) => {
                file.contains_key("entry")
                    || file.keys().all(|key| matches!(key.as_str(), "schema" | "name" | "about"))
            }
            Err(_) => text.lines().any(|line| line.trim() == "[[entry]]"),
        }
    }

    /// Number of runs in it.
    pub fn run_count(&self) -> u64 {
        self.entries.iter().fold(0, |sum: u64, entry| sum.saturating_add(entry.seeds.end - entry.seeds.start))
    }

    fn check(file: &SuiteFile) -> Result<Suite, Mistake> {
        if *file.schema.get_ref() != SCHEMA {
            return Err(Mistake::new(file.schema.span(), "unknown `schema`", OTHER_SCHEMA)
                .expected(SCHEMA.to_string())
                .got(file.schema.get_ref()));
        }
        if file.entry.get_ref().is_empty() {
            return Err(Mistake::new(file.entry.span(), "the suite is empty", "add an [[entry]]")
                .expected("at least one [[entry]]"));
        }
        let mut entries: Vec<SuiteEntry> = Vec::new();
        for spanned in file.entry.get_ref() {
            let entry = spanned.get_ref().check()?;
            if entries.contains(&entry) {
                return Err(Mistake::new(spanned.span(), "the entry has a duplicate", "keep one of them"));
            }
            entries.push(entry);
        }
        Ok(Suite { name: name_of(&file.name)?, about: about_of(&file.about)?, entries })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SuiteFile {
    schema: Spanned<i64>,
    name: Spanned<String>,
    about: Spanned<String>,
    entry: Spanned<Vec<Spanned<EntryTable>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryTable {
    scenario: Spanned<String>,
    seeds: Spanned<String>,
    planted: Option<Spanned<String>>,
    expect: Option<Spanned<String>>,
}

impl EntryTable {
    fn check(&self) -> Result<SuiteEntry, Mistake> {
        let scenario = match self.scenario.get_ref() {
            path if is_path(path) => path.clone(),
            _ => {
                let shipped: Vec<&'static str> =
                    crate::catalog().iter().map(|shipped| shipped.name).collect();
                names::one("scenario", &self.scenario, &shipped, |name| name)?.to_owned()
            }
        };
        let seeds = seeds(&self.seeds)?;
        let planted = match (&self.planted, &self.expect) {
            (None, None) => None,
            (Some(planted), Some(expect)) => Some((
                names::one("planted", planted, &Planted::ALL, Planted::name)?,
                names::one("expect", expect, &Invariant::ALL, Invariant::id)?,
            )),
            (Some(planted), None) => {
                let remedy = "add `expect`: the invariant that must name it";
                return Err(Mistake::new(planted.span(), "a planted bug without `expect`", remedy));
            }
            (None, Some(expect)) => {
                let remedy = "remove it; the scenario itself says what is expected";
                return Err(Mistake::new(expect.span(), "`expect` without a planted bug", remedy));
            }
        };
        Ok(SuiteEntry { scenario, seeds, planted })
    }
}

/// What names a file, and no scenario that is shipped.
pub fn is_path(word: &str) -> bool {
    word.contains('/') || word.ends_with(".toml")
}

/// `"A..B"`, half-open and not empty.
fn seeds(spanned: &Spanned<String>) -> Result<std::ops::Range<u64>, Mistake> {
    let parts = spanned.get_ref().split_once("..");
    let parts = parts.and_then(|(start, end)| Some((start.parse().ok()?, end.parse().ok()?)));
    match parts {
        Some((start, end)) if start < end => Ok(start..end),
        _ => {
            Err(Mistake::new(spanned.span(), "`seeds` is no range of seeds", "write for example \"0..100\"")
                .expected("\"A..B\" with A < B, B not included")
                .got(spanned.get_ref()))
        }
    }
}
