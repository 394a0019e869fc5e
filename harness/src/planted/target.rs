//! Planted bugs around targets: what a rotator's shell, or a target's, does to what passes.
//!
//! Like all planted bugs they break one promise each, and name the invariant that must notice.

use super::edited;
use tumbler_types::role::v1::{Effect, Effects, Input, Now, Role};
use tumbler_types::{Privileges, SecretValue, Span, Step};
use tumbler_wire::{Frame, TargetRecord};

/// A rotator that is told that every quarantine is over.
pub struct HurriedRotator<R> {
    role: R,
}

impl<R> HurriedRotator<R> {
    pub fn new(role: R) -> Self {
        HurriedRotator { role }
    }
}

impl<R: Role> Role for HurriedRotator<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let told = match input {
            Input::Returned { token, frame } => {
                let frame = match Frame::from_bytes(&frame) {
                    Ok(Frame::RecordReply(mut reply)) => {
                        reply.record.quarantine_left = Span::ZERO;
                        Frame::from(reply).to_bytes()
                    }
                    Ok(_) | Err(_) => frame,
                };
                Input::Returned { token, frame }
            }
            other => other,
        };
        self.role.handle(now, told)
    }
}

/// A rotator that gives a rotation up without putting the former value back.
pub struct ForgetfulRotator<R> {
    role: R,
}

impl<R> ForgetfulRotator<R> {
    pub fn new(role: R) -> Self {
        ForgetfulRotator { role }
    }
}

impl<R: Role> Role for ForgetfulRotator<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        edited(self.role.handle(now, input), |frame| {
            if let Frame::ApplyRequest(request) = frame
                && request.fence.step == Step::Restore
            {
                request.value = SecretValue::new(Vec::new());
            }
        })
    }
}

/// A target that makes a principal durable without the transport that it must insist on.
pub struct PlainTarget<R> {
    role: R,
}

impl<R> PlainTarget<R> {
    pub fn new(role: R) -> Self {
        PlainTarget { role }
    }
}

impl<R: Role> Role for PlainTarget<R> {
    fn handle(&mut self, now: Now, input: Input) -> Effects {
        let plain = |effect| match effect {
            Effect::Persist { token, record, bytes } => {
                let bytes = match TargetRecord::from_bytes(&bytes) {
                    Ok(mut row) if row.fence().is_some_and(|fence| fence.step == Step::Set) => {
                        row.permit(row.touched, row.may(row.touched).without(Privileges::TLS_REQUIRED));
                        row.to_bytes()
                    }
                    Ok(_) | Err(_) => bytes,
                };
                Effect::Persist { token, record, bytes }
            }
            other => other,
        };
        self.role.handle(now, input).into_iter().map(plain).collect()
    }
}
