//! The form: text and back, the shipped JSON Schema, and what is refused.

use crate::fixture::{failed, green, passed, planted, report};
use serde_json::{Map, Value};
use tumbler_reports::Report;
use tumbler_types::Verdict;

const SCHEMA: &str = include_str!("../../schema/report.v2.schema.json");

#[test]
fn a_report_survives_its_text_form_and_equal_sweeps_give_equal_bytes() {
    for make in [green, || planted("standard", false), red] {
        let report = make();
        assert_eq!(Report::parse(&report.to_text()), Ok(report.clone()));
        assert_eq!(report.to_text(), make().to_text());
    }
}

#[test]
fn the_shipped_schema_has_exactly_the_keys_of_real_reports() {
    let schema: Value = serde_json::from_str(SCHEMA).expect("the schema is JSON");
    for report in [green(), red(), planted("standard", true), planted("standard", false)] {
        let value: Value = serde_json::from_str(&report.to_text()).expect("a report is JSON");
        fits(&schema, &schema, &value, "report");
    }
    let mut value: Value = serde_json::from_str(&green().to_text()).expect("a report is JSON");
    value["scenarios"][0]["sead"] = 1.into();
    let refused = std::panic::catch_unwind(|| fits(&schema, &schema, &value, "report"));
    assert!(refused.is_err(), "this test would notice a key too many");
}

#[test]
fn damaged_reports_are_refused_with_their_place() {
    let text = green().to_text();
    let why = |text: &str| Report::parse(text).expect_err("damaged").to_string();
    assert!(why(&text[..text.len() / 2]).contains("EOF while parsing"), "{}", why(&text[..text.len() / 2]));
    let typo = why(&text.replacen("\"verdict\"", "\"verdikt\"", 1));
    assert!(typo.starts_with("8:11: unknown field `verdikt`"), "{typo}");
    let future = why(&text.replacen("\"schema\": 2", "\"schema\": 9", 1));
    assert_eq!(future, "1:1: expected report schema 2, got 9");
    assert_eq!(why(""), "1:0: EOF while parsing a value");
}

#[test]
fn a_pass_that_its_own_parts_deny_is_refused() {
    #[track_caller]
    fn check(report: Report, change: impl Fn(&mut Report), expect: &str) {
        let mut changed = report;
        change(&mut changed);
        let why = Report::parse(&changed.to_text()).expect_err(expect).to_string();
        assert!(why.contains(expect), "{why}");
    }
    check(red(), |report| report.verdict = Verdict::Pass, "a finding that is not known");
    let hidden = |report: &mut Report| {
        report.verdict = Verdict::Pass;
        report.findings.clear();
    };
    check(red(), hidden, "standard applied-once is broken");
    check(
        planted("standard", false),
        |report| report.verdict = Verdict::Pass,
        "a planted bug was not caught",
    );
    let none = |report: &mut Report| report.planted[0].caught = 0;
    check(planted("standard", true), none, "sound is true, and was missed");
    let half = |report: &mut Report| report.planted[0].planned = 9;
    check(planted("standard", true), half, "sound is true, and was not run");
    let more = |report: &mut Report| report.planted[0].clean_failed = 9;
    check(planted("standard", true), more, "clean_failed is 9 of 1");
    check(green(), |report| report.gaps.push("few".to_owned()), "it has gaps");
    check(green(), |report| report.rechecks.differ = 1, "a digest differed");
    check(green(), |report| report.totals.planned += 1, "not all of it ran");
    check(green(), |report| report.totals.done += 1, "totals.done is 5, and its parts are 4");
    check(green(), |report| report.totals.failed += 1, "totals.failed is 1");
    check(green(), |report| report.scenarios.reverse(), "order of their names");
    check(green(), |report| report.invariants[1].exercised += 1, "exercised is 9, and its parts are 8");
    // Each number has others that bound it.
    check(green(), |report| report.invariants[0].under_fault += 9, "applied-once under_fault is 13 of 8");
    check(green(), |report| report.invariants[0].under_fault -= 1, "under_fault is 3, and its parts are 4");
    check(green(), |report| report.totals.distinct_traces = 9, "totals.distinct_traces is 9 of 4");
    check(green(), |report| report.totals.faults_in_rotation = 999, "totals.faults_in_rotation is 999 of");
    check(green(), |report| report.totals.promoted = 9_999, "totals.promoted is 9999 of");
    check(green(), |report| report.totals.bred = 5, "totals.bred is 5 of 4");
    check(green(), |report| report.rechecks.done = 5, "rechecks.done is 5 of 4");
    let followed = |report: &mut Report| report.reached.as_mut().expect("followed").followed = 9;
    check(green(), followed, "reached.followed is 9 of 4");
    check(green(), |report| report.assumptions.clear(), "assumptions are not each assumption once");
    check(green(), |report| report.owed.truncate(1), "owed is not each invariant once");
    let more = |report: &mut Report| report.scenarios[0].checks[0].failed = 3;
    check(red(), more, "quiet applied-once failed is 3 of 1");
    let twice = |report: &mut Report| report.invariants.push(report.invariants[0].clone());
    check(green(), twice, "applied-once stands there twice");
}

fn red() -> Report {
    report(&[passed("quiet", 0), failed("standard", 1, Verdict::Violated, "expected /one/two, got three")])
}

/// A small reader of the part of JSON Schema that ours uses.
#[track_caller]
fn fits(root: &Value, schema: &Value, value: &Value, place: &str) {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.strip_prefix("#/$defs/").expect("references are to definitions");
        return fits(root, &root["$defs"][name], value, place);
    }
    if let Some(constant) = schema.get("const") {
        assert_eq!(constant, value, "{place}");
    }
    if let Some(choices) = schema["enum"].as_array() {
        assert!(choices.contains(value), "{place}: {value}");
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        Value::String(only) => vec![only],
        _ => return assert!(schema.get("const").or(schema.get("enum")).is_some(), "{place} has a type"),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(types.contains(&kind), "{place} is {kind}");
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        fits(root, &schema["items"], item, &format!("{place}[{index}]"));
    }
    let Some(object) = value.as_object() else { return };
    let none = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&none);
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut required: Vec<&str> = required.collect();
    required.sort_unstable();
    let mut all: Vec<&str> = properties.keys().map(String::as_str).collect();
    all.sort_unstable();
    assert_eq!(required, all, "{place}: every property is required");
    for name in required {
        assert!(object.contains_key(name), "{place} has {name}");
    }
    for (name, each) in object {
        let place = format!("{place}.{name}");
        match properties.get(name) {
            Some(property) => fits(root, property, each, &place),
            None => {
                assert!(schema["additionalProperties"].is_object(), "{place} stands in the schema");
                fits(root, &schema["additionalProperties"], each, &place);
            }
        }
    }
}
