//! What a principal may do at a target, and how it must connect: a small set.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Effective privileges and transport of one principal, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Privileges(pub u8);

impl Privileges {
    pub const READ: Privileges = Privileges(1);
    pub const WRITE: Privileges = Privileges(2);
    /// It is refused over a plain connection.
    pub const TLS_REQUIRED: Privileges = Privileges(4);
    pub const ALL: Privileges = Privileges(7);
    /// All but writing.
    pub const READ_ONLY: Privileges = Privileges(5);

    #[must_use]
    pub const fn without(self, other: Privileges) -> Privileges {
        Privileges(self.0 & !other.0)
    }

    pub const fn has(self, other: Privileges) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Default for Privileges {
    fn default() -> Self {
        Privileges::ALL
    }
}

impl fmt::Debug for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (Privileges::READ, "read"),
            (Privileges::WRITE, "write"),
            (Privileges::TLS_REQUIRED, "tls-required"),
        ];
        let held: Vec<&str> =
            names.into_iter().filter(|(each, _)| self.has(*each)).map(|(_, name)| name).collect();
        if held.is_empty() { f.write_str("nothing") } else { f.write_str(&held.join("+")) }
    }
}

impl fmt::Display for Privileges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_shows_what_it_holds() {
        assert_eq!(Privileges::ALL.to_string(), "read+write+tls-required");
        assert_eq!(Privileges::ALL.without(Privileges::WRITE), Privileges::READ_ONLY);
        assert_eq!(Privileges(0).to_string(), "nothing");
    }
}
