//! Stateright models, exact graph checker, counterexamples, compilation to plans.

pub mod bounds;
pub mod graph;
pub mod stateright;
pub mod verdict;

pub use bounds::CheckBounds;
pub use graph::{Limit, check_graph, check_graph_mutated};
pub use stateright::{check, check_mutated};
pub use verdict::{CheckReport, Engine, Kind, Sentence, Verdict};
