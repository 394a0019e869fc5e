//! The row: one seed of one scenario in `results.csv`.
//!
//! It exists so that a sweep can be compared, joined and plotted with ordinary tools. The columns
//! are a contract: names and order never change, new ones are appended.
//!
//! It deliberately has no verdict logic and no quoting: it gives fields, `reports` writes them.

use crate::Digest;
use serde::{Deserialize, Serialize};
use tumbler_types::{Invariant, Verdict};

/// What one seed came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub scenario: String,
    pub seed: u64,
    pub verdict: Verdict,
    /// The broken invariant, when the verdict names one.
    pub invariant: Option<Invariant>,
    /// None if the worker died: there was no whole trace.
    pub trace_digest: Option<Digest>,
    pub events: u64,
    pub virtual_ms: u64,
    pub promoted: u64,
    pub rolled_back: u64,
    pub faults_fired: u64,
    pub faults_in_rotation: u64,
}

impl Row {
    pub const COLUMNS: [&'static str; 11] = [
        "scenario",
        "seed",
        "verdict",
        "invariant",
        "trace_digest",
        "events",
        "virtual_ms",
        "promoted",
        "rolled_back",
        "faults_fired",
        "faults_in_rotation",
    ];

    /// The fields as text, in the order of [`Row::COLUMNS`].
    pub fn fields(&self) -> [String; 11] {
        let Row {
            scenario,
            seed,
            verdict,
            invariant,
            trace_digest,
            events,
            virtual_ms,
            promoted,
            rolled_back,
            faults_fired,
            faults_in_rotation,
        } = self;
        [
            scenario.clone(),
            seed.to_string(),
            verdict.name().to_owned(),
            invariant.map_or(String::new(), |invariant| invariant.id().to_owned()),
            trace_digest.map_or(String::new(), |digest| digest.to_string()),
            events.to_string(),
            virtual_ms.to_string(),
            promoted.to_string(),
            rolled_back.to_string(),
            faults_fired.to_string(),
            faults_in_rotation.to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_under_their_columns() {
        let row = Row {
            scenario: "standard".to_owned(),
            seed: 7,
            verdict: Verdict::Violated,
            invariant: Some(Invariant::AppliedOnce),
            trace_digest: Some(Digest::of(b"")),
            events: 1,
            virtual_ms: 2,
            promoted: 3,
            rolled_back: 4,
            faults_fired: 5,
            faults_in_rotation: 6,
        };
        let line: Vec<String> =
            Row::COLUMNS.iter().zip(row.fields()).map(|(name, field)| format!("{name}={field}")).collect();
        assert_eq!(line[0..4].join(" "), "scenario=standard seed=7 verdict=violated invariant=applied-once");
        assert_eq!(
            line[5..].join(" "),
            "events=1 virtual_ms=2 promoted=3 rolled_back=4 faults_fired=5 faults_in_rotation=6"
        );
    }
}
