//! Exit codes, and the errors that lead to them.
//!
//! One table for the whole program. Codes stay below 126, and 1 and 101 are never ours,
//! so that `git bisect run` and shells can tell a verdict from an accident.
//!
//! Errors are lower-case fragments; nothing below the harness knows an exit code.

use std::path::PathBuf;
use std::process::ExitCode;
use tumbler_plan::CapsuleError;
use tumbler_scenarios::ScenarioError;
use tumbler_types::Verdict;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Exit {
    Verdict(Verdict),
    Usage,
    NothingSelected,
    Internal,
    Unwritable,
    NotApplicable,
    /// A gate refused.
    Refused,
    Interrupted,
    /// `replay --bisect`: reproduced.
    Reproduced,
}

impl Exit {
    pub const PASS: Exit = Exit::Verdict(Verdict::Pass);

    pub const fn code(self) -> u8 {
        match self {
            Exit::Verdict(verdict) => verdict.exit_code(),
            Exit::Usage => 2,
            Exit::NothingSelected => 4,
            Exit::Reproduced => 10,
            Exit::Refused => 20,
            Exit::Internal => 70,
            Exit::Unwritable => 74,
            Exit::NotApplicable => 125,
            Exit::Interrupted => 130,
        }
    }

    /// Of several that hold, the one that is told: 130 and 74 outrank all verdicts, and among
    /// verdicts 14 > 10 > 12 > 13 > 11 > 15.
    pub const fn and(self, other: Exit) -> Exit {
        if other.rank() > self.rank() { other } else { self }
    }

    const fn rank(self) -> u8 {
        match self {
            Exit::Verdict(verdict) => verdict.severity(),
            Exit::Reproduced | Exit::NotApplicable | Exit::Refused => 20,
            Exit::Usage | Exit::NothingSelected => 30,
            Exit::Internal => 40,
            Exit::Unwritable => 50,
            Exit::Interrupted => 60,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Scenario(#[from] ScenarioError),
    #[error("nothing selected: {0}")]
    NothingSelected(String),
    #[error("failed to write {}: {why}", path.display())]
    Unwritable { path: PathBuf, why: std::io::Error },
    #[error("{file} does not apply: {why}")]
    Capsule { file: String, why: CapsuleError },
    #[error("{file} does not apply: {why}")]
    Unreadable { file: String, why: std::io::Error },
    #[error("{file} does not apply: {why}")]
    Inapplicable { file: String, why: String },
    #[error("internal error: {0}")]
    Internal(String),
}

impl Failure {
    pub const fn exit(&self) -> Exit {
        match self {
            Failure::Usage(_) | Failure::Scenario(_) => Exit::Usage,
            Failure::NothingSelected(_) => Exit::NothingSelected,
            Failure::Unwritable { .. } => Exit::Unwritable,
            Failure::Capsule { .. } | Failure::Unreadable { .. } | Failure::Inapplicable { .. } => {
                Exit::NotApplicable
            }
            Failure::Internal(_) => Exit::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_exit_is_told_and_writing_and_interrupts_outrank_verdicts() {
        let rising = [
            (Exit::Verdict(Verdict::Pass), 0),
            (Exit::Verdict(Verdict::Inconclusive), 15),
            (Exit::Verdict(Verdict::Stalled), 11),
            (Exit::Verdict(Verdict::Crashed), 13),
            (Exit::Verdict(Verdict::Diverged), 12),
            (Exit::Verdict(Verdict::Violated), 10),
            (Exit::Verdict(Verdict::Nondeterministic), 14),
            (Exit::Unwritable, 74),
            (Exit::Interrupted, 130),
        ];
        for (index, (exit, code)) in rising.into_iter().enumerate() {
            assert_eq!(exit.code(), code);
            for (lower, _) in &rising[..index] {
                assert_eq!((exit.and(*lower), lower.and(exit)), (exit, exit));
            }
        }
    }
}
