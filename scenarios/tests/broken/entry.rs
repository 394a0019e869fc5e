//! What is wrong with one clock, order, fault or swarm.

use crate::check;

#[test]
fn an_order_past_the_end() {
    check(
        "",
        r#"[[order]]
at = "5m"
order = "rotate""#,
        r#"
small.toml:28:6: the order comes after the end
28 | at = "5m"
   |      ^^^^
   = expected: a time before `end_at`, 4m
   = got: `5m`
   = to do: order earlier, or move `end_at`
"#,
    );
}

#[test]
fn an_order_after_the_heal() {
    check(
        "",
        r#"[[order]]
at = ["30s", "61s"]
order = "rotate""#,
        r#"
small.toml:28:6: the order comes after `heal_at`
28 | at = ["30s", "61s"]
   |      ^^^^^^^^^^^^^^
   = expected: at most `heal_at`, 1m, so that it can converge
   = got: `1m1s`
   = to do: order earlier, or move `heal_at` and `end_at`
"#,
    );
}

#[test]
fn an_unknown_order() {
    check(
        "",
        r#"[[order]]
at = "5s"
order = ["rotate", "explode"]"#,
        r#"
small.toml:29:20: unknown `order`
29 | order = ["rotate", "explode"]
   |                    ^^^^^^^^^
   = expected: {orders}
   = got: `explode`
   = to do: take one of the expected names
"#,
    );
}

#[test]
fn an_unknown_secret() {
    check(
        "",
        r#"[[order]]
at = "5s"
order = "rotate"
secret = 2"#,
        r#"
small.toml:30:10: unknown secret
30 | secret = 2
   |          ^
   = expected: a number in 1..=1
   = got: `2`
   = to do: name a secret of [topology]; they count from 1
"#,
    );
}

#[test]
fn an_unknown_node() {
    check(
        "",
        r#"[[fault]]
kind = "crash"
node = "rotator-3"
at = "5s"
lasts = "1s""#,
        r#"
small.toml:29:8: unknown node
29 | node = "rotator-3"
   |        ^^^^^^^^^^^
   = expected: authority-1, rotator-1, rotator-2, agent-1, agent-2, target-1, replica-1, workload-1, workload-2, operator-1; or a role; or `all`
   = got: `rotator-3`
   = to do: name a node of [topology]; they count from 1
"#,
    );
}

#[test]
fn an_empty_partition_group() {
    check(
        "",
        r#"[[fault]]
kind = "partition"
left = []
right = ["rest"]
at = "5s"
lasts = "1s""#,
        r#"
small.toml:29:8: `left` is empty
29 | left = []
   |        ^^
   = expected: at least one node
   = got: `[]`
   = to do: name at least one node
"#,
    );
}

#[test]
fn a_node_on_both_sides_of_a_partition() {
    check(
        "",
        r#"[[fault]]
kind = "partition"
left = ["agent"]
right = ["agent-2", "target-1"]
at = "5s"
lasts = "1s""#,
        r#"
small.toml:30:9: a node is on both sides
30 | right = ["agent-2", "target-1"]
   |         ^^^^^^^^^^^^^^^^^^^^^^^
   = expected: two groups without a common node
   = got: `agent-2`
   = to do: name it on one side
"#,
    );
}

#[test]
fn a_node_named_twice() {
    check(
        "",
        r#"[[fault]]
kind = "pause"
node = ["agent", "agent-1"]
at = "5s"
lasts = "1s""#,
        r#"
small.toml:29:18: `node` names a node twice
29 | node = ["agent", "agent-1"]
   |                  ^^^^^^^^^
   = expected: each node at most once
   = got: `agent-1`
   = to do: name it once
"#,
    );
}

#[test]
fn an_offset_beyond_epsilon() {
    check(
        "",
        r#"[[clock]]
node = "agent-1"
offset = "-251ms""#,
        r#"
small.toml:29:10: `offset` is beyond ε
29 | offset = "-251ms"
   |          ^^^^^^^^
   = expected: at most 250ms either way
   = got: `251ms`
   = to do: keep the offset within ε, or say `breaks = ["clock-within-epsilon"]`
"#,
    );
}

#[test]
fn an_unknown_fault_kind() {
    check(
        "",
        r#"[[fault]]
kind = "explosion"
at = "5s""#,
        r#"
small.toml:28:8: unknown `kind`
28 | kind = "explosion"
   |        ^^^^^^^^^^^
   = expected: {fault kinds}
   = got: `explosion`
   = to do: take one of the expected names
"#,
    );
}

#[test]
fn a_fault_that_never_begins() {
    check(
        "",
        r#"[[fault]]
kind = "crash"
node = "agent-1"
lasts = "1s""#,
        r#"
small.toml:28:8: the fault never begins
28 | kind = "crash"
   |        ^^^^^^^
   = expected: `at`, or one of `sending`, `sent`, `handled`, `replying`, `entered`, `point`
   = to do: say when it begins
"#,
    );
}

#[test]
fn a_fault_that_begins_after_the_heal() {
    check(
        "",
        r#"[[fault]]
kind = "crash"
node = "agent-1"
at = ["5s", "60s"]
lasts = "1s""#,
        r#"
small.toml:30:6: `at` is not before `heal_at`
30 | at = ["5s", "60s"]
   |      ^^^^^^^^^^^^^
   = expected: a time before 1m
   = got: `1m`
   = to do: begin the fault earlier, or move `heal_at`
"#,
    );
}

#[test]
fn a_fault_with_a_time_and_a_point() {
    check(
        "",
        r#"[[fault]]
kind = "crash"
node = "agent-1"
at = "5s"
sending = "heartbeat-request"
lasts = "1s""#,
        r#"
small.toml:31:11: a fault with `at` also waits for a point
31 | sending = "heartbeat-request"
   |           ^^^^^^^^^^^^^^^^^^^
   = expected: `at`, or one point with `nth` and `after`
   = to do: keep one
"#,
    );
}

#[test]
fn a_fault_with_two_points() {
    check(
        "",
        r#"[[fault]]
kind = "hold"
sending = "apply-request"
replying = "apply-reply"
lasts = "1s""#,
        r#"
small.toml:30:12: two points are named
30 | replying = "apply-reply"
   |            ^^^^^^^^^^^^^
   = expected: one of `sending`, `sent`, `handled`, `replying`, `entered`, `point`
   = to do: keep one of them
"#,
    );
}

#[test]
fn a_message_fault_without_a_message() {
    check(
        "",
        r#"[[fault]]
kind = "lose-reply"
at = "5s""#,
        r#"
small.toml:28:8: a lose-reply needs a point, not a time
28 | kind = "lose-reply"
   |        ^^^^^^^^^^^^
   = expected: `sending`
   = to do: replace `at` by a point; `after` gives the earliest time
"#,
    );
}

#[test]
fn a_fault_at_a_point_that_does_not_fit() {
    check(
        "",
        r#"[[fault]]
kind = "fail-persist"
sending = "apply-request""#,
        r#"
small.toml:28:8: a fail-persist cannot begin at this point
28 | kind = "fail-persist"
   |        ^^^^^^^^^^^^^^
   = expected: `point = "persist-begins"`
   = to do: choose another point, or another kind
"#,
    );
}

#[test]
fn a_standing_fault_without_an_end() {
    check(
        "",
        r#"[[fault]]
kind = "hold"
sending = "apply-request""#,
        r#"
small.toml:28:8: a hold needs `lasts`
28 | kind = "hold"
   |        ^^^^^^
   = to do: add `lasts`: how long it stands (or `until`)
"#,
    );
}

#[test]
fn a_fault_that_ends_twice() {
    check(
        "",
        r#"[[fault]]
kind = "hold"
sending = "apply-request"
lasts = "5s"
until = { on = { entered = "idle" }, at_most = "60s" }"#,
        r#"
small.toml:31:9: the fault ends twice
31 | until = { on = { entered = "idle" }, at_most = "60s" }
   |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
   = expected: `lasts = "5s"`, or `until = { on = { … }, at_most = "60s" }`
   = to do: keep `lasts` or `until`
"#,
    );
}

#[test]
fn a_key_that_the_kind_does_not_have() {
    check(
        "",
        r#"[[fault]]
kind = "crash"
node = "agent-1"
left = "agent-1"
at = "5s"
lasts = "1s""#,
        r#"
small.toml:30:8: a crash has no `left`
30 | left = "agent-1"
   |        ^^^^^^^^^
   = to do: remove the key, or change `kind`
"#,
    );
}

#[test]
fn an_nth_of_zero() {
    check(
        "",
        r#"[[fault]]
kind = "lose-reply"
sending = "apply-request"
nth = 0"#,
        r#"
small.toml:30:7: `nth` counts from 1
30 | nth = 0
   |       ^
   = expected: at least 1
   = got: `0`
   = to do: write 1 for the next one
"#,
    );
}

#[test]
fn an_until_without_a_point() {
    check(
        "",
        r#"[[fault]]
kind = "hold"
sending = "apply-request"
until = { on = {}, at_most = "60s" }"#,
        r#"
small.toml:30:16: no point is named
30 | until = { on = {}, at_most = "60s" }
   |                ^^
   = expected: one of `sending`, `sent`, `handled`, `replying`, `entered`, `point`
   = to do: name one
"#,
    );
}

#[test]
fn a_chance_above_one() {
    check(
        "",
        r#"[[order]]
at = "5s"
order = "rotate"
chance = "3/2""#,
        r#"
small.toml:30:10: `chance` is no ratio
30 | chance = "3/2"
   |          ^^^^^
   = expected: a ratio of two whole numbers, at most 1
   = got: `3/2`
   = to do: write for example `"1/2"`
"#,
    );
}

#[test]
fn a_swarm_with_a_kind_twice() {
    check(
        "",
        r#"[swarm]
faults = ["crash", "crash"]
count = 1
stability = "1s""#,
        r#"
small.toml:28:20: `faults` has a duplicate
28 | faults = ["crash", "crash"]
   |                    ^^^^^^^
   = expected: each name at most once
   = got: `crash`
   = to do: name it once
"#,
    );
}

#[test]
fn a_swarm_whose_window_ends_after_the_heal() {
    check(
        "",
        r#"[swarm]
faults = "crash"
count = 1
stability = "1s"
window = ["5s", "61s"]"#,
        r#"
small.toml:31:10: the swarm's window has no room
31 | window = ["5s", "61s"]
   |          ^^^^^^^^^^^^^
   = expected: a window longer than `stability`, ending by `heal_at`, 1m
   = got: `5s to 1m1s`
   = to do: widen `window`, or heal later
"#,
    );
}

#[test]
fn a_step_of_what_asks_for_none() {
    check(
        "",
        r#"[[fault]]
kind = "lose-reply"
sending = "query-request"
step = "set""#,
        r#"
small.toml:30:8: `step` has no meaning here
30 | step = "set"
   |        ^^^^^
   = expected: `step` beside `sending` or `sent` of apply-request or mint-request
   = to do: remove it, or change the point
"#,
    );
}

#[test]
fn a_phase_that_is_entered_by_no_rotator() {
    check(
        "",
        r#"[[fault]]
kind = "hold"
sending = "apply-request"
until = { on = { entered = "idle", by = "agent-1" }, at_most = "5s" }"#,
        r#"
small.toml:30:41: only a rotator moves a secret to a phase
30 | until = { on = { entered = "idle", by = "agent-1" }, at_most = "5s" }
   |                                         ^^^^^^^^^
   = expected: a rotator
   = got: `agent-1`
   = to do: name a rotator, or leave `by` out
"#,
    );
}
