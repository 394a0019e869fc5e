//! The madsim shell: queue, node driver, clock, network, disk, nemesis, recorder.
//!
//! The world executes a plan. It holds every node's clock, disk, links and calls, hands roles one
//! input at a time, executes their effects in order, and records what it executed. Judges hear each
//! event at once and never influence the run.
//!
//! What it deliberately does not do: know a role's code (the caller registers factories), draw a
//! fault (the plan has them), judge, print, or read anything from the machine.
//!
//! `Determinism:` the queue's order is by keys, streams are keyed by entity and ordinal, all
//! iteration is over vectors and ordered maps. madsim intercepts what a role could read behind our
//! back: the run's digest must not depend on madsim's own seed, and a test says so.

#[cfg(not(madsim))]
compile_error!(
    "tumbler-world needs `--cfg madsim`: build inside the workspace without RUSTFLAGS set \
     (`env -u RUSTFLAGS cargo build`), so that .cargo/config.toml applies"
);

mod call;
mod clock;
mod driver;
mod echo;
mod engine;
mod execute;
mod harm;
mod link;
mod nemesis;
mod node;
mod observe;
mod outcome;
mod queue;
mod realize;
mod recorder;
mod store;

pub use echo::echo;
pub use outcome::{Driver, Options, Outcome, Panic, RoleFactory};
pub use realize::Realized;

use driver::{NodeDriver, QueueDriver, TaskDriver};
use engine::{Engine, Step};
use madsim::runtime::Runtime;
use std::time::Duration;
use tumbler_plan::Plan;
use tumbler_types::NodeId;
use tumbler_types::role::v1::Input;

/// Executes the plan on a fresh thread and returns what happened.
///
/// # Panics
///
/// If an assertion of the world itself is broken. A role's panic is an [`Outcome`].
pub fn run(plan: &Plan, roles: &RoleFactory, options: &Options) -> Outcome {
    #[expect(clippy::disallowed_methods, reason = "the run's own thread, before the simulation begins")]
    std::thread::scope(|scope| {
        let run = std::thread::Builder::new()
            .name("run".to_owned())
            .spawn_scoped(scope, || simulate(plan, roles, options));
        match run.expect("the machine can start one thread").join() {
            Ok(outcome) => outcome,
            Err(payload) => std::panic::resume_unwind(payload),
        }
    })
}

fn simulate(plan: &Plan, roles: &RoleFactory, options: &Options) -> Outcome {
    let config = madsim::Config::default();
    let runtime = Runtime::with_seed_and_config(options.madsim_seed, config);
    runtime.block_on(async {
        match options.driver {
            Driver::Queue => drive(plan, roles, options, QueueDriver::new(plan.topology.node_count())).await,
            Driver::Tasks => drive(plan, roles, options, TaskDriver::new(plan.topology.node_count())).await,
        }
    })
}

async fn drive(plan: &Plan, roles: &RoleFactory, options: &Options, mut driver: impl NodeDriver) -> Outcome {
    let mut engine = Engine::new(plan, options);
    let clock = madsim::time::TimeHandle::current();
    let mut shown = engine.now;
    loop {
        let step = engine.step();
        if engine.now > shown {
            // madsim's own clock follows, so that hidden time is virtual time.
            clock.advance(Duration::from_nanos(engine.now.since(shown).nanos()));
            shown = engine.now;
        }
        forget_crashed(&mut engine, &mut driver);
        match step {
            Step::Quiet => engine.nothing_handled(),
            Step::End => break,
            Step::Boot { node, input } => {
                let configured = engine.configured(node);
                driver.boot(node, roles(&configured, node, engine.node(node).build));
                handle(&mut engine, &mut driver, node, input).await;
            }
            Step::Handle { node, input } => handle(&mut engine, &mut driver, node, input).await,
        }
    }
    engine.into_outcome()
}

async fn handle(engine: &mut Engine<'_>, driver: &mut impl NodeDriver, node: NodeId, input: Input) {
    let now = engine.node(node).clocks(engine.now);
    match driver.handle(node, now, input).await {
        Ok(effects) => {
            engine.execute(node, effects);
            engine.handled();
            forget_crashed(engine, driver);
        }
        Err(message) => engine.role_panicked(node, message),
    }
}

fn forget_crashed(engine: &mut Engine<'_>, driver: &mut impl NodeDriver) {
    for node in std::mem::take(&mut engine.crashed) {
        driver.crash(node);
    }
}
