//! The command line, as clap reads it.
//!
//! It exists apart from the commands so that they can be called with plain values. Hidden flags are
//! for tests of the harness itself.

use crate::explain::Explain;
use crate::filter::{Filter, Term};
use crate::foreign::args::{ForeignArgs, MovedArgs};
use crate::gate::Gate;
use crate::grid::Grid;
use crate::help::{
    CHECK, COMPLETIONS, EXPLAIN, GATE, GRID, LIST, MAN, REPLAY, REPORT, RUN, SHRINK, TOP, TRACE,
};
use crate::host::Hosted;
use crate::job::{Look, Settings};
use crate::list::Subject;
use crate::progress::Show;
use crate::replay::{Flaw, Replay};
use crate::report::Format;
use crate::run::{Run, Share, Steer};
use crate::selection::Seeds;
use crate::shrink::Shrink;
use crate::trace::{Asked, Trace};
use crate::watch::ProcessFault;
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;
use tumbler_foreign::Strike;
use tumbler_reports::export::Form;
use tumbler_spec::machine::Mutation;
use tumbler_types::Invariant;

/// Finds the schedule that breaks a secret rotation, and proves it with a run that anyone can replay.
#[derive(Debug, Parser)]
#[command(name = "tumbler", version, after_help = TOP)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios under seeds, and judge every run
    #[command(after_help = RUN)]
    Run(RunArgs),
    /// Run a capsule, or one seed of a scenario, again
    #[command(after_help = REPLAY)]
    Replay(ReplayArgs),
    /// Find a smaller plan with a capsule's failure
    #[command(after_help = SHRINK)]
    Shrink(ShrinkArgs),
    /// Show what led to a capsule's failure, on one screen
    #[command(after_help = EXPLAIN)]
    Explain(ExplainArgs),
    /// Compare two traces, or write one for a viewer
    #[command(after_help = TRACE)]
    Trace {
        #[command(subcommand)]
        action: TraceArgs,
    },
    /// Strike each external call and durable write of a run, one at a time
    #[command(after_help = GRID)]
    Grid(GridArgs),
    /// Search the specification exhaustively within bounds
    #[command(after_help = CHECK)]
    Check(CheckArgs),
    /// Decide by a policy whether reports are good enough
    #[command(after_help = GATE)]
    Gate(GateArgs),
    /// Print a report in another form
    #[command(after_help = REPORT)]
    Report {
        /// A report.json that `run` wrote; several, of one build, with --format reached
        #[arg(value_name = "REPORT", required = true)]
        reports: Vec<PathBuf>,
        #[arg(long, value_enum)]
        format: Format,
    },
    /// List what there is
    #[command(after_help = LIST)]
    List { subject: Subject },
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS)]
    Completions { shell: Shell },
    /// Print a manual page, of the program or of one command
    #[command(after_help = MAN)]
    Man { command: Option<String> },
    /// Serve runs over a pipe (internal)
    #[command(hide = true)]
    Worker,
    /// Serve one role over standard input and output (internal; see harness/PROTOCOL.md)
    #[command(hide = true)]
    RoleHost {
        /// Does this program speak the protocol of harness/FOREIGN.md?
        #[arg(long, value_name = "CMD")]
        check: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// Names or paths of scenarios and suites [default: smoke]
    #[arg(value_name = "SCENARIO|SUITE|PATH")]
    pub what: Vec<String>,
    /// Seeds of each scenario, half-open [default: the suite's]
    #[arg(long, value_name = "A..B", allow_negative_numbers = true)]
    pub seeds: Option<Seeds>,
    /// Worker processes [default: one per core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Folder for results [default: target/tumbler in a cargo workspace, else tumbler-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Stop after this many failed seeds
    #[arg(long, value_name = "N")]
    pub max_fail: Option<NonZeroU64>,
    /// Find a smaller plan for the first failure of each new fingerprint
    #[arg(long)]
    pub shrink: bool,
    /// A report whose findings are known: only new ones fail
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
    /// No progress, and one line for a pass
    #[arg(long)]
    pub quiet: bool,
    /// How far the run is, on standard error
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Show::Auto)]
    pub show_progress: Show,
    /// Steer by what runs reach: half of the seeds after the first 32 give way to neighbours of runs
    /// that reached something new
    #[arg(long, value_name = "HOW", value_enum)]
    pub search: Option<Steer>,
    /// Share of seeds that is run twice, to compare digests [default: 2%]
    #[arg(long, value_name = "PERCENT")]
    pub recheck: Option<Share>,
    /// Share of seeds of which it is noted what they reached, which takes a little time [default: 100%]
    #[arg(long, value_name = "PERCENT")]
    pub follow: Option<Share>,
    /// Capsules to be replayed first, instead of the embedded ones.
    #[arg(long, hide = true, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    #[command(flatten)]
    pub foreign: ForeignArgs,
    /// With --rotator: strike this call, in the place of drawn strikes; may be repeated
    #[arg(long, value_name = "ROTATION:CALL:FAULT")]
    pub strike: Vec<Strike>,
    #[command(flatten)]
    pub hidden: HiddenArgs,
}

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A capsule's file, or a scenario's name or path with --seed
    #[arg(value_name = "CAPSULE|SCENARIO")]
    pub what: String,
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Stop after this step
    #[arg(long, value_name = "STEP")]
    pub until: Option<u64>,
    /// Print the events with node=NAME, kind=KIND, step=A..B, any FIELD=VALUE, or this text; commas
    /// separate values any of which will do, and several filters must all hold
    #[arg(long, value_name = "TERM")]
    pub filter: Vec<Term>,
    /// Exit codes for `git bisect run`: 0 not reproduced, 10 reproduced, 125 anything else
    #[arg(long)]
    pub bisect: bool,
    /// Run with this planted bug, or `none`, whatever the capsule's run had.
    #[arg(long, hide = true, value_name = "BUG")]
    pub flaw: Option<Flaw>,
    #[command(flatten)]
    pub moved: MovedArgs,
    #[command(flatten)]
    pub hidden: HiddenArgs,
}

#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// A capsule's file
    #[arg(value_name = "CAPSULE")]
    pub capsule: PathBuf,
    /// Where the smaller capsule goes; beside the other as NAME.min.repro.json if absent
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Candidates that run at once [default: one per core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    #[command(flatten)]
    pub moved: MovedArgs,
    #[command(flatten)]
    pub hidden: HiddenArgs,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A capsule's file; best one that `shrink` wrote
    #[arg(value_name = "CAPSULE")]
    pub capsule: String,
    #[command(flatten)]
    pub moved: MovedArgs,
    #[command(flatten)]
    pub hidden: HiddenArgs,
}

#[derive(Debug, Subcommand)]
pub enum TraceArgs {
    /// Say where two runs first differ, and in what
    #[command(after_help = TRACE)]
    Diff {
        /// A capsule's file, or SCENARIO@SEED
        #[arg(value_name = "A")]
        left: String,
        /// The other one
        #[arg(value_name = "B")]
        right: String,
        #[command(flatten)]
        hidden: HiddenArgs,
    },
    /// Write the trace of a run for a viewer
    #[command(after_help = TRACE)]
    Export {
        /// A capsule's file, or SCENARIO@SEED
        #[arg(value_name = "CAPSULE")]
        what: String,
        #[arg(long, value_enum)]
        format: FormName,
        /// Where it goes [default: standard output]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        #[command(flatten)]
        moved: MovedArgs,
        #[command(flatten)]
        hidden: HiddenArgs,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// Trace Event JSON, for ui.perfetto.dev
    Perfetto,
    /// A log with vector clocks, for ShiViz
    Shiviz,
    /// One event a line, for programs
    Jsonl,
    /// The abstract states, for readers of TLA+ and Quint traces
    Itf,
}

#[derive(Debug, Args)]
pub struct GateArgs {
    /// Each a report.json that `run` wrote, of one build
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,
    /// `ci` or `foreign`, which are shipped, or a path
    #[arg(long, value_name = "FILE")]
    pub policy: String,
    /// A report whose findings are known
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct GridArgs {
    /// Name or path of a scenario: its orders and clocks are kept, its faults are not
    #[arg(value_name = "SCENARIO", required_unless_present = "rotator")]
    pub what: Option<String>,
    #[command(flatten)]
    pub foreign: ForeignArgs,
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Worker processes [default: one per core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Folder for grid.csv and capsules [default: target/tumbler in a cargo workspace, else tumbler-out]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// With --rotator: a report whose findings are known: only new ones fail
    #[arg(long, value_name = "REPORT")]
    pub baseline: Option<PathBuf>,
    /// No progress, and one line for a pass
    #[arg(long)]
    pub quiet: bool,
    #[command(flatten)]
    pub hidden: HiddenArgs,
}

#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to look for instead of broken properties
    #[arg(value_enum)]
    pub model: Option<ModelName>,
    /// How far to search
    #[arg(long, value_enum, default_value_t = BoundsName::Medium)]
    pub bounds: BoundsName,
    /// Who searches
    #[arg(long, value_enum, default_value_t = EngineName::Graph)]
    pub engine: EngineName,
    /// Memory that the graph may take, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 8_192)]
    pub memory: u64,
    /// Plant a flaw in the specification, to see a sentence broken
    #[arg(long, value_parser = crate::compile::twin::flaw)]
    pub flaw: Option<Mutation>,
    /// If nothing is broken, make runs of every step of the smallest bounds. Ways to break a sentence
    /// are always made runs, and a capsule where one fails
    #[arg(long)]
    pub compile: bool,
    /// Folder for capsules
    #[arg(long, value_name = "DIR", default_value = "target/tumbler")]
    pub out: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModelName {
    /// Every step after which some earlier good state is out of reach
    Irreversible,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The invariants, by Stateright
    Stateright,
    /// Everything, by the exact graph
    Graph,
    /// One after the other; that they differ is Inconclusive
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum BoundsName {
    /// One rotation, one agent: seconds
    Small,
    /// Two rotations, two rotators, two agents, a crash, a zombie; and one rotation with a revocation
    Medium,
    /// Everything at once: minutes
    Large,
}

/// For tests of the harness.
#[derive(Debug, Args)]
pub struct HiddenArgs {
    /// Digests must be the same with judges off.
    #[arg(long, hide = true, value_enum, default_value_t = Switch::On)]
    pub judges: Switch,
    /// Pretend that this invariant always holds.
    #[arg(long, hide = true, value_name = "INVARIANT", value_parser = invariant)]
    pub blind: Option<Invariant>,
    #[arg(long, hide = true, value_enum, default_value_t = DriverName::Queue)]
    pub driver: DriverName,
    #[arg(long, hide = true, default_value_t = 0)]
    pub madsim_seed: u64,
    /// Wall seconds that one run may take.
    #[arg(long, hide = true, default_value_t = 30)]
    pub watchdog: u64,
    /// The worker's process spins, aborts, overflows its stack or panics in this seed.
    #[arg(long, hide = true, value_name = "KIND@SEED")]
    pub plant_process: Option<ProcessFault>,
    /// Roles of this kind, or `all`, run in child processes.
    #[arg(long, hide = true, value_name = "ROLE")]
    pub host: Option<Hosted>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DriverName {
    Queue,
    Tasks,
}

impl HiddenArgs {
    fn settings(&self) -> Settings {
        Settings {
            judge: self.judges == Switch::On,
            blind: self.blind,
            tasks_driver: self.driver == DriverName::Tasks,
            madsim_seed: self.madsim_seed,
            process_fault: self.plant_process,
            announces: false,
            host: self.host,
        }
    }
}

impl From<RunArgs> for Run {
    fn from(args: RunArgs) -> Run {
        let RunArgs {
            what,
            seeds,
            jobs,
            out,
            max_fail,
            baseline,
            shrink,
            quiet,
            show_progress,
            search,
            recheck,
            follow,
            corpus,
            foreign: _,
            strike: _,
            hidden,
        } = args;
        Run {
            asked: what,
            seeds,
            jobs: jobs.map_or_else(cores, NonZeroUsize::get),
            out,
            max_fail,
            shrink,
            search,
            baseline,
            quiet,
            // Asked for by name, it is shown even where the summary is to be short.
            show: if quiet && show_progress == Show::Auto { Show::None } else { show_progress },
            recheck,
            follow,
            corpus,
            settings: hidden.settings(),
            limit: Duration::from_secs(hidden.watchdog),
        }
    }
}

impl From<ReplayArgs> for Replay {
    fn from(args: ReplayArgs) -> Replay {
        let ReplayArgs { what, seed, until, filter, bisect, flaw, moved: _, hidden } = args;
        let filter = (!filter.is_empty()).then_some(Filter(filter));
        let limit = Duration::from_secs(hidden.watchdog);
        Replay { what, seed, until, filter, bisect, flaw, settings: hidden.settings(), limit }
    }
}

impl From<ShrinkArgs> for Shrink {
    fn from(args: ShrinkArgs) -> Shrink {
        let ShrinkArgs { capsule, out, jobs, moved: _, hidden } = args;
        let limit = Duration::from_secs(hidden.watchdog);
        let jobs = jobs.map_or_else(cores, NonZeroUsize::get);
        Shrink { capsule, out, jobs, settings: hidden.settings(), limit }
    }
}

impl From<ExplainArgs> for Explain {
    fn from(args: ExplainArgs) -> Explain {
        let ExplainArgs { capsule, moved: _, hidden } = args;
        let limit = Duration::from_secs(hidden.watchdog);
        Explain { capsule, settings: hidden.settings(), limit }
    }
}

impl From<TraceArgs> for Trace {
    fn from(args: TraceArgs) -> Trace {
        let (asked, hidden) = match args {
            TraceArgs::Diff { left, right, hidden } => (Asked::Diff { left, right }, hidden),
            TraceArgs::Export { what, format, out, moved: _, hidden } => {
                let look = match format {
                    FormName::Perfetto => Look::Export { form: Form::Perfetto },
                    FormName::Shiviz => Look::Export { form: Form::Shiviz },
                    FormName::Jsonl => Look::Export { form: Form::Jsonl },
                    FormName::Itf => Look::States,
                };
                (Asked::Export { what, look, out }, hidden)
            }
        };
        Trace { asked, settings: hidden.settings(), limit: Duration::from_secs(hidden.watchdog) }
    }
}

impl From<GateArgs> for Gate {
    fn from(args: GateArgs) -> Gate {
        let GateArgs { reports, policy, baseline } = args;
        Gate { reports, policy, baseline }
    }
}

impl From<GridArgs> for Grid {
    fn from(args: GridArgs) -> Grid {
        let GridArgs { what, foreign: _, seed, jobs, out, baseline: _, quiet, hidden } = args;
        let what = what.expect("required where there is no --rotator");
        let jobs = jobs.map_or_else(cores, NonZeroUsize::get);
        let limit = Duration::from_secs(hidden.watchdog);
        Grid { what, seed, jobs, out, quiet, settings: hidden.settings(), limit }
    }
}

pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

fn invariant(text: &str) -> Result<Invariant, String> {
    Invariant::from_id(text).ok_or_else(|| {
        let known: Vec<&str> = Invariant::ALL.into_iter().map(Invariant::id).collect();
        format!("expected one of {}", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent_and_every_command_has_an_example() {
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("tumbler {}", command.get_name())), "{}", command.get_name());
        }
    }
}
