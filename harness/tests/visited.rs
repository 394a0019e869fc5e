//! What runs visit is in the exact graph, and what a flawed build visits is not.

use tumbler::visited::{Reachable, Visited};
use tumbler_plan::Planted;

fn visit(reachable: &Reachable, name: &str, seeds: u64, planted: Option<Planted>) -> Visited {
    let scenario = tumbler_scenarios::scenario(name).expect("it is shipped").scenario();
    let mut visited = Visited::default();
    for seed in 0..seeds {
        let mut plan = scenario.plan(seed);
        plan.planted = planted;
        reachable.follow(&plan, &mut visited);
    }
    visited
}

#[test]
fn no_run_leaves_the_graph_and_more_runs_visit_more_of_it() {
    let reachable = Reachable::new();
    let mut last = 0;
    for (name, seeds) in [("quiet", 4), ("standard", 12), ("revoke-everywhere", 24)] {
        let visited = visit(&reachable, name, seeds, None);
        assert!(visited.unknown.is_empty(), "{name}: {:?}", visited.unknown.values());
        let (states, all) = reachable.states(&visited);
        assert!(states > last && states < all, "{name}: {states} of {all}, {last} before");
        last = states;
        let steps: u64 = reachable.steps(&visited).values().map(|(visited, _)| visited).sum();
        assert!(steps >= states, "{name}: {steps} steps between {states} states");
    }
}

#[test]
fn a_target_that_ignores_fences_leaves_the_graph() {
    let visited = visit(&Reachable::new(), "rollback-under-fire", 40, Some(Planted::TargetIgnoresFences));
    assert!(!visited.unknown.is_empty());
}
