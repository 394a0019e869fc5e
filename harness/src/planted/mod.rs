//! Planted bugs at the seams of roles: wrappers that edit what goes in or comes out.
//!
//! Each breaks one promise, and a named invariant must catch it. The roles hold no sabotage switch;
//! bugs of the disk and of the driver live in the world, under the same plan entry.
//!
//! Those that retell a published incident are [`Flaw`]s: one decision each, taken wrongly, with the
//! reference in the scenario that plants it.
//!
//! What this module deliberately does not do: break two things at once.

mod agent;
mod authority;
mod clock;
mod connection;
mod effect;
mod fault;
mod flaw;
mod key;
mod lease;
mod replica;
mod store;
pub mod target;
mod test;
mod value;

pub use agent::{ClingingAgent, HastyAgent, SilentAgent};
pub use authority::{ForgetsDueTime, ForgetsQueue, IgnoresEpoch, NotifiesOnce};
pub use clock::{HardcodesPeriod, MeasuresByTheWall, SkipsMissed};
pub use connection::{ReadsLateAnswer, TakesResetForDone};
pub use effect::{
    AppliesUnrecorded, Counts, ForgetsRetire, ForgetsRevocation, GivesUp, PinsConnection, RestoresOriginal,
    ValidatesAfterwards,
};
pub use fault::{AddsEpsilon, IgnoresFailure, OverlooksStall, RenewsAtStart, TrustsHalfOpen};
pub use flaw::{Flaw, Flawed};
pub use key::{ForgetsOrphans, TrustsAnsweredMint};
pub use lease::{RefreshesOnePath, RenewerDies, RestartsLease, StaysUnhealthy};
pub use replica::KeepingReplica;
pub use store::LosingStore;
pub use test::{RejectsRepetition, SkipsTest};
pub use value::{Regenerates, ReplaysLeftovers, TakesOverEmpty};

use tumbler_types::role::v1::{Effect, Effects};
use tumbler_wire::Frame;

/// The effects with every frame of a request or reply passed through `edit`.
fn edited(effects: Effects, mut edit: impl FnMut(&mut Frame)) -> Effects {
    let mut change = |bytes: Vec<u8>| match Frame::from_bytes(&bytes) {
        Ok(mut frame) => {
            edit(&mut frame);
            frame.to_bytes()
        }
        Err(_) => bytes,
    };
    let one = |effect| match effect {
        Effect::Call { token, to, frame, timeout } => {
            Effect::Call { token, to, frame: change(frame), timeout }
        }
        Effect::Reply { call, frame } => Effect::Reply { call, frame: change(frame) },
        other => other,
    };
    effects.into_iter().map(one).collect()
}
