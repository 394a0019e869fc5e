//! Progress: a bar on a terminal, a line every few seconds off it, nothing if asked to be quiet.
//!
//! All of it goes to standard error; the summary has standard output to itself.

use crate::terminal::note;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Shows how far a sweep is.
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    /// What is counted, in the plural.
    noun: &'static str,
    planned: u64,
    done: u64,
    failed: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    pub fn new(planned: u64, quiet: bool) -> Self {
        Progress::of(planned, "seeds", quiet)
    }

    pub fn of(planned: u64, noun: &'static str, quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(planned), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template(TEMPLATE);
            bar.set_style(style.expect("a template that a test has shown"));
            bar.set_prefix(noun);
            bar
        });
        let now = Instant::now();
        Progress { bar, quiet, noun, planned, done: 0, failed: 0, began: now, told: now }
    }

    /// One more seed is done.
    pub fn done(&mut self, failed: bool) {
        self.done += 1;
        self.failed += u64::from(failed);
        match &self.bar {
            Some(bar) => {
                bar.inc(1);
                if failed {
                    bar.set_message(format!("{} failed", self.failed));
                }
            }
            None => self.beat(),
        }
    }

    /// Says something if nothing was said for a while. Also to be called while nothing happens.
    pub fn beat(&mut self) {
        if self.quiet || self.bar.is_some() || self.told.elapsed() < HEARTBEAT {
            return;
        }
        self.told = Instant::now();
        let elapsed = self.began.elapsed().as_millis().max(1);
        let per_second = u128::from(self.done) * 1_000 / elapsed;
        note(&format!(
            "tumbler: {}/{} {}, {per_second}/s, {} failed, {} s",
            self.done,
            self.planned,
            self.noun,
            self.failed,
            elapsed / 1_000
        ));
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

const TEMPLATE: &str = "{wide_bar} {pos}/{len} {prefix}  {per_sec}  eta {eta}  {msg}";
/// Longest silence off a terminal.
pub const HEARTBEAT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_has_a_valid_template() {
        assert!(ProgressStyle::with_template(TEMPLATE).is_ok());
        Progress::new(3, true).done(true);
    }
}
