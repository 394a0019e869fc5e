//! A plan under construction: who is stopped when, and what is done to single messages.
//!
//! Every rotator and agent is stopped unless its step is wanted, so that nobody runs ahead of the path.
//! All faults are at instants or wait for the next message after one: a fault added later never changes
//! what was before it, and what was compiled once stays compiled.

use tumbler_plan::{
    Fault, FaultAction, Network, Order, Pattern, Plan, Planted, Point, Store, Trigger, Until,
};
use tumbler_types::event::{FrameKind, OrderKind};
use tumbler_types::{
    Adapter, Bounds, FaultId, Format, Instant, NodeId, RoleKind, SecretId, Span, Timing, Topology,
};

/// The plan so far.
#[derive(Clone, Debug)]
pub struct Draft {
    base: Plan,
    gates: Vec<Gate>,
    others: Vec<Fault>,
}

/// A time for which a node does nothing.
#[derive(Clone, Debug)]
struct Gate {
    id: FaultId,
    node: NodeId,
    from: Instant,
    /// None: until further notice.
    to: Option<Instant>,
    is_crash: bool,
}

impl Draft {
    /// One secret and nobody but whom the machine knows; everybody stopped. Each of so many takeovers waits
    /// for the end of a lease, and no grant is to be half over before the last.
    pub fn new(rotators: u8, agents: u8, workloads: u16, takeovers: u64, planted: Option<Planted>) -> Draft {
        let topology = Topology {
            rotators: u16::from(rotators),
            agents: u16::from(agents),
            replicas: 0,
            workloads,
            secrets: 1,
            adapter: Adapter::default(),
        };
        let exact = Span::from_millis(1);
        let base = Plan {
            schema: Plan::SCHEMA,
            scenario: "compiled".to_owned(),
            seed: 0,
            timing: timing(takeovers),
            bounds: bounds(),
            network: Network { latency_min: exact, latency_max: exact },
            store: Store { latency_min: exact, latency_max: exact },
            canaries: 1,
            heal_at: Instant::ZERO,
            end_at: Instant::ZERO,
            builds: Vec::new(),
            floor: Format(2),
            lags: Vec::new(),
            entities: Vec::new(),
            offsets: Vec::new(),
            orders: Vec::new(),
            faults: Vec::new(),
            planted,
            breaks: Vec::new(),
            topology,
        };
        let mut draft = Draft { base, gates: Vec::new(), others: Vec::new() };
        let kinds = [RoleKind::Rotator, RoleKind::Agent];
        let gated: Vec<NodeId> =
            kinds.into_iter().flat_map(|kind| draft.base.topology.of_kind(kind)).collect();
        for node in gated {
            draft.close(node, Instant::ZERO);
        }
        draft
    }

    pub fn topology(&self) -> &Topology {
        &self.base.topology
    }

    pub fn timing(&self) -> &Timing {
        &self.base.timing
    }

    /// Faults so far.
    pub fn len(&self) -> usize {
        self.gates.len() + self.others.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The plan, with everything healed at that instant, and so much time to settle.
    pub fn plan(&self, heal_at: Instant, settle: Span) -> Plan {
        let mut plan = self.base.clone();
        plan.heal_at = heal_at;
        plan.end_at = heal_at.plus(settle);
        let gates = self.gates.iter().map(|gate| {
            let until = Until::After(gate.to.unwrap_or(heal_at.max(gate.from)).since(gate.from));
            let action = if gate.is_crash {
                FaultAction::Crash { node: gate.node, until }
            } else {
                FaultAction::Pause { node: gate.node, until }
            };
            Fault { id: gate.id, trigger: Trigger::At(gate.from), action }
        });
        plan.faults = gates.chain(self.others.iter().cloned()).collect();
        plan.faults.sort_by_key(|fault| fault.id);
        plan
    }

    fn next_id(&self) -> FaultId {
        FaultId(u16::try_from(self.len()).expect("a path is short"))
    }

    /// The node does nothing after this instant.
    pub fn close(&mut self, node: NodeId, after: Instant) {
        // What it was about to be opened for came without it.
        if let Some(gate) = self.gates.iter_mut().rev().find(|gate| gate.node == node) {
            match gate.to {
                None => return,
                Some(to) if to > after => {
                    gate.to = None;
                    return;
                }
                Some(_) => {}
            }
        }
        let id = self.next_id();
        self.gates.push(Gate { id, node, from: after.plus(TICK), to: None, is_crash: false });
    }

    /// The node goes on at this instant.
    pub fn open(&mut self, node: NodeId, at: Instant) {
        if let Some(gate) = self.gates.iter_mut().rev().find(|gate| gate.node == node && gate.to.is_none()) {
            gate.to = Some(at);
        }
    }

    /// The node loses its memory, and stays down until it is opened.
    pub fn crash(&mut self, node: NodeId, at: Instant) {
        // A pause that ended first would let it act once more.
        self.open(node, at.plus(TICK));
        let id = self.next_id();
        self.gates.push(Gate { id, node, from: at, to: None, is_crash: true });
    }

    /// The node loses its memory and is back soon.
    pub fn restart(&mut self, node: NodeId, at: Instant) {
        self.add(Trigger::At(at), FaultAction::Crash { node, until: Until::After(DOWN) });
    }

    /// The authority loses its memory when its next log entry is durable, before anybody hears of it.
    pub fn forget_after_commit(&mut self, node: NodeId, at: Instant) {
        let trigger = next(Point::ProposeDone, node, at);
        self.add(trigger, FaultAction::Crash { node, until: Until::After(Span::from_millis(1)) });
    }

    /// The node's next message of this kind, from this instant on, suffers this.
    pub fn strike(&mut self, node: NodeId, kind: FrameKind, at: Instant, action: FaultAction) -> FaultId {
        self.add(next(Point::Sending(kind), node, at), action)
    }

    /// A held message goes on at this instant, having been sent at that one.
    pub fn release(&mut self, held: FaultId, sent: Instant, at: Instant) {
        for fault in self.others.iter_mut().filter(|fault| fault.id == held) {
            if let FaultAction::Hold { until } = &mut fault.action {
                *until = Until::After(at.since(sent));
            }
        }
    }

    pub fn order(&mut self, order: OrderKind, at: Instant) {
        self.base.orders.push(Order { at, secret: SecretId(0), order });
    }

    fn add(&mut self, trigger: Trigger, action: FaultAction) -> FaultId {
        let id = self.next_id();
        self.others.push(Fault { id, trigger, action });
        id
    }
}

fn next(point: Point, node: NodeId, after: Instant) -> Trigger {
    Trigger::On { pattern: Pattern::new(point, Some(node)), nth: 1, after }
}

/// Quick steps and long lives: a path of thirty steps takes seconds, and nothing ends in them by itself.
fn timing(takeovers: u64) -> Timing {
    Timing {
        epsilon: Span::from_secs(20),
        lease_ttl: Span::from_secs(LIFE / 3 / (takeovers + 1)).max(Span::from_secs(2)),
        grant_ttl: Span::from_secs(LIFE),
        heartbeat: Span::from_millis(100),
        poll: Span::from_millis(100),
        call_timeout: Span::from_millis(200),
        visibility: Span::from_secs(3),
        replication: Span::from_secs(1),
        use_period: Span::from_secs(1),
        ..Timing::default()
    }
}

/// The run after the path is judged too: a grant's life, and time for what follows from it.
fn bounds() -> Bounds {
    Bounds { orphan: Span::ZERO, ..Bounds::all(Span::from_secs(LIFE + 120)) }
}

/// Life of a grant, in seconds.
const LIFE: u64 = 300;

/// The instant after an instant.
const TICK: Span = Span(1);

/// How long a restart takes.
const DOWN: Span = Span::from_millis(5);
