//! The system: sans-I/O roles of secret rotation and delivery.
