//! What a sweep tells: rows, summaries, stories, reports and their faces, and the gate.
//!
//! The harness fills a [`Sweep`] with what each seed came to; the renderers here turn it into text.
//! The vocabulary between worker, harness and renderers is [`seed::SeedReport`].
//!
//! Invariant: no renderer decides a verdict. Verdicts come from judges, and what a whole sweep
//! amounts to is decided in [`sweep`] and [`vacuity`] alone, where nothing rounds up.
//!
//! It deliberately reads no clock, environment or file, and writes none.

pub mod baseline;
pub mod cause;
mod chart;
pub mod check;
pub mod coverage;
pub mod difference;
pub mod escape;
pub mod explain;
pub mod export;
pub mod finding;
pub mod foreign;
pub mod gate;
pub mod grid;
pub mod junit;
pub mod markdown;
pub mod number;
mod phrase;
pub mod planted;
pub mod policy;
pub mod reached;
pub mod report;
pub mod rollback;
pub mod rows;
pub mod schedule;
pub mod seed;
pub mod story;
pub mod summary;
pub mod sweep;
pub mod teller;
pub mod vacuity;
pub mod wrap;

pub use baseline::Baseline;
pub use check::Check;
pub use difference::Difference;
pub use explain::explain;
pub use gate::{Refusal, gate};
pub use planted::{PlantedEntry, PlantedReport};
pub use policy::{Policy, PolicyError};
pub use report::v2::{Report, ReportError};
pub use rollback::{Point, Rollback};
pub use rows::RowWriter;
pub use schedule::schedule;
pub use seed::{Broken, Exercised, Recheck, SeedReport};
pub use story::{Line, Named, Story};
pub use summary::{Facts, summary};
pub use sweep::{Sweep, Told};
pub use vacuity::{Floor, Gap};
