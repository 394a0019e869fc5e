//! Puts roles into worlds: the one place that knows the system, its environment and the world.

use crate::planted;
use tumbler_environment::{Operator, Order, Replica, Target, Workload};
use tumbler_plan::{Plan, Planted};
use tumbler_rotation::{Agent, Authority, Rotator, Settings};
use tumbler_types::role::v1::Role;
use tumbler_types::{Enforcement, NodeId, RoleKind};

/// The role of a node, wrapped if the plan plants a bug at its seam.
pub fn role(plan: &Plan, node: NodeId) -> Box<dyn Role> {
    let (kind, ordinal) = plan.topology.kind(node).expect("the world asks only for nodes of its topology");
    let (topology, timing) = (plan.topology.clone(), plan.timing.clone());
    let settings =
        Settings { me: node, topology: topology.clone(), timing: timing.clone(), canaries: plan.canaries };
    match (kind, plan.planted) {
        (RoleKind::Authority, Some(Planted::StoreLosesPrevious)) => {
            Box::new(planted::LosingStore::new(Authority::new(settings)))
        }
        (RoleKind::Authority, _) => Box::new(Authority::new(settings)),
        (RoleKind::Rotator, Some(Planted::RotatorSkipsQuarantine)) => {
            Box::new(planted::target::HurriedRotator::new(Rotator::new(settings)))
        }
        (RoleKind::Rotator, Some(Planted::RotatorForgetsRestore)) => {
            Box::new(planted::target::ForgetfulRotator::new(Rotator::new(settings)))
        }
        (RoleKind::Rotator, _) => Box::new(Rotator::new(settings)),
        (RoleKind::Agent, Some(Planted::AgentAcknowledgesUnstored)) => {
            Box::new(planted::HastyAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, Some(Planted::AgentServesPastLease)) => {
            Box::new(planted::ClingingAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, Some(Planted::AgentFallsSilent)) => {
            Box::new(planted::SilentAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, _) => Box::new(Agent::new(settings)),
        (RoleKind::Target, bug) => {
            let enforcement = match bug {
                Some(Planted::TargetIgnoresFences) => Enforcement::LastWriteWins,
                _ => plan.topology.adapter.enforcement,
            };
            let target = Target::new(topology, timing, enforcement);
            match bug {
                Some(Planted::TargetDropsTransport) => Box::new(planted::target::PlainTarget::new(target)),
                _ => Box::new(target),
            }
        }
        (RoleKind::Replica, Some(Planted::ReplicaKeepsRevoked)) if ordinal == 0 => {
            Box::new(planted::KeepingReplica::new(Replica::new(&topology, timing)))
        }
        (RoleKind::Replica, _) => Box::new(Replica::new(&topology, timing)),
        (RoleKind::Workload, _) => Box::new(Workload::new(topology, timing, node)),
        (RoleKind::Operator, _) => {
            let orders = plan.orders.iter().map(|order| Order {
                at: order.at,
                secret: order.secret,
                order: order.order,
            });
            Box::new(Operator::new(&topology, timing, orders.collect()))
        }
    }
}
