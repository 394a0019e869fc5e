//! Which planted bugs are lost without each kind of fault.
//!
//! `cargo run --release -p tumbler --example without` prints the table of `harness/README.md`: the suite
//! `planted`, each plan with all faults of one kind left out. A bug is lost if the invariant that names it
//! is broken in no seed any more. A kind without which none is lost is decorative: no bug that we know of
//! needs it.

use std::collections::{BTreeMap, BTreeSet};
use tumbler::{judgement, roles};
use tumbler_plan::Plan;
use tumbler_scenarios::{scenario, suite};
use tumbler_types::{FaultKind, Invariant};
use tumbler_world::{Options, run};

fn main() {
    let mut lost: BTreeMap<FaultKind, Vec<&'static str>> = BTreeMap::new();
    let mut fewer: BTreeMap<FaultKind, u64> = BTreeMap::new();
    let mut met: BTreeMap<FaultKind, u64> = BTreeMap::new();
    let mut alone: Vec<&'static str> = Vec::new();
    for entry in suite("planted").expect("it is shipped").entries {
        let Some((planted, expect)) = entry.planted else { continue };
        let own = scenario(&entry.scenario).expect("it is shipped").scenario();
        let plans: Vec<Plan> =
            entry.seeds.clone().map(|seed| Plan { planted: Some(planted), ..own.plan(seed) }).collect();
        let caught: Vec<bool> = plans.iter().map(|plan| finds(plan, expect)).collect();
        let kinds: BTreeSet<FaultKind> =
            plans.iter().flat_map(|plan| &plan.faults).map(|fault| fault.action.kind()).collect();
        let bare = |plan: &Plan| Plan { faults: Vec::new(), ..plan.clone() };
        if plans.iter().any(|plan| finds(&bare(plan), expect)) {
            alone.push(planted.name());
            continue;
        }
        for kind in kinds {
            *met.entry(kind).or_default() += 1;
            let left = |index: &usize| finds(&without(&plans[*index], kind), expect);
            // Seeds that showed it are the likeliest to show it again.
            let (likely, others): (Vec<usize>, Vec<usize>) =
                (0..plans.len()).partition(|index| caught[*index]);
            let still = likely.iter().filter(|index| left(index)).count();
            if still == 0 && !others.iter().any(left) {
                lost.entry(kind).or_default().push(planted.name());
            } else if still * 2 <= likely.len() {
                *fewer.entry(kind).or_default() += 1;
            }
        }
    }
    println!("| without | of the bugs that meet it | found half as often | lost |");
    println!("|---|---|---|---|");
    for kind in FaultKind::ALL {
        let count = |of: &BTreeMap<FaultKind, u64>| of.get(&kind).copied().unwrap_or(0);
        let names = lost
            .get(&kind)
            .map_or(Vec::new(), |names| names.iter().map(|name| format!("`{name}`")).collect());
        let names = if names.is_empty() { "none: decorative".to_owned() } else { names.join(", ") };
        println!("| {} | {} | {} | {names} |", kind.name(), count(&met), count(&fewer));
    }
    println!("\nfound without any fault: {}", alone.join(", "));
}

fn without(plan: &Plan, kind: FaultKind) -> Plan {
    let mut plan = plan.clone();
    plan.faults.retain(|fault| fault.action.kind() != kind);
    plan
}

fn finds(plan: &Plan, expect: Invariant) -> bool {
    let outcome = run(plan, &roles::role, &Options::default());
    let report = judgement::report(&plan.scenario, plan, &outcome, None);
    report.broken.iter().any(|broken| broken.invariant == Some(expect))
}
