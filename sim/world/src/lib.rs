//! The madsim shell: queue, node driver, clock, network, disk, nemesis, recorder.

#[cfg(not(madsim))]
compile_error!(
    "tumbler-world needs `--cfg madsim`: build inside the workspace without RUSTFLAGS set \
     (`env -u RUSTFLAGS cargo build`), so that .cargo/config.toml applies"
);

pub mod outcome;

pub use outcome::{Driver, Options, Outcome, Panic, RoleFactory};

use tumbler_plan::Plan;

/// Executes the plan on a fresh thread and returns what happened.
pub fn run(plan: &Plan, roles: &RoleFactory, options: &Options) -> Outcome {
    let _ = (plan, roles, options);
    unreachable!("under construction")
}
