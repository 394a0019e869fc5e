//! A world without one of its nodes.
//!
//! The nodes behind it get other ids, and go on to draw under their old ones (see
//! [`entities`](tumbler_plan::Plan)), so that what the others do stays what it was as long as nobody misses
//! the one that is gone. It deliberately asks nobody: whether the failure is still there, a run says.

use tumbler_plan::{Fault, FaultAction, Pattern, Plan, Trigger, Until};
use tumbler_types::{NodeId, RoleKind};

/// Plans without one node: workloads first, then replicas, agents and rotators, the last of each first. One
/// rotator, agent and workload stay.
pub fn without_one(plan: &Plan) -> Vec<Plan> {
    let kinds = [RoleKind::Workload, RoleKind::Replica, RoleKind::Agent, RoleKind::Rotator];
    let of = |kind: RoleKind| {
        let mut nodes: Vec<NodeId> = plan.topology.of_kind(kind).collect();
        nodes.reverse();
        let least = if kind == RoleKind::Replica { 0 } else { 1 };
        let nodes = if nodes.len() > least { nodes } else { Vec::new() };
        nodes.into_iter().map(move |node| (kind, node))
    };
    kinds.into_iter().flat_map(of).filter_map(|(kind, node)| without(plan, kind, node)).collect()
}

/// The plan without this node. None if one of its faults is about nothing else.
fn without(plan: &Plan, kind: RoleKind, gone: NodeId) -> Option<Plan> {
    let mut less = plan.clone();
    let count = match kind {
        RoleKind::Workload => &mut less.topology.workloads,
        RoleKind::Replica => &mut less.topology.replicas,
        RoleKind::Agent => &mut less.topology.agents,
        RoleKind::Rotator => &mut less.topology.rotators,
        RoleKind::Authority | RoleKind::Target | RoleKind::Operator => return None,
    };
    *count = count.checked_sub(1)?;
    less.canaries = less.canaries.min(less.topology.agents);
    less.entities =
        plan.topology.nodes().filter(|node| *node != gone).map(|node| plan.entity(node)).collect();
    let moved = |node: NodeId| match node.0.cmp(&gone.0) {
        std::cmp::Ordering::Less => Some(node),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(NodeId(node.0 - 1)),
    };
    less.builds.retain_mut(|each| moved(each.node).map(|node| each.node = node).is_some());
    less.lags.retain_mut(|each| moved(each.node).map(|node| each.node = node).is_some());
    less.offsets.retain_mut(|each| moved(each.node).map(|node| each.node = node).is_some());
    less.faults.iter_mut().all(|fault| renamed(fault, &moved)).then_some(less)
}

/// Gives a fault's nodes their new ids. False if it is about the one that is gone.
fn renamed(fault: &mut Fault, moved: &dyn Fn(NodeId) -> Option<NodeId>) -> bool {
    let one = |node: &mut NodeId| moved(*node).map(|new| *node = new).is_some();
    let many = |nodes: &mut Vec<NodeId>| {
        nodes.retain_mut(|node| moved(*node).map(|new| *node = new).is_some());
        !nodes.is_empty()
    };
    let pattern = |pattern: &mut Pattern| {
        pattern.node.as_mut().is_none_or(one) && pattern.peer.as_mut().is_none_or(one)
    };
    let begins = match &mut fault.trigger {
        Trigger::At(_) => true,
        Trigger::On { pattern: on, .. } => pattern(on),
    };
    let ends = match fault.action.until_mut() {
        Some(Until::On { pattern: on, .. }) => pattern(on),
        Some(Until::After(_)) | None => true,
    };
    let does = match &mut fault.action {
        FaultAction::Partition { left, right, .. }
        | FaultAction::Link { left, right, .. }
        | FaultAction::Reset { left, right } => many(left) && many(right),
        FaultAction::Suspend { nodes, .. } => many(nodes),
        FaultAction::Crash { node, .. }
        | FaultAction::Pause { node, .. }
        | FaultAction::ClockStep { node, .. }
        | FaultAction::Redeploy { node, .. }
        | FaultAction::Disk { node, .. }
        | FaultAction::Clock { node, .. }
        | FaultAction::Process { node, .. } => one(node),
        FaultAction::Hold { .. }
        | FaultAction::LoseReply
        | FaultAction::LoseRequest
        | FaultAction::FailPersist
        | FaultAction::Duplicate
        | FaultAction::Strip => true,
    };
    begins && ends && does
}
