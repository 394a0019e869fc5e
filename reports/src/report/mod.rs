//! The report: what a sweep came to, as one file that machines read and people gate on.
//!
//! It exists so that every face of a result (JUnit, Markdown, CSV, the gate) reads the same data, and
//! none of them needs the sweep again. [`v2`] is the form at the boundary, [`assemble`] fills it.
//!
//! It deliberately holds no wall-clock time, no path and no seed but the first of each finding:
//! equal plans on an equal build give equal bytes, whatever the number of jobs, folder or machine.

mod assemble;
mod reach;
pub mod v2;

pub use assemble::{Claim, Context, of_planted, of_sweep};
