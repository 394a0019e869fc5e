//! What is wrong with a scenario or suite file, shown where it is wrong.

pub(crate) use tumbler_plan::mistake::Mistake;

use tumbler_plan::mistake::Placed;

/// Why a file is refused. Boxed, because it is large and rare.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ScenarioError(Box<Placed>);

impl From<Placed> for ScenarioError {
    fn from(placed: Placed) -> Self {
        ScenarioError(Box::new(placed))
    }
}

impl ScenarioError {
    /// The name that the caller gave.
    pub fn file(&self) -> &str {
        &self.0.file
    }

    /// Counts from 1.
    pub fn line(&self) -> usize {
        self.0.line
    }

    /// Counts characters, from 1.
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// The subject, and what is wrong with it, in one line.
    pub fn problem(&self) -> &str {
        &self.0.problem
    }
}

/// What the TOML parser or a derived reader says.
pub(crate) fn of_toml(error: &toml::de::Error) -> Mistake {
    Mistake::said(error.message(), error.span())
}
