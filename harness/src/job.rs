//! What the harness and its workers say to each other: JSON, a line each.
//!
//! It exists as a type of its own so that what crosses the pipe is versioned by the build: both ends
//! are always the same executable. A job carries its whole plan, so a worker needs no scenario file.

use crate::filter::Filter;
use crate::host::Hosted;
use crate::watch::{ProcessFault, Seen};
use serde::{Deserialize, Serialize};
use tumbler_plan::trace::v1;
use tumbler_plan::{Checkpoint, LastWords, Plan};
use tumbler_reports::SeedReport;
use tumbler_reports::export::Form;
use tumbler_types::{FaultId, Invariant};

/// To a worker: settings once, then batches.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    Settings(Settings),
    Batch(Vec<Job>),
}

/// What holds for every job of a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub judge: bool,
    /// This invariant is taken to hold, whatever the judges say: proves that somebody would notice.
    pub blind: Option<Invariant>,
    pub tasks_driver: bool,
    pub madsim_seed: u64,
    pub process_fault: Option<ProcessFault>,
    /// Say whose input is handled before it is, each time: slow, and exact when the worker dies.
    pub announces: bool,
    /// These roles run in child processes.
    pub host: Option<Hosted>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            judge: true,
            blind: None,
            tasks_driver: false,
            madsim_seed: 0,
            process_fault: None,
            announces: false,
            host: None,
        }
    }
}

/// One plan to run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub id: u64,
    /// What the row calls the scenario.
    pub name: String,
    pub plan: Plan,
    pub task: Task,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Task {
    /// Run and judge.
    Judge {
        /// Answer with digests of prefixes too: the run is to be compared with one in another process.
        recheck: bool,
        /// Try rollback commands from points of the run.
        probe: bool,
        /// Find out which kinds of fault a failure needs: some runs more for each failing seed.
        blame: bool,
        /// Note what the run reached.
        follow: bool,
    },
    /// Run and judge; the lines are the calls that [`is_counted`](crate::grid::occurrence::is_counted).
    Calls,
    /// Run with the trace kept, and tell of it.
    Tell {
        /// Stop after this event.
        until: Option<u64>,
        /// Digests wanted of the prefixes of these lengths, rising.
        samples: Samples,
        /// Events wanted.
        filter: Option<Filter>,
    },
    /// Run, and tell the digests of prefixes at even intervals, and of the whole: no trace is kept.
    Chain,
    /// Run, and answer with the plan in which what this fault of links did stands in its place, message by
    /// message, under names from `first` on; with none if that is nothing, or too much.
    Realize { fault: FaultId, first: FaultId },
    /// Run with the trace kept; the lines are the events from the first step to before the second.
    Slice { from: u64, to: u64 },
    /// Run with the trace kept, and look inside.
    Look {
        /// Stop after this event.
        until: Option<u64>,
        look: Look,
    },
}

/// What is made of a trace: text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// What led to the failure, as a chart; or to the last that was known of a run that died.
    Explain { died: Option<LastWords> },
    /// The abstract states, for readers of other specifications' traces.
    States,
    /// All of it, for a viewer.
    Export { form: Form },
}

/// Which prefixes are wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Samples {
    /// Those that a capsule should carry.
    Chosen,
    At(Vec<u64>),
}

/// From a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Answer {
    /// Still at it.
    Beat {
        id: u64,
        seen: Seen,
    },
    /// One run of a job is over; others follow.
    Step {
        id: u64,
    },
    Done(Box<Done>),
}

/// A job's result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub id: u64,
    pub report: SeedReport,
    /// The plan that shows the finding, where that is not the job's: a rollback probe's, or a realized one.
    pub edited: Option<Plan>,
    pub samples: Vec<Checkpoint>,
    pub lines: Vec<v1::Event>,
    /// What a look showed; none for any other task, and if there was nothing to see.
    pub text: Option<String>,
}

impl Done {
    /// A report, and nothing besides.
    pub fn of(id: u64, report: SeedReport) -> Self {
        Done { id, report, edited: None, samples: Vec::new(), lines: Vec::new(), text: None }
    }
}
