//! The arguments of `run --rotator` and `grid --rotator`, and what they ask for.
//!
//! It deliberately opens nothing but the rotator's folder.

use super::again::{Again, Asked};
use super::capsule::Capsule;
use super::matrix::Grid;
use super::sweep::Run;
use super::{Rotator, Setting};
use crate::cli::{
    ExplainArgs, FormName, GridArgs, HiddenArgs, ReplayArgs, RunArgs, ShrinkArgs, TraceArgs, cores,
};
use crate::exit::Failure;
use crate::progress::Show;
use crate::run::Share;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;
use tumbler_foreign::{Engine, Layout};

/// A rotation function that is not ours.
#[derive(Debug, Args)]
pub struct ForeignArgs {
    /// A folder with a rotation function of your own: lambda_function.py, or an executable `rotator`
    #[arg(long, value_name = "DIR", conflicts_with = "what")]
    pub rotator: Option<PathBuf>,
    /// The database that the function speaks to [default: postgres]
    #[arg(long, value_name = "ENGINE", value_parser = engine)]
    pub engine: Option<Engine>,
    /// Which secrets and hosts the function finds: see harness/FOREIGN.md [default: plain]
    #[arg(long, value_name = "LAYOUT", value_parser = layout)]
    pub layout: Option<Layout>,
    /// A variable in the function's environment; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub env: Vec<Setting>,
}

impl ForeignArgs {
    /// Anything of it was given.
    pub const fn is_asked(&self) -> bool {
        self.rotator.is_some() || self.engine.is_some() || self.layout.is_some() || !self.env.is_empty()
    }

    fn open(&self) -> Result<Rotator, Failure> {
        let missing = || {
            Failure::Usage("expected --rotator DIR: what was given is for a rotator of your own".to_owned())
        };
        let folder = self.rotator.as_deref().ok_or_else(missing)?;
        let engine = self.engine.unwrap_or(Engine::Postgres);
        let layout = self.layout.unwrap_or_default();
        if !layout.fits(engine) {
            let (layout, engine) = (layout.name(), engine.name());
            let why =
                format!("--layout {layout}: there are no clusters of {engine}; expected postgres or mysql");
            return Err(Failure::Usage(why));
        }
        Rotator::open(folder, engine, layout, self.env.clone())
    }
}

impl RunArgs {
    /// Anything was given that is for a rotator that is not ours.
    pub const fn is_foreign(&self) -> bool {
        self.foreign.is_asked() || !self.strike.is_empty()
    }

    /// What `run --rotator` was asked for.
    pub fn of_rotator(self) -> Result<Run, Failure> {
        let others = [("--search", self.search.is_some()), ("--follow", self.follow.is_some())];
        if let Some((name, _)) = others.into_iter().find(|(_, given)| *given) {
            let why = format!("{name} is for scenarios: a rotator of your own is no part of the model");
            return Err(Failure::Usage(why));
        }
        Ok(Run {
            rotator: self.foreign.open()?,
            seeds: self.seeds,
            strikes: self.strike,
            jobs: self.jobs.map_or_else(cores, NonZeroUsize::get),
            out: self.out,
            max_fail: self.max_fail,
            shrink: self.shrink,
            baseline: self.baseline,
            quiet: self.quiet,
            show: if self.quiet && self.show_progress == Show::Auto {
                Show::None
            } else {
                self.show_progress
            },
            recheck: self.recheck.unwrap_or(Share::RECHECKED),
            limit: Duration::from_secs(self.hidden.watchdog).min(FOREIGN_LIMIT),
        })
    }
}

impl GridArgs {
    /// Anything was given that is for a rotator that is not ours.
    pub const fn is_foreign(&self) -> bool {
        self.foreign.is_asked() || self.baseline.is_some()
    }

    /// What `grid --rotator` was asked for.
    pub fn of_rotator(self) -> Result<Grid, Failure> {
        Ok(Grid {
            rotator: self.foreign.open()?,
            seed: self.seed,
            jobs: self.jobs.map_or_else(cores, NonZeroUsize::get),
            out: self.out,
            baseline: self.baseline,
            quiet: self.quiet,
            recheck: Share::RECHECKED,
            limit: Duration::from_secs(self.hidden.watchdog).min(FOREIGN_LIMIT),
        })
    }
}

/// Where a capsule's function is.
#[derive(Debug, Args)]
pub struct MovedArgs {
    /// For a capsule of a rotation function of your own: its folder, if not where the capsule says
    #[arg(long, value_name = "DIR")]
    pub rotator: Option<PathBuf>,
}

impl MovedArgs {
    /// What is asked of a file, if it is a foreign rotator's capsule.
    fn again(&self, file: &str, asked: Asked, hidden: &HiddenArgs) -> Result<Option<Again>, Failure> {
        let Some(capsule) = Capsule::read(file)? else {
            return match &self.rotator {
                Some(_) => {
                    let why =
                        format!("--rotator is for the capsule of a rotation function, and {file} is none");
                    Err(Failure::Usage(why))
                }
                None => Ok(None),
            };
        };
        let limit = Duration::from_secs(hidden.watchdog).min(FOREIGN_LIMIT);
        Ok(Some(Again { file: file.to_owned(), capsule, moved: self.rotator.clone(), asked, limit }))
    }
}

impl ReplayArgs {
    /// What is asked of a foreign rotator's capsule, if it is one.
    pub fn of_rotator(&self) -> Result<Option<Again>, Failure> {
        let asked = Asked::Replay { bisect: self.bisect };
        let again = self.moved.again(&self.what, asked, &self.hidden)?;
        let others = [
            ("--seed", self.seed.is_some()),
            ("--until", self.until.is_some()),
            ("--filter", !self.filter.is_empty()),
            ("--flaw", self.flaw.is_some()),
        ];
        match (&again, others.into_iter().find(|(_, given)| *given)) {
            (Some(_), Some((name, _))) => Err(Failure::Usage(format!(
                "{name} is for scenarios, and {} is of a rotation function:\n  \
                 `trace export {0} --format jsonl` prints all of its records",
                self.what
            ))),
            _ => Ok(again),
        }
    }
}

impl ShrinkArgs {
    /// What is asked of a foreign rotator's capsule, if it is one.
    pub fn of_rotator(&self) -> Result<Option<Again>, Failure> {
        let asked = Asked::Shrink { out: self.out.clone() };
        self.moved.again(&self.capsule.display().to_string(), asked, &self.hidden)
    }
}

impl ExplainArgs {
    /// What is asked of a foreign rotator's capsule, if it is one.
    pub fn of_rotator(&self) -> Result<Option<Again>, Failure> {
        self.moved.again(&self.capsule, Asked::Explain, &self.hidden)
    }
}

impl TraceArgs {
    /// What is asked of a foreign rotator's capsule, if it is one.
    pub fn of_rotator(&self) -> Result<Option<Again>, Failure> {
        let TraceArgs::Export { what, format, out, moved, hidden } = self else { return Ok(None) };
        let again = moved.again(what, Asked::Records { out: out.clone() }, hidden)?;
        if again.is_some() && *format != FormName::Jsonl {
            let why =
                format!("{what} is of a rotation function:\n  its records are written with --format jsonl");
            return Err(Failure::Usage(why));
        }
        Ok(again)
    }
}

/// Wall time that a foreign function may take between two calls.
pub const FOREIGN_LIMIT: Duration = Duration::from_secs(5);

fn engine(text: &str) -> Result<Engine, String> {
    Engine::ALL.into_iter().find(|engine| engine.name() == text).ok_or_else(|| {
        let known: Vec<&str> = Engine::ALL.into_iter().map(Engine::name).collect();
        format!("\n  expected one of {}", known.join(", "))
    })
}

fn layout(text: &str) -> Result<Layout, String> {
    Layout::ALL.into_iter().find(|layout| layout.name() == text).ok_or_else(|| {
        let known: Vec<&str> = Layout::ALL.into_iter().map(Layout::name).collect();
        format!("\n  expected one of {}", known.join(", "))
    })
}
