//! Faces: JUnit's rules in our own words, and no face is green but for a pass.

use crate::fixture::{context, failed, green, known, passed, planted, report};
use roxmltree::{Document, Node};
use std::collections::BTreeSet;
use tumbler_reports::report::of_sweep;
use tumbler_reports::{Baseline, Broken, Report, Sweep, coverage, junit, markdown};
use tumbler_types::{Assumption, Invariant, Verdict};

/// Elements that Jenkins' junit-10.xsd knows and we use: attributes that it demands, others that it
/// allows, and children.
type Rule = (&'static str, &'static [&'static str], &'static [&'static str], &'static [&'static str]);
const RULES: &[Rule] = &[
    ("testsuites", &[], &["name", "time", "tests", "failures", "errors"], &["testsuite"]),
    (
        "testsuite",
        &["name", "tests", "failures", "errors"],
        &["time", "skipped", "group", "timestamp", "hostname", "id", "package", "file", "log", "url"],
        &["properties", "testcase", "system-out", "system-err"],
    ),
    ("properties", &[], &[], &["property"]),
    ("property", &["name", "value"], &[], &[]),
    ("testcase", &["name"], &["time", "classname", "group"], &["skipped", "error", "failure"]),
    ("skipped", &[], &["type", "message"], &[]),
    ("error", &[], &["type", "message"], &[]),
    ("failure", &[], &["type", "message"], &[]),
];

/// Holds a file to the rules, and gives (tests, failures, errors, skipped).
#[track_caller]
pub fn check_junit(text: &str) -> [usize; 4] {
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        let (_, demanded, allowed, children) = RULES
            .iter()
            .find(|rule| rule.0 == name)
            .unwrap_or_else(|| panic!("<{name}> is no element of it"));
        for attribute in *demanded {
            assert!(node.has_attribute(*attribute), "<{name}> has {attribute}");
        }
        for attribute in node.attributes() {
            let known = demanded.contains(&attribute.name()) || allowed.contains(&attribute.name());
            assert!(known, "<{name}> may not have {}", attribute.name());
        }
        for child in node.children().filter(Node::is_element) {
            assert!(children.contains(&child.tag_name().name()), "<{name}> has {:?}", child.tag_name());
        }
        if let Some(time) = node.attribute("time") {
            assert_eq!(time, "0", "a report knows no time");
        }
        assert!(!text.contains("[[ATTACHMENT"), "no file of the machine is published");
    }
    let count = |node: &Node<'_, '_>, name: &str| {
        node.descendants().filter(|each| each.is_element() && each.tag_name().name() == name).count()
    };
    let counts =
        |node: &Node<'_, '_>| ["testcase", "failure", "error", "skipped"].map(|name| count(node, name));
    let named = ["tests", "failures", "errors", "skipped"];
    let root = document.root_element();
    for suite in root.children().filter(Node::is_element) {
        let told = named.map(|name| suite.attribute(name).and_then(|text| text.parse().ok()));
        assert_eq!(told, counts(&suite).map(Some), "{:?}", suite.attribute("name"));
    }
    let mut names = BTreeSet::new();
    for case in document.descendants().filter(|node| node.tag_name().name() == "testcase") {
        let key = (case.attribute("classname"), case.attribute("name"));
        assert!(names.insert(key), "{key:?} stands there twice; GitLab would keep the first");
        assert!(case.children().filter(Node::is_element).count() <= 1, "{key:?} has one outcome");
    }
    let broken = |node: &Node<'_, '_>| matches!(node.tag_name().name(), "failure" | "error");
    for failure in document.descendants().filter(broken) {
        let message = failure.attribute("message").expect("a failure has a message");
        assert!(failure.attribute("type").is_some_and(|kind| !kind.is_empty()), "a failure has a type");
        let text = failure.text().unwrap_or_default();
        assert!(text.starts_with(message), "the text begins with the message: GitLab shows only that");
    }
    counts(&root)
}

#[test]
fn a_suite_per_scenario_and_a_case_per_check_without_a_seed_in_a_name() {
    let text = junit::junit(&green());
    let cases = tumbler_reports::Check::all().count();
    assert_eq!(check_junit(&text), [2 * cases + 1, 0, 0, 0]);
    let with = |seeds: [u64; 2]| {
        let seeds = seeds.map(|seed| failed("standard", seed, Verdict::Violated, "why"));
        let text = junit::junit(&report(&seeds));
        let document = Document::parse(&text).expect("XML");
        let names = document.descendants().filter_map(|node| node.attribute("name"));
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(with([1, 2]), with([17, 4_711]), "names are the same for other seeds");
}

#[test]
fn no_face_is_green_for_anything_but_a_pass() {
    let mut reports: Vec<(Report, Verdict)> =
        vec![(green(), Verdict::Pass), (planted("standard", true), Verdict::Pass)];
    for verdict in Verdict::ALL.into_iter().filter(|verdict| *verdict != Verdict::Pass) {
        reports.push((
            report(&[passed("standard", 0), failed("standard", 1, verdict, "because of this")]),
            verdict,
        ));
    }
    let mut vacuous = passed("quiet", 0);
    vacuous.exercised[0].count = 0;
    reports.push((report(&[vacuous]), Verdict::Inconclusive));
    reports.push((planted("standard", false), Verdict::Inconclusive));
    for (report, verdict) in reports {
        let is_green = verdict == Verdict::Pass;
        assert_eq!(report.verdict, verdict);
        let [_, failures, errors, _] = check_junit(&junit::junit(&report));
        assert_eq!(failures + errors == 0, is_green, "JUnit of {}", verdict.name());
        let page = markdown::summary(&report);
        assert!(page.contains(&format!("Tumbler: {}", verdict.name())), "{page}");
        assert_eq!(page.contains('❌'), !is_green, "{page}");
        let table = coverage::coverage(&report).expect("memory");
        assert!(table.contains(&format!("(whole),verdict,{},", verdict.name())), "{table}");
    }
}

#[test]
fn what_is_excused_is_counted_and_shown_by_every_face_and_never_held() {
    let mut excused = passed("skewed", 3);
    (excused.exercised[1].count, excused.exercised[1].under_fault) = (0, 0);
    let found = failed("skewed", 3, Verdict::Violated, "handed out late").broken.remove(0);
    excused.excused = vec![Broken { invariant: Some(Invariant::RevokedUndelivered), ..found }];
    let mut sweep = Sweep::new(2);
    [passed("quiet", 0), excused].iter().for_each(|seed| sweep.absorb(Verdict::Pass, seed));
    let mut context = context(["quiet", "skewed"]);
    let claim = context.claims.get_mut("skewed").expect("it was named");
    claim.breaks = vec![Assumption::ClockWithinEpsilon];
    claim.not_owed = vec![Invariant::RevokedUndelivered];
    let report = of_sweep(&sweep, &context);
    assert_eq!(report.verdict, Verdict::Pass, "another scenario exercises it");
    let text = report.to_text();
    assert_eq!(Report::parse(&text).as_ref(), Ok(&report));
    let hidden = text.replacen("\"excused\": 1", "\"excused\": 0", 1);
    assert!(Report::parse(&hidden).expect_err("a count that was lost").to_string().contains("excused"));
    let junit = junit::junit(&report);
    assert!(junit.contains("excused in 1 seed"), "{junit}");
    let table = coverage::coverage(&report).expect("memory");
    assert!(table.contains("skewed,revoked-undelivered,not-owed,1,0,"), "{table}");
    let page = markdown::summary(&report);
    for part in ["Excused", "`handed out late`", "clock-within-epsilon", "seed 3 at step 77"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn a_failure_tells_its_reason_and_how_to_replay_it_and_vacuous_checks_are_skipped() {
    let mut quiet = passed("quiet", 0);
    quiet.exercised[1].count = 0;
    let mut bad = failed("standard", 17, Verdict::Violated, "the fence went back");
    bad.retells = Some("A. Nonymous, a post-mortem (2019)".to_owned());
    let report = report(&[quiet, bad]);
    let text = junit::junit(&report);
    assert!(text.contains("<skipped message=\"vacuous: exercised 0 times\"/>"), "{text}");
    for part in ["the fence went back", "tumbler replay standard --seed 17", "at step 77", "retells A. Nonym"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let page = markdown::summary(&report);
    for part in
        ["`the fence went back`", "`tumbler replay standard --seed 17`", "applied-once", "post-mortem"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let table = coverage::coverage(&report).expect("memory");
    for part in ["standard,applied-once,broken,1,", "quiet,revoked-undelivered,vacuous,1,0,"] {
        assert!(table.contains(part), "{part}: {table}");
    }
}

#[test]
fn known_findings_are_listed_as_known_and_do_not_fail() {
    let bad = failed("standard", 17, Verdict::Violated, "the fence went back");
    let baseline = Baseline::of(&self::report(std::slice::from_ref(&bad)));
    let report = known(&[passed("standard", 0), bad], baseline);
    assert_eq!((report.verdict, report.totals.known, report.totals.failed), (Verdict::Pass, 1, 1));
    assert_eq!(Report::parse(&report.to_text()), Ok(report.clone()));
    let text = junit::junit(&report);
    assert_eq!(check_junit(&text)[1..], [0, 0, 1]);
    assert!(text.contains("known: broken in 1 seed, as in the baseline"), "{text}");
    assert!(markdown::summary(&report).contains("Known findings"));
    assert!(coverage::coverage(&report).expect("memory").contains("standard,applied-once,known,"));
}

#[test]
fn a_summary_keeps_to_its_budget_and_says_what_is_missing() {
    let seeds: Vec<_> = (0..4_000).map(|index| passed(&format!("scenario-{index:05}"), 0)).collect();
    let page = markdown::summary(&report(&seeds));
    assert!(page.len() <= markdown::BUDGET, "{} bytes", page.len());
    assert!(page.contains(" more lines are left out; `report.json` has it all."), "no word of it");
    assert!(page.starts_with("## ✅ Tumbler: pass"));
}
