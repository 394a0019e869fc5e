//! What every role of the system is configured with.

use tumbler_types::{NodeId, Principal, RoleKind, Timing, Topology};

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
    /// Nobody is, where the pending version ends the current one: there is nothing to try it beside.
    pub fn is_canary(&self, agent: NodeId) -> bool {
        !self.topology.adapter.is_single()
            && matches!(self.topology.kind(agent), Some((RoleKind::Agent, ordinal)) if ordinal < self.canaries)
    }

    /// Where the version after one in `current` lives.
    pub fn next_principal(&self, current: Principal) -> Principal {
        if self.topology.adapter.is_single() { current } else { current.other() }
    }

    /// Every node that authenticates logins: the primary first, then its replicas.
    pub fn verifiers(&self) -> Vec<NodeId> {
        std::iter::once(self.topology.target()).chain(self.topology.of_kind(RoleKind::Replica)).collect()
    }
}
