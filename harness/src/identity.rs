//! Which build this is: the digest of its own executable.
//!
//! Two builds count as the same iff their executables are equal byte for byte; anything weaker (a
//! version, a commit) would call a replay nondeterministic that merely ran other code.

use crate::exit::Failure;
use std::path::PathBuf;
use tumbler_plan::{Build, Digest};

/// Reads the running executable. Not cheap: tens of megabytes; done once per command that needs it.
pub fn build() -> Result<Build, Failure> {
    let path = executable()?;
    let bytes = std::fs::read(&path)
        .map_err(|error| Failure::Internal(format!("failed to read the own executable: {error}")))?;
    Ok(Build { version: env!("CARGO_PKG_VERSION").to_owned(), digest: Digest::of(&bytes) })
}

/// Where the running executable is. On Linux by a name that stays the running one's when the file is
/// replaced: a build that ends in mid-sweep must not lend it workers, nor its identity.
pub fn executable() -> Result<PathBuf, Failure> {
    if cfg!(target_os = "linux") {
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe()
        .map_err(|error| Failure::Internal(format!("failed to find the own executable: {error}")))
}
