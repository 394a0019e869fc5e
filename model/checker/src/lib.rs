//! Exhaustive search of the specification.
