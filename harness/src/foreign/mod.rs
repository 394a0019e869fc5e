//! Foreign rotators: the rotation function that somebody else has, under the nemesis' thumb.
//!
//! A folder with `lambda_function.py` is a Python function; one with an executable file `rotator`
//! speaks the protocol of `harness/FOREIGN.md` itself. Runs, strikes and judges are those of
//! `sim/foreign`; here are the processes and the command line.
//!
//! What it deliberately does not do: put the function into a sandbox. Clock, entropy, sockets and
//! processes are taken from Python functions so that runs repeat, not because they are hostile.

pub mod again;
pub mod args;
pub mod batch;
pub mod capsule;
pub mod conformance;
pub mod matrix;
pub mod plain;
pub mod process;
pub mod processor;
pub mod python;
pub mod shrink;
pub mod story;
pub mod sweep;
pub mod wire;

use crate::exit::Failure;
use plain::Plain;
use python::Python;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tumbler_foreign::{Engine, Guests, Layout, Plan, Strike};

/// A folder with a rotator, and the server that it speaks to.
#[derive(Clone, Debug)]
pub struct Rotator {
    /// As it was given, for replay lines.
    pub asked: String,
    folder: PathBuf,
    kind: Kind,
    pub engine: Engine,
    pub layout: Layout,
    env: Vec<Setting>,
}

/// A variable of a function's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    pub value: String,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

impl FromStr for Setting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Ok(Setting { name: name.to_owned(), value: value.to_owned() })
            }
            Some(_) | None => Err("\n  expected NAME=VALUE, for example PASSWORD_LENGTH=24".to_owned()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Python,
    Plain,
}

impl Rotator {
    /// Looks at the folder, and at the interpreter if it needs one; starts no rotator.
    pub fn open(
        folder: &Path,
        engine: Engine,
        layout: Layout,
        env: Vec<Setting>,
    ) -> Result<Rotator, Failure> {
        let asked = folder.display().to_string();
        let kind = if folder.join(FUNCTION).is_file() {
            Kind::Python
        } else if folder.join(PROGRAM).is_file() {
            Kind::Plain
        } else if folder.is_dir() {
            let why = format!(
                "--rotator {asked}:\n  expected {FUNCTION} or an executable `{PROGRAM}` in that folder"
            );
            return Err(Failure::Usage(why));
        } else {
            return Err(Failure::Usage(format!("--rotator {asked}: expected a folder with {FUNCTION}")));
        };
        if kind == Kind::Python {
            python::check()?;
        }
        let folder =
            folder.canonicalize().map_err(|why| Failure::Usage(format!("--rotator {asked}: {why}")))?;
        Ok(Rotator { asked, folder, kind, engine, layout, env })
    }

    /// The folder's name.
    pub fn name(&self) -> String {
        self.folder
            .file_name()
            .map_or_else(|| "rotator".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// A run's plan.
    pub const fn plan(&self, seed: u64, strikes: Vec<Strike>) -> Plan {
        Plan { engine: self.engine, layout: self.layout, seed, strikes }
    }

    /// A runner of invocations.
    pub fn guests(&self, limit: Duration) -> Box<dyn Guests> {
        match self.kind {
            Kind::Python => Box::new(Python::new(&self.folder, self.env.clone(), limit)),
            Kind::Plain => {
                Box::new(Plain::new(self.folder.join(PROGRAM), Vec::new(), self.env.clone(), limit))
            }
        }
    }

    /// The line that runs these strikes again.
    pub fn replay(&self, plan: &Plan) -> String {
        use std::fmt::Write as _;
        let asked = crate::terminal::word(&self.asked);
        let mut line = format!("tumbler run --rotator {asked} --engine {}", self.engine.name());
        let mut put = |part: std::fmt::Arguments| line.write_fmt(part).expect("memory");
        if self.layout != Layout::default() {
            put(format_args!(" --layout {}", self.layout.name()));
        }
        for setting in &self.env {
            put(format_args!(" --env {}", crate::terminal::word(&setting.to_string())));
        }
        put(format_args!(" --seeds {}..{}", plan.seed, plan.seed + 1));
        for strike in &plan.strikes {
            put(format_args!(" --strike {strike}"));
        }
        line
    }
}

const FUNCTION: &str = "lambda_function.py";
const PROGRAM: &str = "rotator";
