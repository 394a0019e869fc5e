//! The system: sans-I/O roles of secret rotation and delivery.
//!
//! `README.md` beside this crate is the protocol. Each role is a state machine behind
//! [`tumbler_types::role::v1::Role`]; it is told the time and given entropy, and everything that it
//! wants done leaves as an effect.
//!
//! What this crate deliberately does not do: look at a clock, hold a sabotage switch, know plans or
//! the specification.

pub mod agent;
pub mod authority;
pub mod guard;
pub mod rotator;
pub mod session;
pub mod settings;
pub mod slice;

pub use agent::Agent;
pub use authority::Authority;
pub use rotator::Rotator;
pub use session::Session;
pub use settings::Settings;
