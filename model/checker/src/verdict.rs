//! What a search may say: never that something holds without the bounds, never that a cut search held.

use crate::bounds::CheckBounds;
use std::fmt;
use std::time::Duration;
use tumbler_spec::machine::{Action, Mark, Property, StepProperty, Temporal};

/// What may be said about one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    Holds {
        bounds: CheckBounds,
        /// States or steps of which it was demanded.
        asked: u64,
    },
    /// The steps from the initial state to where it is broken; for a sentence about what must come, then
    /// steps that may be taken for ever.
    Violated {
        path: Vec<Action>,
        cycle: Vec<Action>,
    },
    Inconclusive {
        why: String,
    },
}

/// What a sentence is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Every state.
    Invariant,
    /// Every step.
    Step,
    /// What must come, if everybody who can act does: leads-to under weak fairness.
    Inevitable,
    /// What stays possible: AG EF.
    Possible,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Invariant => "always",
            Kind::Step => "each step",
            Kind::Inevitable => "leads to",
            Kind::Possible => "possible",
        })
    }
}

/// One sentence, and what was found of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    pub id: &'static str,
    pub kind: Kind,
    pub verdict: Verdict,
}

impl Sentence {
    pub fn invariant(property: Property, verdict: Verdict) -> Self {
        Sentence { id: property.id(), kind: Kind::Invariant, verdict }
    }

    pub fn step(property: StepProperty, verdict: Verdict) -> Self {
        Sentence { id: property.id(), kind: Kind::Step, verdict }
    }

    pub fn temporal(temporal: Temporal, verdict: Verdict) -> Self {
        let kind = if temporal.is_inevitable() { Kind::Inevitable } else { Kind::Possible };
        Sentence { id: temporal.id(), kind, verdict }
    }
}

/// Who searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Stateright,
    Graph,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Stateright => "stateright",
            Engine::Graph => "graph",
        })
    }
}

/// What one search found.
#[derive(Clone, Debug)]
#[must_use]
pub struct CheckReport {
    pub engine: Engine,
    pub bounds: CheckBounds,
    pub sentences: Vec<Sentence>,
    /// Moments that the search must have seen, and whether it did.
    pub reached: Vec<(Mark, bool)>,
    /// Distinct states: by 64-bit fingerprint in Stateright, whole in the graph.
    pub states: u64,
    /// Steps taken, to states old and new.
    pub edges: u64,
    /// States in which some budget of the bounds is used up, if the engine counts them. None is excused: no
    /// sentence needs more of what is bounded.
    pub spent: Option<u64>,
    pub depth: u64,
    pub elapsed: Duration,
    /// The whole space was searched.
    pub is_exhausted: bool,
}

/// The moments that these bounds leave room for, and whether a search saw them; `marks`: a bit for each.
pub(crate) fn reached(bounds: CheckBounds, marks: u64) -> Vec<(Mark, bool)> {
    let owed = Mark::ALL.into_iter().filter(|mark| mark.is_owed(bounds));
    owed.map(|mark| (mark, marks & mark.bit() != 0)).collect()
}

impl CheckReport {
    /// The verdict on a sentence; none if this engine cannot say it.
    pub fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.sentences.iter().find(|sentence| sentence.id == id).map(|sentence| &sentence.verdict)
    }

    /// Where two whole searches of the same bounds contradict each other; nothing if they agree.
    pub fn contradicts(&self, other: &CheckReport) -> Vec<String> {
        let mut found = Vec::new();
        let mut differ = |what: &str, one: String, two: String| {
            if one != two {
                found.push(format!("{what}: {} {one}, {} {two}", self.engine, other.engine));
            }
        };
        let is_clean = |report: &CheckReport| report.is_exhausted;
        if is_clean(self) && is_clean(other) {
            differ("states", self.states.to_string(), other.states.to_string());
            differ("edges", self.edges.to_string(), other.edges.to_string());
            for ((mark, one), (_, two)) in self.reached.iter().zip(&other.reached) {
                differ(&mark.name(), one.to_string(), two.to_string());
            }
        }
        for sentence in &self.sentences {
            let Some(verdict) = other.verdict(sentence.id) else { continue };
            let word = |verdict: &Verdict| match verdict {
                Verdict::Holds { .. } => Some("holds"),
                Verdict::Violated { .. } => Some("violated"),
                // Who does not know contradicts nobody.
                Verdict::Inconclusive { .. } => None,
            };
            if let (Some(one), Some(two)) = (word(&sentence.verdict), word(verdict)) {
                differ(sentence.id, one.to_owned(), two.to_owned());
            }
        }
        found
    }
}
