//! `tumbler trace`: two traces compared, or one written for a viewer.
//!
//! Both sides of a comparison are run on this build: what a capsule says of another build's run is for
//! `replay` to compare.

use crate::difference::{Compared, Side, compare};
use crate::exit::{Exit, Failure};
use crate::job::{Job, Look, Settings, Task};
use crate::subject::{Subject, once};
use crate::terminal;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;
use tumbler_reports::number::{count, grouped};
use tumbler_types::Verdict;

/// What `trace` was asked for.
#[derive(Clone, Debug)]
pub struct Trace {
    pub asked: Asked,
    pub settings: Settings,
    pub limit: Duration,
}

/// Each a capsule's file, or `SCENARIO@SEED`.
#[derive(Clone, Debug)]
pub enum Asked {
    Diff { left: String, right: String },
    Export { what: String, look: Look, out: Option<PathBuf> },
}

pub async fn trace(trace: Trace) -> Result<Exit, Failure> {
    let Trace { asked, settings, limit } = trace;
    match asked {
        Asked::Diff { left, right } => {
            diff(&Subject::parse(&left)?, &Subject::parse(&right)?, &settings, limit).await
        }
        Asked::Export { what, look, out } => {
            let Subject { name, plan, .. } = Subject::parse(&what)?;
            let job = Job { id: 0, name, plan, task: Task::Look { until: None, look } };
            let done = once(&settings, limit, &job).await?;
            let text = done.text.ok_or_else(|| {
                let why = done.report.last.map_or("an unknown reason".to_owned(), |last| last.why);
                Failure::Usage(format!("{what} has no whole trace: {why}"))
            })?;
            match out {
                None => terminal::print(&text),
                Some(path) => {
                    std::fs::write(&path, &text)
                        .map_err(|why| Failure::Unwritable { path: path.clone(), why })?;
                    terminal::note(&format!("wrote {}", path.display()));
                }
            }
            Ok(Exit::PASS)
        }
    }
}

async fn diff(
    left: &Subject,
    right: &Subject,
    settings: &Settings,
    limit: Duration,
) -> Result<Exit, Failure> {
    fn side<'a>(subject: &'a Subject, settings: &'a Settings) -> Side<'a> {
        Side { name: &subject.name, plan: &subject.plan, settings }
    }
    let compared = compare(side(left, settings), side(right, settings), limit).await?;
    let same_plan = left.plan == right.plan;
    let mut out = String::new();
    match &compared {
        Compared::Same(whole) => {
            writeln!(out, "SAME  {}\n  {}", count(whole.events, "event"), whole.digest).expect("memory");
        }
        Compared::Different { equal, intervals, difference, aligned } => {
            out.push_str(if same_plan { "NONDETERMINISTIC, for one plan\n" } else { "DIFFERENT\n" });
            writeln!(out, "  A = {}\n  B = {}", left.word, right.word).expect("memory");
            writeln!(
                out,
                "  equal digests after {} events; {} searched by checkpoint",
                grouped(*equal),
                count(*intervals, "interval")
            )
            .expect("memory");
            match difference {
                Some(difference) => out.push_str(&difference.text(["A", "B"])),
                None => out.push_str("  run once more to be recorded, they agreed there\n"),
            }
            out.push_str("  around it: = both, < A only, > B only\n");
            out.push_str(aligned);
        }
    }
    terminal::print(&out);
    Ok(match compared {
        Compared::Different { .. } if same_plan => Exit::Verdict(Verdict::Nondeterministic),
        Compared::Same(_) | Compared::Different { .. } => Exit::PASS,
    })
}
