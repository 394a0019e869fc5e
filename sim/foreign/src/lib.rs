//! The world of a foreign rotator: what a rotation function that somebody else wrote can reach.
//!
//! A secret store with the four-step contract, a SQL server, a client that never stops to
//! authenticate, and a nemesis that strikes single calls. The function runs elsewhere, behind
//! [`Guests`]; each of its outside calls comes here as data, and its answer goes back.
//!
//! It is not the big simulated system on madsim, for two reasons. A rotation function is sequential:
//! what can go wrong is where it is cut, what lands late, and which other invocation ran between two
//! of its calls, so a script with interruptions says everything that a queue of events would say. And
//! its process lives outside of any sandbox, where madsim has no hold; here the guest's clock and
//! entropy are told to it with each answer.
//!
//! What it deliberately does not do: two calls at one instant (every call is atomic), packets, more
//! than one secret under rotation, SQL beyond the statements that rotation functions speak (any other
//! is refused by name), processes, files, or a wall clock.
//!
//! Invariant: a run is a pure function of plan and guest; two runs give equal bytes. No text that
//! leaves here holds a secret: a [`veil::Veil`] stands before it.
//!
//! Source: the four-step rotation contract and the `RotateSecret`, `PutSecretValue` and
//! `UpdateSecretVersionStage` pages of AWS Secrets Manager's reference; PostgreSQL's and MySQL's
//! manuals for `CREATE`/`ALTER ROLE` and `USER`.

pub mod guest;
pub mod judge;
pub mod layout;
pub mod password;
pub mod sql;
pub mod store;
pub mod strike;
pub mod veil;
pub mod world;

pub use guest::{Answer, Break, Call, Guests, Invoke, Said, Step};
pub use judge::Outcome;
pub use layout::Layout;
pub use sql::Engine;
pub use strike::{Strike, StrikeKind};
pub use world::{Plan, Record, Report, run};
