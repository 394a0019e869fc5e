//! Neighbours of a plan: its faults, one to three of them changed.
//!
//! A change shifts a fault in time, aims it at a phase in which its kind has begun least often, moves it
//! to another node of the same role, makes it shorter, leaves it out, or takes one over from another seed
//! of the same scenario (in its place, or besides). So a child holds nothing that its scenario could not
//! have drawn, but for when: no kind is added, nothing lasts longer, and there are never more faults than
//! one of the two had.
//!
//! Half of the children live in their parent's world, orders and streams as they were, so that what the
//! faults do not touch happens again; the others take the parent's faults into the other seed's world. One
//! whose faults would leave an assumption there is not bred.

use tumbler_plan::{Fault, FaultAction, Pattern, Plan, Point, Stream, Trigger, Until};
use tumbler_types::{FaultId, FaultKind, Instant, NodeId, Phase, SecretId, Span, Topology};

/// A child of `parent`, with a share of `donor`'s faults; none if it would be one of the two again.
/// `begun`: how often a kind of fault began in a phase.
pub fn bred(
    parent: &Plan,
    donor: &Plan,
    begun: impl Fn(FaultKind, Phase) -> u64,
    stream: &mut Stream,
) -> Option<Plan> {
    let most = parent.faults.len().max(donor.faults.len());
    let is_moved = stream.chance(1, 2);
    let mut child =
        if is_moved { Plan { faults: parent.faults.clone(), ..donor.clone() } } else { parent.clone() };
    for _ in 0..=stream.below(3) {
        change(&mut child, donor, most, &begun, stream);
    }
    let is_new = child.faults != donor.faults && (is_moved || child.faults != parent.faults);
    let leaves = child.exceeded().iter().any(|(assumption, _)| !child.breaks.contains(assumption));
    (is_new && !leaves).then_some(child)
}

fn change(
    child: &mut Plan,
    donor: &Plan,
    most: usize,
    begun: impl Fn(FaultKind, Phase) -> u64,
    stream: &mut Stream,
) {
    // A fixed number of draws for each change.
    let (what, one, other) = (stream.below(10), stream.draw(), stream.draw());
    let index = pick(one, child.faults.len());
    let given = pick(other, donor.faults.len()).map(|index| donor.faults[index].clone());
    let window = window(child, donor);
    match (what, index, given) {
        (0..=1, Some(index), _) => shift(&mut child.faults[index], window, other),
        (2, Some(index), _) => relocate(&child.topology, &mut child.faults[index], other),
        (3, Some(index), _) => shorten(&mut child.faults[index]),
        (4, Some(index), _) => {
            child.faults.remove(index);
        }
        (5..=6, Some(index), _) => aim(&mut child.faults[index], window, begun, other),
        (7, Some(index), Some(given)) => {
            let id = child.faults[index].id;
            child.faults[index] = Fault { id, ..given };
        }
        (_, _, Some(given)) if child.faults.len() < most => {
            let last = child.faults.iter().map(|fault| fault.id).max();
            let id = last.map_or(FaultId(0), FaultId::next);
            child.faults.push(Fault { id, ..given });
        }
        _ => {}
    }
}

/// When faults of either begin, earliest and latest.
fn window(child: &Plan, donor: &Plan) -> (Instant, Instant) {
    let begins = child.faults.iter().chain(&donor.faults).map(|fault| match fault.trigger {
        Trigger::At(at) => at,
        Trigger::On { after, .. } => after,
    });
    let (first, last) = (begins.clone().min(), begins.max());
    (first.unwrap_or(Instant::ZERO), last.unwrap_or(Instant::ZERO))
}

/// Anywhere in the window, or a little earlier or later; at another occurrence of its point.
fn shift(fault: &mut Fault, (first, last): (Instant, Instant), draw: u64) {
    let moved = |at: Instant| {
        let length = if draw & 1 == 0 { last.since(first) } else { NEAR.times(2) };
        let part = Span(part(draw, length.nanos() + 1));
        let from = if draw & 1 == 0 { first } else { at.minus(NEAR) };
        from.plus(part).max(first).min(last)
    };
    match &mut fault.trigger {
        Trigger::At(at) => *at = moved(*at),
        Trigger::On { nth, after, .. } if draw & 2 == 0 => {
            *after = moved(*after);
            *nth = 1;
        }
        Trigger::On { nth, .. } => *nth = 1 + u32::try_from(part(draw, NTH_MAX)).unwrap_or(0),
    }
}

/// At a phase in which its kind began least often; only what needs no message of its own.
fn aim(
    fault: &mut Fault,
    (first, _): (Instant, Instant),
    begun: impl Fn(FaultKind, Phase) -> u64,
    draw: u64,
) {
    let secret = match fault.trigger {
        Trigger::At(_) => SecretId(0),
        Trigger::On { pattern: Pattern { point: Point::Entered { secret, .. }, .. }, .. } => secret,
        Trigger::On { .. } => return,
    };
    let kind = fault.action.kind();
    let open = || Phase::ALL.into_iter().filter(|phase| *phase != Phase::Idle);
    let least = open().map(|phase| begun(kind, phase)).min().unwrap_or(0);
    let rare: Vec<Phase> = open().filter(|phase| begun(kind, *phase) == least).collect();
    let Some(phase) = pick(draw, rare.len()).map(|index| rare[index]) else { return };
    let pattern = Pattern { point: Point::Entered { secret, phase }, node: None, peer: None, step: None };
    fault.trigger = Trigger::On { pattern, nth: 1, after: first };
}

/// To another node of the same role, wherever the fault names just one.
fn relocate(topology: &Topology, fault: &mut Fault, draw: u64) {
    let [from] = fault.action.nodes()[..] else { return };
    let Some((role, _)) = topology.kind(from) else { return };
    let nodes: Vec<NodeId> = topology.of_kind(role).collect();
    let Some(to) = pick(draw, nodes.len()).map(|index| nodes[index]) else { return };
    match &mut fault.action {
        FaultAction::Crash { node, .. }
        | FaultAction::Pause { node, .. }
        | FaultAction::Redeploy { node, .. }
        | FaultAction::Disk { node, .. }
        | FaultAction::Process { node, .. } => *node = to,
        FaultAction::Suspend { nodes, .. } => *nodes = vec![to],
        // How far a clock may go depends on the offset that its node began with.
        FaultAction::ClockStep { .. } | FaultAction::Clock { .. } => return,
        FaultAction::Partition { .. }
        | FaultAction::Link { .. }
        | FaultAction::Reset { .. }
        | FaultAction::Hold { .. }
        | FaultAction::LoseReply
        | FaultAction::LoseRequest
        | FaultAction::FailPersist
        | FaultAction::Duplicate
        | FaultAction::Strip => return,
    }
    if let Trigger::On { pattern, .. } = &mut fault.trigger
        && pattern.node == Some(from)
    {
        pattern.node = Some(to);
    }
}

fn shorten(fault: &mut Fault) {
    match fault.action.until_mut() {
        Some(Until::After(span)) => *span = Span(span.nanos() / 2).max(SHORTEST.min(*span)),
        Some(Until::On { .. }) | None => {}
    }
}

fn pick(draw: u64, length: usize) -> Option<usize> {
    (length > 0).then(|| usize::try_from(part(draw, length as u64)).expect("below a length"))
}

/// A number below `limit`.
fn part(draw: u64, limit: u64) -> u64 {
    u64::try_from((u128::from(draw) * u128::from(limit)) >> 64).expect("below 64 bits")
}

/// How far a small shift goes.
const NEAR: Span = Span::from_secs(2);
const NTH_MAX: u64 = 4;
const SHORTEST: Span = Span::from_millis(100);
