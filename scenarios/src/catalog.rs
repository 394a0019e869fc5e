//! The shipped scenarios and suites, embedded, found by name.
//!
//! Embedded, so that `tumbler run` works from any directory. It deliberately looks nowhere else: a
//! user's own file is read by the harness and parsed by [`crate::Scenario::parse`].

use crate::{Scenario, Suite};
use std::sync::LazyLock;

/// A shipped file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipped {
    pub name: &'static str,
    /// Path inside the repository, for errors.
    pub file: &'static str,
    pub text: &'static str,
    /// One sentence: what it teaches or what it is for.
    pub about: String,
}

/// The shipped scenarios, in the order in which a newcomer should read them.
pub fn catalog() -> &'static [Shipped] {
    &SCENARIOS
}

/// The shipped suites.
pub fn suites() -> &'static [Shipped] {
    &SUITES
}

/// The shipped scenario with this name.
pub fn scenario(name: &str) -> Option<&'static Shipped> {
    catalog().iter().find(|shipped| shipped.name == name)
}

/// The shipped suite with this name.
pub fn suite(name: &str) -> Option<Suite> {
    let shipped = suites().iter().find(|shipped| shipped.name == name)?;
    Some(Suite::parse(shipped.file, shipped.text).expect("shipped suites parse: a test reads each"))
}

impl Shipped {
    /// The scenario in this file.
    ///
    /// # Panics
    /// If it is a suite's.
    pub fn scenario(&self) -> Scenario {
        Scenario::parse(self.file, self.text).expect("shipped scenarios parse: a test reads each")
    }
}

macro_rules! shipped {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((
            $name,
            concat!("scenarios/", $folder, "/", $name, ".toml"),
            include_str!(concat!("../", $folder, "/", $name, ".toml")),
        )),*]
    };
}

/// Name, file and text.
type Embedded = (&'static str, &'static str, &'static str);

const EMBEDDED_SCENARIOS: &[Embedded] = shipped!["scenarios":
    "standard",
    "quiet",
    "zombie-rotator",
    "lost-reply",
    "crash-points",
    "partitioned-agent",
    "partitioned-target",
    "rollback-under-fire",
    "revoke-everywhere",
    "clock-edges",
    "operator-mishaps",
    "partition-in-each-phase",
    "two-secrets",
    "many-holders",
    "last-write-wins",
    "single-principal",
    "privileges",
];

const EMBEDDED_SUITES: &[Embedded] = shipped!["suites": "smoke", "ci", "planted"];

static SCENARIOS: LazyLock<Vec<Shipped>> = LazyLock::new(|| table(EMBEDDED_SCENARIOS));
static SUITES: LazyLock<Vec<Shipped>> = LazyLock::new(|| table(EMBEDDED_SUITES));

fn table(embedded: &[Embedded]) -> Vec<Shipped> {
    let shipped = |(name, file, text): &Embedded| Shipped { name, file, text, about: about(text) };
    embedded.iter().map(shipped).collect()
}

/// The file's `about`. Read from the line alone, so that a table of contents needs no full parse.
fn about(text: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("about = \""));
    line.map_or(String::new(), |rest| rest.trim_end().trim_end_matches('"').to_owned())
}
