//! A child process that is spoken to in lines, within a time.
//!
//! Its standard output is a socket, whose reads can be given a limit: that costs no thread and no
//! wake-up, and ends also where a grandchild keeps the other end open.
//!
//! Invariant: what a child has started ends with it. Each is the head of a process group, and the group is
//! killed: when it is dropped, when it is overdue, and on Ctrl-C (see [`watched`]).

use crate::exit::{Exit, Failure};
use crate::terminal;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// The child.
pub struct Process {
    /// None once its end was taken note of.
    child: Option<Child>,
    to: Option<ChildStdin>,
    from: BufReader<UnixStream>,
    limit: Duration,
}

/// Why no line came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// Its output ended.
    Ended(String),
    /// It was killed after so long.
    Overdue(Duration),
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Silence::Ended(status) => write!(f, "the program ended without a word: {status}"),
            Silence::Overdue(limit) => {
                write!(f, "the program did not ask or end for {} s of real time", limit.as_secs())
            }
        }
    }
}

/// What comes from a child that is not spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    Line(String),
    /// Its output ended.
    Ended,
    Nothing,
}

impl Process {
    /// Starts a command. What it says on standard error goes nowhere: it may hold a secret.
    pub fn start(command: &mut Command, limit: Duration) -> Result<Process, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let failed = |why: std::io::Error| format!("failed to start {name}: {why}");
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        ours.set_read_timeout(Some(limit)).map_err(failed)?;
        command.stdin(Stdio::piped()).stdout(Stdio::from(OwnedFd::from(theirs))).stderr(Stdio::null());
        // Ctrl-C on a terminal is for us: what was done by then is still to be told.
        command.process_group(0);
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.is_over {
            return Err("interrupted".to_owned());
        }
        let mut child = command.spawn().map_err(failed)?;
        groups.running.insert(child.id());
        drop(groups);
        // The command still holds the other end, and would keep it open.
        command.stdout(Stdio::null());
        let to = child.stdin.take();
        Ok(Process { child: Some(child), to, from: BufReader::new(ours), limit })
    }

    /// Says a line; hears one.
    pub fn ask(&mut self, line: &str) -> Result<String, Silence> {
        if let Some(to) = &mut self.to {
            // A child that does not listen any more ends its output too.
            let _ = to.write_all(format!("{line}\n").as_bytes()).and_then(|()| to.flush());
        }
        let mut heard = String::new();
        let read = self.from.read_line(&mut heard);
        if heard.ends_with('\n') {
            heard.pop();
            return Ok(heard);
        }
        let status = self.end();
        match read {
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Silence::Overdue(self.limit))
            }
            Ok(_) | Err(_) => Err(Silence::Ended(status)),
        }
    }

    /// What comes within a time without a word to it; at once what is there already, if the time is zero.
    pub fn unasked(&mut self, limit: Duration) -> Unasked {
        let mut heard = Vec::new();
        let stream = self.from.get_ref();
        let begun = match limit.is_zero() {
            true => stream.set_nonblocking(true),
            false => stream.set_read_timeout(Some(limit)),
        };
        let read = begun.and_then(|()| self.from.read_until(b'\n', &mut heard));
        let stream = self.from.get_ref();
        let ended = stream.set_nonblocking(false).and_then(|()| stream.set_read_timeout(Some(self.limit)));
        match read {
            _ if !heard.is_empty() => Unasked::Line(String::from_utf8_lossy(&heard).trim_end().to_owned()),
            Ok(_) if ended.is_ok() => Unasked::Ended,
            Ok(_) | Err(_) => Unasked::Nothing,
        }
    }

    /// From now on it, and each that it forks, is refused more memory than so many bytes. Where there is no
    /// such limit, the machine's own has to do.
    pub fn bound_memory(&self, bytes: u64) {
        #[cfg(target_os = "linux")]
        if let Some(child) = &self.child {
            use rustix::process::{Resource, Rlimit, prlimit};
            let most = Rlimit { current: Some(bytes), maximum: Some(bytes) };
            // Refused in some containers.
            let _ = prlimit(Some(Pid::from_child(child)), Resource::As, most);
        }
        #[cfg(not(target_os = "linux"))]
        let _ = bytes;
    }

    /// Closes its input; whether it ends within `limit`.
    pub fn ends_with_its_input(&mut self, limit: Duration) -> bool {
        self.to = None;
        let Some(child) = &self.child else { return true };
        let pid = Pid::from_child(child);
        let until = Instant::now() + limit;
        // It is looked at and not waited for: until then its number is nobody else's.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        while Instant::now() < until {
            if waitid(WaitId::Pid(pid), look).is_ok_and(|status| status.is_some()) {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        false
    }

    /// Ends it, and all that it started; how it ended.
    fn end(&mut self) -> String {
        let Some(mut child) = self.child.take() else { return "it has ended".to_owned() };
        let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
        // Before it is waited for: a number that was given back may be another's.
        kill(child.id());
        groups.running.remove(&child.id());
        drop(groups);
        child.wait().map_or_else(|why| why.to_string(), |status| status.to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Does some work; Ctrl-C meanwhile ends all children and this program, with 130.
pub fn watched<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, Failure> {
    let unheard = |error: std::io::Error| Failure::Internal(format!("failed to listen for signals: {error}"));
    std::thread::scope(|scope| {
        let (sender, done) = oneshot::channel();
        crate::block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
            let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
            scope.spawn(move || sender.send(work()));
            tokio::select! {
                biased;
                _ = interrupt.recv() => interrupted(),
                _ = terminate.recv() => interrupted(),
                result = done => result.map_err(|_| Failure::Internal("a thread ended early".to_owned())),
            }
        })
    })
}

fn interrupted() -> ! {
    let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
    groups.is_over = true;
    groups.running.iter().copied().for_each(kill);
    terminal::note("tumbler: interrupted");
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

fn kill(group: u32) {
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        // It may have ended by itself.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Groups that are not ended yet.
struct Groups {
    running: BTreeSet<u32>,
    /// Nothing is started any more.
    is_over: bool,
}

/// Of the process, as its children are; no run has part in it.
static GROUPS: Mutex<Groups> = Mutex::new(Groups { running: BTreeSet::new(), is_over: false });
const LOOK_EVERY: Duration = Duration::from_millis(50);
