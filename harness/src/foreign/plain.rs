//! Programs that speak the protocol themselves: one process for each invocation.

use super::Setting;
use super::process::Process;
use super::wire;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use tumbler_foreign::{Answer, Break, Guests, Invoke, Said};
use tumbler_types::Instant;

/// A program, and its invocations.
pub struct Plain {
    program: PathBuf,
    args: Vec<String>,
    env: Vec<Setting>,
    limit: Duration,
    running: BTreeMap<u32, Process>,
}

impl Plain {
    /// `limit` is the wall time that an invocation may take between two calls.
    pub fn new(program: PathBuf, args: Vec<String>, env: Vec<Setting>, limit: Duration) -> Plain {
        Plain { program, args, env, limit, running: BTreeMap::new() }
    }

    fn said(&mut self, guest: u32, line: &str) -> Said {
        let process = self.running.get_mut(&guest).expect("only a guest that runs is spoken to");
        let said = match process.ask(line) {
            Ok(heard) => wire::said(&heard),
            Err(silence) => Said::Broke(Break { why: silence.to_string(), at: None }),
        };
        if !matches!(said, Said::Called(_)) {
            self.running.remove(&guest);
        }
        said
    }
}

impl Guests for Plain {
    fn start(&mut self, guest: u32, invoke: &Invoke) -> Said {
        let mut command = Command::new(&self.program);
        let env = self.env.iter().map(|Setting { name, value }| (name, value));
        match Process::start(command.args(&self.args).envs(env), self.limit) {
            Ok(process) => {
                self.running.insert(guest, process);
                self.said(guest, &wire::invoke(invoke))
            }
            Err(why) => Said::Broke(Break { why, at: None }),
        }
    }

    fn answer(&mut self, guest: u32, now: Instant, answer: &Answer) -> Said {
        self.said(guest, &wire::answer(now, answer))
    }

    fn kill(&mut self, guest: u32) {
        self.running.remove(&guest);
    }
}
