//! Broken files, and exactly what their author is told.

mod entry;
mod file;
mod suite;

use tumbler_scenarios::Scenario;
use tumbler_types::FaultKind;
use tumbler_types::event::OrderKind;

/// A smallest complete scenario; each test breaks one thing in it.
const BASE: &str = r#"schema = 1
name = "small"
about = "a smallest scenario that is complete"
canaries = 1
heal_at = "60s"
end_at = "4m"

[topology]
rotators = 2
agents = 2
replicas = 1
workloads = 2
secrets = 1

[bounds]
undelivered = "5s"
refused = "30s"
rollback = "90s"
converge = "2m"
served = "10s"
[network]
latency = ["1ms", "20ms"]

[store]
latency = "1ms"
"#;

#[test]
fn the_base_of_these_tests_is_complete() {
    let name = Scenario::parse("small.toml", BASE).map(|scenario| scenario.name().to_owned());
    assert_eq!(name, Ok("small".into()));
}

/// Replaces `from` in the base (or appends, if it is empty) and compares the error.
#[track_caller]
fn check(from: &str, to: &str, expect: &str) {
    let text = if from.is_empty() { format!("{BASE}\n{to}\n") } else { BASE.replacen(from, to, 1) };
    assert_ne!(text, BASE, "`{from}` stands in the base");
    let error = Scenario::parse("small.toml", &text).expect_err("the file is broken");
    assert_eq!(error.to_string().trim(), listed(expect).trim(), "\n{error}\n");
}

/// Fills in the lists of names that grow with the vocabulary.
fn listed(expect: &str) -> String {
    let joined = |names: Vec<&'static str>| names.join(", ");
    let kinds = FaultKind::ALL.into_iter().map(FaultKind::name).collect();
    let orders = OrderKind::ALL.iter().map(|order| order.name()).collect();
    let scenarios = tumbler_scenarios::catalog().iter().map(|shipped| shipped.name).collect();
    expect
        .replace("{fault kinds}", &joined(kinds))
        .replace("{orders}", &joined(orders))
        .replace("{scenarios}", &joined(scenarios))
}
