//! Scenario files and suites, and how they become plans.
