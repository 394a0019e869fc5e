//! The shape of a scenario file: what the TOML reader accepts, before any of it is understood.
//!
//! It exists so that every value keeps its place in the text. It deliberately checks no meaning:
//! that is [`mod@crate::scenario`]. Unknown keys are refused everywhere.

use serde::Deserialize;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::ops::Range;
use toml::Spanned;

/// Version of this form. A later one is refused by name, never guessed at.
pub(crate) const SCHEMA: i64 = 1;
/// What to do about a file of another form.
pub(crate) const OTHER_SCHEMA: &str = "write `schema = 1`, or take the build that the file was written for";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScenarioFile {
    pub schema: Spanned<i64>,
    pub name: Spanned<String>,
    pub about: Spanned<String>,
    pub expect: Option<Spanned<String>>,
    /// Assumptions that this scenario breaks on purpose.
    #[serde(default)]
    pub breaks: Vec<Spanned<String>>,
    /// The published incident that this scenario retells.
    pub incident: Option<IncidentTable>,
    pub canaries: Spanned<i64>,
    pub heal_at: Words,
    pub end_at: Words,
    pub topology: Spanned<TopologyTable>,
    #[serde(default)]
    pub timing: TimingTable,
    pub bounds: BoundsTable,
    pub network: LatencyTable,
    pub store: LatencyTable,
    /// The lowest format that may be spoken at the start.
    pub floor: Option<Spanned<i64>>,
    #[serde(default)]
    pub build: Vec<BuildTable>,
    #[serde(default)]
    pub clock: Vec<ClockTable>,
    #[serde(default)]
    pub order: Vec<OrderTable>,
    #[serde(default)]
    pub fault: Vec<Spanned<FaultTable>>,
    pub swarm: Option<SwarmTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IncidentTable {
    pub reference: Spanned<String>,
    pub symptom: Spanned<String>,
    pub cause: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TopologyTable {
    pub rotators: Spanned<i64>,
    pub agents: Spanned<i64>,
    pub replicas: Spanned<i64>,
    pub workloads: Spanned<i64>,
    pub secrets: Spanned<i64>,
    pub enforcement: Option<Spanned<String>>,
    pub principals: Option<Spanned<i64>>,
    /// Who makes the values: `rotator`, or `target`.
    pub minted_by: Option<Spanned<String>>,
    /// How much later than it came a copy is visible at a replica.
    pub lag: Option<Words>,
}

/// What is absent has the protocol's default.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimingTable {
    pub epsilon: Option<Words>,
    pub lease_ttl: Option<Words>,
    pub grant_ttl: Option<Words>,
    pub heartbeat: Option<Words>,
    pub poll: Option<Words>,
    pub call_timeout: Option<Words>,
    pub visibility: Option<Words>,
    pub replication: Option<Words>,
    pub rotation_period: Option<Words>,
    pub use_period: Option<Words>,
    pub actor_lifetime: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundsTable {
    pub undelivered: Words,
    pub served: Words,
    pub refused: Words,
    pub rollback: Words,
    pub converge: Words,
    /// Longest time without service in a rotation at a target with one principal.
    pub outage: Option<Words>,
    /// Longest time for which a minted key may be on no record.
    pub orphan: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LatencyTable {
    pub latency: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BuildTable {
    pub node: Words,
    pub build: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClockTable {
    pub node: Words,
    pub offset: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrderTable {
    pub at: Words,
    pub order: Words,
    pub secret: Option<Spanned<i64>>,
    pub chance: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultTable {
    pub kind: Spanned<String>,
    pub chance: Option<Words>,
    // When: `at`, or one point.
    pub at: Option<Words>,
    pub sending: Option<Words>,
    pub sent: Option<Words>,
    pub handled: Option<Words>,
    pub replying: Option<Words>,
    pub entered: Option<Words>,
    pub point: Option<Words>,
    pub secret: Option<Spanned<i64>>,
    pub nth: Option<Words>,
    pub after: Option<Words>,
    pub peer: Option<Words>,
    pub step: Option<Words>,
    pub by: Option<Words>,
    // Where, and whom.
    pub node: Option<Words>,
    pub victim: Option<Words>,
    pub left: Option<Words>,
    pub right: Option<Words>,
    pub symmetric: Option<bool>,
    pub offset: Option<Words>,
    pub build: Option<Words>,
    pub back: Option<Words>,
    pub rate: Option<Words>,
    pub period: Option<Words>,
    pub lag: Option<Words>,
    pub up: Option<Words>,
    pub down: Option<Words>,
    pub extra: Option<Words>,
    pub share: Option<Words>,
    pub bandwidth: Option<Words>,
    pub queue: Option<Words>,
    // How long: a duration, or an event.
    pub lasts: Option<Words>,
    pub until: Option<Spanned<UntilTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UntilTable {
    pub on: Spanned<PointTable>,
    pub at_most: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PointTable {
    pub sending: Option<Words>,
    pub sent: Option<Words>,
    pub handled: Option<Words>,
    pub replying: Option<Words>,
    pub entered: Option<Words>,
    pub point: Option<Words>,
    pub secret: Option<Spanned<i64>>,
    pub node: Option<Words>,
    pub peer: Option<Words>,
    pub step: Option<Words>,
    pub by: Option<Words>,
    /// Of an end alone: a fault has its own.
    pub nth: Option<Words>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SwarmTable {
    pub faults: Words,
    pub count: Words,
    pub stability: Words,
    pub window: Option<Words>,
    pub roles: Option<Words>,
}

/// One word, or a list of them, each with its place. Whole numbers count as words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub span: Range<usize>,
    pub items: Vec<Word>,
}

#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub span: Range<usize>,
    pub text: String,
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<OneOrMany>::deserialize(deserializer)?;
        let span = spanned.span();
        let items = match spanned.into_inner() {
            OneOrMany::One(text) => vec![Word { span: span.clone(), text }],
            OneOrMany::Many(items) => {
                let word = |each: Spanned<Text>| Word { span: each.span(), text: each.into_inner().0 };
                items.into_iter().map(word).collect()
            }
        };
        Ok(Words { span, items })
    }
}

enum OneOrMany {
    One(String),
    Many(Vec<Spanned<Text>>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordVisitor { many: true })
    }
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_any(WordVisitor { many: false })? {
            OneOrMany::One(text) => Ok(Text(text)),
            OneOrMany::Many(_) => Err(de::Error::custom("a list stands inside a list")),
        }
    }
}

struct WordVisitor {
    many: bool,
}

impl<'de> Visitor<'de> for WordVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.many { "a value in quotes, or a list of them" } else { "a value in quotes" })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<OneOrMany, E> {
        Ok(OneOrMany::One(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<OneOrMany, E> {
        Ok(OneOrMany::One(number.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany, A::Error> {
        if !self.many {
            return Err(de::Error::custom("a list stands inside a list, expected a value in quotes"));
        }
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(OneOrMany::Many(items))
    }
}
