//! What a `[[fault]]` does to the links between two groups, with parameters that a seed draws.
//!
//! It deliberately knows neither who stands on which side nor when: those are read alike for every
//! fault between groups.

use crate::error::Mistake;
use crate::fault::{absent, misplaced};
use crate::file::{FaultTable, Words};
use crate::range::{Chance, Drawn};
use tumbler_plan::{LinkHarm, Share, Stream};
use tumbler_types::{FaultKind, Span};

/// A harm of links, before its parameters are drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    Slow { extra: Drawn<Span>, share: Share },
    Lossy { share: Share },
    Corrupt { share: Share },
    Narrow { bandwidth: Drawn<u32>, queue: Drawn<u32> },
    HalfOpen,
}

impl Link {
    /// The harm of this kind of fault; none if it is of another sort. Keys that it has not are refused.
    pub fn parse(table: &FaultTable, kind: FaultKind) -> Result<Option<Self>, Mistake> {
        let given = [
            ("extra", &table.extra),
            ("share", &table.share),
            ("bandwidth", &table.bandwidth),
            ("queue", &table.queue),
        ];
        let keys: &[&str] = match kind {
            FaultKind::SlowLink => &["extra", "share"],
            FaultKind::LossyLink | FaultKind::Corrupt => &["share"],
            FaultKind::NarrowLink => &["bandwidth", "queue"],
            _ => &[],
        };
        for (what, words) in given {
            match (words, keys.contains(&what)) {
                (Some(words), false) => return Err(misplaced(what, words.span.clone(), kind)),
                (None, true) => return Err(absent(what, table, meaning(what))),
                (Some(_), true) | (None, false) => {}
            }
        }
        let count = |what: &str, words: &Option<Words>| {
            at_least_one(what, words.as_ref().expect("a key of this kind was found above"))
        };
        let share = || share_of(table.share.as_ref().expect("a key of this kind was found above"));
        Ok(Some(match kind {
            FaultKind::SlowLink => {
                let words = table.extra.as_ref().expect("a key of this kind was found above");
                Link::Slow { extra: Drawn::<Span>::parse("extra", words)?, share: share()? }
            }
            FaultKind::LossyLink => Link::Lossy { share: share()? },
            FaultKind::Corrupt => Link::Corrupt { share: share()? },
            FaultKind::NarrowLink => Link::Narrow {
                bandwidth: count("bandwidth", &table.bandwidth)?,
                queue: count("queue", &table.queue)?,
            },
            FaultKind::HalfOpen => Link::HalfOpen,
            _ => return Ok(None),
        }))
    }

    /// The longest time by which it puts off one message; none if it does not.
    pub fn delay_max(&self) -> Option<Span> {
        match self {
            Link::Slow { extra, share: _ } => Some(extra.max),
            // What waits, and the message itself.
            Link::Narrow { bandwidth, queue } => {
                Some(Span::from_secs((u64::from(queue.max) + FRAME_MAX) / u64::from(bandwidth.min) + 1))
            }
            Link::Lossy { .. } | Link::Corrupt { .. } | Link::HalfOpen => None,
        }
    }

    pub fn draw(&self, stream: &mut Stream) -> LinkHarm {
        match self {
            Link::Slow { extra, share } => LinkHarm::Slow { extra: extra.draw(stream), share: *share },
            Link::Lossy { share } => LinkHarm::Lossy { share: *share },
            Link::Corrupt { share } => LinkHarm::Corrupt { share: *share },
            Link::Narrow { bandwidth, queue } => {
                let bytes_per_second = bandwidth.draw(stream);
                LinkHarm::Narrow { bytes_per_second, queue_bytes: queue.draw(stream) }
            }
            Link::HalfOpen => LinkHarm::HalfOpen,
        }
    }
}

fn share_of(words: &Words) -> Result<Share, Mistake> {
    let [word] = words.items.as_slice() else {
        return Err(Mistake::new(words.span.clone(), "`share` is no ratio", "write one ratio")
            .expected("one ratio, for example \"1/4\""));
    };
    let too_fine = || Mistake::new(word.span.clone(), "`share` is too fine", "write smaller numbers");
    let (numerator, denominator) = Chance::parse(word)?.parts();
    let narrow = |number| u32::try_from(number).map_err(|_| too_fine());
    Ok(Share { numerator: narrow(numerator)?, denominator: narrow(denominator)? })
}

fn at_least_one(what: &str, words: &Words) -> Result<Drawn<u32>, Mistake> {
    let drawn = Drawn::<u32>::parse(what, words)?;
    if drawn.min == 0 {
        return Err(Mistake::new(words.span.clone(), format!("`{what}` is nothing"), "write at least 1")
            .expected("at least 1 byte")
            .got(0));
    }
    Ok(drawn)
}

fn meaning(key: &str) -> &'static str {
    match key {
        "extra" => "what a message takes longer, at most",
        "share" => "which part of the messages it concerns, for example \"1/4\"",
        "bandwidth" => "bytes per second",
        _ => "bytes that may wait",
    }
}

/// No frame of ours is longer.
const FRAME_MAX: u64 = 4_096;
