//! Where two runs first differ, by checkpoint search.
//!
//! Both are run for their digests at even intervals, which costs no memory; then again as far as the end
//! of the first interval that differs, and only that interval crosses the pipe.
//!
//! It deliberately runs each side in a process of its own, so that what a process remembers cannot make
//! two runs agree.

use crate::exit::Failure;
use crate::job::{Done, Job, Settings, Task};
use crate::subject::once;
use std::time::Duration;
use tumbler_plan::{Checkpoint, Plan};
use tumbler_reports::Difference;
use tumbler_reports::difference::aligned;

/// One of two runs.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub name: &'a str,
    pub plan: &'a Plan,
    pub settings: &'a Settings,
}

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    Same(Checkpoint),
    Different {
        /// Events of the last prefix with equal digests.
        equal: u64,
        /// Intervals that were compared by digest alone.
        intervals: u64,
        /// None: recorded, the two agreed there.
        difference: Option<Difference>,
        /// Both, side by side around it.
        aligned: String,
    },
}

/// Compares two runs.
pub async fn compare(left: Side<'_>, right: Side<'_>, limit: Duration) -> Result<Compared, Failure> {
    let (one, two) = (left.run(Task::Chain, limit).await?, right.run(Task::Chain, limit).await?);
    let (Some(whole), Some(other)) = (one.samples.last(), two.samples.last()) else {
        return Err(Failure::Internal("a whole run has a digest".to_owned()));
    };
    if whole == other {
        return Ok(Compared::Same(*whole));
    }
    let (from, to) = interval(&one.samples, &two.samples);
    let (first, end) = (from.saturating_sub(CONTEXT), to + CONTEXT);
    let slice = Task::Slice { from: first, to: end };
    let (one, two) = (left.run(slice.clone(), limit).await?, right.run(slice, limit).await?);
    let difference = Difference::first(&one.lines, &two.lines);
    let step = difference.as_ref().map_or(from, |difference| difference.step);
    Ok(Compared::Different {
        equal: from,
        intervals: to.div_ceil(tumbler_plan::DigestChain::INTERVAL),
        difference,
        aligned: aligned(&one.lines, &two.lines, step),
    })
}

impl Side<'_> {
    async fn run(&self, task: Task, limit: Duration) -> Result<Done, Failure> {
        let job = Job { id: 0, name: self.name.to_owned(), plan: self.plan.clone(), task };
        let done = once(self.settings, limit, &job).await?;
        match (&done.report.row.trace_digest, &done.report.last) {
            (None, Some(last)) => {
                Err(Failure::Usage(format!("{} has no whole trace: {}", self.name, last.why)))
            }
            _ => Ok(done),
        }
    }
}

/// The events of the last equal checkpoint, and of the first that is not: there, or before, or at the
/// longer one's end, is the difference.
pub fn interval(left: &[Checkpoint], right: &[Checkpoint]) -> (u64, u64) {
    let equal = left.iter().zip(right).take_while(|(one, two)| one == two).count();
    let from = equal.checked_sub(1).map_or(0, |last| left[last].events);
    let next = |chain: &[Checkpoint]| chain.get(equal).map_or(from, |checkpoint| checkpoint.events);
    (from, next(left).max(next(right)))
}

/// Events beside an interval, to be shown.
const CONTEXT: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_plan::Digest;
    use tumbler_types::Instant;

    #[test]
    fn the_interval_lies_between_the_last_equal_checkpoint_and_the_first_other_one() {
        let chain = |values: &[(u64, &str)]| -> Vec<Checkpoint> {
            let checkpoint = |(events, text): &(u64, &str)| Checkpoint {
                events: *events,
                at: Instant(*events),
                digest: Digest::of(text.as_bytes()),
            };
            values.iter().map(checkpoint).collect()
        };
        let left = chain(&[(10, "a"), (20, "b"), (25, "end")]);
        let check = |right: &[(u64, &str)], expect| assert_eq!(interval(&left, &chain(right)), expect);
        check(&[(10, "a"), (20, "x"), (25, "y")], (10, 20));
        check(&[(10, "x"), (20, "y"), (25, "z")], (0, 10));
        check(&[(10, "a"), (20, "b"), (30, "c"), (33, "end")], (20, 30));
        check(&[(10, "a"), (15, "end")], (10, 20));
    }
}
