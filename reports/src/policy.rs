//! A policy: what a report must show before something may ship. TOML, strict.
//!
//! It exists as data so that a change of what is demanded is reviewed like any other change. A key
//! that is not known is refused with its line: a threshold that was misspelt demands nothing, and
//! nobody would notice. So is a policy that demands nothing at all.
//!
//! It deliberately has no logic, no exceptions and no expressions.

use crate::report::v2::Kind;
use serde::Deserialize;
use std::collections::BTreeMap;
use tumbler_plan::mistake::{Mistake, Placed};
use tumbler_types::{Invariant, Verdict};

/// Version 1 of a policy file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// [`Policy::SCHEMA`].
    pub schema: u32,
    pub name: String,
    /// One sentence: what may ship when it holds.
    pub about: String,
    /// The verdict that every report must have.
    pub verdict: Verdict,
    /// The kind that every report must be of; any, if absent.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// Seeds that must have run, over all scenarios; what a search bred is none.
    pub seeds_min: u64,
    /// Seeds that must have been run twice, each with equal digests.
    pub rechecks_min: u64,
    /// Findings that no baseline of the gate's own holds.
    pub new_findings_max: u64,
    /// For every invariant that has no table of its own.
    pub exercised_min: u64,
    pub under_fault_min: u64,
    pub planted: PlantedRule,
    #[serde(default)]
    pub invariant: BTreeMap<Invariant, Floors>,
}

/// What is asked of planted bugs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlantedRule {
    /// A report of planted bugs is there, and each was caught.
    AllCaught,
    /// Nothing is demanded; one that was missed is refused all the same.
    NotRequired,
}

/// How often one invariant must have been put to the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Floors {
    pub exercised_min: u64,
    pub under_fault_min: u64,
}

impl Policy {
    pub const SCHEMA: u32 = 1;
    /// The policy that is shipped, by the name `ci`.
    pub const CI: &'static str = include_str!("../policies/ci.toml");

    /// The same, by the name `foreign`: for a rotation function of somebody's own.
    pub const FOREIGN: &'static str = include_str!("../policies/foreign.toml");

    /// Reads the text of a policy. `file_name` is only shown.
    pub fn parse(file_name: &str, text: &str) -> Result<Policy, PolicyError> {
        let read: Result<Policy, _> = toml::from_str(text);
        read.map_err(|error| Mistake::said(error.message(), error.span()))
            .and_then(|policy| policy.check(text))
            .map_err(|mistake| PolicyError(Box::new(mistake.at(file_name, text))))
    }

    fn check(self, text: &str) -> Result<Policy, Mistake> {
        let key = |name: &str| text.find(name).map_or(0..0, |start| start..start + name.len());
        if self.schema != Self::SCHEMA {
            return Err(Mistake::new(key("schema"), "unknown `schema`", OTHER_SCHEMA)
                .expected(Self::SCHEMA.to_string())
                .got(self.schema));
        }
        if self.seeds_min == 0 {
            let problem = "`seeds_min` demands nothing: a report of no seed would do";
            return Err(Mistake::new(key("seeds_min"), problem, "demand some seeds")
                .expected("at least 1")
                .got(self.seeds_min));
        }
        Ok(self)
    }

    pub fn floors(&self, invariant: Invariant) -> Floors {
        let all = Floors { exercised_min: self.exercised_min, under_fault_min: self.under_fault_min };
        self.invariant.get(&invariant).copied().unwrap_or(all)
    }
}

/// What to do about a file of another form.
const OTHER_SCHEMA: &str = "write `schema = 1`, or take the build that the file was written for";

/// What is wrong with a policy, shown where it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(Box<Placed>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_is_one_and_demands_what_no_empty_sweep_can_give() {
        let policy = Policy::parse("ci.toml", Policy::CI).expect("the shipped policy");
        assert_eq!((policy.verdict, policy.planted), (Verdict::Pass, PlantedRule::AllCaught));
        assert_eq!(policy.new_findings_max, 0);
        for invariant in Invariant::ALL {
            let Floors { exercised_min, under_fault_min } = policy.floors(invariant);
            assert!(exercised_min > 0, "{}", invariant.id());
            assert!(under_fault_min > 0, "{}", invariant.id());
        }
    }

    #[test]
    fn the_policy_for_functions_demands_of_what_their_world_judges() {
        let policy = Policy::parse("foreign.toml", Policy::FOREIGN).expect("the shipped policy");
        assert_eq!((policy.verdict, policy.new_findings_max), (Verdict::Pass, 0));
        let asked = |invariant: &Invariant| policy.floors(*invariant).under_fault_min > 0;
        assert_eq!(Invariant::ALL.iter().filter(|invariant| asked(invariant)).count(), 6);
    }

    #[test]
    fn a_policy_with_a_typo_is_refused_where_it_stands() {
        #[track_caller]
        fn check(from: &str, to: &str, line: &str, why: &str) {
            assert!(Policy::CI.contains(from), "{from}");
            let text = Policy::CI.replacen(from, to, 1);
            let number = text.lines().position(|each| each.starts_with(line)).map_or(1, |index| index + 1);
            let error = Policy::parse("own.toml", &text).expect_err(to);
            assert!(error.0.problem.contains(why), "{error}");
            assert_eq!(error.0.line, number, "{error}");
        }
        check("seeds_min", "seed_min", "seed_min", "unknown field `seed_min`");
        check("rechecks_min", "#", "nothing", "missing field `rechecks_min`");
        check("schema = 1", "schema = 2", "schema", "unknown `schema`");
        check("\"pass\"", "\"passed\"", "verdict", "unknown variant `passed`");
        check("\"all-caught\"", "\"all\"", "planted", "unknown variant `all`");
        check("new_findings_max = 0", "new_findings_max = -1", "new_findings_max", "invalid value");
        let own = "[invariant.aplied-once]\nexercised_min = 1\nunder_fault_min = 1\n";
        let text = format!("{}\n{own}", Policy::CI);
        let error = Policy::parse("own.toml", &text).expect_err("a misspelt invariant").0;
        assert!(error.problem.contains("unknown variant `aplied-once`") && error.line > 5, "{error}");
        let error = Policy::parse("own.toml", "schema = ").expect_err("half a line").0;
        assert_eq!(error.line, 1);
    }

    #[test]
    fn an_error_underlines_the_word_and_says_what_to_do() {
        let text = Policy::CI.replacen("seeds_min = 1000", "seeds_min = 0", 1);
        let line = text.lines().position(|line| line == "seeds_min = 0").expect("it was put there") + 1;
        let gutter = " ".repeat(line.to_string().len());
        let expected = format!(
            "own.toml:{line}:1: `seeds_min` demands nothing: a report of no seed would do\n\
             {line} | seeds_min = 0\n\
             {gutter} | ^^^^^^^^^\n\
             {gutter} = expected: at least 1\n\
             {gutter} = got: `0`\n\
             {gutter} = to do: demand some seeds"
        );
        let error = Policy::parse("own.toml", &text).expect_err("it demands nothing");
        assert_eq!(error.to_string(), expected);
    }
}
