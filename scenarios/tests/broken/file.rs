//! What is wrong with the file as a whole, its world, its times.

use crate::check;

#[test]
fn text_that_is_no_toml_shows_where_it_stops() {
    check(
        "agents = 2",
        "agents = = 2",
        r#"
small.toml:10:10: extra `=`
10 | agents = = 2
   |          ^
   = expected: nothing
   = to do: correct the value
"#,
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_known_ones() {
    check(
        "replicas = 1",
        "replica = 1",
        r#"
small.toml:11:1: unknown field `replica`
11 | replica = 1
   | ^^^^^^^
   = expected: one of `rotators`, `agents`, `replicas`, `workloads`, `secrets`, `enforcement`, `principals`, `minted_by`, `lag`
   = to do: correct the spelling of the key, or remove it
"#,
    );
}

#[test]
fn a_missing_key_is_named() {
    check(
        r#"about = "a smallest scenario that is complete"
"#,
        "",
        r#"
small.toml:1:1: missing field `about`
1 | schema = 1
  | ^
  = to do: add the key
"#,
    );
}

#[test]
fn a_value_of_another_type_is_refused() {
    check(
        r#"heal_at = "60s""#,
        "heal_at = 1.5",
        r#"
small.toml:5:11: invalid type: floating point `1.5`
5 | heal_at = 1.5
  |           ^^^
  = expected: a value in quotes, or a list of them
  = to do: correct the value
"#,
    );
}

#[test]
fn a_later_schema_is_refused_by_number() {
    check(
        "schema = 1",
        "schema = 2",
        r#"
small.toml:1:10: unknown `schema`
1 | schema = 2
  |          ^
  = expected: 1
  = got: `2`
  = to do: write `schema = 1`, or take the build that the file was written for
"#,
    );
}

#[test]
fn a_name_that_is_no_name() {
    check(
        r#"name = "small""#,
        r#"name = "../small""#,
        r#"
small.toml:2:8: `name` is no name
2 | name = "../small"
  |        ^^^^^^^^^^
  = expected: 1 to 40 of a-z, 0-9 and -, not beginning with -
  = got: `../small`
  = to do: choose a name like `zombie-rotator`
"#,
    );
}

#[test]
fn zero_rotators() {
    check(
        "rotators = 2",
        "rotators = 0",
        r#"
small.toml:9:12: `rotators` is out of range
9 | rotators = 0
  |            ^
  = expected: a whole number in 1..=64
  = got: `0`
  = to do: correct the number
"#,
    );
}

#[test]
fn more_canaries_than_agents() {
    check(
        "canaries = 1",
        "canaries = 3",
        r#"
small.toml:4:12: `canaries` is out of range
4 | canaries = 3
  |            ^
  = expected: a whole number in 0..=2
  = got: `3`
  = to do: correct the number
"#,
    );
}

#[test]
fn a_duration_without_a_unit() {
    check(
        r#""5s""#,
        r#""5""#,
        r#"
small.toml:16:15: `undelivered` is no duration
16 | undelivered = "5"
   |               ^^^
   = expected: whole numbers with a unit: ns, us, ms, s, m or h
   = got: `5`
   = to do: write for example "250ms", "5s" or "2m30s"
"#,
    );
}

#[test]
fn a_latency_whose_minimum_is_above_its_maximum() {
    check(
        r#"["1ms", "20ms"]"#,
        r#"["20ms", "1ms"]"#,
        r#"
small.toml:22:11: `latency` has min > max
22 | latency = ["20ms", "1ms"]
   |           ^^^^^^^^^^^^^^^
   = expected: [min, max]
   = got: `[20ms, 1ms]`
   = to do: put the smaller one first
"#,
    );
}

#[test]
fn a_heal_after_the_end() {
    check(
        r#"heal_at = "60s""#,
        r#"heal_at = "5m""#,
        r#"
small.toml:5:11: the heal comes after the end
5 | heal_at = "5m"
  |           ^^^^
  = expected: a time before `end_at`, 4m
  = got: `5m`
  = to do: heal earlier
"#,
    );
}

#[test]
fn an_end_too_early_to_converge() {
    check(
        r#"end_at = "4m""#,
        r#"end_at = "3m""#,
        r#"
small.toml:6:10: `end_at` leaves no time to converge
6 | end_at = "3m"
  |          ^^^^
  = expected: at least heal_at + converge + 5s = 3m5s
  = got: `3m`
  = to do: end later, heal earlier, or claim a smaller `converge`
"#,
    );
}

#[test]
fn an_assumption_that_cannot_be_broken() {
    check(
        "canaries = 1",
        r#"canaries = 1
breaks = ["gravity"]"#,
        r#"
small.toml:5:11: unknown `breaks`
5 | breaks = ["gravity"]
  |           ^^^^^^^^^
  = expected: clock-within-epsilon, clock-rate-true, fsync-honest, disks-kept
  = got: `gravity`
  = to do: take one of the expected names
"#,
    );
}

#[test]
fn an_assumption_that_nothing_breaks() {
    check(
        "canaries = 1",
        r#"canaries = 1
breaks = ["clock-within-epsilon"]"#,
        r#"
small.toml:5:11: `breaks` names an assumption that nothing here breaks
5 | breaks = ["clock-within-epsilon"]
  |           ^^^^^^^^^^^^^^^^^^^^^^
  = expected: a clock with an `offset` beyond 250ms
  = got: `0s`
  = to do: remove it, or set a clock beyond ε
"#,
    );
}

#[test]
fn control_characters_of_a_file_are_not_printed() {
    check(
        r#"name = "small""#,
        r#"name = "a\u001b[31mb""#,
        r#"
small.toml:2:8: `name` is no name
2 | name = "a\u001b[31mb"
  |        ^^^^^^^^^^^^^^
  = expected: 1 to 40 of a-z, 0-9 and -, not beginning with -
  = got: `a·[31mb`
  = to do: choose a name like `zombie-rotator`
"#,
    );
}

#[test]
fn columns_count_characters_not_bytes() {
    check(
        "canaries = 1",
        r#"canaries = 1
clock = [{ node = "εε", ofset = "1s" }]"#,
        r#"
small.toml:5:25: unknown field `ofset`
5 | clock = [{ node = "εε", ofset = "1s" }]
  |                         ^^^^^
  = expected: `node` or `offset`
  = to do: correct the spelling of the key, or remove it
"#,
    );
}

#[test]
fn an_unknown_enforcement() {
    check(
        "secrets = 1",
        r#"secrets = 1
enforcement = "best-effort""#,
        r#"
small.toml:14:15: unknown `enforcement`
14 | enforcement = "best-effort"
   |               ^^^^^^^^^^^^^
   = expected: fenced, last-write-wins
   = got: `best-effort`
   = to do: take one of the expected names
"#,
    );
}

#[test]
fn holds_and_pauses_that_together_outlive_an_actor_where_nothing_else_orders_writes() {
    check(
        "secrets = 1",
        r#"secrets = 1
enforcement = "last-write-wins"

[timing]
actor_lifetime = "30s"

[[fault]]
kind = "hold"
sending = "apply-request"
lasts = ["5s", "20s"]

[[fault]]
kind = "pause"
at = "20s"
node = "rotator-1"
lasts = "10s"
"#,
        r#"
small.toml:17:18: a call may outlive `actor_lifetime`
17 | actor_lifetime = "30s"
   |                  ^^^^^
   = expected: holds, pauses and latencies of at most 30s together
   = got: `30s21ms`
   = to do: shorten the holds and pauses, or declare a longer `actor_lifetime`
"#,
    );
}

#[test]
fn one_principal_without_an_outage() {
    check(
        "secrets = 1",
        "secrets = 1\nprincipals = 1",
        r#"
small.toml:14:14: one principal without an `outage`
14 | principals = 1
   |              ^
   = expected: a bound on the window in which nobody is served
   = to do: say in [bounds] how long holders may be refused, for example `outage = "8s"`
"#,
    );
}

#[test]
fn an_outage_without_one_principal() {
    check(
        r#"served = "10s""#,
        r#"served = "10s"
outage = "5s""#,
        r#"
small.toml:21:10: `outage` has no meaning here
21 | outage = "5s"
   |          ^^^^
   = expected: `outage` beside `principals = 1`
   = to do: remove it
"#,
    );
}

#[test]
fn one_principal_where_the_last_write_wins() {
    let text = crate::BASE
        .replace("secrets = 1", "secrets = 1\nprincipals = 1\nenforcement = \"last-write-wins\"")
        .replace("served = \"10s\"", "served = \"10s\"\noutage = \"5s\"");
    let error = tumbler_scenarios::Scenario::parse("small.toml", &text).expect_err("they exclude each other");
    assert!(error.to_string().contains("one principal needs fences"), "{error}");
}

#[test]
fn minted_keys_without_a_bound_on_orphans() {
    check(
        "secrets = 1",
        "secrets = 1\nminted_by = \"target\"",
        r#"
small.toml:14:13: minted keys without a bound on orphans
14 | minted_by = "target"
   |             ^^^^^^^^
   = expected: `orphan` beside `minted_by = "target"`
   = to do: say in [bounds] how long a key may be on no record, for example `orphan = "30s"`
"#,
    );
}

#[test]
fn minted_keys_beside_what_they_exclude() {
    for (words, problem) in [
        ("minted_by = \"target\"\nenforcement = \"fenced\"", "minted keys know no fences"),
        ("minted_by = \"target\"\nprincipals = 1", "minted keys are two at most"),
        ("minted_by = \"nobody\"", "unknown `minted_by`"),
        ("lag = \"2500ms\"", "with this `lag` a replica is always out of touch"),
    ] {
        let text = crate::BASE.replace("secrets = 1", &format!("secrets = 1\n{words}"));
        let error = tumbler_scenarios::Scenario::parse("small.toml", &text).expect_err(problem);
        assert!(error.to_string().contains(problem), "{error}");
    }
    let text = crate::BASE.replace("served = \"10s\"", "served = \"10s\"\norphan = \"5s\"");
    let error = tumbler_scenarios::Scenario::parse("small.toml", &text).expect_err("nothing is minted");
    assert!(error.to_string().contains("`orphan` has no meaning here"), "{error}");
}

#[test]
fn an_incident_names_one_public_place_and_says_what_happened() {
    check(
        "[topology]",
        r#"[incident]
reference = "heard at lunch"
symptom = "a rotation that came twice"
cause = "nobody knows any more"

[topology]"#,
        r#"
small.toml:9:13: `reference` is no public id or URL
9 | reference = "heard at lunch"
  |             ^^^^^^^^^^^^^^^^
  = expected: 3 to 120 letters, digits and -_./#:?=&%+~
  = got: `heard at lunch`
  = to do: name one public thread or page, like `hashicorp/vault#6042`
"#,
    );
    check(
        "[topology]",
        r#"[incident]
reference = "hashicorp/vault#6042"
symptom = " "
cause = "nobody knows any more"

[topology]"#,
        r#"
small.toml:10:11: `symptom` is no sentence
10 | symptom = " "
   |           ^^^
   = expected: one line of 10 to 300 bytes
   = to do: say it in one or two sentences of your own
"#,
    );
}
