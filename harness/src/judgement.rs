//! From the world's outcome to a report: the judges' words, written down for a pipe.
//!
//! It deliberately adds no judgment: the verdict is the judges', or Crashed. The one exception is
//! `--blind`, which leaves one invariant out, to prove that a blind judge would be noticed.

use std::collections::BTreeSet;
use tumbler_plan::{Fingerprint, LastWords, Plan, Row};
use tumbler_reports::{Broken, Exercised, Recheck, SeedReport, teller::named};
use tumbler_spec::{Exercise, Finding, Judgement, Tally};
use tumbler_types::{FaultId, FaultKind, Invariant, NodeId, RoleKind, Topology, Verdict};
use tumbler_world::Outcome;

/// What one run came to.
pub fn report(name: &str, plan: &Plan, outcome: &Outcome, blind: Option<Invariant>) -> SeedReport {
    let judged = outcome.judgement.as_ref().map(|judgement| Judged::new(judgement, blind));
    let verdict = match (&outcome.panic, &judged) {
        (Some(_), _) => Verdict::Crashed,
        (None, Some(judged)) => judged.verdict,
        (None, None) => Verdict::Inconclusive,
    };
    let broken = judged.as_ref().map_or(Vec::new(), |judged| judged.broken(plan, outcome.events));
    let invariant = match verdict {
        Verdict::Violated => broken
            .iter()
            .filter_map(|broken| broken.invariant)
            .find(|invariant| *invariant != Invariant::Converges),
        Verdict::Stalled => Some(Invariant::Converges),
        Verdict::Pass
        | Verdict::Diverged
        | Verdict::Crashed
        | Verdict::Nondeterministic
        | Verdict::Inconclusive => None,
    };
    let excused = judged.as_ref().map_or(Vec::new(), |judged| judged.excused(plan, outcome.events));
    let tally = outcome.judgement.as_ref().map_or(Tally::default(), |judgement| judgement.tally);
    let place = broken.iter().find(|broken| broken.invariant == invariant);
    let (role, phase) = match (&outcome.panic, place) {
        (Some(panic), _) => (role(plan, panic.node), None),
        (None, Some(broken)) => {
            (plan.topology.by_name(&broken.node).and_then(|node| role(plan, node)), Some(broken.phase))
        }
        (None, None) => (None, None),
    };
    let faults = fault_kinds(plan, &outcome.fired);
    let fingerprint =
        (verdict != Verdict::Pass).then_some(Fingerprint { verdict, invariant, role, phase, faults });
    SeedReport {
        row: Row {
            scenario: name.to_owned(),
            seed: plan.seed,
            verdict,
            invariant,
            trace_digest: Some(outcome.digest),
            events: outcome.events,
            virtual_ms: outcome.end_at.nanos() / 1_000_000,
            promoted: tally.promoted,
            rolled_back: tally.rolled_back,
            faults_fired: tally.faults_fired.max(outcome.fired.len() as u64),
            faults_in_rotation: tally.faults_in_rotation,
        },
        open: tally.open,
        commands: tally.commands,
        planned_faults: plan.faults.len() as u64,
        exercised: outcome.judgement.as_ref().map_or(Vec::new(), exercised),
        broken,
        excused,
        fingerprint,
        fired: outcome.fired.clone(),
        last: outcome.panic.as_ref().map(|panic| LastWords {
            node: Some(plan.topology.name(panic.node)),
            seq: panic.seq,
            at: panic.at,
            event: None,
            why: format!("the role panicked: {}", panic.message),
        }),
        recheck: None,
        points: Vec::new(),
        story: None,
        retells: None,
        difference: None,
        reached: None,
    }
}

/// Notes whether a second run gave the same digest. If not, what the first one said counts for nothing:
/// the seed is Nondeterministic.
pub fn rechecked(report: &mut SeedReport, equal: bool) {
    report.recheck = Some(if equal { Recheck::Equal } else { Recheck::Differs });
    if equal {
        return;
    }
    report.row.verdict = Verdict::Nondeterministic;
    report.row.invariant = None;
    let (role, phase, faults) = report
        .fingerprint
        .take()
        .map_or((None, None, BTreeSet::new()), |known| (known.role, known.phase, known.faults));
    let (verdict, invariant) = (Verdict::Nondeterministic, None);
    report.fingerprint = Some(Fingerprint { verdict, invariant, role, phase, faults });
}

/// What is known of a run that killed its worker. The row claims no events: how far it was seen to
/// come depends on the machine.
pub fn died(name: &str, plan: &Plan, last: LastWords) -> SeedReport {
    let node = last.node.as_deref().and_then(|name| plan.topology.by_name(name));
    let fingerprint = Fingerprint {
        verdict: Verdict::Crashed,
        invariant: None,
        role: node.and_then(|node| role(plan, node)),
        phase: None,
        faults: BTreeSet::new(),
    };
    SeedReport {
        row: Row {
            scenario: name.to_owned(),
            seed: plan.seed,
            verdict: Verdict::Crashed,
            invariant: None,
            trace_digest: None,
            events: 0,
            virtual_ms: 0,
            promoted: 0,
            rolled_back: 0,
            faults_fired: 0,
            faults_in_rotation: 0,
        },
        open: 0,
        commands: 0,
        planned_faults: plan.faults.len() as u64,
        exercised: Vec::new(),
        broken: Vec::new(),
        excused: Vec::new(),
        fingerprint: Some(fingerprint),
        fired: Vec::new(),
        last: Some(last),
        recheck: None,
        points: Vec::new(),
        story: None,
        retells: None,
        difference: None,
        reached: None,
    }
}

/// A judgement, with one invariant left out if the judge is to be blind.
struct Judged<'a> {
    verdict: Verdict,
    findings: Vec<&'a Finding>,
    judgement: &'a Judgement,
}

impl<'a> Judged<'a> {
    fn new(judgement: &'a Judgement, blind: Option<Invariant>) -> Self {
        let mut findings: Vec<&Finding> =
            judgement.findings.iter().filter(|finding| Some(finding.invariant) != blind).collect();
        findings.sort_by_key(|finding| finding.seq);
        let violated = findings.iter().any(|finding| finding.invariant != Invariant::Converges);
        let verdict = match judgement.verdict {
            verdict if findings.len() == judgement.findings.len() => verdict,
            Verdict::Crashed => Verdict::Crashed,
            _ if violated => Verdict::Violated,
            _ if judgement.divergence.is_some() => Verdict::Diverged,
            _ if findings.is_empty() => Verdict::Pass,
            _ => Verdict::Stalled,
        };
        Judged { verdict, findings, judgement }
    }

    /// What is found at the end of a run is shown at its last event.
    fn broken(&self, plan: &Plan, events: u64) -> Vec<Broken> {
        let topology = &plan.topology;
        let last = events.saturating_sub(1);
        let mut broken: Vec<Broken> = Vec::new();
        broken.extend(self.findings.iter().map(|finding| told(topology, finding, last)));
        if let Some(divergence) = &self.judgement.divergence {
            let tumbler_spec::Divergence { seq, at, node, secret, phase, why, allowed } = divergence;
            broken.push(Broken {
                invariant: None,
                seq: (*seq).min(last),
                at: *at,
                node: topology.name(*node),
                secret: secret.to_string(),
                phase: *phase,
                why: named(topology, why),
                allowed: allowed.iter().map(|each| named(topology, each)).collect(),
                ahead: Vec::new(),
            });
        }
        broken.sort_by_key(|broken| broken.seq);
        broken
    }

    /// What is not owed stays out of the verdict, and in the report.
    fn excused(&self, plan: &Plan, events: u64) -> Vec<Broken> {
        let last = events.saturating_sub(1);
        let mut excused: Vec<Broken> =
            self.judgement.excused.iter().map(|finding| told(&plan.topology, finding, last)).collect();
        excused.sort_by_key(|broken| broken.seq);
        excused
    }
}

fn told(topology: &Topology, finding: &Finding, last: u64) -> Broken {
    let Finding { invariant, seq, at, node, secret, phase, why } = finding;
    Broken {
        invariant: Some(*invariant),
        seq: (*seq).min(last),
        at: *at,
        node: topology.name(*node),
        secret: secret.to_string(),
        phase: *phase,
        why: named(topology, why),
        allowed: Vec::new(),
        ahead: Vec::new(),
    }
}

fn exercised(judgement: &Judgement) -> Vec<Exercised> {
    let exercised = |exercise: &Exercise| {
        let Exercise { invariant, count, under_fault, worst, bound } = exercise.clone();
        Exercised { invariant, count, under_fault, worst, bound }
    };
    judgement.exercised.iter().map(exercised).collect()
}

fn role(plan: &Plan, node: NodeId) -> Option<RoleKind> {
    plan.topology.kind(node).map(|(kind, _)| kind)
}

fn fault_kinds(plan: &Plan, fired: &[FaultId]) -> BTreeSet<FaultKind> {
    plan.faults.iter().filter(|fault| fired.contains(&fault.id)).map(|fault| fault.action.kind()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roles;
    use tumbler_plan::Planted;
    use tumbler_world::Options;

    #[test]
    fn a_judge_blind_to_one_invariant_reports_the_rest_and_never_that_one() {
        let mut plan = tumbler_scenarios::scenario("zombie-rotator").expect("shipped").scenario().plan(0);
        plan.planted = Some(Planted::TargetIgnoresFences);
        let outcome = tumbler_world::run(&plan, &roles::role, &Options::default());
        let seeing = report("zombie-rotator", &plan, &outcome, None);
        assert_eq!(seeing.row.invariant, Some(Invariant::AppliedOnce));
        let place = seeing.fingerprint.as_ref().map(|print| (print.role, print.invariant));
        assert_eq!(place, Some((Some(RoleKind::Target), Some(Invariant::AppliedOnce))));
        let blind = report("zombie-rotator", &plan, &outcome, Some(Invariant::AppliedOnce));
        assert!(blind.broken.iter().all(|broken| broken.invariant != Some(Invariant::AppliedOnce)));
        assert_ne!(blind.row.invariant, Some(Invariant::AppliedOnce));
        let other = report("zombie-rotator", &plan, &outcome, Some(Invariant::DurableAck));
        assert_eq!(other.row, seeing.row);
    }

    #[test]
    fn without_judges_nothing_passes() {
        let plan = tumbler_scenarios::scenario("quiet").expect("shipped").scenario().plan(0);
        let outcome =
            tumbler_world::run(&plan, &roles::role, &Options { judge: false, ..Options::default() });
        assert_eq!(report("quiet", &plan, &outcome, None).row.verdict, Verdict::Inconclusive);
    }
}
