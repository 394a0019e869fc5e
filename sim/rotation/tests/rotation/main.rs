//! The roles at their boundary: one input in, effects out.

mod agent;
mod authority;
mod bench;
mod keys;
mod last_write_wins;
mod rotator;
mod session;
mod single_principal;
