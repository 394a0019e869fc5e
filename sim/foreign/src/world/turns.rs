//! Turns: an old invocation and a new one, call by call.
//!
//! It exists because what holds when one lands whole after the other may not when they alternate.
//!
//! What it deliberately does not do: search. The seed chooses at which call of the others the old one
//! goes on, and after each how many of its own it makes; a second seed is a second interleaving.
//!
//! Invariant: a straggler is over when the rotation after its own is.

use super::*;

/// An invocation that goes on between the calls of others.
pub(super) struct Straggler {
    pub(super) invocation: Invocation,
    /// What it waits in.
    call: Call,
    /// Calls of others until it goes on.
    skip: u64,
    /// The rotation with whose end it is over.
    until: u32,
    turns: Stream,
}

impl World<'_> {
    /// Lets an invocation wait in a call until its turn comes.
    pub(super) fn straggle(&mut self, invocation: Invocation, call: Call, until: u32) {
        let place = (invocation.rotation, self.calls.get(&invocation.rotation).copied().unwrap_or_default());
        let mut turns = Stream::new(self.plan.seed, StreamName::Orders, place, FOREIGN);
        let skip = turns.below(SKIP_MAX);
        self.stragglers.push(Straggler { invocation, call, skip, until, turns });
    }

    /// Before a call of anybody else: none of a straggler's own, or one, or some in a row.
    pub(super) fn take_turns(&mut self) {
        for mut straggler in std::mem::take(&mut self.stragglers) {
            if straggler.skip > 0 {
                straggler.skip -= 1;
                self.stragglers.push(straggler);
                continue;
            }
            let mut waits = Some(straggler);
            while let Some(mut straggler) = waits.take() {
                if straggler.turns.below(2) == 0 {
                    self.stragglers.push(straggler);
                } else {
                    waits = self.go_on(straggler);
                }
            }
        }
    }

    /// What is left of the stragglers of the rotation before runs alone.
    pub(super) fn finish_stragglers(&mut self, rotation: u32) {
        let all = std::mem::take(&mut self.stragglers);
        let (due, stay): (Vec<_>, Vec<_>) = all.into_iter().partition(|each| each.until <= rotation);
        self.stragglers = stay;
        for straggler in due {
            let mut waits = Some(straggler);
            while let Some(straggler) = waits {
                waits = self.go_on(straggler);
            }
        }
    }

    /// One call of a straggler; none if that was its last.
    fn go_on(&mut self, mut straggler: Straggler) -> Option<Straggler> {
        let Straggler { invocation, call, .. } = &mut straggler;
        self.now = self.now.plus(self.latency.span(LATENCY_MIN, LATENCY_MAX));
        let who = invocation::name(invocation);
        if self.now.since(invocation.began) > LIFE {
            self.record(&who, "its life is over".to_owned(), None);
            self.killed(invocation);
            return None;
        }
        self.record(&who, format!("{MEANWHILE}{}", self.told(call)), None);
        let After::Answer(answer) = self.answered(invocation, call) else { return None };
        match self.guests.answer(invocation.guest, self.now, &answer) {
            Said::Called(next) => {
                self.hear(invocation, &next.log);
                *call = next;
                Some(straggler)
            }
            said => {
                self.over(invocation, said);
                None
            }
        }
    }
}

/// How the records of a straggler's calls begin.
pub const MEANWHILE: &str = "meanwhile: ";
/// More than the calls of a rotation: it may go on in the next one.
const SKIP_MAX: u64 = 48;
