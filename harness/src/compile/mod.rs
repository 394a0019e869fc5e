//! From the model to a run: a path of the abstract machine becomes a plan that the simulator executes.
//!
//! It exists because a counterexample on paper convinces nobody, and because what the specification
//! allows and the code never does is worth knowing. The path is compiled step by step: everybody is
//! stopped but the one whose step it is; what he does besides is taken back by losing its message; the
//! run is looked at, and the next step is added where the last one was seen. A plan's later faults never
//! change what was before them, so that a step once realized stays realized.
//!
//! It deliberately gives the system no orders that a person could not give, and changes no code: what
//! cannot be had so is [`End::Unrealizable`], which is either a hook that the world lacks or a step that
//! the specification allows and the code never takes.

mod differ;
mod draft;
mod evidence;
mod prevent;
mod realize;
pub mod tell;
pub mod tour;
pub mod twin;
mod wait;

pub use draft::Draft;
pub use realize::realize;

use tumbler_plan::Plan;

/// What came of a path.
#[derive(Clone, Debug)]
pub struct Compiled {
    pub end: End,
    /// Steps that the run took as the path has them.
    pub realized: usize,
    /// The plan up to there; what follows is left to the system.
    pub plan: Plan,
    /// Runs that it took to find it.
    pub runs: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every step was taken, and after each the run was in the machine's state.
    Realized,
    /// The step was taken, and led elsewhere than in the machine: a line for each field that differs.
    Diverged { differences: Vec<String> },
    /// Nobody took the step, whatever was done.
    Unrealizable { why: String },
}
