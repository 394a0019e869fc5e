//! The corpus of what was found and mended: replayed first, in every run.
//!
//! What broke once breaks again sooner than anything else does, and a corpus takes milliseconds. Each
//! capsule is embedded; its plan runs as it stands, so no scenario and no generator can change it. One
//! that is back is a finding of the run like any other, told first.
//!
//! It deliberately compares no digests: another build's run is another run. Whatever verdict but a pass
//! counts, not only the one that the capsule had.

use crate::exit::Failure;
use crate::job::{Job, Task};
use crate::pool::Pool;
use std::path::Path;
use tumbler_plan::{Capsule, Plan};
use tumbler_reports::SeedReport;
use tumbler_types::Verdict;

/// What came of the corpus.
#[derive(Clone, Debug, Default)]
pub struct Regressions {
    pub count: u64,
    /// Those that do not pass.
    pub back: Vec<Back>,
}

/// A regression that is back.
#[derive(Clone, Debug)]
pub struct Back {
    /// What its row is called: `regressions/NAME`.
    pub name: String,
    pub plan: Plan,
    pub report: SeedReport,
}

impl Regressions {
    /// Runs the corpus: the embedded one, or that of a folder. Nothing is run where nobody judges.
    pub async fn replayed(pool: &Pool, folder: Option<&Path>) -> Result<Self, Failure> {
        if !pool.settings.judge {
            return Ok(Regressions::default());
        }
        let plans = match folder {
            None => embedded()?,
            Some(folder) => of_folder(folder)?,
        };
        let task = Task::Judge { recheck: false, probe: false, blame: true, follow: false };
        let job = |(id, (name, plan)): (u64, (String, Plan))| Job { id, name, plan, task: task.clone() };
        let jobs: Vec<Job> = (0..).zip(plans.clone()).map(job).collect();
        let mut regressions = Regressions { count: jobs.len() as u64, back: Vec::new() };
        let mut results = pool.start(Box::new(jobs.into_iter()));
        while let Some(done) = results.next().await {
            let report = done?.report;
            if report.row.verdict == Verdict::Pass {
                continue;
            }
            let found = plans.iter().find(|(name, _)| *name == report.row.scenario);
            let (name, plan) = found.cloned().expect("a row is called as its job");
            regressions.back.push(Back { name, plan, report });
        }
        regressions.back.sort_by(|one, two| one.name.cmp(&two.name));
        Ok(regressions)
    }

    /// The gravest verdict.
    pub fn verdict(&self) -> Verdict {
        let verdicts = self.back.iter().map(|back| back.report.row.verdict);
        verdicts.max_by_key(|verdict| verdict.severity()).unwrap_or(Verdict::Pass)
    }

    /// A line of a summary; nothing if nothing was run.
    pub fn text(&self) -> String {
        let names: Vec<&str> = self.back.iter().map(|back| back.name.as_str()).collect();
        match (self.count, names.is_empty()) {
            (0, _) => String::new(),
            (count, true) => format!("  regressions      {count} replayed first, none is back\n"),
            (count, false) => {
                format!("  regressions      {count} replayed first, BACK: {}\n", names.join(", "))
            }
        }
    }
}

fn embedded() -> Result<Vec<(String, Plan)>, Failure> {
    let read = |(name, text): &(&str, &str)| {
        let file = format!("scenarios/regressions/{name}.repro.json");
        let capsule = Capsule::parse(text).map_err(|why| Failure::Capsule { file, why })?;
        Ok((row(name), capsule.plan))
    };
    tumbler_scenarios::regressions().iter().map(read).collect()
}

fn of_folder(folder: &Path) -> Result<Vec<(String, Plan)>, Failure> {
    let unreadable = |why| Failure::Unreadable { file: folder.display().to_string(), why };
    let mut plans = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let file = path.display().to_string();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(name) = name.strip_suffix(".repro.json") {
            plans.push((row(name), crate::subject::capsule(&file)?.plan));
        }
    }
    plans.sort_by(|one, two| one.0.cmp(&two.0));
    Ok(plans)
}

fn row(name: &str) -> String {
    format!("regressions/{name}")
}
