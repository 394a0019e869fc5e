//! Integer nanoseconds, in four senses that must never be mixed.
//!
//! [`Instant`] is the world's true virtual time; [`Wall`] and [`Mono`] are what one node's two
//! clocks show; [`Span`] is a duration. None of them can be read from the machine.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! points {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            pub const ZERO: $name = $name(0);
            pub const MAX: $name = $name(u64::MAX);

            /// Nanoseconds since the clock's own zero.
            pub const fn nanos(self) -> u64 {
                self.0
            }

            /// Saturates at the end of time.
            #[must_use]
            pub const fn plus(self, span: Span) -> Self {
                Self(self.0.saturating_add(span.0))
            }

            /// Saturates at the clock's zero.
            #[must_use]
            pub const fn minus(self, span: Span) -> Self {
                Self(self.0.saturating_sub(span.0))
            }

            /// Time from `earlier` to `self`; zero if `earlier` is in fact later.
            #[must_use]
            pub const fn since(self, earlier: Self) -> Span {
                Span(self.0.saturating_sub(earlier.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Span(self.0), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&Span(self.0), f)
            }
        }

        impl From<$name> for u64 {
            fn from(value: $name) -> u64 {
                value.0
            }
        }
    )*};
}

points! {
    /// True virtual time since the start of the run. Only the world and the judges know it.
    Instant;
    /// One node's wall clock: true time plus that node's offset, from an epoch of [`Wall::EPOCH`].
    Wall;
    /// One node's monotonic clock since its last start.
    Mono;
}

impl Wall {
    /// What a perfect wall clock shows at true time zero: an hour, so that a clock that runs
    /// behind still shows a positive time.
    pub const EPOCH: Wall = Wall(3_600_000_000_000);

    /// What a clock with `offset_ns` nanoseconds of offset shows at `instant`.
    #[must_use]
    pub const fn at(instant: Instant, offset_ns: i64) -> Wall {
        Wall((instant.0 + Wall::EPOCH.0).saturating_add_signed(offset_ns))
    }

    /// The true time at which a perfect clock shows this; zero before the run.
    #[must_use]
    pub const fn true_instant(self) -> Instant {
        Instant(self.0.saturating_sub(Wall::EPOCH.0))
    }
}

/// A duration in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Span(pub u64);

impl Span {
    pub const ZERO: Span = Span(0);

    pub const fn from_millis(millis: u64) -> Self {
        Span(millis.saturating_mul(1_000_000))
    }

    pub const fn from_secs(secs: u64) -> Self {
        Span::from_millis(secs.saturating_mul(1_000))
    }

    pub const fn nanos(self) -> u64 {
        self.0
    }

    pub const fn millis(self) -> u64 {
        self.0 / 1_000_000
    }

    #[must_use]
    pub const fn plus(self, other: Span) -> Self {
        Span(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub const fn minus(self, other: Span) -> Self {
        Span(self.0.saturating_sub(other.0))
    }

    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn times(self, factor: u64) -> Self {
        Span(self.0.saturating_mul(factor))
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Seconds to the microsecond, without floating point; `{:#}` to the nanosecond.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return write!(f, "{}.{:09} s", self.0 / 1_000_000_000, self.0 % 1_000_000_000);
        }
        write!(f, "{}.{:06} s", self.0 / 1_000_000_000, self.0 / 1_000 % 1_000_000)
    }
}

impl From<Span> for u64 {
    fn from(value: Span) -> u64 {
        value.0
    }
}
