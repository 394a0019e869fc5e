//! The SQL server of foreign rotators beside real ones: PostgreSQL and MariaDB.
//!
//! Sequences of statements and logins are drawn from fixed seeds and go to both sides: several sessions,
//! users that come and go, rights, transactions, mistakes. Each step must be answered alike (rows and
//! columns, or the error's code), and at the end the same passwords must open the same doors, and
//! everybody may do the same. What differs on purpose is a table of its own, which also says how.
//!
//! A real server is a child process in a scratch folder with a socket and no network. It does not run
//! as the superuser of the machine: then it is started as `nobody`. Without the server's programs a test
//! says so and ends, unless `TUMBLER_REQUIRE_TOOLS=1`; what `.ci/run` could not install is named in `TUMBLER_WITHOUT`.
//!
//! `TUMBLER_BLESS=1 cargo test -p tumbler --test engines` writes the table into `harness/FOREIGN.md`.
//!
//! What it deliberately does not do: compare TLS, two open transactions that write, or time.

mod draw;
mod maria_client;
mod maria_script;
mod mariadb;
mod native;
mod postgres;
mod postgres_client;
mod postgres_script;
mod real;
mod table;

use std::collections::BTreeMap;
use tumbler_foreign::Answer;
use tumbler_foreign::sql::{Engine, Server};
use tumbler_types::Instant;

/// One step of a sequence. Sessions are numbered.
#[derive(Clone, Debug)]
enum Step {
    /// Opens a session in the place of the one with its number, if it is let in.
    Login {
        session: usize,
        user: String,
        password: String,
    },
    Execute {
        session: usize,
        sql: String,
    },
}

/// What a step was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Rows {
        columns: Vec<String>,
        rows: Vec<Vec<String>>,
    },
    Done,
    /// The error's code.
    Refused(String),
    /// The session was never let in.
    Nobody,
}

/// A real server, or ours.
trait Side {
    fn step(&mut self, step: &Step) -> Seen;
    /// What everybody may do, in lines.
    fn rights(&mut self, names: &[&str]) -> Vec<String>;
}

/// Ours.
struct Ours {
    server: Server,
    sessions: BTreeMap<usize, u64>,
    next: u64,
    /// Session numbers that take part in transactions as drivers do, without saying BEGIN.
    implicit: fn(usize) -> bool,
}

impl Ours {
    fn new(engine: Engine, implicit: fn(usize) -> bool) -> Ours {
        let mut server = Server::new(engine, ("admin", "first"), ("app", "first"));
        let told = server.connect(Instant::ZERO, 0, "admin", "first", true);
        assert!(matches!(told, Answer::Value(_)));
        if !engine.is_postgres() {
            for name in ["admin", "app"] {
                server.execute(Instant::ZERO, 0, &format!("ALTER USER {name} REQUIRE NONE"));
            }
        }
        server.set_autocommit(0, true);
        Ours { server, sessions: BTreeMap::new(), next: 1, implicit }
    }
}

impl Side for Ours {
    fn step(&mut self, step: &Step) -> Seen {
        match step {
            Step::Login { session, user, password } => {
                let (id, before) = (self.next, self.sessions.remove(session));
                self.next += 1;
                before.into_iter().for_each(|before| self.server.close(before));
                match self.server.connect(Instant::ZERO, id, user, password, false) {
                    Answer::Value(_) => {
                        self.server.set_autocommit(id, !(self.implicit)(*session));
                        self.sessions.insert(*session, id);
                        Seen::Done
                    }
                    Answer::Error { code, .. } => Seen::Refused(code),
                }
            }
            Step::Execute { session, sql } => {
                let Some(id) = self.sessions.get(session) else { return Seen::Nobody };
                match self.server.execute(Instant::ZERO, *id, sql) {
                    Answer::Error { kind, message, .. } if kind == "Unsupported" => Seen::Refused(message),
                    Answer::Error { code, .. } => Seen::Refused(code),
                    Answer::Value(value) => {
                        let columns: Vec<String> = texts(&value["columns"]);
                        if columns.is_empty() {
                            return Seen::Done;
                        }
                        let rows: Vec<Vec<String>> =
                            value["rows"].as_array().expect("rows").iter().map(texts).collect();
                        assert_eq!(value["rowcount"], rows.len());
                        Seen::Rows { columns, rows }
                    }
                }
            }
        }
    }

    fn rights(&mut self, names: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for name in names {
            if self.server.engine.is_postgres() {
                let means = self.server.means(name);
                lines.extend(means.privileges.into_iter().map(|line| format!("{name}: {line}")));
            } else if let Answer::Value(value) =
                self.server.execute(Instant::ZERO, 0, &format!("SHOW GRANTS FOR '{name}'"))
            {
                let rows = value["rows"].as_array().expect("rows").iter();
                lines.extend(rows.map(|row| row[0].as_str().expect("text").to_owned()));
            }
        }
        lines.sort();
        lines
    }
}

fn texts(values: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::Null => NULL.to_owned(),
        serde_json::Value::Bool(is) => if *is { "t" } else { "f" }.to_owned(),
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Object(told) => moment(told["timestamp"].as_u64().expect("milliseconds")),
        other => other.to_string(),
    };
    values.as_array().map(|values| values.iter().map(text).collect()).unwrap_or_default()
}

/// As PostgreSQL writes the few moments that scripts name; any other is the clock's.
fn moment(millis: u64) -> String {
    let known =
        [(1_000_000_000_000, "2001-09-09 01:46:40+00"), (4_070_908_800_000, "2099-01-01 00:00:00+00")];
    known.iter().find(|(at, _)| *at == millis).map_or("a time", |(_, text)| text).to_owned()
}

/// What cannot be equal is called alike: the clock, versions, the server's own numbers.
fn masked(seen: Seen) -> Seen {
    let Seen::Rows { mut columns, mut rows } = seen else { return seen };
    for (index, column) in columns.iter().enumerate() {
        let column = column.to_ascii_lowercase();
        let what = match column.trim_end_matches("()") {
            "now" | "current_timestamp" | "at" => "a time",
            "version" | "server_version" | "@@version" => "a version",
            "connection_id" => "a number",
            "user" if column.ends_with(')') => "a caller",
            "oid" | "usesysid" => "a number",
            _ => continue,
        };
        rows.iter_mut().for_each(|row| row[index] = what.to_owned());
    }
    // MariaDB calls columns as they are written, or as the table has them.
    for column in columns.iter_mut().filter(|column| matches!(column.as_str(), "User" | "Host")) {
        *column = column.to_ascii_lowercase();
    }
    rows.sort();
    Seen::Rows { columns, rows }
}

/// Runs a sequence on both sides; how they differ, or how often each kind of answer came.
fn compared(
    steps: &[Step],
    ours: &mut dyn Side,
    real: &mut dyn Side,
    names: &[&str],
    met: &mut BTreeMap<String, u64>,
) -> Result<(), String> {
    let mut story = String::new();
    for step in steps {
        let (expect, got) = (masked(real.step(step)), masked(ours.step(step)));
        story += &format!("  {step:?}\n    real {expect:?}\n");
        if expect != got {
            return Err(format!("{story}    ours {got:?}"));
        }
        let what = match &expect {
            Seen::Rows { .. } => "rows".to_owned(),
            Seen::Done => "done".to_owned(),
            Seen::Refused(code) => code.clone(),
            Seen::Nobody => continue,
        };
        *met.entry(what).or_default() += 1;
    }
    let (expect, got) = (real.rights(names), ours.rights(names));
    if expect != got {
        return Err(format!("{story}  at the end\n    real {expect:#?}\n    ours {got:#?}"));
    }
    Ok(())
}

/// Shows each sequence that differed by its last step, and the shortest whole.
fn agree(failures: &[(u64, String)]) {
    let Some((shortest, story)) = failures.iter().min_by_key(|(_, story)| story.len()) else { return };
    for (seed, story) in failures.iter().take(SHOWN) {
        let lines: Vec<&str> = story.lines().collect();
        println!("seed {seed}:\n{}", lines[lines.len().saturating_sub(3)..].join("\n"));
    }
    panic!("{} sequences differ; seed {shortest}:\n{story}", failures.len());
}

/// One line of what came up, and a failure if something did not.
fn reached(engine: &str, sequences: u64, met: &BTreeMap<String, u64>, expected: &[&str]) {
    let told: Vec<String> = met.iter().map(|(what, count)| format!("{what} {count}")).collect();
    println!("{engine}: {sequences} sequences, {} steps: {}", met.values().sum::<u64>(), told.join(", "));
    let never: Vec<_> = expected.iter().filter(|what| !met.contains_key(**what)).collect();
    assert!(never.is_empty(), "never met: {never:?}");
}

const NULL: &str = "NULL";
/// Sequences that are shown by their last step.
const SHOWN: usize = 20;
