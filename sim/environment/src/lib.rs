//! What the system meets: the target and its replicas, workloads, the operator.
//!
//! Roles like the system's own, sans-I/O, but not under test: they are the world's inhabitants, and
//! what they declare (a target's enforcement) is what the judges hold them to.
//!
//! What this crate deliberately does not do: know how the system decides, or judge it.

pub mod operator;
pub mod replica;
pub mod target;
pub mod workload;

pub use operator::{Operator, Order};
pub use replica::Replica;
pub use target::Target;
pub use workload::Workload;
