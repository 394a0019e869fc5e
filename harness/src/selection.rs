//! What was asked for: names and paths, resolved to scenarios and seeds.
//!
//! A name is a shipped suite's or a shipped scenario's; anything with a `/` or ending in `.toml` is
//! a path. The result is sorted by scenario and seed, with nothing twice, whatever the order asked.

use crate::exit::Failure;
use crate::nearest::hint;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use tumbler_plan::{Plan, Planted};
use tumbler_scenarios::{Scenario, Suite, SuiteEntry, catalog, is_path, scenario, suite, suites};
use tumbler_types::Invariant;

/// Half-open range of seeds, as the command line spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected A..B, half-open, as in 0..100".to_owned();
        let (start, end) = text.split_once("..").ok_or_else(expected)?;
        let parse = |text: &str| text.trim().parse::<u64>().map_err(|_| expected());
        let range = parse(start)?..parse(end)?;
        if range.start > range.end {
            return Err("it ends before it starts: expected A..B with A below B".to_owned());
        }
        Ok(Seeds(range))
    }
}

/// Everything that is to be run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// By name; seeds rise.
    pub chosen: BTreeMap<String, Chosen>,
    /// Planted bugs to be caught.
    pub planted: Vec<PlantedChoice>,
    /// The suite `smoke` as it is shipped is part of this: its floors apply.
    pub is_smoke: bool,
}

/// One scenario and its seeds.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub scenario: Arc<Scenario>,
    /// A deliberate bug in every run, as `NAME+BUG` asks for.
    pub planted: Option<Planted>,
    /// What was asked for: a name or a path, good for asking again.
    pub word: String,
    pub seeds: SeedSet,
}

impl Chosen {
    /// A seed's plan. Its row is called as the selection calls this, not always as the scenario.
    pub fn plan(&self, seed: u64) -> Plan {
        let plan = self.scenario.plan(seed);
        Plan { planted: self.planted.or(plan.planted), ..plan }
    }
}

/// Seeds as disjoint, rising, half-open ranges: a hundred million of them take no memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeedSet(Vec<Range<u64>>);

impl SeedSet {
    pub fn insert(&mut self, range: Range<u64>) {
        self.0.push(range);
        self.0.retain(|range| !range.is_empty());
        self.0.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::new();
        for range in self.0.drain(..) {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        self.0 = merged;
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).fold(0, u64::saturating_add)
    }

    pub fn first(&self) -> Option<u64> {
        self.0.first().map(|range| range.start)
    }
}

impl IntoIterator for SeedSet {
    type Item = u64;
    type IntoIter = std::iter::Flatten<std::vec::IntoIter<Range<u64>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter().flatten()
    }
}

/// One planted bug, where and by whom it must be caught.
#[derive(Clone, Debug)]
pub struct PlantedChoice {
    pub scenario: Arc<Scenario>,
    pub seeds: Range<u64>,
    pub planted: Planted,
    pub expect: Invariant,
}

impl Selection {
    /// Resolves what was asked for; nothing asked is the suite `smoke`.
    pub fn new(asked: &[String], seeds: Option<&Seeds>) -> Result<Selection, Failure> {
        let smoke = ["smoke".to_owned()];
        let asked = if asked.is_empty() { smoke.as_slice() } else { asked };
        let mut selection = Selection::default();
        for word in asked {
            selection.take(word, seeds)?;
        }
        selection.chosen.retain(|_, chosen| !chosen.seeds.is_empty());
        selection.planted.retain(|choice| !choice.seeds.is_empty());
        if !selection.chosen.is_empty() && !selection.planted.is_empty() {
            let why = "planted bugs and other runs cannot be mixed: run the suite `planted` by itself";
            return Err(Failure::Usage(why.to_owned()));
        }
        if selection.run_count() == 0 {
            return Err(Failure::NothingSelected(format!("no seed of {} is left", asked.join(", "))));
        }
        Ok(selection)
    }

    /// Seeds to be run; a planted bug's are run with and without it.
    pub fn run_count(&self) -> u64 {
        let plain: u64 = self.chosen.values().map(|chosen| chosen.seeds.count()).fold(0, u64::saturating_add);
        let planted: u64 = self
            .planted
            .iter()
            .map(|choice| choice.seeds.end - choice.seeds.start)
            .fold(0, u64::saturating_add);
        plain.saturating_add(planted.saturating_mul(2))
    }

    fn take(&mut self, word: &str, seeds: Option<&Seeds>) -> Result<(), Failure> {
        if word.contains('+') {
            let (scenario, planted) = one_planted(word)?;
            let seeds = seeds.map_or(SEEDS_DEFAULT, |seeds| seeds.0.clone());
            return self.add(word, scenario, planted, seeds);
        }
        if is_path(word) {
            let text = text(word)?;
            if Suite::is_meant(&text) {
                let folder = Path::new(word).parent().unwrap_or(Path::new(""));
                return self.take_suite(&Suite::parse(word, &text)?, folder, seeds);
            }
            let seeds = seeds.map_or(SEEDS_DEFAULT, |seeds| seeds.0.clone());
            return self.add(word, Scenario::parse(word, &text)?, None, seeds);
        }
        if let Some(suite) = suite(word) {
            self.is_smoke |= word == "smoke" && seeds.is_none();
            return self.take_suite(&suite, Path::new(""), seeds);
        }
        let Some(shipped) = scenario(word) else { return Err(unknown(word)) };
        let fixed = suite("smoke").and_then(|smoke| {
            smoke.entries.into_iter().find(|entry| entry.scenario == word).map(|entry| entry.seeds)
        });
        let seeds = seeds.map(|seeds| seeds.0.clone()).or(fixed).unwrap_or(SEEDS_DEFAULT);
        self.add(word, shipped.scenario(), None, seeds)
    }

    /// `folder` is the suite's: paths in it begin there.
    fn take_suite(&mut self, suite: &Suite, folder: &Path, seeds: Option<&Seeds>) -> Result<(), Failure> {
        for entry in &suite.entries {
            let SuiteEntry { scenario: name, seeds: fixed, planted } = entry;
            let word = if is_path(name) { folder.join(name).display().to_string() } else { name.clone() };
            let scenario = one(&word)?;
            let seeds = seeds.map_or(fixed.clone(), |seeds| seeds.0.clone());
            match planted {
                None => self.add(&word, scenario, None, seeds)?,
                Some((planted, expect)) => self.planted.push(PlantedChoice {
                    scenario: Arc::new(scenario),
                    seeds,
                    planted: *planted,
                    expect: *expect,
                }),
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        word: &str,
        scenario: Scenario,
        planted: Option<Planted>,
        seeds: Range<u64>,
    ) -> Result<(), Failure> {
        let name = match planted {
            Some(planted) => format!("{}+{}", scenario.name(), planted.name()),
            None => scenario.name().to_owned(),
        };
        match self.chosen.entry(name) {
            Entry::Vacant(entry) => {
                let mut set = SeedSet::default();
                set.insert(seeds);
                let (scenario, word) = (Arc::new(scenario), word.to_owned());
                entry.insert(Chosen { scenario, planted, word, seeds: set });
            }
            // Whatever it came by: the rows of one name are the seeds of one scenario.
            Entry::Occupied(mut entry) if *entry.get().scenario == scenario => {
                entry.get_mut().seeds.insert(seeds);
            }
            Entry::Occupied(entry) => {
                let why = format!(
                    "two scenarios are named `{}`:\n  {} and {word}; give one of them another `name`",
                    entry.key(),
                    entry.get().word
                );
                return Err(Failure::Usage(why));
            }
        }
        Ok(())
    }
}

/// A scenario by name or path.
pub fn one(word: &str) -> Result<Scenario, Failure> {
    if is_path(word) {
        return Ok(Scenario::parse(word, &text(word)?)?);
    }
    if suite(word).is_some() {
        return Err(Failure::Usage(format!("`{word}` is a suite: expected one scenario")));
    }
    scenario(word).map(tumbler_scenarios::Shipped::scenario).ok_or_else(|| unknown(word))
}

/// A scenario by name or path, with `+BUG` if one is to be planted.
pub fn one_planted(word: &str) -> Result<(Scenario, Option<Planted>), Failure> {
    let Some((name, bug)) = word.split_once('+') else { return Ok((one(word)?, None)) };
    if suite(name).is_some() {
        let why = format!("`{name}` is a suite: a bug is planted in a scenario, as in standard+{bug}");
        return Err(Failure::Usage(why));
    }
    let planted = Planted::ALL.into_iter().find(|planted| planted.name() == bug);
    let unknown = || {
        let names = Planted::ALL.into_iter().map(Planted::name);
        let hint = hint(bug, names, "`tumbler list planted` shows them");
        Failure::Usage(format!("unknown planted bug `{bug}`{hint}"))
    };
    Ok((one(name)?, Some(planted.ok_or_else(unknown)?)))
}

/// The text of a scenario's or a suite's file.
fn text(path: &str) -> Result<String, Failure> {
    if Path::new(path).is_dir() {
        return Err(Failure::Usage(folder(path)));
    }
    std::fs::read_to_string(path).map_err(|error| Failure::Usage(format!("failed to read {path}: {error}")))
}

fn folder(path: &str) -> String {
    format!(
        "{path} is a folder: expected a scenario's or a suite's file, or with\n  \
         --rotator DIR the folder of a rotation function"
    )
}

/// Names the nearest name, if one is near.
fn unknown(word: &str) -> Failure {
    if word != "." && Path::new(word).is_dir() {
        return Failure::Usage(folder(word));
    }
    let names = catalog().iter().chain(suites()).map(|shipped| shipped.name);
    let hint = hint(word, names, "`tumbler list scenarios` and `tumbler list suites` show them");
    Failure::Usage(format!("unknown scenario or suite `{word}`{hint}"))
}

const SEEDS_DEFAULT: Range<u64> = 0..100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_half_open_ranges() {
        assert_eq!("3..7".parse(), Ok(Seeds(3..7)));
        assert_eq!("3..3".parse(), Ok(Seeds(3..3)));
        for text in ["", "3", "7..3", "3..=7", "-1..3", "a..b", "3..99999999999999999999"] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }

    #[test]
    fn overlapping_ranges_of_seeds_become_one() {
        let mut seeds = SeedSet::default();
        for range in [5..8, 0..2, 7..9, 2..3, 20..20, 12..13] {
            seeds.insert(range);
        }
        assert_eq!(seeds, SeedSet(vec![0..3, 5..9, 12..13]));
        assert_eq!((seeds.count(), seeds.first()), (8, Some(0)));
        assert_eq!(seeds.into_iter().collect::<Vec<_>>(), [0, 1, 2, 5, 6, 7, 8, 12]);
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_nearest_one() {
        let text = |word: &str| unknown(word).to_string();
        assert_eq!(text("standrad"), "unknown scenario or suite `standrad`, did you mean `standard`?");
        assert!(text("xyzzyxyzzyxyzzy").ends_with("`tumbler list suites` show them"));
    }

    /// Else one of them would not run, and nobody would know: a file could stand in for a shipped scenario.
    #[test]
    fn two_scenarios_of_one_name_are_refused_and_the_same_one_twice_is_not() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let quiet = scenario("quiet").expect("shipped").text;
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("the scratch folder takes files");
            path.to_str().expect("UTF-8").to_owned()
        };
        let same = file("same.toml", quiet);
        let other = file("other.toml", &quiet.replace("name = \"quiet\"", "name = \"standard\""));
        let refused = |asked: &[&str]| {
            let asked: Vec<String> = asked.iter().map(|word| (*word).to_owned()).collect();
            Selection::new(&asked, Some(&Seeds(0..2))).err().map(|error| error.to_string())
        };
        assert_eq!(refused(&["quiet", &same, "smoke"]), None);
        for asked in [[&*other, "standard"], ["smoke", &other]] {
            let why = refused(&asked).expect("two of one name");
            assert!(why.starts_with("two scenarios are named `standard`:\n  "), "{why}");
            assert!(why.contains(&other), "{why}");
        }
    }

    #[test]
    fn nothing_is_run_twice_and_nothing_asked_is_smoke() {
        let asked = ["standard".to_owned(), "standard".to_owned()];
        let selection = Selection::new(&asked, Some(&Seeds(2..5))).expect("shipped");
        assert_eq!((selection.run_count(), selection.is_smoke), (3, false));
        assert!(Selection::new(&[], None).expect("shipped").is_smoke);
        let none = Selection::new(&asked, Some(&Seeds(2..2)));
        assert!(matches!(none, Err(Failure::NothingSelected(_))));
    }
}
