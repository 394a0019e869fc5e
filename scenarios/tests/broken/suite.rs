//! What is wrong with a suite.

use tumbler_scenarios::Suite;

#[track_caller]
fn check_suite(text: &str, expect: &str) {
    let error = Suite::parse("suite.toml", text).expect_err("the file is broken");
    assert_eq!(error.to_string().trim(), expect.trim(), "\n{error}\n");
}

#[test]
fn a_suite_with_an_unknown_scenario() {
    check_suite(
        r#"schema = 1
name = "mine"
about = "mine"
[[entry]]
scenario = "standart"
seeds = "0..5""#,
        r#"
suite.toml:5:12: unknown `scenario`
5 | scenario = "standart"
  |            ^^^^^^^^^^
  = expected: standard, quiet, zombie-rotator, lost-reply, crash-points, partitioned-agent, partitioned-target, rollback-under-fire, revoke-everywhere, clock-edges, operator-mishaps, partition-in-each-phase, two-secrets, many-holders, last-write-wins, single-principal, privileges
  = got: `standart`
  = to do: take one of the expected names
"#,
    );
}

#[test]
fn a_suite_with_seeds_that_are_no_range() {
    check_suite(
        r#"schema = 1
name = "mine"
about = "mine"
[[entry]]
scenario = "quiet"
seeds = "5..5""#,
        r#"
suite.toml:6:9: `seeds` is no range of seeds
6 | seeds = "5..5"
  |         ^^^^^^
  = expected: "A..B" with A < B, B not included
  = got: `5..5`
  = to do: write for example "0..100"
"#,
    );
}

#[test]
fn a_suite_with_a_planted_bug_that_nobody_has_to_name() {
    check_suite(
        r#"schema = 1
name = "mine"
about = "mine"
[[entry]]
scenario = "quiet"
seeds = "0..5"
planted = "lying-fsync""#,
        r#"
suite.toml:7:11: a planted bug without `expect`
7 | planted = "lying-fsync"
  |           ^^^^^^^^^^^^^
  = to do: add `expect`: the invariant that must name it
"#,
    );
}

#[test]
fn a_suite_without_entries() {
    check_suite(
        r#"schema = 1
name = "mine"
about = "mine"
entry = []"#,
        r#"
suite.toml:4:9: the suite is empty
4 | entry = []
  |         ^^
  = expected: at least one [[entry]]
  = to do: add an [[entry]]
"#,
    );
}

#[test]
fn a_suite_with_an_entry_twice() {
    check_suite(
        r#"schema = 1
name = "mine"
about = "mine"
[[entry]]
scenario = "quiet"
seeds = "0..5"

[[entry]]
scenario = "quiet"
seeds = "0..5""#,
        r#"
suite.toml:8:1: the entry has a duplicate
8 | [[entry]]
  | ^^^^^^^^^
  = to do: keep one of them
"#,
    );
}
