//! The contract between a role and whatever drives it, by version.
pub mod v1;
