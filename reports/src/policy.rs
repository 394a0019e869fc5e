//! A policy: what a report must show before something may ship. TOML, strict.
//!
//! It exists as data so that a change of what is demanded is reviewed like any other change. A key
//! that is not known is refused with its line: a threshold that was misspelt demands nothing, and
//! nobody would notice. So is a policy that demands nothing at all.
//!
//! It deliberately has no logic, no exceptions and no expressions.

use serde::Deserialize;
use std::collections::BTreeMap;
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
    /// Seeds that must have run, over all scenarios.
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

    /// Reads the text of a policy.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let policy: Policy = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            PolicyError::at(text, start, &error.message().trim().replace('\n', "; "))
        })?;
        let key = |name: &str| text.find(name).unwrap_or(0);
        if policy.schema != Self::SCHEMA {
            let why = format!("expected policy schema {}, got {}", Self::SCHEMA, policy.schema);
            return Err(PolicyError::at(text, key("schema"), &why));
        }
        if policy.seeds_min == 0 {
            let why = "expected at least 1 seed to be demanded, got 0: a report of nothing would do";
            return Err(PolicyError::at(text, key("seeds_min"), why));
        }
        Ok(policy)
    }

    pub fn floors(&self, invariant: Invariant) -> Floors {
        let all = Floors { exercised_min: self.exercised_min, under_fault_min: self.under_fault_min };
        self.invariant.get(&invariant).copied().unwrap_or(all)
    }
}

/// What is wrong with a policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {why}")]
pub struct PolicyError {
    pub line: usize,
    pub column: usize,
    pub why: String,
}

impl PolicyError {
    fn at(text: &str, offset: usize, why: &str) -> PolicyError {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        PolicyError { line, column, why: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_is_one_and_demands_what_no_empty_sweep_can_give() {
        let policy = Policy::parse(Policy::CI).expect("the shipped policy");
        assert_eq!((policy.verdict, policy.planted), (Verdict::Pass, PlantedRule::AllCaught));
        assert_eq!(policy.new_findings_max, 0);
        for invariant in Invariant::ALL {
            let Floors { exercised_min, under_fault_min } = policy.floors(invariant);
            assert!(exercised_min > 0, "{}", invariant.id());
            assert!(under_fault_min > 0, "{}", invariant.id());
        }
    }

    #[test]
    fn a_policy_with_a_typo_is_refused_where_it_stands() {
        #[track_caller]
        fn check(from: &str, to: &str, line: &str, why: &str) {
            assert!(Policy::CI.contains(from), "{from}");
            let text = Policy::CI.replacen(from, to, 1);
            let number = text.lines().position(|each| each.starts_with(line)).map_or(1, |index| index + 1);
            let error = Policy::parse(&text).expect_err(to);
            assert!(error.why.contains(why), "{error}");
            assert_eq!(error.line, number, "{error}");
        }
        check("seeds_min", "seed_min", "seed_min", "unknown field `seed_min`");
        check("rechecks_min", "#", "nothing", "missing field `rechecks_min`");
        check("schema = 1", "schema = 2", "schema", "expected policy schema 1, got 2");
        check("\"pass\"", "\"passed\"", "verdict", "unknown variant `passed`");
        check("\"all-caught\"", "\"all\"", "planted", "unknown variant `all`");
        check("new_findings_max = 0", "new_findings_max = -1", "new_findings_max", "invalid value");
        let own = "[invariant.aplied-once]\nexercised_min = 1\nunder_fault_min = 1\n";
        let error = Policy::parse(&format!("{}\n{own}", Policy::CI)).expect_err("a misspelt invariant");
        assert!(error.why.contains("unknown variant `aplied-once`") && error.line > 5, "{error}");
        let error = Policy::parse("schema = ").expect_err("half a line");
        assert_eq!(error.line, 1);
    }
}
