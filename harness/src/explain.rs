//! `tumbler explain`: what led to a capsule's failure, on one screen.
//!
//! The run is run again, and its trace is looked at in the worker: only the chart crosses the pipe. It
//! deliberately shows one failure, the one that decided the verdict.

use crate::exit::{Exit, Failure};
use crate::job::{Job, Look, Settings, Task};
use crate::subject::{Subject, once};
use crate::{identity, terminal};
use std::time::Duration;
use tumbler_types::Verdict;

/// What `explain` was asked for.
#[derive(Clone, Debug)]
pub struct Explain {
    pub capsule: String,
    pub settings: Settings,
    pub limit: Duration,
}

/// Prints the chart. A capsule that does not fail is 14 on its own build, and does not apply on another.
pub async fn explain(explain: Explain) -> Result<Exit, Failure> {
    let Subject { word: file, name, plan, capsule } = Subject::of_capsule(&explain.capsule)?;
    let capsule = capsule.expect("a capsule's subject has it");
    // A run that kills its process is looked at as far as it came.
    let died = capsule.last.filter(|_| capsule.digest.is_none());
    let until = died.as_ref().map(|last| last.seq);
    let job = Job { id: 0, name, plan, task: Task::Look { until, look: Look::Explain { died } } };
    let done = once(&explain.settings, explain.limit, &job).await?;
    if let Some(text) = done.text {
        terminal::print(&text);
        return Ok(Exit::PASS);
    }
    let fingerprint = &capsule.fingerprint;
    match (done.report.row.verdict, identity::build()? == capsule.build) {
        (Verdict::Pass, true) => {
            terminal::note(&format!("error: {file} does not reproduce {fingerprint} on its own build"));
            Ok(Exit::Verdict(Verdict::Nondeterministic))
        }
        (Verdict::Pass, false) => {
            terminal::note(&format!("error: {file} does not apply: this build does not show {fingerprint}"));
            Ok(Exit::NotApplicable)
        }
        _ => Err(Failure::Internal(format!("{file} fails, and there is no event to show it at"))),
    }
}
