//! Puts roles into worlds: the one place that knows the system, its environment and the world.

use crate::planted::{self, Counts, Flaw, Flawed};
use crate::shim::{CompatibilityShim, Fallback, Rewrapper};
use tumbler_environment::{Operator, Order, Replica, Target, Workload};
use tumbler_plan::{Plan, Planted};
use tumbler_rotation::{Agent, Authority, Rotator, Session, Settings};
use tumbler_types::role::v1::Role;
use tumbler_types::{Build, Enforcement, NodeId, RoleKind, Timing};

/// The role of a node as this build, wrapped if the plan plants a bug at its seam.
pub fn role(plan: &Plan, node: NodeId, build: Build) -> Box<dyn Role> {
    let role = in_session(plain(plan, node), plan, node, build);
    match plan.planted {
        Some(Planted::AuthorityTakesOlder) if node == plan.topology.authority() => {
            Box::new(CompatibilityShim::new(role))
        }
        Some(Planted::HostSkipsChecksum) if node == plan.topology.target() => Box::new(Rewrapper(role)),
        Some(Planted::RotatorFallsBack) if is_rotator(plan, node) => Box::new(Fallback::new(role)),
        _ => role,
    }
}

fn is_rotator(plan: &Plan, node: NodeId) -> bool {
    plan.topology.kind(node).is_some_and(|(kind, _)| kind == RoleKind::Rotator)
}

/// Puts a role behind the session that negotiates formats for it.
pub fn in_session(role: Box<dyn Role>, plan: &Plan, node: NodeId, build: Build) -> Box<dyn Role> {
    Box::new(Session::new(role, node, &plan.topology, build))
}

/// The role without its session: bugs are planted between the two, and hosted roles live there,
/// where frames are plain.
pub fn plain(plan: &Plan, node: NodeId) -> Box<dyn Role> {
    let (kind, ordinal) = plan.topology.kind(node).expect("the world asks only for nodes of its topology");
    let (topology, timing) = (plan.topology.clone(), plan.timing.clone());
    let settings =
        Settings { me: node, topology: topology.clone(), timing: timing.clone(), canaries: plan.canaries };
    match (kind, plan.planted) {
        (RoleKind::Authority, Some(Planted::StoreLosesPrevious)) => {
            Box::new(planted::LosingStore::new(Authority::new(settings)))
        }
        (RoleKind::Authority, Some(Planted::AuthorityForgetsQueue)) => {
            Box::new(Flawed::new(Authority::new(settings), planted::ForgetsQueue::new(topology.secrets)))
        }
        (RoleKind::Authority, Some(Planted::AuthorityForgetsDueTime)) => {
            Box::new(Flawed::new(Authority::new(settings), planted::ForgetsDueTime))
        }
        (RoleKind::Authority, Some(Planted::AuthorityNotifiesOnce)) => {
            Box::new(Flawed::new(Authority::new(settings), planted::NotifiesOnce::default()))
        }
        (RoleKind::Authority, Some(Planted::AuthorityIgnoresEpoch)) => {
            Box::new(Flawed::new(Authority::new(settings), planted::IgnoresEpoch::default()))
        }
        (RoleKind::Authority, Some(Planted::AuthoritySkipsMissed)) => {
            let flaw = planted::SkipsMissed::new(timing.rotation_period);
            Box::new(Flawed::new(Authority::new(settings), flaw))
        }
        (RoleKind::Authority, _) => Box::new(Authority::new(settings)),
        (RoleKind::Rotator, planted) => rotator(settings, planted),
        (RoleKind::Agent, Some(Planted::AgentAcknowledgesUnstored)) => {
            Box::new(planted::HastyAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, Some(Planted::AgentServesPastLease)) => {
            Box::new(planted::ClingingAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, Some(Planted::AgentFallsSilent)) => {
            Box::new(planted::SilentAgent::new(Agent::new(settings)))
        }
        (RoleKind::Agent, planted) => agent(settings, planted),
        (RoleKind::Target, bug) => {
            let enforcement = match bug {
                Some(Planted::TargetIgnoresFences) => Enforcement::LastWriteWins,
                _ => plan.topology.adapter.enforcement,
            };
            let target = Target::new(topology, timing, enforcement);
            match bug {
                Some(Planted::TargetDropsTransport) => Box::new(planted::target::PlainTarget::new(target)),
                Some(Planted::TargetIgnoresFullDisk) => flawed(target, planted::IgnoresFailure),
                Some(Planted::TargetOverlooksStall) => flawed(target, planted::OverlooksStall::default()),
                _ => Box::new(target),
            }
        }
        (RoleKind::Replica, Some(Planted::ReplicaKeepsRevoked)) if ordinal == 0 => {
            Box::new(planted::KeepingReplica::new(Replica::new(&topology, timing, plan.lag(node))))
        }
        (RoleKind::Replica, _) => Box::new(Replica::new(&topology, timing, plan.lag(node))),
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

fn rotator(settings: Settings, planted: Option<Planted>) -> Box<dyn Role> {
    let (target, timeout) = (settings.topology.target(), settings.timing.call_timeout);
    let role = Rotator::new(settings);
    match planted {
        Some(Planted::RotatorAppliesUnrecorded) => flawed(role, planted::AppliesUnrecorded::new(target)),
        Some(Planted::RotatorReplaysLeftovers) => flawed(role, planted::ReplaysLeftovers::default()),
        Some(Planted::RotatorRestoresOriginal) => {
            flawed(role, planted::RestoresOriginal::new(target, timeout))
        }
        Some(Planted::RotatorValidatesLate) => flawed(role, planted::ValidatesAfterwards::default()),
        Some(Planted::RotatorSkipsTest) => flawed(role, planted::SkipsTest::default()),
        Some(Planted::RotatorRejectsRepetition) => flawed(role, planted::RejectsRepetition::default()),
        Some(Planted::RotatorPinsConnection) => flawed(role, planted::PinsConnection::new(target)),
        Some(Planted::RotatorRegenerates) => flawed(role, planted::Regenerates::default()),
        Some(Planted::RotatorTakesOverEmpty) => flawed(role, planted::TakesOverEmpty::default()),
        Some(Planted::RotatorForgetsRevocation) => flawed(role, planted::ForgetsRevocation::default()),
        Some(Planted::RotatorForgetsOrphan) => flawed(role, planted::ForgetsOrphans::default()),
        Some(Planted::RotatorForgetsRetire) => flawed(role, planted::ForgetsRetire::default()),
        Some(Planted::RotatorTrustsHalfOpen) => flawed(role, planted::TrustsHalfOpen::new(target)),
        Some(Planted::RotatorGivesUp) => flawed(role, planted::GivesUp::new(target, Counts::InARow)),
        Some(Planted::RotatorNeverForgives) => flawed(role, planted::GivesUp::new(target, Counts::ForLife)),
        Some(Planted::RotatorReadsLateAnswer) => flawed(role, planted::ReadsLateAnswer::default()),
        Some(Planted::RotatorTakesResetForDone) => flawed(role, planted::TakesResetForDone::new(timeout)),
        Some(Planted::RotatorTrustsAnsweredMint) => flawed(role, planted::TrustsAnsweredMint::default()),
        Some(Planted::RotatorSkipsQuarantine) => Box::new(planted::target::HurriedRotator::new(role)),
        Some(Planted::RotatorForgetsRestore) => Box::new(planted::target::ForgetfulRotator::new(role)),
        _ => Box::new(role),
    }
}

fn agent(settings: Settings, planted: Option<Planted>) -> Box<dyn Role> {
    let (ttl, period) = (settings.timing.grant_ttl, settings.timing.heartbeat);
    let epsilon = settings.timing.epsilon;
    let role = Agent::new(settings);
    match planted {
        Some(Planted::AgentRenewerDies) => flawed(role, planted::RenewerDies::default()),
        Some(Planted::AgentRestartsLease) => flawed(role, planted::RestartsLease::new(ttl, period)),
        Some(Planted::AgentRefreshesOnePath) => flawed(role, planted::RefreshesOnePath::default()),
        Some(Planted::AgentRenewsAtStart) => flawed(role, planted::RenewsAtStart { ttl }),
        Some(Planted::AgentAddsEpsilon) => Box::new(planted::AddsEpsilon::new(role, epsilon)),
        Some(Planted::AgentSyncsAgain) => flawed(role, planted::IgnoresFailure),
        Some(Planted::AgentMeasuresByTheWall) => flawed(role, planted::MeasuresByTheWall::default()),
        Some(Planted::AgentHardcodesPeriod) => {
            flawed(role, planted::HardcodesPeriod::new(Timing::default().heartbeat))
        }
        Some(Planted::AgentStaysUnhealthy) => flawed(role, planted::StaysUnhealthy::default()),
        _ => Box::new(role),
    }
}

fn flawed(role: impl Role + 'static, flaw: impl Flaw + 'static) -> Box<dyn Role> {
    Box::new(Flawed::new(role, flaw))
}
