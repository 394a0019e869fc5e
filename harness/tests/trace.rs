//! `tumbler trace`: differences are named to the field, and exports keep their viewers' rules.
//!
//! No package has the viewers' own parsers (Perfetto's is a binary that is fetched when it is first used,
//! ShiViz' a web page), so the rules stand here in our words, from the formats' own documents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use tumbler::roles;
use tumbler_plan::{Plan, trace::v1};
use tumbler_reports::cause::Order;
use tumbler_reports::export::{Form, export, shiviz::PARSER};
use tumbler_types::{Event, Observed};
use tumbler_world::Options;

#[track_caller]
fn check(folder: &Path, line: &str, code: i32) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tumbler"))
        .current_dir(folder)
        .args(line.split_whitespace())
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let text = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "tumbler {line}\n{text}");
    text
}

/// Runs with a crash, a pause or a suspension, and doubled or held messages among them.
fn traces() -> Vec<(Plan, Vec<Observed>)> {
    let names = ["crash-points", "standard", "zombie-rotator"];
    let run = |name: &&str| {
        let plan = tumbler_scenarios::scenario(name).expect("shipped").scenario().plan(3);
        let outcome =
            tumbler_world::run(&plan, &roles::role, &Options { keep_trace: true, ..Options::default() });
        (plan, outcome.trace)
    };
    names.iter().map(run).collect()
}

#[test]
fn the_traces_below_have_what_makes_an_export_hard() {
    let all: Vec<Observed> = traces().into_iter().flat_map(|(_, trace)| trace).collect();
    let has = |kind: &str| all.iter().any(|observed| observed.event.kind() == kind);
    for kind in ["Crashed", "Paused", "Resumed", "Held", "Lost", "CallUnknown", "FaultBegan", "Enforced"] {
        assert!(has(kind), "{kind}");
    }
}

/// What a line of the log says by ShiViz' default expression: event, host, clock.
fn shiviz_events(text: &str) -> Vec<(String, String, BTreeMap<String, u64>)> {
    let mut lines = text.lines();
    assert_eq!((lines.next(), lines.next()), (Some(PARSER), Some("")), "expression and delimiter");
    let rest: Vec<&str> = lines.collect();
    assert!(rest.len().is_multiple_of(2));
    let event = |pair: &[&str]| {
        let (host, clock) = pair[1].split_once(' ').expect("a host without spaces, then its clock");
        assert!(!host.is_empty() && clock.starts_with('{') && clock.ends_with('}'), "{}", pair[1]);
        (pair[0].to_owned(), host.to_owned(), serde_json::from_str(clock).expect("a JSON object"))
    };
    rest.chunks(2).map(event).collect()
}

#[test]
fn shiviz_clocks_begin_at_1_rise_by_1_and_bring_what_a_message_brought() {
    for (plan, trace) in traces() {
        let events = shiviz_events(&export(&plan.topology, &trace, Form::Shiviz));
        assert_eq!(events.len(), trace.len());
        let order = Order::of(&trace);
        let mut last: BTreeMap<&str, &BTreeMap<String, u64>> = BTreeMap::new();
        let mut merged = 0;
        for (place, (_, host, clock)) in events.iter().enumerate() {
            let before = last.get(host.as_str()).and_then(|clock| clock.get(host)).copied().unwrap_or(0);
            assert_eq!(clock.get(host), Some(&(before + 1)), "{host} at {place}");
            for (other, count) in clock.iter().filter(|(other, _)| *other != host) {
                let known = last.get(other.as_str()).and_then(|clock| clock.get(other)).copied();
                assert!(known.is_some_and(|known| *count <= known), "{host} knows {other} at {count}");
            }
            let own = last.get(host.as_str()).copied().into_iter();
            let source = order.link(place).and_then(|link| link.source).map(|source| &events[source].2);
            merged += u32::from(source.is_some());
            for (name, count) in own.chain(source).flatten() {
                assert!(clock.get(name) >= Some(count), "{host} forgot {name}");
            }
            last.insert(host, clock);
        }
        assert!(merged > 1_000, "{merged}");
    }
}

/// One end of a flow: its phase, its time, its process and thread.
type End = (String, u64, (u64, u64));

/// Nanoseconds of a number of microseconds with three decimals.
fn nanos(value: &serde_json::Value) -> u64 {
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let part = format!("{part:0<3}");
    whole.parse::<u64>().expect("a number") * 1_000 + part.parse::<u64>().expect("three decimals")
}

#[test]
fn perfetto_slices_nest_flows_have_two_ends_inside_slices_and_pairs_are_pairs() {
    for (plan, trace) in traces() {
        let text = export(&plan.topology, &trace, Form::Perfetto);
        let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let events = value["traceEvents"].as_array().expect("a list");
        let mut slices: BTreeMap<(u64, u64), Vec<(u64, u64)>> = BTreeMap::new();
        let mut flows: BTreeMap<String, Vec<End>> = BTreeMap::new();
        let mut pairs: BTreeMap<(String, String), Vec<(String, String)>> = BTreeMap::new();
        let mut named: BTreeSet<u64> = BTreeSet::new();
        let mut shown = 0;
        for event in events {
            let word = |key: &str| event[key].as_str().expect("text").to_owned();
            let thread = (event["pid"].as_u64().expect("a pid"), event["tid"].as_u64().expect("a tid"));
            let phase = word("ph");
            if phase == "M" {
                assert!(event["args"]["name"].is_string() && event.get("ts").is_none());
                named.insert(thread.0);
                continue;
            }
            assert!(named.contains(&thread.0) && !word("name").is_empty());
            let at = nanos(&event["ts"]);
            shown += u32::from(event["args"]["step"].is_u64());
            match phase.as_str() {
                "X" => slices.entry(thread).or_default().push((at, at + nanos(&event["dur"]))),
                "i" => assert_eq!(word("s"), "t"),
                "s" | "f" => {
                    flows.entry(event["id"].to_string()).or_default().push((phase, at, thread));
                }
                "b" | "e" => {
                    pairs.entry((word("cat"), word("id"))).or_default().push((phase, word("name")));
                }
                other => panic!("no such phase here: {other}"),
            }
        }
        assert_eq!(shown as usize, trace.len(), "every event is there once");
        for (thread, slices) in &slices {
            for pair in slices.windows(2) {
                let nests = pair[1].0 >= pair[0].1 || pair[1].1 <= pair[0].1;
                assert!(pair[0].0 <= pair[1].0 && nests, "{thread:?}: {pair:?}");
            }
        }
        assert!(flows.len() > 1_000);
        for (id, ends) in &flows {
            let [(start, sent, from), (finish, got, to)] = &ends[..] else { panic!("flow {id}: {ends:?}") };
            assert_eq!((start.as_str(), finish.as_str()), ("s", "f"), "flow {id}");
            assert!(sent <= got && from != to, "flow {id}");
            for (at, thread) in [(sent, from), (got, to)] {
                let inside = slices[thread].iter().any(|(first, end)| first <= at && at <= end);
                assert!(inside, "flow {id} at {at} on {thread:?}");
            }
        }
        for (pair, ends) in &pairs {
            assert!(ends.len() <= 2 && ends[0].0 == "b", "{pair:?}: {ends:?}");
            assert!(ends.iter().all(|(_, name)| *name == ends[0].1), "{pair:?}: {ends:?}");
            assert!(ends.get(1).is_none_or(|(phase, _)| phase == "e"), "{pair:?}: {ends:?}");
        }
    }
}

#[test]
fn json_lines_are_the_trace_and_a_file_is_written_where_it_is_asked_for() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    check(home, "trace export quiet@3 --format jsonl --out trace.jsonl", 0);
    let text = std::fs::read_to_string(home.join("trace.jsonl")).expect("written");
    let events: Vec<v1::Event> =
        text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
    assert!(events.iter().enumerate().all(|(place, event)| event.seq == place as u64));
    let plan = tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(3);
    let outcome =
        tumbler_world::run(&plan, &roles::role, &Options { keep_trace: true, ..Options::default() });
    let exported = |observed: &Observed| v1::Event::new(&plan.topology, observed);
    assert_eq!(events, outcome.trace.iter().map(exported).collect::<Vec<_>>());
    let kinds: BTreeSet<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert!(kinds.iter().all(|kind| Event::KINDS.contains(kind)));
    let refused = check(home, "trace export quiet@3 --format jsonl --plant-process abort@3", 2);
    assert!(refused.contains("quiet@3 has no whole trace"), "{refused}");
}

/// Whether a value is an expression of the format, as its specification (Apalache ADR-015) lists them.
fn is_expression(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        // Larger ones are to be written as `#bigint`.
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() < 1 << 53),
        Value::Array(items) => items.iter().all(is_expression),
        Value::Object(fields) => match fields.iter().next() {
            Some((key, Value::Array(items))) if key == "#set" || key == "#tup" => {
                fields.len() == 1 && items.iter().all(is_expression)
            }
            Some((key, Value::Array(pairs))) if key == "#map" => {
                let is_pair = |pair: &Value| pair.as_array().is_some_and(|pair| pair.len() == 2);
                fields.len() == 1 && pairs.iter().all(is_pair) && pairs.iter().all(is_expression)
            }
            _ => fields.iter().all(|(key, value)| !key.starts_with('#') && is_expression(value)),
        },
    }
}

#[test]
fn abstract_states_are_an_informal_trace_that_begins_at_rest_and_shows_each_phase() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let text = check(home.path(), "trace export quiet@3 --format itf", 0);
    let whole: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(whole["vars"], serde_json::json!(["action", "node", "secret_0"]));
    let states = whole["states"].as_array().expect("states");
    for (place, state) in states.iter().enumerate() {
        let fields = state.as_object().expect("an object");
        assert_eq!(fields["#meta"]["index"], place);
        let variables: Vec<&str> =
            fields.keys().map(String::as_str).filter(|key| !key.starts_with('#')).collect();
        assert_eq!(variables, ["action", "node", "secret_0"]);
        assert!(variables.iter().all(|key| is_expression(&fields[*key])), "{state}");
    }
    let mut phases: Vec<&str> =
        states.iter().map(|state| state["secret_0"]["phase"].as_str().expect("a phase")).collect();
    phases.dedup();
    let promoted = ["idle", "draft", "staged", "canary", "promote", "drain", "retire", "idle"];
    assert_eq!(phases[..8], promoted);
    assert!(phases.windows(3).any(|three| three == ["revert", "discard", "idle"]), "{phases:?}");
    // Each state differs from the one before it, and says which event made it so.
    for pair in states.windows(2) {
        assert_ne!(pair[0]["secret_0"], pair[1]["secret_0"]);
        assert!(pair[0]["#meta"]["step"].as_u64() < pair[1]["#meta"]["step"].as_u64());
        assert!(Event::KINDS.contains(&pair[1]["action"].as_str().expect("an event")));
    }
    // At rest the version that is current is what one principal accepts, and the other accepts nothing.
    let last = &states.last().expect("a state")["secret_0"];
    let accepted = [&last["blue"], &last["green"]];
    assert!(accepted.contains(&&last["current"]) && accepted.contains(&&0.into()), "{last}");
}

#[test]
fn a_difference_is_told_with_step_node_and_field_and_one_plan_has_none() {
    let home = tempfile::tempdir().expect("a scratch folder");
    let home = home.path();
    let same = check(home, "trace diff standard@7 standard@7", 0);
    assert!(same.starts_with("SAME  22,"), "{same}");
    let (one, two) = ("zombie-rotator@0", "zombie-rotator+target-ignores-fences@0");
    let text = check(home, &format!("trace diff {one} {two}"), 0);
    assert!(text.starts_with("DIFFERENT\n  A = zombie-rotator@0\n"), "{text}");
    for part in ["  equal digests after ", "  first difference at step ", "target-1: field `", "\n  = "] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // What a process leaks makes one plan two runs.
    let leaky = check(home, "trace diff standard@7 standard@7 --plant-process leak@7", 14);
    assert!(leaky.starts_with("NONDETERMINISTIC, for one plan\n"), "{leaky}");
    assert!(leaky.contains(": field `time`\n") && leaky.contains("TimerFired timer=timer-1000"), "{leaky}");
    for (line, expect) in [
        ("trace diff standard@7 standard", "expected a capsule or SCENARIO@SEED, got `standard`"),
        ("trace diff standard@x standard@7", "expected a capsule or SCENARIO@SEED, got `standard@x`"),
        ("trace diff standrad@7 standard@7", "did you mean `standard`?"),
    ] {
        let text = check(home, line, 2);
        assert!(text.contains(expect), "{line}: {text}");
    }
}
