//! `tumbler run planted`: do the judges still catch what they must?
//!
//! Each planted bug runs with its seeds, and the same seeds run without it. It exists because a green
//! sweep is evidence only as long as somebody would notice.
//!
//! Rows of planted runs are called `SCENARIO+BUG`.

use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::job::{Done, Job, Task};
use crate::pool::Pool;
use crate::progress::Progress;
use crate::regression::Regressions;
use crate::run::Run;
use crate::selection::Selection;
use crate::sweep::{Ended, sweep};
use crate::tell::Teller;
use crate::{report, terminal};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use tumbler_plan::Plan;
use tumbler_reports::report::of_planted;
use tumbler_reports::{Floor, PlantedEntry, PlantedReport, SeedReport, Sweep};
use tumbler_types::Verdict;

/// Runs the planted bugs of a selection.
pub async fn catch(run: &Run, selection: &Selection, folder: &Folder, pool: &Pool) -> Result<Exit, Failure> {
    let mut rows = folder.rows()?;
    let regressions = Regressions::replayed(pool, run.corpus.as_deref()).await?;
    let plans = plans(selection);
    let mut progress = Progress::new(plans.len() as u64, run.show);
    let mut report = PlantedReport::default();
    for choice in &selection.planted {
        let planned = choice.seeds.end - choice.seeds.start;
        let name = choice.scenario.name();
        report.entries.push(PlantedEntry::new(choice.planted.name(), choice.expect, name, planned));
    }
    // For its sums: what each run is to be, the entries say.
    let mut runs = Sweep::new(plans.len() as u64);
    let mut firsts: BTreeMap<usize, SeedReport> = BTreeMap::new();
    let jobs = plans.clone().into_iter();
    let job = |(id, (name, plan)): (u64, (String, Plan))| Job {
        id,
        name,
        plan,
        task: Task::Judge { recheck: false, probe: false, blame: false, follow: false },
    };
    let ended = sweep(pool, Box::new((0..).zip(jobs).map(job)), &mut progress, |done: Done| {
        let row = &done.report.row;
        rows.write(row).map_err(|why| folder.unwritable(why))?;
        runs.absorb(row.verdict, &done.report);
        for (index, (choice, entry)) in selection.planted.iter().zip(&mut report.entries).enumerate() {
            if !choice.seeds.contains(&row.seed) {
                continue;
            }
            if row.scenario == choice.scenario.name() {
                entry.absorb_clean(&done.report);
            } else if row.scenario == planted_name(choice.scenario.name(), choice.planted.name()) {
                entry.absorb_planted(&done.report);
                // The capsule shows the invariant by name where some seed does, so that it can be told
                // from the others; elsewhere another one breaks earlier in the same run.
                let is_named = row.invariant == Some(choice.expect);
                let is_caught = done.report.broken.iter().any(|each| each.invariant == Some(choice.expect));
                let known = firsts.get(&index).map(|first| first.row.invariant == Some(choice.expect));
                if (is_named && known != Some(true)) || (is_caught && known.is_none()) {
                    firsts.insert(index, done.report.clone());
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    })
    .await;
    progress.finish();
    let ended = ended?;
    rows.finish().map_err(|why| folder.unwritable(why))?;
    let mut text = report.text();
    if ended == Ended::Whole && !firsts.is_empty() {
        let teller = Teller::new(folder, &run.settings, run.limit)?;
        for (index, first) in &firsts {
            let choice = &selection.planted[*index];
            let mut plan = choice.scenario.plan(first.row.seed);
            plan.planted = Some(choice.planted);
            let telling = teller.tell(&plan, first, "").await?;
            text.push_str(&format!("  {}\n", telling.replay));
        }
    }
    let verdict =
        [report.verdict(), regressions.verdict()].into_iter().max_by_key(|verdict| verdict.severity());
    let verdict = verdict.expect("there are two");
    let context = report::context(selection, &Regressions::default(), ended, Floor::default())?;
    let mut written = of_planted(&report, &runs, &context);
    written.verdict = verdict;
    written.gaps.extend(regressions.back.iter().map(|back| format!("{} is back", back.name)));
    let (files, kept) = report::keep(folder, &written);
    text.push_str(&regressions.text());
    let elapsed = progress.elapsed_ms();
    text.push_str(&format!("  {}.{} s, wrote {}\n", elapsed / 1_000, elapsed / 100 % 10, files));
    let text = if ended == Ended::Interrupted { format!("INTERRUPTED {text}") } else { text };
    let text = terminal::colored_title(&text);
    if run.quiet && verdict == Verdict::Pass {
        terminal::print(&format!("{}\n", text.lines().next().unwrap_or_default()));
    } else {
        terminal::print(&text);
    }
    kept?;
    Ok(match ended {
        Ended::Interrupted => Exit::Interrupted,
        Ended::Whole | Ended::Stopped => Exit::Verdict(verdict),
    })
}

/// Each plan once, by row name and seed.
fn plans(selection: &Selection) -> Vec<(String, Plan)> {
    let mut plans: BTreeMap<(String, u64), Plan> = BTreeMap::new();
    for choice in &selection.planted {
        let name = choice.scenario.name();
        for seed in choice.seeds.clone() {
            let plan = choice.scenario.plan(seed);
            let planted = Plan { planted: Some(choice.planted), ..plan.clone() };
            plans.insert((name.to_owned(), seed), plan);
            plans.insert((planted_name(name, choice.planted.name()), seed), planted);
        }
    }
    plans.into_iter().map(|((name, _), plan)| (name, plan)).collect()
}

fn planted_name(scenario: &str, planted: &str) -> String {
    format!("{scenario}+{planted}")
}
