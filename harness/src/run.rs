//! `tumbler run`: seeds, rows, summary, exit code.
//!
//! The order of things is a contract: what was asked for is resolved, then the folder is opened, and
//! only then a seed runs; rows are written as they come, so that an interrupted run leaves them.

use crate::exit::{Exit, Failure};
use crate::folder::Folder;
use crate::job::{Done, Job, Settings, Task};
use crate::pool::Pool;
use crate::progress::{Progress, Show};
use crate::regression::Regressions;
use crate::search::{Member, Search};
use crate::selection::{Chosen, Seeds, Selection};
use crate::sweep::{Ended, sweep};
use crate::tell::{Teller, Telling};
use crate::{catch, gate, report, shrink, terminal, visited};
use clap::ValueEnum;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tumbler_plan::{Plan, Row};
use tumbler_reports::report::of_sweep;
use tumbler_reports::{Baseline, Facts, Floor, Sweep, summary};
use tumbler_types::Verdict;

/// What `run` was asked for.
#[derive(Clone, Debug)]
pub struct Run {
    pub asked: Vec<String>,
    pub seeds: Option<Seeds>,
    pub jobs: usize,
    pub out: Option<PathBuf>,
    /// Stop after this many failed seeds.
    pub max_fail: Option<NonZeroU64>,
    /// A report whose findings do not fail this run.
    pub baseline: Option<PathBuf>,
    /// Shrink the first failure of each new fingerprint.
    pub shrink: bool,
    pub search: Option<Steer>,
    pub quiet: bool,
    pub show: Show,
    /// None: as a sweep does if nothing is said, [`Share::RECHECKED`].
    pub recheck: Option<Share>,
    /// Share of the seeds of which it is noted what they reached; none: all of them.
    pub follow: Option<Share>,
    pub settings: Settings,
    /// Capsules that are replayed first, instead of the embedded ones.
    pub corpus: Option<PathBuf>,
    /// Longest wall time of one run.
    pub limit: Duration,
}

/// What a search steers by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Steer {
    /// States and steps of the model, and the phases of a rotation in which faults begin
    Coverage,
}

/// A share of the seeds, in hundredths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u64);

impl Share {
    pub const RECHECKED: Share = Share(200);
    pub const ALL: Share = Share(WHOLE);

    /// None at all.
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    /// Evenly spread, and the first one always, unless the share is nothing.
    pub fn takes(self, index: u64) -> bool {
        index.wrapping_mul(self.0) % WHOLE < self.0
    }
}

/// `2%`, `2` or `0.5%`.
impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || format!("expected a percentage from 0% to 100%, for example 2%, got `{text}`");
        let number = text.strip_suffix('%').unwrap_or(text);
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        if part.is_empty() || part.len() > 2 {
            return Err(expected());
        }
        let whole: u64 = whole.parse().map_err(|_| expected())?;
        let part: u64 = format!("{part:0<2}").parse().map_err(|_| expected())?;
        let share = whole.checked_mul(100).and_then(|whole| whole.checked_add(part)).ok_or_else(expected)?;
        if share > WHOLE { Err(expected()) } else { Ok(Share(share)) }
    }
}

/// Runs what was asked for.
pub async fn run(run: Run) -> Result<Exit, Failure> {
    let selection = Selection::new(&run.asked, run.seeds.as_ref())?;
    let given = [
        ("--baseline", run.baseline.is_some()),
        ("--search", run.search.is_some()),
        ("--recheck", run.recheck.is_some()),
        ("--follow", run.follow.is_some()),
        ("--max-fail", run.max_fail.is_some()),
        ("--shrink", run.shrink),
    ];
    let not_taken = given.into_iter().find(|(_, given)| *given && !selection.planted.is_empty());
    if let Some((name, _)) = not_taken {
        let why = format!(
            "{name} is for scenarios, also with one bug: `tumbler run NAME+BUG {name} …`;\n  \
             of a suite of planted bugs each runs all of its seeds, with the bug and without"
        );
        return Err(Failure::Usage(why));
    }
    let baseline = run.baseline.as_deref().map(gate::baseline).transpose()?.unwrap_or_default();
    let folder = Folder::open(run.out.as_deref())?;
    let pool = Pool { workers: run.jobs, limit: run.limit, settings: run.settings.clone() };
    if selection.planted.is_empty() {
        seeds(&run, &selection, baseline, &folder, &pool).await
    } else {
        catch::catch(&run, &selection, &folder, &pool).await
    }
}

async fn seeds(
    run: &Run,
    selection: &Selection,
    baseline: Baseline,
    folder: &Folder,
    pool: &Pool,
) -> Result<Exit, Failure> {
    let mut rows = folder.rows()?;
    let regressions = Regressions::replayed(pool, run.corpus.as_deref()).await?;
    let planned = selection.run_count() + regressions.back.len() as u64;
    let mut swept = Sweep::against(planned, baseline);
    for back in &regressions.back {
        rows.write(&back.report.row).map_err(|why| folder.unwritable(why))?;
        swept.absorb(Verdict::Pass, &back.report);
    }
    let mut progress = Progress::new(selection.run_count(), run.show);
    let mut edited: BTreeMap<usize, (Plan, String)> = BTreeMap::new();
    let mut failed = regressions.back.len() as u64;
    // Beside the workers, who need it only when all is done.
    let map = (!run.follow.unwrap_or(Share::ALL).is_nothing()).then(|| std::thread::spawn(visited::map));
    let mut absorb = |done: Done, bred: Option<(&Plan, u64)>| {
        let row = &done.report.row;
        // What was bred is not its seed's own run, which has a row of that name.
        let named =
            bred.map(|(_, run)| Row { scenario: format!("{}-bred-{run}", row.scenario), ..row.clone() });
        rows.write(named.as_ref().unwrap_or(row)).map_err(|why| folder.unwritable(why))?;
        swept.bred += u64::from(bred.is_some());
        let chosen = &selection.chosen[&row.scenario];
        swept.absorb(chosen.scenario.expect(), &done.report);
        let told = swept.findings.last().is_some_and(|told| told.first.row == *row);
        let own = match (done.edited, bred) {
            (Some(plan), None) => Some((plan, "-rollback".to_owned())),
            (Some(plan), Some((_, run))) => Some((plan, format!("-bred-{run}-rollback"))),
            (None, Some((plan, run))) => Some((plan.clone(), format!("-bred-{run}"))),
            (None, None) => None,
        };
        if let (true, Some(own)) = (told, own) {
            edited.insert(swept.findings.len() - 1, own);
        }
        let expected = row.verdict == Verdict::Pass || row.verdict == chosen.scenario.expect();
        failed += u64::from(!expected && !swept.is_known(&done.report));
        let enough = run.max_fail.is_some_and(|max| failed >= max.get());
        Ok(if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let ended = match run.search {
        None => {
            let jobs =
                jobs(selection, run.recheck.unwrap_or(Share::RECHECKED), run.follow.unwrap_or(Share::ALL));
            sweep(pool, jobs, &mut progress, |done| absorb(done, None)).await
        }
        Some(Steer::Coverage) => searched(run, selection, pool, &mut progress, absorb).await,
    };
    progress.finish();
    let ended = ended?;
    rows.finish().map_err(|why| folder.unwritable(why))?;
    let elapsed_ms = progress.elapsed_ms();
    let again = Again { selection, regressions: &regressions, edited: &edited };
    let told = tell(run, &again, folder, &mut swept, ended).await;
    let probed = selection.is_smoke && run.settings.judge && run.search.is_none();
    let floor = Floor { points: probed.then_some(POINTS_MIN) };
    let mut context = report::context(selection, &regressions, ended, floor.clone())?;
    let drawn =
        map.map(|map| map.join().map_err(|_| Failure::Internal("the model's graph panicked".to_owned())));
    context.map = drawn.transpose()?.map(Arc::new);
    let written = of_sweep(&swept, &context);
    let (files, kept) = report::keep(folder, &written);
    let facts = Facts {
        elapsed_ms,
        assumed: context.assumptions.clone(),
        floor,
        ended: context.ended,
        reached: written.reached.clone(),
        files: vec![files],
    };
    let verdict = swept.verdict(&facts.floor);
    let text = terminal::colored_title(&summary(&swept, &facts)) + &regressions.text();
    if run.quiet && verdict == Verdict::Pass {
        terminal::print(&format!("{}\n", text.lines().next().unwrap_or_default()));
    } else {
        terminal::print(&text);
    }
    told?;
    kept?;
    Ok(match ended {
        Ended::Interrupted => Exit::Interrupted.and(Exit::Verdict(verdict)),
        Ended::Whole | Ended::Stopped => Exit::Verdict(verdict),
    })
}

/// Each scenario's search, generation by generation. `absorb` takes the plan of a run that was bred, and
/// its number.
async fn searched(
    run: &Run,
    selection: &Selection,
    pool: &Pool,
    progress: &mut Progress,
    mut absorb: impl FnMut(Done, Option<(&Plan, u64)>) -> Result<ControlFlow<()>, Failure>,
) -> Result<Ended, Failure> {
    let mut total = 0;
    for (name, chosen) in &selection.chosen {
        let seeds = &chosen.seeds;
        let first = seeds.first().unwrap_or_default();
        let mut search = Search::new(seeds.clone().into_iter(), seeds.count(), first);
        loop {
            let members = search.generation(|seed| chosen.plan(seed));
            if members.is_empty() {
                break;
            }
            let job = |(id, member): (u64, &Member)| {
                let task = Task::Judge {
                    recheck: run.recheck.unwrap_or(Share::RECHECKED).takes(total + id),
                    probe: false,
                    blame: true,
                    follow: true,
                };
                Job { id, name: name.clone(), plan: member.plan.clone(), task }
            };
            let jobs: Vec<Job> = (0..).zip(&members).map(job).collect();
            total += jobs.len() as u64;
            let ended = sweep(pool, Box::new(jobs.into_iter()), progress, |done| {
                let Member { plan, bred } = &members[usize::try_from(done.id).expect("below a generation")];
                if let Some(reached) = &done.report.reached {
                    search.learn(plan, &done.report.fired, reached);
                }
                absorb(done, bred.map(|run| (plan, run)))
            })
            .await?;
            if ended != Ended::Whole {
                return Ok(ended);
            }
        }
    }
    Ok(Ended::Whole)
}

/// Every job of a selection, in the order of scenario and seed.
fn jobs(selection: &Selection, recheck: Share, follow: Share) -> Box<dyn Iterator<Item = Job> + Send> {
    let probing = selection.is_smoke;
    let chosen: Vec<(String, Chosen)> =
        selection.chosen.iter().map(|(name, chosen)| (name.clone(), chosen.clone())).collect();
    let plans = chosen.into_iter().flat_map(|(name, chosen)| {
        let seeds = chosen.seeds.clone();
        seeds.into_iter().map(move |seed| (name.clone(), chosen.plan(seed)))
    });
    let job = move |(id, (name, plan)): (u64, (String, Plan))| {
        let probe = probing && plan.seed.is_multiple_of(PROBE_EVERY);
        let (recheck, follow) = (recheck.takes(id), follow.takes(id));
        Job { id, name, plan, task: Task::Judge { recheck, probe, blame: true, follow } }
    };
    Box::new((0..).zip(plans).map(job))
}

/// Where the plan of a row comes from.
struct Again<'a> {
    selection: &'a Selection,
    regressions: &'a Regressions,
    /// By finding: plans that no seed alone gives, rollback probes and what was bred, each with what its
    /// capsule's name ends with.
    edited: &'a BTreeMap<usize, (Plan, String)>,
}

impl Again<'_> {
    /// The plan, and what its capsule's name ends with.
    fn plan(&self, index: usize, name: &str, seed: u64) -> (Plan, &str) {
        if let Some((plan, suffix)) = self.edited.get(&index) {
            return (plan.clone(), suffix);
        }
        if let Some(back) = self.regressions.back.iter().find(|back| back.name == name) {
            return (back.plan.clone(), "");
        }
        (self.selection.chosen[name].plan(seed), "")
    }
}

/// Adds stories, capsules and replay lines to the first findings. A second look may find a digest
/// that differs: that seed, and so the sweep, is Nondeterministic.
async fn tell(
    run: &Run,
    again: &Again<'_>,
    folder: &Folder,
    swept: &mut Sweep,
    ended: Ended,
) -> Result<(), Failure> {
    for (index, told) in swept.findings.iter_mut().enumerate() {
        let row = &told.first.row;
        let Some(chosen) = again.selection.chosen.get(&row.scenario) else {
            told.replay = Some(format!("tumbler replay scenarios/{}.repro.json", row.scenario));
            continue;
        };
        let seeds = run
            .seeds
            .as_ref()
            .map_or(String::new(), |Seeds(seeds)| format!(" --seeds {}..{}", seeds.start, seeds.end));
        told.replay = Some(match again.edited.contains_key(&index) && run.search.is_some() {
            // Until it has a capsule, the search alone gives its plan.
            true => format!("tumbler run {} --search coverage{seeds}", chosen.word),
            false => format!("tumbler replay {} --seed {}", chosen.word, row.seed),
        });
        told.first.retells = chosen.scenario.incident().map(|incident| incident.reference.clone());
    }
    if swept.findings.is_empty() || ended == Ended::Interrupted {
        return Ok(());
    }
    let teller = Teller::new(folder, &run.settings, run.limit)?;
    // New findings come first: known ones have their capsules from when they were new.
    let mut order: Vec<usize> = (0..swept.findings.len()).collect();
    order.sort_by_key(|index| swept.findings[*index].known);
    for index in order.into_iter().take(CAPSULES_MAX) {
        let first = swept.findings[index].first.clone();
        let (name, seed) = (first.row.scenario.clone(), first.row.seed);
        let (plan, suffix) = again.plan(index, &name, seed);
        let telling = teller.tell(&plan, &first, suffix).await?;
        let is_new = !swept.findings[index].known;
        let small =
            if run.shrink && is_new { smaller(run, &teller, &name, &telling, plan).await? } else { None };
        let telling = small.unwrap_or(telling);
        swept.tell(index, telling.report, telling.capsule, telling.replay);
    }
    Ok(())
}

/// The same failure with fewer faults, beside the first capsule. None where a run kills its process, or is
/// not the same twice.
async fn smaller(
    run: &Run,
    teller: &Teller,
    name: &str,
    telling: &Telling,
    plan: Plan,
) -> Result<Option<Telling>, Failure> {
    let Some(meant) = telling.report.fingerprint.as_ref() else { return Ok(None) };
    let found = shrink::minimize(name, &plan, meant, run.jobs, &run.settings, run.limit).await?;
    let Some(small) = found else { return Ok(None) };
    let mut first = small.report;
    first.recheck = telling.report.recheck;
    first.retells.clone_from(&telling.report.retells);
    let told = teller.tell(&small.plan, &first, ".min").await?;
    // What is counted is the seed as it was drawn.
    let mut report = told.report;
    report.row = telling.report.row.clone();
    report.fingerprint.clone_from(&telling.report.fingerprint);
    Ok(Some(Telling { report, ..told }))
}

const WHOLE: u64 = 10_000;
/// Capsules of one run, one per fingerprint. The seeds of the others are in their replay lines.
const CAPSULES_MAX: usize = 200;
/// Every so many seeds of `smoke` are probed for rollback.
const PROBE_EVERY: u64 = 8;
/// Points tried in each phase, over `smoke`.
const POINTS_MIN: u64 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_spread_evenly_and_begins_with_the_first() {
        let taken = |text: &str| {
            let share: Share = text.parse().expect("a share");
            (0..1_000).filter(|index| share.takes(*index)).count()
        };
        assert_eq!(
            [taken("2%"), taken("2"), taken("0"), taken("100%"), taken("0.5%"), taken("33%")],
            [20, 20, 0, 1_000, 5, 330]
        );
        for text in ["", "%", "-1", "101%", "1.234%", "1.", "two"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        assert!("0.1%".parse::<Share>().expect("a share").takes(0));
    }
}
