//! Random streams, faults, plans, traces, digests and capsules.
//!
//! A plan is data that exists, whole, before its run: the nemesis draws nothing while it runs.
//! What this crate deliberately does not do: run anything, judge anything, read files.

pub mod capsule;
pub mod contradiction;
pub mod digest;
pub mod fault;
pub mod fingerprint;
pub mod harm;
pub mod mistake;
pub mod plan;
pub mod row;
pub mod stream;
pub mod swarm;
pub mod trace;

pub use capsule::{Build, Capsule, CapsuleError, Expect, LastWords, plan_digest};
pub use digest::{Checkpoint, Digest, DigestChain};
pub use fault::{Fault, FaultAction, Pattern, Point, Trigger, Until};
pub use fingerprint::Fingerprint;
pub use harm::{ClockHarm, DiskHarm, LinkHarm, ProcessHarm, Share};
pub use plan::{Deployed, Network, Offset, Order, Plan, Planted, Store};
pub use row::Row;
pub use stream::{Stream, StreamName};
