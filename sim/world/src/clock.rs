//! A node's two clocks: what they show, and when a deadline on them has come.
//!
//! The wall clock has an offset; the monotonic one begins at the start of an incarnation and stands
//! still while the node sleeps. Both follow a drift; a freeze and a strobe touch the wall clock alone,
//! as a lost or a second source of time does. When a harm ends, the wall clock is set right and the
//! monotonic one keeps what it gained: it never jumps.
//!
//! It deliberately arms nothing: the engine asks how long a deadline still takes.
//!
//! `Model:` resolution is a nanosecond, and both clocks of a node share one oscillator. A timer that
//! was set before the rate rose is late by its share of the difference; none is ever early.

use tumbler_plan::ClockHarm;
use tumbler_types::{Instant, Mono, Span, Wall};

/// A node's clocks.
pub struct Clocks {
    /// Wall clock minus true time, nanoseconds, but for a harm.
    pub offset: i64,
    /// What the offset returns to when a clock fault ends.
    pub offset_base: i64,
    pub booted_at: Instant,
    /// How long this incarnation has slept: its monotonic clock missed so much.
    pub slept: Span,
    pub asleep_since: Option<Instant>,
    harm: Option<Standing>,
    /// What ended drifts gave the monotonic clock of this incarnation.
    gained: i128,
}

struct Standing {
    harm: ClockHarm,
    since: Instant,
    /// For how long this incarnation had been awake.
    awake: Span,
}

impl Clocks {
    pub fn new(offset: i64) -> Self {
        Clocks {
            offset,
            offset_base: offset,
            booted_at: Instant::ZERO,
            slept: Span::ZERO,
            asleep_since: None,
            harm: None,
            gained: 0,
        }
    }

    /// A new incarnation: its monotonic clock begins.
    pub fn boot(&mut self, now: Instant) {
        (self.booted_at, self.slept, self.gained) = (now, Span::ZERO, 0);
        if let Some(standing) = &mut self.harm {
            standing.awake = Span::ZERO;
        }
    }

    /// No other clock fault stands.
    pub fn is_right(&self) -> bool {
        self.harm.is_none() && self.offset == self.offset_base
    }

    pub fn is_harmed(&self) -> bool {
        self.harm.is_some()
    }

    pub fn begin(&mut self, now: Instant, harm: ClockHarm) {
        let awake = self.awake(now);
        self.harm = Some(Standing { harm, since: now, awake });
    }

    pub fn end(&mut self, now: Instant) {
        self.gained += self.gaining(now);
        self.harm = None;
    }

    /// Wall clock minus true time, nanoseconds.
    pub fn offset_at(&self, now: Instant) -> i64 {
        let Some(Standing { harm, since, awake: _ }) = &self.harm else { return self.offset };
        match harm {
            ClockHarm::Drift { .. } | ClockHarm::Freeze => {
                let gained = i64::try_from(harm.gained(now.since(*since))).unwrap_or(i64::MIN / 2);
                self.offset.saturating_add(gained)
            }
            ClockHarm::Strobe { offset_nanos, period } => {
                let turns = now.since(*since).nanos() / period.nanos().max(1);
                if turns.is_multiple_of(2) { *offset_nanos } else { self.offset }
            }
        }
    }

    pub fn wall(&self, now: Instant) -> Wall {
        Wall::at(now, self.offset_at(now))
    }

    pub fn mono(&self, now: Instant) -> Mono {
        let shown = i128::from(self.awake(now).nanos()) + self.gained + self.gaining(now);
        Mono(u64::try_from(shown.max(0)).unwrap_or(u64::MAX))
    }

    /// Time until the monotonic clock shows the deadline, if the rate stays as it is.
    pub fn until(&self, now: Instant, deadline: Mono) -> Span {
        let left = deadline.since(self.mono(now));
        let Some(Standing { harm: ClockHarm::Drift { ppm }, .. }) = self.harm else { return left };
        let rate = MILLION + i128::from(ppm).max(1 - MILLION);
        let true_nanos = (i128::from(left.nanos()) * MILLION + rate - 1) / rate;
        Span(u64::try_from(true_nanos).unwrap_or(u64::MAX))
    }

    fn awake(&self, now: Instant) -> Span {
        let asleep = self.asleep_since.map_or(Span::ZERO, |since| now.since(since));
        now.since(self.booted_at).minus(self.slept).minus(asleep)
    }

    /// What the monotonic clock has gained under a standing drift.
    fn gaining(&self, now: Instant) -> i128 {
        match &self.harm {
            Some(Standing { harm: harm @ ClockHarm::Drift { .. }, since: _, awake }) => {
                harm.gained(self.awake(now).minus(*awake))
            }
            _ => 0,
        }
    }
}

const MILLION: i128 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Milliseconds that the wall clock is off and that the monotonic one shows, at each second.
    fn shown(harm: ClockHarm, seconds: &[u64]) -> Vec<(i64, u64)> {
        let mut clocks = Clocks::new(7_000_000);
        clocks.boot(Instant(SECOND));
        clocks.begin(Instant(2 * SECOND), harm);
        let mut out = Vec::new();
        for second in seconds {
            let now = Instant(second * SECOND);
            if *second == 10 {
                clocks.end(now);
            }
            out.push((clocks.offset_at(now) / 1_000_000, clocks.mono(now).nanos() / 1_000_000));
        }
        out
    }

    #[test]
    fn each_harm_shows_on_its_clocks_and_is_gone_when_it_ends() {
        let seconds = [2, 3, 6, 10, 12];
        let drift = shown(ClockHarm::Drift { ppm: 1_000 }, &seconds);
        assert_eq!(drift, [(7, 1_000), (8, 2_001), (11, 5_004), (7, 9_008), (7, 11_008)]);
        let freeze = shown(ClockHarm::Freeze, &seconds);
        assert_eq!(freeze, [(7, 1_000), (-993, 2_000), (-3_993, 5_000), (7, 9_000), (7, 11_000)]);
        let strobe = ClockHarm::Strobe { offset_nanos: -40_000_000, period: Span::from_secs(1) };
        let strobe = shown(strobe, &seconds);
        assert_eq!(strobe, [(-40, 1_000), (7, 2_000), (-40, 5_000), (7, 9_000), (7, 11_000)]);
    }

    #[test]
    fn a_deadline_comes_when_the_drifting_clock_shows_it() {
        for ppm in [-200, -1, 0, 3, 200, 100_000] {
            let mut clocks = Clocks::new(0);
            clocks.begin(Instant::ZERO, ClockHarm::Drift { ppm });
            let deadline = Mono(10 * SECOND);
            let left = clocks.until(Instant::ZERO, deadline);
            assert!(clocks.mono(Instant::ZERO.plus(left)) >= deadline, "{ppm}");
            assert!(clocks.mono(Instant::ZERO.plus(left.minus(Span(2)))) < deadline, "{ppm}");
        }
    }
}
