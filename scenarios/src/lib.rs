//! Scenario files and suites, and how they become plans.
//!
//! A scenario says what a world looks like, what is asked of it and what is done to it; with a seed
//! it becomes a [`Plan`](tumbler_plan::Plan), the same one every time. It exists so that what is
//! tried can be read and edited by somebody who reads no Rust.
//!
//! It deliberately reads no files (only the harness does), runs nothing and judges nothing: shipped
//! files are embedded, and a user's file comes in as text with the name to show in errors.
//!
//! ```
//! let shipped = tumbler_scenarios::scenario("quiet").expect("it is shipped");
//! let scenario = tumbler_scenarios::Scenario::parse(shipped.file, shipped.text)?;
//! assert_eq!(scenario.plan(7), scenario.plan(7));
//! # Ok::<(), tumbler_scenarios::ScenarioError>(())
//! ```

mod catalog;
mod entry;
mod error;
mod fault;
mod file;
mod harm;
mod incident;
mod link;
mod names;
mod needs;
mod range;
mod scenario;
mod spot;
mod suite;
mod topology;

pub use catalog::{Shipped, catalog, regressions, scenario, suite, suites};
pub use error::ScenarioError;
pub use incident::Incident;
pub use scenario::Scenario;
pub use suite::{Suite, SuiteEntry, is_path};
