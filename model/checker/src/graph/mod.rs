//! The exact graph: all states and steps within bounds, and what holds in it.
//!
//! The second engine beside Stateright, and the only one that can say that something stays possible,
//! or must come. States are compared whole; a search that was cut decides nothing.

mod check;
mod decide;
mod explore;
mod irreversible;
mod table;
mod witness;

pub use check::{check_graph, check_graph_mutated};
pub use decide::{Decision, Refutation, backward, decide};
pub use explore::{Cut, Edge, Graph, Limit, estimate};
pub use irreversible::{Irreversible, irreversible};
pub use table::Table;
pub use witness::witnesses;
