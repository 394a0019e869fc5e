//! The operator: issues the plan's orders, and repeats one that got no answer.

use tumbler_types::event::OrderKind;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Instant, NodeId, Privileges, SecretId, Span, TimerId, Timing, Token, Topology};
use tumbler_wire::Frame;
use tumbler_wire::frame::{OrderRequest, PrivilegeRequest};

/// How often an order without an answer is repeated.
const REPEATS_MAX: u32 = 5;

/// One thing to do.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub at: Instant,
    pub secret: SecretId,
    pub order: OrderKind,
}

pub struct Operator {
    authority: NodeId,
    target: NodeId,
    timing: Timing,
    orders: Vec<Order>,
    issued: Vec<u32>,
}

impl Operator {
    pub fn new(topology: &Topology, timing: Timing, orders: Vec<Order>) -> Self {
        let issued = vec![0; orders.len()];
        Operator { authority: topology.authority(), target: topology.target(), timing, orders, issued }
    }

    /// Timers and orders are counted alike, and a token's low half is the order.
    fn issue(&mut self, index: usize, effects: &mut Effects) {
        let Some(Order { at: _, secret, order }) = self.orders.get(index).copied() else { return };
        if self.issued[index] > REPEATS_MAX {
            return;
        }
        self.issued[index] += 1;
        let permit = |privileges| (self.target, Frame::from(PrivilegeRequest { secret, privileges }));
        let (to, frame) = match order {
            OrderKind::Restrict => permit(Privileges::READ_ONLY),
            OrderKind::Extend => permit(Privileges::ALL),
            OrderKind::Rotate
            | OrderKind::RollBack
            | OrderKind::RevokeCurrent
            | OrderKind::RevokePrevious
            | OrderKind::RequireFormat2
            | OrderKind::RequireFormat3
            | OrderKind::RevokePending => (self.authority, OrderRequest { secret, order, txn: None }.into()),
        };
        let frame = frame.to_bytes();
        let token = Token(u64::from(self.issued[index]) << 32 | index as u64);
        effects.push(Effect::Call { token, to, frame, timeout: self.timing.call_timeout });
    }
}

impl Role for Operator {
    fn handle(&mut self, _now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        match input {
            // It is never crashed before its orders: its monotonic clock starts with the run.
            Input::Boot { .. } => {
                for (index, order) in self.orders.iter().enumerate() {
                    let timer = TimerId(u32::try_from(index).expect("a plan has few orders"));
                    effects.push(Effect::SetTimer { timer, after: Span(order.at.nanos()) });
                }
            }
            Input::Timer { timer } => {
                if let Ok(index) = usize::try_from(timer.0) {
                    self.issue(index, &mut effects);
                }
            }
            Input::Unknown { token } => {
                if let Ok(index) = usize::try_from(token.0 & u64::from(u32::MAX)) {
                    self.issue(index, &mut effects);
                }
            }
            // Accepted or refused, an answer ends it.
            Input::Returned { .. }
            | Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Committed { .. }
            | Input::Received { .. }
            | Input::Called { .. } => {}
        }
        effects
    }
}
