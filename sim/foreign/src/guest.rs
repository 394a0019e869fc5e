//! The guest: one invocation of a rotation function, seen from the world.
//!
//! It exists so that the world knows nothing of processes. A guest is started, says one thing, is
//! answered, says the next, until it ends; between two answers it costs no virtual time.
//!
//! It deliberately gives the guest nothing but the event, a clock, entropy and answers.

use serde_json::{Map, Value};
use tumbler_types::{Instant, Span};

/// Runs invocations, several at a time, of which only the one just spoken to makes progress.
pub trait Guests {
    /// Starts an invocation; returns the first thing that it says.
    fn start(&mut self, guest: u32, invoke: &Invoke) -> Said;
    /// Answers the call that this guest waits in; returns the next thing that it says.
    fn answer(&mut self, guest: u32, now: Instant, answer: &Answer) -> Said;
    /// Ends a guest that waits in a call.
    fn kill(&mut self, guest: u32);
}

/// One of the four steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Create,
    Set,
    Test,
    Finish,
}

impl Step {
    pub const ALL: [Step; 4] = [Step::Create, Step::Set, Step::Test, Step::Finish];

    /// As the event spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Step::Create => "createSecret",
            Step::Set => "setSecret",
            Step::Test => "testSecret",
            Step::Finish => "finishSecret",
        }
    }

    /// In a table.
    pub const fn short(self) -> &'static str {
        match self {
            Step::Create => "create",
            Step::Set => "set",
            Step::Test => "test",
            Step::Finish => "finish",
        }
    }
}

/// What an invocation is told at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoke {
    pub step: Step,
    pub secret: String,
    pub token: String,
    pub now: Instant,
    /// The longest that it may live.
    pub life: Span,
    pub entropy: [u8; 32],
}

/// What a guest says.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Called(Call),
    /// The function returned.
    Done {
        log: Vec<String>,
    },
    /// The function raised.
    Raised {
        kind: String,
        message: String,
        at: Option<String>,
        log: Vec<String>,
    },
    /// The function, or what stands between, did what nothing can be made of.
    Broke(Break),
}

/// Why a guest cannot go on, for a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Break {
    pub why: String,
    /// File and line in the function.
    pub at: Option<String>,
}

/// One call to the outside.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `secretsmanager.put_secret_value`, `sql.execute`, `sleep`, …
    pub op: String,
    pub args: Map<String, Value>,
    /// File and line in the function.
    pub at: Option<String>,
    /// What the function logged or printed since it last spoke.
    pub log: Vec<String>,
}

impl Call {
    /// A text argument; empty if there is none.
    pub fn text(&self, name: &str) -> &str {
        self.args.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Changes nothing, wherever it is applied.
    pub fn reads(&self) -> bool {
        match self.op.as_str() {
            "secretsmanager.describe_secret"
            | "secretsmanager.get_secret_value"
            | "secretsmanager.list_secret_version_ids"
            | "secretsmanager.get_random_password" => true,
            op => op.starts_with("rds."),
        }
    }

    /// What a person calls it: the operation, or a statement's first words.
    pub fn title(&self) -> String {
        match self.op.split_once('.') {
            Some(("sql", "execute")) => {
                let mut words = self.text("sql").split_whitespace().map(str::to_uppercase);
                let first = words.next().unwrap_or_default();
                match first.as_str() {
                    "SELECT" => "select".to_owned(),
                    _ => format!("{} {}", first, words.next().unwrap_or_default()).to_lowercase(),
                }
            }
            Some((_, name)) => name.to_owned(),
            None => self.op.clone(),
        }
    }
}

/// What the world answers.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Value(Value),
    /// Expected errors of the service, by their published names.
    Error {
        kind: String,
        message: String,
        /// SQLSTATE or error number, where there is one.
        code: String,
    },
}

impl Answer {
    pub fn error(kind: &str, code: &str, message: impl Into<String>) -> Answer {
        Answer::Error { kind: kind.to_owned(), code: code.to_owned(), message: message.into() }
    }
}
