//! The world with toy roles: what faults do, and what leaks show.

mod faults;
mod harms;
mod leaks;
mod toy;
