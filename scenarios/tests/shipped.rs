//! Every shipped file parses, and every plan drawn from it is valid, repeatable and varied.

use std::collections::BTreeSet;
use tumbler_plan::{Fault, FaultAction, Pattern, Plan, Planted, Point, Trigger, Until};
use tumbler_scenarios::{Scenario, Suite, catalog, suite, suites};
use tumbler_types::event::OrderKind;
use tumbler_types::{FaultKind, NodeId, Span};

const SEEDS: std::ops::Range<u64> = 0..200;

#[test]
fn every_shipped_scenario_parses_under_its_name_and_says_what_it_teaches() {
    let names: Vec<&str> = catalog().iter().map(|shipped| shipped.name).collect();
    assert_eq!(
        names,
        [
            "standard",
            "quiet",
            "zombie-rotator",
            "lost-reply",
            "crash-points",
            "partitioned-agent",
            "partitioned-target",
            "rollback-under-fire",
            "revoke-everywhere",
            "clock-edges",
            "operator-mishaps",
            "partition-in-each-phase",
            "two-secrets",
            "many-holders",
            "last-write-wins",
            "single-principal",
            "privileges"
        ]
    );
    for shipped in catalog() {
        let scenario = Scenario::parse(shipped.file, shipped.text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name(), shipped.name);
        assert_eq!(scenario.about(), shipped.about);
        assert!(scenario.about().len() > 30, "{}", scenario.about());
    }
    let abouts: BTreeSet<&str> = catalog().iter().map(|shipped| shipped.about.as_str()).collect();
    assert_eq!(abouts.len(), catalog().len(), "each teaches something else");
}

#[test]
fn the_standard_scenario_has_the_promised_size() {
    let plan = tumbler_scenarios::scenario("standard").unwrap().scenario().plan(0);
    assert_eq!(plan.topology.node_count(), 12);
    assert_eq!(plan.end_at.nanos(), Span::from_secs(300).nanos());
}

#[test]
fn equal_seeds_give_equal_plans_and_other_seeds_other_plans() {
    for shipped in catalog() {
        let (one, two) = (shipped.scenario(), shipped.scenario());
        let mut plans = BTreeSet::new();
        for seed in SEEDS {
            let plan = one.plan(seed);
            assert_eq!(plan, two.plan(seed), "{} seed {seed}", shipped.name);
            plans.insert(format!("{:?}{:?}", plan.orders, plan.faults));
        }
        assert!(plans.len() >= 190, "{}: {} different plans", shipped.name, plans.len());
    }
}

#[test]
fn every_plan_of_every_scenario_is_valid() {
    for shipped in catalog() {
        let scenario = shipped.scenario();
        for seed in SEEDS {
            check_plan(&scenario.plan(seed));
        }
    }
}

fn check_plan(plan: &Plan) {
    let at = format!("{} seed {}", plan.scenario, plan.seed);
    let known = |node: NodeId| assert!(plan.topology.kind(node).is_some(), "{at}: {node}");
    assert!(plan.heal_at.plus(plan.bounds.converge) < plan.end_at, "{at}");
    assert!(plan.orders.is_sorted_by_key(|order| order.at), "{at}");
    assert!(plan.orders.iter().all(|order| order.at <= plan.heal_at), "{at}");
    assert!(plan.orders.iter().any(|order| order.order == OrderKind::Rotate), "{at}");
    for offset in &plan.offsets {
        known(offset.node);
        assert!(offset.nanos.unsigned_abs() <= plan.timing.epsilon.nanos(), "{at}");
    }
    let ids: BTreeSet<_> = plan.faults.iter().map(|fault| fault.id).collect();
    assert_eq!(ids.len(), plan.faults.len(), "{at}: ids are unique");
    for fault in &plan.faults {
        check_fault(plan, fault, &at);
    }
}

fn check_fault(plan: &Plan, Fault { id: _, trigger, action }: &Fault, at: &str) {
    let known = |node: NodeId| assert!(plan.topology.kind(node).is_some(), "{at}: {node}");
    let pattern = |pattern: &Pattern| {
        pattern.node.iter().copied().for_each(known);
        if let Point::Entered { secret, .. } = pattern.point {
            assert!(secret.0 < plan.topology.secrets, "{at}");
        }
    };
    let until = |until: &Until| match until {
        Until::After(span) => assert!(*span > Span::ZERO, "{at}"),
        Until::On { pattern: point, at_most } => {
            pattern(point);
            assert!(*at_most > Span::ZERO, "{at}");
        }
    };
    let point = match trigger {
        Trigger::At(time) => {
            assert!(*time < plan.heal_at, "{at}");
            None
        }
        Trigger::On { pattern: where_at, nth, after } => {
            pattern(where_at);
            assert!(*nth >= 1, "{at}");
            assert!(*after < plan.heal_at, "{at}");
            Some(where_at.point)
        }
    };
    match action {
        FaultAction::Partition { left, right, symmetric: _, until: end } => {
            assert!(!left.is_empty(), "{at}");
            assert!(!right.is_empty(), "{at}");
            left.iter().chain(right).copied().for_each(known);
            assert!(left.iter().all(|node| !right.contains(node)), "{at}");
            until(end);
        }
        FaultAction::Crash { node, until: end } | FaultAction::Pause { node, until: end } => {
            known(*node);
            until(end);
        }
        FaultAction::ClockStep { node, offset_nanos, until: end } => {
            known(*node);
            assert!(offset_nanos.unsigned_abs() <= plan.timing.epsilon.nanos(), "{at}");
            until(end);
        }
        FaultAction::Hold { until: end } => {
            assert!(matches!(point, Some(Point::Sending(_) | Point::Replying(_))), "{at}");
            until(end);
        }
        FaultAction::Duplicate => {
            assert!(matches!(point, Some(Point::Sending(_) | Point::Replying(_))), "{at}");
        }
        FaultAction::LoseReply | FaultAction::LoseRequest => {
            assert!(matches!(point, Some(Point::Sending(_))), "{at}");
        }
        FaultAction::FailPersist => assert_eq!(point, Some(Point::PersistBegins), "{at}"),
    }
}

#[test]
fn the_swarm_of_the_standard_scenario_reaches_every_kind_and_drops_each_in_many_seeds() {
    let scenario = tumbler_scenarios::scenario("standard").unwrap().scenario();
    let plans: Vec<Plan> = SEEDS.map(|seed| scenario.plan(seed)).collect();
    // No swarm doubles messages yet: the grid does, each one.
    for kind in FaultKind::ALL.into_iter().filter(|kind| *kind != FaultKind::Duplicate) {
        let with =
            plans.iter().filter(|plan| plan.faults.iter().any(|fault| fault.action.kind() == kind)).count();
        assert!((20..180).contains(&with), "{}: in {with} of 200 seeds", kind.name());
    }
    let sets: BTreeSet<Vec<FaultKind>> = plans
        .iter()
        .map(|plan| {
            let kinds: BTreeSet<_> = plan.faults.iter().map(|fault| fault.action.kind()).collect();
            kinds.into_iter().collect()
        })
        .collect();
    assert!(sets.len() > 60, "{} sets of kinds", sets.len());
}

#[test]
fn the_quiet_scenario_has_no_fault_and_every_other_has_some() {
    for shipped in catalog() {
        let scenario = shipped.scenario();
        let faults: usize = SEEDS.map(|seed| scenario.plan(seed).faults.len()).sum();
        assert_eq!(faults == 0, shipped.name == "quiet", "{}", shipped.name);
    }
}

#[test]
fn the_suites_run_every_scenario_and_plant_every_bug() {
    assert_eq!(suites().iter().map(|shipped| shipped.name).collect::<Vec<_>>(), ["smoke", "ci", "planted"]);
    for shipped in suites() {
        let suite = Suite::parse(shipped.file, shipped.text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((suite.name.as_str(), &suite.about), (shipped.name, &shipped.about));
    }
    let smoke = suite("smoke").unwrap();
    assert_eq!(smoke.run_count(), 1_200);
    for suite in [smoke, suite("ci").unwrap()] {
        let run: BTreeSet<&str> = suite.entries.iter().map(|entry| entry.scenario.as_str()).collect();
        assert_eq!(run, catalog().iter().map(|shipped| shipped.name).collect());
    }
    let planted: BTreeSet<Planted> =
        suite("planted").unwrap().entries.iter().map(|entry| entry.planted.unwrap().0).collect();
    assert_eq!(planted, BTreeSet::from(Planted::ALL));
    assert_eq!(suite("no-such-suite"), None);
}

#[test]
fn a_message_or_request_is_doubled_where_it_leaves_and_nowhere_else() {
    let text = tumbler_scenarios::scenario("lost-reply").unwrap().text;
    let doubled = text.replace("\"lose-request\"", "\"duplicate\"");
    let scenario = tumbler_scenarios::Scenario::parse("doubled.toml", &doubled).unwrap();
    let plans: Vec<Plan> = SEEDS.map(|seed| scenario.plan(seed)).collect();
    let faults = plans.iter().flat_map(|plan| &plan.faults);
    let triggers: Vec<_> =
        faults.filter(|fault| fault.action == FaultAction::Duplicate).map(|fault| fault.trigger).collect();
    assert!(!triggers.is_empty());
    let leaves = |point| matches!(point, Point::Sending(_) | Point::Replying(_));
    assert!(triggers.iter().all(
        |trigger| matches!(trigger, tumbler_plan::Trigger::On { pattern, .. } if leaves(pattern.point))
    ));
    let written = "\n[[fault]]\nkind = \"duplicate\"\npoint = \"persist-begins\"\n";
    let error = tumbler_scenarios::Scenario::parse("doubled.toml", &format!("{text}{written}")).unwrap_err();
    assert!(error.to_string().contains("`sending` or `replying`"), "{error}");
}
