//! Rollback probes: from sampled points of a run, does one rollback command lead home?
//!
//! One run shows one continuation. A probe takes a point of it, runs the same plan again with a
//! rollback command there and every disturbance ended there, and asks the judges. The prefix before
//! the point is identical, because every draw is keyed: so the point really is a state that the
//! first run reached.
//!
//! It deliberately judges nothing itself: a goal missed is a finding of the run with the command. A
//! command that comes too late (the point of no return was passed on its way) is no point tried.

use std::ops::Range;
use tumbler_plan::{Fault, Order, Plan, Stream, StreamName, Trigger};
use tumbler_reports::{Broken, Point, Rollback};
use tumbler_spec::Ledger;
use tumbler_types::event::OrderKind;
use tumbler_types::{Command, Event, FaultId, Instant, Observed, Phase, SecretId, Span};

/// A moment from which a rollback is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub at: Instant,
    pub secret: SecretId,
    pub under_fault: bool,
}

/// Points of a run, at most one per phase: under a fault wherever one stood, else in half of the runs.
pub fn candidates(plan: &Plan, trace: &[Observed]) -> Vec<Candidate> {
    let labels = Labels::new(plan, trace);
    let mut stream = Stream::new(plan.seed, StreamName::Probes, (0, 0), 0);
    let mut chosen = Vec::new();
    for phase in Rollback::PHASES {
        // A fixed number of draws per phase, whatever there is to choose from.
        let (pick, part, calm) = (stream.draw(), stream.draw(), stream.chance(1, 2));
        let stays: Vec<&Stay> = labels.stays.iter().filter(|stay| stay.phase == phase).collect();
        let under: Vec<Candidate> = stays
            .iter()
            .flat_map(|stay| labels.under_fault(stay))
            .map(|stay| point(&stay, part, true))
            .collect();
        let clear = stays
            .iter()
            .map(|stay| point(stay, part, false))
            .filter(|candidate| calm && !labels.is_faulty(candidate.at));
        let from = if under.is_empty() { clear.collect() } else { under };
        if let Some(candidate) = from.get(below(pick, from.len())) {
            chosen.push(*candidate);
        }
    }
    chosen
}

/// The same plan with a rollback command at the point, and nothing that disturbs it from there on.
/// `fired` are the faults that had begun by then.
pub fn edited(plan: &Plan, candidate: Candidate, fired: &[FaultId]) -> Plan {
    let mut plan = plan.clone();
    let Candidate { at, secret, under_fault: _ } = candidate;
    plan.faults.retain(|fault: &Fault| match fault.trigger {
        Trigger::At(begin) => begin < at,
        Trigger::On { .. } => fired.contains(&fault.id),
    });
    plan.heal_at = at.min(plan.heal_at);
    plan.end_at = at.plus(plan.bounds.rollback.max(plan.bounds.converge)).plus(SLACK);
    // Later orders are put off, not removed: an operator's timers are numbered by their place.
    let never = plan.end_at.plus(SLACK);
    plan.orders.iter_mut().filter(|order| order.at >= at).for_each(|order| order.at = never);
    plan.orders.push(Order { at, secret, order: OrderKind::RollBack });
    plan
}

/// Faults that had begun before the point.
pub fn fired_before(trace: &[Observed], at: Instant) -> Vec<FaultId> {
    let begun = |observed: &Observed| match observed.event {
        Event::FaultBegan { fault, .. } if observed.at < at => Some(fault),
        _ => None,
    };
    trace.iter().filter_map(begun).collect()
}

/// What the run with the command showed: none if the command took no effect.
pub fn tried(plan: &Plan, candidate: Candidate, trace: &[Observed], broken: &[Broken]) -> Option<Point> {
    let mut ledger = Ledger::new(&plan.topology);
    let mut found = None;
    for observed in trace {
        let phase = ledger.slice(candidate.secret).map(|slice| slice.phase);
        ledger.fold(observed);
        let now = ledger.slice(candidate.secret).map(|slice| slice.phase);
        let is_rollback = matches!(
            observed.event,
            Event::Committed { secret, command: Command::RollBack { .. }, .. } if secret == candidate.secret
        );
        if observed.at >= candidate.at && is_rollback && now == Some(Phase::Revert) && phase != now {
            found = phase;
            break;
        }
    }
    let phase = found?;
    let missed = broken.first().map(|broken| {
        let id = broken.invariant.map_or("diverged", |invariant| invariant.id());
        format!("{id}: {}", broken.why)
    });
    let Candidate { at, secret: _, under_fault } = candidate;
    Some(Point { at, phase, under_fault, missed })
}

/// A secret's stay in one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stay {
    secret: SecretId,
    phase: Phase,
    from: Instant,
    until: Instant,
}

/// A trace's phases and standing faults, as intervals.
struct Labels {
    stays: Vec<Stay>,
    faults: Vec<Range<Instant>>,
}

impl Labels {
    fn new(plan: &Plan, trace: &[Observed]) -> Self {
        let mut ledger = Ledger::new(&plan.topology);
        let end = trace.last().map_or(Instant::ZERO, |observed| observed.at);
        let mut open: Vec<(Phase, Instant)> =
            plan.topology.secrets().map(|_| (Phase::Idle, Instant::ZERO)).collect();
        let mut standing: Vec<(FaultId, Instant)> = Vec::new();
        let mut labels = Labels { stays: Vec::new(), faults: Vec::new() };
        for observed in trace {
            match observed.event {
                Event::FaultBegan { fault, .. } => standing.push((fault, observed.at)),
                Event::FaultEnded { fault, .. } => {
                    if let Some(index) = standing.iter().position(|(id, _)| *id == fault) {
                        let (_, from) = standing.remove(index);
                        labels.faults.push(from..observed.at);
                    }
                }
                _ => {}
            }
            ledger.fold(observed);
            for (secret, (phase, since)) in plan.topology.secrets().zip(&mut open) {
                let now = ledger.slice(secret).map_or(Phase::Idle, |slice| slice.phase);
                if now != *phase {
                    labels.stays.push(Stay { secret, phase: *phase, from: *since, until: observed.at });
                    (*phase, *since) = (now, observed.at);
                }
            }
        }
        // Faults of one moment never end, and are no standing ones.
        let lasting = standing.into_iter().filter(|(id, _)| plan_lasts(plan, *id));
        labels.faults.extend(lasting.map(|(_, from)| from..end));
        labels.faults.retain(|range| range.start < range.end);
        // A rollback must still find the plan's faults: later points would move the healing back.
        labels.stays.retain(|stay| stay.from < plan.heal_at);
        for stay in &mut labels.stays {
            stay.until = stay.until.min(plan.heal_at);
        }
        labels
    }

    fn is_faulty(&self, at: Instant) -> bool {
        self.faults.iter().any(|range| range.start < at && at < range.end)
    }

    /// The parts of a stay during which a fault stood.
    fn under_fault(&self, stay: &Stay) -> Vec<Stay> {
        let part = |range: &Range<Instant>| {
            let from = stay.from.max(range.start);
            let until = stay.until.min(range.end);
            (from < until).then_some(Stay { from, until, ..*stay })
        };
        self.faults.iter().filter_map(part).collect()
    }
}

fn plan_lasts(plan: &Plan, id: FaultId) -> bool {
    plan.faults.iter().any(|fault| fault.id == id && fault.action.kind().stands())
}

/// A point strictly inside a stay, `part` of the way through.
fn point(stay: &Stay, part: u64, under_fault: bool) -> Candidate {
    let length = stay.until.since(stay.from).nanos();
    let inside = u64::try_from((u128::from(part) * u128::from(length)) >> 64).expect("below the length");
    Candidate { at: stay.from.plus(Span(inside.max(1))), secret: stay.secret, under_fault }
}

fn below(draw: u64, length: usize) -> usize {
    let wide = u128::from(draw) * (length as u128);
    usize::try_from(wide >> 64).expect("below a length")
}

/// Between the last bound's end and the end of the run, so that it is judged.
const SLACK: Span = Span::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::event::OrderKind;

    fn plan() -> Plan {
        tumbler_scenarios::scenario("standard").expect("shipped").scenario().plan(3)
    }

    #[test]
    fn an_edited_plan_keeps_what_came_before_and_nothing_that_would_come_after() {
        let plan = plan();
        let at = Instant::ZERO.plus(Span::from_secs(30));
        let fired: Vec<FaultId> = plan.faults.iter().take(1).map(|fault| fault.id).collect();
        let candidate = Candidate { at, secret: SecretId(0), under_fault: false };
        let edited = edited(&plan, candidate, &fired);
        let before: Vec<&Order> = plan.orders.iter().filter(|order| order.at < at).collect();
        let kept: Vec<&Order> = edited.orders.iter().filter(|order| order.at < at).collect();
        assert_eq!(kept, before);
        let late = |order: &&Order| order.at > at;
        assert!(edited.orders.iter().filter(late).all(|order| order.at > edited.end_at));
        assert_eq!(edited.orders.last().expect("one was added").order, OrderKind::RollBack);
        assert_eq!(edited.heal_at, at);
        assert!(edited.end_at >= at.plus(plan.bounds.rollback).plus(Span::from_secs(1)));
        for fault in &edited.faults {
            assert!(match fault.trigger {
                Trigger::At(begin) => begin < at,
                Trigger::On { .. } => fired.contains(&fault.id),
            });
        }
    }

    #[test]
    fn a_point_lies_strictly_inside_its_stay() {
        let stay = Stay { secret: SecretId(0), phase: Phase::Staged, from: Instant(10), until: Instant(20) };
        for part in [0, u64::MAX / 2, u64::MAX] {
            let at = point(&stay, part, true).at;
            assert!(stay.from < at && at < stay.until, "{at:?}");
        }
    }
}
