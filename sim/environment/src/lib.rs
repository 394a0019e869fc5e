//! What the system meets: targets, workloads, operators.
