//! What runs visit is in the exact graph, and what a flawed build visits is not; shards add up.

use tumbler::roles::role;
use tumbler::visited::{Follower, map};
use tumbler_plan::Planted;
use tumbler_reports::reached::{Map, Sum, merge};
use tumbler_reports::report::v2::Reach;
use tumbler_world::{Options, run};

fn sum(name: &str, seeds: std::ops::Range<u64>, planted: Option<Planted>) -> Sum {
    let scenario = tumbler_scenarios::scenario(name).expect("it is shipped").scenario();
    let follower = Follower::new();
    let mut sum = Sum::default();
    for seed in seeds {
        let mut plan = scenario.plan(seed);
        plan.planted = planted;
        let outcome = run(&plan, &role, &Options { keep_trace: true, ..Options::default() });
        sum.absorb(name, seed, &follower.follow(&plan, &outcome.fired, &outcome.trace));
    }
    sum
}

fn visit(map: &Map, name: &str, seeds: std::ops::Range<u64>, planted: Option<Planted>) -> Reach {
    map.reach(&sum(name, seeds, planted))
}

#[test]
fn no_run_leaves_the_graph_and_more_runs_visit_more_of_it() {
    let map = map();
    let mut last = 0;
    for (name, seeds) in [("quiet", 4), ("standard", 12), ("revoke-everywhere", 24)] {
        let walk = visit(&map, name, 0..seeds, None).walk;
        assert_eq!(walk.unknown, 0, "{name}: {:?}", walk.strayed);
        let states = walk.states_visited;
        assert!(states > last && states < walk.states, "{name}: {states} of {}, {last} before", walk.states);
        last = states;
        assert!(walk.steps().0 >= states, "{name}: {} steps between {states} states", walk.steps().0);
    }
}

/// A grant is over by the authority's clock, which may be ahead; and what an older format leaves out is no
/// step of the machine. Both looked like states that the graph does not have.
#[test]
fn clocks_that_differ_and_older_formats_leave_no_graph() {
    let map = map();
    for (name, seed, least) in
        [("bad-links", 1887, 6), ("rolling-upgrade", 1016, 0), ("stripped-negotiation", 1151, 1)]
    {
        let walk = visit(&map, name, seed..seed + 1, None).walk;
        assert_eq!(walk.unknown, 0, "{name}: {:?}", walk.strayed);
        assert!(walk.states_visited >= least, "{name}: {}", walk.states_visited);
    }
}

#[test]
fn a_target_that_ignores_fences_leaves_the_graph() {
    let walk = visit(&map(), "rollback-under-fire", 0..40, Some(Planted::TargetIgnoresFences)).walk;
    assert!(walk.unknown > 0);
    assert!(
        walk.strayed.iter().all(|strayed| strayed.scenario == "rollback-under-fire" && strayed.seed < 40)
    );
}

#[test]
fn shards_add_up_to_the_whole() {
    let map = map();
    let name = "crash-points";
    let (whole, left, right) =
        (visit(&map, name, 0..16, None), visit(&map, name, 0..5, None), visit(&map, name, 5..16, None));
    assert!(left.walk.states_visited < whole.walk.states_visited, "the parts differ from the whole");
    assert_eq!(merge(&[&left, &right]), Ok(Some(whole.clone())));
    let mut other = right.clone();
    other.walk.graph = tumbler_plan::Digest::of(b"another graph");
    let why = merge(&[&left, &other]).expect_err("another graph").to_string();
    assert!(why.starts_with("expected the graph ") && why.ends_with("do not add up"), "{why}");
    let mut other = right;
    other.points.pop();
    assert!(merge(&[&left, &other]).is_err());
}

#[test]
fn a_run_without_faults_shows_a_promotion_and_no_crash() {
    let reach = visit(&map(), "quiet", 0..2, None);
    let hit = |name: &str| reach.probes.iter().find(|each| each.name == name).expect("declared").seeds;
    assert_eq!(hit("rotation-promoted"), 2);
    assert!(reach.probes.iter().filter(|each| each.name.starts_with("crash-in")).all(|each| each.seeds == 0));
    assert!(reach.points.iter().all(|each| each.seeds == 0) && reach.faults.is_empty());
    let crashes = visit(&map(), "crash-points", 0..12, None);
    assert!(crashes.points.iter().filter(|each| each.seeds > 0).count() > 3, "{:?}", crashes.points);
    let began: u64 = crashes.faults.iter().flat_map(|row| row.phases.values()).sum();
    assert!(began > 12);
}

/// A probe that no run can meet would say for ever that something is missing.
#[test]
fn every_probe_is_met_by_some_scenario() {
    let (map, follower) = (map(), Follower::new());
    let mut sum = Sum::default();
    let missing = |sum: &Sum| -> Vec<String> {
        let probes = map.reach(sum).probes;
        probes.into_iter().filter(|each| each.seeds == 0).map(|each| each.name).collect()
    };
    for seed in 0..SEEDS {
        for shipped in tumbler_scenarios::catalog() {
            let plan = shipped.scenario().plan(seed);
            let outcome = run(&plan, &role, &Options { keep_trace: true, ..Options::default() });
            sum.absorb(shipped.name, seed, &follower.follow(&plan, &outcome.fired, &outcome.trace));
        }
        if missing(&sum).is_empty() {
            return;
        }
    }
    panic!("never met in {SEEDS} seeds of each scenario: {}", missing(&sum).join(", "));
}

const SEEDS: u64 = 24;
