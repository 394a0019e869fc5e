//! The pool: worker processes, fed, watched and replaced.
//!
//! Jobs go out in order, in small batches; results come back in any order, each under its job's id.
//! A worker answers its batch one job after the other, so the first job without an answer is always
//! the one that runs: whatever kills the worker is that job's doing, and the rest of the batch goes
//! to a fresh worker. Beside each worker stands another process, in which its batch's seeds that are to be
//! rechecked run again, the last one first.
//!
//! `Determinism:` nothing here reaches a run. The wall clock limits a run's time and nothing else; a
//! run that a slow machine kills is reported as killed, never as passed.

use crate::exit::Failure;
use crate::identity;
use crate::job::{Answer, Done, Job, Request, Settings, Task};
use crate::judgement;
use crate::recheck::Recheck;
use crate::watch::Seen;
use std::collections::VecDeque;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tumbler_plan::LastWords;

/// How jobs are run.
#[derive(Clone, Debug)]
pub struct Pool {
    pub workers: usize,
    /// Longest wall time of one run.
    pub limit: Duration,
    pub settings: Settings,
}

/// Jobs not yet given out.
type Source = Arc<Mutex<Box<dyn Iterator<Item = Job> + Send>>>;

impl Pool {
    /// Starts the workers; results come through the returned stream, which ends when all jobs are
    /// done. Dropping it kills the workers.
    pub fn start(&self, jobs: Box<dyn Iterator<Item = Job> + Send>) -> Results {
        let source: Source = Arc::new(Mutex::new(jobs));
        let (sender, receiver) = mpsc::channel(RESULTS_MAX);
        let mut slots = JoinSet::new();
        for _ in 0..self.workers.max(1) {
            slots.spawn(work(self.clone(), Arc::clone(&source), sender.clone()));
        }
        Results { receiver, _slots: slots }
    }
}

/// Results in the order in which they come.
pub struct Results {
    receiver: mpsc::Receiver<Result<Done, Failure>>,
    _slots: JoinSet<()>,
}

impl Results {
    pub async fn next(&mut self) -> Option<Result<Done, Failure>> {
        self.receiver.recv().await
    }
}

/// One slot: a worker at a time, until no job is left.
async fn work(pool: Pool, source: Source, sender: mpsc::Sender<Result<Done, Failure>>) {
    let mut worker: Option<Worker> = None;
    let mut batch: VecDeque<Job> = VecDeque::new();
    let mut recheck = Recheck::new(&pool.settings, pool.limit);
    loop {
        if batch.is_empty() {
            let mut source = source.lock().expect("nothing panics while it holds this");
            batch.extend(source.by_ref().take(BATCH));
        }
        if batch.is_empty() {
            return;
        }
        let running = match worker.take() {
            Some(running) => Ok(running),
            None => Worker::start(&pool.settings).await,
        };
        let mut running = match running {
            Ok(running) => running,
            Err(failure) => {
                let _ = sender.send(Err(failure)).await;
                return;
            }
        };
        if running.give(batch.make_contiguous()).await.is_ok() {
            let mut again = Vec::new();
            worker = serve_batch(running, &pool, &mut batch, &sender, &mut again).await;
            for (job, mut done) in again.into_iter().rev() {
                let checked = recheck.check(&job, &mut done, worker.as_mut()).await;
                if sender.send(checked.map(|()| done)).await.is_err() {
                    return;
                }
            }
        }
        if sender.is_closed() {
            return;
        }
    }
}

/// Takes answers until the batch is done, or the worker is. The worker comes back if it lives. What is to
/// be rechecked is left in `again`.
async fn serve_batch(
    mut worker: Worker,
    pool: &Pool,
    batch: &mut VecDeque<Job>,
    sender: &mpsc::Sender<Result<Done, Failure>>,
    again: &mut Vec<(Job, Done)>,
) -> Option<Worker> {
    while let Some(job) = batch.front() {
        let done = match worker.answer(job, pool.limit).await {
            Ok(done) => done,
            Err(dead) => {
                let report = judgement::died(&job.name, &job.plan, dead.words(job));
                let done = Done::of(job.id, report);
                batch.pop_front();
                let _ = sender.send(Ok(done)).await;
                return None;
            }
        };
        let job = batch.pop_front().expect("it was just looked at");
        // A world that panicked has no digest to be compared.
        let has_digest = done.report.row.trace_digest.is_some();
        if matches!(job.task, Task::Judge { recheck: true, .. }) && has_digest {
            again.push((job, done));
        } else if sender.send(Ok(done)).await.is_err() {
            return None;
        }
    }
    Some(worker)
}

/// One worker process.
pub struct Worker {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// Last lines that it wrote to standard error.
    complaints: Arc<Mutex<VecDeque<String>>>,
    seen: Seen,
    announces: bool,
}

/// Why a worker gave no answer, and what it was doing.
#[derive(Debug)]
pub struct Dead {
    pub why: String,
    pub seen: Seen,
}

impl Worker {
    pub async fn start(settings: &Settings) -> Result<Worker, Failure> {
        let internal = |what: &str, error: std::io::Error| Failure::Internal(format!("{what}: {error}"));
        let mut child = Command::new(identity::executable()?)
            .arg("worker")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C is for the parent alone; it ends its workers itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| internal("failed to start a worker", error))?;
        let input = child.stdin.take().expect("it was asked for");
        let output = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let complaints = Arc::new(Mutex::new(VecDeque::new()));
        let errors = BufReader::new(child.stderr.take().expect("it was asked for"));
        tokio::spawn(overhear(errors.lines(), Arc::clone(&complaints)));
        let mut worker =
            Worker { child, input, output, complaints, seen: Seen::default(), announces: settings.announces };
        worker
            .say(&Request::Settings(settings.clone()))
            .await
            .map_err(|error| internal("failed to speak to a worker", error))?;
        Ok(worker)
    }

    /// Hands over a batch.
    pub async fn give(&mut self, jobs: &[Job]) -> std::io::Result<()> {
        self.say(&Request::Batch(jobs.to_vec())).await
    }

    /// The answer to the job that is at the head of what was handed over.
    pub async fn answer(&mut self, job: &Job, limit: Duration) -> Result<Done, Dead> {
        let mut deadline = tokio::time::Instant::now() + limit;
        self.seen = Seen::default();
        loop {
            let Ok(line) = tokio::time::timeout_at(deadline, self.output.next_line()).await else {
                let _ = self.child.kill().await;
                let why = format!("no end within {} s of wall time", limit.as_secs());
                return Err(Dead { why, seen: self.seen });
            };
            let Ok(Some(line)) = line else { return Err(self.last_words().await) };
            match serde_json::from_str(&line) {
                Ok(Answer::Beat { id, seen }) if id == job.id => self.seen = seen,
                // Of a job that was answered since.
                Ok(Answer::Beat { .. }) => {}
                Ok(Answer::Step { .. }) => deadline = tokio::time::Instant::now() + limit,
                Ok(Answer::Done(done)) if done.id == job.id => return Ok(*done),
                Ok(Answer::Done(_)) | Err(_) => {
                    let _ = self.child.kill().await;
                    let why = "the worker said something else than an answer".to_owned();
                    return Err(Dead { why, seen: self.seen });
                }
            }
        }
    }

    async fn say(&mut self, request: &Request) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(request).expect("requests are plain data");
        line.push(b'\n');
        self.input.write_all(&line).await?;
        self.input.flush().await
    }

    /// How it ended, in words. What was seen last counts only if it was announced: a worker that dies
    /// at once may or may not have got a beat out.
    async fn last_words(&mut self) -> Dead {
        let status = self.child.wait().await;
        // What it complained of may still be on its way.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let complaint = self.complaints.lock().expect("nothing panics while it holds this").back().cloned();
        let mut why = status.map_or("the worker is gone".to_owned(), ended);
        if let Some(complaint) = complaint {
            why = format!("{why}: {complaint}");
        }
        let seen = if self.announces { self.seen } else { Seen::default() };
        Dead { why, seen }
    }
}

impl Dead {
    /// In the form that a capsule keeps.
    pub fn words(&self, job: &Job) -> LastWords {
        let Dead { why, seen: Seen { seq, at, node, inputs: _ } } = self;
        let node = node.map(|node| job.plan.topology.name(node));
        LastWords { node, seq: *seq, at: *at, event: None, why: why.clone() }
    }
}

/// How a process ended. Names of signals that a crashing process dies of.
fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (_, Some(signal)) => {
            let name = match signal {
                4 => " (SIGILL)",
                6 => " (SIGABRT)",
                7 => " (SIGBUS)",
                8 => " (SIGFPE)",
                9 => " (SIGKILL)",
                11 => " (SIGSEGV)",
                _ => "",
            };
            format!("the worker died of signal {signal}{name}")
        }
        (Some(code), None) => format!("the worker ended with code {code}"),
        (None, None) => "the worker ended".to_owned(),
    }
}

/// Keeps the last lines, and passes everything on when somebody asked to see logs.
async fn overhear(
    mut lines: Lines<BufReader<tokio::process::ChildStderr>>,
    complaints: Arc<Mutex<VecDeque<String>>>,
) {
    let shown = std::env::var_os("RUST_LOG").is_some();
    while let Ok(Some(line)) = lines.next_line().await {
        if shown {
            crate::terminal::note(&line);
        }
        if line.trim().is_empty() || line.starts_with("fatal runtime error") {
            continue;
        }
        let mut complaints = complaints.lock().expect("nothing panics while it holds this");
        complaints.push_back(line);
        if complaints.len() > COMPLAINTS_MAX {
            complaints.pop_front();
        }
    }
}

/// Jobs handed over at once: enough to hide the pipe, few enough to share out evenly.
const BATCH: usize = 4;
/// Results waiting to be taken.
const RESULTS_MAX: usize = 256;
const COMPLAINTS_MAX: usize = 8;
