//! What every role of the system is configured with.

use tumbler_types::{NodeId, RoleKind, Timing, Topology};

/// Configuration of one node, fixed for its life.
#[derive(Clone, Debug)]
pub struct Settings {
    pub me: NodeId,
    pub topology: Topology,
    pub timing: Timing,
    /// How many agents, from the first, receive a pending version during `Canary`.
    pub canaries: u16,
}

impl Settings {
    pub fn is_canary(&self, agent: NodeId) -> bool {
        matches!(self.topology.kind(agent), Some((RoleKind::Agent, ordinal)) if ordinal < self.canaries)
    }

    /// Every node that authenticates logins: the primary first, then its replicas.
    pub fn verifiers(&self) -> Vec<NodeId> {
        std::iter::once(self.topology.target()).chain(self.topology.of_kind(RoleKind::Replica)).collect()
    }
}
