//! A read replica of the target: authenticates from its copy, and closes itself when out of touch.
//!
//! With a lag, each copy counts only that much after it came: what the primary did is visible here
//! later, and at each replica at another time.
//!
//! It keeps nothing on disk. A copy counts only if it left the primary later than the last one and
//! not long ago, so that a message held on the way cannot bring a withdrawn value back.

use std::collections::VecDeque;
use tumbler_types::event::Refusal;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Principal, Privileges, Span, Tag, Timing, Token, Topology, Wall};
use tumbler_wire::Frame;
use tumbler_wire::frame::{LoginReply, LoginRequest, Replicate};
use tumbler_wire::tag::value_tag;

pub struct Replica {
    timing: Timing,
    lag: Span,
    copies: Vec<Copies>,
}

/// One secret here.
#[derive(Clone, Default)]
struct Copies {
    seen: Option<Copy>,
    /// Came, and not visible yet; oldest first.
    coming: VecDeque<Copy>,
}

impl Copies {
    fn newest(&self) -> Option<&Copy> {
        self.coming.back().or(self.seen.as_ref())
    }
}

/// The last copy of one secret.
#[derive(Clone, Copy)]
struct Copy {
    blue: Tag,
    green: Tag,
    blue_may: Privileges,
    green_may: Privileges,
    sent: Wall,
    heard: Now,
}

impl Replica {
    pub fn new(topology: &Topology, timing: Timing, lag: Span) -> Self {
        Replica { timing, lag, copies: topology.secrets().map(|_| Copies::default()).collect() }
    }

    /// Lets what has come long enough ago be seen.
    fn ripen(&mut self, now: Now) {
        for copies in &mut self.copies {
            while copies.coming.front().is_some_and(|copy| now.mono.since(copy.heard.mono) >= self.lag) {
                copies.seen = copies.coming.pop_front();
            }
        }
    }

    fn handle_received(&mut self, now: Now, frame: &[u8]) {
        let Ok(Frame::Replicate(Replicate { secret, fence: _, blue, green, sent, blue_may, green_may })) =
            Frame::from_bytes(frame)
        else {
            return;
        };
        let Some(slot) = self.copies.get_mut(usize::from(secret.0)) else { return };
        let is_newer = slot.newest().is_none_or(|copy| sent > copy.sent);
        // Both clocks may be off by ε; a message older than that on top of a period was held.
        let age_max = self.timing.replication.plus(self.timing.epsilon.times(2));
        if is_newer && now.wall.since(sent) <= age_max {
            slot.coming.push_back(Copy { blue, green, blue_may, green_may, sent, heard: now });
        }
    }

    fn login(&self, now: Now, request: &LoginRequest) -> LoginReply {
        let copy = self.copies.get(usize::from(request.secret.0)).and_then(|copies| copies.seen);
        let refusal = match copy {
            Some(copy) if self.is_in_touch(now, &copy) => {
                let accepted = match request.principal {
                    Principal::Blue => copy.blue,
                    Principal::Green => copy.green,
                };
                (accepted != value_tag(&request.value)).then_some(Refusal::WrongValue)
            }
            Some(_) | None => Some(Refusal::Stale),
        };
        let may = copy.map_or((Privileges::ALL, Privileges::ALL), |copy| (copy.blue_may, copy.green_may));
        LoginReply { refusal, blue: may.0, green: may.1 }
    }

    /// By both clocks: either one may have been stopped or moved.
    fn is_in_touch(&self, now: Now, copy: &Copy) -> bool {
        let bound = self.timing.visibility;
        now.mono.since(copy.heard.mono) <= bound && now.wall.since(copy.heard.wall) <= bound
    }

    fn handle_called(&self, now: Now, call: Token, frame: &[u8], effects: &mut Effects) {
        if let Ok(Frame::LoginRequest(request)) = Frame::from_bytes(frame) {
            let frame = Frame::from(self.login(now, &request)).to_bytes();
            effects.push(Effect::Reply { call, frame });
        }
    }
}

impl Role for Replica {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let mut effects = Effects::new();
        self.ripen(now);
        match input {
            Input::Received { from: _, frame } => self.handle_received(now, &frame),
            Input::Called { call, from: _, frame } => self.handle_called(now, call, &frame, &mut effects),
            // It starts empty, sets no timer, writes and calls nothing.
            Input::Boot { .. }
            | Input::Persisted { .. }
            | Input::PersistFailed { .. }
            | Input::Returned { .. }
            | Input::Unknown { .. }
            | Input::Committed { .. }
            | Input::Timer { .. } => {}
        }
        effects
    }
}
