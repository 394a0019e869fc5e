//! Secret bytes, and the tags that stand for them wherever anything is shown or compared.
//!
//! Invariant: nothing here prints, serializes or compares secret bytes in a way that could leave
//! the process. [`SecretValue`] has no `Display`, no `Serialize` and a redacted `Debug`.

use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// The bytes of one version. Wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretValue(Zeroizing<Vec<u8>>);

impl SecretValue {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves: for encoding into a frame or record and for nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(redacted)")
    }
}

/// Keyed digest that stands for a frame, a record or a secret value. Zero means "none".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(pub u64);

impl Tag {
    pub const NONE: Tag = Tag(0);

    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() { f.write_str("#none") } else { write!(f, "#{:016x}", self.0) }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl From<Tag> for u64 {
    fn from(value: Tag) -> u64 {
        value.0
    }
}
