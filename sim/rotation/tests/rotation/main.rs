//! The roles at their boundary: one input in, effects out.

mod agent;
mod authority;
mod bench;
mod rotator;
mod session;
