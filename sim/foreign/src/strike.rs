//! Strikes: what the nemesis does to one call of a rotation function.
//!
//! It exists so that a plan is data: a list of strikes, each at a numbered call of a numbered
//! rotation, that exists before the run and replays it.
//!
//! It deliberately draws nothing while the run goes on; [`Strike::drawn`] is called before it.

use crate::guest::Call;
use std::fmt;
use std::str::FromStr;
use tumbler_plan::{Stream, StreamName};
use tumbler_types::FaultKind;

/// One strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Strike {
    /// Which rotation of the run, from 1.
    pub rotation: u32,
    /// Which call of that rotation, from 1, over all its invocations.
    pub call: u32,
    pub kind: StrikeKind,
}

/// What is done to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StrikeKind {
    /// It does not arrive, and the function is told of a broken connection.
    RequestLost,
    /// It is applied, and the function is told of a broken connection.
    ReplyLost,
    /// The function's process ends before it.
    KilledBefore,
    /// It is applied, and the function's process ends.
    AppliedKilled,
    /// It does not arrive, and the function waits until its life ends.
    Never,
    /// As never, but it does arrive: after the next rotation.
    Held,
    /// It is answered with what stood before the last change.
    Stale,
    /// Before it, a second delivery of the same invocation runs to its end.
    Doubled,
    /// The process stops before it, and goes on after the next rotation; a second delivery does the
    /// work meanwhile.
    Paused,
    /// Its invocation is delivered once more after the next rotation.
    Late,
    /// The process stops before it, and a second delivery does the work; later the two, or the old one
    /// and the next rotation's, take turns call by call.
    Interleaved,
    /// Before it an operator cancels the rotation, and does what the manual says about its labels.
    Cancelled,
    /// For five seconds from then on, no TLS handshake succeeds.
    TlsFails,
}

impl StrikeKind {
    pub const ALL: [StrikeKind; 13] = [
        StrikeKind::RequestLost,
        StrikeKind::ReplyLost,
        StrikeKind::KilledBefore,
        StrikeKind::AppliedKilled,
        StrikeKind::Never,
        StrikeKind::Held,
        StrikeKind::Stale,
        StrikeKind::Doubled,
        StrikeKind::Paused,
        StrikeKind::Late,
        StrikeKind::Interleaved,
        StrikeKind::Cancelled,
        StrikeKind::TlsFails,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            StrikeKind::RequestLost => "request-lost",
            StrikeKind::ReplyLost => "reply-lost",
            StrikeKind::KilledBefore => "killed-before",
            StrikeKind::AppliedKilled => "applied-killed",
            StrikeKind::Never => "never",
            StrikeKind::Held => "held",
            StrikeKind::Stale => "stale",
            StrikeKind::Doubled => "doubled",
            StrikeKind::Paused => "paused",
            StrikeKind::Late => "late",
            StrikeKind::Interleaved => "interleaved",
            StrikeKind::Cancelled => "cancelled",
            StrikeKind::TlsFails => "tls-fails",
        }
    }

    /// What happened, for a story.
    pub const fn sentence(self) -> &'static str {
        match self {
            StrikeKind::RequestLost => "the request is lost; the function is told that the connection broke",
            StrikeKind::ReplyLost => {
                "applied, and the reply is lost; the function is told that the connection broke"
            }
            StrikeKind::KilledBefore => "the process is killed before this call",
            StrikeKind::AppliedKilled => "applied, and the process is killed",
            StrikeKind::Never => "never answered; the process is killed when its life ends",
            StrikeKind::Held => "held on its way; the process is killed when its life ends",
            StrikeKind::Stale => "answered with what stood before the last change",
            StrikeKind::Doubled => "a second delivery of this invocation runs first",
            StrikeKind::Paused => "not sent yet: the process stops; a second delivery does the work",
            StrikeKind::Late => "this invocation will be delivered once more, later",
            StrikeKind::Interleaved => {
                "not sent yet: the process stops; from some call on it and others take turns"
            }
            StrikeKind::Cancelled => "an operator cancels the rotation before this call",
            StrikeKind::TlsFails => "TLS fails for five seconds",
        }
    }

    /// The fault of the catalog that it is one of.
    pub const fn fault(self) -> FaultKind {
        match self {
            StrikeKind::RequestLost | StrikeKind::Never => FaultKind::LoseRequest,
            StrikeKind::ReplyLost => FaultKind::LoseReply,
            StrikeKind::KilledBefore | StrikeKind::AppliedKilled => FaultKind::Crash,
            StrikeKind::Held | StrikeKind::Stale => FaultKind::Hold,
            StrikeKind::Doubled | StrikeKind::Late => FaultKind::Duplicate,
            StrikeKind::Paused | StrikeKind::Interleaved => FaultKind::Pause,
            StrikeKind::Cancelled => FaultKind::Reconfigure,
            StrikeKind::TlsFails => FaultKind::Strip,
        }
    }

    /// Whether it can be done to this call, the first of its invocation or not.
    pub fn fits(self, call: &Call, is_first: bool) -> bool {
        match self {
            StrikeKind::Stale => call.reads() && call.op != "secretsmanager.get_random_password",
            StrikeKind::TlsFails => call.op == "sql.connect",
            StrikeKind::Late => is_first,
            StrikeKind::Held => !call.reads() && call.op != "sql.connect",
            StrikeKind::RequestLost
            | StrikeKind::ReplyLost
            | StrikeKind::KilledBefore
            | StrikeKind::AppliedKilled
            | StrikeKind::Never
            | StrikeKind::Doubled
            | StrikeKind::Paused
            | StrikeKind::Interleaved
            | StrikeKind::Cancelled => true,
        }
    }
}

impl Strike {
    /// One to three strikes of a seed, over rotations of so many calls.
    pub fn drawn(seed: u64, calls: &[u32]) -> Vec<Strike> {
        let mut stream = Stream::new(seed, StreamName::Faults, (0, 0), FOREIGN);
        let count = 1 + stream.below(3);
        let mut strikes: Vec<Strike> = (0..count)
            .map(|_| {
                let rotation = stream.below(calls.len() as u64);
                let calls = calls.get(usize::try_from(rotation).expect("an index")).copied().unwrap_or(1);
                let kind = stream.below(StrikeKind::ALL.len() as u64);
                Strike {
                    rotation: 1 + u32::try_from(rotation).expect("a few rotations"),
                    call: 1 + u32::try_from(stream.below(u64::from(calls.max(1)))).expect("a few calls"),
                    kind: StrikeKind::ALL[usize::try_from(kind).expect("an index")],
                }
            })
            .collect();
        strikes.sort();
        strikes.dedup_by_key(|strike| (strike.rotation, strike.call));
        strikes
    }
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.rotation, self.call, self.kind.name())
    }
}

/// `ROTATION:CALL:FAULT`.
impl FromStr for Strike {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = |what: &str| format!("expected ROTATION:CALL:FAULT, for example 1:7:held, got {what}");
        let mut parts = text.split(':');
        let (Some(rotation), Some(call), Some(kind), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(expected(&format!("`{text}`")));
        };
        let number = |part: &str| {
            part.parse().ok().filter(|number| *number > 0).ok_or_else(|| expected(&format!("`{part}`")))
        };
        let found = StrikeKind::ALL.into_iter().find(|each| each.name() == kind);
        let kind = found.ok_or_else(|| {
            let names: Vec<&str> = StrikeKind::ALL.iter().map(|each| each.name()).collect();
            let (first, second) = names.split_at(names.len() / 2);
            format!("\n  no fault `{kind}`; there are {},\n  {}", first.join(", "), second.join(", "))
        })?;
        Ok(Strike { rotation: number(rotation)?, call: number(call)?, kind })
    }
}

/// The kind under which the nemesis draws here, apart from that of scenarios.
pub(crate) const FOREIGN: u32 = 0x666f_7265;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_is_read_as_it_is_written() {
        for kind in StrikeKind::ALL {
            let strike = Strike { rotation: 2, call: 17, kind };
            assert_eq!(strike.to_string().parse(), Ok(strike));
        }
        for text in ["", "1:2", "0:1:held", "1:x:held", "1:2:held:3"] {
            assert!(text.parse::<Strike>().is_err_and(|why| why.contains("ROTATION:CALL:FAULT")), "{text}");
        }
        assert!("1:2:eaten".parse::<Strike>().is_err_and(|why| why.contains("reply-lost")));
    }

    #[test]
    fn drawn_strikes_are_within_the_calls_and_the_same_again() {
        for seed in 0..200 {
            let drawn = Strike::drawn(seed, &[5, 9]);
            assert_eq!(drawn, Strike::drawn(seed, &[5, 9]));
            assert!((1..=3).contains(&drawn.len()));
            for strike in drawn {
                let calls = [5, 9][strike.rotation as usize - 1];
                assert!((1..=calls).contains(&strike.call));
            }
        }
    }
}
