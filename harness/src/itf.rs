//! The abstract states along a run, in the Informal Trace Format.
//!
//! It exists so that readers of TLA+ and Quint traces can read a run as their tools show a counterexample: a
//! state wherever the ledger's view of a secret changes, with the event that changed it. Times and tags are
//! left out of the variables, because no state of the specification has them; they stand in `#meta`.
//!
//! It deliberately judges nothing, and invents nothing: what is shown is folded from observed events alone.
//!
//! Source: Apalache ADR-015, "Informal Trace Format in JSON".

use serde_json::{Map, Value, json};
use tumbler_plan::Plan;
use tumbler_plan::trace::v1;
use tumbler_spec::Ledger;
use tumbler_spec::ledger::{Holder, Slice, Version};
use tumbler_spec::machine::is_shown;
use tumbler_types::{Observed, Principal, Tag, VersionId};

/// The whole trace as one JSON text.
pub fn itf(plan: &Plan, trace: &[Observed]) -> String {
    let names: Vec<String> = plan.topology.secrets().map(variable).collect();
    let mut ledger = Ledger::new(&plan.topology);
    let mut states: Vec<Value> = Vec::new();
    let mut shown: Vec<Value> = Vec::new();
    for observed in trace {
        ledger.fold(observed);
        if !is_shown(&observed.event) {
            continue;
        }
        let secrets: Vec<Value> = ledger.slices.iter().map(|slice| secret(plan, &ledger, slice)).collect();
        if secrets == shown {
            continue;
        }
        let v1::Event { node, kind, .. } = v1::Event::new(&plan.topology, observed);
        let meta = json!({"index": states.len(), "step": observed.seq, "nanoseconds": observed.at.nanos()});
        let mut state = Map::from_iter([
            ("#meta".to_owned(), meta),
            ("action".to_owned(), json!(kind)),
            ("node".to_owned(), json!(node)),
        ]);
        state.extend(names.iter().cloned().zip(secrets.iter().cloned()));
        states.push(Value::Object(state));
        shown = secrets;
    }
    let vars: Vec<&str> = ["action", "node"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let source = format!("{} seed {}", plan.scenario, plan.seed);
    let meta = json!({
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": source,
    });
    let whole = json!({"#meta": meta, "vars": vars, "states": states});
    let mut text = serde_json::to_string_pretty(&whole).expect("a trace holds only plain data");
    text.push('\n');
    text
}

/// Names of variables are identifiers.
fn variable(secret: tumbler_types::SecretId) -> String {
    secret.to_string().replace('-', "_")
}

/// What the specification knows of one secret. Version 0 is none.
fn secret(plan: &Plan, ledger: &Ledger, slice: &Slice) -> Value {
    let number = |version: Option<VersionId>| version.map_or(0, |version| version.0);
    let lease = slice.lease.map_or_else(
        || json!({"rotator": "", "epoch": 0}),
        |lease| json!({"rotator": plan.topology.name(lease.rotator), "epoch": lease.epoch.0}),
    );
    let accepted = |principal: Principal| accepted(slice, slice.accepted[principal as usize]);
    let fence = slice.fence.map_or_else(
        || json!({"epoch": 0, "txn": 0, "step": ""}),
        |fence| json!({"epoch": fence.epoch.0, "txn": fence.txn.0, "step": fence.step.name()}),
    );
    let agents = slice.holders.iter().enumerate();
    let holders: Vec<Value> = agents
        .map(|(ordinal, each)| json!([plan.topology.name(ledger.agent_node(ordinal)), holder(each)]))
        .collect();
    json!({
        "phase": slice.phase.name(),
        "txn": slice.txn.0,
        "current": number(slice.current),
        "previous": number(slice.previous),
        "pending": number(slice.pending),
        "lease": lease,
        "serial": slice.serial.0,
        "ordered": slice.ordered,
        "revoked": {"#set": slice.versions.iter().filter(|each| each.revoked.is_some()).map(name).collect::<Vec<_>>()},
        "owed": {"#set": slice.versions.iter().filter(|each| each.owed).map(name).collect::<Vec<_>>()},
        "blue": accepted(Principal::Blue),
        "green": accepted(Principal::Green),
        "fence": fence,
        "holders": {"#map": holders},
    })
}

fn name(version: &Version) -> u32 {
    version.version.0
}

/// The version that a principal accepts: 0 for none, -1 for a value that is on no record.
fn accepted(slice: &Slice, value: Tag) -> i64 {
    let known = slice.versions.iter().find(|version| version.value == value);
    match (value == Tag::NONE, known) {
        (true, _) => 0,
        (false, Some(version)) => i64::from(version.version.0),
        (false, None) => -1,
    }
}

fn holder(holder: &Holder) -> Value {
    let Holder { grants, acknowledged, stored, told: _ } = holder;
    let granted: Vec<u32> = grants.iter().filter(|grant| !grant.ended).map(|grant| grant.version.0).collect();
    json!({
        "granted": {"#set": granted},
        "acknowledged": acknowledged.version.0,
        "stored": stored.version.0,
    })
}
