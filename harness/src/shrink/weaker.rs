//! Weaker faults for a fault: shorter, smaller, gentler, on fewer nodes.
//!
//! Each list is in the order in which it is worth trying: what changes the story most comes first. It
//! deliberately knows nothing of runs: a candidate is only a plan.

use tumbler_plan::{ClockHarm, DiskHarm, Fault, FaultAction, LinkHarm, Plan, ProcessHarm, Until};
use tumbler_types::{NodeId, Span};

/// Plans in which one fault is weaker.
pub fn weaker(plan: &Plan, index: usize) -> Vec<Plan> {
    let fault = &plan.faults[index];
    let replaced = |action: FaultAction| {
        let mut candidate = plan.clone();
        candidate.faults[index].action = action;
        candidate
    };
    let actions = gentler(fault).into_iter().chain(fewer_nodes(&fault.action)).chain(smaller(&fault.action));
    actions.chain(shorter(&fault.action)).filter(|action| *action != fault.action).map(replaced).collect()
}

/// Another kind, that does less.
fn gentler(Fault { action, .. }: &Fault) -> Vec<FaultAction> {
    match action.clone() {
        FaultAction::Crash { node, until } => vec![FaultAction::Pause { node, until }],
        FaultAction::Redeploy { node, build: _, until } => {
            vec![FaultAction::Pause { node, until }, FaultAction::Crash { node, until }]
        }
        FaultAction::Process { node, harm: ProcessHarm::CrashLoop { .. }, until } => {
            vec![FaultAction::Pause { node, until }, FaultAction::Crash { node, until }]
        }
        FaultAction::Disk {
            node,
            harm: DiskHarm::Torn | DiskHarm::Rot | DiskHarm::Restore { .. },
            until,
        } => vec![FaultAction::Pause { node, until }, FaultAction::Crash { node, until }],
        FaultAction::Suspend { nodes, until } => match nodes.as_slice() {
            [node] => vec![FaultAction::Pause { node: *node, until }],
            _ => Vec::new(),
        },
        FaultAction::Clock { node, harm: ClockHarm::Strobe { offset_nanos, .. }, until } => {
            vec![FaultAction::ClockStep { node, offset_nanos, until }]
        }
        FaultAction::Partition { left, right, symmetric: true, until } => both_ways(&left, &right)
            .map(|(left, right)| FaultAction::Partition { left, right, symmetric: false, until })
            .into(),
        FaultAction::Link { left, right, symmetric: true, harm, until } => both_ways(&left, &right)
            .map(|(left, right)| FaultAction::Link { left, right, symmetric: false, harm, until })
            .into(),
        _ => Vec::new(),
    }
}

fn both_ways(left: &[NodeId], right: &[NodeId]) -> [(Vec<NodeId>, Vec<NodeId>); 2] {
    [(left.to_vec(), right.to_vec()), (right.to_vec(), left.to_vec())]
}

/// Without one of several nodes.
fn fewer_nodes(action: &FaultAction) -> Vec<FaultAction> {
    let mut all = Vec::new();
    for side in 0..2 {
        let count = side_of(&mut action.clone(), side).map_or(0, |nodes| nodes.len());
        for place in (0..count).filter(|_| count > 1) {
            let mut less = action.clone();
            if let Some(nodes) = side_of(&mut less, side) {
                nodes.remove(place);
            }
            all.push(less);
        }
    }
    all
}

fn side_of(action: &mut FaultAction, side: usize) -> Option<&mut Vec<NodeId>> {
    match action {
        FaultAction::Partition { left, right, .. }
        | FaultAction::Link { left, right, .. }
        | FaultAction::Reset { left, right } => Some(if side == 0 { left } else { right }),
        FaultAction::Suspend { nodes, .. } if side == 0 => Some(nodes),
        _ => None,
    }
}

/// The same, by less.
fn smaller(action: &FaultAction) -> Vec<FaultAction> {
    let by = |divisor: u64| {
        let mut less = action.clone();
        let span = |span: &mut Span| *span = milliseconds(Span(span.nanos() / divisor));
        let signed = |nanos: &mut i64| *nanos /= i64::try_from(divisor).expect("a small number");
        match &mut less {
            FaultAction::ClockStep { offset_nanos, .. }
            | FaultAction::Clock { harm: ClockHarm::Strobe { offset_nanos, .. }, .. } => signed(offset_nanos),
            FaultAction::Clock { harm: ClockHarm::Drift { ppm }, .. } => {
                *ppm /= i32::try_from(divisor).expect("a small number");
            }
            FaultAction::Disk { harm: DiskHarm::Restore { back }, .. } => span(back),
            FaultAction::Process { harm: ProcessHarm::Slow { lag }, .. } => span(lag),
            FaultAction::Link { harm: LinkHarm::Slow { extra, .. }, .. } => span(extra),
            _ => return None,
        }
        // What is nothing would heal what was never broken.
        let is_some = match &less {
            FaultAction::ClockStep { offset_nanos, .. }
            | FaultAction::Clock { harm: ClockHarm::Strobe { offset_nanos, .. }, .. } => *offset_nanos != 0,
            FaultAction::Clock { harm: ClockHarm::Drift { ppm }, .. } => *ppm != 0,
            _ => true,
        };
        is_some.then_some(less)
    };
    DIVISORS.into_iter().filter_map(by).collect()
}

/// The same, for a shorter time.
fn shorter(action: &FaultAction) -> Vec<FaultAction> {
    let Some(longest) = action.until().map(Until::at_most) else { return Vec::new() };
    let by = |divisor: u64| {
        let mut less = action.clone();
        let half = milliseconds(Span(longest.nanos() / divisor));
        match less.until_mut()? {
            Until::After(span) => *span = half,
            Until::On { at_most, .. } => *at_most = half,
        }
        (half < longest).then_some(less)
    };
    DIVISORS.into_iter().filter_map(by).collect()
}

/// Whole milliseconds, at least one: what is read is round.
fn milliseconds(span: Span) -> Span {
    Span((span.nanos() / MILLI).max(1) * MILLI)
}

/// Much less first, then half.
const DIVISORS: [u64; 3] = [32, 6, 2];
const MILLI: u64 = 1_000_000;
