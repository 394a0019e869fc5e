//! A worker: a process that runs plans and tells what happened.
//!
//! Seeds run here and not in the process that was started, because a role may spin, abort or
//! overflow its stack, and one bad seed must not end a sweep. The parent watches, kills and replaces.
//!
//! It deliberately reads nothing but its standard input: no files, no environment but `RUST_LOG`.
//! When its input closes it ends at once, whatever it was doing: no orphan outlives its parent.

mod look;

use crate::exit::Exit;
use crate::filter::Filter;
use crate::grid::occurrence::is_counted;
use crate::job::{Answer, Done, Job, Request, Samples, Settings, Task};
use crate::visited::Follower;
use crate::{ahead, blame, host, judgement, probe, roles, watch};
use std::io::{BufRead, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, mpsc};
use std::time::Duration;
use tumbler_plan::trace::v1;
use tumbler_plan::{Capsule, Checkpoint, DigestChain, LastWords, Plan};
use tumbler_reports::Story;
use tumbler_reports::finding::decisive;
use tumbler_types::{Observed, Verdict};
use tumbler_world::{Driver, Options, Outcome};

/// Serves requests until the input closes.
pub fn serve() -> Exit {
    std::panic::set_hook(Box::new(|info| {
        tracing::debug!(%info, "panic");
        let place = info.location().map_or(String::new(), |at| format!(" at {}:{}", at.file(), at.line()));
        *PLACE.lock().expect("nothing panics while it holds this") = place;
    }));
    let (sender, requests) = mpsc::channel();
    std::thread::spawn(move || listen(&sender));
    std::thread::spawn(beat);
    let mut settings = Settings::default();
    for request in requests {
        match request {
            Request::Settings(next) => settings = next,
            Request::Batch(jobs) => {
                for job in jobs {
                    RUNNING.store(job.id, Relaxed);
                    let done = Work { settings: &settings, id: job.id }.work(&job);
                    RUNNING.store(NOTHING, Relaxed);
                    say(&Answer::Done(Box::new(done)));
                }
            }
        }
    }
    Exit::PASS
}

/// One job under some settings.
struct Work<'a> {
    settings: &'a Settings,
    id: u64,
}

impl Work<'_> {
    fn work(&self, job: &Job) -> Done {
        match &job.task {
            Task::Judge { recheck, probe, blame, follow } => {
                let mut done = self.judge(job, *recheck, *probe, *follow);
                if *blame {
                    self.blame(job, &mut done);
                }
                done
            }
            Task::Calls => self.calls(job),
            Task::Chain => self.chain(job),
            Task::Realize { fault, first } => self.realize(job, *fault, *first),
            Task::Slice { from, to } => self.slice(job, *from, *to),
            Task::Look { until, look } => self.look(job, *until, look),
            Task::Tell { until, samples, filter } => self.tell(job, *until, samples, filter.as_ref()),
        }
    }

    fn judge(&self, job: &Job, recheck: bool, probe: bool, follow: bool) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let options = Options { keep_trace: probe || follow, ..self.options() };
        let outcome = match self.run(plan, &options) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let mut done = Done::of(*id, judgement::report(name, plan, &outcome, self.settings.blind));
        if follow {
            done.report.reached = Some(Follower::new().follow(plan, &outcome.fired, &outcome.trace));
        }
        if recheck {
            done.samples = look::chain(&outcome);
        }
        if probe && done.report.row.verdict == Verdict::Pass {
            self.probe(job, &outcome, &mut done);
        }
        done
    }

    /// Leaves out of the fingerprint what the failure does not need.
    fn blame(&self, job: &Job, done: &mut Done) {
        let plan = done.edited.as_ref().unwrap_or(&job.plan);
        let again = |plan: &Plan| {
            say(&Answer::Step { id: self.id });
            let outcome = self.run(plan, &self.options()).ok()?;
            Some(judgement::report(&job.name, plan, &outcome, self.settings.blind))
        };
        if matches!(done.report.row.verdict, Verdict::Pass | Verdict::Nondeterministic) {
            return;
        }
        let needed = blame::needed(plan, &done.report, again);
        if let Some(fingerprint) = &mut done.report.fingerprint {
            fingerprint.faults = needed;
        }
    }

    fn probe(&self, job: &Job, outcome: &Outcome, done: &mut Done) {
        let options = Options { keep_trace: true, ..self.options() };
        for candidate in probe::candidates(&job.plan, &outcome.trace) {
            say(&Answer::Step { id: self.id });
            let fired = probe::fired_before(&outcome.trace, candidate.at);
            let plan = probe::edited(&job.plan, candidate, &fired);
            let Ok(outcome) = self.run(&plan, &options) else { continue };
            let probed = judgement::report(&job.name, &plan, &outcome, self.settings.blind);
            let point = probe::tried(&plan, candidate, &outcome.trace, &probed.broken);
            let Some(point) = point else { continue };
            let missed = point.missed.is_some() && done.edited.is_none();
            done.report.points.push(point);
            if missed {
                let report = &mut done.report;
                report.row.verdict = probed.row.verdict;
                report.row.invariant = probed.row.invariant;
                report.broken = probed.broken;
                report.fingerprint = probed.fingerprint;
                report.fired = probed.fired;
                done.edited = Some(plan);
            }
        }
    }

    fn calls(&self, job: &Job) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let outcome = match self.run(plan, &Options { keep_trace: true, ..self.options() }) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let counted = |observed: &&Observed| is_counted(&plan.topology, observed);
        Done {
            id: *id,
            report: judgement::report(name, plan, &outcome, self.settings.blind),
            edited: None,
            samples: Vec::new(),
            lines: outcome
                .trace
                .iter()
                .filter(counted)
                .map(|observed| v1::Event::new(&plan.topology, observed))
                .collect(),
            text: None,
        }
    }

    fn tell(&self, job: &Job, until: Option<u64>, samples: &Samples, filter: Option<&Filter>) -> Done {
        let Job { id, name, plan, task: _ } = job;
        let options = Options { keep_trace: true, until, ..self.options() };
        let outcome = match self.run(plan, &options) {
            Ok(outcome) => outcome,
            Err(why) => return self.crashed(job, why),
        };
        let mut report = judgement::report(name, plan, &outcome, self.settings.blind);
        for broken in report.broken.iter_mut().filter(|broken| broken.invariant.is_none()) {
            broken.ahead = ahead::ahead(plan, &outcome.trace, broken.seq);
        }
        let last = outcome.trace.last().map_or(0, |observed| observed.seq);
        let (step, secret) = match (decisive(&report), &report.last) {
            (Some(broken), _) => (broken.seq, Some(broken.secret.clone())),
            (None, Some(words)) => (words.seq, None),
            (None, None) => (last, None),
        };
        if report.row.verdict != Verdict::Pass || until.is_some() {
            report.story = Some(Story::tell(plan, &outcome.trace, step, secret.as_deref()));
        }
        let at = match samples {
            Samples::At(at) => at.clone(),
            Samples::Chosen => chosen(outcome.events, step),
        };
        let wanted = |observed: &Observed| {
            let event = look::shown(plan, observed);
            let line = crate::replay::line(&event);
            filter.is_some_and(|filter| filter.takes(&event, &line)).then_some(event)
        };
        let mut done = Done {
            id: *id,
            report,
            edited: None,
            samples: prefixes(&outcome.trace, &at),
            lines: outcome.trace.iter().filter_map(wanted).collect(),
            text: None,
        };
        if until.is_none() {
            self.blame(job, &mut done);
        }
        done
    }

    fn options(&self) -> Options {
        Options {
            driver: if self.settings.tasks_driver { Driver::Tasks } else { Driver::Queue },
            madsim_seed: self.settings.madsim_seed,
            judge: self.settings.judge,
            digest: true,
            keep_trace: false,
            realize: false,
            until: None,
            heartbeat: Some(watch::beat),
        }
    }

    /// A panic of the world itself is caught too: our own bug, told like any other crash.
    fn run(&self, plan: &Plan, options: &Options) -> Result<Outcome, String> {
        watch::reset();
        let announce = self.settings.announces.then_some(announce as fn(watch::Seen));
        let roles =
            host::hosted(Box::new(roles::role), self.settings.host).map_err(|failure| failure.to_string())?;
        let factory = watch::watched(roles, self.settings.process_fault, announce);
        catch_unwind(AssertUnwindSafe(|| tumbler_world::run(plan, &factory, options))).map_err(|payload| {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            let place = std::mem::take(&mut *PLACE.lock().expect("nothing panics while it holds this"));
            // Only places inside the workspace are relative.
            let place = if place.starts_with(" at /") { String::new() } else { place };
            format!("the world panicked: {}{place}", text.unwrap_or_default())
        })
    }

    fn crashed(&self, job: &Job, why: String) -> Done {
        let seen = watch::seen();
        let node = seen.node.map(|node| job.plan.topology.name(node));
        let last = LastWords { node, seq: seen.seq, at: seen.at, event: None, why };
        let report = judgement::died(&job.name, &job.plan, last);
        Done::of(job.id, report)
    }
}

/// Prefix lengths for a capsule: some even ones, and denser ones toward the step that matters.
fn chosen(events: u64, step: u64) -> Vec<u64> {
    let even = (1..=EVEN).map(|part| events * part / EVEN);
    let dense = (0..DENSE).map(|power| (step + 1).saturating_sub(1 << power));
    let mut at: Vec<u64> = even.chain(dense).chain([step, step + 1]).collect();
    at.retain(|length| *length > 0 && *length < events);
    at.sort_unstable();
    at.dedup();
    at
}

/// Digests of the prefixes with these lengths, rising.
fn prefixes(trace: &[Observed], lengths: &[u64]) -> Vec<Checkpoint> {
    let mut chain = DigestChain::new();
    let mut wanted = lengths.iter().copied().peekable();
    let mut samples = Vec::new();
    for observed in trace {
        chain.push(observed);
        while wanted.peek().is_some_and(|length| *length <= observed.seq) {
            wanted.next();
        }
        if wanted.next_if_eq(&(observed.seq + 1)).is_some() {
            samples.push(chain.sample());
        }
    }
    samples
}

/// Reads requests; the end of the input is the end of the process.
fn listen(sender: &mpsc::Sender<Request>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match serde_json::from_str(&line) {
            Ok(request) => {
                if sender.send(request).is_err() {
                    break;
                }
            }
            Err(error) => {
                tracing::error!(%error, "a request that is none");
                std::process::exit(i32::from(Exit::Internal.code()));
            }
        }
    }
    std::process::exit(0);
}

/// Says what is on the watch while a job runs.
fn beat() {
    loop {
        std::thread::sleep(BEAT);
        let id = RUNNING.load(Relaxed);
        if id != NOTHING {
            say(&Answer::Beat { id, seen: watch::seen() });
        }
    }
}

/// Says at once what is on the watch.
fn announce(seen: watch::Seen) {
    say(&Answer::Beat { id: RUNNING.load(Relaxed), seen });
}

/// One line, whole. A parent that is gone needs no answer.
fn say(answer: &Answer) {
    let mut line = serde_json::to_string(answer).expect("answers are plain data");
    line.push('\n');
    let mut out = std::io::stdout().lock();
    if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

static RUNNING: AtomicU64 = AtomicU64::new(NOTHING);
static PLACE: Mutex<String> = Mutex::new(String::new());

const NOTHING: u64 = u64::MAX;
const BEAT: Duration = Duration::from_millis(200);
/// Even and dense checkpoints of a capsule; with two more they stay below its limit.
const EVEN: u64 = 24;
const DENSE: u32 = 20;
const _: () = assert!(EVEN as usize + DENSE as usize + 2 <= Capsule::CHECKPOINTS_MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use tumbler_types::{Event, Instant, NodeId};

    #[test]
    fn checkpoints_rise_are_dense_before_the_step_and_fit_a_capsule() {
        for (events, step) in [(1, 0), (2, 1), (50, 49), (22_000, 2_408), (10_000_000, 9_999_999)] {
            let at = chosen(events, step);
            assert!(at.len() <= Capsule::CHECKPOINTS_MAX, "{} for {events}", at.len());
            assert!(at.is_sorted_by(|a, b| a < b));
            assert!(at.iter().all(|length| (1..events).contains(length)));
            assert!(step == 0 || at.contains(&step), "{step} of {events}");
        }
    }

    #[test]
    fn a_prefix_has_the_digest_of_a_run_that_ended_there() {
        let event = Event::ClockSet { offset: 1 };
        let observed = |seq| Observed { seq, at: Instant(seq), node: NodeId(0), event };
        let trace: Vec<Observed> = (0..100).map(observed).collect();
        let samples = prefixes(&trace, &[1, 40, 100, 200]);
        let ended = |length: u64| {
            let mut chain = DigestChain::new();
            (0..length).for_each(|seq| chain.push(&observed(seq)));
            chain.finish().0
        };
        let got: Vec<_> = samples.iter().map(|sample| (sample.events, sample.digest)).collect();
        assert_eq!(got, [(1, ended(1)), (40, ended(40)), (100, ended(100))]);
    }
}
