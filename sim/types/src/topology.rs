//! Which nodes a world has and what each of them does.

use crate::{NodeId, SecretId, Span};
use serde::{Deserialize, Serialize};

/// What a node does. Names of nodes are `<kind>-<ordinal>`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoleKind {
    Authority,
    Rotator,
    Agent,
    /// The target's primary: the only place where fences are checked.
    Target,
    /// A read replica of the target: authenticates, never changes anything.
    Replica,
    Workload,
    Operator,
}

impl RoleKind {
    pub const ALL: [RoleKind; 7] = [
        RoleKind::Authority,
        RoleKind::Rotator,
        RoleKind::Agent,
        RoleKind::Target,
        RoleKind::Replica,
        RoleKind::Workload,
        RoleKind::Operator,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            RoleKind::Authority => "authority",
            RoleKind::Rotator => "rotator",
            RoleKind::Agent => "agent",
            RoleKind::Target => "target",
            RoleKind::Replica => "replica",
            RoleKind::Workload => "workload",
            RoleKind::Operator => "operator",
        }
    }
}

/// How a target treats fences; a target declares one and is judged by what it declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Enforcement {
    /// Refuses a lower fence, answers an equal one from its record.
    #[default]
    Fenced,
    /// Applies whatever arrives last.
    LastWriteWins,
}

impl Enforcement {
    pub const ALL: [Enforcement; 2] = [Enforcement::Fenced, Enforcement::LastWriteWins];

    pub const fn name(self) -> &'static str {
        match self {
            Enforcement::Fenced => "fenced",
            Enforcement::LastWriteWins => "last-write-wins",
        }
    }
}

/// How many versions of a secret a target can accept at once; a target declares one and is judged by
/// what it declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Principals {
    /// Versions alternate between two, so that the next is accepted beside the current one.
    #[default]
    Two,
    /// The next version ends the current one: holders are refused for at most `outage` meanwhile.
    One { outage: Span },
    /// Two keys at most, each with a value that the target mints itself. A key is named by its value's
    /// tag, and deleted by that name; nothing orders mints and deletes but the limit.
    Keys,
}

/// What the target declares about itself; the protocol and the judges follow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    #[serde(default)]
    pub enforcement: Enforcement,
    #[serde(default)]
    pub principals: Principals,
}

impl Adapter {
    pub fn is_default(&self) -> bool {
        *self == Adapter::default()
    }

    /// The target mints the values.
    pub const fn is_minting(&self) -> bool {
        match self.principals {
            Principals::Keys => true,
            Principals::Two | Principals::One { .. } => false,
        }
    }

    pub const fn is_single(&self) -> bool {
        match self.principals {
            Principals::Two | Principals::Keys => false,
            Principals::One { outage: _ } => true,
        }
    }
}

/// The nodes of a world, in id order: authority, rotators, agents, target, replicas, workloads,
/// operator. One target serves every secret; every agent is entitled to every secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    pub rotators: u16,
    pub agents: u16,
    pub replicas: u16,
    pub workloads: u16,
    pub secrets: u16,
    /// What the one target declares. Absent in plans from before there was a choice.
    #[serde(default, skip_serializing_if = "Adapter::is_default")]
    pub adapter: Adapter,
}

impl Topology {
    pub const fn node_count(&self) -> u16 {
        3 + self.rotators + self.agents + self.replicas + self.workloads
    }

    fn runs(&self) -> [(RoleKind, u16); 7] {
        [
            (RoleKind::Authority, 1),
            (RoleKind::Rotator, self.rotators),
            (RoleKind::Agent, self.agents),
            (RoleKind::Target, 1),
            (RoleKind::Replica, self.replicas),
            (RoleKind::Workload, self.workloads),
            (RoleKind::Operator, 1),
        ]
    }

    /// Kind of a node, and its ordinal among its kind, from 0. `None` for an id that is no node.
    pub fn kind(&self, node: NodeId) -> Option<(RoleKind, u16)> {
        let mut first = 0;
        for (kind, count) in self.runs() {
            if node.0 >= first && node.0 < first + count {
                return Some((kind, node.0 - first));
            }
            first += count;
        }
        None
    }

    /// All nodes of one kind, in id order.
    pub fn of_kind(&self, kind: RoleKind) -> impl Iterator<Item = NodeId> + Clone + use<> {
        let mut first = 0;
        let mut range = 0..0;
        for (each, count) in self.runs() {
            if each == kind {
                range = first..first + count;
            }
            first += count;
        }
        range.map(NodeId)
    }

    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.node_count()).map(NodeId)
    }

    pub fn secrets(&self) -> impl Iterator<Item = SecretId> + use<> {
        (0..self.secrets).map(SecretId)
    }

    pub fn authority(&self) -> NodeId {
        NodeId(0)
    }

    pub fn target(&self) -> NodeId {
        NodeId(1 + self.rotators + self.agents)
    }

    /// Name of a node, as scenarios and stories spell it.
    pub fn name(&self, node: NodeId) -> String {
        match self.kind(node) {
            Some((kind, ordinal)) => format!("{}-{}", kind.name(), ordinal + 1),
            None => "world".to_owned(),
        }
    }

    /// The node with this name.
    pub fn by_name(&self, name: &str) -> Option<NodeId> {
        self.nodes().find(|node| self.name(*node) == name)
    }
}
