//! The abstract machine: one secret, its rotators, agents and target, for exhaustive search.
//!
//! It exists because a run tries one schedule and this tries all of them, within bounds. Steps are
//! split at every durable write, external effect and acknowledgement, so that a crash or a late
//! message fits between any two of them. What a participant *knows* enables a step; whether the step
//! was *right* is judged by the rules and the invariants, the same functions as in a run.
//!
//! Model: time is two-valued per fact (a grant is live or over, a revocation is fresh or older than
//! every bound), and a grant ends twice, by the agent's clock and by the authority's. Which comes first is
//! decided by how far clocks may be off and by what each side waits; how far they are off at the moment is
//! not remembered, because within its bound a clock may step at any time. A revocation ages as soon as
//! nothing urgent is left to do about it: no debt is open, and each agent that still may hand out has heard
//! of it. A lease may be taken over at any time, because its holder stops before it ends; what its holder
//! sent earlier is then a zombie: a held message, to the target or to the authority.
//!
//! Model: steps that commute with everyone else's are one step. A heartbeat is handled as it is sent,
//! a call lands as it is sent, unless it is held; its answer is another request with an equal fence;
//! an order is given as the rotation begins. Rotators are alike and renamed. The authority's crash is
//! left out: its answers may get lost at any time, which is all that it could do. A crash is counted
//! by nothing: it loses what may get lost at any time, and what a step had not yet made durable. Left
//! out are replicas and a second secret.
//!
//! It deliberately claims no liveness: that a state can always be left is another property's matter.

mod action;
mod apply;
mod mutation;
mod pack;
mod project;
mod property;
mod state;
mod temporal;

pub use action::Action;
pub use mutation::Mutation;
pub use pack::Packed;
pub use project::is_shown;
pub use property::{Mark, Property};
pub use state::{Held, Letter, Limits, Request, State};
pub use temporal::{Class, Facts, StepProperty, Temporal};

use crate::invariant::Claims;
use crate::ledger::Ledger;
use crate::rule::Rules;
use tumbler_types::{
    Adapter, Bounds, Command, Event, Instant, LogIndex, NodeId, Observed, Principal, Revision, SecretId,
    Span, Tag, Timing, Topology, VersionId, Wall,
};

/// The transition system, with its bounds.
#[derive(Clone, Debug)]
pub struct Machine {
    limits: Limits,
    mutation: Option<Mutation>,
    rules: Rules,
    claims: Claims,
    initial: State,
}

/// The one secret.
pub(crate) const SECRET: SecretId = SecretId(0);
/// It is always this late: facts age instead.
pub(crate) const NOW: Instant = Instant(1_000);
/// Life of every lease and grant.
pub(crate) const TTL: Span = Span(100);
/// Every timed bound.
const BOUND: Span = Span(10);

impl Machine {
    pub fn new(limits: Limits) -> Self {
        Self::with(limits, None)
    }

    /// The machine with a planted flaw.
    pub fn mutated(limits: Limits, mutation: Mutation) -> Self {
        Self::with(limits, Some(mutation))
    }

    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// The one initial state: enrolled, nothing held by anyone.
    pub fn initial(&self) -> &State {
        &self.initial
    }

    fn with(limits: Limits, mutation: Option<Mutation>) -> Self {
        let timing = Timing {
            epsilon: Span(1),
            lease_ttl: TTL,
            grant_ttl: TTL,
            heartbeat: Span(1),
            poll: Span(1),
            call_timeout: Span(1),
            visibility: Span(1),
            replication: Span(1),
            rotation_period: Span::ZERO,
            use_period: Span(1),
            actor_lifetime: Span(1),
        };
        let bounds = Bounds::all(BOUND);
        let topology = Topology {
            rotators: u16::from(limits.rotators),
            agents: u16::from(limits.agents),
            replicas: 0,
            workloads: 0,
            secrets: 1,
            adapter: Adapter::default(),
        };
        let mut ledger = Ledger::new(&topology);
        let command = Command::Enroll { version: VersionId(1), principal: Principal::Blue, value: Tag(1) };
        let event = Event::Committed {
            index: LogIndex(1),
            at: now_wall(),
            secret: SECRET,
            expected: Revision(0),
            command,
        };
        ledger.fold(&Observed { seq: 0, at: NOW, node: NodeId(0), event });
        let mut initial = State::new(ledger, limits.agents);
        initial.canonize(false);
        Machine {
            limits,
            mutation,
            rules: Rules { timing: timing.clone(), canaries: 1, adapter: topology.adapter },
            claims: Claims { timing, bounds },
            initial,
        }
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }
}

/// The authority's clock is perfect here.
pub(crate) fn now_wall() -> Wall {
    Wall::at(NOW, 0)
}

/// End of what an agent has stored and hands out no more, while its grant is on record. What is over for
/// everybody ends at [`Wall::ZERO`].
pub(crate) fn stopped() -> Wall {
    now_wall()
}

/// End of whatever is live.
pub(crate) fn live() -> Wall {
    now_wall().plus(TTL)
}
