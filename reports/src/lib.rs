//! What a sweep tells: rows, summaries, stories.
//!
//! The harness fills a [`Sweep`] with what each seed came to; the renderers here turn it into text.
//! The vocabulary between worker, harness and renderers is [`seed::SeedReport`].
//!
//! Invariant: no renderer decides a verdict. Verdicts come from judges, and what a whole sweep
//! amounts to is decided in [`sweep`] and [`vacuity`] alone, where nothing rounds up.
//!
//! It deliberately reads no clock, environment or file, and writes none.

pub mod cause;
pub mod finding;
pub mod grid;
pub mod number;
pub mod planted;
pub mod rollback;
pub mod rows;
pub mod seed;
pub mod story;
pub mod summary;
pub mod sweep;
pub mod teller;
pub mod vacuity;

pub use planted::{PlantedEntry, PlantedReport};
pub use rollback::{Point, Rollback};
pub use rows::RowWriter;
pub use seed::{Broken, Exercised, Recheck, SeedReport};
pub use story::{Line, Story};
pub use summary::{Facts, summary};
pub use sweep::{Sweep, Told};
pub use vacuity::{Floor, Gap};
