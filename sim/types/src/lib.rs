//! Ids, epochs, instants, observed events, and the role ABI.
//!
//! Everything that two crates must agree on and that has no behavior of its own lives here: the
//! system, the judges and the world share these *names*, and no transition code.
//!
//! It deliberately holds no clock, no randomness, no I/O and no wire format.

pub mod assumption;
pub mod bounds;
pub mod build;
pub mod event;
pub mod fault;
pub mod id;
pub mod invariant;
pub mod phase;
pub mod privilege;
pub mod role;
pub mod secret;
pub mod time;
pub mod topology;
pub mod verdict;

pub use assumption::{Assumption, RHO_PPM};
pub use bounds::{Bounds, Timing};
pub use build::{Build, Format};
pub use event::{Command, Event, Observed};
pub use fault::FaultKind;
pub use id::*;
pub use invariant::Invariant;
pub use phase::{Cause, Phase};
pub use privilege::Privileges;
pub use secret::{SecretValue, Tag};
pub use time::{Instant, Mono, Span, Wall};
pub use topology::{Adapter, Enforcement, Principals, RoleKind, Topology};
pub use verdict::Verdict;
