//! Shrinking: the same failure with fewer strikes.
//!
//! It deliberately changes no strike: there are few of them, and each is one line's argument.

use super::Rotator;
use super::process::watched;
use crate::exit::Failure;
use std::time::Duration;
use tumbler_foreign::{Plan, Report};

/// Leaves strikes out one at a time, while verdict and invariant stay. None if each is needed.
pub fn smaller(
    rotator: &Rotator,
    plan: &Plan,
    report: &Report,
    limit: Duration,
) -> Result<Option<(Plan, Report)>, Failure> {
    watched(|| fewer(rotator, plan, report, limit))
}

fn fewer(rotator: &Rotator, plan: &Plan, report: &Report, limit: Duration) -> Option<(Plan, Report)> {
    let mut guests = rotator.guests(limit);
    let mut best: Option<(Plan, Report)> = None;
    let mut place = 0;
    loop {
        let strikes = &best.as_ref().map_or(plan, |(plan, _)| plan).strikes;
        if place >= strikes.len() || strikes.len() < 2 {
            return best;
        }
        let mut fewer = strikes.clone();
        fewer.remove(place);
        let candidate = Plan { strikes: fewer, ..plan.clone() };
        let again = tumbler_foreign::run(&candidate, guests.as_mut());
        if again.outcome.verdict() == report.outcome.verdict() {
            best = Some((candidate, again));
        } else {
            place += 1;
        }
    }
}
