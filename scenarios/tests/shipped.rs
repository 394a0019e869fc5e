//! Every shipped file parses, and every plan drawn from it is valid, repeatable and varied.

use std::collections::BTreeSet;
use tumbler_plan::{DiskHarm, Fault, FaultAction, Pattern, Plan, Planted, Point, Trigger, Until};
use tumbler_scenarios::{Scenario, Suite, catalog, suite, suites};
use tumbler_types::event::OrderKind;
use tumbler_types::{FaultKind, NodeId, Span};

const SEEDS: std::ops::Range<u64> = 0..200;

#[test]
#[expect(clippy::disallowed_methods, reason = "the folder is compared with what is embedded")]
fn every_shipped_scenario_parses_under_its_name_and_says_what_it_teaches() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let files = |folder: std::path::PathBuf| {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let there: BTreeSet<String> = [files(folder.clone()), files(folder.join("incidents"))]
        .concat()
        .iter()
        .map(|file| file.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let shipped: BTreeSet<String> = catalog().iter().map(|shipped| shipped.name.to_owned()).collect();
    assert_eq!(shipped, there, "every file is embedded");
    assert_eq!(shipped.len(), catalog().len());
    assert_eq!(catalog()[..2].iter().map(|shipped| shipped.name).collect::<Vec<_>>(), ["standard", "quiet"]);
    for shipped in catalog() {
        let scenario = Scenario::parse(shipped.file, shipped.text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(scenario.name(), shipped.name);
        assert_eq!(scenario.about(), shipped.about);
        assert_eq!(scenario.incident().map(|incident| &incident.reference), shipped.like.as_ref());
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
    let is_scheduled = plan.timing.rotation_period > Span::ZERO;
    assert!(is_scheduled || plan.orders.iter().any(|order| order.order == OrderKind::Rotate), "{at}");
    for offset in &plan.offsets {
        known(offset.node);
    }
    for (assumption, what) in plan.exceeded() {
        assert!(plan.breaks.contains(&assumption), "{at}: {what}");
    }
    assert_eq!(tumbler_plan::contradiction::contradiction(plan), None, "{at}");
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
        Until::On { pattern: point, nth: _, at_most } => {
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
        FaultAction::Link { left, right, symmetric: _, harm: _, until: end } => {
            left.iter().chain(right).copied().for_each(known);
            assert!(left.iter().all(|node| !right.contains(node)), "{at}");
            until(end);
        }
        FaultAction::Reset { left, right } => left.iter().chain(right).copied().for_each(known),
        FaultAction::Disk { node, harm, until: end } => {
            known(*node);
            until(end);
            let is_write = matches!(point, Some(Point::PersistBegins | Point::ProposeBegins));
            assert!(*harm != DiskHarm::Torn || is_write, "{at}");
        }
        FaultAction::Clock { node, harm: _, until: end }
        | FaultAction::Process { node, harm: _, until: end } => {
            known(*node);
            until(end);
        }
        FaultAction::Partition { left, right, symmetric: _, until: end } => {
            assert!(!left.is_empty(), "{at}");
            assert!(!right.is_empty(), "{at}");
            left.iter().chain(right).copied().for_each(known);
            assert!(left.iter().all(|node| !right.contains(node)), "{at}");
            until(end);
        }
        FaultAction::Crash { node, until: end }
        | FaultAction::Pause { node, until: end }
        | FaultAction::Redeploy { node, build: _, until: end } => {
            known(*node);
            until(end);
        }
        FaultAction::ClockStep { node, offset_nanos: _, until: end } => {
            known(*node);
            until(end);
        }
        FaultAction::Suspend { nodes, until: end } => {
            assert!(!nodes.is_empty(), "{at}");
            nodes.iter().copied().for_each(known);
            until(end);
        }
        FaultAction::Hold { until: end } => {
            assert!(matches!(point, Some(Point::Sending(_) | Point::Replying(_))), "{at}");
            until(end);
        }
        FaultAction::Duplicate | FaultAction::Strip => {
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
    for kind in FaultKind::ALL.into_iter().take_while(|kind| *kind != FaultKind::TornWrite) {
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

/// Every entry of the vocabulary is drawn by some shipped scenario.
#[test]
fn the_shipped_scenarios_use_every_kind_of_fault() {
    let mut used = BTreeSet::new();
    for shipped in catalog() {
        let scenario = shipped.scenario();
        let plans = SEEDS.map(|seed| scenario.plan(seed));
        used.extend(plans.flat_map(|plan| plan.faults).map(|fault| fault.action.kind()));
    }
    assert_eq!(used, BTreeSet::from(FaultKind::ALL));
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
    assert_eq!(
        suites().iter().map(|shipped| shipped.name).collect::<Vec<_>>(),
        ["smoke", "ci", "planted", "incidents"]
    );
    for shipped in suites() {
        let suite = Suite::parse(shipped.file, shipped.text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((suite.name.as_str(), &suite.about), (shipped.name, &shipped.about));
    }
    let smoke = suite("smoke").unwrap();
    assert_eq!(smoke.run_count(), 2_645);
    for suite in [smoke, suite("ci").unwrap()] {
        let run: BTreeSet<&str> = suite.entries.iter().map(|entry| entry.scenario.as_str()).collect();
        assert_eq!(run, catalog().iter().map(|shipped| shipped.name).collect());
    }
    let planted: BTreeSet<Planted> =
        suite("planted").unwrap().entries.iter().map(|entry| entry.planted.unwrap().0).collect();
    assert_eq!(planted, BTreeSet::from(Planted::ALL));
    assert_eq!(suite("no-such-suite"), None);
}

/// The shipped system meets each incident in the suite `incidents`, and the decision that led to it is
/// planted in the same scenario; no two incidents share a decision, or a reference.
#[test]
fn every_incident_says_where_it_is_published_and_has_a_planted_twin() {
    let incidents: Vec<Scenario> =
        catalog().iter().map(|each| each.scenario()).filter(|each| each.incident().is_some()).collect();
    assert_eq!(incidents.len(), 17);
    let names: BTreeSet<String> = incidents.iter().map(|scenario| scenario.name().to_owned()).collect();
    let filed: BTreeSet<String> = catalog()
        .iter()
        .filter(|shipped| shipped.file.starts_with("scenarios/scenarios/incidents/"))
        .map(|shipped| shipped.name.to_owned())
        .collect();
    assert_eq!(names, filed, "the folder holds incidents, all of them, and nothing else");
    let run: BTreeSet<String> =
        suite("incidents").unwrap().entries.into_iter().map(|entry| entry.scenario).collect();
    assert_eq!(names, run);
    let references: BTreeSet<&str> =
        incidents.iter().map(|scenario| scenario.incident().unwrap().reference.as_str()).collect();
    assert_eq!(references.len(), incidents.len());
    let twins = suite("planted").unwrap().entries;
    let twins: Vec<_> = twins.iter().filter(|entry| names.contains(&entry.scenario)).collect();
    assert_eq!(twins.iter().map(|entry| entry.scenario.clone()).collect::<BTreeSet<_>>(), names);
    let decisions: BTreeSet<Planted> = twins.iter().map(|entry| entry.planted.unwrap().0).collect();
    assert_eq!(decisions.len(), names.len(), "each has a decision of its own");
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
