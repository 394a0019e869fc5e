//! Python functions: one fork server for a folder, which imports once and forks per invocation.
//!
//! The sources are in the binary, so that a test of a function needs Python and nothing else. They
//! reach the interpreter on its command line: no file is written.
//!
//! What it deliberately does not do: read `PYTHON…` variables, site packages or the current folder.
//! What a function imports is a stand-in, the standard library, or stands beside it.

use super::Setting;
use super::process::{Process, Silence};
use super::wire;
use crate::exit::Failure;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tumbler_foreign::{Answer, Break, Guests, Invoke, Said};
use tumbler_types::Instant;

/// The server.
pub struct Python {
    folder: PathBuf,
    env: Vec<Setting>,
    limit: Duration,
    process: Option<Process>,
}

/// Whether there is an interpreter that will do, told before anything is run.
pub fn check() -> Result<(), Failure> {
    let help = "  a lambda_function.py is run by Python 3.11 or later, as `python3` in PATH:\n  \
                install it, or put it first there (PATH=/opt/python3.11/bin:$PATH); or\n  \
                give an executable `rotator` in any language (harness/FOREIGN.md)";
    let refused = |what: String| Failure::Usage(format!("{what}\n{help}"));
    let asked = Command::new(PYTHON).args(["-I", "-c", "import sys; print(*sys.version_info[:2])"]).output();
    let output = asked.map_err(|why| refused(format!("failed to start {PYTHON}: {why}")))?;
    let told = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version: Option<(u32, u32)> =
        told.split_once(' ').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    match version {
        Some(version) if version >= VERSION_MIN => Ok(()),
        Some((major, minor)) => Err(refused(format!("{PYTHON} is {major}.{minor}"))),
        None => Err(refused(format!("{PYTHON} did not tell its version, but ended with {}", output.status))),
    }
}

impl Python {
    /// Nothing is started yet. `limit` is the wall time that a function may take between two calls.
    pub fn new(folder: &Path, env: Vec<Setting>, limit: Duration) -> Python {
        Python { folder: folder.to_owned(), env, limit, process: None }
    }

    fn ask(&mut self, line: &str) -> Result<String, Break> {
        if self.process.is_none() {
            let started = Process::start(&mut self.command(), self.limit * 5 + GRACE);
            let started = started.map_err(|why| Break { why, at: None })?;
            started.bound_memory(MEMORY_MAX);
            self.process = Some(started);
        }
        let process = self.process.as_mut().expect("just started");
        process.ask(line).map_err(|silence| {
            self.process = None;
            let why = match silence {
                Silence::Ended(status) => {
                    format!("the Python interpreter ended: {status}")
                }
                Silence::Overdue(limit) => {
                    format!("the function hung for {} s where Python could not interrupt it", limit.as_secs())
                }
            };
            Break { why, at: None }
        })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PYTHON);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PYTHON") {
                command.env_remove(name);
            }
        }
        let sources: serde_json::Map<String, serde_json::Value> =
            SOURCES.iter().map(|(name, source)| ((*name).to_owned(), json!(source))).collect();
        // One encoding, whatever the machine's language.
        command.args(["-X", "utf8"]).env("LC_ALL", "C").env("PYTHONCOERCECLOCALE", "0");
        // The order of a set must be the same in each run.
        command.env("PYTHONHASHSEED", "0").env("TZ", "UTC");
        // Or each invocation would look up the same symbols again, after the fork.
        command.env("LD_BIND_NOW", "1");
        command.args(["-s", "-S", "-B", "-c", HOST]).arg(&self.folder);
        command.arg(json!(sources).to_string()).arg(self.limit.as_secs_f64().to_string());
        let set = |Setting { name, value }: &Setting| (name.clone(), json!(value));
        let env: serde_json::Map<String, serde_json::Value> = self.env.iter().map(set).collect();
        command.arg(json!(env).to_string());
        command
    }

    fn said(&mut self, guest: u32, line: &str) -> Said {
        let heard = match self.ask(&format!("{guest} {line}")) {
            Ok(heard) => heard,
            Err(broken) => return Said::Broke(broken),
        };
        let prefix = format!("{guest} ");
        let line = heard.strip_prefix(&prefix).expect("the server says whose line it is");
        wire::said(line)
    }
}

impl Guests for Python {
    fn start(&mut self, guest: u32, invoke: &Invoke) -> Said {
        self.said(guest, &wire::invoke(invoke))
    }

    fn answer(&mut self, guest: u32, now: Instant, answer: &Answer) -> Said {
        self.said(guest, &wire::answer(now, answer))
    }

    fn kill(&mut self, guest: u32) {
        if self.process.is_some() {
            // A server that is gone has taken its guests with it.
            let _ = self.ask(&format!("{guest} kill"));
        }
    }
}

const PYTHON: &str = "python3";
const VERSION_MIN: (u32, u32) = (3, 11);
const HOST: &str = include_str!("python/host.py");
const SOURCES: &[(&str, &str)] = &[
    ("tumbler_guest", include_str!("python/tumbler_guest.py")),
    ("tumbler_sql", include_str!("python/tumbler_sql.py")),
    ("boto3", include_str!("python/boto3.py")),
    ("boto3.session", include_str!("python/boto3_session.py")),
    ("botocore", include_str!("python/botocore.py")),
    ("botocore.config", include_str!("python/botocore_config.py")),
    ("botocore.exceptions", include_str!("python/botocore_exceptions.py")),
    ("pg", include_str!("python/pg.py")),
    ("pgdb", include_str!("python/pgdb.py")),
    ("psycopg", include_str!("python/psycopg.py")),
    ("psycopg.rows", include_str!("python/psycopg_rows.py")),
    ("psycopg.sql", include_str!("python/psycopg2_sql.py")),
    ("psycopg2", include_str!("python/psycopg2.py")),
    ("psycopg2.errorcodes", include_str!("python/psycopg2_errorcodes.py")),
    ("psycopg2.errors", include_str!("python/psycopg2_errors.py")),
    ("psycopg2.extensions", include_str!("python/psycopg2_extensions.py")),
    ("psycopg2.extras", include_str!("python/psycopg2_extras.py")),
    ("psycopg2.pool", include_str!("python/psycopg2_pool.py")),
    ("psycopg2.sql", include_str!("python/psycopg2_sql.py")),
    ("pymysql", include_str!("python/pymysql.py")),
    ("pymysql.constants", include_str!("python/pymysql_constants.py")),
    ("pymysql.converters", include_str!("python/pymysql_converters.py")),
    ("pymysql.cursors", include_str!("python/pymysql_cursors.py")),
    ("pymysql.err", include_str!("python/pymysql_err.py")),
];

/// What a function has beside what the interpreter needs: a gigabyte.
const MEMORY_MAX: u64 = (1 << 30) + (256 << 20);
/// For the interpreter's start, and the import.
const GRACE: Duration = Duration::from_secs(5);
