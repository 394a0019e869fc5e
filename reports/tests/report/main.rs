//! Reports at their boundary: form, faces, hostile names, and the gate.

mod faces;
mod fixture;
mod gate;
mod hostile;
mod reached;
mod schema;
