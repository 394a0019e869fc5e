//! A child process that is spoken to in lines, within a time.
//!
//! Its standard output is a socket, whose reads can be given a limit: that costs no thread and no
//! wake-up, and ends also where a grandchild keeps the other end open.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// The child.
pub struct Process {
    child: Child,
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
        let mut child = command.spawn().map_err(failed)?;
        // The command still holds the other end, and would keep it open.
        command.stdout(Stdio::null());
        let to = child.stdin.take();
        Ok(Process { child, to, from: BufReader::new(ours), limit })
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
        let _ = self.child.kill();
        let status = self.child.wait().map_or_else(|why| why.to_string(), |status| status.to_string());
        match read {
            Err(why) if matches!(why.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Silence::Overdue(self.limit))
            }
            Ok(_) | Err(_) => Err(Silence::Ended(status)),
        }
    }

    /// Closes its input; whether it ends within `limit`.
    pub fn ends_with_its_input(&mut self, limit: Duration) -> bool {
        self.to = None;
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return true;
            }
            std::thread::sleep(LOOK_EVERY);
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LOOK_EVERY: Duration = Duration::from_millis(50);
