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
    /// The published incident that a scenario retells, if any.
    pub like: Option<String>,
}

/// The shipped scenarios, in the order in which a newcomer should read them.
pub fn catalog() -> &'static [Shipped] {
    &SCENARIOS
}

/// The shipped suites.
pub fn suites() -> &'static [Shipped] {
    &SUITES
}

/// Capsules of what was found and mended: name, and the file's text.
pub fn regressions() -> &'static [(&'static str, &'static str)] {
    EMBEDDED_REGRESSIONS
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
    "second-set-held",
    "lost-reply",
    "crash-points",
    "partitioned-agent",
    "partitioned-target",
    "rollback-under-fire",
    "revoke-everywhere",
    "clock-edges",
    "clock-beyond-epsilon",
    "operator-mishaps",
    "partition-in-each-phase",
    "two-secrets",
    "many-holders",
    "rolling-upgrade",
    "three-builds",
    "downgrade-below-floor",
    "stripped-negotiation",
    "suspend-across-lease",
    "scheduled",
    "last-write-wins",
    "single-principal",
    "privileges",
    "api-keys",
    "faulty-disks",
    "forgetful-disks",
    "clocks-astray",
    "clock-beyond-rho",
    "starved-nodes",
    "hostile-hosts",
    "hostile-world",
    "bad-links",
    "full-disk",
    "stalled-disk",
    "restarts-behind-a-cut",
    "lease-by-a-slow-clock",
    "half-open-to-target",
    "failed-writes",
    "torn-writes",
    "rotten-disk",
    "strobing-clocks",
    "frozen-clock",
    "older-periods",
    "late-answers",
    "lossy-link-to-target",
    "damaged-on-the-way",
    "reset-while-closing",
    "minted-twice",
    "stripped-answers",
    "late-advance",
];

/// Patterns of published incidents, in the order of their catalog.
const EMBEDDED_INCIDENTS: &[Embedded] = shipped!["scenarios/incidents":
    "storage-lost-after-apply",
    "failed-attempt-left-over",
    "original-written-back",
    "checked-after-effect",
    "effect-comes-late",
    "step-already-done",
    "primary-restarted",
    "value-only-in-memory",
    "begun-by-another",
    "queue-lost-at-restart",
    "renewer-dies",
    "renewal-taken-for-issue",
    "one-path-refreshed",
    "revocation-lost",
    "notification-missed",
    "clock-jump-for-ever",
    "gives-up-after-six",
];

macro_rules! capsules {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../regressions/", $name, ".repro.json")))),*]
    };
}

/// In the order of their names; a test compares them with the folder.
const EMBEDDED_REGRESSIONS: &[(&str, &str)] =
    capsules!["doubted-between-two-times", "lease-kept-from-afar", "revocation-during-rollback"];

const EMBEDDED_SUITES: &[Embedded] = shipped!["suites": "smoke", "ci", "planted", "incidents"];

static SCENARIOS: LazyLock<Vec<Shipped>> =
    LazyLock::new(|| table(&[EMBEDDED_SCENARIOS, EMBEDDED_INCIDENTS].concat()));
static SUITES: LazyLock<Vec<Shipped>> = LazyLock::new(|| table(EMBEDDED_SUITES));

fn table(embedded: &[Embedded]) -> Vec<Shipped> {
    let shipped = |(name, file, text): &Embedded| Shipped {
        name,
        file,
        text,
        about: line(text, "about").unwrap_or_default(),
        like: line(text, "reference"),
    };
    embedded.iter().map(shipped).collect()
}

/// A key's text. Read from its line alone, so that a table of contents needs no full parse.
fn line(text: &str, key: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
        Some(rest.trim_end().trim_end_matches('"').to_owned())
    })
}
