//! Rotators that take a wrong decision about what a test at the target says.

use super::flaw::{Flaw, Out, answer, call, returned};
use std::collections::{BTreeMap, BTreeSet};
use tumbler_types::role::v1::{Effect, Effects, Input, Now};
use tumbler_types::{Fence, Privileges, SecretId};
use tumbler_wire::Frame;
use tumbler_wire::frame::{ApplyReply, ApplyRequest, LoginReply, QueryReply};

/// Waits out a request that sets a value, then takes it for done, and every test for passed.
#[derive(Default)]
pub struct SkipsTest {
    setting: Out<SecretId>,
    testing: Out<SecretId>,
    /// What was set last, and not removed since.
    set: BTreeSet<SecretId>,
}

impl Flaw for SkipsTest {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let (setting, testing) = (self.setting.take(&input), self.testing.take(&input));
        match (&input, setting, testing) {
            (Input::Unknown { token }, Some(_), _) => {
                returned(*token, ApplyReply { applied: true, last: None })
            }
            (Input::Returned { token, .. }, _, Some(secret)) if self.set.contains(&secret) => {
                returned(*token, LoginReply { refusal: None, blue: Privileges::ALL, green: Privileges::ALL })
            }
            _ => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((_, _, Frame::ApplyRequest(request))) if request.value.is_empty() => {
                self.set.remove(&request.secret);
            }
            Some((token, _, Frame::ApplyRequest(request))) => {
                self.set.insert(request.secret);
                self.setting.put(token, request.secret);
            }
            Some((token, _, Frame::LoginRequest(request))) => self.testing.put(token, request.secret),
            Some(_) | None => {}
        }
        out.push(effect);
    }
}

/// Takes it for an error when the target already has what a repeated request would set.
#[derive(Default)]
pub struct RejectsRepetition {
    last: BTreeMap<SecretId, Fence>,
    repeated: Out<()>,
    /// Queries after a request whose outcome is unknown.
    doubtful: Out<()>,
}

impl Flaw for RejectsRepetition {
    fn hear(&mut self, _now: Now, input: Input, _out: &mut Effects) -> Option<Input> {
        let is_judged = self.repeated.take(&input).is_some() | self.doubtful.take(&input).is_some();
        match answer(&input) {
            Some((token, Frame::ApplyReply(reply))) if is_judged => {
                returned(token, ApplyReply { applied: false, ..reply })
            }
            Some((token, Frame::QueryReply(reply))) if is_judged => {
                returned(token, QueryReply { fence: None, ..reply })
            }
            Some(_) | None => Some(input),
        }
    }

    fn say(&mut self, _now: Now, effect: Effect, out: &mut Effects) {
        match call(&effect) {
            Some((token, _, Frame::ApplyRequest(ApplyRequest { secret, fence, .. }))) => {
                let fence = Fence::from(fence);
                if self.last.insert(secret, fence) == Some(fence) {
                    self.repeated.put(token, ());
                }
            }
            Some((token, _, Frame::QueryRequest(_))) => self.doubtful.put(token, ()),
            Some(_) | None => {}
        }
        out.push(effect);
    }
}
