//! Stateright models, exact graph checker, counterexamples, compilation to plans.

pub mod check;

pub use check::{CheckBounds, CheckReport, Verdict, check, check_mutated};
