//! A replica that never takes anything away.

use super::edited;
use std::collections::BTreeMap;
use tumbler_types::role::v1::{Effects, Input, Now, Role};
use tumbler_types::{Tag, Token};
use tumbler_wire::Frame;

/// A replica that never lets go of a value that it once accepted.
pub struct KeepingReplica<R> {
    role: R,
    accepted: BTreeMap<Tag, ()>,
    asked: BTreeMap<Token, Tag>,
}

impl<R> KeepingReplica<R> {
    pub fn new(role: R) -> Self {
        KeepingReplica { role, accepted: BTreeMap::new(), asked: BTreeMap::new() }
    }
}

impl<R: Role> Role for KeepingReplica<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut asked = None;
        if let Input::Called { call, from: _, frame } = &input
            && let Ok(Frame::LoginRequest(request)) = Frame::from_bytes(frame)
        {
            asked = Some((*call, tumbler_wire::tag::value_tag(&request.value)));
        }
        if let Some((call, tag)) = asked {
            self.asked.insert(call, tag);
        }
        let effects = self.role.handle(now, input);
        let Some((_, tag)) = asked else { return effects };
        edited(effects, |frame| {
            if let Frame::LoginReply(reply) = frame {
                if reply.refusal.is_none() {
                    self.accepted.insert(tag, ());
                } else if self.accepted.contains_key(&tag) {
                    reply.refusal = None;
                }
            }
        })
    }
}
