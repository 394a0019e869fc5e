//! The gate: every rule has been seen to refuse.

use crate::fixture::{failed, green, known, passed, planted, report};
use std::collections::BTreeSet;
use tumbler_reports::report::v2::Ended;
use tumbler_reports::{Policy, Report, gate};
use tumbler_types::Verdict;

const POLICY: &str = "\
schema = 1
name = \"test\"
about = \"a test\"
verdict = \"pass\"
seeds_min = 4
rechecks_min = 4
new_findings_max = 0
planted = \"all-caught\"
exercised_min = 8
under_fault_min = 4
";

fn good() -> Vec<Report> {
    vec![green(), planted("standard", true)]
}

fn refusals(reports: &[Report], policy: &str) -> Vec<String> {
    let policy = Policy::parse("own.toml", policy).expect("a policy");
    gate(reports, &policy, &BTreeSet::new()).refusals.iter().map(ToString::to_string).collect()
}

#[test]
fn reports_that_just_reach_every_floor_are_let_through() {
    assert_eq!(refusals(&good(), POLICY), Vec::<String>::new());
}

#[test]
fn each_floor_refuses_what_is_one_below_it() {
    let raised = [
        ("seeds_min = 4", "seeds_min = 5", "seeds_min: expected at least 5, got 4"),
        ("rechecks_min = 4", "rechecks_min = 5", "rechecks_min: expected at least 5, got 4"),
        (
            "\nexercised_min = 8",
            "\nexercised_min = 9",
            "applied-once exercised_min: expected at least 9, got 8",
        ),
        (
            "under_fault_min = 4",
            "under_fault_min = 5",
            "converges under_fault_min: expected at least 5, got 4",
        ),
        ("verdict = \"pass\"", "verdict = \"violated\"", "verdict: expected violated, got pass"),
    ];
    for (from, to, expect) in raised {
        let got = refusals(&good(), &POLICY.replacen(from, to, 1));
        assert!(got.iter().any(|line| line == expect), "{expect}: {got:?}");
    }
    let own = format!("{POLICY}[invariant.durable-ack]\nexercised_min = 100\nunder_fault_min = 0\n");
    assert_eq!(refusals(&good(), &own), ["durable-ack exercised_min: expected at least 100, got 8"]);
}

#[test]
fn what_holds_under_every_policy_is_refused_by_name() {
    #[track_caller]
    fn check(change: impl Fn(&mut Vec<Report>), expect: &str) {
        let mut reports = good();
        change(&mut reports);
        let got = refusals(&reports, POLICY);
        assert!(got.iter().any(|line| line == expect), "{expect}: {got:?}");
    }
    check(|reports| reports.clear(), "reports: expected at least one, got none");
    check(|reports| reports.truncate(1), "planted: expected a report of planted bugs, got none");
    check(
        |reports| reports[1] = planted("standard", false),
        "planted: expected all caught, got missed: target-ignores-fences",
    );
    check(|reports| reports.push(green()), "scenarios: expected each in one report, got quiet in two");
    check(|reports| reports[0].ended = Ended::Stopped, "ended: expected whole, got stopped");
    check(|reports| reports[0].totals.planned = 5, "planned: expected every planned seed, got 4 of 5");
    check(|reports| reports[0].rechecks.differ = 1, "rechecks: expected equal digests, got 1 that differ");
    check(
        |reports| reports[1].build.digest = tumbler_plan::Digest::of(b"other"),
        "build: expected one build, got 2 of them",
    );
}

#[test]
fn only_the_gate_s_own_baseline_excuses_a_finding() {
    let bad = failed("standard", 1, Verdict::Violated, "why");
    let fingerprints: BTreeSet<_> = bad.fingerprint.iter().cloned().collect();
    let seeds = [passed("quiet", 0), passed("quiet", 1), passed("standard", 0), bad];
    let excused = vec![known(&seeds, fingerprints.clone()), planted("standard", true)];
    let finding = "violated/applied-once/target/staged/hold";
    let expect = format!("new_findings_max: expected at most 0, got 1, the first {finding}");
    assert_eq!(refusals(&excused, POLICY), std::slice::from_ref(&expect));
    let policy = Policy::parse("own.toml", POLICY).expect("a policy");
    assert_eq!(gate(&excused, &policy, &fingerprints).refusals, []);
    let plain = vec![report(&seeds), planted("standard", true)];
    assert_eq!(refusals(&plain, POLICY), ["verdict: expected pass, got violated".to_owned(), expect]);
}

#[test]
fn no_baseline_excuses_nondeterminism() {
    let bad = failed("standard", 1, Verdict::Nondeterministic, "why");
    let fingerprints: BTreeSet<_> = bad.fingerprint.iter().cloned().collect();
    let report = known(&[passed("standard", 0), bad], fingerprints.clone());
    assert_eq!((report.verdict, report.totals.known), (Verdict::Nondeterministic, 0));
    let policy = Policy::parse("own.toml", POLICY).expect("a policy");
    let refused = gate(&[report], &policy, &fingerprints).refusals;
    assert!(refused.iter().any(|refusal| refusal.rule == "new_findings_max"), "{refused:?}");
}
