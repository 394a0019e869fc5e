//! The arguments of `run --rotator` and `grid --rotator`, and what they ask for.
//!
//! It deliberately opens nothing but the rotator's folder.

use super::matrix::Grid;
use super::sweep::Run;
use super::{Rotator, Setting};
use crate::cli::{GridArgs, RunArgs, cores};
use crate::exit::Failure;
use crate::progress::Show;
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
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
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
        if self.search.is_some() {
            let why = "--search is for scenarios: strikes of a rotator are named by their calls";
            return Err(Failure::Usage(why.to_owned()));
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
            recheck: self.recheck,
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
            limit: Duration::from_secs(self.hidden.watchdog).min(FOREIGN_LIMIT),
        })
    }
}

/// Wall time that a foreign function may take between two calls.
const FOREIGN_LIMIT: Duration = Duration::from_secs(5);

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

fn setting(text: &str) -> Result<Setting, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            Ok(Setting { name: name.to_owned(), value: value.to_owned() })
        }
        Some(_) | None => Err("\n  expected NAME=VALUE, for example PASSWORD_LENGTH=24".to_owned()),
    }
}
