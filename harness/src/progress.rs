//! Progress: a bar on a terminal, a line every few seconds off it, or what was asked for.
//!
//! All of it goes to standard error; the summary has standard output to itself.

use crate::terminal::note;
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Show {
    /// A bar on a terminal, a counter off it
    Auto,
    /// A bar; nothing off a terminal
    Bar,
    /// A line every few seconds
    Counter,
    /// Nothing
    None,
}

impl Show {
    /// What is meant where standard error is, or is not, a terminal.
    fn resolved(self, terminal: bool) -> Show {
        match (self, terminal) {
            (Show::Auto | Show::Bar, true) => Show::Bar,
            (Show::Auto, false) | (Show::Counter, _) => Show::Counter,
            (Show::Bar, false) | (Show::None, _) => Show::None,
        }
    }
}

/// Shows how far a sweep is.
pub struct Progress {
    bar: Option<ProgressBar>,
    counts: bool,
    /// What is counted, in the plural.
    noun: &'static str,
    planned: u64,
    done: u64,
    failed: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    pub fn new(planned: u64, show: Show) -> Self {
        Progress::of(planned, "seeds", show)
    }

    pub fn of(planned: u64, noun: &'static str, show: Show) -> Self {
        let show = show.resolved(std::io::stderr().is_terminal());
        let bar = (show == Show::Bar).then(|| {
            let bar = ProgressBar::with_draw_target(Some(planned), ProgressDrawTarget::stderr_with_hz(10));
            let style = ProgressStyle::with_template(TEMPLATE);
            bar.set_style(style.expect("a template that a test has shown"));
            bar.set_prefix(noun);
            bar
        });
        let now = Instant::now();
        let counts = show == Show::Counter;
        Progress { bar, counts, noun, planned, done: 0, failed: 0, began: now, told: now }
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
        if !self.counts || self.told.elapsed() < HEARTBEAT {
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
        Progress::new(3, Show::None).done(true);
    }

    #[test]
    fn what_is_shown_depends_on_the_terminal_only_where_it_should() {
        let table = [
            (Show::Auto, Show::Bar, Show::Counter),
            (Show::Bar, Show::Bar, Show::None),
            (Show::Counter, Show::Counter, Show::Counter),
            (Show::None, Show::None, Show::None),
        ];
        for (asked, on, off) in table {
            assert_eq!((asked.resolved(true), asked.resolved(false)), (on, off), "{asked:?}");
        }
    }
}
