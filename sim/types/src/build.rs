//! Builds and the formats that they speak.
//!
//! A *format* is a version of the byte layouts on links and disks. A *build* is a version of the
//! software: it reads and writes a range of formats. A cluster's *floor* is the lowest format that
//! may still be spoken; it only rises, by an entry of the log.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A version of the byte layouts, from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Format(pub u8);

impl Format {
    pub const LOWEST: Format = Format(1);
    pub const HIGHEST: Format = Format(3);

    /// The format after this one; none after the highest.
    pub fn next(self) -> Option<Format> {
        (self < Format::HIGHEST).then(|| Format(self.0 + 1))
    }

    /// The format with this number, if there is one.
    pub fn from_number(number: u8) -> Option<Format> {
        (Format::LOWEST.0..=Format::HIGHEST.0).contains(&number).then_some(Format(number))
    }
}

impl Default for Format {
    fn default() -> Self {
        Format::LOWEST
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "format-{}", self.0)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A version of the software.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Build {
    /// Format 1 alone: no epoch in a confirmation, no revocation serial.
    #[serde(rename = "n-1")]
    Older,
    /// Formats 1 and 2.
    #[default]
    #[serde(rename = "n")]
    Current,
    /// Formats 1 to 3; in format 3 a lease request names its latest time, which no build before knows.
    #[serde(rename = "n+1")]
    Newer,
}

impl Build {
    pub const ALL: [Build; 3] = [Build::Older, Build::Current, Build::Newer];

    pub const fn name(self) -> &'static str {
        match self {
            Build::Older => "n-1",
            Build::Current => "n",
            Build::Newer => "n+1",
        }
    }

    /// The highest format that it reads and writes; it knows all below.
    pub const fn highest(self) -> Format {
        match self {
            Build::Older => Format(1),
            Build::Current => Format(2),
            Build::Newer => Format(3),
        }
    }
}
