//! What hosting a role costs: `cargo bench -p tumbler --bench host`.
//!
//! Records the inputs that every node of the standard scenario gets, then gives them to fresh roles,
//! here and in children, and prints microseconds per input and per start. It asserts nothing but
//! that the effects are equal: machines are noisy, and a number is for reading.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tumbler::host::{ChildRole, Program};
use tumbler::roles;
use tumbler_plan::Plan;
use tumbler_types::role::v1::{Effects, Input, Now, Role};
use tumbler_types::{Build, NodeId};
use tumbler_world::Options;

/// Inputs of one incarnation, in order.
type Life = (NodeId, Vec<(Now, Input)>);
type Lives = Arc<Mutex<Vec<Life>>>;

const SEEDS: u64 = 3;

struct Recorded {
    role: Box<dyn Role>,
    place: usize,
    lives: Lives,
}

impl Role for Recorded {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut lives = self.lives.lock().expect("nothing panics while it holds this");
        lives[self.place].1.push((now, input.clone()));
        drop(lives);
        self.role.handle(now, input)
    }
}

fn main() {
    let scenario = tumbler_scenarios::scenario("standard").expect("it is shipped").scenario();
    let program =
        Program { path: env!("CARGO_BIN_EXE_tumbler").into(), arguments: vec!["role-host".to_owned()] };
    let (mut here, mut hosted) = (Sum::default(), Sum::default());
    for seed in 0..SEEDS {
        let plan = scenario.plan(seed);
        for (node, inputs) in lives(&plan) {
            let left = here.live(roles::plain(&plan, node), &inputs);
            let right = hosted.live(Box::new(ChildRole::new(&program, &plan, node)), &inputs);
            assert!(left == right, "{} differs", plan.topology.name(node));
        }
    }
    let Sum { starts, inputs, .. } = here;
    println!("standard scenario, {SEEDS} seeds: {starts} starts, {inputs} inputs");
    println!("  start       {:>8.1} us hosted, {:.1} us here", hosted.start(), here.start());
    println!("  round trip  {:>8.1} us hosted, {:.1} us here", hosted.trip(), here.trip());
}

fn lives(plan: &Plan) -> Vec<Life> {
    let lives = Lives::default();
    let kept = Arc::clone(&lives);
    let factory = move |plan: &Plan, node: NodeId, build: Build| -> Box<dyn Role> {
        let mut all = kept.lock().expect("nothing panics while it holds this");
        all.push((node, Vec::new()));
        let place = all.len() - 1;
        let role = Recorded { role: roles::plain(plan, node), place, lives: Arc::clone(&kept) };
        roles::in_session(Box::new(role), plan, node, build)
    };
    drop(tumbler_world::run(plan, &factory, &Options::default()));
    std::mem::take(&mut lives.lock().expect("nothing panics while it holds this"))
}

#[derive(Default)]
struct Sum {
    starts: u32,
    inputs: u32,
    starting: Duration,
    handling: Duration,
}

impl Sum {
    fn live(&mut self, mut role: Box<dyn Role>, inputs: &[(Now, Input)]) -> Vec<Effects> {
        let mut effects = Vec::new();
        for (index, (now, input)) in inputs.iter().enumerate() {
            let begin = Instant::now();
            effects.push(role.handle(*now, input.clone()));
            if index == 0 {
                self.starts += 1;
                self.starting += begin.elapsed();
            } else {
                self.inputs += 1;
                self.handling += begin.elapsed();
            }
        }
        effects
    }

    fn start(&self) -> f64 {
        self.starting.as_secs_f64() * 1e6 / f64::from(self.starts)
    }

    fn trip(&self) -> f64 {
        self.handling.as_secs_f64() * 1e6 / f64::from(self.inputs)
    }
}
