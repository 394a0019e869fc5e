//! The gate: every rule has been seen to refuse.

use crate::fixture::{failed, green, known, passed, planted, report};
use tumbler_reports::report::v2::{Ended, Outcome};
use tumbler_reports::{Baseline, Broken, Check, Policy, Report, gate};
use tumbler_types::{Invariant, Verdict};

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
    gate(reports, &policy, &Baseline::default()).refusals.iter().map(ToString::to_string).collect()
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
    let seeds = [passed("quiet", 0), passed("quiet", 1), passed("standard", 0), bad];
    let baseline = Baseline::of(&report(&seeds));
    let excused = vec![known(&seeds, baseline.clone()), planted("standard", true)];
    let finding = "violated/applied-once/target/staged/hold";
    let expect = format!("new_findings_max: expected at most 0, got 1, the first {finding}");
    assert_eq!(refusals(&excused, POLICY), std::slice::from_ref(&expect));
    let policy = Policy::parse("own.toml", POLICY).expect("a policy");
    assert_eq!(gate(&excused, &policy, &baseline).refusals, []);
    // Whether or not the run knew the baseline.
    let plain = vec![report(&seeds), planted("standard", true)];
    assert_eq!(refusals(&plain, POLICY), ["verdict: expected pass, got violated".to_owned(), expect]);
    assert_eq!(gate(&plain, &policy, &baseline).refusals, []);
    let mut gaps = plain.clone();
    gaps[0].gaps.push("few".to_owned());
    let got: Vec<String> = gate(&gaps, &policy, &baseline).refusals.iter().map(ToString::to_string).collect();
    assert_eq!(got, ["verdict: expected pass, got inconclusive"]);
}

/// What breaks behind a finding that is known is new, if nobody had broken it.
#[test]
fn a_baseline_excuses_no_check_that_held_in_it() {
    let bad = failed("standard", 1, Verdict::Violated, "why");
    let mut worse = failed("standard", 2, Verdict::Violated, "why");
    worse.broken.push(Broken {
        invariant: Some(Invariant::HolderServed),
        seq: 99,
        ..worse.broken[0].clone()
    });
    let baseline = Baseline::of(&report(&[passed("quiet", 0), passed("standard", 0), bad.clone()]));
    let seeds = [passed("quiet", 0), passed("standard", 0), bad, worse];
    let against = known(&seeds, baseline.clone());
    assert_eq!((against.verdict, against.totals.known), (Verdict::Violated, 1));
    let found: Vec<(bool, &[Check], u64)> =
        against.findings.iter().map(|each| (each.known, &*each.beyond, each.seed)).collect();
    assert_eq!(found, [(true, &[][..], 1), (false, &[Check::Invariant(Invariant::HolderServed)][..], 2)]);
    let standard = &against.scenarios[1];
    let of = |invariant| {
        let checked = standard.checks.iter().find(|each| each.check == Check::Invariant(invariant));
        let checked = checked.expect("each is there");
        (checked.outcome, checked.failed, checked.known, checked.first.as_ref().map(|first| first.step))
    };
    assert_eq!(of(Invariant::AppliedOnce), (Outcome::Known, 0, 2, None));
    assert_eq!(of(Invariant::HolderServed), (Outcome::Broken, 1, 0, Some(Some(99))));
    let text = tumbler_reports::junit::junit(&against);
    assert!(text.contains("known: broken in 2 seeds, as in the baseline"), "{text}");
    assert!(text.contains("first in standard seed 2 at step 99"), "{text}");

    let policy = Policy::parse("own.toml", POLICY).expect("a policy");
    let expect = "new_findings_max: expected at most 0, got 1, holder-served is broken and was not";
    for own in [against, report(&seeds)] {
        let decision = gate(&[own, planted("standard", true)], &policy, &baseline);
        let got: Vec<String> = decision.refusals.iter().map(ToString::to_string).collect();
        assert_eq!(got, ["verdict: expected pass, got violated", expect]);
    }
}

#[test]
fn no_baseline_excuses_nondeterminism() {
    let bad = failed("standard", 1, Verdict::Nondeterministic, "why");
    let seeds = [passed("standard", 0), bad];
    let baseline = Baseline::of(&report(&seeds));
    let report = known(&seeds, baseline.clone());
    assert_eq!((report.verdict, report.totals.known), (Verdict::Nondeterministic, 0));
    let policy = Policy::parse("own.toml", POLICY).expect("a policy");
    let refused = gate(&[report], &policy, &baseline).refusals;
    assert!(refused.iter().any(|refusal| refusal.rule == "new_findings_max"), "{refused:?}");
    assert!(refused.iter().any(|refusal| refusal.rule == "verdict"), "{refused:?}");
}

#[test]
fn a_policy_may_demand_a_kind_and_what_was_bred_is_no_seed() {
    let demands = |kind: &str| POLICY.replace("verdict", &format!("kind = \"{kind}\"\nverdict"));
    let got = refusals(&[green()], &demands("rotator"));
    assert!(got.contains(&"kind: expected rotator, got sweep".to_owned()), "{got:?}");
    assert!(!refusals(&[green()], &demands("sweep")).iter().any(|line| line.starts_with("kind")));
    let mut bred = good();
    bred[0].totals.bred = 1;
    assert_eq!(refusals(&bred, POLICY), ["seeds_min: expected at least 4, got 3"]);
}
